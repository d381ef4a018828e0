//! Lists turned both ways by tokens alone, against a plain model.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::num::NonZeroU32;

use futures::executor::block_on;
use ots_core::request::{Direction, GetRange};
use ots_paging::testing::{FakeTable, LimitCounts};
use ots_paging::{ErrorKind, ListPage, NextPage, PagePlace, PageTokens, RangeExt as _};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row};
use proptest::prelude::*;

use support::{case, filter, key, whole_range};

/// A list over keys that end in a column of one type.
#[derive(Clone, Debug)]
struct List {
    rows: Vec<Row>,
    bounds: (PrimaryKey, PrimaryKey),
    backward: bool,
    every: Option<i64>,
    caps: Vec<usize>,
    counts: LimitCounts,
    page_rows: NonZeroU32,
}

impl List {
    fn table(&self) -> FakeTable {
        let every = self.every.unwrap_or(1);
        FakeTable::new(self.rows.iter().cloned())
            .scan_caps(self.caps.iter().copied())
            .limit_counts(self.counts)
            .filter(move |row| passes(row, every))
    }

    fn range(&self) -> GetRange {
        let (low, high) = self.bounds.clone();
        let range = if self.backward {
            GetRange::new("orders", high, low).direction(Direction::Backward)
        } else {
            GetRange::new("orders", low, high)
        };
        match self.every {
            Some(_) => range.filter(filter()),
            None => range,
        }
    }

    fn expected(&self) -> Vec<Row> {
        let (low, high) = &self.bounds;
        let every = self.every.unwrap_or(1);
        let mut rows: Vec<Row> = self.rows.clone();
        rows.retain(|row| {
            let key = &row.primary_key;
            let is_within = if self.backward {
                low < key && key <= high
            } else {
                low <= key && key < high
            };
            is_within && (self.every.is_none() || passes(row, every))
        });
        rows.sort_by(|a, b| a.primary_key.cmp(&b.primary_key));
        if self.backward {
            rows.reverse();
        }
        rows
    }

    /// A page as a browser gets it: every link through a token.
    fn page(&self, table: &FakeTable, place: &PagePlace) -> ListPage {
        let tokens = PageTokens::keyed(b"secret");
        let place = tokens.read_place(&tokens.write_place(place)).unwrap();
        block_on(self.range().page_at(table, &place, self.page_rows)).unwrap()
    }
}

fn passes(row: &Row, every: i64) -> bool {
    row.get("a")
        .is_some_and(|value| (0..40).any(|n| *value == (n * every).into()))
}

