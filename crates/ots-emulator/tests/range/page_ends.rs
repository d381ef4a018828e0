//! Where a page ends, and what it has.

use super::*;

#[test]
fn a_page_ends_with_its_limit() {
    let client = filled(Client::new(), 10);
    let limited = |limit| {
        let mut request = range_request("t", &id(2), &id(8));
        request.limit = Some(limit);
        page(&client, &request)
    };
    assert_eq!(limited(4), (vec![2, 3, 4, 5], Some(id(6))));
    // Reached at the last row: nothing is left.
    assert_eq!(limited(6), (vec![2, 3, 4, 5, 6, 7], None));
    assert_eq!(limited(7).1, None);
}

#[test]
fn a_page_ends_with_5000_rows() {
    let client = filled(Client::new(), 5001);
    let (ids, next) = page(&client, &range_request("t", &min(), &max()));
    assert_eq!((ids.len(), next), (5000, Some(id(5000))));
    let (ids, next) = page(&client, &range_request("t", &min(), &id(5000)));
    assert_eq!((ids.len(), next), (5000, None));
}

#[test]
fn a_page_ends_with_4_megabytes_but_has_a_row() {
    let client = Client::new();
    client.create("t", ID);
    for n in 0..5 {
        let row = Row::new(id(n)).cell("a", "x".repeat(1 << 20));
        client.put("t", row).unwrap();
    }
    for n in 5..7 {
        // Two updates make a row larger than a page.
        client
            .put("t", Row::new(id(n)).cell("a", "x".repeat(2 << 20)))
            .unwrap();
        for name in ["b", "c"] {
            let update = ots_proto::RowUpdate::new(id(n)).put(name, "x".repeat(2 << 20));
            client.update("t", update).unwrap();
        }
    }
    let pages = pages(&client, range_request("t", &min(), &max()));
    assert_eq!(pages, [vec![0, 1, 2], vec![3, 4], vec![5], vec![6]]);
}

#[test]
fn caps_count_rows_that_the_filter_rejects() {
    let mut settings = Settings::default();
    settings.range_page_rows = 10;
    let client = filled(Client::with(Emulator::builder().settings(settings)), 25);
    let mut request = range_request("t", &min(), &max());
    let nothing = column_filter("a", ComparatorType::LessThan, 0);
    request.filter = bytes(&single(&nothing));
    // Empty pages that go on are ordinary pages.
    assert_eq!(page(&client, &request), (vec![], Some(id(10))));
    assert_eq!(pages(&client, request.clone()), [[0; 0], [], []]);

    let odd = column_filter("parity", ComparatorType::Equal, 1);
    request.filter = bytes(&single(&odd));
    request.limit = Some(4);
    assert_eq!(page(&client, &request), (vec![1, 3, 5, 7], Some(id(8))));
}

#[test]
fn limit_may_count_rows_that_the_filter_rejects() {
    let mut settings = Settings::default();
    settings.limit_counts = LimitCounts::Scanned;
    let client = filled(Client::with(Emulator::builder().settings(settings)), 25);
    let mut request = range_request("t", &min(), &max());
    let odd = column_filter("parity", ComparatorType::Equal, 1);
    request.filter = bytes(&single(&odd));
    request.limit = Some(4);
    assert_eq!(page(&client, &request), (vec![1, 3], Some(id(4))));
}

#[test]
fn rows_without_the_columns_are_left_out() {
    let client = filled(Client::new(), 4);
    client.put("t", Row::new(id(2)).cell("other", 1)).unwrap();
    let mut request = range_request("t", &min(), &max());
    request.columns_to_get = vec!["a".to_owned()];
    assert_eq!(page(&client, &request).0, [0, 1, 3]);
    request.limit = Some(3);
    assert_eq!(page(&client, &request), (vec![0, 1, 3], None));
    request.columns_to_get = vec!["missing".to_owned()];
    let response = client.call::<GetRange>(&request).unwrap();
    assert!(response.rows.is_empty());
    assert_eq!(units(&response.consumed), (1, 0));
}

