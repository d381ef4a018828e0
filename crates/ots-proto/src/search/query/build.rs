//! How queries are made and joined.

use super::Query;
use super::bool::BoolQuery;
use super::compound::{ConstScoreQuery, DisMaxQuery, FunctionScoreQuery};
use super::full_text::{MatchPhraseQuery, MatchQuery};
use super::functions::FunctionsScoreQuery;
use super::geo::{GeoBoundingBoxQuery, GeoDistanceQuery, GeoPolygonQuery};
use super::nested::NestedQuery;
use super::term::{
    ExistsQuery, PrefixQuery, RangeQuery, SuffixQuery, TermQuery, TermsQuery, WildcardQuery,
};
use super::vector::KnnVectorQuery;
use crate::search::geo::GeoPoint;
use crate::value::ColumnValue;

impl Query {
    /// Every row of the index.
    #[must_use]
    pub const fn match_all() -> Self {
        Self::MatchAll
    }

    /// Rows whose `field` has one of the tokens of `text`, or as many as the options want.
    pub fn match_text(field: impl Into<String>, text: impl Into<String>) -> MatchQuery {
        MatchQuery::new(field, text)
    }

    /// Rows whose `field` has the tokens of `text` side by side and in order.
    pub fn match_phrase(field: impl Into<String>, text: impl Into<String>) -> MatchPhraseQuery {
        MatchPhraseQuery::new(field, text)
    }

    /// Rows whose `field` equals `value`. With a weight: [`TermQuery`].
    #[must_use]
    pub fn term(field: impl Into<String>, value: impl Into<ColumnValue>) -> Self {
        TermQuery::new(field, value).into()
    }

    /// Rows whose `field` equals one of `values`. With a weight: [`TermsQuery`].
    #[must_use]
    pub fn terms<V: Into<ColumnValue>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        TermsQuery::new(field, values).into()
    }

    /// A range of `field`, open at both ends until one is given.
    pub fn range(field: impl Into<String>) -> RangeQuery {
        RangeQuery::new(field)
    }

    /// Rows whose `field` starts with `prefix`. With a weight: [`PrefixQuery`].
    #[must_use]
    pub fn prefix(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        PrefixQuery::new(field, prefix).into()
    }

    /// Rows whose `field` ends with `suffix`. With a weight: [`SuffixQuery`].
    #[must_use]
    pub fn suffix(field: impl Into<String>, suffix: impl Into<String>) -> Self {
        SuffixQuery::new(field, suffix).into()
    }

    /// Rows whose `field` looks like `pattern`, in which `*` stands for any characters and `?` for one.
    /// With a weight: [`WildcardQuery`].
    #[must_use]
    pub fn wildcard(field: impl Into<String>, pattern: impl Into<String>) -> Self {
        WildcardQuery::new(field, pattern).into()
    }

    /// Rows that have a value in `field`.
    #[must_use]
    pub fn exists(field: impl Into<String>) -> Self {
        ExistsQuery::new(field).into()
    }

    /// Rows of which one inner row of the NESTED field `path` matches `query`. The query calls the
    /// inner row's fields by their full names, as in `path.name`.
    pub fn nested(path: impl Into<String>, query: impl Into<Self>) -> NestedQuery {
        NestedQuery::new(path, query)
    }

    /// Rows that match `filter`, all with the same score.
    #[must_use]
    pub fn const_score(filter: impl Into<Self>) -> Self {
        ConstScoreQuery::new(filter).into()
    }

    /// Rows that match `query`, with the value of a field as a factor of the score.
    /// [`functions_score`](Self::functions_score) can do more.
    #[must_use]
    pub fn function_score(query: impl Into<Self>, field: impl Into<String>) -> Self {
        FunctionScoreQuery::new(query, field).into()
    }

    /// Rows that match `query`, scored by the functions that are given next.
    pub fn functions_score(query: impl Into<Self>) -> FunctionsScoreQuery {
        FunctionsScoreQuery::new(query)
    }

    /// Rows that match one of `queries`, with the score of the one that fits best.
    pub fn dis_max<Q: Into<Self>>(queries: impl IntoIterator<Item = Q>) -> DisMaxQuery {
        DisMaxQuery::new(queries)
    }

    /// Rows whose `field` is at most so many metres from a point.
    #[must_use]
    pub fn geo_distance(
        field: impl Into<String>,
        center_point: GeoPoint,
        distance_metres: f64,
    ) -> Self {
        GeoDistanceQuery::new(field, center_point, distance_metres).into()
    }

    /// Rows whose `field` lies in the rectangle between two corners.
    #[must_use]
    pub fn geo_bounding_box(
        field: impl Into<String>,
        top_left: GeoPoint,
        bottom_right: GeoPoint,
    ) -> Self {
        GeoBoundingBoxQuery::new(field, top_left, bottom_right).into()
    }

    /// Rows whose `field` lies in the polygon with these corners, of which the service wants three at
    /// least.
    #[must_use]
    pub fn geo_polygon(
        field: impl Into<String>,
        points: impl IntoIterator<Item = GeoPoint>,
    ) -> Self {
        GeoPolygonQuery::new(field, points).into()
    }

    /// The `top_k` rows whose vectors are nearest to `vector`.
    pub fn knn_vector(
        field: impl Into<String>,
        vector: impl Into<Vec<f32>>,
        top_k: u32,
    ) -> KnnVectorQuery {
        KnnVectorQuery::new(field, vector, top_k)
    }

    /// Rows that match this query and the other.
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        let mut all = self.into_conjunction();
        all.must.push(other.into());
        Self::Bool(all)
    }

    /// Rows that match this query and the other, which has no say in the score.
    #[must_use]
    pub fn and_filter(self, other: impl Into<Self>) -> Self {
        let mut all = self.into_conjunction();
        all.filter.push(other.into());
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

    fn into_conjunction(self) -> BoolQuery {
        match self {
            Self::Bool(all) if all.is_conjunction() => all,
            first => BoolQuery {
                must: vec![first],
                ..BoolQuery::default()
            },
        }
    }
}

