use ots_proto::FromRow;

#[derive(FromRow)]
struct Unknown {
    #[ots(primary_key)]
    id: i64,
    #[ots(renamed = "b")]
    a: i64,
    #[ots(primary_key(nested))]
    key: i64,
    #[ots(rename = "x", rename = "y")]
    twice: i64,
    #[ots(rename)]
    no_value: i64,
    #[ots(timestamp = "minutes")]
    time: i64,
}

#[derive(FromRow)]
#[ots(flatten)]
struct UnknownOfStruct {
    id: i64,
}

#[derive(FromRow)]
struct Contradicting {
    #[ots(primary_key, json)]
    a: i64,
    #[ots(primary_key, default)]
    b: i64,
    #[ots(auto_increment)]
    c: Option<i64>,
    #[ots(skip, rename = "x")]
    d: i64,
    #[ots(json, timestamp = "ms")]
    e: i64,
    #[ots(primary_key(flatten), rename = "x")]
    f: i64,
}

fn main() {}
