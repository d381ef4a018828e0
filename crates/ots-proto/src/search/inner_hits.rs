//! Which of the inner rows that a nested query matched to return.

use super::error::SearchError;
use super::highlight::Highlight;
use super::sort::Sort;
use super::wire::{count32, int32};
use crate::messages;

/// Which of the inner rows that a nested query matched to return, and how.
///
/// ```
/// use ots_proto::search::{FieldSort, Highlight, InnerHits, Sort};
///
/// let hits = InnerHits::new()
///     .sort(Sort::by(FieldSort::desc("comments.at")))
///     .limit(3)
///     .highlight(Highlight::field("comments.text"));
/// assert_eq!(InnerHits::from_message(&hits.to_message())?, hits);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct InnerHits {
    /// The order of the inner rows; by score when absent.
    pub sort: Option<Sort>,
    /// Inner rows to skip.
    pub offset: Option<u32>,
    /// Inner rows wanted.
    pub limit: Option<u32>,
    /// What to highlight in them.
    pub highlight: Option<Highlight>,
}

impl InnerHits {
    /// As many as the service returns of itself, in its order.
    pub const fn new() -> Self {
        Self {
            sort: None,
            offset: None,
            limit: None,
            highlight: None,
        }
    }

    /// In this order.
    pub fn sort(mut self, sort: impl Into<Sort>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// Without the first so many.
    pub const fn offset(mut self, rows: u32) -> Self {
        self.offset = Some(rows);
        self
    }

    /// At most so many.
    pub const fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// With highlights.
    pub fn highlight(mut self, highlight: Highlight) -> Self {
        self.highlight = Some(highlight);
        self
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::InnerHits {
        messages::InnerHits {
            sort: self.sort.as_ref().map(Sort::to_message),
            offset: self.offset.map(int32),
            limit: self.limit.map(int32),
            highlight: self.highlight.as_ref().map(Highlight::to_message),
        }
    }

    /// What a message says.
    ///
    /// # Errors
    /// When a part of the message is incomplete, unknown or nested too deeply.
    pub fn from_message(message: &messages::InnerHits) -> Result<Self, SearchError> {
        Self::from_message_at(message, 0)
    }

    /// As [`from_message`](Self::from_message), inside a query of that depth.
    pub(super) fn from_message_at(
        message: &messages::InnerHits,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let sort = message.sort.as_ref();
        let sort = sort.map(|sort| Sort::from_message_at(sort, depth));
        let highlight = message.highlight.as_ref().map(Highlight::from_message);
        Ok(Self {
            sort: sort.transpose()?,
            offset: count32("offset", message.offset)?,
            limit: count32("limit", message.limit)?,
            highlight: highlight.transpose()?,
        })
    }
}
