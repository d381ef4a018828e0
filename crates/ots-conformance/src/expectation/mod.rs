//! What every driver must report, worked out from the fixture alone.
//!
//! The drivers check what they read as well, each in its own language; here the same claims are made
//! once more for all, so that a driver with a lax check is noticed.

mod facts;
pub(crate) mod queries;
mod rows;

use facts::{check_facts, check_scan_pages, expected_facts};
use rows::expected_rows;

use crate::fixture::Fixture;
use crate::report::Report;

pub(crate) use rows::first_difference;

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
}
