//! Queries as JSON, in the style that search engines made familiar.
//!
//! ```json
//! { "bool": { "must": [
//!     { "term": { "city": "Hangzhou" } },
//!     { "range": { "age": { "gte": 18, "lt": 65 } } }
//! ] } }
//! ```

use std::fmt;
use std::ops::Bound;

use serde_json::{Map, Value};

use super::query::{BoolQuery, Query, RangeQuery};
use crate::value::ColumnValue;

/// Why JSON isn't a query: where in the document, and what stands there.
#[derive(Debug, PartialEq, Eq)]
pub struct JsonError {
    path: String,
    problem: String,
}

impl JsonError {
    /// Where in the document, as in `$.bool.must[2].term`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl std::error::Error for JsonError {}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the query at {}: {}", self.path, self.problem)
    }
}

impl Query {
    /// Reads a query from JSON: `match_all`, `term`, `terms`, `range` (`gt`, `gte`, `lt`, `lte`),
    /// `prefix`, `exists`, and `bool` (`must`, `must_not`, `filter`, `should`,
    /// `minimum_should_match`).
    ///
    /// # Errors
    /// When the document isn't such a query; the error says where.
    pub fn from_json(json: &Value) -> Result<Self, JsonError> {
        read(json, &Path::Root, 0)
    }

    /// Writes the query as JSON that [`from_json`](Self::from_json) reads. What JSON can't say becomes
    /// null: binary values, NaN and the infinities, none of which an index field can hold.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let all = |queries: &[Self]| Value::Array(queries.iter().map(Self::to_json).collect());
        match self {
            Self::MatchAll => object("match_all", Value::Object(Map::new())),
            Self::Term { field, value } => object("term", object(field, scalar_to_json(value))),
            Self::Terms { field, values } => {
                let values = values.iter().map(scalar_to_json).collect();
                object("terms", object(field, Value::Array(values)))
            }
            Self::Prefix { field, prefix } => {
                object("prefix", object(field, Value::from(prefix.as_str())))
            }
            Self::Exists { field } => {
                object("exists", object("field", Value::from(field.as_str())))
            }
            Self::Range(RangeQuery { field, from, to }) => {
                let mut bounds = Map::new();
                for (bound, included, excluded) in [(from, "gte", "gt"), (to, "lte", "lt")] {
                    match bound {
                        Bound::Included(value) => {
                            bounds.insert(included.to_owned(), scalar_to_json(value));
                        }
                        Bound::Excluded(value) => {
                            bounds.insert(excluded.to_owned(), scalar_to_json(value));
                        }
                        Bound::Unbounded => {}
                    }
                }
                object("range", object(field, Value::Object(bounds)))
            }
            Self::Bool(query) => {
                let mut parts = Map::new();
                let clauses = [
                    ("must", &query.must),
                    ("must_not", &query.must_not),
                    ("filter", &query.filter),
                    ("should", &query.should),
                ];
                for (name, queries) in clauses {
                    if !queries.is_empty() {
                        parts.insert(name.to_owned(), all(queries));
                    }
                }
                if let Some(minimum) = query.minimum_should_match {
                    parts.insert("minimum_should_match".to_owned(), minimum.into());
                }
                object("bool", Value::Object(parts))
            }
        }
    }
}

const MAX_DEPTH: usize = 64;

/// Where we are, without building text until something is wrong.
enum Path<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Path<'_> {
    fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError {
            path: self.to_string(),
            problem: problem.into(),
        }
    }
}

fn read(json: &Value, path: &Path<'_>, depth: usize) -> Result<Query, JsonError> {
    if depth > MAX_DEPTH {
        return Err(path.error(format!("nested more than {MAX_DEPTH} levels deep")));
    }
    let (kind, body) = only_entry(json, path, "the kind of query, as in {\"term\": ...}")?;
    let path = &Path::Key(path, kind);
    match kind {
        "match_all" => match body.as_object() {
            Some(options) if options.is_empty() => Ok(Query::MatchAll),
            _ => Err(path.error("expected {}")),
        },
        "term" => {
            let (field, value) =
                only_entry(body, path, "the field, as in {\"city\": \"Hangzhou\"}")?;
            Ok(Query::Term {
                field: field.to_owned(),
                value: scalar(value, &Path::Key(path, field))?,
            })
        }
        "terms" => {
            let (field, values) = only_entry(body, path, "the field, as in {\"id\": [1, 2]}")?;
            let path = &Path::Key(path, field);
            let values = array(values, path)?.iter().enumerate();
            let values = values.map(|(index, value)| scalar(value, &Path::Index(path, index)));
            Ok(Query::Terms {
                field: field.to_owned(),
                values: values.collect::<Result<_, _>>()?,
            })
        }
        "range" => {
            let (field, bounds) =
                only_entry(body, path, "the field, as in {\"age\": {\"gte\": 18}}")?;
            range(field, bounds, &Path::Key(path, field)).map(Query::Range)
        }
        "prefix" => {
            let (field, prefix) = only_entry(body, path, "the field, as in {\"name\": \"San\"}")?;
            let text = prefix.as_str();
            let text = text.ok_or_else(|| Path::Key(path, field).error("expected text"))?;
            Ok(Query::prefix(field, text))
        }
        "exists" => match only_entry(body, path, "\"field\"")? {
            ("field", Value::String(field)) => Ok(Query::exists(field.as_str())),
            _ => Err(path.error("expected {\"field\": NAME}")),
        },
        "bool" => boolean(body, path, depth).map(Query::Bool),
        other => Err(path.error(format!(
            "unknown kind of query {other:?}; known are match_all, term, terms, range, prefix, \
             exists and bool"
        ))),
    }
}