fn list() -> impl Strategy<Value = List> {
    let integer = prop_oneof![6 => -3_i64..12, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    let values = prop_oneof![
        prop::collection::vec(integer.prop_map(PrimaryKeyValue::Integer), 2..30),
        prop::collection::vec("[\0ab]{0,3}".prop_map(PrimaryKeyValue::String), 2..30),
        prop::collection::vec(
            prop::collection::vec(0_u8..3, 0..3).prop_map(|b| PrimaryKeyValue::Binary(b.into())),
            2..30
        ),
    ];
    let options = (
        any::<bool>(),
        prop::option::of(1_i64..4),
        prop::collection::vec(1_usize..8, 0..3),
        prop_oneof![Just(LimitCounts::Returned), Just(LimitCounts::Scanned)],
        1_u32..8,
    );
    // The first two values are the bounds; rows may be outside, in other groups too.
    (values, any::<(bool, bool)>(), options).prop_filter_map(
        "equal bounds",
        |(values, open, options)| {
            let (backward, every, caps, counts, page_rows) = options;
            let key = |group: i64, value: &PrimaryKeyValue| {
                PrimaryKey::new()
                    .column("g", group)
                    .column("k", value.clone())
            };
            let mut low = key(1, &values[0]);
            let mut high = key(1, &values[1]);
            if low > high {
                std::mem::swap(&mut low, &mut high);
            }
            if open.0 {
                low = PrimaryKey::min(["g", "k"]);
            }
            if open.1 {
                high = PrimaryKey::max(["g", "k"]);
            }
            let rows = values.iter().enumerate().map(|(number, value)| {
                let group = if number % 5 == 4 {
                    i64::try_from(number % 3).unwrap()
                } else {
                    1
                };
                Row::new(key(group, value)).cell("a", i64::try_from(number).unwrap())
            });
            let mut rows: Vec<Row> = rows.collect();
            rows.sort_by(|a, b| a.primary_key.cmp(&b.primary_key));
            rows.dedup_by(|a, b| a.primary_key == b.primary_key);
            let page_rows = NonZeroU32::new(page_rows)?;
            (low < high).then_some(List {
                rows,
                bounds: (low, high),
                backward,
                every,
                caps,
                counts,
                page_rows,
            })
        },
    )
}

proptest! {
    #[test]
    fn pages_forward_are_the_range_and_every_one_comes_back_from_the_next(list in list()) {
        let table = list.table();
        let size = list.page_rows.get() as usize;
        let mut page = block_on(list.range().first_page(&table, list.page_rows)).unwrap();
        prop_assert_eq!(&page.previous, &None);
        let mut rows = page.rows.clone();
        while let Some(next) = &page.next {
            prop_assert_eq!(page.rows.len(), size);
            let next = list.page(&table, next);
            let back = list.page(&table, next.previous.as_ref().unwrap());
            prop_assert_eq!(&back.rows, &page.rows);
            prop_assert_eq!(&back.next, &page.next);
            // A link to the page itself stays too, whichever way it was reached.
            prop_assert_eq!(&list.page(&table, &back.place).rows, &page.rows);
            rows.extend(next.rows.iter().cloned());
            page = next;
        }
        prop_assert_eq!(rows, list.expected());
    }

    #[test]
    fn pages_back_are_the_range_and_every_one_comes_back_from_the_previous(list in list()) {
        let table = list.table();
        let size = list.page_rows.get() as usize;
        let mut page = block_on(list.range().last_page(&table, list.page_rows)).unwrap();
        prop_assert_eq!(&page.next, &None);
        let mut pages = vec![page.rows.clone()];
        while let Some(previous) = &page.previous {
            let before = list.page(&table, previous);
            let forward = list.page(&table, before.next.as_ref().unwrap());
            prop_assert_eq!(&forward.rows, &page.rows);
            prop_assert!(before.rows.len() == size || before.previous.is_none());
            pages.push(before.rows.clone());
            page = before;
        }
        pages.reverse();
        prop_assert_eq!(pages.concat(), list.expected());
        // At the start of the range, rows written later before the first one will be seen.
        prop_assert_eq!(page.place.point(), &list.range().cursor().unwrap().resume_point());
        let expected = list.expected();
        prop_assert_eq!(block_on(list.range().last_row(&table)).unwrap(), expected.last().cloned());
    }

    #[test]
    fn every_turn_meets_the_place_it_came_from_whatever_is_written_meanwhile(
        list in list(),
        turns in prop::collection::vec(
            (any::<bool>(), prop::collection::vec((any::<prop::sample::Index>(), 0_i64..60), 0..3)), 1..12,
        ),
        from_the_end in any::<bool>(),
    ) {
        let mut list = list;
        // Rows that come and go; among them those that pages begin with.
        let all = list.rows.clone();
        let size = list.page_rows.get() as usize;
        let first = if from_the_end {
            block_on(list.range().last_page(&list.table(), list.page_rows))
        } else {
            block_on(list.range().first_page(&list.table(), list.page_rows))
        };
        let mut page = first.unwrap();
        for (forward, writes) in turns {
            for (at, value) in writes {
                let row = at.get(&all);
                let known = list.rows.iter().position(|it| it.primary_key == row.primary_key);
                match known {
                    Some(position) if value % 2 == 0 => drop(list.rows.remove(position)),
                    Some(position) => list.rows[position].cells[0].value = value.into(),
                    None => list.rows.push(row.clone()),
                }
            }
            let (place, turn) = if forward { (&page.next, "next") } else { (&page.previous, "previous") };
            let Some(place) = place.clone() else { continue };
            let turned = list.page(&list.table(), &place);
            let expected = list.expected();
            // What lies before the place, and from it on, in the table as it is now.
            let is_before = |row: &&Row| match place.point().next() {
                NextPage::Done => true,
                NextPage::From(key) if list.backward => row.primary_key > *key,
                NextPage::From(key) => row.primary_key < *key,
            };
            let split = expected.iter().take_while(is_before).count();
            let (before, after) = expected.split_at(split);
            let (rows, beside) = match &place {
                PagePlace::From(_) => (&after[..size.min(after.len())], &turned.previous),
                PagePlace::Before(_) => (&before[before.len().saturating_sub(size)..], &turned.next),
            };
            prop_assert_eq!(&turned.rows, rows, "{}", turn);
            // The way back ends, or begins, at the same place: nothing is passed over or comes twice.
            let start = list.range().cursor().unwrap().resume_point();
            let is_at_an_end = *place.point() == start || place.point().next().is_done();
            let back = beside.as_ref().map(PagePlace::point);
            prop_assert_eq!(back, Some(place.point()).filter(|_| !is_at_an_end), "{}", turn);
            let is_forward = matches!(place, PagePlace::From(_));
            prop_assert!(beside.as_ref().is_none_or(|it| matches!(it, PagePlace::From(_)) != is_forward));
            page = turned;
        }
    }

    #[test]
    fn wide_and_sparse_rows_turn_both_ways(case in case(), size in 1_u32..9) {
        let table = case.table();
        let size = NonZeroU32::new(size).unwrap();
        let expected = case.expected();
        let mut page = block_on(case.request().last_page(&table, size)).unwrap();
        let mut pages = vec![page.rows.clone()];
        while let Some(previous) = &page.previous {
            page = block_on(case.request().page_at(&table, previous, size)).unwrap();
            pages.push(page.rows.clone());
        }
        pages.reverse();
        prop_assert_eq!(pages.concat(), expected.clone());
        let mut rows = page.rows.clone();
        while let Some(next) = &page.next {
            page = block_on(case.request().page_at(&table, next, size)).unwrap();
            rows.extend(page.rows.clone());
        }
        prop_assert_eq!(&rows, &expected);
        let last = block_on(case.request().last_row(&table)).unwrap();
        prop_assert_eq!(last.as_ref(), expected.last());
    }

    #[test]
    fn pages_that_were_jumped_to_turn_both_ways(
        case in case(), offset in 0_usize..30, size in 1_usize..9,
        worth in prop_oneof![Just(0_u64), Just(64 << 10)],
    ) {
        let table = case.table();
        let page_rows = NonZeroU32::new(u32::try_from(size).unwrap()).unwrap();
        let expected = case.expected();
        let pager = case.request().offset_pages(&table, offset as u64, page_rows);
        let mut pager = pager.request_bytes(worth);
        let page = block_on(pager.next_page()).unwrap().unwrap();
        let at = |place: &PagePlace| block_on(case.request().page_at(&table, place, page_rows)).unwrap().rows;
        prop_assert_eq!(at(&page.place()), page.rows.clone());
        let start = offset.min(expected.len());
        match page.previous_place() {
            None => prop_assert_eq!(offset, 0),
            Some(previous) => {
                prop_assert_eq!(at(&previous), expected[start.saturating_sub(size)..start].to_vec());
            }
        }
        let end = start + page.rows.len();
        let next = page.next_place().map(|place| at(&place)).unwrap_or_default();
        prop_assert_eq!(next, expected[end..(end + size).min(expected.len())].to_vec());
    }
}

#[test]
fn rows_written_between_two_turns_are_neither_lost_nor_doubled() {
    let rows =
        |ids: &[i64]| FakeTable::new(ids.iter().map(|&id| Row::new(key("a", id)).cell("a", id)));
    let ids = |page: &ListPage| -> Vec<i64> {
        let id = |row: &Row| row.primary_key.get("id").unwrap().as_integer().unwrap();
        page.rows.iter().map(id).collect()
    };
    let size = NonZeroU32::new(3).unwrap();
    let before = rows(&[10, 20, 30, 40, 50, 60]);
    let first = block_on(whole_range().first_page(&before, size)).unwrap();
    let second = first.next.clone().unwrap();
    // 40, where the second page begins, goes; 35 comes in its place, 5 before everything.
    let after = rows(&[5, 10, 20, 30, 35, 50, 60]);
    let second = block_on(whole_range().page_at(&after, &second, size)).unwrap();
    assert_eq!(ids(&second), [50, 60]);
    let back = second.previous.clone().unwrap();
    let back = block_on(whole_range().page_at(&after, &back, size)).unwrap();
    assert_eq!(ids(&back), [20, 30, 35]);
    let first = block_on(whole_range().page_at(&after, &back.previous.unwrap(), size)).unwrap();
    assert_eq!((ids(&first), first.previous.clone()), (vec![5, 10], None));
    let again = block_on(whole_range().page_at(&after, &first.next.unwrap(), size)).unwrap();
    assert_eq!(ids(&again), [20, 30, 35]);
}

#[test]
fn a_page_back_is_one_request_for_one_page() {
    let table = FakeTable::new((0..100).map(|id| Row::new(key("a", id)).cell("a", id)));
    let size = NonZeroU32::new(10).unwrap();
    let page = block_on(whole_range().last_page(&table, size)).unwrap();
    let page = block_on(whole_range().page_at(&table, &page.previous.unwrap(), size)).unwrap();
    assert_eq!((page.requests, page.consumed.read), (1, 1));
    assert_eq!(page.rows[0].primary_key, key("a", 80));
    let limits: Vec<_> = table
        .requests()
        .iter()
        .map(|request| request.limit)
        .collect();
    assert_eq!(limits, [Some(10), Some(10)]);
}

#[test]
fn a_place_of_another_list_is_refused_both_ways() {
    let table = FakeTable::new((0..10).map(|id| Row::new(key("a", id))));
    let point = GetRange::new("orders", key("a", 0), key("a", 5))
        .cursor()
        .unwrap()
        .resume_point();
    for place in [PagePlace::From(point.clone()), PagePlace::Before(point)] {
        let page = whole_range().page_at(&table, &place, NonZeroU32::MIN);
        let error = block_on(page).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherRange);
    }
    assert!(table.requests().is_empty());
}
