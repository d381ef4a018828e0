use ots_proto::FromRow;

#[derive(FromRow)]
struct Duplicate {
    #[ots(primary_key)]
    id: i64,
    #[ots(rename = "城市")]
    city: String,
    #[ots(rename = "id")]
    number: i64,
    城市: String,
}

#[derive(FromRow)]
#[ots(rename_all = "camelCase")]
struct DuplicateAfterRenaming {
    unit_price: i64,
    #[ots(rename = "unitPrice")]
    price: i64,
}

#[derive(FromRow)]
struct Impossible {
    #[ots(rename = "")]
    empty: i64,
    #[ots(rename = "#hash")]
    hash: i64,
}

#[derive(FromRow)]
#[ots(rename_all = "kebab-case")]
struct UnknownCase {
    unit_price: i64,
}

fn main() {}
