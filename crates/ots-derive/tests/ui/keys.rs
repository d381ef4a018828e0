use ots_proto::{FromRow, IntoRow, PrimaryKey};

#[derive(PrimaryKey)]
struct Types {
    price: f64,
    active: bool,
    id: Option<i64>,
}

#[derive(PrimaryKey)]
struct Attributes {
    #[ots(primary_key)]
    id: i64,
    #[ots(json)]
    tags: String,
}

#[derive(PrimaryKey)]
struct Same {
    id: i64,
    #[ots(rename = "id")]
    other: i64,
}

#[derive(PrimaryKey)]
struct Empty {}

#[derive(PrimaryKey)]
struct TooMany {
    a: i64,
    b: i64,
    c: i64,
    d: i64,
    e: i64,
}

#[derive(PrimaryKey)]
struct Generated {
    #[ots(auto_increment)]
    first: Option<i64>,
    name: String,
    #[ots(auto_increment)]
    a: Option<i64>,
    #[ots(auto_increment)]
    b: Option<i64>,
}

#[derive(FromRow)]
struct KeyAfterColumn {
    price: i64,
    #[ots(primary_key)]
    id: i64,
}

#[derive(IntoRow)]
struct NoKey {
    price: i64,
}

fn main() {}
