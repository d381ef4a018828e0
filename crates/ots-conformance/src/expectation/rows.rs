//! The row sets that every driver must report.

use super::queries::{flag, integer, queries, select};
use crate::canonical::{Cell, KeyColumn, Row, Value};
use crate::fixture::Fixture;
use crate::report::RowSet;

/// A row set that every driver must report.
pub(super) struct ExpectedRows {
    pub(super) name: String,
    table: &'static str,
    order: Order,
    /// A cell without a timestamp stands for any timestamp.
    rows: Vec<Row>,
}

#[derive(PartialEq)]
enum Order {
    /// As listed.
    Given,
    /// Any: a parallel scan promises none.
    Any,
}

impl ExpectedRows {
    pub(super) fn check(&self, found: &RowSet, faults: &mut Vec<String>) {
        let name = &self.name;
        if found.table != self.table {
            faults.push(format!(
                "{name} is of the table {} instead of {}",
                found.table, self.table
            ));
        }
        let mut rows = found.rows.clone();
        if self.order == Order::Any {
            rows.sort_by(Row::key_order);
        }
        if let Some(fault) = first_difference(&self.rows, &rows, row_matches) {
            faults.push(format!("{name}: {fault}"));
        }
    }
}

/// Where two lists of rows part, in a sentence.
pub(crate) fn first_difference(
    expected: &[Row],
    found: &[Row],
    matches: impl Fn(&Row, &Row) -> bool,
) -> Option<String> {
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        if !matches(expected, found) {
            return Some(format!("row {index} is {found:?}, expected {expected:?}"));
        }
    }
    (expected.len() != found.len())
        .then(|| format!("{} rows, expected {}", found.len(), expected.len()))
}

/// Equality, except that a timestamp which is not expected may be anything.
fn row_matches(expected: &Row, found: &Row) -> bool {
    expected.primary_key == found.primary_key
        && expected.columns.len() == found.columns.len()
        && expected.columns.iter().zip(&found.columns).all(|(e, f)| {
            e.name == f.name
                && e.value == f.value
                && (e.timestamp.is_none() || e.timestamp == f.timestamp)
        })
}

pub(super) fn expected_rows(fixture: &Fixture) -> Vec<ExpectedRows> {
    let set = |name: &str, table, rows| ExpectedRows {
        name: name.to_owned(),
        table,
        order: Order::Given,
        rows,
    };
    let scanned = |name: &str, rows| ExpectedRows {
        name: name.to_owned(),
        table: "bulk",
        order: Order::Any,
        rows,
    };
    let (types, binary) = (fixture.rows("types"), fixture.rows("binary"));
    let bulk = fixture.rows("bulk");
    let keys_written = types.iter().rev().chain(binary.iter().rev());
    let versions = versions_rows(fixture.base_version_ms);
    let row_of = |s: &str, i: i64| -> Vec<Row> {
        let key = [Value::String(s.to_owned()), Value::Integer(i)];
        let has_key = |row: &&Row| row.primary_key.iter().map(|column| &column.value).eq(&key);
        versions.iter().filter(has_key).cloned().collect()
    };
    let number = |row: &Row| integer(row, "n");

    let mut sets = vec![
        set(
            "put_returned",
            "types",
            keys_written.map(|row| columns_of(row, &[])).collect(),
        ),
        set("get_types", "types", types.to_vec()),
        set("get_binary", "binary", binary.to_vec()),
        set("updated", "versions", row_of("updated", 1)),
        set(
            "guarded",
            "versions",
            row_of("guarded", 1).into_iter().map(newest_only).collect(),
        ),
        set(
            "batch_get_bulk",
            "bulk",
            bulk.iter().step_by(10).cloned().collect(),
        ),
        set("batch_get_types", "types", types.to_vec()),
        set("range_forward", "bulk", bulk.to_vec()),
        set(
            "range_between",
            "bulk",
            select(bulk, |row| (60..150).contains(&number(row))),
        ),
        set(
            "range_backward",
            "bulk",
            bulk.iter().rev().cloned().collect(),
        ),
        set(
            "range_columns",
            "bulk",
            bulk.iter().map(|r| columns_of(r, &["d", "opt"])).collect(),
        ),
        set(
            "range_sparse",
            "bulk",
            select(bulk, |row| row.column("opt").is_some())
                .iter()
                .map(|row| columns_of(row, &["opt"]))
                .collect(),
        ),
        set(
            "range_filter",
            "bulk",
            select(bulk, |row| number(row) >= 100 && flag(row)),
        ),
        set("range_natural", "many", fixture.rows("many").to_vec()),
        set("search_pages", "bulk", bulk.to_vec()),
        scanned(
            "scan_all",
            bulk.iter()
                .map(|row| indexed_columns(fixture, row))
                .collect(),
        ),
        scanned(
            "scan_query",
            select(bulk, |row| (50..100).contains(&number(row)))
                .iter()
                .map(|row| columns_of(row, &[]))
                .collect(),
        ),
        set("final_types", "types", types.to_vec()),
        set("final_binary", "binary", binary.to_vec()),
        set("final_versions", "versions", versions.clone()),
        set("final_bulk", "bulk", bulk.to_vec()),
        set("final_many", "many", fixture.rows("many").to_vec()),
    ];
    for (name, rows) in queries(bulk) {
        let rows = rows.iter().map(|row| columns_of(row, &["n"])).collect();
        sets.push(set(&format!("search_{name}"), "bulk", rows));
    }
    sets
}

