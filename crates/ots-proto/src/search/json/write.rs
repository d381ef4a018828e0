//! A query becomes JSON.

use std::ops::Bound;

use serde_json::{Map, Number, Value};

use super::word::{Word, word};
use super::write_sort::inner_hits;
use crate::search::DateTimeValue;
use crate::search::geo::GeoPoint;
use crate::search::query::{
    DateOrigin, Decay, DecayParam, FieldValueFactor, Function, MinimumShouldMatch, Query,
    RangeQuery, ScoreFunction,
};
use crate::value::ColumnValue;

pub(super) fn query(query: &Query) -> Value {
    let kind = query.kind();
    let body = match query {
        Query::MatchAll => Object::new().into(),
        Query::Match(query) => {
            let options = Object::new()
                .optional("operator", query.operator.map(name))
                .optional(
                    "minimum_should_match",
                    minimum(query.minimum_should_match.as_ref()),
                )
                .optional("weight", query.weight.map(float));
            of_field(&query.field, options.short_or("text", query.text.as_str()))
        }
        Query::MatchPhrase(query) => {
            let options = Object::new()
                .optional("slop", query.slop)
                .optional("weight", query.weight.map(float));
            of_field(&query.field, options.short_or("text", query.text.as_str()))
        }
        Query::Term(query) => {
            let options = Object::new().optional("weight", query.weight.map(float));
            of_field(
                &query.field,
                options.short_or("value", scalar(&query.value)),
            )
        }
        Query::Terms(query) => {
            let options = Object::new().optional("weight", query.weight.map(float));
            let values = array(&query.values, scalar);
            of_field(&query.field, options.short_or("values", values))
        }
        Query::Range(query) => of_field(&query.field, bounds(query)),
        Query::Prefix(query) => {
            let options = Object::new().optional("weight", query.weight.map(float));
            of_field(
                &query.field,
                options.short_or("value", query.prefix.as_str()),
            )
        }
        Query::Suffix(query) => {
            let options = Object::new().optional("weight", query.weight.map(float));
            of_field(
                &query.field,
                options.short_or("value", query.suffix.as_str()),
            )
        }
        Query::Wildcard(query) => {
            let options = Object::new().optional("weight", query.weight.map(float));
            of_field(
                &query.field,
                options.short_or("value", query.pattern.as_str()),
            )
        }
        Query::Bool(query) => {
            let mut options = Object::new();
            for (name, clause) in query.clauses() {
                let clause = (!clause.is_empty()).then(|| array(clause, self::query));
                options = options.optional(name, clause);
            }
            options
                .optional(
                    "minimum_should_match",
                    minimum(query.minimum_should_match.as_ref()),
                )
                .optional("weight", query.weight.map(float))
                .into()
        }
        Query::Nested(query) => Object::new()
            .with("path", query.path.as_str())
            .with("query", self::query(&query.query))
            .optional("score_mode", query.score_mode.map(name))
            .optional("weight", query.weight.map(float))
            .optional("inner_hits", query.inner_hits.as_deref().map(inner_hits))
            .into(),
        Query::Exists(query) => Object::new().with("field", query.field.as_str()).into(),
        Query::ConstScore(query) => Object::new()
            .with("filter", self::query(&query.filter))
            .into(),
        Query::FunctionScore(query) => {
            let factor = Object::new().with("field", query.field_value_factor.as_str());
            Object::new()
                .with("query", self::query(&query.query))
                .with("field_value_factor", factor)
                .into()
        }
        Query::FunctionsScore(query) => Object::new()
            .with("query", self::query(&query.query))
            .with("functions", array(&query.functions, function))
            .optional("score_mode", query.score_mode.map(name))
            .optional("combine_mode", query.combine_mode.map(name))
            .optional("min_score", query.min_score.map(float))
            .optional("max_score", query.max_score.map(float))
            .into(),
        Query::DisMax(query) => Object::new()
            .with("queries", array(&query.queries, self::query))
            .optional("tie_breaker", query.tie_breaker.map(float))
            .optional("weight", query.weight.map(float))
            .into(),
        Query::GeoDistance(query) => {
            let body = Object::new()
                .with("center_point", point(&query.center_point))
                .with("distance_metres", query.distance_metres);
            of_field(&query.field, body)
        }
        Query::GeoBoundingBox(query) => {
            let body = Object::new()
                .with("top_left", point(&query.top_left))
                .with("bottom_right", point(&query.bottom_right));
            of_field(&query.field, body)
        }
        Query::GeoPolygon(query) => of_field(&query.field, array(&query.points, point)),
        Query::KnnVector(query) => Object::new()
            .with("field", query.field.as_str())
            .with(
                "query_vector",
                array(&query.vector, |number| float(*number)),
            )
            .with("top_k", query.top_k)
            .optional("filter", query.filter.as_deref().map(self::query))
            .optional("num_candidates", query.num_candidates)
            .optional("min_score", query.min_score.map(float))
            .optional("weight", query.weight.map(float))
            .into(),
    };
    Object::new().with(kind, body).into()
}

