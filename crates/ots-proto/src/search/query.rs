//! What a search looks for.

use std::fmt;
use std::ops::Bound;

use bytes::Bytes;
use prost::Message;

use crate::messages::{self, QueryType};
use crate::plainbuffer::{self, VariantRef};
use crate::value::{ColumnValue, ColumnValueRef};

/// What a search looks for in an index.
///
/// ```
/// use ots_proto::search::Query;
///
/// let query = Query::term("city", "Hangzhou").and(Query::range("age").gte(18));
/// let message = query.to_message();
/// assert_eq!(Query::from_message(&message)?, query);
/// # Ok::<(), ots_proto::search::QueryError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Query {
    /// Every row of the index.
    MatchAll,
    /// Rows whose field equals a value; on TEXT, rows with this one token.
    Term {
        /// The field.
        field: String,
        /// The value.
        value: ColumnValue,
    },
    /// Rows whose field equals one of several values, at most 1,024.
    Terms {
        /// The field.
        field: String,
        /// The values.
        values: Vec<ColumnValue>,
    },
    /// Rows whose field lies between two values.
    Range(RangeQuery),
    /// Rows whose field starts with a text of at most 1,000 bytes.
    Prefix {
        /// The field.
        field: String,
        /// The beginning.
        prefix: String,
    },
    /// Rows that satisfy a combination of queries.
    Bool(BoolQuery),
    /// Rows that have a value in the field.
    Exists {
        /// The field.
        field: String,
    },
}

/// A range of values of one field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RangeQuery {
    /// The field.
    pub field: String,
    /// Where the range begins.
    pub from: Bound<ColumnValue>,
    /// Where the range ends.
    pub to: Bound<ColumnValue>,
}

/// A combination of queries.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BoolQuery {
    /// Every one of these must match.
    pub must: Vec<Query>,
    /// None of these may match.
    pub must_not: Vec<Query>,
    /// Every one of these must match; it doesn't count towards the score.
    pub filter: Vec<Query>,
    /// At least `minimum_should_match` of these must match.
    pub should: Vec<Query>,
    /// How many of `should` must match; the service takes 1 when absent.
    pub minimum_should_match: Option<i32>,
}

impl Query {
    /// Rows whose `field` equals `value`.
    #[must_use]
    pub fn term(field: impl Into<String>, value: impl Into<ColumnValue>) -> Self {
        Self::Term {
            field: field.into(),
            value: value.into(),
        }
    }

    /// Rows whose `field` equals one of `values`.
    #[must_use]
    pub fn terms<V: Into<ColumnValue>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self::Terms {
            field: field.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// A range of `field`, open at both ends until one is given.
    #[must_use]
    pub fn range(field: impl Into<String>) -> RangeQuery {
        RangeQuery {
            field: field.into(),
            from: Bound::Unbounded,
            to: Bound::Unbounded,
        }
    }

    /// Rows whose `field` starts with `prefix`.
    #[must_use]
    pub fn prefix(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self::Prefix {
            field: field.into(),
            prefix: prefix.into(),
        }
    }

    /// Rows that have a value in `field`.
    #[must_use]
    pub fn exists(field: impl Into<String>) -> Self {
        Self::Exists {
            field: field.into(),
        }
    }

    /// Rows that match this query and the other.
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        let mut all = match self {
            Self::Bool(all) if all.is_conjunction() => all,
            first => BoolQuery {
                must: vec![first],
                ..BoolQuery::default()
            },
        };
        all.must.push(other.into());
        Self::Bool(all)
    }

    /// Rows that match this query or the other.
    #[must_use]
    pub fn or(self, other: impl Into<Self>) -> Self {
        let mut any = match self {
            Self::Bool(any) if any.is_disjunction() => any,
            first => BoolQuery {
                should: vec![first],
                ..BoolQuery::default()
            },
        };
        any.should.push(other.into());
        Self::Bool(any)
    }

