//! The rows that every driver writes.
//!
//! One fixture serves all languages, so a new driver translates values and invents none, and what each
//! one reads can be compared here with what it was given.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::canonical::{Cell, KeyColumn, Row, Value};

/// What a driver is given: tables to create, rows to write, names to use.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Fixture {
    /// Every table, in the order in which they are created.
    pub tables: Vec<Table>,
    /// The search index on the table with the role `bulk`.
    pub index: Index,
    /// Where the explicit versions of the update steps begin, in milliseconds: an hour ago.
    pub base_version_ms: i64,
}

/// A table of the fixture.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Table {
    /// What the steps call it.
    pub role: &'static str,
    /// What the service calls it.
    pub name: String,
    /// Key columns in order.
    pub primary_key: Vec<KeyColumnSchema>,
    /// Versions kept of a column.
    pub max_versions: u32,
    /// Rows in key order. Drivers write them last row first, so that the order they come back in is
    /// the service's.
    pub rows: Vec<Row>,
}

/// A key column of a table.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct KeyColumnSchema {
    /// Name of the key column.
    pub name: &'static str,
    /// `string`, `integer` or `binary`.
    #[serde(rename = "type")]
    pub key_type: &'static str,
}

/// The search index of the fixture.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its fields, in order.
    pub fields: Vec<IndexField>,
}

/// A field of the search index. All are indexed and stored.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct IndexField {
    /// Name of the table's column.
    pub name: &'static str,
    /// `long`, `double`, `boolean`, `keyword` or `text`.
    #[serde(rename = "type")]
    pub field_type: &'static str,
}

/// Rows of the table with the role `bulk`.
pub const BULK_ROWS: usize = 250;
/// Rows of the table with the role `many`: more than one page of 5,000 rows.
pub const MANY_ROWS: usize = 5050;

impl Fixture {
    /// The fixture, with tables whose names begin with `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        let table =
            |role, primary_key: &[(&'static str, &'static str)], max_versions, rows| Table {
                role,
                name: format!("{prefix}_{role}"),
                primary_key: primary_key
                    .iter()
                    .map(|&(name, key_type)| KeyColumnSchema { name, key_type })
                    .collect(),
                max_versions,
                rows,
            };
        Self {
            tables: vec![
                table("types", TWO_KEYS, 1, types_rows()),
                table("binary", &[("b", "binary")], 1, binary_rows()),
                table("versions", TWO_KEYS, 5, Vec::new()),
                table("bulk", BULK_KEYS, 1, bulk_rows()),
                table("many", TWO_KEYS, 1, many_rows()),
                table("scratch", TWO_KEYS, 1, Vec::new()),
            ],
            index: Index {
                name: "bulk_index",
                fields: INDEX_FIELDS
                    .iter()
                    .map(|&(name, field_type)| IndexField { name, field_type })
                    .collect(),
            },
            base_version_ms: an_hour_ago_ms(),
        }
    }

    /// The table with a role.
    #[must_use]
    pub fn table(&self, role: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.role == role)
    }

    /// Rows of the table with a role; none for an unknown role.
    #[must_use]
    pub fn rows(&self, role: &str) -> &[Row] {
        self.table(role).map_or(&[], |table| &table.rows)
    }
}

const TWO_KEYS: &[(&str, &str)] = &[("s", "string"), ("i", "integer")];
const BULK_KEYS: &[(&str, &str)] = &[("g", "string"), ("i", "integer")];

const INDEX_FIELDS: &[(&str, &str)] = &[
    ("g", "keyword"),
    ("i", "long"),
    ("d", "double"),
    ("flag", "boolean"),
    ("kw", "keyword"),
    ("n", "long"),
    ("note", "text"),
    ("opt", "keyword"),
];

