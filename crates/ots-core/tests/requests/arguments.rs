//! What is refused before it is sent.

use super::*;

fn refused<R: Request>(request: R) -> String
where
    <R::Operation as Operation>::Request: Debug,
{
    let error = request.into_message().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Request(_)), "{error:?}");
    assert!(!error.is_retryable());
    error.to_string()
}

#[test]
fn wrong_arguments_are_named_with_their_table() {
    let range = || GetRange::new("t", gid(1), gid(5));
    let scan = || ParallelScan::new("t", "i", Query::MatchAll);
    let search = || Search::new("t", "i", Query::MatchAll);
    let reads = TableRead::new("t", [gid(1)]).max_versions(0);
    let between = "must be between 1 and 2147483647, got";
    let cases = [
        (refused(range().limit(0)), format!("GetRange on table \"t\": limit {between} 0")),
        (
            refused(range().max_versions(3_000_000_000)),
            format!("GetRange on table \"t\": max_versions {between} 3000000000"),
        ),
        (
            refused(GetRow::new("t", gid(1)).max_versions(0)),
            format!("GetRow on table \"t\": max_versions {between} 0"),
        ),
        (
            refused(BatchGetRow::new().table(reads)),
            format!("BatchGetRow on table \"t\": max_versions {between} 0"),
        ),
        (refused(scan().limit(0)), format!("ParallelScan on table \"t\": limit {between} 0")),
        (
            refused(scan().alive_time(Duration::ZERO)),
            format!("ParallelScan on table \"t\": alive_time {between} 0"),
        ),
        (
            refused(scan().split(2, 2)),
            "ParallelScan on table \"t\": split 2 doesn't exist, there are 2, counted from 0"
                .to_owned(),
        ),
        (
            refused(scan().split(0, 0)),
            "ParallelScan on table \"t\": split 0 doesn't exist, there are 0, counted from 0"
                .to_owned(),
        ),
        (
            refused(search().limit(u32::MAX)),
            "Search on table \"t\": limit must be at most 2147483647".to_owned(),
        ),
        (
            refused(search().offset(1 << 31)),
            "Search on table \"t\": offset must be at most 2147483647".to_owned(),
        ),
        (
            refused(GetRange::new("t", gid(1), PrimaryKey::max(["city", "gid"]))),
            "GetRange on table \"t\": start and end must have the same columns, got (gid) and (city, \
             gid)"
                .to_owned(),
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(text, wanted);
    }
}

#[test]
fn a_range_runs_from_its_start_to_its_end() {
    let wrong_way = |direction, start: i64, end: i64| {
        refused(GetRange::new("t", gid(start), gid(end)).direction(direction))
    };
    for (start, end) in [(5, 1), (5, 5)] {
        let text = wrong_way(Direction::Forward, start, end);
        assert!(
            text.starts_with("GetRange on table \"t\": the start "),
            "{text}"
        );
        assert!(text.contains("must come before the end"), "{text}");
    }
    for (start, end) in [(1, 5), (5, 5)] {
        let text = wrong_way(Direction::Backward, start, end);
        assert!(text.contains("must come after the end"), "{text}");
    }
    encoded(GetRange::new("t", gid(5), gid(1)).direction(Direction::Backward));
}

#[test]
fn the_longest_alive_time_is_refused_not_wrapped() {
    let scan = ParallelScan::new("t", "i", Query::MatchAll).alive_time(Duration::MAX);
    let error = scan.into_message().unwrap_err().to_string();
    assert!(
        error.contains("alive_time must be between 1 and"),
        "{error}"
    );
}
