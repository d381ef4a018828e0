//! What a driver printed: one JSON line per step and per row set.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::canonical::Row;
use crate::error::{Error, ErrorKind};

/// Everything a driver said in one run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Steps in the order in which they ran.
    pub steps: Vec<Step>,
    /// Rows that were read, by the name of the row set.
    pub row_sets: BTreeMap<String, RowSet>,
}

/// One step of a driver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Why it failed; `None` if it did not.
    pub failure: Option<String>,
    /// What else it found out.
    pub facts: serde_json::Value,
}

/// Rows that a driver read in one go.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RowSet {
    /// Role of the table they come from.
    pub table: String,
    /// The rows in the order in which they came.
    pub rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Step {
        step: String,
        ok: bool,
        reason: Option<String>,
        #[serde(default)]
        facts: serde_json::Value,
    },
    RowSet {
        row_set: String,
        table: String,
        rows: Vec<Row>,
    },
}

impl Report {
    /// Reads the lines of a driver.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Report`] for a line that is neither a step nor a row set, for a step or row set
    /// that comes twice, and for a failed step without a reason.
    pub fn parse(lines: &str) -> Result<Self, Error> {
        let mut report = Self::default();
        for (index, line) in lines.lines().enumerate() {
            let number = index + 1;
            let parsed = serde_json::from_str(line).map_err(|e| {
                let start: String = line.chars().take(200).collect();
                let message = format!("line {number} is not part of the contract: {start}");
                Error::because(ErrorKind::Report, message, e)
            })?;
            report
                .take(parsed)
                .map_err(|what| Error::new(ErrorKind::Report, format!("line {number}: {what}")))?;
        }
        Ok(report)
    }

    fn take(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Step {
                step,
                ok,
                reason,
                facts,
            } => {
                if self.step(&step).is_some() {
                    return Err(format!("the step {step} comes twice"));
                }
                let failure = match (ok, reason) {
                    (true, _) => None,
                    (false, Some(reason)) => Some(reason),
                    (false, None) => return Err(format!("{step} failed without a reason")),
                };
                self.steps.push(Step {
                    name: step,
                    failure,
                    facts,
                });
            }
            Line::RowSet {
                row_set,
                table,
                rows,
            } => {
                if self.row_sets.contains_key(&row_set) {
                    return Err(format!("the row set {row_set} comes twice"));
                }
                self.row_sets.insert(row_set, RowSet { table, rows });
            }
        }
        Ok(())
    }

    /// A step by its name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_row_sets_are_told_apart() {
        let report = Report::parse(concat!(
            r#"{"row_set":"all","table":"bulk","rows":[{"primary_key":[],"columns":[]}]}"#,
            "\n",
            r#"{"step":"one","ok":true,"facts":{"pages":[1]}}"#,
            "\n",
            r#"{"step":"two","ok":false,"reason":"no answer"}"#,
        ))
        .unwrap();
        assert_eq!(report.row_sets["all"].rows.len(), 1);
        assert_eq!(report.step("one").unwrap().facts["pages"][0], 1);
        assert_eq!(
            report.step("two").unwrap().failure.as_deref(),
            Some("no answer")
        );
    }

    #[test]
    fn anything_else_on_standard_output_is_refused_with_its_line() {
        let cases = [
            ("warning: hm", "line 1 is not part of the contract"),
            (r#"{"step":"a","ok":false}"#, "line 1: a failed without"),
            (
                "{\"step\":\"a\",\"ok\":true}\n{\"step\":\"a\",\"ok\":true}",
                "line 2: the step a comes twice",
            ),
            (
                r#"{"row_set":"r","table":"t","rows":[{"primary_key":[{"name":"k","value":{"type":"integer","value":1}}],"columns":[]}]}"#,
                "line 1 is not part of the contract",
            ),
        ];
        for (lines, message) in cases {
            let error = Report::parse(lines).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Report);
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }
}
