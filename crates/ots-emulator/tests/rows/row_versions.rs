//! Versions of a cell: how many, how old, whose number.

use super::*;

#[test]
fn three_updates_in_one_millisecond_leave_three_versions() {
    let client = client(3);
    for n in 1..=4 {
        client.update("t", update(1).put("a", n)).unwrap();
    }
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(
        values(&got),
        [("a", 4.into()), ("a", 3.into()), ("a", 2.into())]
    );
    assert_eq!(timestamps(&got), [NOW_MS + 3, NOW_MS + 2, NOW_MS + 1]);
}

#[test]
fn the_last_update_wins_even_with_one_version_and_a_clock_that_stands_still() {
    let client = client(1);
    for n in 1..=5 {
        client.update("t", update(1).put("a", n)).unwrap();
        assert_eq!(client.get("t", &id(1)).unwrap().get("a"), Some(&n.into()));
    }
}

#[test]
fn versions_chosen_by_the_client_are_kept_in_order() {
    let client = client(3);
    let mut put = row(1);
    put.cells = vec![
        at("a", 1, 10),
        at("a", 3, 30),
        at("a", 2, 20),
        at("a", 4, 5),
        at("a", 5, 30),
    ];
    client.put("t", put).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(timestamps(&got), [30, 20, 10]);
    assert_eq!(got.get("a"), Some(&5.into()));

    client
        .update("t", update(1).delete_one_version("a", 20))
        .unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(timestamps(&got), [30, 10]);

    // A deleted version may be written again.
    let mut again = update(1);
    again
        .cells
        .push(ots_proto::CellUpdate::Put(at("a", "new", 20)));
    client.update("t", again).unwrap();
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(
        values(&got),
        [("a", 5.into()), ("a", "new".into()), ("a", 1.into())]
    );
}

#[test]
fn a_lower_number_of_versions_hides_the_older_ones() {
    let client = client(3);
    let mut put = row(1);
    put.cells = vec![at("a", 1, 10), at("a", 2, 20), at("a", 3, 30)];
    client.put("t", put).unwrap();
    let request = ots_proto::messages::UpdateTableRequest {
        table_name: "t".to_owned(),
        table_options: Some(TableOptions {
            max_versions: Some(2),
            ..TableOptions::default()
        }),
        ..Default::default()
    };
    client.call::<UpdateTable>(&request).unwrap();
    assert_eq!(timestamps(&client.get("t", &id(1)).unwrap()), [30, 20]);
}

#[test]
fn timestamps_have_bounds() {
    let client = client(1);
    let put = |timestamp| {
        let mut row = row(1);
        row.cells = vec![at("a", 1, timestamp)];
        client.put("t", row).map(drop)
    };
    let range = "Timestamp must be in range [0, INT64_MAX/1000).";
    assert_eq!(put(i64::MAX / 1000), Err(parameter(range)));
    assert_eq!(put(-1), Err(parameter(range)));
    assert_eq!(put(i64::MAX / 1000 - 1), Ok(()));
    assert_eq!(put(0), Ok(()));
}

#[test]
fn timestamps_must_lie_near_the_clock() {
    let client = Client::new();
    client.create("t", ID);
    let put = |timestamp| {
        let mut row = row(1);
        row.cells = vec![at("a", 1, timestamp)];
        client.put("t", row).map(drop)
    };
    let day = 86_400_000;
    assert_eq!(put(NOW_MS - day), Ok(()));
    assert_eq!(put(NOW_MS + day - 1), Ok(()));
    let refusal = Err(parameter("Invalid timestamp. Cell:a."));
    assert_eq!(put(NOW_MS - day - 1), refusal);
    assert_eq!(put(NOW_MS + day), refusal);
}

#[test]
fn cells_expire() {
    let client = Client::new();
    let options = TableOptions {
        time_to_live: Some(100),
        ..options(5)
    };
    client.create_with("t", ID, options);
    client.put("t", row(1).cell("a", 1)).unwrap();
    client.put("t", row(2)).unwrap();
    client.advance(Duration::from_secs(60));
    client.update("t", update(1).put("b", 2)).unwrap();
    client.advance(Duration::from_secs(60));
    let got = client.get("t", &id(1)).unwrap();
    assert_eq!(values(&got), [("b", 2.into())]);
    client.advance(Duration::from_secs(60));
    assert_eq!(client.get("t", &id(1)), None);
    // Without columns there is nothing that could expire.
    assert_eq!(client.get("t", &id(2)), Some(row(2)));

    let mut put = put_request("t", row(1).cell("a", 2));
    put.condition = expect(RowExistenceExpectation::ExpectNotExist);
    client.call::<PutRow>(&put).unwrap();
    assert_eq!(names(&client.get("t", &id(1)).unwrap()), ["a"]);
}
