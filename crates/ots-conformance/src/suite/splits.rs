//! ComputeSplits and ParallelScan, share by share and by hand.

use bytes::Bytes;
use ots_core::Query;
use ots_core::request::{ComputeSplits, ParallelScan, ParallelScanReply, ScanColumns};
use ots_proto::plainbuffer::{Accept, read_row};

use super::{INDEX, Place, canonical, in_key_order};
use crate::canonical::Row;

/// Every number of shares that the session allows gives every row exactly once.
pub async fn the_shares_of_a_session_are_the_table(place: &Place) {
    let rows = place.load_index().await;
    let expected: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
    let splits = compute_splits(place).await.1;
    for shares in 1..=splits {
        let (session, _) = compute_splits(place).await;
        let mut read = Vec::new();
        for share in 0..shares {
            let pages = pages(place, &scan(place, &session).split(share, shares)).await;
            read.extend(pages.iter().flat_map(rows_of));
        }
        assert_eq!(in_key_order(read), expected, "{shares} shares");
    }
}

/// Only the absence of a token ends a share: every page before the last has one.
pub async fn a_share_ends_with_a_page_without_a_token(place: &Place) {
    place.load_index().await;
    let (session, _) = compute_splits(place).await;
    let pages = pages(place, &scan(place, &session).split(0, 1).limit(40)).await;
    let (last, others) = pages.split_last().unwrap();
    assert_eq!(last.next_token, None);
    assert!(others.len() >= 6, "250 rows by at most 40");
    assert!(others.iter().all(|page| page.rows.len() <= 40));
    assert!(others.iter().all(|page| page.next_token.is_some()));

    // The end can be asked for again: its first answer may have been lost on the way.
    let token = others.last().unwrap().next_token.clone().unwrap();
    let again = scan(place, &session).split(0, 1).limit(40).token(token);
    let again = place.client().send(again).await.unwrap();
    assert_eq!((again.rows.len(), &again.next_token), (0, &None));
}

/// A token is a place, not a step: a request that is sent again gets the same rows.
pub async fn a_page_asked_for_twice_comes_twice(place: &Place) {
    place.load_index().await;
    let (session, _) = compute_splits(place).await;
    let scan = || scan(place, &session).split(0, 1).limit(30);
    let first = place.client().send(scan()).await.unwrap();
    let token = first.next_token.clone().unwrap();
    let second = place.client().send(scan().token(token.clone())).await;
    let second = second.unwrap();
    let again = place.client().send(scan().token(token)).await.unwrap();
    assert!(!second.rows.is_empty());
    assert_eq!(second.rows, again.rows);
    assert!(first.rows.iter().all(|row| !second.rows.contains(row)));
}

/// A scan without a session reads the table as it is.
pub async fn without_a_session_one_share_is_the_table(place: &Place) {
    let rows = place.load_index().await;
    let scan = ParallelScan::new(&place.table("bulk").name, INDEX, Query::MatchAll);
    let pages = pages(place, &scan.columns(ScanColumns::PrimaryKey).limit(90)).await;
    let read = in_key_order(pages.iter().flat_map(rows_of));
    let keys: Vec<Row> = rows
        .iter()
        .map(|row| row.clone().with_columns(&[]))
        .collect();
    assert_eq!(read, keys);
}

async fn compute_splits(place: &Place) -> (Bytes, u32) {
    let request = ComputeSplits::new(&place.table("bulk").name, INDEX);
    let reply = place.client().send(request).await.unwrap();
    let reply = reply.into_inner();
    (reply.session_id, reply.splits_size.get())
}

fn scan(place: &Place, session: &Bytes) -> ParallelScan {
    let table = &place.table("bulk").name;
    ParallelScan::new(table, INDEX, Query::MatchAll).session(session.clone())
}

/// Every page of a share, to the one without a token.
async fn pages(place: &Place, scan: &ParallelScan) -> Vec<ParallelScanReply> {
    let first = place.client().send(scan.clone()).await.unwrap();
    let mut pages = vec![first.into_inner()];
    while let Some(token) = pages.last().and_then(|page| page.next_token.clone()) {
        let next = scan.clone().token(token);
        pages.push(place.client().send(next).await.unwrap().into_inner());
    }
    pages
}

fn rows_of(page: &ParallelScanReply) -> Vec<Row> {
    let rows = page.rows.iter();
    rows.map(|row| canonical(&read_row(row, Accept::Rows).unwrap()))
        .collect()
}
