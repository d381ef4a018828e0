//! Queries about vectors.

use super::decode::{self, required};
use super::place::Place;
use super::{Kind, Query, QueryError};
use crate::messages::{self, QueryType};
use crate::search::wire::int32;

/// The rows whose VECTOR field is nearest to a vector.
///
/// The service looks for `top_k` rows in each of the index's partitions, so that more may come back.
///
/// ```
/// use ots_proto::search::Query;
///
/// let query: Query = Query::knn_vector("embedding", [0.1, -1.0, 2.5], 10)
///     .filter(Query::term("city", "Hangzhou"))
///     .num_candidates(100)
///     .into();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct KnnVectorQuery {
    /// The field.
    pub field: String,
    /// The vector, of the field's dimension.
    pub vector: Vec<f32>,
    /// Rows wanted, at most 1,000. The message holds at most 2,147,483,647.
    pub top_k: u32,
    /// Only rows that match it are candidates.
    pub filter: Option<Box<Query>>,
    /// Multiplies the score of the rows that match; 1.0 when absent.
    pub weight: Option<f32>,
    /// Rows with a lower score don't match.
    pub min_score: Option<f32>,
    /// Candidates in each partition: more find nearer rows, and take longer.
    pub num_candidates: Option<u32>,
}

impl KnnVectorQuery {
    /// The `top_k` rows whose `field` is nearest to `vector`.
    pub fn new(field: impl Into<String>, vector: impl Into<Vec<f32>>, top_k: u32) -> Self {
        Self {
            field: field.into(),
            vector: vector.into(),
            top_k,
            filter: None,
            weight: None,
            min_score: None,
            num_candidates: None,
        }
    }

    /// Only rows that match `query` are candidates.
    pub fn filter(mut self, query: impl Into<Query>) -> Self {
        self.filter = Some(Box::new(query.into()));
        self
    }

    /// Rows with a lower score don't match.
    pub const fn min_score(mut self, score: f32) -> Self {
        self.min_score = Some(score);
        self
    }

    /// Looks at so many candidates in each partition.
    pub const fn num_candidates(mut self, candidates: u32) -> Self {
        self.num_candidates = Some(candidates);
        self
    }
}

impl Kind for KnnVectorQuery {
    const TYPE: QueryType = QueryType::KnnVector;
    type Message = messages::KnnVectorQuery;

    fn to_message(&self) -> Self::Message {
        messages::KnnVectorQuery {
            field_name: Some(self.field.clone()),
            top_k: Some(int32(self.top_k)),
            float32_query_vector: self.vector.clone(),
            filter: self.filter.as_deref().map(Query::to_message),
            weight: self.weight,
            min_score: self.min_score,
            num_candidates: self.num_candidates.map(int32),
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let at = &place.key("top_k");
        let filter = message.filter.as_ref();
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            vector: message.float32_query_vector,
            top_k: decode::count(required(message.top_k, at)?, at)?,
            filter: filter
                .map(|filter| Query::decode_boxed(Some(filter), &place.key("filter")))
                .transpose()?,
            weight: message.weight,
            min_score: message.min_score,
            num_candidates: decode::optional_count(
                message.num_candidates,
                &place.key("num_candidates"),
            )?,
        })
    }
}