/// What the steps leave in the table with the role `versions`, in key order.
fn versions_rows(base: i64) -> Vec<Row> {
    let integer = |name, value| cell(name, Value::Integer(value), None);
    let open = || cell("state", Value::String("open".to_owned()), None);
    vec![
        row("batch", 1, vec![integer("n", 1)]),
        row("batch", 2, vec![integer("n", 42), integer("n", 1)]),
        row(
            "guarded",
            1,
            vec![integer("m", 4), integer("n", 3), integer("n", 1), open()],
        ),
        row(
            "updated",
            1,
            vec![
                cell("a", Value::Integer(3), Some(base + 2)),
                cell("a", Value::Integer(1), Some(base)),
                cell("c", Value::Boolean(true), Some(base)),
                integer("count", 3),
                integer("count", 5),
                cell("kept", Value::Binary(vec![0x00, 0xff]), Some(base)),
            ],
        ),
        row("updated", 3, Vec::new()),
    ]
}

fn row(s: &str, i: i64, columns: Vec<Cell>) -> Row {
    Row {
        primary_key: vec![
            KeyColumn {
                name: "s".to_owned(),
                value: Value::String(s.to_owned()),
            },
            KeyColumn {
                name: "i".to_owned(),
                value: Value::Integer(i),
            },
        ],
        columns,
    }
}

fn cell(name: &str, value: Value, timestamp: Option<i64>) -> Cell {
    Cell {
        name: name.to_owned(),
        value,
        timestamp,
    }
}

fn newest_only(mut row: Row) -> Row {
    row.columns
        .dedup_by(|later, first| later.name == first.name);
    row
}

fn columns_of(row: &Row, names: &[&str]) -> Row {
    row.clone().with_columns(names)
}

fn indexed_columns(fixture: &Fixture, row: &Row) -> Row {
    let names: Vec<&str> = fixture.index.fields.iter().map(|f| f.name).collect();
    columns_of(row, &names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_row_a_changed_value_and_a_wrong_version_are_noticed() {
        let expected = versions_rows(1000);
        let difference = |found: &[Row]| first_difference(&expected, found, row_matches);
        assert_eq!(difference(&expected), None);
        assert!(difference(&expected[1..]).is_some());
        assert_eq!(difference(&expected[..4]).unwrap(), "4 rows, expected 5");
        let mut changed = expected.clone();
        changed[0].columns[0].value = Value::double(1.0);
        assert!(difference(&changed).is_some());
        let mut later = expected.clone();
        later[3].columns[0].timestamp = Some(1003);
        assert!(difference(&later).is_some());
        let mut chosen_by_the_service = expected.clone();
        chosen_by_the_service[0].columns[0].timestamp = Some(5);
        assert_eq!(difference(&chosen_by_the_service), None);
    }
}
