//! Groups by several things at once, page after page.

use super::super::error::SearchError;
use super::super::wire::{count32, int32};
use super::{GroupBy, GroupByKind, GroupBys};
use crate::messages;

/// A group for each combination of the groups of several sources, page after page.
///
/// It alone reaches every group, however many there are: each result carries a token, and the next
/// request takes it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByComposite {
    /// What the groups are combined from: group-bys by field, histogram or date histogram.
    pub sources: GroupBys,
    /// Groups wanted in a page; the service takes at most 2,000.
    pub size: Option<u32>,
    /// Groups wanted in a page, of which the service may return fewer. It may be larger than `size`.
    pub suggested_size: Option<u32>,
    /// Where the page begins: the token of the result before.
    pub next_token: Option<String>,
}

impl GroupByComposite {
    pub(super) const fn new() -> Self {
        Self {
            sources: GroupBys::new(),
            size: None,
            suggested_size: None,
            next_token: None,
        }
    }

    /// Combined with the groups of this source too: a group-by by field, histogram or date histogram.
    pub fn source(mut self, name: impl Into<String>, source: impl Into<GroupBy>) -> Self {
        self.sources.push(name, source);
        self
    }

    /// At most so many groups in a page.
    pub const fn size(mut self, groups: u32) -> Self {
        self.size = Some(groups);
        self
    }

    /// About so many groups in a page.
    pub const fn suggested_size(mut self, groups: u32) -> Self {
        self.suggested_size = Some(groups);
        self
    }

    /// Where the result before has ended.
    pub fn next_token(mut self, token: impl Into<String>) -> Self {
        self.next_token = Some(token.into());
        self
    }

    pub(super) fn to_message(&self) -> Result<messages::GroupByComposite, SearchError> {
        self.check()?;
        Ok(messages::GroupByComposite {
            sources: Some(self.sources.to_message()?),
            size: self.size.map(int32),
            sub_aggs: None,
            sub_group_bys: None,
            next_token: self.next_token.clone(),
            suggested_size: self.suggested_size.map(int32),
        })
    }

    pub(super) fn from_message_at(
        message: &messages::GroupByComposite,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let sources = message.sources.as_ref();
        let sources = sources.ok_or_else(|| SearchError::missing("sources"))?;
        let read = Self {
            sources: GroupBys::from_message_at(sources, depth)?,
            size: count32("size", message.size)?,
            suggested_size: count32("suggested_size", message.suggested_size)?,
            next_token: message.next_token.clone(),
        };
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), SearchError> {
        if self.sources.is_empty() {
            return Err(SearchError::invalid(
                "a composite needs at least one source",
            ));
        }
        for (name, source) in self.sources.iter() {
            let rule = match source.kind {
                GroupByKind::Field(_)
                | GroupByKind::Histogram(_)
                | GroupByKind::DateHistogram(_)
                    if source.aggregations.is_empty() && source.group_bys.is_empty() =>
                {
                    continue;
                }
                GroupByKind::Field(_)
                | GroupByKind::Histogram(_)
                | GroupByKind::DateHistogram(_) => "a source of a composite holds nothing inside",
                _ => "a source of a composite goes by field, histogram or date histogram",
            };
            return Err(SearchError::invalid(rule).within(format!("source {name:?}")));
        }
        Ok(())
    }
}
