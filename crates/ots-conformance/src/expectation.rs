//! What every driver must report, worked out from the fixture alone.
//!
//! The drivers check what they read as well, each in its own language; here the same claims are made
//! once more for all, so that a driver with a lax check is noticed.

use serde_json::{Value as Json, json};

use crate::canonical::{Cell, KeyColumn, Row, Value};
use crate::fixture::{BULK_ROWS, Fixture, MANY_ROWS};
use crate::report::{Report, RowSet};

/// The steps that every driver must have run, in their order.
pub const REQUIRED_STEPS: &[&str] = &[
    "create_tables",
    "list_tables",
    "describe_tables",
    "delete_table",
    "put_rows",
    "get_rows",
    "update_row",
    "conditions",
    "delete_row",
    "batch_write",
    "batch_get",
    "range_forward",
    "range_backward",
    "range_columns",
    "range_filter",
    "range_natural",
    "index_create",
    "index_list",
    "index_describe",
    "index_delete",
    "search_pages",
    "search_queries",
    "scan_splits",
    "scan_all",
    "scan_query",
    "error_secret",
    "error_table",
    "error_index",
    "error_request",
    "final_tables",
];

/// Roles of the tables that are left at the end of a run, each in a row set `final_{role}`.
pub const FINAL_TABLES: &[&str] = &["types", "binary", "versions", "bulk", "many"];

/// Compares a report with what the fixture demands; one sentence for every fault.
#[must_use]
pub fn check(fixture: &Fixture, splits: u32, report: &Report) -> Vec<String> {
    let mut faults = Vec::new();
    check_steps(report, &mut faults);
    for (step, expected) in expected_facts(fixture, splits) {
        if let Some(found) = report.step(step)
            && found.failure.is_none()
        {
            check_facts(step, &found.facts, &expected, &mut faults);
        }
    }
    if let Some(scan) = report.step("scan_all") {
        check_scan_pages(&scan.facts, splits, &mut faults);
    }
    for expected in expected_rows(fixture) {
        match report.row_sets.get(&expected.name) {
            Some(found) => expected.check(found, &mut faults),
            None => faults.push(format!("the row set {} is missing", expected.name)),
        }
    }
    faults
}

fn check_steps(report: &Report, faults: &mut Vec<String>) {
    for name in REQUIRED_STEPS {
        match report.step(name) {
            None => faults.push(format!("the step {name} is missing")),
            Some(step) => {
                if let Some(reason) = &step.failure {
                    faults.push(format!("the step {name} failed: {reason}"));
                }
            }
        }
    }
    for step in &report.steps {
        if !REQUIRED_STEPS.contains(&step.name.as_str()) {
            faults.push(format!(
                "the step {} is not part of the contract",
                step.name
            ));
        }
    }
}

/// Every expected fact must be there; others may be.
fn check_facts(step: &str, found: &Json, expected: &Json, faults: &mut Vec<String>) {
    let Some(expected) = expected.as_object() else {
        return;
    };
    for (name, value) in expected {
        let reported = found.get(name).unwrap_or(&Json::Null);
        if reported != value {
            faults.push(format!(
                "{step} reports {name} {reported} instead of {value}"
            ));
        }
    }
}

