//! Every way to turn a page against a plain model, over the service in this process: keys of one to four
//! columns of any types, sparse and wide rows, versions, filters, both readings of a limit, faults, and
//! writes while reading.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};

use ots_core::filter::Filter;
use ots_core::request::{DeleteRow, Direction, GetRange, PutRow};
use ots_core::{Call, Client, Error, Reply};
use ots_emulator::{FaultAction, FaultRule, LimitCounts, Settings};
use ots_paging::{NextPage, PageTokens, RangeExt as _};
use ots_proto::messages::{GetRangeRequest, GetRangeResponse};
use ots_proto::{Cell, PrimaryKey, PrimaryKeyValue, Row, operation};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use support::emulated::{self, NOW_MS, TABLE, block_on};

/// The types of the key's columns.
type Types = Vec<u8>;
/// A key: of each column, the number of its value.
type Place = [usize; 4];

const VALUES: usize = 5;
const NAMES: [&str; 4] = ["k0", "k1", "k2", "k3"];

fn key_value(kind: u8, number: usize) -> PrimaryKeyValue {
    match kind {
        0 => [i64::MIN, -1, 0, 7, i64::MAX][number].into(),
        1 => ["", "a", "a\0", "b", "杭州"][number].into(),
        _ => PrimaryKeyValue::Binary(
            [&[][..], &[0], &[0, 1], &[1], &[255; 9]][number]
                .to_vec()
                .into(),
        ),
    }
}

fn key(types: &Types, place: Place) -> PrimaryKey {
    let columns = types.iter().zip(NAMES).zip(place);
    columns.fold(PrimaryKey::new(), |key, ((&kind, name), number)| {
        key.column(name, key_value(kind, number))
    })
}

/// Columns `c0` to `c7`, each with so many versions; of `c0` the value decides whether a filter passes.
#[derive(Clone, Debug)]
struct Content {
    versions: [u8; 8],
    value: i64,
}

fn row(key: PrimaryKey, content: &Content) -> Row {
    let mut row = Row::new(key);
    for (number, versions) in content.versions.iter().enumerate() {
        for version in (0..*versions).rev() {
            let value = if number == 0 {
                content.value
            } else {
                i64::from(version)
            };
            let cell = Cell::new(format!("c{number}"), value);
            row.cells.push(cell.at(NOW_MS + i64::from(version)));
        }
    }
    row
}

#[derive(Clone, Debug)]
struct Query {
    backward: bool,
    bounds: Option<(Place, Place)>,
    /// Of how many columns the bounds have values; the others are before or behind all.
    prefix: (usize, bool, bool),
    columns: Option<Vec<usize>>,
    /// Columns by name from one up to another.
    window: Option<(usize, usize)>,
    max_versions: u32,
    time_range: bool,
    least: Option<(i64, bool)>,
    limit: Option<u32>,
    page_bytes: Option<usize>,
    prefetch: bool,
}

#[derive(Clone, Debug)]
struct Case {
    types: Types,
    content: BTreeMap<Place, Content>,
    query: Query,
    settings: (usize, usize, bool),
    faults: bool,
}

impl Case {
    fn rows(&self) -> Vec<Row> {
        let rows = self.content.iter();
        let mut rows: Vec<Row> = rows
            .map(|(place, content)| row(key(&self.types, *place), content))
            .collect();
        // Keys of fewer columns than places have.
        rows.sort_by(|a, b| a.primary_key.cmp(&b.primary_key));
        rows.dedup_by(|a, b| a.primary_key == b.primary_key);
        rows
    }

    fn client(&self) -> Client {
        let mut settings = Settings::default();
        let (rows, bytes, scanned) = self.settings;
        (settings.range_page_rows, settings.wide_row_bytes) = (rows, bytes);
        settings.limit_counts = if scanned {
            LimitCounts::Scanned
        } else {
            LimitCounts::Returned
        };
        let emulator = emulated::emulator(settings);
        let client = emulated::client_of(emulator.clone());
        let mut rows = self.rows();
        if rows.is_empty() {
            rows.push(row(
                key(&self.types, [0; 4]),
                &Content {
                    versions: [0; 8],
                    value: 0,
                },
            ));
        }
        emulated::load(&client, &rows, 3);
        if self.content.is_empty() {
            let delete = DeleteRow::new(TABLE, key(&self.types, [0; 4]));
            block_on(client.send(delete)).unwrap();
        }
        if self.faults {
            let busy = FaultRule::error(503, "OTSServerBusy").operation("GetRange");
            emulator.faults().add(busy.probability(0.2));
            let damaged = FaultRule::new(FaultAction::BadMd5).operation("GetRange");
            emulator.faults().add(damaged.probability(0.1));
            let empty = FaultRule::new(FaultAction::EmptyPage).operation("GetRange");
            emulator.faults().add(empty.probability(0.2));
        }
        client
    }

