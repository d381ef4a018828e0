//! What a search looks for.

mod bool;
mod build;
mod compound;
mod decay;
mod decode;
mod error;
mod full_text;
mod functions;
mod geo;
mod nested;
pub(crate) mod place;
mod term;
mod vector;

use bytes::Bytes;
use prost::Message;

pub use self::bool::{BoolQuery, MinimumShouldMatch};
pub use self::compound::{ConstScoreQuery, DisMaxQuery, FunctionScoreQuery};
pub use self::decay::{DateOrigin, DateParam, Decay, DecayParam, GeoParam, NumericParam};
pub use self::error::{QueryError, QueryErrorKind};
pub use self::full_text::{MatchPhraseQuery, MatchQuery};
pub use self::functions::{FieldValueFactor, Function, FunctionsScoreQuery, ScoreFunction};
pub use self::geo::{GeoBoundingBoxQuery, GeoDistanceQuery, GeoPolygonQuery};
pub use self::nested::NestedQuery;
use self::place::Place;
pub use self::term::{
    ExistsQuery, PrefixQuery, RangeQuery, SuffixQuery, TermQuery, TermsQuery, WildcardQuery,
};
pub use self::vector::KnnVectorQuery;
use crate::bounded;
use crate::fields::Described;
use crate::messages::{self, QueryType};

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
///
/// Each kind has a constructor here. Those with options give the kind's own type, which has a method
/// for each option, and goes wherever a query goes:
///
/// ```
/// use ots_proto::search::{GeoPoint, Query, QueryOperator, ScoreMode, TermQuery};
///
/// let near = Query::geo_distance("place", GeoPoint::new(30.25, 120.14)?, 2_000.0);
/// let query = Query::match_text("title", "tea house")
///     .operator(QueryOperator::And)
///     .weight(2.0)
///     .and(Query::nested("rooms", Query::term("rooms.seats", 4)).score_mode(ScoreMode::Max))
///     .and_filter(near)
///     .or(TermQuery::new("id", "t-17").weight(10.0));
/// # let _: Query = query;
/// # Ok::<(), ots_proto::search::GeoPointError>(())
/// ```
///
/// An option that is absent is not sent, and the service takes its own default. A `weight` multiplies
/// the score of the rows that match, and is 1.0 when absent. Whether limits are kept, such as those on
/// the number of terms, is for the service to say, as they have changed before; what they are now
/// [`SearchQuery::check_limits`](crate::search::SearchQuery::check_limits) knows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Query {
    /// Every row of the index.
    MatchAll,
    /// Rows whose text has the tokens of another.
    Match(MatchQuery),
    /// Rows whose text has the tokens of another side by side.
    MatchPhrase(MatchPhraseQuery),
    /// Rows whose field equals a value.
    Term(TermQuery),
    /// Rows whose field equals one of several values.
    Terms(TermsQuery),
    /// Rows whose field lies between two values.
    Range(RangeQuery),
    /// Rows whose field starts with a text.
    Prefix(PrefixQuery),
    /// Rows whose field ends with a text.
    Suffix(SuffixQuery),
    /// Rows whose field looks like a pattern.
    Wildcard(WildcardQuery),
    /// Rows that satisfy a combination of queries.
    Bool(BoolQuery),
    /// Rows of which an inner row matches.
    Nested(NestedQuery),
    /// Rows that have a value in a field.
    Exists(ExistsQuery),
    /// Rows that match another query, all with the same score.
    ConstScore(ConstScoreQuery),
    /// Rows that match another query, scored by a field.
    FunctionScore(FunctionScoreQuery),
    /// Rows that match another query, scored by functions.
    FunctionsScore(FunctionsScoreQuery),
    /// Rows that match one of several queries, scored by the one that fits best.
    DisMax(DisMaxQuery),
    /// Rows near a point.
    GeoDistance(GeoDistanceQuery),
    /// Rows in a rectangle.
    GeoBoundingBox(GeoBoundingBoxQuery),
    /// Rows in a polygon.
    GeoPolygon(GeoPolygonQuery),
    /// Rows whose vector is near another.
    KnnVector(KnnVectorQuery),
}

