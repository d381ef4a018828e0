//! ots-paging: whole ranges, page after page.

use std::num::{NonZeroU32, NonZeroU64};

use futures::TryStreamExt as _;
use ots_core::filter::Filter;
use ots_core::request::{Direction, GetRange, GetRow, PutRow, Search};
use ots_core::{Cell, Query, Row as OwnedRow};
use ots_paging::{
    ColumnPager, ErrorKind, NextPage, PageTokens, RangeExt as _, ResumePoint, SearchExt as _,
};
use ots_proto::search::FieldSort;

use super::{INDEX, Place, bounds, canonical, key, read_range};
use crate::canonical::{Row, Value};

/// Rows and pages give the same, in key order, and backward the reverse.
pub async fn rows_and_pages_are_the_range_both_ways(place: &Place) {
    let rows = place.load("bulk").await;
    for direction in [Direction::Forward, Direction::Backward] {
        let mut expected = rows.to_vec();
        if direction == Direction::Backward {
            expected.reverse();
        }
        for limit in [1, 37, 250, 5_000] {
            let range = whole(place, direction).limit(limit);
            let read = read_range(place.client(), range.clone()).await;
            assert_eq!(read, expected, "{direction:?} by {limit}");

            let mut pages = range.pages(place.client());
            let mut read = Vec::new();
            let mut cost = 0;
            while let Some(page) = pages.next().await {
                let page = page.unwrap();
                let page_rows = page.rows().unwrap();
                assert!(page_rows.len() <= usize::try_from(limit).unwrap());
                cost += page.consumed().read;
                read.extend(page_rows.iter().map(canonical));
            }
            assert_eq!(read, expected, "{direction:?} by {limit}");
            assert_eq!(pages.consumed().read, cost);
            assert_eq!(pages.resume_point().unwrap().next(), &NextPage::Done);
        }
    }
}

/// However the service cuts the pages: those that pass, in order, and no others.
pub async fn a_filter_gives_the_rows_that_pass(place: &Place) {
    let rows = place.load("bulk").await;
    for direction in [Direction::Forward, Direction::Backward] {
        for limit in [None, Some(1), Some(20)] {
            let filter = Filter::column("n").ge(240).only_if_present();
            let mut range = whole(place, direction).filter(filter);
            if let Some(limit) = limit {
                range = range.limit(limit);
            }
            let mut read = read_range(place.client(), range).await;
            if direction == Direction::Backward {
                read.reverse();
            }
            assert_eq!(read, rows[240..], "{direction:?} by {limit:?}");
        }
    }
}

/// A limit over all pages is exact, with a filter too, and what follows it is not lost.
pub async fn a_limit_of_rows_is_kept_and_can_be_resumed(place: &Place) {
    let rows = place.load("bulk").await;
    let third = |row: &&Row| matches!(row.column("flag"), Some(Value::Boolean(true)));
    let expected: Vec<Row> = rows.iter().filter(third).cloned().collect();
    let range = || {
        let filter = Filter::column("flag").eq(true).only_if_present();
        whole(place, Direction::Forward).filter(filter).limit(9)
    };
    for wanted in [0, 1, 9, 10, 83, 84, 1_000] {
        let mut first = range().rows(place.client()).take_rows(wanted);
        let mut read = Vec::new();
        while let Some(row) = first.next().await {
            read.push(canonical(&row.unwrap()));
        }
        let taken = usize::try_from(wanted).unwrap().min(expected.len());
        assert_eq!(read, expected[..taken], "the first {wanted}");

        let point = first.resume_point().unwrap();
        let rest = range().resume(&point).unwrap().rows(place.client());
        let rest: Vec<OwnedRow> = rest.try_collect().await.unwrap();
        let rest: Vec<Row> = rest.iter().map(canonical).collect();
        assert_eq!(rest, expected[taken..], "what follows the first {wanted}");
    }
}

/// A reader that keeps nothing but bytes and begins anew after every row or page gives the range.
pub async fn a_resume_point_kept_as_bytes_loses_and_repeats_nothing(place: &Place) {
    let rows = place.load("bulk").await;
    for direction in [Direction::Forward, Direction::Backward] {
        let mut expected = rows.to_vec();
        if direction == Direction::Backward {
            expected.reverse();
        }
        // Sizes of pages are no part of a point: another run may choose others.
        let range = |run: usize| whole(place, direction).limit([7, 60, 1, 19][run % 4]);

        let mut read = Vec::new();
        let mut kept = range(0).cursor().unwrap().resume_point().to_bytes();
        for run in 0.. {
            let point = ResumePoint::from_bytes(&kept).unwrap();
            let mut pages = range(run).resume(&point).unwrap().pages(place.client());
            let Some(page) = pages.next().await else {
                break;
            };
            let page = page.unwrap();
            read.extend(page.rows().unwrap().iter().map(canonical));
            kept = page.resume_point().to_bytes();
        }
        assert_eq!(read, expected, "{direction:?} by pages");

        let mut read = Vec::new();
        let mut kept = range(0).cursor().unwrap().resume_point().to_bytes();
        for run in 1.. {
            let point = ResumePoint::from_bytes(&kept).unwrap();
            let cursor = range(run).resume(&point).unwrap();
            // Inside a page and at its end, but never the same number of rows twice.
            let mut rows = cursor.rows(place.client());
            let mut taken = 0;
            while taken < run {
                let Some(row) = rows.next().await else { break };
                read.push(canonical(&row.unwrap()));
                taken += 1;
            }
            if taken < run {
                break;
            }
            kept = rows.resume_point().unwrap().to_bytes();
        }
        assert_eq!(read, expected, "{direction:?} by rows");
    }
}

