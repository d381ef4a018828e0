//! From a query as it was asked to one that can be answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ots_proto::ColumnValue;
use ots_proto::search::{
    BoolQuery, DateOrigin, DateTimeUnit, DateTimeValue, DecayParam, Function as AskedFunction,
    FunctionCombineMode, FunctionModifier, FunctionScoreMode, FunctionsScoreQuery, KnnVectorQuery,
    MatchPhraseQuery, MatchQuery, MinimumShouldMatch, MultiValueMode, NestedQuery, Query,
    QueryOperator, ScoreFunction as AskedScoreFunction, ScoreMode,
};

use super::super::field::{Field, Kind};
use super::super::geo::{BoundingBox, Polygon};
use super::super::inner_hits::InnerHits;
use super::super::predicate::{self, Predicate};
use super::super::schema::Schema;
use super::functions::{Decay, Function, Origin, ScoreFunction};
use super::{FunctionsScore, Nearest, NestedNode, Node, TextQuery};
use crate::error::ServiceError;

/// Resolves queries, and counts their nodes.
pub(crate) struct Compiler<'s> {
    schema: &'s Schema,
    /// What scores by chance are drawn from.
    seed: u64,
    nodes: usize,
    pub(crate) has_nearest: bool,
}

impl<'s> Compiler<'s> {
    pub(crate) const fn new(schema: &'s Schema, seed: u64) -> Self {
        Self {
            schema,
            seed,
            nodes: 0,
            has_nearest: false,
        }
    }

