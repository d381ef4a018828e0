//! Results found by their names.

use std::fmt;

/// A result that isn't there, or is of another kind than was asked for.
///
/// ```
/// use ots_proto::search::{AggregationResult, AggregationResults};
///
/// let results = AggregationResults::new().with("price", AggregationResult::Sum(Some(7.5)));
/// assert_eq!(results.sum("price")?, Some(7.5));
/// let error = results.avg("price").unwrap_err();
/// assert_eq!(error.to_string(), "aggregation \"price\" is of kind sum, not avg");
/// let error = results.avg("weight").unwrap_err();
/// assert_eq!(error.to_string(), "there is no result of aggregation \"weight\"");
/// # Ok::<(), ots_proto::search::LookupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// No result has this name.
    NotFound {
        /// `aggregation` or `group-by`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The result of this name is of another kind.
    WrongKind {
        /// `aggregation` or `group-by`.
        what: &'static str,
        /// The name.
        name: String,
        /// The kind that was asked for.
        asked: &'static str,
        /// The kind it is of.
        found: &'static str,
    },
}

impl std::error::Error for LookupError {}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { what, name } => write!(f, "there is no result of {what} {name:?}"),
            Self::WrongKind {
                what,
                name,
                asked,
                found,
            } => write!(f, "{what} {name:?} is of kind {found}, not {asked}"),
        }
    }
}
