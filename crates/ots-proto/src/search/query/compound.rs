//! Queries that give the rows of others another score.

use super::decode::required;
use super::place::Place;
use super::{Kind, Query, QueryError};
use crate::messages::{self, QueryType};

/// Rows that match a query, all with the score 1.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ConstScoreQuery {
    /// What must match.
    pub filter: Box<Query>,
}

/// Rows that match a query, with the value of a field as a factor of the score.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct FunctionScoreQuery {
    /// What must match.
    pub query: Box<Query>,
    /// The field.
    pub field_value_factor: String,
}

/// Rows that match one of several queries. The score is that of the query that fits best, and of the
/// others a share.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct DisMaxQuery {
    /// One of these must match.
    pub queries: Vec<Query>,
    /// The share of the others' scores; the service takes 0 when absent.
    pub tie_breaker: Option<f32>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

impl ConstScoreQuery {
    /// Rows that match `filter`.
    pub fn new(filter: impl Into<Query>) -> Self {
        Self {
            filter: Box::new(filter.into()),
        }
    }
}

impl FunctionScoreQuery {
    /// Rows that match `query`, with the value of `field` as a factor of the score.
    pub fn new(query: impl Into<Query>, field: impl Into<String>) -> Self {
        Self {
            query: Box::new(query.into()),
            field_value_factor: field.into(),
        }
    }
}

impl DisMaxQuery {
    /// Rows that match one of `queries`.
    pub fn new<Q: Into<Query>>(queries: impl IntoIterator<Item = Q>) -> Self {
        Self {
            queries: queries.into_iter().map(Into::into).collect(),
            tie_breaker: None,
            weight: None,
        }
    }

    /// The share of the other queries' scores, between 0 and 1.
    pub const fn tie_breaker(mut self, share: f32) -> Self {
        self.tie_breaker = Some(share);
        self
    }
}

impl Kind for ConstScoreQuery {
    const TYPE: QueryType = QueryType::ConstScore;
    type Message = messages::ConstScoreQuery;

    fn to_message(&self) -> Self::Message {
        messages::ConstScoreQuery {
            filter: Some(self.filter.to_message()),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            filter: Query::decode_boxed(message.filter.as_ref(), &place.key("filter"))?,
        })
    }
}

impl Kind for FunctionScoreQuery {
    const TYPE: QueryType = QueryType::FunctionScore;
    type Message = messages::FunctionScoreQuery;

    fn to_message(&self) -> Self::Message {
        messages::FunctionScoreQuery {
            query: Some(self.query.to_message()),
            field_value_factor: Some(messages::FieldValueFactor {
                field_name: Some(self.field_value_factor.clone()),
            }),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let query = Query::decode_boxed(message.query.as_ref(), &place.key("query"))?;
        let at = &place.key("field_value_factor");
        let factor = required(message.field_value_factor, at)?;
        Ok(Self {
            query,
            field_value_factor: required(factor.field_name, &at.key("field_name"))?,
        })
    }
}

impl Kind for DisMaxQuery {
    const TYPE: QueryType = QueryType::DisMax;
    type Message = messages::DisMaxQuery;

    fn to_message(&self) -> Self::Message {
        messages::DisMaxQuery {
            queries: self.queries.iter().map(Query::to_message).collect(),
            tie_breaker: self.tie_breaker,
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            queries: Query::decode_all(&message.queries, &place.key("queries"))?,
            tie_breaker: message.tie_breaker,
            weight: message.weight,
        })
    }
}