    /// Rows that don't match this query.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`!query` reads worse than `query.not()`"
    )]
    pub fn not(self) -> Self {
        Self::Bool(BoolQuery {
            must_not: vec![self],
            ..BoolQuery::default()
        })
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::Query {
        let (kind, query) = match self {
            Self::MatchAll => (
                QueryType::MatchAll,
                messages::MatchAllQuery {}.encode_to_vec(),
            ),
            Self::Term { field, value } => {
                let term = Some(variant(value));
                let field_name = Some(field.clone());
                let query = messages::TermQuery {
                    field_name,
                    term,
                    weight: None,
                };
                (QueryType::Term, query.encode_to_vec())
            }
            Self::Terms { field, values } => {
                let terms = values.iter().map(variant).collect();
                let field_name = Some(field.clone());
                let query = messages::TermsQuery {
                    field_name,
                    terms,
                    weight: None,
                };
                (QueryType::Terms, query.encode_to_vec())
            }
            Self::Range(range) => (QueryType::Range, range.to_message().encode_to_vec()),
            Self::Prefix { field, prefix } => {
                let query = messages::PrefixQuery {
                    field_name: Some(field.clone()),
                    prefix: Some(prefix.clone()),
                    weight: None,
                };
                (QueryType::Prefix, query.encode_to_vec())
            }
            Self::Bool(query) => (QueryType::Bool, query.to_message().encode_to_vec()),
            Self::Exists { field } => {
                let query = messages::ExistsQuery {
                    field_name: Some(field.clone()),
                };
                (QueryType::Exists, query.encode_to_vec())
            }
        };
        messages::Query {
            r#type: Some(kind.into()),
            query: Some(query.into()),
        }
    }

    /// The query that a message says.
    ///
    /// # Errors
    /// When the message is damaged or incomplete, nests deeper than 64 levels, or is of a kind that
    /// this version doesn't know.
    pub fn from_message(message: &messages::Query) -> Result<Self, QueryError> {
        decode(message, 0)
    }

    const MAX_DEPTH: usize = 64;
}

impl RangeQuery {
    /// Values greater than or equal to `value`.
    #[must_use]
    pub fn gte(mut self, value: impl Into<ColumnValue>) -> Self {
        self.from = Bound::Included(value.into());
        self
    }

    /// Values greater than `value`.
    #[must_use]
    pub fn gt(mut self, value: impl Into<ColumnValue>) -> Self {
        self.from = Bound::Excluded(value.into());
        self
    }

    /// Values less than or equal to `value`.
    #[must_use]
    pub fn lte(mut self, value: impl Into<ColumnValue>) -> Self {
        self.to = Bound::Included(value.into());
        self
    }

    /// Values less than `value`.
    #[must_use]
    pub fn lt(mut self, value: impl Into<ColumnValue>) -> Self {
        self.to = Bound::Excluded(value.into());
        self
    }

    /// Also matches this query and the other.
    #[must_use]
    pub fn and(self, other: impl Into<Query>) -> Query {
        Query::from(self).and(other)
    }

    fn to_message(&self) -> messages::RangeQuery {
        let (range_from, include_lower) = bound_to_message(&self.from);
        let (range_to, include_upper) = bound_to_message(&self.to);
        let field_name = Some(self.field.clone());
        messages::RangeQuery {
            field_name,
            range_from,
            range_to,
            include_lower,
            include_upper,
        }
    }
}

impl BoolQuery {
    fn is_conjunction(&self) -> bool {
        self.should.is_empty() && self.minimum_should_match.is_none()
    }

    fn is_disjunction(&self) -> bool {
        self.must.is_empty()
            && self.must_not.is_empty()
            && self.filter.is_empty()
            && self.minimum_should_match.is_none()
    }

    fn to_message(&self) -> messages::BoolQuery {
        let all = |queries: &[Query]| queries.iter().map(Query::to_message).collect();
        messages::BoolQuery {
            must_queries: all(&self.must),
            must_not_queries: all(&self.must_not),
            filter_queries: all(&self.filter),
            should_queries: all(&self.should),
            minimum_should_match: self.minimum_should_match,
            ..messages::BoolQuery::default()
        }
    }
}

impl From<RangeQuery> for Query {
    fn from(query: RangeQuery) -> Self {
        Self::Range(query)
    }
}

impl From<BoolQuery> for Query {
    fn from(query: BoolQuery) -> Self {
        Self::Bool(query)
    }
}

