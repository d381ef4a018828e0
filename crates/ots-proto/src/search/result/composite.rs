//! One page of the groups of a composite.

use super::super::error::SearchError;
use super::group::Group;
use super::group_by::{read, write};
use crate::messages;

/// One page of the groups of a composite.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CompositePage {
    /// The names of the sources, in the order of the keys.
    pub source_names: Vec<String>,
    /// The groups. Of the keys, one for each source, none is a null.
    pub groups: Vec<Group<Vec<Option<String>>>>,
    /// What to ask the next page with; none after the last. A page without groups may have one.
    pub next_token: Option<String>,
}

impl CompositePage {
    /// A page without groups, of sources of these names.
    #[must_use]
    pub fn new<N: Into<String>>(source_names: impl IntoIterator<Item = N>) -> Self {
        Self {
            source_names: source_names.into_iter().map(Into::into).collect(),
            groups: Vec::new(),
            next_token: None,
        }
    }

    pub(super) fn to_message(&self) -> Result<messages::GroupByCompositeResult, SearchError> {
        self.check()?;
        Ok(messages::GroupByCompositeResult {
            group_by_composite_result_items: write(&self.groups)?,
            source_group_by_names: self.source_names.clone(),
            next_token: self.next_token.clone(),
        })
    }

    pub(super) fn from_message_at(
        message: messages::GroupByCompositeResult,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let page = Self {
            source_names: message.source_group_by_names,
            groups: read(message.group_by_composite_result_items, depth)?,
            // An empty token, like a missing one, ends the pages.
            next_token: message.next_token.filter(|token| !token.is_empty()),
        };
        page.check()?;
        Ok(page)
    }

    fn check(&self) -> Result<(), SearchError> {
        let count = self.source_names.len();
        if self.groups.iter().all(|group| group.key.len() == count) {
            return Ok(());
        }
        Err(SearchError::invalid(
            "a group must have a key for each source",
        ))
    }
}