fn range(field: &str, bounds: &Value, path: &Path<'_>) -> Result<RangeQuery, JsonError> {
    let bounds = bounds.as_object();
    let bounds = bounds.ok_or_else(|| path.error("expected bounds, as in {\"gte\": 18}"))?;
    let mut range = Query::range(field);
    for (name, value) in bounds {
        let path = &Path::Key(path, name);
        let value = scalar(value, path)?;
        let (end, bound) = match name.as_str() {
            "gt" => (&mut range.from, Bound::Excluded(value)),
            "gte" => (&mut range.from, Bound::Included(value)),
            "lt" => (&mut range.to, Bound::Excluded(value)),
            "lte" => (&mut range.to, Bound::Included(value)),
            _ => return Err(path.error("unknown bound; known are gt, gte, lt and lte")),
        };
        if *end != Bound::Unbounded {
            return Err(path.error("this end of the range is given twice"));
        }
        *end = bound;
    }
    Ok(range)
}

fn boolean(body: &Value, path: &Path<'_>, depth: usize) -> Result<BoolQuery, JsonError> {
    let parts = body.as_object();
    let parts = parts.ok_or_else(|| path.error("expected clauses, as in {\"must\": [...]}"))?;
    let mut query = BoolQuery::default();
    for (name, part) in parts {
        let path = &Path::Key(path, name);
        let clause = match name.as_str() {
            "must" => &mut query.must,
            "must_not" => &mut query.must_not,
            "filter" => &mut query.filter,
            "should" => &mut query.should,
            "minimum_should_match" => {
                let minimum = part.as_i64().and_then(|number| i32::try_from(number).ok());
                let minimum = minimum.ok_or_else(|| path.error("expected a number"))?;
                query.minimum_should_match = Some(minimum);
                continue;
            }
            _ => {
                return Err(path.error(
                    "unknown clause; known are must, must_not, filter, should and \
                     minimum_should_match",
                ));
            }
        };
        match part {
            Value::Array(queries) => {
                for (index, query) in queries.iter().enumerate() {
                    clause.push(read(query, &Path::Index(path, index), depth + 1)?);
                }
            }
            query => clause.push(read(query, path, depth + 1)?),
        }
    }
    Ok(query)
}

fn only_entry<'a>(
    json: &'a Value,
    path: &Path<'_>,
    wanted: &str,
) -> Result<(&'a str, &'a Value), JsonError> {
    let mut entries = json.as_object().into_iter().flatten();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(path.error(format!("expected an object with one entry: {wanted}"))),
    }
}

fn array<'a>(json: &'a Value, path: &Path<'_>) -> Result<&'a Vec<Value>, JsonError> {
    json.as_array()
        .ok_or_else(|| path.error("expected an array"))
}

fn scalar(json: &Value, path: &Path<'_>) -> Result<ColumnValue, JsonError> {
    match json {
        Value::Bool(value) => Ok(ColumnValue::Boolean(*value)),
        Value::String(value) => Ok(ColumnValue::String(value.clone())),
        Value::Number(number) => {
            let integer = number.as_i64().map(ColumnValue::Integer);
            // An integer beyond 64 signed bits must not turn into a double nearby.
            let double = || number.as_f64().filter(|_| !number.is_u64());
            integer
                .or_else(|| double().map(ColumnValue::Double))
                .ok_or_else(|| path.error("a number out of range"))
        }
        _ => Err(path.error("expected text, a number, true or false")),
    }
}

