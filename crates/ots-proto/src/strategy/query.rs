//! Queries of every kind.

use std::fmt::Debug;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::search_request::{date_time_value, geo_point, inner_hits};
use super::{column_name, matching, search_value};
use crate::ColumnValue;
use crate::search::{
    BoolQuery, ConstScoreQuery, DateOrigin, DateParam, Decay, DecayParam, DisMaxQuery, ExistsQuery,
    FieldValueFactor, Function, FunctionScoreQuery, FunctionsScoreQuery, GeoBoundingBoxQuery,
    GeoDistanceQuery, GeoParam, GeoPolygonQuery, KnnVectorQuery, MatchPhraseQuery, MatchQuery,
    MinimumShouldMatch, NestedQuery, NumericParam, PrefixQuery, Query, RangeQuery, ScoreFunction,
    SuffixQuery, TermQuery, TermsQuery, WildcardQuery,
};

/// Queries of every kind, with all of their options, nested up to four levels deep.
pub fn query() -> impl Strategy<Value = Query> {
    leaf_query().prop_recursive(4, 24, 4, compound_query)
}

fn leaf_query() -> BoxedStrategy<Query> {
    let field = column_name;
    let text = || matching(".{0,12}");
    prop_oneof![
        Just(Query::MatchAll),
        (field(), text(), word(), option::of(minimum()), weight()).prop_map(
            |(field, text, operator, minimum_should_match, weight)| {
                Query::Match(MatchQuery {
                    field,
                    text,
                    operator,
                    minimum_should_match,
                    weight,
                })
            }
        ),
        (field(), text(), count(), weight()).prop_map(|(field, text, slop, weight)| {
            Query::MatchPhrase(MatchPhraseQuery {
                field,
                text,
                slop,
                weight,
            })
        }),
        (field(), search_value(), weight()).prop_map(|(field, value, weight)| {
            Query::Term(TermQuery {
                field,
                value,
                weight,
            })
        }),
        (field(), vec(search_value(), 0..4), weight()).prop_map(|(field, values, weight)| {
            Query::Terms(TermsQuery {
                field,
                values,
                weight,
            })
        }),
        (field(), bound(), bound()).prop_map(|(field, from, to)| Query::Range(RangeQuery {
            field,
            from,
            to
        })),
        (field(), text(), weight()).prop_map(|(field, prefix, weight)| {
            Query::Prefix(PrefixQuery {
                field,
                prefix,
                weight,
            })
        }),
        (field(), text(), weight()).prop_map(|(field, suffix, weight)| {
            Query::Suffix(SuffixQuery {
                field,
                suffix,
                weight,
            })
        }),
        (field(), text(), weight()).prop_map(|(field, pattern, weight)| {
            Query::Wildcard(WildcardQuery {
                field,
                pattern,
                weight,
            })
        }),
        field().prop_map(|field| Query::Exists(ExistsQuery { field })),
        (field(), geo_point(), double()).prop_map(|(field, center_point, distance_metres)| {
            Query::GeoDistance(GeoDistanceQuery {
                field,
                center_point,
                distance_metres,
            })
        }),
        (field(), geo_point(), geo_point()).prop_map(|(field, top_left, bottom_right)| {
            Query::GeoBoundingBox(GeoBoundingBoxQuery {
                field,
                top_left,
                bottom_right,
            })
        }),
        (field(), vec(geo_point(), 0..4))
            .prop_map(|(field, points)| Query::GeoPolygon(GeoPolygonQuery { field, points })),
    ]
    .boxed()
}

fn compound_query(inner: BoxedStrategy<Query>) -> BoxedStrategy<Query> {
    let boxed = || inner.clone().prop_map(Box::new);
    prop_oneof![
        4 => bool_query(&inner),
        2 => nested_query(&inner),
        2 => functions_score_query(&inner),
        1 => knn_vector_query(&inner),
        1 => boxed().prop_map(|filter| Query::ConstScore(ConstScoreQuery { filter })).boxed(),
        1 => (boxed(), column_name())
            .prop_map(|(query, field_value_factor)| {
                Query::FunctionScore(FunctionScoreQuery {
                    query,
                    field_value_factor,
                })
            })
            .boxed(),
        1 => (vec(inner, 0..3), weight(), weight())
            .prop_map(|(queries, tie_breaker, weight)| {
                Query::DisMax(DisMaxQuery {
                    queries,
                    tie_breaker,
                    weight,
                })
            })
            .boxed(),
    ]
    .boxed()
}

// Each kind is boxed: their trees, one inside the other, would exhaust the stack of a test.

fn bool_query(inner: &BoxedStrategy<Query>) -> BoxedStrategy<Query> {
    let clause = || vec(inner.clone(), 0..3);
    let clauses = [clause(), clause(), clause(), clause()];
    (clauses, option::of(minimum()), weight())
        .prop_map(|(clauses, minimum_should_match, weight)| {
            let [must, must_not, filter, should] = clauses;
            Query::Bool(BoolQuery {
                must,
                must_not,
                filter,
                should,
                minimum_should_match,
                weight,
            })
        })
        .boxed()
}

