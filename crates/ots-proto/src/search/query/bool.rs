//! Combinations of queries.

use std::fmt;

use super::place::Place;
use super::{Kind, Query, QueryError, QueryErrorKind};
use crate::messages::{self, QueryType};

/// Rows that satisfy a combination of queries.
///
/// ```
/// use ots_proto::search::{BoolQuery, Query};
///
/// let query = BoolQuery::new()
///     .must(Query::match_text("title", "tea"))
///     .must_not(Query::term("closed", true))
///     .should(Query::term("city", "Hangzhou"))
///     .should(Query::term("city", "Suzhou"))
///     .minimum_should_match(1);
/// # let _: Query = query.into();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct BoolQuery {
    /// Every one of these must match.
    pub must: Vec<Query>,
    /// None of these may match.
    pub must_not: Vec<Query>,
    /// Every one of these must match; it doesn't count towards the score.
    pub filter: Vec<Query>,
    /// At least `minimum_should_match` of these must match.
    pub should: Vec<Query>,
    /// How many of `should` must match; the service takes 1 when absent, even beside `must`.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// How many of several things must match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the two forms in which it can be sent"
)]
pub enum MinimumShouldMatch {
    /// So many.
    Count(i32),
    /// What the text says, as `75%`. The service reads the text; older versions of it don't know it,
    /// so that a count in text is sent as a number as well.
    Text(String),
}

impl BoolQuery {
    /// No clauses yet.
    pub const fn new() -> Self {
        Self {
            must: Vec::new(),
            must_not: Vec::new(),
            filter: Vec::new(),
            should: Vec::new(),
            minimum_should_match: None,
            weight: None,
        }
    }

    /// This must match too.
    pub fn must(mut self, query: impl Into<Query>) -> Self {
        self.must.push(query.into());
        self
    }

    /// This must not match either.
    pub fn must_not(mut self, query: impl Into<Query>) -> Self {
        self.must_not.push(query.into());
        self
    }

    /// This must match too, and doesn't count towards the score.
    pub fn filter(mut self, query: impl Into<Query>) -> Self {
        self.filter.push(query.into());
        self
    }

    /// This is one more of those of which some must match.
    pub fn should(mut self, query: impl Into<Query>) -> Self {
        self.should.push(query.into());
        self
    }

    /// How many of `should` must match: a count, or text such as `75%`.
    pub fn minimum_should_match(mut self, minimum: impl Into<MinimumShouldMatch>) -> Self {
        self.minimum_should_match = Some(minimum.into());
        self
    }

    /// The clauses with their names.
    pub(crate) fn clauses(&self) -> impl Iterator<Item = (&'static str, &Vec<Query>)> {
        [
            ("must", &self.must),
            ("must_not", &self.must_not),
            ("filter", &self.filter),
            ("should", &self.should),
        ]
        .into_iter()
    }

    /// Whether another query can join `must` without changing what this one says.
    pub(super) fn is_conjunction(&self) -> bool {
        self.should.is_empty() && self.minimum_should_match.is_none() && self.weight.is_none()
    }

    /// Whether another query can join `should` without changing what this one says. One without any
    /// clauses says nothing, which every row satisfies: joined, it would leave out some.
    pub(super) fn is_disjunction(&self) -> bool {
        !self.should.is_empty()
            && self.must.is_empty()
            && self.must_not.is_empty()
            && self.filter.is_empty()
            && self.minimum_should_match.is_none()
            && self.weight.is_none()
    }
}

impl MinimumShouldMatch {
    /// The count, if it is one, in whichever form.
    #[must_use]
    pub fn count(&self) -> Option<i32> {
        match self {
            Self::Count(count) => Some(*count),
            Self::Text(text) => text.parse().ok(),
        }
    }

    pub(super) fn to_message(minimum: Option<&Self>) -> (Option<i32>, Option<String>) {
        match minimum {
            None => (None, None),
            Some(Self::Count(count)) => (Some(*count), None),
            // A number stands beside a text of digits alone, as in the SDK that writes texts: "-1" has
            // a meaning of its own, that a service which reads the number only may not share.
            Some(Self::Text(text)) => {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let count = text.parse().ok().filter(|_| digits);
                (count, Some(text.clone()))
            }
        }
    }

    pub(super) fn from_message(
        count: Option<i32>,
        text: Option<String>,
        place: &Place<'_>,
    ) -> Result<Option<Self>, QueryError> {
        let minimum = text.map(Self::Text).or(count.map(Self::Count));
        // A number beside a text that says another: one of them would be lost.
        if count.is_some() && minimum.as_ref().and_then(Self::count) != count {
            let with = "new_minimum_should_match";
            return Err(QueryError::new(
                &place.key("minimum_should_match"),
                QueryErrorKind::Conflict { with },
            ));
        }
        Ok(minimum)
    }
}

impl fmt::Display for MinimumShouldMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<i32> for MinimumShouldMatch {
    fn from(count: i32) -> Self {
        Self::Count(count)
    }
}

impl From<&str> for MinimumShouldMatch {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for MinimumShouldMatch {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Kind for BoolQuery {
    const TYPE: QueryType = QueryType::Bool;
    type Message = messages::BoolQuery;

    fn to_message(&self) -> Self::Message {
        let all = |queries: &[Query]| queries.iter().map(Query::to_message).collect();
        let (minimum_should_match, new_minimum_should_match) =
            MinimumShouldMatch::to_message(self.minimum_should_match.as_ref());
        messages::BoolQuery {
            must_queries: all(&self.must),
            must_not_queries: all(&self.must_not),
            filter_queries: all(&self.filter),
            should_queries: all(&self.should),
            minimum_should_match,
            new_minimum_should_match,
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            must: Query::decode_all(&message.must_queries, &place.key("must"))?,
            must_not: Query::decode_all(&message.must_not_queries, &place.key("must_not"))?,
            filter: Query::decode_all(&message.filter_queries, &place.key("filter"))?,
            should: Query::decode_all(&message.should_queries, &place.key("should"))?,
            minimum_should_match: MinimumShouldMatch::from_message(
                message.minimum_should_match,
                message.new_minimum_should_match,
                place,
            )?,
            weight: message.weight,
        })
    }
}