#[test]
fn keys_may_be_left_out_or_named() {
    let client = Client::new();
    let key = [
        ("p", PrimaryKeyType::Integer),
        ("q", PrimaryKeyType::Integer),
    ];
    client.create("t", &key);
    let key =
        |p: PrimaryKeyValue, q: PrimaryKeyValue| PrimaryKey::new().column("p", p).column("q", q);
    client
        .put("t", Row::new(key(1.into(), 2.into())).cell("a", 3))
        .unwrap();
    let inf = |value: PrimaryKeyValue| key(value.clone(), value);
    let mut request = range_request(
        "t",
        &inf(PrimaryKeyValue::InfMin),
        &inf(PrimaryKeyValue::InfMax),
    );
    request.return_entire_primary_keys = Some(false);
    let mut read = |columns: &[&str]| {
        request.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        only_row(&client.call::<GetRange>(&request).unwrap().rows).unwrap()
    };
    let row = read(&["q", "a"]);
    assert_eq!(row.primary_key, PrimaryKey::new().column("q", 2));
    assert_eq!(names(&row), ["a"]);
    assert!(read(&["a"]).primary_key.is_empty());
    assert_eq!(read(&[]).primary_key.len(), 2);
}

#[test]
fn a_hint_for_the_matrix_is_followed_where_a_matrix_can_hold_the_answer() {
    let client = Client::new();
    client.create_with("t", ID, options(2));
    for n in [1, 2] {
        client
            .update("t", RowUpdate::new(id(1)).put("a", n))
            .unwrap();
        client.advance(Duration::from_millis(1));
    }
    let mut request = range_request("t", &min(), &max());
    request.data_block_type_hint = Some(DataBlockType::SimpleRowMatrix as i32);
    let block = |request: &GetRangeRequest| {
        let response = client.call::<GetRange>(request).unwrap();
        (response.data_block_type, response.rows)
    };
    // All columns: their names aren't known before the last row.
    let (block_type, buffer) = block(&request);
    assert_eq!(block_type, None);
    assert_eq!(rows(&buffer).len(), 1);

    request.columns_to_get = vec!["a".to_owned()];
    let (block_type, buffer) = block(&request);
    assert_eq!(block_type, Some(DataBlockType::SimpleRowMatrix as i32));
    let matrix = Matrix::parse(&buffer).unwrap();
    // The whole key, named or not: unlike BulkExport.
    assert_eq!(matrix.names(), ["id", "a"]);
    assert_eq!(matrix.to_rows().unwrap(), [Row::new(id(1)).cell("a", 2)]);

    request.return_entire_primary_keys = Some(false);
    let (_, buffer) = block(&request);
    assert_eq!(Matrix::parse(&buffer).unwrap().names(), ["a"]);

    // Two versions of a column don't fit.
    request.max_versions = Some(2);
    let (block_type, buffer) = block(&request);
    assert_eq!(block_type, None);
    assert_eq!(rows(&buffer)[0].cells.len(), 2);
}

#[test]
fn capacity_units_are_rounded_once_for_a_page() {
    let client = Client::new();
    client.create("t", ID);
    let block = "x".repeat(4096);
    let read = |columns: &[&str]| {
        let mut request = range_request("t", &min(), &max());
        request.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        units(&client.call::<GetRange>(&request).unwrap().consumed)
    };
    assert_eq!(read(&[]), (1, 0));
    for (n, expected) in [(0, 4), (1, 7)] {
        let row = ["a", "b", "c"]
            .iter()
            .fold(Row::new(id(n)), |row, &name| row.cell(name, block.as_str()));
        client.put("t", row).unwrap();
        assert_eq!(read(&[]), (expected, 0));
    }
    assert_eq!(read(&["a", "b"]), (5, 0));
    assert_eq!(read(&["a", "missing"]), (3, 0));
    assert_eq!(read(&["missing"]), (1, 0));
}
