//! Descriptions of indexes and tables become schemas.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use arrow_schema::DataType;
use ots_arrow::{
    ARRAY_METADATA, ColumnType, Error, ErrorKind, KEY_POSITION_METADATA, ScanSchema, TYPE_METADATA,
};
use ots_proto::messages::{
    DefinedColumnType, FieldSchema, FieldType, IndexSchema, PrimaryKeySchema, PrimaryKeyType,
};

fn key(name: &str, key_type: PrimaryKeyType) -> PrimaryKeySchema {
    PrimaryKeySchema {
        name: name.into(),
        r#type: key_type.into(),
        option: None,
    }
}

fn field(name: &str, field_type: FieldType) -> FieldSchema {
    FieldSchema {
        field_name: Some(name.into()),
        field_type: Some(field_type.into()),
        ..FieldSchema::default()
    }
}

fn index(fields: impl Into<Vec<FieldSchema>>) -> IndexSchema {
    IndexSchema {
        field_schemas: fields.into(),
        ..IndexSchema::default()
    }
}

fn from_index(index: &IndexSchema, columns: Option<&[&str]>) -> Result<ScanSchema, Error> {
    let keys = [
        key("shop", PrimaryKeyType::String),
        key("id", PrimaryKeyType::Integer),
        key("hash", PrimaryKeyType::Binary),
    ];
    let columns: Option<Vec<String>> =
        columns.map(|names| names.iter().map(|&name| name.into()).collect());
    ScanSchema::from_index(&keys, index, columns.as_deref())
}

fn names(schema: &ScanSchema) -> Vec<String> {
    let schema = schema.arrow_schema();
    schema.fields().iter().map(|it| it.name().clone()).collect()
}

fn refused(result: Result<ScanSchema, Error>) -> (ErrorKind, String) {
    let error = result.unwrap_err();
    (error.kind().clone(), error.to_string())
}

#[test]
fn every_returnable_type_has_its_arrow_type() {
    let cases = [
        (FieldType::Long, "LONG", DataType::Int64),
        (FieldType::Double, "DOUBLE", DataType::Float64),
        (FieldType::Boolean, "BOOLEAN", DataType::Boolean),
        (FieldType::Keyword, "KEYWORD", DataType::Utf8),
        (FieldType::Text, "TEXT", DataType::Utf8),
        (FieldType::FuzzyKeyword, "FUZZY_KEYWORD", DataType::Utf8),
        (FieldType::Ip, "IP", DataType::Utf8),
        (FieldType::GeoPoint, "GEO_POINT", DataType::Utf8),
    ];
    for (field_type, type_name, arrow_type) in cases {
        for (is_array, arrow_type) in [(false, arrow_type), (true, DataType::Utf8)] {
            let mut field = field("value", field_type);
            field.is_array = Some(is_array);
            let index = index([field]);
            for columns in [None, Some(&["value"][..])] {
                let schema = from_index(&index, columns).unwrap().arrow_schema();
                let field = schema.field_with_name("value").unwrap();
                assert_eq!(field.data_type(), &arrow_type, "{type_name} {is_array}");
                assert!(field.is_nullable());
                assert_eq!(field.metadata()[TYPE_METADATA], type_name);
                assert_eq!(field.metadata().contains_key(ARRAY_METADATA), is_array);
            }
        }
    }
}

#[test]
fn fields_a_scan_never_returns_are_left_out_unless_named() {
    let cases = [
        (FieldType::Date, "a DATE field"),
        (FieldType::Nested, "a NESTED field"),
        (FieldType::Vector, "a VECTOR field"),
        (FieldType::Json, "a JSON field"),
        (FieldType::Flattened, "a FLATTENED field"),
    ];
    for (field_type, what) in cases {
        let index = index([field("odd", field_type), field("city", FieldType::Keyword)]);
        let all = from_index(&index, None).unwrap();
        assert_eq!(names(&all), ["shop", "id", "hash", "city"]);
        let (kind, text) = refused(from_index(&index, Some(&["city", "odd"])));
        let column = "odd".to_owned();
        assert_eq!(kind, ErrorKind::NotReturnable { column, what });
        assert_eq!(
            text,
            format!("a scan can't return column \"odd\": it is {what}")
        );
    }
}

#[test]
fn virtual_fields_are_left_out_unless_named() {
    let mut number = field("number", FieldType::Long);
    number.is_virtual_field = Some(true);
    let index = index([number]);
    assert_eq!(
        names(&from_index(&index, None).unwrap()),
        ["shop", "id", "hash"]
    );
    let (_, text) = refused(from_index(&index, Some(&["number"])));
    assert_eq!(
        text,
        "a scan can't return column \"number\": it is a virtual field, which can only be queried"
    );
}