impl Query {
    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::Query {
        match self {
            Self::MatchAll => typed(QueryType::MatchAll, &messages::MatchAllQuery {}),
            Self::Match(query) => encode(query),
            Self::MatchPhrase(query) => encode(query),
            Self::Term(query) => encode(query),
            Self::Terms(query) => encode(query),
            Self::Range(query) => encode(query),
            Self::Prefix(query) => encode(query),
            Self::Suffix(query) => encode(query),
            Self::Wildcard(query) => encode(query),
            Self::Bool(query) => encode(query),
            Self::Nested(query) => encode(query),
            Self::Exists(query) => encode(query),
            Self::ConstScore(query) => encode(query),
            Self::FunctionScore(query) => encode(query),
            Self::FunctionsScore(query) => encode(query),
            Self::DisMax(query) => encode(query),
            Self::GeoDistance(query) => encode(query),
            Self::GeoBoundingBox(query) => encode(query),
            Self::GeoPolygon(query) => encode(query),
            Self::KnnVector(query) => encode(query),
        }
    }

    /// The query that a message says. Nothing of it is left out in silence: a kind of query, an option
    /// or a field that this version doesn't know is an error, since to search without it would find
    /// other rows. (An unknown field beside `type` and `query` is gone before it comes here: prost
    /// steps over it.)
    ///
    /// What comes back from [`to_message`](Self::to_message) is the same message but for these:
    ///
    /// - an open end of a range has no flag that says whether it is included;
    /// - points are written as `30,120.5`, with neither blanks nor needless zeros;
    /// - a count in text alone, as `"2"`, is written as a number too, as the service wants it.
    ///
    /// # Errors
    /// When the message is damaged, incomplete or contradictory, when something in it is unknown, or
    /// when a query lies inside more than 64 others. The error says where.
    pub fn from_message(message: &messages::Query) -> Result<Self, QueryError> {
        Self::decode(message, &Place::root("query"))
    }

    /// As [`from_message`](Self::from_message), for a query inside `depth` others.
    pub(crate) fn from_message_at(
        message: &messages::Query,
        depth: usize,
    ) -> Result<Self, QueryError> {
        Self::decode(message, &Place::root("query").at_depth(depth))
    }

    fn decode(message: &messages::Query, place: &Place<'_>) -> Result<Self, QueryError> {
        if place.is_too_deep() {
            return Err(QueryError::too_deep(place));
        }
        let number = decode::required(message.r#type, &place.key("type"))?;
        let kind = QueryType::try_from(number).map_err(|_| {
            QueryError::new(&place.key("type"), QueryErrorKind::UnknownType { number })
        })?;
        let place = &place.body(name(kind));
        let bytes = message.query.as_ref();
        match kind {
            QueryType::MatchAll => {
                decode::message::<messages::MatchAllQuery>(bytes, place).map(|_| Self::MatchAll)
            }
            QueryType::Match => body::<MatchQuery>(bytes, place),
            QueryType::MatchPhrase => body::<MatchPhraseQuery>(bytes, place),
            QueryType::Term => body::<TermQuery>(bytes, place),
            QueryType::Terms => body::<TermsQuery>(bytes, place),
            QueryType::Range => body::<RangeQuery>(bytes, place),
            QueryType::Prefix => body::<PrefixQuery>(bytes, place),
            QueryType::Suffix => body::<SuffixQuery>(bytes, place),
            QueryType::Wildcard => body::<WildcardQuery>(bytes, place),
            QueryType::Bool => body::<BoolQuery>(bytes, place),
            QueryType::Nested => body::<NestedQuery>(bytes, place),
            QueryType::Exists => body::<ExistsQuery>(bytes, place),
            QueryType::ConstScore => body::<ConstScoreQuery>(bytes, place),
            QueryType::FunctionScore => body::<FunctionScoreQuery>(bytes, place),
            QueryType::FunctionsScore => body::<FunctionsScoreQuery>(bytes, place),
            QueryType::DisMax => body::<DisMaxQuery>(bytes, place),
            QueryType::GeoDistance => body::<GeoDistanceQuery>(bytes, place),
            QueryType::GeoBoundingBox => body::<GeoBoundingBoxQuery>(bytes, place),
            QueryType::GeoPolygon => body::<GeoPolygonQuery>(bytes, place),
            QueryType::KnnVector => body::<KnnVectorQuery>(bytes, place),
        }
    }

    /// A query that must be there.
    fn decode_boxed(
        message: Option<&messages::Query>,
        place: &Place<'_>,
    ) -> Result<Box<Self>, QueryError> {
        Self::decode(decode::required(message, place)?, place).map(Box::new)
    }

    fn decode_all(
        messages: &[messages::Query],
        place: &Place<'_>,
    ) -> Result<Vec<Self>, QueryError> {
        let messages = messages.iter().enumerate();
        bounded::collect(
            messages.map(|(index, message)| Self::decode(message, &place.index(index))),
        )
    }

    /// Its kind, as the service calls it: `term`, `geo_distance`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        name(match self {
            Self::MatchAll => QueryType::MatchAll,
            Self::Match(_) => QueryType::Match,
            Self::MatchPhrase(_) => QueryType::MatchPhrase,
            Self::Term(_) => QueryType::Term,
            Self::Terms(_) => QueryType::Terms,
            Self::Range(_) => QueryType::Range,
            Self::Prefix(_) => QueryType::Prefix,
            Self::Suffix(_) => QueryType::Suffix,
            Self::Wildcard(_) => QueryType::Wildcard,
            Self::Bool(_) => QueryType::Bool,
            Self::Nested(_) => QueryType::Nested,
            Self::Exists(_) => QueryType::Exists,
            Self::ConstScore(_) => QueryType::ConstScore,
            Self::FunctionScore(_) => QueryType::FunctionScore,
            Self::FunctionsScore(_) => QueryType::FunctionsScore,
            Self::DisMax(_) => QueryType::DisMax,
            Self::GeoDistance(_) => QueryType::GeoDistance,
            Self::GeoBoundingBox(_) => QueryType::GeoBoundingBox,
            Self::GeoPolygon(_) => QueryType::GeoPolygon,
            Self::KnnVector(_) => QueryType::KnnVector,
        })
    }

    /// The field that it asks about itself, apart from the queries inside it.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Match(query) => Some(&query.field),
            Self::MatchPhrase(query) => Some(&query.field),
            Self::Term(query) => Some(&query.field),
            Self::Terms(query) => Some(&query.field),
            Self::Range(query) => Some(&query.field),
            Self::Prefix(query) => Some(&query.field),
            Self::Suffix(query) => Some(&query.field),
            Self::Wildcard(query) => Some(&query.field),
            Self::Exists(query) => Some(&query.field),
            Self::GeoDistance(query) => Some(&query.field),
            Self::GeoBoundingBox(query) => Some(&query.field),
            Self::GeoPolygon(query) => Some(&query.field),
            Self::KnnVector(query) => Some(&query.field),
            Self::Nested(query) => Some(&query.path),
            Self::FunctionScore(query) => Some(&query.field_value_factor),
            Self::MatchAll
            | Self::Bool(_)
            | Self::ConstScore(_)
            | Self::FunctionsScore(_)
            | Self::DisMax(_) => None,
        }
    }

    /// The queries right inside it, as the clauses of a bool query.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Bool(query) => query.clauses().flat_map(|(_, clause)| clause).collect(),
            Self::Nested(query) => vec![&query.query],
            Self::ConstScore(query) => vec![&query.filter],
            Self::FunctionScore(query) => vec![&query.query],
            Self::FunctionsScore(query) => {
                let filters = query.functions.iter();
                let filters = filters.filter_map(|function| function.filter.as_deref());
                std::iter::once(&*query.query).chain(filters).collect()
            }
            Self::DisMax(query) => query.queries.iter().collect(),
            Self::KnnVector(query) => query.filter.as_deref().into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// A kind of query with a type of its own.