/// Why a message isn't a query.
#[derive(Debug)]
#[non_exhaustive]
pub enum QueryError {
    /// The bytes aren't the message they should be.
    Message {
        /// The kind of query.
        kind: &'static str,
        /// What is wrong with them.
        source: prost::DecodeError,
    },
    /// A value isn't one.
    Value {
        /// The kind of query.
        kind: &'static str,
        /// What is wrong with it.
        source: plainbuffer::Error,
    },
    /// A value is of a type that can't be searched for.
    ValueType {
        /// The kind of query.
        kind: &'static str,
        /// The type, as the service spells it.
        found: &'static str,
    },
    /// Something that the query needs is missing.
    Missing {
        /// The kind of query.
        kind: &'static str,
        /// The name of the field of the message.
        field: &'static str,
    },
    /// A kind of query that this version doesn't know.
    Unsupported {
        /// The name of the kind, or its number.
        kind: String,
    },
    /// Queries are nested too deeply.
    TooDeep {
        /// How deep they may be.
        max_depth: usize,
    },
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Message { source, .. } => Some(source),
            Self::Value { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { kind, .. } => write!(f, "a {kind} query can't be decoded"),
            Self::Value { kind, .. } => write!(f, "a value of a {kind} query can't be decoded"),
            Self::ValueType { kind, found } => {
                write!(f, "a {kind} query can't look for a value of type {found}")
            }
            Self::Missing { kind, field } => write!(f, "a {kind} query has no {field}"),
            Self::Unsupported { kind } => write!(f, "queries of kind {kind} are not supported"),
            Self::TooDeep { max_depth } => {
                write!(f, "queries are nested more than {max_depth} levels deep")
            }
        }
    }
}

/// As [`Query::from_message`], inside so many other queries.
pub(super) fn decode(message: &messages::Query, depth: usize) -> Result<Query, QueryError> {
    if depth > Query::MAX_DEPTH {
        return Err(QueryError::TooDeep {
            max_depth: Query::MAX_DEPTH,
        });
    }
    let number = message.r#type.ok_or(QueryError::Missing {
        kind: "search",
        field: "type",
    })?;
    let bytes = message.query.clone().unwrap_or_default();
    let kind = QueryType::try_from(number).map_err(|_| QueryError::Unsupported {
        kind: number.to_string(),
    })?;
    match kind {
        QueryType::MatchAll => Ok(Query::MatchAll),
        QueryType::Term => {
            let kind = "term";
            let query: messages::TermQuery = message_of(kind, bytes)?;
            let term = query.term.ok_or(QueryError::Missing {
                kind,
                field: "term",
            })?;
            Ok(Query::Term {
                field: required(kind, query.field_name)?,
                value: value(kind, &term)?,
            })
        }
        QueryType::Terms => {
            let kind = "terms";
            let query: messages::TermsQuery = message_of(kind, bytes)?;
            let values = query
                .terms
                .iter()
                .map(|term| value(kind, term))
                .collect::<Result<_, _>>();
            Ok(Query::Terms {
                field: required(kind, query.field_name)?,
                values: values?,
            })
        }
        QueryType::Range => {
            let kind = "range";
            let query: messages::RangeQuery = message_of(kind, bytes)?;
            // Without the flags the lower bound is included and the upper isn't, as the SDKs have it.
            let from = bound(kind, query.range_from, query.include_lower.unwrap_or(true))?;
            let to = bound(kind, query.range_to, query.include_upper.unwrap_or(false))?;
            Ok(Query::Range(RangeQuery {
                field: required(kind, query.field_name)?,
                from,
                to,
            }))
        }
        QueryType::Prefix => {
            let kind = "prefix";
            let query: messages::PrefixQuery = message_of(kind, bytes)?;
            let prefix = query.prefix.ok_or(QueryError::Missing {
                kind,
                field: "prefix",
            })?;
            Ok(Query::Prefix {
                field: required(kind, query.field_name)?,
                prefix,
            })
        }
        QueryType::Bool => {
            let query: messages::BoolQuery = message_of("bool", bytes)?;
            let all = |queries: &[messages::Query]| {
                queries
                    .iter()
                    .map(|query| decode(query, depth + 1))
                    .collect::<Result<Vec<_>, _>>()
            };
            Ok(Query::Bool(BoolQuery {
                must: all(&query.must_queries)?,
                must_not: all(&query.must_not_queries)?,
                filter: all(&query.filter_queries)?,
                should: all(&query.should_queries)?,
                minimum_should_match: minimum_should_match(&query)?,
            }))
        }
        QueryType::Exists => {
            let query: messages::ExistsQuery = message_of("exists", bytes)?;
            Ok(Query::Exists {
                field: required("exists", query.field_name)?,
            })
        }
        other => Err(QueryError::Unsupported {
            kind: other
                .as_str_name()
                .trim_start_matches("QUERY_TYPE_")
                .to_lowercase(),
        }),
    }
}