fn nested_query(inner: &BoxedStrategy<Query>) -> BoxedStrategy<Query> {
    let query = inner.clone().prop_map(Box::new);
    let hits = option::of(inner_hits().prop_map(Box::new));
    (column_name(), query, word(), weight(), hits)
        .prop_map(|(path, query, score_mode, weight, inner_hits)| {
            Query::Nested(NestedQuery {
                path,
                query,
                score_mode,
                weight,
                inner_hits,
            })
        })
        .boxed()
}

fn functions_score_query(inner: &BoxedStrategy<Query>) -> BoxedStrategy<Query> {
    let query = inner.clone().prop_map(Box::new);
    let functions = vec(score_function(inner), 0..3);
    let scores = [weight(), weight()];
    (query, functions, word(), word(), scores)
        .prop_map(|(query, functions, score_mode, combine_mode, scores)| {
            let [min_score, max_score] = scores;
            Query::FunctionsScore(FunctionsScoreQuery {
                query,
                functions,
                score_mode,
                combine_mode,
                min_score,
                max_score,
            })
        })
        .boxed()
}

fn knn_vector_query(inner: &BoxedStrategy<Query>) -> BoxedStrategy<Query> {
    let vector = vec(float(), 0..4);
    let top_k = 0..=i32::MAX.unsigned_abs();
    let filter = option::of(inner.clone().prop_map(Box::new));
    let weights = [weight(), weight()];
    (column_name(), vector, top_k, filter, weights, count())
        .prop_map(|(field, vector, top_k, filter, weights, num_candidates)| {
            let [weight, min_score] = weights;
            Query::KnnVector(KnnVectorQuery {
                field,
                vector,
                top_k,
                filter,
                weight,
                min_score,
                num_candidates,
            })
        })
        .boxed()
}

fn score_function(query: &BoxedStrategy<Query>) -> BoxedStrategy<ScoreFunction> {
    let filter = option::of(query.clone().prop_map(Box::new));
    let factor = (column_name(), weight(), word(), option::of(double())).prop_map(
        |(field, factor, modifier, missing)| {
            Function::FieldValueFactor(FieldValueFactor {
                field,
                factor,
                modifier,
                missing,
            })
        },
    );
    let decay = (
        column_name(),
        word().prop_filter_map("a function", |function| function),
        decay_param(),
        option::of(double()),
        word(),
    )
        .prop_map(|(field, math_function, param, decay, multi_value_mode)| {
            Function::Decay(Decay {
                field,
                math_function,
                param,
                decay,
                multi_value_mode,
            })
        });
    let function = prop_oneof![factor.boxed(), decay.boxed(), Just(Function::Random)];
    (option::of(function), weight(), filter)
        .prop_map(|(function, weight, filter)| ScoreFunction {
            function,
            weight,
            filter,
        })
        .boxed()
}

fn decay_param() -> BoxedStrategy<DecayParam> {
    let origin = prop_oneof![
        any::<i64>().prop_map(DateOrigin::Epoch),
        matching(".{0,12}").prop_map(DateOrigin::Text),
    ];
    let span = date_time_value;
    prop_oneof![
        (origin, span(), option::of(span())).prop_map(|(origin, scale, offset)| {
            DecayParam::Date(DateParam {
                origin,
                scale,
                offset,
            })
        }),
        (double(), double(), option::of(double())).prop_map(|(origin, scale, offset)| {
            DecayParam::Numeric(NumericParam {
                origin,
                scale,
                offset,
            })
        }),
        (geo_point(), double(), option::of(double())).prop_map(
            |(origin, scale_metres, offset_metres)| {
                DecayParam::Geo(GeoParam {
                    origin,
                    scale_metres,
                    offset_metres,
                })
            }
        ),
    ]
    .boxed()
}

fn bound() -> impl Strategy<Value = Bound<ColumnValue>> {
    prop_oneof![
        Just(Bound::Unbounded),
        search_value().prop_map(Bound::Included),
        search_value().prop_map(Bound::Excluded),
    ]
}

fn minimum() -> impl Strategy<Value = MinimumShouldMatch> {
    prop_oneof![
        any::<i32>().prop_map(MinimumShouldMatch::Count),
        matching("-?[0-9]{1,3}%?").prop_map(MinimumShouldMatch::Text),
    ]
}

/// One of the values of an enum of the messages, or none. Their numbers are small.
fn word<W: TryFrom<i32> + Clone + Debug + 'static>() -> impl Strategy<Value = Option<W>> {
    let values: Vec<W> = (0..64)
        .filter_map(|number| W::try_from(number).ok())
        .collect();
    option::of(proptest::sample::select(values))
}

fn weight() -> impl Strategy<Value = Option<f32>> {
    option::of(float())
}

/// What JSON can say: neither NaN nor the infinities.
fn float() -> impl Strategy<Value = f32> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn double() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn count() -> impl Strategy<Value = Option<u32>> {
    option::of(0..=i32::MAX.unsigned_abs())
}
