//! Rules as JSON, from a file or the admin API.
//!
//! A rule that can never be due is a mistake in a test that would go on to pass for the wrong
//! reason, so it is refused.

use std::fmt;

use ots_proto::operation;
use serde_json::Value;

use super::{FaultAction, FaultRule};

impl FaultRule {
    /// Reads one rule, or a list of them.
    ///
    /// ```
    /// use ots_emulator::FaultRule;
    ///
    /// let rules = FaultRule::list_from_json(
    ///     r#"[{"match": {"op": "PutRow", "nth": 3}, "do": "drop_after"},
    ///         {"match": {"prob": 0.01}, "do": {"error": {"http": 503, "code": "OTSServerBusy"}}}]"#,
    /// )?;
    /// assert_eq!(rules.len(), 2);
    ///
    /// let error = FaultRule::list_from_json(r#"{"match": {"op": "PutRows"}, "do": "drop_after"}"#);
    /// assert_eq!(error.unwrap_err().to_string(), "rule 1: there is no operation PutRows");
    /// # Ok::<(), ots_emulator::FaultRuleError>(())
    /// ```
    ///
    /// # Errors
    /// When it isn't the JSON it should be, and when a rule can never be due: an operation that
    /// doesn't exist, a zeroth request, limits without a limit, no times at all, a probability outside 0 to 1; and when a
    /// status is none of an error.
    pub fn list_from_json(json: impl AsRef<[u8]>) -> Result<Vec<Self>, FaultRuleError> {
        let value: Value = serde_json::from_slice(json.as_ref())
            .map_err(|error| FaultRuleError(format!("the rules aren't JSON: {error}")))?;
        let rules = match value {
            Value::Array(rules) => rules,
            one => vec![one],
        };
        let numbered = (1..).zip(rules);
        numbered
            .map(|(number, rule)| {
                let at = |complaint| FaultRuleError(format!("rule {number}: {complaint}"));
                let rule: Self =
                    serde_json::from_value(rule).map_err(|error| at(error.to_string()))?;
                rule.check().map_err(at)?;
                Ok(rule)
            })
            .collect()
    }

    /// What is wrong with a rule that is right as JSON.
    fn check(&self) -> Result<(), String> {
        let matches = &self.matches;
        if let Some(name) = &matches.operation
            && !operation::ALL.iter().any(|(known, _)| known == name)
        {
            return Err(format!("there is no operation {name}"));
        }
        if matches.nth == Some(0) {
            return Err("nth counts from 1".to_owned());
        }
        if self.times == Some(0) {
            return Err("times counts from 1".to_owned());
        }
        if let Some(probability) = matches.probability
            && !(0.0..=1.0).contains(&probability)
        {
            return Err(format!("prob is from 0 to 1, not {probability}"));
        }
        let without_limits = FaultAction::LimitUnits {
            read: None,
            write: None,
        };
        if self.action == without_limits {
            return Err("limit_units says neither read nor write".to_owned());
        }
        if let FaultAction::Error { status, .. } = &self.action
            && !(400..600).contains(status)
        {
            return Err(format!("http is from 400 to 599, not {status}"));
        }
        Ok(())
    }
}

/// Why rules can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRuleError(String);

impl fmt::Display for FaultRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultRuleError {}

/// The service's sentence for a code that says nothing of the request.
pub(crate) fn sentence_of(code: &str) -> &'static str {
    match code {
        "OTSInternalServerError" => "Internal server error.",
        "OTSServerBusy" => "Server is busy.",
        "OTSPartitionUnavailable" => "The partition is not available.",
        "OTSTimeout" => "Operation timeout.",
        "OTSServerUnavailable" => "Server is not available.",
        "OTSTableNotReady" => "The table is not ready.",
        "OTSNotEnoughCapacityUnit" => "Remaining capacity unit is not enough.",
        "OTSCapacityUnitExhausted" => "Capacity unit is not enough.",
        "OTSRowOperationConflict" => "Data is being modified by the other request.",
        "OTSQuotaExhausted" => "Too frequent table operations.",
        "OTSConditionCheckFail" => "Condition check failed.",
        "OTSRequestTimeout" => "Request timeout.",
        "OTSSessionExpired" => {
            "ScanQuery'session is expired, please retry ComputeSplitsRequest and ScanQuery."
        }
        _ => "A fault rule of the emulator asked for this error.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_can_never_be_due_is_refused() {
        for (json, said) in [
            (
                r#"{"do": "drop_after", "match": {"nth": 0}}"#,
                "rule 1: nth counts from 1",
            ),
            (
                r#"{"do": {"limit_units": {}}}"#,
                "rule 1: limit_units says neither read nor write",
            ),
            (
                r#"{"do": "drop_after", "times": 0}"#,
                "rule 1: times counts from 1",
            ),
            (
                r#"[{"do": "drop_after"}, {"do": "drop_after", "match": {"prob": 1.5}}]"#,
                "rule 2: prob is from 0 to 1, not 1.5",
            ),
            (
                r#"{"do": {"error": {"http": 200, "code": "OTSServerBusy"}}}"#,
                "rule 1: http is from 400 to 599, not 200",
            ),
            (
                r#"[{"do": "drop_after", "match": {"operation": "GetRow"}}]"#,
                "rule 1: unknown field `operation`, expected one of `op`, `table`, `index`, `split`, \
                 `nth`, `prob`",
            ),
            (
                "[7]",
                "rule 1: invalid type: integer `7`, expected struct FaultRule",
            ),
        ] {
            assert_eq!(
                FaultRule::list_from_json(json).unwrap_err().to_string(),
                said
            );
        }
        let error = FaultRule::list_from_json("{").unwrap_err().to_string();
        assert!(error.starts_with("the rules aren't JSON: "), "{error}");
        assert_eq!(FaultRule::list_from_json("[]").unwrap(), []);
    }
}