    fn bounds(&self) -> (PrimaryKey, PrimaryKey) {
        let names = || NAMES.iter().take(self.types.len()).copied();
        let whole = (PrimaryKey::min(names()), PrimaryKey::max(names()));
        let Some((a, b)) = self.query.bounds else {
            return whole;
        };
        let (columns, a_is_min, b_is_min) = self.query.prefix;
        let bound = |place, is_min| {
            let mut bound = PrimaryKey::new();
            for (number, column) in key(&self.types, place).columns().iter().enumerate() {
                let value = match is_min {
                    _ if number < columns => column.value.clone(),
                    true => PrimaryKeyValue::InfMin,
                    false => PrimaryKeyValue::InfMax,
                };
                bound.push(&column.name, value);
            }
            bound
        };
        let (a, b) = (bound(a, a_is_min), bound(b, b_is_min));
        match a.cmp(&b) {
            std::cmp::Ordering::Less => (a, b),
            std::cmp::Ordering::Greater => (b, a),
            std::cmp::Ordering::Equal => whole,
        }
    }

    fn range(&self) -> GetRange {
        let Query {
            backward,
            columns,
            window,
            max_versions,
            time_range,
            least,
            limit,
            ..
        } = &self.query;
        let (low, high) = self.bounds();
        let mut range = if *backward {
            GetRange::new(TABLE, high, low).direction(Direction::Backward)
        } else {
            GetRange::new(TABLE, low, high)
        };
        range = range.max_versions(*max_versions);
        if *time_range {
            range = range.time_range(NOW_MS + 1, NOW_MS + 3);
        }
        if let Some(columns) = columns {
            range = range.columns(columns.iter().map(|number| format!("c{number}")));
        }
        if let Some((from, to)) = window {
            range = range.column_range(format!("c{from}")..format!("c{to}"));
        }
        if let Some((least, only_if_present)) = least {
            let filter = Filter::column("c0").ge(*least);
            range = range.filter(if *only_if_present {
                filter.only_if_present()
            } else {
                filter
            });
        }
        if let Some(limit) = limit {
            range = range.limit(*limit);
        }
        range
    }

    /// What the range gives of these rows, the plain way.
    fn expected(&self, rows: &[Row]) -> Vec<Row> {
        let (low, high) = self.bounds();
        let mut rows: Vec<Row> = rows.to_vec();
        rows.sort_by(|a, b| a.primary_key.cmp(&b.primary_key));
        if self.query.backward {
            rows.retain(|row| low < row.primary_key && row.primary_key <= high);
            rows.reverse();
        } else {
            rows.retain(|row| low <= row.primary_key && row.primary_key < high);
        }
        rows.retain_mut(|row| self.select(row));
        rows
    }

    fn select(&self, row: &mut Row) -> bool {
        let query = &self.query;
        if query.time_range {
            row.cells.retain(|cell| cell.timestamp_ms.unwrap() > NOW_MS);
        }
        if let Some((from, to)) = query.window {
            let names = format!("c{from}")..format!("c{to}");
            row.cells
                .retain(|cell| names.contains(&cell.name.to_string()));
        }
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        row.cells.retain(|cell| {
            let seen = seen.entry(cell.name.to_string()).or_default();
            *seen += 1;
            *seen <= query.max_versions
        });
        if let Some(columns) = &query.columns {
            let names: Vec<String> = columns.iter().map(|number| format!("c{number}")).collect();
            row.cells
                .retain(|cell| names.iter().any(|name| name == cell.name.as_str()));
            if row.cells.is_empty() {
                return false;
            }
        }
        match query.least {
            None => true,
            Some((least, only_if_present)) => match row.get("c0") {
                None => !only_if_present,
                Some(value) => matches!(value, ots_proto::ColumnValue::Integer(n) if *n >= least),
            },
        }
    }
}

/// Notes whether every request keeps to the service's limits.
struct Within<'c>(&'c Client);

impl Call<operation::GetRange> for Within<'_> {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        assert!(
            request
                .limit
                .is_none_or(|limit| (1..=5_000).contains(&limit))
        );
        assert!(request.columns_to_get.len() <= 1_024);
        Call::<operation::GetRange>::call(self.0, request).await
    }
}

fn place() -> impl Strategy<Value = Place> {
    [0..VALUES, 0..VALUES, 0..VALUES, 0..VALUES]
}

fn content() -> impl Strategy<Value = Content> {
    let sparse = [
        0_u8..4,
        0_u8..2,
        0_u8..2,
        0_u8..4,
        0_u8..2,
        0_u8..2,
        0_u8..2,
        0_u8..2,
    ];
    let versions = prop_oneof![2 => sparse, 1 => Just([0; 8]), 1 => Just([3; 8])];
    (versions, 0_i64..6).prop_map(|(versions, value)| Content { versions, value })
}

