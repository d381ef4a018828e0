//! Ranges over tables in memory, and what they should give.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared by tests of which each needs a part"
)]

pub mod emulated;

use ots_core::filter::Filter;
use ots_core::request::{Direction, GetRange};
use ots_paging::testing::{FakeTable, LimitCounts};
use ots_proto::{PrimaryKey, Row};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// Any filter: the fake table has its own.
pub fn filter() -> Filter {
    Filter::column("a").exists().into()
}

/// A table, how it splits pages, and a range of it.
#[derive(Clone, Debug)]
pub struct Case {
    pub rows: Vec<Row>,
    pub tombstones: Vec<PrimaryKey>,
    pub caps: Vec<usize>,
    /// Cells of a row that fit in an answer.
    pub cells: Vec<usize>,
    pub counts: LimitCounts,
    pub backward: bool,
    pub bounds: (PrimaryKey, PrimaryKey),
    pub limit: Option<u32>,
    /// Whether only column `a` is asked for, which some rows lack.
    pub columns: bool,
    /// Rows pass whose `a` is a multiple.
    pub filter: Option<i64>,
}

pub fn key(city: &str, id: i64) -> PrimaryKey {
    PrimaryKey::new().column("city", city).column("id", id)
}

pub fn whole_range() -> GetRange {
    GetRange::new(
        "orders",
        PrimaryKey::min(["city", "id"]),
        PrimaryKey::max(["city", "id"]),
    )
}

impl Case {
    pub fn table(&self) -> FakeTable {
        let every = self.filter.unwrap_or(1);
        FakeTable::new(self.rows.iter().cloned())
            .tombstones(self.tombstones.iter().cloned())
            .scan_caps(self.caps.iter().copied())
            .cell_caps(self.cells.iter().copied())
            .limit_counts(self.counts)
            .filter(move |row| passes(row, every))
    }

    pub fn request(&self) -> GetRange {
        let (low, high) = self.bounds.clone();
        let mut request = if self.backward {
            GetRange::new("orders", high, low).direction(Direction::Backward)
        } else {
            GetRange::new("orders", low, high)
        };
        if let Some(limit) = self.limit {
            request = request.limit(limit);
        }
        if self.columns {
            request = request.columns(["a"]);
        }
        if self.filter.is_some() {
            request = request.filter(filter());
        }
        request
    }

    /// The rows of the range, the plain way.
    pub fn expected(&self) -> Vec<Row> {
        let (low, high) = &self.bounds;
        let within = |row: &&Row| {
            if self.backward {
                *low < row.primary_key && row.primary_key <= *high
            } else {
                *low <= row.primary_key && row.primary_key < *high
            }
        };
        let mut rows: Vec<Row> = self.rows.iter().filter(within).cloned().collect();
        rows.sort_by(|a, b| a.primary_key.cmp(&b.primary_key));
        if self.backward {
            rows.reverse();
        }
        if self.columns {
            rows.retain_mut(|row| {
                row.cells.retain(|cell| cell.name == "a");
                !row.cells.is_empty()
            });
        }
        if let Some(every) = self.filter {
            rows.retain(|row| passes(row, every));
        }
        rows
    }
}

fn passes(row: &Row, every: i64) -> bool {
    row.get("a")
        .is_some_and(|value| (0..40).any(|n| *value == (n * every).into()))
}

fn row((city, id): (u8, i64), a: Option<i64>) -> Row {
    let mut row = Row::new(key(&char::from(b'a' + city).to_string(), id));
    if let Some(a) = a {
        row = row.cell("a", a);
    }
    // Columns come by name; some rows are wide.
    (0..id % 5).fold(row.cell("b", id), |row, n| row.cell(format!("c{n}"), n))
}

pub fn case() -> impl Strategy<Value = Case> {
    let place = || (0_u8..4, 0_i64..12);
    // A key without a row is a tombstone.
    let entry = prop::option::weighted(0.8, prop::option::weighted(0.8, 0_i64..40));
    let entries = btree_map(place(), entry, 0..40);
    let bounds = prop_oneof![
        2 => Just((PrimaryKey::min(["city", "id"]), PrimaryKey::max(["city", "id"]))),
        1 => (place(), place()).prop_filter_map("equal bounds", |(a, b)| {
            let (a, b) = (row(a, None).primary_key, row(b, None).primary_key);
            (a != b).then(|| if a < b { (a, b) } else { (b, a) })
        }),
    ];
    let counts = prop_oneof![Just(LimitCounts::Returned), Just(LimitCounts::Scanned)];
    let table = (
        entries,
        vec(1_usize..8, 0..4),
        vec(1_usize..9, 0..3),
        counts,
    );
    let limit = prop::option::of(1_u32..10);
    let filter = prop::option::of(1_i64..5);
    let request = (any::<bool>(), bounds, limit, any::<bool>(), filter);
    (table, request).prop_map(|(table, request)| {
        let (entries, caps, cells, counts) = table;
        let (backward, bounds, limit, columns, filter) = request;
        let mut rows = Vec::new();
        let mut tombstones = Vec::new();
        for (place, entry) in entries {
            match entry {
                Some(a) => rows.push(row(place, a)),
                None => tombstones.push(row(place, None).primary_key),
            }
        }
        Case {
            rows,
            tombstones,
            caps,
            cells,
            counts,
            backward,
            bounds,
            limit,
            columns,
            filter,
        }
    })
}