fn scalar_to_json(value: &ColumnValue) -> Value {
    match value {
        ColumnValue::Integer(value) => Value::from(*value),
        ColumnValue::Double(value) => Value::from(*value),
        ColumnValue::Boolean(value) => Value::from(*value),
        ColumnValue::String(value) => Value::from(value.as_str()),
        ColumnValue::Binary(_) => Value::Null,
    }
}

fn object(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_documented_shapes_are_read() {
        let json = json!({ "bool": {
            "must": [
                { "term": { "city": "Hangzhou" } },
                { "range": { "age": { "gte": 18, "lt": 65 } } },
            ],
            "must_not": { "exists": { "field": "left" } },
            "should": [{ "prefix": { "name": "San" } }, { "terms": { "id": [1, 2.5, true] } }],
            "filter": [{ "match_all": {} }],
            "minimum_should_match": 1,
        } });
        let expected = Query::Bool(BoolQuery {
            must: vec![
                Query::term("city", "Hangzhou"),
                Query::range("age").gte(18).lt(65).into(),
            ],
            must_not: vec![Query::exists("left")],
            should: vec![
                Query::prefix("name", "San"),
                Query::Terms {
                    field: "id".to_owned(),
                    values: vec![1.into(), 2.5.into(), true.into()],
                },
            ],
            filter: vec![Query::MatchAll],
            minimum_should_match: Some(1),
        });
        assert_eq!(Query::from_json(&json).unwrap(), expected);
    }

    #[test]
    fn an_error_names_its_place() {
        let term = json!({ "term": { "a": 1 } });
        let cases = [
            (
                json!(7),
                "$",
                "expected an object with one entry: the kind of query, as in {\"term\": ...}",
            ),
            (
                json!({}),
                "$",
                "expected an object with one entry: the kind of query, as in {\"term\": ...}",
            ),
            (
                json!({ "fuzzy": {} }),
                "$.fuzzy",
                "unknown kind of query \"fuzzy\"; known are match_all, term, terms, range, prefix, exists and bool",
            ),
            (
                json!({ "match_all": { "boost": 2 } }),
                "$.match_all",
                "expected {}",
            ),
            (
                json!({ "term": { "city": null } }),
                "$.term.city",
                "expected text, a number, true or false",
            ),
            (
                json!({ "term": { "a": 1, "b": 2 } }),
                "$.term",
                "expected an object with one entry: the field, as in {\"city\": \"Hangzhou\"}",
            ),
            (
                json!({ "terms": { "id": [1, [2]] } }),
                "$.terms.id[1]",
                "expected text, a number, true or false",
            ),
            (
                json!({ "terms": { "id": 1 } }),
                "$.terms.id",
                "expected an array",
            ),
            (
                json!({ "range": { "age": { "from": 1 } } }),
                "$.range.age.from",
                "unknown bound; known are gt, gte, lt and lte",
            ),
            (
                json!({ "range": { "age": { "gt": 1, "gte": 1 } } }),
                "$.range.age.gte",
                "this end of the range is given twice",
            ),
            (
                json!({ "prefix": { "name": 1 } }),
                "$.prefix.name",
                "expected text",
            ),
            (
                json!({ "exists": { "name": "a" } }),
                "$.exists",
                "expected {\"field\": NAME}",
            ),
            (
                json!({ "bool": { "must": [term, term, { "bool": { "shall": [] } }] } }),
                "$.bool.must[2].bool.shall",
                "unknown clause; known are must, must_not, filter, should and minimum_should_match",
            ),
            (
                json!({ "bool": { "minimum_should_match": "75%" } }),
                "$.bool.minimum_should_match",
                "expected a number",
            ),
        ];
        for (json, path, problem) in cases {
            let error = Query::from_json(&json).unwrap_err();
            assert_eq!(error.path(), path, "{json}");
            assert_eq!(
                error.to_string(),
                format!("the query at {path}: {problem}"),
                "{json}"
            );
        }
    }

    #[test]
    fn an_integer_beyond_64_bits_does_not_become_a_double_nearby() {
        let json = json!({ "term": { "id": u64::MAX } });
        let error = Query::from_json(&json).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the query at $.term.id: a number out of range"
        );
        let json = json!({ "term": { "id": i64::MAX } });
        assert_eq!(
            Query::from_json(&json).unwrap(),
            Query::term("id", i64::MAX)
        );
    }

    #[test]
    fn what_json_cannot_say_becomes_null() {
        for value in [
            ColumnValue::Double(f64::NAN),
            ColumnValue::Binary(vec![1].into()),
        ] {
            let json = Query::term("a", value).to_json();
            assert_eq!(json, json!({ "term": { "a": null } }));
        }
    }
}
