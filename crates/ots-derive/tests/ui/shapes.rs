use ots_proto::{FromRow, IntoRow, PrimaryKey};

#[derive(FromRow)]
enum Either {
    A { id: i64 },
}

#[derive(IntoRow)]
struct Tuple(i64);

#[derive(PrimaryKey)]
struct Unit;

fn main() {}