/// A place in one range is none in another, and damaged bytes are no place at all.
pub async fn a_resume_point_belongs_to_its_range(place: &Place) {
    place.load("bulk").await;
    let mut pages = whole(place, Direction::Forward)
        .limit(5)
        .pages(place.client());
    let point = pages.next().await.unwrap().unwrap().resume_point().clone();
    for other in [
        whole(place, Direction::Backward),
        whole(place, Direction::Forward).columns(["n"]),
        whole(place, Direction::Forward).filter(Filter::column("n").eq(1)),
    ] {
        let error = other.resume(&point).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherRange);
    }
    let mut bytes = point.to_bytes();
    bytes[12] ^= 1;
    let error = ResumePoint::from_bytes(&bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumePointDamaged);
}

/// Offset and size cut the same slices out of the range as they would out of a list.
pub async fn a_page_by_offset_is_a_slice_of_the_range(place: &Place) {
    let rows = place.load("bulk").await;
    for (offset, page_rows) in [(0, 100), (33, 8), (249, 5), (250, 5), (1_000, 5), (7, 250)] {
        let size = NonZeroU32::new(page_rows).unwrap();
        let mut pages =
            whole(place, Direction::Forward)
                .limit(64)
                .offset_pages(place.client(), offset, size);
        let from = usize::try_from(offset).unwrap().min(rows.len());
        let mut expected = rows[from..].chunks(usize::try_from(page_rows).unwrap());
        let mut count = 0;
        while let Some(page) = pages.next_page().await.unwrap() {
            let read: Vec<Row> = page.rows.iter().map(canonical).collect();
            // The last page may be empty: that nothing follows shows only when looked for.
            let slice = expected.next().unwrap_or_default();
            assert_eq!(read, slice, "page {count} of {page_rows} from {offset}");
            count += 1;
        }
        assert!(count > 0, "the first page always comes");
        assert_eq!(expected.next(), None, "{page_rows} from {offset}");
    }
}

/// Any jump, the way back too, gives the slice; and the keys on the way shorten the next one.
pub async fn pages_by_offset_go_anywhere_and_back(place: &Place) {
    let rows = place.load("bulk").await;
    let passing: Vec<Row> = rows[100..].to_vec();
    for (filtered, expected) in [(false, rows), (true, &passing[..])] {
        let mut range = whole(place, Direction::Forward);
        if filtered {
            range = range.filter(Filter::column("n").ge(100).only_if_present());
        }
        let size = NonZeroU32::new(7).unwrap();
        let pages = range.offset_pages(place.client(), 0, size);
        let mut pages =
            pages.anchor_every(NonZeroU64::new(10).unwrap(), NonZeroU32::new(100).unwrap());
        for offset in [140, 3, 77, 78, 141] {
            pages.seek(offset as u64);
            let page = pages.next_page().await.unwrap().unwrap();
            let read: Vec<Row> = page.rows.iter().map(canonical).collect();
            assert_eq!(read, expected[offset..offset + 7], "at {offset}");
            let page = pages.previous_page().await.unwrap().unwrap();
            let read: Vec<Row> = page.rows.iter().map(canonical).collect();
            assert_eq!(
                read,
                expected[offset.saturating_sub(7)..offset],
                "before {offset}"
            );
        }
        // The first jump counted 133 rows at least; the others began at an anchor.
        let skipped = pages.cost().skipped_rows;
        assert!(skipped < 140 + 10 * 9, "{skipped}");
    }
}