fn bounds(range: &RangeQuery) -> Object {
    let mut bounds = Object::new();
    for (bound, included, excluded) in [(&range.from, "gte", "gt"), (&range.to, "lte", "lt")] {
        bounds = match bound {
            Bound::Included(value) => bounds.with(included, scalar(value)),
            Bound::Excluded(value) => bounds.with(excluded, scalar(value)),
            Bound::Unbounded => bounds,
        };
    }
    bounds
}

fn minimum(minimum: Option<&MinimumShouldMatch>) -> Option<Value> {
    minimum.map(|minimum| match minimum {
        MinimumShouldMatch::Count(count) => Value::from(*count),
        MinimumShouldMatch::Text(text) => Value::from(text.as_str()),
    })
}

fn function(function: &ScoreFunction) -> Value {
    let object = match &function.function {
        Some(Function::FieldValueFactor(factor)) => {
            Object::new().with("field_value_factor", field_value_factor(factor))
        }
        Some(Function::Random) => Object::new().with("random", Object::new()),
        Some(Function::Decay(function)) => Object::new().with("decay", decay(function)),
        None => Object::new(),
    };
    object
        .optional("weight", function.weight.map(float))
        .optional("filter", function.filter.as_deref().map(query))
        .into()
}

fn field_value_factor(factor: &FieldValueFactor) -> Object {
    Object::new()
        .with("field", factor.field.as_str())
        .optional("factor", factor.factor.map(float))
        .optional("modifier", factor.modifier.map(name))
        .optional("missing", factor.missing)
}

fn decay(decay: &Decay) -> Object {
    let (kind, param) = match &decay.param {
        DecayParam::Date(param) => {
            let origin = match &param.origin {
                DateOrigin::Epoch(epoch) => Value::from(*epoch),
                DateOrigin::Text(text) => Value::from(text.as_str()),
            };
            let object = Object::new()
                .with("origin", origin)
                .with("scale", span(param.scale))
                .optional("offset", param.offset.map(span));
            ("date", object)
        }
        DecayParam::Numeric(param) => {
            let object = Object::new()
                .with("origin", param.origin)
                .with("scale", param.scale)
                .optional("offset", param.offset);
            ("numeric", object)
        }
        DecayParam::Geo(param) => {
            let object = Object::new()
                .with("origin", point(&param.origin))
                .with("scale_metres", param.scale_metres)
                .optional("offset_metres", param.offset_metres);
            ("geo", object)
        }
    };
    Object::new()
        .with("field", decay.field.as_str())
        .with("math_function", name(decay.math_function))
        .with(kind, param)
        .optional("decay", decay.decay)
        .optional("multi_value_mode", decay.multi_value_mode.map(name))
}

fn span(span: DateTimeValue) -> Value {
    Object::new()
        .with("value", span.value)
        .with("unit", name(span.unit))
        .into()
}

fn of_field(field: &str, body: impl Into<Value>) -> Value {
    Object::new().with(field, body).into()
}

pub(super) fn array<T>(elements: &[T], write: impl FnMut(&T) -> Value) -> Value {
    Value::Array(elements.iter().map(write).collect())
}

pub(super) fn point(point: &GeoPoint) -> Value {
    Value::from(point.to_string())
}

pub(super) fn name<W: Word>(value: W) -> Value {
    Value::from(word(value))
}

/// As short as the float itself would be written: 0.1, and not the nearest double to it.
fn float(number: f32) -> Value {
    let short = number.to_string().parse::<f64>().ok();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "this is the question: does it read back as the same float"
    )]
    let short = short.filter(|short| *short as f32 == number);
    Number::from_f64(short.unwrap_or_else(|| number.into())).map_or(Value::Null, Value::Number)
}

pub(super) fn scalar(value: &ColumnValue) -> Value {
    match value {
        ColumnValue::Integer(value) => Value::from(*value),
        ColumnValue::Double(value) => Value::from(*value),
        ColumnValue::Boolean(value) => Value::from(*value),
        ColumnValue::String(value) => Value::from(value.as_str()),
        ColumnValue::Binary(_) => Value::Null,
    }
}

/// An object in the making.
#[derive(Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn optional(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The value alone if there are no options, otherwise among them.
    fn short_or(self, name: &str, value: impl Into<Value>) -> Value {
        if self.0.is_empty() {
            return value.into();
        }
        self.with(name, value).into()
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