trait Kind: Sized + Into<Query> {
    const TYPE: QueryType;
    type Message: Message + Default + Described;

    fn to_message(&self) -> Self::Message;

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError>;
}

fn encode<K: Kind>(query: &K) -> messages::Query {
    typed(K::TYPE, &query.to_message())
}

fn typed(kind: QueryType, message: &impl Message) -> messages::Query {
    messages::Query {
        r#type: Some(kind.into()),
        query: Some(message.encode_to_vec().into()),
    }
}

fn body<K: Kind>(bytes: Option<&Bytes>, place: &Place<'_>) -> Result<Query, QueryError> {
    let message = decode::message(bytes, place)?;
    K::from_message(message, place).map(Into::into)
}

const fn name(kind: QueryType) -> &'static str {
    match kind {
        QueryType::Match => "match",
        QueryType::MatchPhrase => "match_phrase",
        QueryType::Term => "term",
        QueryType::Range => "range",
        QueryType::Prefix => "prefix",
        QueryType::Bool => "bool",
        QueryType::ConstScore => "const_score",
        QueryType::FunctionScore => "function_score",
        QueryType::Nested => "nested",
        QueryType::Wildcard => "wildcard",
        QueryType::MatchAll => "match_all",
        QueryType::GeoBoundingBox => "geo_bounding_box",
        QueryType::GeoDistance => "geo_distance",
        QueryType::GeoPolygon => "geo_polygon",
        QueryType::Terms => "terms",
        QueryType::Exists => "exists",
        QueryType::KnnVector => "knn_vector",
        QueryType::FunctionsScore => "functions_score",
        QueryType::Suffix => "suffix",
        QueryType::DisMax => "dis_max",
    }
}

#[cfg(test)]
mod tests;
