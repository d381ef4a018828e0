//! Queries, inner hits and highlights.

use std::mem::replace;
use std::ops::Bound;

use ots_proto::ColumnValue;
use ots_proto::search::{
    Highlight, HighlightEncoder, HighlightFragmentOrder, HighlightParameter, InnerHits,
    MinimumShouldMatch, Query, QueryOperator, ScoreMode,
};
use serde_json::{Value as Json, json};

use super::{Say, new, sort, words};

impl Say for Query {
    fn say(&mut self) -> Json {
        // Kinds without a class make way for what they hold.
        loop {
            let inner = match self {
                Self::Suffix(_) => Self::MatchAll,
                Self::ConstScore(query) => replace(&mut *query.filter, Self::MatchAll),
                Self::FunctionsScore(query) => replace(&mut *query.query, Self::MatchAll),
                _ => break,
            };
            *self = inner;
        }
        match self {
            Self::MatchAll => json!({ "new": "MatchAllQuery", "with": {} }),
            Self::Match(query) => new!("MatchQuery",
                field_name: query.field,
                text: query.text,
                minimum_should_match: query.minimum_should_match,
                operator: query.operator,
                weight: query.weight,
            ),
            Self::MatchPhrase(query) => new!("MatchPhraseQuery",
                field_name: query.field,
                text: query.text,
                weight: query.weight,
                slop: query.slop,
            ),
            Self::Term(query) => new!("TermQuery",
                field_name: query.field,
                column_value: query.value,
                weight: query.weight,
            ),
            Self::Terms(query) => new!("TermsQuery",
                field_name: query.field,
                column_values: query.values,
                weight: query.weight,
            ),
            Self::Range(query) => {
                let (mut from, mut lower) = end(&query.from);
                let (mut to, mut upper) = end(&query.to);
                new!("RangeQuery",
                    field_name: query.field,
                    range_from: from,
                    range_to: to,
                    include_lower: lower,
                    include_upper: upper,
                )
            }
            Self::Prefix(query) => new!("PrefixQuery",
                field_name: query.field,
                prefix: query.prefix,
                weight: query.weight,
            ),
            Self::Wildcard(query) => new!("WildcardQuery",
                field_name: query.field,
                value: query.pattern,
                weight: query.weight,
            ),
            Self::Bool(query) => new!("BoolQuery",
                must_queries: query.must,
                must_not_queries: query.must_not,
                filter_queries: query.filter,
                should_queries: query.should,
                minimum_should_match: query.minimum_should_match,
                weight: query.weight,
            ),
            Self::Nested(query) => {
                drop_empty_hits(&mut query.inner_hits);
                new!("NestedQuery",
                    path: query.path,
                    query: query.query,
                    score_mode: query.score_mode,
                    inner_hits: query.inner_hits,
                    weight: query.weight,
                )
            }
            Self::Exists(query) => new!("ExistsQuery", field_name: query.field),
            Self::FunctionScore(query) => {
                let mut factor = FieldValueFactor(&mut query.field_value_factor);
                new!("FunctionScoreQuery", query: query.query, field_value_factor: factor)
            }
            Self::DisMax(query) => new!("DisMaxQuery",
                queries: query.queries,
                tie_breaker: query.tie_breaker,
                weight: query.weight,
            ),
            Self::GeoDistance(query) => new!("GeoDistanceQuery",
                field_name: query.field,
                center_point: query.center_point,
                distance: query.distance_metres,
            ),
            Self::GeoBoundingBox(query) => new!("GeoBoundingBoxQuery",
                field_name: query.field,
                top_left: query.top_left,
                bottom_right: query.bottom_right,
            ),
            Self::GeoPolygon(query) => {
                new!("GeoPolygonQuery", field_name: query.field, points: query.points)
            }
            Self::KnnVector(query) => new!("KnnVectorQuery",
                field_name: query.field,
                top_k: query.top_k,
                float32_query_vector: query.vector,
                filter: query.filter,
                weight: query.weight,
                min_score: query.min_score,
                num_candidates: query.num_candidates,
            ),
            newer => panic!("no word for {newer:?}"),
        }
    }
}

struct FieldValueFactor<'a>(&'a mut String);

impl Say for FieldValueFactor<'_> {
    fn say(&mut self) -> Json {
        new!("FieldValueFactor", field_name: self.0)
    }
}

/// The value, and whether it belongs to the range.
fn end(bound: &Bound<ColumnValue>) -> (Option<ColumnValue>, Option<bool>) {
    match bound {
        Bound::Included(value) => (Some(value.clone()), Some(true)),
        Bound::Excluded(value) => (Some(value.clone()), Some(false)),
        Bound::Unbounded => (None, None),
    }
}

impl Say for MinimumShouldMatch {
    fn say(&mut self) -> Json {
        match self {
            Self::Count(count) => json!(count),
            Self::Text(text) => json!(text),
        }
    }
}

impl Say for InnerHits {
    fn say(&mut self) -> Json {
        new!("InnerHits",
            sort: self.sort,
            offset: self.offset,
            limit: self.limit,
            highlight: self.highlight,
        )
    }
}

impl Say for Highlight {
    fn say(&mut self) -> Json {
        new!("Highlight", highlight_parameters: self.parameters, highlight_encoder: self.encoder)
    }
}

impl Say for HighlightParameter {
    fn say(&mut self) -> Json {
        new!("HighlightParameter",
            field_name: self.field,
            number_of_fragments: self.number_of_fragments,
            fragment_size: self.fragment_size,
            pre_tag: self.pre_tag,
            post_tag: self.post_tag,
            fragments_order: self.fragments_order,
        )
    }
}

/// The SDK sends no part of a message that nothing was written to.
pub(super) fn drop_empty(highlight: &mut Option<Highlight>) {
    if highlight
        .as_ref()
        .is_some_and(|highlight| highlight.parameters.is_empty() && highlight.encoder.is_none())
    {
        *highlight = None;
    }
}

fn drop_empty_hits(hits: &mut Option<Box<InnerHits>>) {
    if let Some(some) = hits {
        sort::drop_empty(&mut some.sort);
        drop_empty(&mut some.highlight);
        let InnerHits {
            sort,
            offset,
            limit,
            highlight,
            ..
        } = &**some;
        if sort.is_none() && offset.is_none() && limit.is_none() && highlight.is_none() {
            *hits = None;
        }
    }
}

words! {
    QueryOperator: "QueryOperator" { Or = OR, And = AND }
    ScoreMode: "ScoreMode" { None = NONE, Avg = AVG, Max = MAX, Total = TOTAL, Min = MIN }
    HighlightEncoder: "HighlightEncoder" { Plain = PLAIN_MODE, Html = HTML_MODE }
    HighlightFragmentOrder: "HighlightFragmentOrder" {
        TextSequence = TEXT_SEQUENCE,
        Score = SCORE,
    }
}