fn expected_facts(fixture: &Fixture, splits: u32) -> Vec<(&'static str, Json)> {
    let error = |status: u16, code: &str| json!({"status": status, "code": code});
    let exists = error(409, "OTSObjectAlreadyExist");
    let absent = error(404, "OTSObjectNotExist");
    let condition = error(403, "OTSConditionCheckFail");
    let auth = error(403, "OTSAuthFailed");
    let parameter = error(400, "OTSParameterInvalid");
    let key = error(400, "OTSInvalidPK");
    let meta = error(400, "OTSMetaNotMatch");

    let mut names: Vec<&str> = fixture.tables.iter().map(|t| t.name.as_str()).collect();
    names.sort_unstable();
    let index = fixture.index.name;
    let mut indexes = [index, "passing_index"];
    indexes.sort_unstable();
    let totals: serde_json::Map<String, Json> = queries(fixture.rows("bulk"))
        .into_iter()
        .map(|(name, rows)| (name.to_owned(), json!(rows.len())))
        .collect();

    vec![
        ("create_tables", json!({"errors": {"create_again": exists}})),
        ("list_tables", json!({"tables": names})),
        (
            "describe_tables",
            json!({"tables": described_tables(fixture)}),
        ),
        (
            "delete_table",
            json!({"errors": {"describe_deleted": absent}}),
        ),
        (
            "conditions",
            json!({"errors": {
                "put_existing": condition,
                "update_absent": condition,
                "delete_absent": condition,
                "column_differs": condition,
                "column_of_other_type": condition,
                "column_missing": condition,
            }}),
        ),
        (
            "batch_write",
            json!({"results": ["ok", "ok", "ok", "OTSConditionCheckFail"]}),
        ),
        (
            "batch_get",
            json!({"absent_bulk": [0, BULK_ROWS / 10 + 1], "absent_types": []}),
        ),
        ("range_forward", json!({"pages": [60, 60, 60, 60, 10]})),
        ("range_backward", json!({"pages": [90, 90, 70]})),
        ("range_columns", json!({"pages": vec![10; 25]})),
        ("range_natural", json!({"pages": [5000, MANY_ROWS - 5000]})),
        ("index_list", json!({"indexes": indexes})),
        ("index_describe", json!({"fields": fixture.index.fields})),
        ("index_delete", json!({"indexes": [index]})),
        (
            "search_pages",
            json!({"pages": [60, 60, 60, 60, 10], "total": BULK_ROWS, "uncounted": -1}),
        ),
        ("search_queries", json!({"totals": totals})),
        ("scan_splits", json!({"splits": splits})),
        ("scan_query", json!({"pages": [[20, 20, 10, 0]]})),
        (
            "error_secret",
            json!({"errors": {"list": auth, "get": auth}}),
        ),
        (
            "error_table",
            json!({"errors": {
                "describe": absent,
                "delete": absent,
                "get": absent,
                "put": absent,
                "range": absent,
                "batch_write": absent,
            }}),
        ),
        (
            "error_index",
            json!({"errors": {"search": meta, "splits": meta}}),
        ),
        (
            "error_request",
            json!({"errors": {
                "table_name": parameter,
                "key_name": key,
                "key_type": key,
                "range_order": parameter,
            }}),
        ),
    ]
}

fn described_tables(fixture: &Fixture) -> Json {
    let tables: serde_json::Map<String, Json> = fixture
        .tables
        .iter()
        .map(|table| {
            let description = json!({
                "primary_key": table.primary_key,
                "max_versions": table.max_versions,
                "time_to_live": -1,
            });
            (table.role.to_owned(), description)
        })
        .collect();
    Json::Object(tables)
}

/// The pages of every split: full to the limit or less, then an empty one; all rows between them.
fn check_scan_pages(facts: &Json, splits: u32, faults: &mut Vec<String>) {
    let reported = facts.get("pages").cloned().unwrap_or_default();
    let Ok(pages) = serde_json::from_value::<Vec<Vec<usize>>>(reported) else {
        faults.push("scan_all reports no pages".to_owned());
        return;
    };
    if pages.len() != usize::try_from(splits).unwrap_or(usize::MAX) {
        faults.push(format!(
            "scan_all read {} shares of {splits} splits",
            pages.len()
        ));
    }
    for (share, counts) in pages.iter().enumerate() {
        let well_formed = counts.split_last().is_some_and(|(last, others)| {
            *last == 0 && others.iter().all(|count| (1..=7).contains(count))
        });
        if !well_formed {
            faults.push(format!(
                "share {share} of scan_all has the pages {counts:?}: expected 1 to 7 rows in each, \
                 then an empty one"
            ));
        }
    }
    let rows: usize = pages.iter().flatten().sum();
    if rows != BULK_ROWS {
        faults.push(format!("scan_all read {rows} rows of {BULK_ROWS}"));
    }
}

