//! Rows of SQL answers as values of a type.

use ots_proto::sql::{SqlRows, SqlType, SqlValueRef, SqlWriter};

#[test]
fn key_columns_and_cells_of_a_type_are_found_among_the_columns() {
    #[derive(Debug, PartialEq, ots_proto::FromRow)]
    struct Order<'buf> {
        #[ots(primary_key)]
        number: u32,
        city: Option<&'buf str>,
    }
    let mut writer = SqlWriter::new();
    let cities = [Some(SqlValueRef::String("Hangzhou")), None, None];
    let numbers = [Some(7), Some(8), None].map(|number| number.map(SqlValueRef::Integer));
    writer.column("city", SqlType::String, cities).unwrap();
    writer.column("number", SqlType::Integer, numbers).unwrap();
    let answer = writer.finish().unwrap();
    let rows = SqlRows::parse(&answer).unwrap();
    let mut orders = rows.typed::<Order<'_>>();
    let mut order = || orders.next().unwrap();
    let city = Some("Hangzhou");
    assert_eq!(order().unwrap(), Order { number: 7, city });
    let (number, city) = (8, None);
    assert_eq!(order().unwrap(), Order { number, city });
    let error = order().unwrap_err();
    assert!(error.to_string().contains("row 2"), "{error}");
}
