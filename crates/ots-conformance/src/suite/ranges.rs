//! GetRange, page by page and by hand.

use ots_core::request::{Direction, GetRange, GetRangeReply};
use ots_core::{ErrorCode, ErrorKind, PrimaryKey};
use ots_proto::NameCache;
use ots_proto::plainbuffer::{Accept, Reader};

use super::{Place, bounds, canonical, key, read_range};
use crate::canonical::Row;

/// The start is read and the end is not, both ways.
pub async fn a_range_begins_at_its_start_and_ends_before_its_end(place: &Place) {
    let rows = place.load("bulk").await;
    let table = &place.table("bulk").name;
    let key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
    let (low, high) = (key("g1", 10), key("g3", 5));

    let forward = GetRange::new(table, low.clone(), high.clone());
    assert_eq!(read_range(place.client(), forward).await, rows[60..155]);

    let backward = GetRange::new(table, high, low).direction(Direction::Backward);
    let mut read = read_range(place.client(), backward).await;
    read.reverse();
    assert_eq!(read, rows[61..156]);
}

/// Following the next key alone gives every row once, in pages of any size, both ways.
pub async fn only_the_absence_of_a_next_key_ends_a_range(place: &Place) {
    let rows = place.load("bulk").await;
    let table = place.table("bulk");
    for (direction, limit) in [
        (Direction::Forward, 1),
        (Direction::Forward, 60),
        (Direction::Backward, 49),
        (Direction::Backward, 250),
    ] {
        let (low, high) = bounds(table);
        let (mut start, end) = match direction {
            Direction::Forward => (low, high),
            Direction::Backward => (high, low),
        };
        let mut read = Vec::new();
        loop {
            let request = GetRange::new(&table.name, start, end.clone())
                .direction(direction)
                .limit(limit);
            let reply = place.client().send(request).await.unwrap();
            let page = rows_of(&reply);
            assert!(page.len() <= usize::try_from(limit).unwrap());
            assert!(reply.consumed.read >= 1, "a page is never free");
            read.extend(page);
            match reply.into_inner().next_start {
                Some(next) => start = next,
                None => break,
            }
        }
        if direction == Direction::Backward {
            read.reverse();
        }
        assert_eq!(read, rows, "{direction:?} by {limit}");
    }
}

/// Rows that have none of the columns aren't returned, the others with these columns only.
pub async fn a_range_of_chosen_columns_leaves_out_rows_without_them(place: &Place) {
    let rows = place.load("bulk").await;
    let (low, high) = bounds(place.table("bulk"));
    let range = GetRange::new(&place.table("bulk").name, low, high);
    for names in [&["opt"][..], &["d", "opt"]] {
        let expected: Vec<Row> = rows
            .iter()
            .map(|row| row.clone().with_columns(names))
            .filter(|row| !row.columns.is_empty())
            .collect();
        let range = range.clone().columns(names.iter().copied()).limit(11);
        assert_eq!(read_range(place.client(), range).await, expected);
    }
}

/// A range with its bounds the wrong way round or of different keys is refused without asking.
pub async fn a_range_that_cannot_be_is_not_sent(place: &Place) {
    let other = PrimaryKey::new().column("other", 9);
    for range in [
        GetRange::new("nowhere", key(2), key(1)),
        GetRange::new("nowhere", key(1), key(1)),
        GetRange::new("nowhere", key(1), key(2)).direction(Direction::Backward),
        GetRange::new("nowhere", key(1), other),
        GetRange::new("nowhere", key(1), key(2)).limit(0),
    ] {
        let error = place.client().send(range).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Request(_)), "{error}");
        assert_eq!(error.attempts(), 0);
    }
}

/// The error of an absent table says which, in the pagers too.
pub async fn an_absent_table_is_named_by_the_error(place: &Place) {
    use ots_paging::RangeExt as _;

    let table = place.name("nowhere");
    let range = || GetRange::new(&table, PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let error = place.client().send(range()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ObjectNotExist));
    assert_eq!(error.table(), Some(table.as_str()));

    let mut rows = range().rows(place.client());
    let error = rows.next().await.unwrap().unwrap_err();
    assert_eq!(error.table(), Some(table.as_str()));
    assert_eq!(error.rows(), Some(0));
    let code = error.as_call().and_then(ots_core::Error::code);
    assert_eq!(code, Some(&ErrorCode::ObjectNotExist));
    assert!(rows.next().await.is_none(), "nothing comes after an error");
}

fn rows_of(reply: &GetRangeReply) -> Vec<Row> {
    if reply.rows.is_empty() {
        return Vec::new();
    }
    let mut names = NameCache::default();
    let mut reader = Reader::new(&reply.rows, Accept::Rows).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        rows.push(canonical(&row.to_row(&mut names)));
    }
    rows
}
