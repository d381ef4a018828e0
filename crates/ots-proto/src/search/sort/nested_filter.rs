//! Which inner rows count.

use super::super::error::SearchError;
use super::super::query::Query;
use super::super::wire::required;
use crate::messages;

/// Which of the inner rows of a NESTED field count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NestedFilter {
    /// The NESTED field.
    pub path: String,
    /// What an inner row must match.
    pub filter: Query,
}

impl NestedFilter {
    /// The inner rows of `path` that match `filter`.
    #[must_use]
    pub fn new(path: impl Into<String>, filter: impl Into<Query>) -> Self {
        Self {
            path: path.into(),
            filter: filter.into(),
        }
    }

    pub(super) fn to_message(&self) -> messages::NestedFilter {
        messages::NestedFilter {
            path: Some(self.path.clone()),
            filter: Some(self.filter.to_message()),
        }
    }

    pub(super) fn optional(
        message: Option<&messages::NestedFilter>,
        depth: usize,
    ) -> Result<Option<Box<Self>>, SearchError> {
        let Some(message) = message else {
            return Ok(None);
        };
        let read = || {
            let filter = message.filter.as_ref();
            let filter = filter.ok_or_else(|| SearchError::missing("filter"))?;
            Ok(Box::new(Self {
                path: required("path", message.path.clone())?,
                filter: Query::from_message_at(filter, depth)?,
            }))
        };
        let read = read().map_err(|error: SearchError| error.within("nested filter"));
        read.map(Some)
    }
}