    /// Resolves a query about the inner rows of `scope`, or about whole rows if that is none.
    pub(crate) fn compile(
        &mut self,
        query: &Query,
        scope: Option<&str>,
    ) -> Result<Node, ServiceError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return refused(format!("a query has at most {MAX_NODES} nodes"));
        }
        let schema = self.schema;
        let leaf =
            |name: &str,
             weight: Option<f32>,
             predicate: &dyn Fn(&Field) -> Result<Predicate, ServiceError>| {
                let field = schema.queryable_in(scope, name)?;
                Ok(Node::Leaf {
                    predicate: predicate(field)?,
                    field: Arc::clone(field),
                    weight: weight_of(weight),
                })
            };
        match query {
            Query::MatchAll => Ok(Node::All),
            Query::Match(query) => self.match_words(query, scope),
            Query::MatchPhrase(query) => self.match_phrase(query, scope),
            Query::Term(term) => leaf(&term.field, term.weight, &|field| {
                Predicate::one_of(field, std::slice::from_ref(&term.value))
            }),
            Query::Terms(terms) => {
                let (field, count) = (&terms.field, terms.values.len());
                if count == 0 || count > MAX_TERMS {
                    return refused(format!(
                        "a terms query on field [{field}] takes 1 to {MAX_TERMS} terms, not {count}"
                    ));
                }
                leaf(field, terms.weight, &|field| {
                    Predicate::one_of(field, &terms.values)
                })
            }
            Query::Range(range) => leaf(&range.field, None, &|field| {
                Predicate::range(field, &range.from, &range.to)
            }),
            Query::Prefix(query) => {
                let (field, bytes) = (&query.field, query.prefix.len());
                if bytes > MAX_PREFIX_BYTES {
                    return refused(format!(
                        "the prefix for field [{field}] has {bytes} bytes, at most \
                         {MAX_PREFIX_BYTES} are allowed"
                    ));
                }
                leaf(field, query.weight, &|field| {
                    Predicate::prefix(field, &query.prefix)
                })
            }
            Query::Suffix(query) => {
                let (field, bytes) = (&query.field, query.suffix.len());
                if bytes > MAX_PREFIX_BYTES {
                    return refused(format!(
                        "the suffix for field [{field}] has {bytes} bytes, at most \
                         {MAX_PREFIX_BYTES} are allowed"
                    ));
                }
                leaf(field, query.weight, &|field| {
                    Predicate::suffix(field, &query.suffix)
                })
            }
            Query::Wildcard(query) => {
                if query.pattern.chars().count() > MAX_WILDCARD_CHARS {
                    return refused(format!(
                        "length of field value is longer than {MAX_WILDCARD_CHARS} for the \
                         [WILDCARD_QUERY] query"
                    ));
                }
                leaf(&query.field, query.weight, &|field| {
                    Predicate::wildcard(field, &query.pattern)
                })
            }
            Query::Bool(query) => self.compile_bool(query, scope),
            Query::Nested(query) => self.nested(query, scope),
            Query::Exists(exists) => leaf(&exists.field, None, &|_| Ok(Predicate::Present)),
            Query::ConstScore(query) => {
                let filter = self.compile(&query.filter, scope)?;
                Ok(Node::Const(Box::new(filter)))
            }
            Query::FunctionScore(query) => {
                let field = self.number_field(&query.field_value_factor, scope)?;
                let query = Box::new(self.compile(&query.query, scope)?);
                Ok(Node::FunctionScore { query, field })
            }
            Query::FunctionsScore(query) => self.functions_score(query, scope),
            Query::DisMax(query) => Ok(Node::DisMax {
                queries: self.list(&query.queries, scope)?,
                tie_breaker: f64::from(query.tie_breaker.unwrap_or(0.0)),
                weight: weight_of(query.weight),
            }),
            Query::GeoDistance(query) => leaf(&query.field, None, &|field| {
                let (center, metres) = (query.center_point, query.distance_metres);
                Predicate::place(
                    field,
                    "a geo_distance query",
                    Predicate::Near { center, metres },
                )
            }),
            Query::GeoBoundingBox(query) => leaf(&query.field, None, &|field| {
                let bounds = BoundingBox::new(query.top_left, query.bottom_right);
                Predicate::place(field, "a geo_bounding_box query", Predicate::InBox(bounds))
            }),
            Query::GeoPolygon(query) => {
                let corners = query.points.len();
                if !(MIN_CORNERS..=MAX_CORNERS).contains(&corners) {
                    return refused(format!(
                        "a polygon has {MIN_CORNERS} to {MAX_CORNERS} points, not {corners}"
                    ));
                }
                leaf(&query.field, None, &|field| {
                    let polygon = Predicate::InPolygon(Polygon::new(&query.points));
                    Predicate::place(field, "a geo_polygon query", polygon)
                })
            }
            Query::KnnVector(query) => self.nearest(query, scope),
            // Query grows with the emulator, but not in step with it.
            other => refused(format!(
                "queries of kind {} are not supported by the emulator",
                other.kind()
            )),
        }
    }

    fn list(&mut self, queries: &[Query], scope: Option<&str>) -> Result<Vec<Node>, ServiceError> {
        queries
            .iter()
            .map(|query| self.compile(query, scope))
            .collect()
    }

    fn match_words(&self, query: &MatchQuery, scope: Option<&str>) -> Result<Node, ServiceError> {
        let field = self.schema.queryable_in(scope, &query.field)?;
        let Kind::Text(analyzer) = &field.kind else {
            return term(field, &query.text, query.weight);
        };
        let minimum = match (query.operator, &query.minimum_should_match) {
            (Some(QueryOperator::And), _) => None,
            (_, None) => Some(1),
            (_, Some(minimum)) => Some(minimum_count(minimum)?),
        };
        let weight = weight_of(query.weight);
        let query = TextQuery::words(field, analyzer, &query.text, minimum, weight);
        Ok(Node::Text(query))
    }

    fn match_phrase(
        &self,
        query: &MatchPhraseQuery,
        scope: Option<&str>,
    ) -> Result<Node, ServiceError> {
        let field = self.schema.queryable_in(scope, &query.field)?;
        let Kind::Text(analyzer) = &field.kind else {
            return term(field, &query.text, query.weight);
        };
        let slop = query.slop.unwrap_or_default();
        let slop = usize::try_from(slop).unwrap_or(usize::MAX >> 1);
        let weight = weight_of(query.weight);
        let query = TextQuery::phrase(field, analyzer, &query.text, slop, weight);
        Ok(Node::Text(query))
    }

    fn compile_bool(
        &mut self,
        query: &BoolQuery,
        scope: Option<&str>,
    ) -> Result<Node, ServiceError> {
        let minimum = match &query.minimum_should_match {
            // 1 also beside `must`, unlike elsewhere: the documentation says so.
            None => query.should.len().min(1),
            Some(minimum) => minimum_count(minimum)?,
        };
        Ok(Node::Bool {
            must: self.list(&query.must, scope)?,
            filter: self.list(&query.filter, scope)?,
            none: self.list(&query.must_not, scope)?,
            some: self.list(&query.should, scope)?,
            minimum,
            weight: weight_of(query.weight),
        })
    }

    fn nested(&mut self, query: &NestedQuery, scope: Option<&str>) -> Result<Node, ServiceError> {
        let path = self.schema.nested(&query.path)?;
        let below = scope.is_none_or(|scope| {
            path.name
                .strip_prefix(scope)
                .is_some_and(|rest| rest.starts_with('.'))
        });
        if !below {
            return refused(format!(
                "field [{}] can't be asked for in a nested query of another field",
                path.name
            ));
        }
        let inner_hits = query.inner_hits.as_deref();
        Ok(Node::Nested(Box::new(NestedNode {
            query: self.compile(&query.query, Some(&query.path))?,
            mode: query.score_mode.unwrap_or(ScoreMode::Avg),
            weight: weight_of(query.weight),
            inner_hits: inner_hits
                .map(|hits| InnerHits::parse(self.schema, hits, &query.path))
                .transpose()?,
            path: Arc::clone(path),
        })))
    }

    fn nearest(
        &mut self,
        query: &KnnVectorQuery,
        scope: Option<&str>,
    ) -> Result<Node, ServiceError> {
        let field = self.schema.queryable_in(scope, &query.field)?;
        let Kind::Vector(kind) = field.kind else {
            return refused(format!(
                "a knn_vector query is not supported on field [{}] of type {}",
                field.name,
                field.kind.name()
            ));
        };
        if scope.is_some() {
            return refused("a knn_vector query can't stand in a nested query".to_owned());
        }
        let finite = query.vector.iter().all(|value| value.is_finite());
        if query.vector.len() != kind.dimension || !finite {
            return refused(format!(
                "the vector for field [{}] must have {} finite elements, it has {}",
                field.name,
                kind.dimension,
                query.vector.len()
            ));
        }
        let top_k = usize::try_from(query.top_k).unwrap_or(usize::MAX);
        if !(1..=MAX_TOP_K).contains(&top_k) {
            return refused(format!("top_k is from 1 to {MAX_TOP_K}, not {top_k}"));
        }
        self.has_nearest = true;
        let filter = query.filter.as_deref();
        Ok(Node::Nearest(Box::new(Nearest {
            field: Arc::clone(field),
            kind,
            vector: query.vector.clone(),
            top_k,
            filter: filter
                .map(|filter| self.compile(filter, scope))
                .transpose()?,
            min_score: query.min_score.map(f64::from),
            weight: weight_of(query.weight),
            found: BTreeMap::new(),
        })))
    }

    fn functions_score(
        &mut self,
        query: &FunctionsScoreQuery,
        scope: Option<&str>,
    ) -> Result<Node, ServiceError> {
        let functions = query.functions.iter();
        let functions = functions
            .map(|function| self.score_function(function, scope))
            .collect::<Result<_, _>>()?;
        Ok(Node::FunctionsScore(Box::new(FunctionsScore {
            query: self.compile(&query.query, scope)?,
            functions,
            // The first of their enums, as the messages declare them.
            score_mode: query.score_mode.unwrap_or(FunctionScoreMode::Avg),
            combine_mode: query.combine_mode.unwrap_or(FunctionCombineMode::Multiply),
            min_score: query.min_score.map(f64::from),
            max_score: query.max_score.map(f64::from),
        })))
    }

    fn score_function(
        &mut self,
        asked: &AskedScoreFunction,
        scope: Option<&str>,
    ) -> Result<ScoreFunction, ServiceError> {
        let function = match &asked.function {
            None => Function::Constant,
            Some(AskedFunction::Random) => {
                let random = fastrand::Rng::with_seed(self.seed);
                Function::Random(Arc::new(Mutex::new(random)))
            }
            Some(AskedFunction::FieldValueFactor(value)) => Function::Value {
                field: self.number_field(&value.field, scope)?,
                factor: f64::from(value.factor.unwrap_or(1.0)),
                modifier: value.modifier.unwrap_or(FunctionModifier::None),
                missing: value.missing,
            },
            Some(AskedFunction::Decay(decay)) => Function::Decay(self.decay(decay, scope)?),
            Some(_) => {
                return refused(
                    "a function of a functions_score query is not supported by the emulator"
                        .to_owned(),
                );
            }
        };
        let filter = asked.filter.as_deref();
        Ok(ScoreFunction {
            function,
            weight: weight_of(asked.weight),
            filter: filter
                .map(|filter| self.compile(filter, scope))
                .transpose()?,
        })
    }

    fn decay(
        &self,
        asked: &ots_proto::search::Decay,
        scope: Option<&str>,
    ) -> Result<Decay, ServiceError> {
        let field = self.schema.queryable_in(scope, &asked.field)?;
        let (origin, scale, offset) = match (&asked.param, &field.kind) {
            (DecayParam::Numeric(param), Kind::Long | Kind::Double) => {
                (Origin::Number(param.origin), param.scale, param.offset)
            }
            (DecayParam::Geo(param), Kind::GeoPoint) => (
                Origin::Point(param.origin),
                param.scale_metres,
                param.offset_metres,
            ),
            (DecayParam::Date(param), Kind::Date(_)) => {
                let origin = match &param.origin {
                    DateOrigin::Epoch(epoch) => ColumnValue::Integer(*epoch),
                    DateOrigin::Text(text) => ColumnValue::from(text.as_str()),
                };
                let nanos = predicate::date(field, &origin)? as f64;
                let offset = param.offset.map(span_nanos).transpose()?;
                (Origin::Number(nanos), span_nanos(param.scale)?, offset)
            }
            _ => {
                return refused(format!(
                    "the decay function's parameter doesn't go with field [{}] of type {}",
                    field.name,
                    field.kind.name()
                ));
            }
        };
        let decay = asked.decay.unwrap_or(DEFAULT_DECAY);
        let offset = offset.unwrap_or(0.0);
        let falls = scale > 0.0 && scale.is_finite() && decay > 0.0 && decay < 1.0;
        if !(falls && offset >= 0.0) {
            return refused(format!(
                "the decay function of field [{}] needs a positive scale, no negative offset, and a \
                 decay between 0 and 1",
                field.name
            ));
        }
        Ok(Decay {
            field: Arc::clone(field),
            curve: asked.math_function,
            origin,
            scale,
            offset,
            decay,
            mode: asked.multi_value_mode.unwrap_or(MultiValueMode::Min),
        })
    }

    fn number_field(&self, name: &str, scope: Option<&str>) -> Result<Arc<Field>, ServiceError> {
        let field = self.schema.queryable_in(scope, name)?;
        match field.kind {
            Kind::Long | Kind::Double => Ok(Arc::clone(field)),
            _ => refused(format!(
                "field [{name}] of type {} can't be a factor of a score, only LONG and DOUBLE can",
                field.kind.name()
            )),
        }
    }
}