/// The service takes a count in either of two fields. A share such as `75%` stands in the newer one
/// alone, and must not be taken for an absent count.
fn minimum_should_match(query: &messages::BoolQuery) -> Result<Option<i32>, QueryError> {
    match (query.minimum_should_match, &query.new_minimum_should_match) {
        (Some(count), _) => Ok(Some(count)),
        (None, None) => Ok(None),
        (None, Some(text)) => match text.parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(QueryError::Unsupported {
                kind: format!("bool with minimum_should_match {text:?}"),
            }),
        },
    }
}

fn message_of<M: Message + Default>(kind: &'static str, bytes: Bytes) -> Result<M, QueryError> {
    M::decode(bytes).map_err(|source| QueryError::Message { kind, source })
}

fn required(kind: &'static str, field_name: Option<String>) -> Result<String, QueryError> {
    field_name.ok_or(QueryError::Missing {
        kind,
        field: "field_name",
    })
}

fn variant(value: &ColumnValue) -> Bytes {
    VariantRef::from(value.as_ref()).encode()
}

fn value(kind: &'static str, bytes: &[u8]) -> Result<ColumnValue, QueryError> {
    let variant = VariantRef::decode(bytes).map_err(|source| QueryError::Value { kind, source })?;
    match ColumnValueRef::try_from(variant) {
        Ok(value) => Ok(value.to_owned()),
        Err(other) => Err(QueryError::ValueType {
            kind,
            found: other.type_name(),
        }),
    }
}

fn bound(
    kind: &'static str,
    bytes: Option<Bytes>,
    included: bool,
) -> Result<Bound<ColumnValue>, QueryError> {
    let Some(bytes) = bytes else {
        return Ok(Bound::Unbounded);
    };
    let value = value(kind, &bytes)?;
    Ok(if included {
        Bound::Included(value)
    } else {
        Bound::Excluded(value)
    })
}

