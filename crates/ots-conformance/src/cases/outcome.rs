//! How cases went.

use std::fmt;

/// How one case went with one SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// As it must.
    Passed,
    /// Otherwise, and why.
    Failed(String),
    /// The SDK cannot do it, as its driver's list says.
    Unsupported(String),
    /// It needs what this place doesn't have.
    Left(String),
}

/// How all cases went with one SDK.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Who did them.
    pub sdk: String,
    /// File, case and outcome, in order.
    pub outcomes: Vec<(String, String, Outcome)>,
}

impl Tally {
    /// How many there are of one kind.
    fn count(&self, kind: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|(_, _, outcome)| kind(outcome))
            .count()
    }

    /// Cases that went as they must.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Passed))
    }

    /// Cases that didn't, each with its reason.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failures = self
            .outcomes
            .iter()
            .filter_map(|(file, case, outcome)| match outcome {
                Outcome::Failed(why) => Some(format!("{file}/{case}: {why}")),
                _ => None,
            });
        failures.collect()
    }
}

/// One line as a test runner writes it, then a line for every reason why a case is left out.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsupported = self.count(|outcome| matches!(outcome, Outcome::Unsupported(_)));
        let left = self.count(|outcome| matches!(outcome, Outcome::Left(_)));
        write!(
            f,
            "cases: {}: {} passed, {} failed, {unsupported} unsupported, {left} left out of {}",
            self.sdk,
            self.passed(),
            self.failures().len(),
            self.outcomes.len()
        )?;
        let mut reasons = std::collections::BTreeMap::<&str, usize>::new();
        for (_, _, outcome) in &self.outcomes {
            if let Outcome::Unsupported(why) | Outcome::Left(why) = outcome {
                *reasons.entry(why).or_default() += 1;
            }
        }
        for (why, cases) in reasons {
            write!(f, "\n  {cases} not run: {why}")?;
        }
        Ok(())
    }
}
