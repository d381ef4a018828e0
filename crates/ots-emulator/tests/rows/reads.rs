//! What a read takes of a row, and what it costs.

use super::*;

#[test]
fn reads_choose_columns() {
    let client = client(1);
    client
        .put("t", row(1).cell("a", 1).cell("b", 2).cell("c", 3))
        .unwrap();
    let get = |columns: &[&str]| {
        let mut get = get_request("t", &id(1));
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        let row = client.call::<GetRow>(&get).unwrap().row;
        only_row(&row).map(|row| {
            assert_eq!(row.primary_key, id(1));
            names(&row).join(",")
        })
    };
    assert_eq!(get(&[]).as_deref(), Some("a,b,c"));
    assert_eq!(get(&["c", "a", "c", "missing"]).as_deref(), Some("a,c"));
    // A row with none of the columns is absent, but every row has its key.
    assert_eq!(get(&["missing"]), None);
    assert_eq!(get(&["id"]).as_deref(), Some(""));
    assert_eq!(get(&["id", "b"]).as_deref(), Some("b"));

    let mut get = get_request("t", &id(1));
    get.columns_to_get = vec!["#".to_owned()];
    get.max_versions = None;
    let refusal = client.call::<GetRow>(&get);
    assert_eq!(refusal, Err(parameter("Invalid column name: '#'.")));
}

#[test]
fn reads_choose_a_window_of_columns() {
    let client = client(1);
    let wide = (0..9).fold(row(1), |row, n| row.cell(format!("col{n}"), n));
    client.put("t", wide).unwrap();
    let get = |start: Option<&str>, end: Option<&str>, page: Option<(i32, i32)>| {
        let mut get = get_request("t", &id(1));
        get.start_column = start.map(str::to_owned);
        get.end_column = end.map(str::to_owned);
        get.filter = page.and_then(|(offset, limit)| bytes(&pagination(offset, limit)));
        let row = only_row(&client.call::<GetRow>(&get).unwrap().row).unwrap();
        names(&row).join(",")
    };
    assert_eq!(get(Some("col2"), Some("col5"), None), "col2,col3,col4");
    assert_eq!(get(Some("col3"), None, Some((1, 3))), "col4,col5,col6");
    assert_eq!(get(None, None, Some((8, 3))), "col8");
    assert_eq!(get(None, Some("a"), None), "");
}

#[test]
fn reads_choose_versions() {
    let client = client(5);
    let mut put = row(1);
    put.cells = vec![
        at("a", 1, 10),
        at("a", 2, 20),
        at("a", 3, 30),
        at("b", 1, 10),
    ];
    client.put("t", put).unwrap();
    let get = |time_range: Option<TimeRange>, max_versions, columns: &[&str]| {
        let mut get = get_request("t", &id(1));
        get.time_range = time_range;
        get.max_versions = max_versions;
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        let response = client.call::<GetRow>(&get)?;
        Ok::<_, Refusal>(only_row(&response.row).map(|row| timestamps(&row)))
    };
    let range = |start, end| {
        Some(TimeRange {
            start_time: Some(start),
            end_time: Some(end),
            specific_time: None,
        })
    };
    let specific = |time| {
        Some(TimeRange {
            specific_time: Some(time),
            ..TimeRange::default()
        })
    };
    assert_eq!(get(None, Some(2), &[]), Ok(Some(vec![30, 20, 10])));
    assert_eq!(get(range(10, 30), None, &[]), Ok(Some(vec![20, 10, 10])));
    assert_eq!(get(range(10, 30), Some(1), &[]), Ok(Some(vec![20, 10])));
    assert_eq!(get(specific(20), None, &[]), Ok(Some(vec![20])));
    // No cell is left: the row is there, unless columns were asked for.
    assert_eq!(get(specific(99), None, &[]), Ok(Some(vec![])));
    assert_eq!(get(specific(99), None, &["a"]), Ok(None));

    let text = "No version condition is specified.";
    assert_eq!(get(None, None, &[]), Err(parameter(text)));
    let text = "Specific tiemstamp and max versions cannot be given at the same time.";
    assert_eq!(get(specific(20), Some(1), &[]), Err(parameter(text)));
}

#[test]
fn reads_filter_rows_by_what_they_select() {
    let client = client(1);
    client.put("t", row(1).cell("a", 1).cell("b", 2)).unwrap();
    let get = |columns: &[&str], filter: &ots_proto::messages::Filter| {
        let mut get = get_request("t", &id(1));
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        get.filter = bytes(filter);
        let response = client.call::<GetRow>(&get).unwrap();
        assert_eq!(units(&response.consumed), (1, 0));
        only_row(&response.row).is_some()
    };
    let is = |name: &str, value: i64| column_filter(name, ComparatorType::Equal, value);
    assert!(get(&[], &single(&is("a", 1))));
    assert!(!get(&[], &single(&is("a", 2))));
    // Key columns may be used, selected or not.
    assert!(get(&["a"], &single(&is("id", 1))));
    assert!(!get(&["a"], &single(&is("id", 2))));
    // A column that isn't selected counts as missing.
    assert!(!get(&["a"], &single(&is("b", 2))));
    let mut lenient = is("b", 7);
    lenient.filter_if_missing = false;
    assert!(get(&["a"], &single(&lenient)));
    let both = composite(
        LogicalOperator::And,
        vec![single(&is("a", 1)), single(&is("b", 2))],
    );
    assert!(get(&[], &both));
}

#[test]
fn capacity_units_follow_the_formula() {
    let client = client(1);
    let block = "x".repeat(2048);
    let five = ["a", "b", "c", "d", "e"]
        .iter()
        .fold(row(1), |row, &name| row.cell(name, block.as_str()));
    client.put("t", five).unwrap();
    let get = |columns: &[&str]| {
        let mut get = get_request("t", &id(1));
        get.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        units(&client.call::<GetRow>(&get).unwrap().consumed)
    };
    assert_eq!(get(&[]), (3, 0));
    assert_eq!(get(&["a", "b"]), (2, 0));
    assert_eq!(get(&["a", "missing"]), (1, 0));
    assert_eq!(get(&["missing"]), (1, 0));

    let block = "x".repeat(4096);
    let two = || row(2).cell("a", block.as_str()).cell("b", block.as_str());
    let mut put = put_request("t", two());
    assert_eq!(
        units(&client.call::<PutRow>(&put).unwrap().consumed),
        (0, 3)
    );
    put.condition = expect(RowExistenceExpectation::ExpectExist);
    assert_eq!(
        units(&client.call::<PutRow>(&put).unwrap().consumed),
        (1, 3)
    );
    let mut delete = delete_request("t", id(2));
    delete.condition = expect(RowExistenceExpectation::ExpectExist);
    let response = client.call::<DeleteRow>(&delete).unwrap();
    assert_eq!(units(&response.consumed), (1, 1));
    let response = client.delete("t", id(2)).unwrap();
    assert_eq!(units(&response.consumed), (0, 1));
    let change = update(2).delete_all_versions("a");
    let response = client.update("t", change).unwrap();
    assert_eq!(units(&response.consumed), (0, 1));
}
