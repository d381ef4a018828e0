//! The facts that every driver must report.

use serde_json::{Value as Json, json};

use super::queries::queries;
use crate::fixture::{BULK_ROWS, Fixture, MANY_ROWS};

/// Every expected fact must be there; others may be.
pub(super) fn check_facts(step: &str, found: &Json, expected: &Json, faults: &mut Vec<String>) {
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

pub(super) fn expected_facts(fixture: &Fixture, splits: u32) -> Vec<(&'static str, Json)> {
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
pub(super) fn check_scan_pages(facts: &Json, splits: u32, faults: &mut Vec<String>) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