#[test]
fn fields_that_are_not_stored_are_left_out_unless_named() {
    let mut text = field("text", FieldType::Text);
    text.store = Some(false);
    let index = index([text, field("city", FieldType::Keyword)]);
    let all = from_index(&index, None).unwrap();
    assert_eq!(all.attribute_names().collect::<Vec<_>>(), ["city"]);
    let named = from_index(&index, Some(&["text"])).unwrap();
    assert_eq!(named.attribute_names().collect::<Vec<_>>(), ["text"]);
}

#[test]
fn key_columns_come_first_and_once() {
    let index = index([
        field("city", FieldType::Keyword),
        field("id", FieldType::Long),
        field("age", FieldType::Long),
        field("shop", FieldType::Keyword),
    ]);
    let cases: [(Option<&[&str]>, &[&str]); 5] = [
        (None, &["city", "age"]),
        (Some(&[]), &[]),
        (Some(&["age", "city"]), &["age", "city"]),
        (Some(&["id", "age", "shop"]), &["age"]),
        (Some(&["id"]), &[]),
    ];
    for (columns, attributes) in cases {
        let schema = from_index(&index, columns).unwrap();
        assert_eq!(
            names(&schema),
            [&["shop", "id", "hash"], attributes].concat()
        );
        assert_eq!(schema.attribute_names().collect::<Vec<_>>(), attributes);
        assert_eq!(
            schema.key_names().collect::<Vec<_>>(),
            ["shop", "id", "hash"]
        );

        let arrow = schema.arrow_schema();
        let types = [DataType::Utf8, DataType::Int64, DataType::Binary];
        for (position, (field, arrow_type)) in arrow.fields().iter().zip(types).enumerate() {
            assert_eq!(field.data_type(), &arrow_type);
            assert_eq!(
                field.metadata()[KEY_POSITION_METADATA],
                position.to_string()
            );
            assert!(field.is_nullable());
        }
        // The table says what a key column is, whatever the index makes of it.
        assert_eq!(arrow.field(1).metadata()[TYPE_METADATA], "INTEGER");
    }
}

#[test]
fn names_that_cannot_be_right_are_refused() {
    let index = index([
        field("city", FieldType::Keyword),
        field("nested", FieldType::Nested),
    ]);
    let cases: [(&[&str], &str); 3] = [
        (&["town"], "the index has no top-level field \"town\""),
        (
            &["nested.city"],
            "the index has no top-level field \"nested.city\"",
        ),
        (&["city", "city"], "column \"city\" is named twice"),
    ];
    for (columns, message) in cases {
        let (_, text) = refused(from_index(&index, Some(columns)));
        assert_eq!(text, message);
    }
}

#[test]
fn unknown_types_are_refused_where_they_are_needed() {
    let mut new = field("new", FieldType::Long);
    new.field_type = Some(99);
    let index = index([new, field("city", FieldType::Keyword)]);
    let all = from_index(&index, None).unwrap();
    assert_eq!(all.attribute_names().collect::<Vec<_>>(), ["city"]);
    let (_, text) = refused(from_index(&index, Some(&["new"])));
    assert_eq!(
        text,
        "can't derive a schema: column \"new\" has a field type that this version doesn't know"
    );

    let keys = [key("flag", PrimaryKeyType::Boolean)];
    let (_, text) = refused(ScanSchema::from_index(&keys, &index, None));
    assert_eq!(
        text,
        "can't derive a schema: column \"flag\" has a key type that isn't INTEGER, STRING or BINARY"
    );
}

#[test]
fn tables_take_the_types_they_are_told() {
    let keys = [key("id", PrimaryKeyType::Integer)];
    let cases = [
        (DefinedColumnType::Integer, "INTEGER", DataType::Int64),
        (DefinedColumnType::Double, "DOUBLE", DataType::Float64),
        (DefinedColumnType::Boolean, "BOOLEAN", DataType::Boolean),
        (DefinedColumnType::String, "STRING", DataType::Utf8),
        (DefinedColumnType::Blob, "BINARY", DataType::Binary),
    ];
    for (defined, type_name, arrow_type) in cases {
        let columns = [("value", ColumnType::from(defined))];
        let schema = ScanSchema::from_table(&keys, columns)
            .unwrap()
            .arrow_schema();
        assert_eq!(schema.field(1).data_type(), &arrow_type);
        assert_eq!(schema.field(1).metadata()[TYPE_METADATA], type_name);
    }
    let (_, text) = refused(ScanSchema::from_table(&keys, [("id", ColumnType::Integer)]));
    assert_eq!(text, "column \"id\" is named twice");
}