/// One row or more for every type, extremes included, under keys whose order is easy to get wrong.
fn types_rows() -> Vec<Row> {
    let integer = |name: &str, value| cell(name, Value::Integer(value));
    let double = |name: &str, value| cell(name, Value::double(value));
    let string = |name: &str, value: &str| cell(name, Value::String(value.to_owned()));
    let binary = |name: &str, value: &[u8]| cell(name, Value::Binary(value.to_vec()));
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    vec![
        row(
            two_keys("", i64::MIN),
            vec![
                integer("max", i64::MAX),
                integer("min", i64::MIN),
                integer("minus", -1),
                integer("over_2_53", 9_007_199_254_740_993),
                integer("zero", 0),
            ],
        ),
        row(
            two_keys("a", -1),
            vec![
                double("max", f64::MAX),
                double("min", f64::MIN),
                double("negative_zero", -0.0),
                double("subnormal", f64::from_bits(1)),
                double("tenth", 0.1),
                double("whole", 3.0),
                double("zero", 0.0),
            ],
        ),
        row(
            two_keys("a", 0),
            vec![
                cell("no", Value::Boolean(false)),
                cell("yes", Value::Boolean(true)),
            ],
        ),
        row(
            two_keys("a", 1),
            vec![
                string("ascii", "plain"),
                string("chinese", "表格存储，你好"),
                string(
                    "controls",
                    "nul \u{0} tab \t newline \n quote \" backslash \\",
                ),
                string("crab", "🦀 beyond the basic plane"),
                string("empty", ""),
            ],
        ),
        row(
            two_keys("a", i64::MAX),
            vec![
                binary("all", &all_bytes),
                binary("empty", &[]),
                binary("not_utf8", &[0xff, 0xfe, 0x80]),
            ],
        ),
        // A column's type is free from row to row.
        row(
            two_keys("a\u{0}", 0),
            vec![
                cell("max", Value::Boolean(true)),
                string("min", "text here"),
                double("zero", 0.5),
            ],
        ),
        row(two_keys("中文", 7), vec![integer("zero", 7)]),
        // In UTF-8 the full-width letter comes before the crab, in UTF-16 after it.
        row(two_keys("ｚ", 1), vec![integer("zero", 8)]),
        // No attribute column at all.
        row(two_keys("🦀", 1), Vec::new()),
    ]
}

fn binary_rows() -> Vec<Row> {
    let keys: [&[u8]; 7] = [
        &[],
        &[0x00],
        &[0x00, 0xff],
        &[0x61],
        &[0x7f, 0x80],
        &[0x80],
        &[0xff, 0xff],
    ];
    keys.iter()
        .map(|key| {
            let key_column = KeyColumn {
                name: "b".to_owned(),
                value: Value::Binary(key.to_vec()),
            };
            row(
                vec![key_column],
                vec![cell("hex", Value::String(hex::encode(key)))],
            )
        })
        .collect()
}

/// Five groups of fifty rows, with something for every kind of query.
fn bulk_rows() -> Vec<Row> {
    (0..BULK_ROWS)
        .map(|index| {
            let n = i64::try_from(index).unwrap_or(i64::MAX);
            let key = vec![
                KeyColumn {
                    name: "g".to_owned(),
                    value: Value::String(format!("g{}", n / 50)),
                },
                KeyColumn {
                    name: "i".to_owned(),
                    value: Value::Integer(n % 50),
                },
            ];
            let keyword = match n % 8 {
                7 => "表格".to_owned(),
                kind => format!("k{kind}"),
            };
            let note = match n % 25 {
                0 => "alpha beta",
                5 => "beta gamma",
                _ => "delta",
            };
            let mut cells = vec![
                cell("blob", Value::Binary(n.to_be_bytes().to_vec())),
                cell("d", Value::double(quarter(n))),
                cell("flag", Value::Boolean(n % 3 == 0)),
                cell("kw", Value::String(keyword)),
                cell("n", Value::Integer(n)),
                cell("note", Value::String(note.to_owned())),
            ];
            if n % 7 == 0 {
                cells.push(cell("opt", Value::String(format!("o{n}"))));
            }
            row(key, cells)
        })
        .collect()
}

/// Doubles from -10 upwards in exact steps.
fn quarter(n: i64) -> f64 {
    f64::from(i32::try_from(n).unwrap_or(i32::MAX)) / 4.0 - 10.0
}

fn many_rows() -> Vec<Row> {
    (0..MANY_ROWS)
        .map(|index| {
            let n = i64::try_from(index).unwrap_or(i64::MAX);
            row(two_keys("m", n), vec![cell("v", Value::Integer(-n))])
        })
        .collect()
}

fn two_keys(s: &str, i: i64) -> Vec<KeyColumn> {
    vec![
        KeyColumn {
            name: "s".to_owned(),
            value: Value::String(s.to_owned()),
        },
        KeyColumn {
            name: "i".to_owned(),
            value: Value::Integer(i),
        },
    ]
}

fn cell(name: &str, value: Value) -> Cell {
    Cell {
        name: name.to_owned(),
        value,
        timestamp: None,
    }
}

fn row(primary_key: Vec<KeyColumn>, columns: Vec<Cell>) -> Row {
    Row {
        primary_key,
        columns,
    }
}

fn an_hour_ago_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX) - 3_600_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_key_order_and_cells_in_name_order() {
        for table in Fixture::new("t").tables {
            assert!(
                table
                    .rows
                    .is_sorted_by(|a, b| a.key_order(b) == std::cmp::Ordering::Less),
                "{}",
                table.role
            );
            for row in &table.rows {
                assert!(row.columns.is_sorted_by(|a, b| a.name < b.name), "{row:?}");
            }
        }
    }
}