fn case() -> impl Strategy<Value = Case> {
    let query = (
        any::<bool>(),
        prop::option::of((place(), place())),
        prop_oneof![2 => Just((4, true, true)), 1 => (0_usize..4, any::<bool>(), any::<bool>())],
        prop::option::weighted(0.3, vec(0_usize..8, 1..4)),
        prop::option::weighted(0.2, (0_usize..8, 1_usize..9)),
        1_u32..4,
        prop::bool::weighted(0.2),
        prop::option::of((0_i64..6, any::<bool>())),
        prop::option::of(1_u32..9),
        (prop::option::weighted(0.3, 1_usize..3_000), any::<bool>()),
    );
    let query = query.prop_map(|query| {
        let (
            backward,
            bounds,
            prefix,
            columns,
            window,
            max_versions,
            time_range,
            least,
            limit,
            (page_bytes, prefetch),
        ) = query;
        // What a filter on a column that isn't asked for sees is said elsewhere.
        let least = least.filter(|_| columns.as_ref().is_none_or(|columns| columns.contains(&0)));
        // With columns the service leaves rows out by what lies in the time range: not said clearly.
        let time_range = time_range && columns.is_none();
        let window = window.filter(|(from, to)| columns.is_none() && from < to);
        let least = least.filter(|_| window.is_none_or(|(from, _)| from == 0));
        Query {
            backward,
            bounds,
            prefix,
            columns,
            window,
            max_versions,
            time_range,
            least,
            limit,
            page_bytes,
            prefetch,
        }
    });
    let wide = prop_oneof![Just(usize::MAX), 20_usize..200];
    (
        vec(0_u8..3, 1..5),
        btree_map(place(), content(), 0..30),
        query,
        (1_usize..12, wide, any::<bool>()),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(types, content, query, settings, faults)| Case {
            types,
            content,
            query,
            settings,
            faults,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_way_to_turn_pages_gives_the_rows_of_the_range(
        case in case(), offset in 0_usize..20, size in 1_usize..8, cuts in vec(place(), 0..4),
    ) {
        let client = case.client();
        let call = Within(&client);
        let expected = case.expected(&case.rows());
        let cursor = || {
            let cursor = case.range().cursor().unwrap();
            match case.query.page_bytes {
                Some(bytes) => cursor.page_bytes(bytes.try_into().unwrap()),
                None => cursor,
            }
        };

        let mut rows = cursor().rows(&call);
        if case.query.prefetch {
            rows = rows.prefetch();
        }
        let mut read = Vec::new();
        while let Some(row) = block_on(rows.next()) {
            read.push(row.unwrap());
        }
        prop_assert_eq!(&read, &expected);

        let page_rows = NonZeroU32::new(u32::try_from(size).unwrap()).unwrap();
        let tokens = PageTokens::plain();
        let mut page = block_on(cursor().first_page(&call, page_rows)).unwrap();
        let mut read = page.rows.clone();
        while let Some(next) = &page.next {
            let next = tokens.read_place(&tokens.write_place(next)).unwrap();
            let next = block_on(cursor().page_at(&call, &next, page_rows)).unwrap();
            let back = block_on(cursor().page_at(&call, next.previous.as_ref().unwrap(), page_rows));
            prop_assert_eq!(&back.unwrap().rows, &page.rows);
            read.extend(next.rows.iter().cloned());
            page = next;
        }
        prop_assert_eq!(&read, &expected);

        let worth = if case.faults { 0 } else { 64 << 10 };
        let pager = cursor().offset_pages(&call, offset as u64, page_rows);
        let mut pager = pager.request_bytes(worth);
        let slice = |from: usize, to: usize| &expected[from.min(expected.len())..to.min(expected.len())];
        let page = block_on(pager.next_page()).unwrap().unwrap();
        prop_assert_eq!(&page.rows[..], slice(offset, offset + size));
        if let Some(next) = block_on(pager.next_page()).unwrap() {
            prop_assert_eq!(&next.rows[..], slice(offset + size, offset + 2 * size));
            let back = block_on(pager.previous_page()).unwrap().unwrap();
            prop_assert_eq!(&back.rows, &page.rows);
        }
        if offset > 0 && offset <= expected.len() {
            let before = block_on(pager.previous_page()).unwrap().unwrap();
            prop_assert_eq!(&before.rows[..], slice(offset.saturating_sub(size), offset));
        }
        if let Some(place) = page.previous_place().filter(|_| !page.rows.is_empty()) {
            let before = block_on(cursor().page_at(&call, &place, page_rows)).unwrap();
            prop_assert_eq!(&before.rows[..], slice(offset.saturating_sub(size), offset));
        }

        let count = block_on(cursor().count_rows(&call)).unwrap();
        prop_assert_eq!(count.rows, expected.len() as u64);
        let cuts = cuts.into_iter().map(|place| key(&case.types, place));
        let at_once = NonZeroUsize::new(2).unwrap();
        let count = block_on(cursor().count_rows_by_parts(&call, cuts, at_once)).unwrap();
        prop_assert_eq!(count.rows, expected.len() as u64);
        let first = block_on(cursor().first_row(&call)).unwrap();
        prop_assert_eq!(first.as_ref(), expected.first());
        let last = block_on(cursor().last_row(&call)).unwrap();
        prop_assert_eq!(last.as_ref(), expected.last());
    }

    #[test]
    fn a_page_is_what_the_table_held_when_it_was_read(
        case in case(), writes in vec((place(), prop::option::of(content())), 0..20),
    ) {
        // A row that changes while it comes in parts is of no one time.
        let mut case = case;
        case.settings.1 = usize::MAX;
        case.faults = false;
        let client = case.client();
        let table: BTreeMap<PrimaryKey, Row> =
            case.rows().into_iter().map(|row| (row.primary_key.clone(), row)).collect();
        let table = RefCell::new(table);
        let mut writes = writes.into_iter();
        let mut pages = case.range().pages(&client);
        while let Some(page) = block_on(pages.next()) {
            let page = page.unwrap();
            // From the start of the page up to the next.
            let rows: Vec<Row> = table.borrow().values().cloned().collect();
            let mut expected = case.expected(&rows);
            let backward = case.query.backward;
            let precedes = |a: &PrimaryKey, b: &PrimaryKey| if backward { a > b } else { a < b };
            expected.retain(|row| {
                let key = &row.primary_key;
                let is_before_next = match page.next() {
                    NextPage::From(next) => precedes(key, next),
                    NextPage::Done => true,
                };
                !precedes(key, page.start()) && is_before_next
            });
            prop_assert_eq!(page.rows().unwrap(), expected);
            // At the edge: the row that the next page starts with goes, others come and go anywhere.
            if let NextPage::From(next) = page.next() {
                table.borrow_mut().remove(next);
                block_on(client.send(DeleteRow::new(TABLE, next.clone()))).unwrap();
            }
            for (place, content) in writes.by_ref().take(3) {
                let key = key(&case.types, place);
                match content {
                    Some(content) => {
                        let row = row(key.clone(), &content);
                        block_on(client.send(PutRow::new(TABLE, row.clone()))).unwrap();
                        table.borrow_mut().insert(key, row);
                    }
                    None => {
                        block_on(client.send(DeleteRow::new(TABLE, key.clone()))).unwrap();
                        table.borrow_mut().remove(&key);
                    }
                }
            }
        }
    }

    #[test]
    fn pages_by_offset_neither_lose_nor_repeat_a_row_that_stays(
        case in case(), offset in 0_usize..12, size in 1_usize..6,
        writes in vec((place(), prop::option::of(content())), 0..30),
    ) {
        let mut case = case;
        case.settings.1 = usize::MAX;
        case.faults = false;
        let client = case.client();
        let initial = case.expected(&case.rows());
        let page_rows = NonZeroU32::new(u32::try_from(size).unwrap()).unwrap();
        let mut pager = case.range().offset_pages(&client, offset as u64, page_rows);
        let mut touched = Vec::new();
        let mut writes = writes.into_iter();
        let mut given: Vec<PrimaryKey> = Vec::new();
        while let Some(page) = block_on(pager.next_page()).unwrap() {
            given.extend(page.rows.into_iter().map(|row| row.primary_key));
            for (place, content) in writes.by_ref().take(3) {
                let key = key(&case.types, place);
                touched.push(key.clone());
                match content {
                    Some(content) => {
                        let put = PutRow::new(TABLE, row(key, &content));
                        block_on(client.send(put)).unwrap();
                    }
                    None => {
                        block_on(client.send(DeleteRow::new(TABLE, key))).unwrap();
                    }
                }
            }
        }
        let backward = case.query.backward;
        let is_in_order = |pair: &[PrimaryKey]| (pair[0] < pair[1]) != backward && pair[0] != pair[1];
        prop_assert!(given.windows(2).all(is_in_order), "{given:?}");
        let stays: Vec<&PrimaryKey> = initial
            .iter()
            .skip(offset)
            .map(|row| &row.primary_key)
            .filter(|key| !touched.contains(key))
            .collect();
        for key in stays {
            prop_assert!(given.contains(key), "{key:?}");
        }
    }
}