/// A row set that every driver must report.
struct ExpectedRows {
    name: String,
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
    fn check(&self, found: &RowSet, faults: &mut Vec<String>) {
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

fn expected_rows(fixture: &Fixture) -> Vec<ExpectedRows> {
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

/// The named queries of the step `search_queries` and the rows that each must find.
fn queries(bulk: &[Row]) -> Vec<(&'static str, Vec<Row>)> {
    let number = |row: &Row| integer(row, "n");
    let keyword = |row: &Row| text(row, "kw").unwrap_or_default().to_owned();
    let optional = |row: &Row| text(row, "opt").is_some();
    vec![
        ("term", select(bulk, |row| keyword(row) == "k3")),
        ("term_chinese", select(bulk, |row| keyword(row) == "表格")),
        (
            "terms",
            select(bulk, |row| [1, 100, 249].contains(&number(row))),
        ),
        (
            "range",
            select(bulk, |row| (100..150).contains(&number(row))),
        ),
        (
            "range_double",
            select(bulk, |row| (-1.5..=1.5).contains(&double(row, "d"))),
        ),
        ("range_key", select(bulk, |row| number(row) % 50 > 48)),
        (
            "prefix",
            select(bulk, |row| {
                text(row, "opt").is_some_and(|opt| opt.starts_with("o1"))
            }),
        ),
        ("exists", select(bulk, optional)),
        (
            "match",
            select(bulk, |row| {
                text(row, "note").is_some_and(|note| note.contains("beta"))
            }),
        ),
        (
            "bool_must",
            select(bulk, |row| {
                flag(row) && number(row) < 90 && keyword(row) != "k1"
            }),
        ),
        (
            "bool_should",
            select(bulk, |row| {
                number(row) < 100 && (keyword(row) == "k2" || optional(row))
            }),
        ),
        ("nothing", Vec::new()),
    ]
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

fn select(rows: &[Row], holds: impl Fn(&Row) -> bool) -> Vec<Row> {
    rows.iter().filter(|row| holds(row)).cloned().collect()
}

fn columns_of(row: &Row, names: &[&str]) -> Row {
    row.clone().with_columns(names)
}

fn indexed_columns(fixture: &Fixture, row: &Row) -> Row {
    let names: Vec<&str> = fixture.index.fields.iter().map(|f| f.name).collect();
    columns_of(row, &names)
}

fn integer(row: &Row, name: &str) -> i64 {
    match row.column(name) {
        Some(Value::Integer(value)) => *value,
        _ => i64::MIN,
    }
}

fn double(row: &Row, name: &str) -> f64 {
    match row.column(name) {
        Some(Value::Double(bits)) => f64::from_bits(*bits),
        _ => f64::NAN,
    }
}

fn flag(row: &Row) -> bool {
    row.column("flag") == Some(&Value::Boolean(true))
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    match row.column(name) {
        Some(Value::String(value)) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_driver_lacks_every_step_and_row_set() {
        let fixture = Fixture::new("t");
        let faults = check(&fixture, 2, &Report::default());
        for name in REQUIRED_STEPS {
            assert!(faults.contains(&format!("the step {name} is missing")));
        }
        for name in FINAL_TABLES {
            assert!(faults.contains(&format!("the row set final_{name} is missing")));
        }
    }

    #[test]
    fn every_query_fits_one_page_of_a_search() {
        for (name, rows) in queries(Fixture::new("t").rows("bulk")) {
            assert!(rows.len() <= 100, "{name} finds {} rows", rows.len());
            assert_eq!(rows.is_empty(), name == "nothing", "{name}");
        }
    }

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

    #[test]
    fn pages_of_a_scan_end_with_an_empty_one() {
        let faults = |pages: Json, splits| {
            let mut faults = Vec::new();
            check_scan_pages(&json!({"pages": pages}), splits, &mut faults);
            faults
        };
        let mut full = vec![7; 35];
        full.extend([5, 0]);
        assert_eq!(faults(json!([full, [0]]), 2), Vec::<String>::new());
        assert_eq!(faults(json!([full]), 2).len(), 1, "a share is missing");
        full.pop();
        assert_eq!(faults(json!([full]), 1).len(), 1, "no empty page");
        assert_eq!(faults(json!("none"), 1).len(), 1);
    }
}