/// What a match is on a field that isn't a TEXT.
fn term(field: &Arc<Field>, text: &str, weight: Option<f32>) -> Result<Node, ServiceError> {
    let value = ColumnValue::from(text);
    Ok(Node::Leaf {
        predicate: Predicate::one_of(field, std::slice::from_ref(&value))?,
        field: Arc::clone(field),
        weight: weight_of(weight),
    })
}

fn minimum_count(minimum: &MinimumShouldMatch) -> Result<usize, ServiceError> {
    let Some(count) = minimum.count() else {
        return refused(format!(
            "the emulator supports minimum_should_match as a count, not {minimum}"
        ));
    };
    usize::try_from(count).map_err(|_| {
        ServiceError::parameter(format!(
            "minimum_should_match must not be negative, it is {count}"
        ))
    })
}

/// Of a span of the calendar that has no length, an average one.
fn span_nanos(span: DateTimeValue) -> Result<f64, ServiceError> {
    let days = |days: f64| days * 86_400e9;
    let unit = match span.unit {
        DateTimeUnit::Year => days(365.0),
        DateTimeUnit::QuarterYear => days(91.0),
        DateTimeUnit::Month => days(30.0),
        DateTimeUnit::Week => days(7.0),
        DateTimeUnit::Day => days(1.0),
        DateTimeUnit::Hour => 3600e9,
        DateTimeUnit::Minute => 60e9,
        DateTimeUnit::Second => 1e9,
        DateTimeUnit::Millisecond => 1e6,
    };
    Ok(f64::from(span.value) * unit)
}

fn weight_of(weight: Option<f32>) -> f64 {
    f64::from(weight.unwrap_or(1.0))
}

fn refused<T>(message: String) -> Result<T, ServiceError> {
    Err(ServiceError::parameter(message))
}

// From the public documentation.
const MAX_NODES: usize = 1024;
const MAX_TERMS: usize = 1024;
const MAX_PREFIX_BYTES: usize = 1000;
const MAX_WILDCARD_CHARS: usize = 32;
const MAX_TOP_K: usize = 1000;
const MIN_CORNERS: usize = 3;
const DEFAULT_DECAY: f64 = 0.5;
/// Each costs a step for each row.
const MAX_CORNERS: usize = 1024;
