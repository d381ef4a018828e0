//! Where a range starts and ends, and what is refused.

use super::*;

#[test]
fn start_is_in_and_end_is_out_both_ways() {
    let client = filled(Client::new(), 10);
    let range =
        |start: PrimaryKey, end: PrimaryKey| page(&client, &range_request("t", &start, &end)).0;
    assert_eq!(range(id(3), id(6)), [3, 4, 5]);
    assert_eq!(range(id(6), id(3)), [6, 5, 4]);
    assert_eq!(range(min(), id(2)), [0, 1]);
    assert_eq!(range(max(), id(7)), [9, 8]);
    assert_eq!(range(id(100), max()), [0; 0]);
    assert_eq!(range(min(), max()).len(), 10);
}

#[test]
fn expired_rows_do_not_use_up_the_limit() {
    for limit_counts in [LimitCounts::Returned, LimitCounts::Scanned] {
        let mut settings = Settings::default();
        settings.limit_counts = limit_counts;
        let client = Client::with(Emulator::builder().settings(settings));
        let day = TableOptions {
            time_to_live: Some(86_400),
            max_versions: Some(1),
            ..TableOptions::default()
        };
        client.create_with("t", ID, day);
        // Live rows lie between two blocks of expired ones.
        let rows = |ids: Range<i64>| ids.map(|n| Row::new(id(n)).cell("a", n)).collect();
        load(&client, rows(0..20));
        load(&client, rows(40..60));
        client.advance(Duration::from_hours(24));
        load(&client, rows(20..40));

        let request = |start: PrimaryKey, end: PrimaryKey| GetRangeRequest {
            limit: Some(10),
            ..range_request("t", &start, &end)
        };
        let up = pages(&client, request(min(), max()));
        let down = pages(&client, request(max(), min()));
        assert_eq!(up.concat(), (20..40).collect::<Vec<_>>());
        assert_eq!(down.concat(), (20..40).rev().collect::<Vec<_>>());
        if limit_counts == LimitCounts::Returned {
            assert_eq!(up[0], (20..30).collect::<Vec<_>>());
            assert_eq!(down[0], (30..40).rev().collect::<Vec<_>>());
        } else {
            assert_eq!([up.len(), down.len()], [6, 6]);
        }
    }
}

#[test]
fn infinities_may_stand_before_values() {
    let client = Client::new();
    let key = [
        ("s", PrimaryKeyType::String),
        ("id", PrimaryKeyType::Integer),
    ];
    client.create("t", &key);
    let key = |s: &str, id: PrimaryKeyValue| PrimaryKey::new().column("s", s).column("id", id);
    for s in ["a", "ab", "b", "c"] {
        client.put("t", Row::new(key(s, 1.into()))).unwrap();
    }
    let start = key("a", PrimaryKeyValue::InfMax);
    let end = key("b", PrimaryKeyValue::InfMin);
    let response = client
        .call::<GetRange>(&range_request("t", &start, &end))
        .unwrap();
    let found: Vec<_> = rows(&response.rows)
        .into_iter()
        .map(|row| row.primary_key)
        .collect();
    assert_eq!(found, [key("ab", 1.into())]);
}

#[test]
fn bounds_must_be_in_order() {
    let client = filled(Client::new(), 1);
    let forward = "Begin key must less than end key in FORWARD";
    let backward = "Begin key must more than end key in BACKWARD";
    for (start, end, direction, text) in [
        (id(2), id(1), Direction::Forward, forward),
        (id(1), id(1), Direction::Forward, forward),
        (max(), min(), Direction::Forward, forward),
        (id(1), id(2), Direction::Backward, backward),
        (min(), min(), Direction::Backward, backward),
    ] {
        let mut request = range_request("t", &start, &end);
        request.direction = direction as i32;
        assert_eq!(client.call::<GetRange>(&request), Err(parameter(text)));
    }
}

#[test]
fn refusals_come_in_order() {
    let client = filled(Client::new(), 1);
    // Everything is wrong; one thing after another is mended.
    let mut request = GetRangeRequest {
        limit: Some(0),
        columns_to_get: vec!["#".to_owned()],
        max_versions: None,
        ..range_request("#", &id("b"), &id("a"))
    };
    request.direction = Direction::Forward as i32;
    let mut refused = |change: fn(&mut GetRangeRequest)| {
        change(&mut request);
        client.call::<GetRange>(&request).unwrap_err()
    };
    assert_eq!(refused(|_| {}), parameter("Invalid table name: '#'."));
    let text = "Invalid column name: '#'.";
    assert_eq!(refused(|r| r.table_name = "t".to_owned()), parameter(text));
    let text = "No version condition is specified.";
    assert_eq!(refused(|r| r.columns_to_get.clear()), parameter(text));
    let text = "The limit must be greater than 0.";
    assert_eq!(refused(|r| r.max_versions = Some(1)), parameter(text));
    let text = "Validate PK type fail. Input: VT_STRING, Meta: VT_INTEGER.";
    assert_eq!(refused(|r| r.limit = None), invalid_pk(text));
}
