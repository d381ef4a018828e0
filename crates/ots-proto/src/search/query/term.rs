//! Queries about the values of a field, taken as they are.

use std::ops::Bound;

use bytes::Bytes;

use super::decode::{self, required};
use super::place::Place;
use super::{Kind, QueryError};
use crate::bounded;
use crate::messages::{self, QueryType};
use crate::value::ColumnValue;

/// Rows whose field equals a value; on TEXT, rows with this one token.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct TermQuery {
    /// The field.
    pub field: String,
    /// The value.
    pub value: ColumnValue,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// Rows whose field equals one of several values, at most 1,024.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct TermsQuery {
    /// The field.
    pub field: String,
    /// The values.
    pub values: Vec<ColumnValue>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// Rows whose field lies between two values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct RangeQuery {
    /// The field.
    pub field: String,
    /// Where the range begins.
    pub from: Bound<ColumnValue>,
    /// Where the range ends.
    pub to: Bound<ColumnValue>,
}

/// Rows whose field starts with a text of at most 1,000 bytes. On KEYWORD and FUZZY_KEYWORD; on TEXT
/// some token must.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct PrefixQuery {
    /// The field.
    pub field: String,
    /// The beginning.
    pub prefix: String,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// Rows whose field ends with a text. On FUZZY_KEYWORD.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct SuffixQuery {
    /// The field.
    pub field: String,
    /// The end.
    pub suffix: String,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// Rows whose field looks like a pattern of at most 32 characters. On KEYWORD and FUZZY_KEYWORD; on
/// TEXT some token must.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct WildcardQuery {
    /// The field.
    pub field: String,
    /// The pattern: `*` stands for any characters, `?` for one.
    pub pattern: String,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
}

/// Rows that have a value in a field; an empty array is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ExistsQuery {
    /// The field.
    pub field: String,
}

impl TermQuery {
    /// Rows whose `field` equals `value`.
    pub fn new(field: impl Into<String>, value: impl Into<ColumnValue>) -> Self {
        Self {
            field: field.into(),
            value: value.into(),
            weight: None,
        }
    }
}

impl TermsQuery {
    /// Rows whose `field` equals one of `values`.
    pub fn new<V: Into<ColumnValue>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self {
            field: field.into(),
            values: values.into_iter().map(Into::into).collect(),
            weight: None,
        }
    }
}

impl RangeQuery {
    /// A range of `field`, open at both ends until one is given.
    pub fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            from: Bound::Unbounded,
            to: Bound::Unbounded,
        }
    }

    /// Values greater than or equal to `value`.
    #[doc(alias = "ge")]
    pub fn gte(mut self, value: impl Into<ColumnValue>) -> Self {
        self.from = Bound::Included(value.into());
        self
    }

    /// Values greater than `value`.
    pub fn gt(mut self, value: impl Into<ColumnValue>) -> Self {
        self.from = Bound::Excluded(value.into());
        self
    }

    /// Values less than or equal to `value`.
    #[doc(alias = "le")]
    pub fn lte(mut self, value: impl Into<ColumnValue>) -> Self {
        self.to = Bound::Included(value.into());
        self
    }

    /// Values less than `value`.
    pub fn lt(mut self, value: impl Into<ColumnValue>) -> Self {
        self.to = Bound::Excluded(value.into());
        self
    }
}

impl PrefixQuery {
    /// Rows whose `field` starts with `prefix`.
    pub fn new(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            prefix: prefix.into(),
            weight: None,
        }
    }
}

impl SuffixQuery {
    /// Rows whose `field` ends with `suffix`.
    pub fn new(field: impl Into<String>, suffix: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            suffix: suffix.into(),
            weight: None,
        }
    }
}

impl WildcardQuery {
    /// Rows whose `field` looks like `pattern`.
    pub fn new(field: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            pattern: pattern.into(),
            weight: None,
        }
    }
}

impl ExistsQuery {
    /// Rows that have a value in `field`.
    pub fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
        }
    }
}

impl Kind for TermQuery {
    const TYPE: QueryType = QueryType::Term;
    type Message = messages::TermQuery;

