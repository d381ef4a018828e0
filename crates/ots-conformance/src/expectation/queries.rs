//! The named queries of the search step, as predicates over the fixture's rows.

use crate::canonical::{Row, Value};

/// The named queries of the step `search_queries` and the rows that each must find.
pub(crate) fn queries(bulk: &[Row]) -> Vec<(&'static str, Vec<Row>)> {
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

pub(super) fn select(rows: &[Row], holds: impl Fn(&Row) -> bool) -> Vec<Row> {
    rows.iter().filter(|row| holds(row)).cloned().collect()
}

pub(super) fn integer(row: &Row, name: &str) -> i64 {
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

pub(super) fn flag(row: &Row) -> bool {
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
    fn every_query_fits_one_page_of_a_search() {
        for (name, rows) in queries(crate::fixture::Fixture::new("t").rows("bulk")) {
            assert!(rows.len() <= 100, "{name} finds {} rows", rows.len());
            assert_eq!(rows.is_empty(), name == "nothing", "{name}");
        }
    }
}