/// Columns a few at a time are the columns of the row.
pub async fn a_row_is_read_by_pages_of_columns(place: &Place) {
    let table = place.numbered("wide", 3).await;
    let base = place.base_version_ms();
    let mut row = OwnedRow::new(key(1));
    for column in 0..50 {
        for version in [2, 1] {
            let cell = Cell::new(format!("c{column:02}"), column * version);
            row.cells.push(cell.at(base + version));
        }
    }
    let put = PutRow::new(&table, row.clone());
    place.client().send(put).await.unwrap();
    for columns in [None, Some(1), Some(7), Some(10), Some(50), Some(51)] {
        let request = GetRow::new(&table, key(1)).max_versions(2);
        let mut pager = ColumnPager::new(request, place.client()).unwrap();
        if let Some(columns) = columns {
            pager = pager
                .page_columns(NonZeroU32::new(columns).unwrap())
                .unwrap();
        }
        let mut cells = Vec::new();
        while let Some(page) = pager.next_page().await.unwrap() {
            cells.extend(page.cells);
        }
        assert_eq!(cells, row.cells, "by {columns:?}");
    }
    let mut absent = ColumnPager::new(GetRow::new(&table, key(2)), place.client()).unwrap();
    assert!(absent.next_page().await.unwrap().is_none());
}

/// By offset within the window, by token beyond: every match once, in order, from any row.
pub async fn a_search_is_paged_within_its_window_and_beyond(place: &Place) {
    let rows = place.load_index().await;
    let mut reversed = rows.to_vec();
    reversed.reverse();
    for (sorted, expected) in [(false, rows), (true, &reversed[..])] {
        let mut search = Search::new(&place.table("bulk").name, INDEX, Query::MatchAll);
        if sorted {
            search = search.sort(FieldSort::desc("n"));
        }
        let size = NonZeroU32::new(30).unwrap();
        let pager = search.count_all().pager(place.client(), size).unwrap();
        // A narrow window, so that a small table reaches beyond it.
        let mut pager = pager.window(40);
        for from in [0, 5, 35, 111, 249, 250, 300] {
            pager.seek(from as u64);
            let mut read = Vec::new();
            while let Some(page) = pager.next_page().await.unwrap() {
                assert_eq!(page.offset, (from + read.len()) as u64);
                read.extend(page.reply.rows().unwrap().iter().map(canonical));
            }
            assert_eq!(read, expected[from.min(250)..], "from {from}");
        }
        assert_eq!((pager.total(), pager.total_pages()), (Some(250), Some(9)));
    }
}

/// A page token from a browser goes on where its page ended; of another search it is refused.
pub async fn page_tokens_of_a_search_go_on_in_another_request(place: &Place) {
    let rows = place.load_index().await;
    let search = || Search::new(&place.table("bulk").name, INDEX, Query::MatchAll);
    let size = NonZeroU32::new(60).unwrap();
    let pager = || search().pager(place.client(), size).unwrap();
    let tokens = PageTokens::keyed(b"a secret of the test");
    let mut read = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut pager = pager();
        if let Some(token) = &token {
            pager = pager.resume(&tokens.read_search(token).unwrap()).unwrap();
        }
        let Some(page) = pager.next_page().await.unwrap() else {
            break;
        };
        read.extend(page.reply.rows().unwrap().iter().map(canonical));
        let Some(next) = page.next else { break };
        token = Some(tokens.write_search(&next));
    }
    assert_eq!(read, rows);
    let point = tokens.read_search(&token.unwrap()).unwrap();
    let other = search().sort(FieldSort::desc("n"));
    let other = other.pager(place.client(), size).unwrap();
    let error = other.resume(&point).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherSearch);
}

/// Every version that was asked for comes with its row, whatever the pages.
pub async fn versions_are_paged_too(place: &Place) {
    let table = place.numbered("versioned", 3).await;
    let base = place.base_version_ms();
    let mut expected = Vec::new();
    for id in 0..10 {
        let row = OwnedRow {
            primary_key: key(id),
            cells: vec![
                Cell::new("a", id + 2).at(base + 2),
                Cell::new("a", id + 1).at(base + 1),
                Cell::new("a", id).at(base),
            ],
        };
        place
            .client()
            .send(PutRow::new(&table, row.clone()))
            .await
            .unwrap();
        expected.push(row);
    }
    let range = |versions: u32| {
        let all = (key(0), ots_core::PrimaryKey::max(["id"]));
        let range = GetRange::new(&table, all.0, all.1).limit(3);
        range.max_versions(versions).rows(place.client())
    };
    let read: Vec<OwnedRow> = range(3).try_collect().await.unwrap();
    assert_eq!(read, expected);
    let read: Vec<OwnedRow> = range(1).try_collect().await.unwrap();
    for row in &mut expected {
        row.cells.truncate(1);
    }
    assert_eq!(read, expected);
}

/// The whole table `bulk`, one way or the other.
fn whole(place: &Place, direction: Direction) -> GetRange {
    let table = place.table("bulk");
    let (low, high) = bounds(table);
    let (start, end) = match direction {
        Direction::Forward => (low, high),
        Direction::Backward => (high, low),
    };
    GetRange::new(&table.name, start, end).direction(direction)
}
