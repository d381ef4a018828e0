//! ots-scan: everything a query finds, many splits at once.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use ots_core::request::ScanColumns;
use ots_core::{Client, ErrorCode, Query};
use ots_proto::NameCache;
use ots_scan::{Limiter, ScanBuilder, ScanErrorKind, SplitState, parallel_scan};

use super::search::found_by;
use super::{INDEX, Place, canonical, in_key_order, released, scan_rows};
use crate::canonical::Row;
use crate::own_client;

/// The union over the splits is the table, whatever bounds the caller sets.
pub async fn every_row_comes_once_whatever_the_bounds(place: &Place) {
    let expected = indexed(place).await;
    let bulk = || scan(place);
    for (name, scan) in [
        ("defaults", bulk()),
        ("one split", bulk().concurrency(1)),
        ("three splits", bulk().concurrency(3)),
        ("pages of one row", bulk().limit(1)),
        ("pages of seven rows", bulk().limit(7)),
        ("one permit", bulk().limit(20).limiter(Limiter::fixed(1))),
        ("no room", bulk().limit(20).buffered_bytes(0)),
    ] {
        assert_eq!(scan_rows(scan).await, expected, "{name}");
    }
}

/// Pages of a split are numbered without gaps, its last says so, and the progress counts them.
pub async fn pages_of_a_split_come_in_order_and_are_counted(place: &Place) {
    let expected = indexed(place).await;
    let mut scan = scan(place).limit(11).open().await.unwrap();
    let mut seen: BTreeMap<u32, (u64, u64, bool)> = BTreeMap::new();
    let mut read = Vec::new();
    while let Some(page) = scan.try_next().await.unwrap() {
        let (pages, rows, ended) = seen.entry(page.split.id()).or_default();
        assert_eq!(page.split.of(), scan.max_parallel());
        assert_eq!((page.index, *ended), (*pages, false), "{}", page.split);
        assert!(page.rows.len() <= 11);
        *pages += 1;
        *rows += u64::try_from(page.rows.len()).unwrap();
        *ended = page.is_last;
        read.extend(page.rows().unwrap().iter().map(canonical));
    }
    assert_eq!(in_key_order(read), expected);

    let progress = scan.progress();
    assert!(progress.is_done());
    assert_eq!(progress.rows(), 250);
    for split in &progress.splits {
        let (pages, rows, ended) = seen[&split.split.id()];
        assert_eq!((split.pages, split.rows), (pages, rows), "{}", split.split);
        assert!(ended && split.state == SplitState::Done);
    }
}

/// Rows lent from a page are those that the stream of rows gives, and can be kept.
pub async fn lent_rows_are_the_owned_ones(place: &Place) {
    let expected = indexed(place).await;
    let mut scan = scan(place).limit(30).open().await.unwrap();
    let mut names = NameCache::default();
    let mut lent = Vec::new();
    while let Some(page) = scan.try_next().await.unwrap() {
        let mut reader = page.reader();
        while let Some(row) = reader.next_row().unwrap() {
            lent.push(canonical(&row.to_row(&mut names)));
        }
    }
    assert_eq!(in_key_order(lent), expected);
}

/// Every query of the client's finds the same by scan as by search.
pub async fn a_scan_finds_what_a_search_finds(place: &Place) {
    let rows = place.load_index().await;
    for (name, query) in own_client::queries() {
        let scan = scan(place).query(query).column_names(["n"]).limit(9);
        assert_eq!(
            scan_rows(scan).await,
            found_by(rows, name, &["n"]),
            "{name}"
        );
    }
}

/// Keys alone, and all of them.
pub async fn a_scan_of_keys_has_no_cells(place: &Place) {
    let rows = place.load_index().await;
    let keys: Vec<Row> = rows
        .iter()
        .map(|row| row.clone().with_columns(&[]))
        .collect();
    let scan = scan(place).columns(ScanColumns::PrimaryKey).limit(40);
    assert_eq!(scan_rows(scan).await, keys);
}

/// Columns by name, of rows that have them and rows that don't.
pub async fn a_scan_returns_the_columns_it_asks_for(place: &Place) {
    let rows = place.load_index().await;
    let expected: Vec<Row> = rows
        .iter()
        .map(|row| row.clone().with_columns(&["opt", "d"]))
        .collect();
    let scan = scan(place).column_names(["opt", "d"]).limit(40);
    assert_eq!(scan_rows(scan).await, expected);
}

/// Two scans at once under one bound are both complete.
pub async fn two_scans_share_permits(place: &Place) {
    let rows = place.load_index().await;
    let expected: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
    let limiter = Limiter::fixed(1);
    let all = scan_rows(scan(place).limit(13).limiter(limiter.clone()));
    let some = Query::range("n").lt(100).into();
    let some = scan_rows(scan(place).query(some).limit(7).limiter(limiter.clone()));
    let (all, some) = futures::future::join(all, some).await;
    assert_eq!(all, expected);
    assert_eq!(some, expected[..100]);
    released(&limiter).await;
}

/// A scan of nothing is refused before a page is asked for, and says why.
pub async fn an_absent_index_cannot_be_opened(place: &Place) {
    place.load("bulk").await;
    let table = &place.table("bulk").name;
    let scan = parallel_scan(place.client().clone(), table, "nowhere");
    let error = scan.open().await.unwrap_err();
    assert_eq!(error.kind(), &ScanErrorKind::Open);
    let code = error.as_call().and_then(ots_core::Error::code);
    assert_eq!(code, Some(&ErrorCode::MetaNotMatch));
}

/// The service refuses the column, the scan ends, and nothing was given.
pub async fn a_column_that_is_not_in_the_index_fails_the_scan(place: &Place) {
    place.load_index().await;
    let scan = scan(place).column_names(["blob"]);
    let mut scan = scan.open().await.unwrap();
    let error = scan.try_next().await.unwrap_err();
    assert!(
        matches!(error.kind(), ScanErrorKind::Call { page: 0, .. }),
        "{error:?}"
    );
    let code = error.as_call().and_then(ots_core::Error::code);
    assert_eq!(code, Some(&ErrorCode::ParameterInvalid));
    assert_eq!(error.progress().unwrap().rows(), 0);
    assert!(scan.try_next().await.unwrap().is_none(), "it has ended");
}

/// A scan given up in the middle takes nothing with it.
pub async fn a_dropped_scan_leaves_the_client_usable(place: &Place) {
    let expected = indexed(place).await;
    let limiter = Limiter::fixed(2);
    for _ in 0..3 {
        let scan = scan(place).limit(5).limiter(limiter.clone());
        let mut scan = scan.open().await.unwrap();
        let _ = scan.try_next().await.unwrap().unwrap();
    }
    let scan = scan(place).limit(50).limiter(limiter.clone());
    assert_eq!(scan_rows(scan).await, expected);
    released(&limiter).await;
}

fn scan(place: &Place) -> ScanBuilder<Client> {
    parallel_scan(place.client().clone(), &place.table("bulk").name, INDEX)
}

/// Loads the index, and gives the rows as a scan of all its columns does.
async fn indexed(place: &Place) -> Vec<Row> {
    let rows = place.load_index().await;
    rows.iter().map(|row| place.indexed(row)).collect()
}
