//! What is refused: keys, columns and shapes out of bounds.

use super::*;

#[test]
fn keys_are_checked_by_count_then_name_then_type() {
    let client = Client::new();
    let schema = [
        ("PK1", PrimaryKeyType::String),
        ("PK2", PrimaryKeyType::Integer),
    ];
    client.create("t", &schema);
    let key = |columns: &[(&str, PrimaryKeyValue)]| columns.iter().cloned().collect::<PrimaryKey>();
    let (text, number) = (|| PrimaryKeyValue::from("a"), || PrimaryKeyValue::from(1));
    for (key, message) in [
        (
            key(&[("PK1", text())]),
            "Validate PK size fail. Input: 1, Meta: 2.",
        ),
        (
            key(&[("PK2", number()), ("PK1", text())]),
            "Validate PK name fail. Input: PK2, Meta: PK1.",
        ),
        (
            key(&[("PK1", number()), ("PK2", number())]),
            "Validate PK type fail. Input: VT_INTEGER, Meta: VT_STRING.",
        ),
        (
            key(&[("PK1", text()), ("PK2", vec_value())]),
            "Validate PK type fail. Input: VT_BLOB, Meta: VT_INTEGER.",
        ),
    ] {
        let refusal = invalid_pk(message);
        assert_eq!(client.put("t", Row::new(key.clone())), Err(refusal));
        let refusal = Err(invalid_pk(message));
        assert_eq!(client.delete("t", key.clone()), refusal);
        let get = get_request("t", &key);
        assert_eq!(client.call::<GetRow>(&get), Err(invalid_pk(message)));
    }
}

fn vec_value() -> PrimaryKeyValue {
    PrimaryKeyValue::from(bytes::Bytes::from_static(b"a"))
}

#[test]
fn key_values_have_bounds() {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::String)]);
    client.put("t", Row::new(id(""))).unwrap();
    client.put("t", Row::new(id("a".repeat(1024)))).unwrap();
    let text = "The length of primary key column: 'id' exceeds the MaxLength:1024 with CurrentLength:1025.";
    let long = client.put("t", Row::new(id("a".repeat(1025))));
    assert_eq!(long, Err(parameter(text)));
    for (value, text) in [
        (
            PrimaryKeyValue::InfMin,
            "VT_INF_MIN is an invalid type for the primary key.",
        ),
        (
            PrimaryKeyValue::InfMax,
            "VT_INF_MAX is an invalid type for the primary key.",
        ),
    ] {
        let refusal = client.put("t", Row::new(id(value.clone())));
        assert_eq!(refusal, Err(parameter(text)));
        let get = get_request("t", &id(value));
        assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));
    }
    let five: PrimaryKey = (0..5).map(|n| (format!("k{n}"), n)).collect();
    let text = "The number of primary key columns must be in range: [1, 4].";
    assert_eq!(client.put("t", Row::new(five)), Err(parameter(text)));
}

#[test]
fn columns_have_bounds() {
    let client = client(1);
    let refused = |row: Row| client.put("t", row).unwrap_err();

    let wide = |count| (0..count).fold(row(1), |row, n| row.cell(format!("c{n}"), n));
    let text =
        "The number of attribute columns exceeds the limit, limit count: 1024, column count: 1025.";
    assert_eq!(refused(wide(1025)), parameter(text));
    client.put("t", wide(1024)).unwrap();
    // The row as a whole has no bound.
    client.update("t", update(1).put("more", 1)).unwrap();
    assert_eq!(client.get("t", &id(1)).unwrap().cells.len(), 1025);

    let text = "The length of attribute column: 'a' exceeds the MaxLength:2097152 with CurrentLength:2097153.";
    let long = "x".repeat((2 << 20) + 1);
    assert_eq!(refused(row(1).cell("a", long.as_str())), parameter(text));
    client.put("t", row(1).cell("a", &long[1..])).unwrap();
    let mut get = get_request("t", &id(1));
    get.filter = bytes(&single(&column_filter("a", ComparatorType::Equal, long)));
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));

    let text = "NaN can't be set to double value.";
    assert_eq!(refused(row(1).cell("a", f64::NAN)), parameter(text));
    let text = "Infinity can't be set to double value.";
    assert_eq!(
        refused(row(1).cell("a", f64::NEG_INFINITY)),
        parameter(text)
    );
    let text = "Invalid column name: '#a'.";
    assert_eq!(refused(row(1).cell("#a", 1)), parameter(text));
    let text = "invalid name of column: empty name.";
    assert_eq!(refused(row(1).cell("", 1)), parameter(text));
    let text = "Duplicated attribute column name with primary key column: id.";
    assert_eq!(refused(row(1).cell("id", 1)), parameter(text));

    let large = "x".repeat(2 << 20);
    let put = row(1).cell("a", large.as_str()).cell("b", large.as_str());
    let text = "The total data size of PutRow request exceeds the limit, limit size: 4194304, data size: 4194316.";
    assert_eq!(refused(put), parameter(text));
}

#[test]
fn shapes_must_fit_their_operation() {
    let client = client(1);
    let text = "Attribute column is missing.";
    assert_eq!(client.update("t", update(1)), Err(parameter(text)));

    let mut delete = delete_request("t", id(1));
    delete.primary_key = write_primary_key(&id(1));
    let text = "Invalid request of delete row: missing RowDeleteMarker in request.";
    assert_eq!(client.call::<DeleteRow>(&delete), Err(parameter(text)));

    let mut put = put_request("t", row(1));
    put.row = delete_request("t", id(1)).primary_key;
    let text = "Delete marker cannot be given.";
    assert_eq!(client.call::<PutRow>(&put), Err(parameter(text)));

    let mut get = get_request("t", &id(1));
    get.primary_key = put_request("t", row(1).cell("a", 1)).row;
    let text = "Attribute column cannot be given while reading data.";
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));

    get.primary_key = bytes::Bytes::new();
    let text = "Cell data broken, mismatch header";
    assert_eq!(client.call::<GetRow>(&get), Err(parameter(text)));
}

#[test]
fn transactions_are_refused() {
    let client = client(1);
    let mut put = put_request("t", row(1));
    put.transaction_id = Some("id".to_owned());
    let text = "The emulator does not implement local transactions.";
    assert_eq!(client.call::<PutRow>(&put), Err(parameter(text)));
}