fn bound_to_message(bound: &Bound<ColumnValue>) -> (Option<Bytes>, Option<bool>) {
    match bound {
        Bound::Included(value) => (Some(variant(value)), Some(true)),
        Bound::Excluded(value) => (Some(variant(value)), Some(false)),
        Bound::Unbounded => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn bool_query(query: Query) -> BoolQuery {
        match query {
            Query::Bool(query) => query,
            other => panic!("not a bool query: {other:?}"),
        }
    }

    #[test]
    fn and_joins_one_conjunction_instead_of_nesting() {
        let [a, b, c] = ["a", "b", "c"].map(Query::exists);
        let all = bool_query(a.clone().and(b.clone()).and(c.clone()));
        assert_eq!(all.must, [a, b, c]);
        assert_eq!(all.should, []);
    }

    #[test]
    fn or_joins_one_disjunction_instead_of_nesting() {
        let [a, b, c] = ["a", "b", "c"].map(Query::exists);
        let any = bool_query(a.clone().or(b.clone()).or(c.clone()));
        assert_eq!(any.should, [a, b, c]);
        assert_eq!(any.must, []);
    }

    #[test]
    fn mixed_operators_keep_their_grouping() {
        let [a, b, c] = ["a", "b", "c"].map(Query::exists);
        let either = a.clone().or(b.clone());
        assert_eq!(
            bool_query(either.clone().and(c.clone())).must,
            [either, c.clone()]
        );
        let both = a.and(b);
        assert_eq!(bool_query(both.clone().or(c.clone())).should, [both, c]);
    }

    #[test]
    fn a_negation_joins_a_conjunction_but_not_a_disjunction() {
        let [a, b] = ["a", "b"].map(Query::exists);
        let without = bool_query(a.clone().not().and(b.clone()));
        assert_eq!(
            (without.must, without.must_not),
            (vec![b.clone()], vec![a.clone()])
        );
        let either = bool_query(a.clone().not().or(b.clone()));
        assert_eq!(either.should, [a.not(), b]);
    }

    #[test]
    fn a_required_count_is_never_loosened() {
        let [a, b, c] = ["a", "b", "c"].map(Query::exists);
        let two = Query::Bool(BoolQuery {
            should: vec![a, b],
            minimum_should_match: Some(2),
            ..BoolQuery::default()
        });
        assert_eq!(
            bool_query(two.clone().or(c.clone())).should,
            [two.clone(), c.clone()]
        );
        assert_eq!(bool_query(two.clone().and(c.clone())).must, [two, c]);
    }

    #[test]
    fn a_range_says_which_ends_it_includes() {
        let range = Query::range("age").gt(18).lte(65);
        assert_eq!(range.from, Bound::Excluded(18.into()));
        assert_eq!(range.to, Bound::Included(65.into()));
        let message = range.to_message();
        assert_eq!(
            (message.include_lower, message.include_upper),
            (Some(false), Some(true))
        );
        // An open end says nothing, not even whether it is included.
        let message = Query::range("age").gt(18).to_message();
        assert_eq!((message.range_to, message.include_upper), (None, None));
    }

    #[test]
    fn match_all_travels_as_a_field_of_no_bytes() {
        let message = Query::MatchAll.to_message();
        assert_eq!(message.encode_to_vec(), [0x08, 0x0b, 0x12, 0x00]);
    }

    fn message(kind: QueryType, query: &impl Message) -> messages::Query {
        messages::Query {
            r#type: Some(kind.into()),
            query: Some(query.encode_to_vec().into()),
        }
    }

    fn error(message: &messages::Query) -> String {
        Query::from_message(message).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_message_is_named_by_its_kind_and_its_flaw() {
        let term = messages::TermQuery {
            field_name: Some("city".to_owned()),
            ..messages::TermQuery::default()
        };
        assert_eq!(
            error(&message(QueryType::Term, &term)),
            "a term query has no term"
        );
        let term = messages::TermQuery {
            term: Some(VariantRef::InfMin.encode()),
            ..term
        };
        assert_eq!(
            error(&message(QueryType::Term, &term)),
            "a term query can't look for a value of type INF_MIN"
        );
        let term = messages::TermQuery {
            term: Some(Bytes::from_static(&[3, 9, 0, 0, 0])),
            ..term
        };
        let damaged = Query::from_message(&message(QueryType::Term, &term)).unwrap_err();
        assert_eq!(
            damaged.to_string(),
            "a value of a term query can't be decoded"
        );
        assert_eq!(
            damaged.source().unwrap().to_string(),
            "the buffer ends too early for a string: needs 9 bytes, has 0 (byte 5)"
        );
        assert_eq!(
            error(&message(
                QueryType::GeoDistance,
                &messages::MatchAllQuery {}
            )),
            "queries of kind geo_distance are not supported"
        );
        assert_eq!(
            error(&messages::Query {
                r#type: Some(99),
                query: None
            }),
            "queries of kind 99 are not supported"
        );
        assert_eq!(
            error(&messages::Query::default()),
            "a search query has no type"
        );
    }

    #[test]
    fn a_share_of_the_optional_queries_is_not_taken_for_no_count() {
        let mut bool_message = messages::BoolQuery {
            new_minimum_should_match: Some("2".to_owned()),
            ..messages::BoolQuery::default()
        };
        let query = Query::from_message(&message(QueryType::Bool, &bool_message)).unwrap();
        assert_eq!(bool_query(query).minimum_should_match, Some(2));
        bool_message.new_minimum_should_match = Some("75%".to_owned());
        assert_eq!(
            error(&message(QueryType::Bool, &bool_message)),
            "queries of kind bool with minimum_should_match \"75%\" are not supported"
        );
    }
}
