//! Queries about the tokens of a text.

use super::bool::MinimumShouldMatch;
use super::decode::{self, required};
use super::place::Place;
use super::{Kind, QueryError};
use crate::messages::{self, QueryOperator, QueryType};
use crate::search::wire::int32;

/// Rows whose TEXT field has the tokens of a text: one of them, all, or as many as are wanted. On a
/// field of another type it is a [`TermQuery`](super::TermQuery) whose text is turned into that type.
///
/// ```
/// use ots_proto::search::{Query, QueryOperator};
///
/// let _: Query = Query::match_text("title", "tea house").operator(QueryOperator::And).into();
/// let _: Query = Query::match_text("title", "old tea house").minimum_should_match(2).into();
/// let _: Query = Query::match_text("title", "old tea house").minimum_should_match("75%").into();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct MatchQuery {
    /// The field.
    pub field: String,
    /// The text, which is cut into tokens as the field is.
    pub text: String,
    /// Whether one token is enough; the service takes `Or` when absent.
    pub operator: Option<QueryOperator>,
    /// How many of the tokens must match, with `Or`; the service takes 1 when absent.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// Rows whose TEXT field has the tokens of a text side by side and in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct MatchPhraseQuery {
    /// The field.
    pub field: String,
    /// The text, which is cut into tokens as the field is.
    pub text: String,
    /// By how many tokens they may be apart; the service takes 0 when absent.
    pub slop: Option<u32>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

impl MatchQuery {
    /// Rows whose `field` has one of the tokens of `text`.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            text: text.into(),
            operator: None,
            minimum_should_match: None,
            weight: None,
        }
    }

    /// Whether one token is enough, or all must match.
    pub const fn operator(mut self, operator: QueryOperator) -> Self {
        self.operator = Some(operator);
        self
    }

    /// How many of the tokens must match: a count, or text such as `75%`.
    pub fn minimum_should_match(mut self, minimum: impl Into<MinimumShouldMatch>) -> Self {
        self.minimum_should_match = Some(minimum.into());
        self
    }
}

impl MatchPhraseQuery {
    /// Rows whose `field` has the tokens of `text` side by side and in order.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            text: text.into(),
            slop: None,
            weight: None,
        }
    }

    /// Lets the tokens be apart by so many others.
    pub const fn slop(mut self, tokens: u32) -> Self {
        self.slop = Some(tokens);
        self
    }
}

impl Kind for MatchQuery {
    const TYPE: QueryType = QueryType::Match;
    type Message = messages::MatchQuery;

    fn to_message(&self) -> Self::Message {
        let (minimum_should_match, new_minimum_should_match) =
            MinimumShouldMatch::to_message(self.minimum_should_match.as_ref());
        messages::MatchQuery {
            field_name: Some(self.field.clone()),
            text: Some(self.text.clone()),
            minimum_should_match,
            operator: self.operator.map(Into::into),
            weight: self.weight,
            new_minimum_should_match,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            text: required(message.text, &place.key("text"))?,
            operator: decode::word(message.operator, &place.key("operator"))?,
            minimum_should_match: MinimumShouldMatch::from_message(
                message.minimum_should_match,
                message.new_minimum_should_match,
                place,
            )?,
            weight: message.weight,
        })
    }
}

impl Kind for MatchPhraseQuery {
    const TYPE: QueryType = QueryType::MatchPhrase;
    type Message = messages::MatchPhraseQuery;

    fn to_message(&self) -> Self::Message {
        messages::MatchPhraseQuery {
            field_name: Some(self.field.clone()),
            text: Some(self.text.clone()),
            weight: self.weight,
            slop: self.slop.map(int32),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            text: required(message.text, &place.key("text"))?,
            slop: decode::optional_count(message.slop, &place.key("slop"))?,
            weight: message.weight,
        })
    }
}
