//! Queries about the inner rows of a NESTED field.

use super::decode::{self, required};
use super::place::Place;
use super::{Kind, Query, QueryError};
use crate::messages::{self, QueryType, ScoreMode};
use crate::search::InnerHits;

/// Rows of which one inner row of a NESTED field matches a query.
///
/// All conditions of the query are about the same inner row. They call its fields by their full names.
///
/// ```
/// use ots_proto::search::{InnerHits, Query, ScoreMode};
///
/// let query: Query = Query::nested("rooms", Query::range("rooms.seats").gte(4))
///     .score_mode(ScoreMode::Max)
///     .inner_hits(InnerHits::new().limit(3))
///     .into();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct NestedQuery {
    /// The NESTED field.
    pub path: String,
    /// What an inner row must match.
    pub query: Box<Query>,
    /// How the inner rows' scores become the row's.
    pub score_mode: Option<ScoreMode>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
    /// Which of the inner rows to return; none when absent.
    pub inner_hits: Option<Box<InnerHits>>,
}

impl NestedQuery {
    /// Rows of which one inner row of `path` matches `query`.
    pub fn new(path: impl Into<String>, query: impl Into<Query>) -> Self {
        Self {
            path: path.into(),
            query: Box::new(query.into()),
            score_mode: None,
            weight: None,
            inner_hits: None,
        }
    }

    /// How the inner rows' scores become the row's.
    pub const fn score_mode(mut self, mode: ScoreMode) -> Self {
        self.score_mode = Some(mode);
        self
    }

    /// Returns inner rows that match.
    pub fn inner_hits(mut self, hits: InnerHits) -> Self {
        self.inner_hits = Some(Box::new(hits));
        self
    }
}

impl Kind for NestedQuery {
    const TYPE: QueryType = QueryType::Nested;
    type Message = messages::NestedQuery;

    fn to_message(&self) -> Self::Message {
        messages::NestedQuery {
            path: Some(self.path.clone()),
            query: Some(self.query.to_message()),
            score_mode: self.score_mode.map(Into::into),
            weight: self.weight,
            inner_hits: self.inner_hits.as_deref().map(InnerHits::to_message),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let inner_hits = |hits: &messages::InnerHits| {
            let hits = InnerHits::from_message_at(hits, place.depth());
            decode::part(hits, &place.key("inner_hits")).map(Box::new)
        };
        Ok(Self {
            path: required(message.path, &place.key("path"))?,
            query: Query::decode_boxed(message.query.as_ref(), &place.key("query"))?,
            score_mode: decode::word(message.score_mode, &place.key("score_mode"))?,
            weight: message.weight,
            inner_hits: message.inner_hits.as_ref().map(inner_hits).transpose()?,
        })
    }
}