/// What every kind shares with [`Query`], so that a query's own options and its place among others can
/// be written in one go.
macro_rules! joins {
    ($($kind:ident($query:ident),)+) => {$(
        impl From<$query> for Query {
            fn from(query: $query) -> Self {
                Self::$kind(query)
            }
        }

        impl $query {
            /// Rows that match this query and the other.
            #[must_use]
            pub fn and(self, other: impl Into<Query>) -> Query {
                Query::from(self).and(other)
            }

            /// Rows that match this query and the other, which has no say in the score.
            #[must_use]
            pub fn and_filter(self, other: impl Into<Query>) -> Query {
                Query::from(self).and_filter(other)
            }

            /// Rows that match this query or the other.
            #[must_use]
            pub fn or(self, other: impl Into<Query>) -> Query {
                Query::from(self).or(other)
            }

            /// Rows that don't match this query.
            #[must_use]
            #[expect(
                clippy::should_implement_trait,
                reason = "`!query` reads worse than `query.not()`"
            )]
            pub fn not(self) -> Query {
                Query::from(self).not()
            }
        }
    )+};
}

joins! {
    Match(MatchQuery),
    MatchPhrase(MatchPhraseQuery),
    Term(TermQuery),
    Terms(TermsQuery),
    Range(RangeQuery),
    Prefix(PrefixQuery),
    Suffix(SuffixQuery),
    Wildcard(WildcardQuery),
    Nested(NestedQuery),
    Exists(ExistsQuery),
    ConstScore(ConstScoreQuery),
    FunctionScore(FunctionScoreQuery),
    FunctionsScore(FunctionsScoreQuery),
    DisMax(DisMaxQuery),
    GeoDistance(GeoDistanceQuery),
    GeoBoundingBox(GeoBoundingBoxQuery),
    GeoPolygon(GeoPolygonQuery),
    KnnVector(KnnVectorQuery),
}

/// The kinds that have a weight.
macro_rules! weights {
    ($($query:ident,)+) => {$(
        impl $query {
            /// Multiplies the score of the rows that match; 1.0 when absent.
            pub const fn weight(mut self, weight: f32) -> Self {
                self.weight = Some(weight);
                self
            }
        }
    )+};
}

weights! {
    MatchQuery,
    MatchPhraseQuery,
    TermQuery,
    TermsQuery,
    PrefixQuery,
    SuffixQuery,
    WildcardQuery,
    BoolQuery,
    NestedQuery,
    DisMaxQuery,
    KnnVectorQuery,
}

impl From<BoolQuery> for Query {
    fn from(query: BoolQuery) -> Self {
        Self::Bool(query)
    }
}
