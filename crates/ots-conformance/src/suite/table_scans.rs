//! ots-scan without an index: a table in ranges of keys, side by side.

use futures::TryStreamExt as _;
use ots_core::filter::Filter;
use ots_core::{Client, ErrorCode, PrimaryKey};
use ots_scan::{Limiter, TableCheckpoint, TableScanBuilder, TableScanErrorKind, table_scan};

use super::{Place, canonical, in_key_order};
use crate::canonical::Row;

/// The union over the ranges is the table, whatever bounds the caller sets.
pub async fn every_row_of_a_table_comes_once_whatever_the_bounds(place: &Place) {
    let expected = place.load("bulk").await;
    let bulk = || scan(place);
    for (name, scan) in [
        ("defaults", bulk()),
        ("one range at a time", bulk().concurrency(1)),
        ("pages of seven rows", bulk().limit(7)),
        ("one permit", bulk().limit(20).limiter(Limiter::fixed(1))),
        ("no room", bulk().limit(20).buffered_bytes(0)),
    ] {
        assert_eq!(rows_of(scan).await, expected, "{name}");
    }
}

/// Bounds, columns and a filter are the service's work, and leave what they say.
pub async fn bounds_columns_and_a_filter_go_to_the_table(place: &Place) {
    let rows = place.load("bulk").await;
    let key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
    let within = || scan(place).start(key("g1", 10)).end(key("g3", 5)).limit(9);
    assert_eq!(rows_of(within()).await, rows[60..155]);

    // Leading columns are enough.
    let group = |g: &str| PrimaryKey::new().column("g", g);
    let groups = scan(place).start(group("g1")).end(group("g3"));
    assert_eq!(rows_of(groups).await, rows[50..150]);

    let chosen: Vec<Row> = rows[60..155]
        .iter()
        .map(|row| row.clone().with_columns(&["n"]))
        .collect();
    assert_eq!(rows_of(within().columns(["n"])).await, chosen);

    let none = within().filter(Filter::column("n").lt(0));
    assert_eq!(rows_of(none).await, []);
}

/// From the bytes that were kept behind any page, the rest comes, and nothing of what was before. The
/// scan itself is read to its end, so that what was asked for is no matter of time.
pub async fn a_table_scan_goes_on_from_its_bytes(place: &Place) {
    let expected = place.load("bulk").await;
    let scan = scan(place).limit(40);
    let mut whole = scan.open().await.unwrap();
    let mut read = Vec::new();
    let mut kept = Vec::new();
    while let Some(page) = whole.try_next().await.unwrap() {
        read.extend(page.rows().unwrap().iter().map(canonical));
        kept.push((read.len(), whole.checkpoint().to_bytes()));
    }
    assert!(kept.len() >= 7, "250 rows by at most 40");
    for (rows, bytes) in kept {
        let checkpoint = TableCheckpoint::from_bytes(&bytes).unwrap();
        let rest = scan.resume(&checkpoint).unwrap().rows();
        let rest: Vec<_> = rest.try_collect().await.unwrap();
        let before = read[..rows].iter().cloned();
        let all = before.chain(rest.iter().map(canonical));
        assert_eq!(in_key_order(all), expected, "after {rows} rows");
    }

    let other = scan.columns(["n"]).resume(&whole.checkpoint());
    let error = other.unwrap_err();
    assert_eq!(*error.kind(), TableScanErrorKind::CheckpointOfOtherScan);
}

/// It is refused before a row is asked for, and says why.
pub async fn a_table_that_is_not_there_cannot_be_scanned(place: &Place) {
    let scan = table_scan(place.client().clone(), place.name("nowhere"));
    let error = scan.open().await.unwrap_err();
    assert_eq!(*error.kind(), TableScanErrorKind::Open);
    assert_eq!(error.code(), Some(&ErrorCode::ObjectNotExist));
}

fn scan(place: &Place) -> TableScanBuilder<Client> {
    table_scan(place.client().clone(), &place.table("bulk").name)
}

async fn rows_of(scan: TableScanBuilder<Client>) -> Vec<Row> {
    let rows = scan.open().await.unwrap().rows();
    let rows: Vec<_> = rows.try_collect().await.unwrap();
    in_key_order(rows.iter().map(canonical))
}