    fn to_message(&self) -> Self::Message {
        messages::TermQuery {
            field_name: Some(self.field.clone()),
            term: Some(decode::value_to_message(&self.value)),
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let at = &place.key("term");
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            value: decode::value(&required(message.term, at)?, at)?,
            weight: message.weight,
        })
    }
}

impl Kind for TermsQuery {
    const TYPE: QueryType = QueryType::Terms;
    type Message = messages::TermsQuery;

    fn to_message(&self) -> Self::Message {
        messages::TermsQuery {
            field_name: Some(self.field.clone()),
            terms: self.values.iter().map(decode::value_to_message).collect(),
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let at = &place.key("terms");
        let values = message.terms.iter().enumerate();
        let values = values.map(|(index, value)| decode::value(value, &at.index(index)));
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            values: bounded::collect(values)?,
            weight: message.weight,
        })
    }
}

impl Kind for RangeQuery {
    const TYPE: QueryType = QueryType::Range;
    type Message = messages::RangeQuery;

    fn to_message(&self) -> Self::Message {
        let (range_from, include_lower) = bound_to_message(&self.from);
        let (range_to, include_upper) = bound_to_message(&self.to);
        messages::RangeQuery {
            field_name: Some(self.field.clone()),
            range_from,
            range_to,
            include_lower,
            include_upper,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let (from, to) = (message.range_from, message.range_to);
        // Without the flags the lower bound is included and the upper isn't, as the SDKs have it.
        let (from_included, to_included) = (
            message.include_lower.unwrap_or(true),
            message.include_upper.unwrap_or(false),
        );
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            from: bound(from, from_included, &place.key("range_from"))?,
            to: bound(to, to_included, &place.key("range_to"))?,
        })
    }
}

impl Kind for PrefixQuery {
    const TYPE: QueryType = QueryType::Prefix;
    type Message = messages::PrefixQuery;

    fn to_message(&self) -> Self::Message {
        messages::PrefixQuery {
            field_name: Some(self.field.clone()),
            prefix: Some(self.prefix.clone()),
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            prefix: required(message.prefix, &place.key("prefix"))?,
            weight: message.weight,
        })
    }
}

impl Kind for SuffixQuery {
    const TYPE: QueryType = QueryType::Suffix;
    type Message = messages::SuffixQuery;

    fn to_message(&self) -> Self::Message {
        messages::SuffixQuery {
            field_name: Some(self.field.clone()),
            suffix: Some(self.suffix.clone()),
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            suffix: required(message.suffix, &place.key("suffix"))?,
            weight: message.weight,
        })
    }
}

impl Kind for WildcardQuery {
    const TYPE: QueryType = QueryType::Wildcard;
    type Message = messages::WildcardQuery;

    fn to_message(&self) -> Self::Message {
        messages::WildcardQuery {
            field_name: Some(self.field.clone()),
            value: Some(self.pattern.clone()),
            weight: self.weight,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            pattern: required(message.value, &place.key("value"))?,
            weight: message.weight,
        })
    }
}

impl Kind for ExistsQuery {
    const TYPE: QueryType = QueryType::Exists;
    type Message = messages::ExistsQuery;

    fn to_message(&self) -> Self::Message {
        messages::ExistsQuery {
            field_name: Some(self.field.clone()),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
        })
    }
}

fn bound(
    bytes: Option<Bytes>,
    included: bool,
    place: &Place<'_>,
) -> Result<Bound<ColumnValue>, QueryError> {
    let Some(bytes) = bytes else {
        return Ok(Bound::Unbounded);
    };
    let value = decode::value(&bytes, place)?;
    Ok(if included {
        Bound::Included(value)
    } else {
        Bound::Excluded(value)
    })
}

fn bound_to_message(bound: &Bound<ColumnValue>) -> (Option<Bytes>, Option<bool>) {
    match bound {
        Bound::Included(value) => (Some(decode::value_to_message(value)), Some(true)),
        Bound::Excluded(value) => (Some(decode::value_to_message(value)), Some(false)),
        Bound::Unbounded => (None, None),
    }
}
