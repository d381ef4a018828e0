//! A query, checked against the fields of an index and ready to be asked of millions of rows.
//!
//! Scores are simple and documented, not the service's own: a row has 1 from each condition that is
//! simply true, and from words in a text a number that grows with how often they stand there (see
//! [`TextQuery::score`]). The service's BM25 also knows how rare a word is and how long texts are. What
//! a query does to scores (weights, sums, functions, modes) is done as the service says.

mod compile;
mod functions;
mod nearest;
mod phrase;
mod text;

use std::sync::Arc;

use ots_proto::messages;
use ots_proto::search::{Query, ScoreMode};

pub(crate) use self::functions::FunctionsScore;
pub(crate) use self::nearest::Nearest;
pub(crate) use self::text::{TextQuery, Wanted};
use super::doc::Doc;
use super::field::{Field, Scalar};
use super::inner_hits::InnerHits;
use super::predicate::Predicate;
use super::schema::Schema;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// A query, checked and resolved: names are fields, values are of the fields' types.
#[derive(Clone, Debug)]
pub(crate) struct CompiledQuery {
    root: Node,
    has_nearest: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    All,
    Leaf {
        field: Arc<Field>,
        predicate: Predicate,
        weight: f64,
    },
    /// Words in a TEXT.
    Text(TextQuery),
    Bool {
        must: Vec<Self>,
        filter: Vec<Self>,
        none: Vec<Self>,
        some: Vec<Self>,
        /// How many of `some` must match.
        minimum: usize,
        weight: f64,
    },
    /// What matches has the score 1.
    Const(Box<Self>),
    DisMax {
        queries: Vec<Self>,
        tie_breaker: f64,
        weight: f64,
    },
    /// The score, times the value of a field.
    FunctionScore {
        query: Box<Self>,
        field: Arc<Field>,
    },
    FunctionsScore(Box<FunctionsScore>),
    Nested(Box<NestedNode>),
    Nearest(Box<Nearest>),
}

/// Some inner row of a NESTED field matches.
#[derive(Clone, Debug)]
pub(crate) struct NestedNode {
    pub(crate) path: Arc<Field>,
    pub(crate) query: Node,
    mode: ScoreMode,
    weight: f64,
    pub(crate) inner_hits: Option<InnerHits>,
}

impl CompiledQuery {
    /// Resolves the query of a request. Scores by chance are drawn from `seed`.
    pub(crate) fn compile(
        schema: &Schema,
        message: Option<&messages::Query>,
        seed: u64,
    ) -> Result<Self, ServiceError> {
        let message = message.ok_or_else(|| ServiceError::parameter("the request has no query"))?;
        let query = Query::from_message(message).map_err(|error| ServiceError::caused(&error))?;
        Self::in_scope(schema, &query, None, seed)
    }

    /// Resolves the query of a scan, whose rows are asked one by one.
    pub(crate) fn compile_for_scan(
        schema: &Schema,
        message: Option<&messages::Query>,
    ) -> Result<Self, ServiceError> {
        // Its rows have no scores.
        let query = Self::compile(schema, message, 0)?;
        if query.has_nearest {
            return Err(ServiceError::parameter(
                "ParallelScan can't take a knn_vector query",
            ));
        }
        Ok(query)
    }

    /// Resolves a query about rows that nobody asks for scores.
    pub(crate) fn of_rows(schema: &Schema, query: &Query) -> Result<Self, ServiceError> {
        Self::in_scope(schema, query, None, 0)
    }

    /// Resolves a query about the inner rows of a NESTED field.
    pub(crate) fn of_inner_rows(
        schema: &Schema,
        query: &Query,
        path: &str,
    ) -> Result<Self, ServiceError> {
        let compiled = Self::in_scope(schema, query, Some(path), 0)?;
        debug_assert!(!compiled.has_nearest, "compiling refuses vectors there");
        Ok(compiled)
    }

    fn in_scope(
        schema: &Schema,
        query: &Query,
        scope: Option<&str>,
        seed: u64,
    ) -> Result<Self, ServiceError> {
        let mut compiler = compile::Compiler::new(schema, seed);
        let root = compiler.compile(query, scope)?;
        Ok(Self {
            root,
            has_nearest: compiler.has_nearest,
        })
    }

    /// Whether it must see all rows once, in [`find_nearest`](Self::find_nearest), before it is asked
    /// about one.
    pub(crate) const fn has_nearest(&self) -> bool {
        self.has_nearest
    }

    /// Finds the vectors that are nearest among these rows.
    pub(crate) fn find_nearest(&mut self, rows: &[Arc<StoredRow>]) {
        self.root.find_nearest(rows);
    }

    /// Whether the row, or inner row, matches.
    #[inline]
    pub(crate) fn matches<'r>(&self, doc: impl Into<Doc<'r>>) -> bool {
        self.root.matches(doc.into())
    }

    /// The score of a row that matches.
    pub(crate) fn score<'r>(&self, doc: impl Into<Doc<'r>>) -> Option<f64> {
        self.root.score(doc.into())
    }

    /// Whether it matches whatever there is, so that rows need not be asked.
    pub(crate) const fn is_match_all(&self) -> bool {
        matches!(self.root, Node::All)
    }

    pub(crate) const fn root(&self) -> &Node {
        &self.root
    }
}

impl Node {
    #[inline]
    pub(crate) fn matches(&self, doc: Doc<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Leaf {
                field, predicate, ..
            } => predicate.holds_for(field, doc),
            Self::Text(query) => query.matches(doc),
            Self::Bool {
                must,
                filter,
                none,
                some,
                minimum,
                ..
            } => {
                must.iter().chain(filter).all(|node| node.matches(doc))
                    && !none.iter().any(|node| node.matches(doc))
                    && (*minimum == 0
                        || some
                            .iter()
                            .filter(|node| node.matches(doc))
                            .take(*minimum)
                            .count()
                            == *minimum)
            }
            Self::Const(query) | Self::FunctionScore { query, .. } => query.matches(doc),
            Self::DisMax { queries, .. } => queries.iter().any(|node| node.matches(doc)),
            Self::FunctionsScore(functions) => functions.matches(doc),
            Self::Nested(nested) => {
                let mut found = false;
                nested.path.inner_rows(doc, &mut |inner| {
                    found = found || nested.query.matches(inner);
                });
                found
            }
            Self::Nearest(nearest) => nearest.score(doc).is_some(),
        }
    }

    /// The score, if it matches.
    pub(crate) fn score(&self, doc: Doc<'_>) -> Option<f64> {
        match self {
            Self::All => Some(1.0),
            Self::Leaf {
                field,
                predicate,
                weight,
            } => predicate.holds_for(field, doc).then_some(*weight),
            Self::Text(query) => query.score(doc),
            Self::Bool {
                must, some, weight, ..
            } => {
                // What filters and excludes has no say in the score.
                let sum = self.matches(doc).then(|| {
                    let scores = must.iter().chain(some).filter_map(|node| node.score(doc));
                    scores.sum::<f64>()
                })?;
                Some(sum * weight)
            }
            Self::Const(query) => query.matches(doc).then_some(1.0),
            Self::DisMax {
                queries,
                tie_breaker,
                weight,
            } => {
                let scores: Vec<_> = queries.iter().filter_map(|node| node.score(doc)).collect();
                let best = scores.iter().copied().reduce(f64::max)?;
                let others = scores.iter().sum::<f64>() - best;
                Some((best + tie_breaker * others) * weight)
            }
            Self::FunctionScore { query, field } => {
                let score = query.score(doc)?;
                // Without a value the score is what it was.
                Some(first_number(field, doc).map_or(score, |value| score * value))
            }
            Self::FunctionsScore(functions) => functions.score(doc),
            Self::Nested(nested) => nested.score(doc),
            Self::Nearest(nearest) => nearest.score(doc),
        }
    }

    fn find_nearest(&mut self, rows: &[Arc<StoredRow>]) {
        match self {
            Self::All | Self::Leaf { .. } | Self::Text(_) | Self::Nested(_) => {}
            Self::Bool {
                must,
                filter,
                none,
                some,
                ..
            } => {
                for node in must.iter_mut().chain(filter).chain(none).chain(some) {
                    node.find_nearest(rows);
                }
            }
            Self::Const(query) | Self::FunctionScore { query, .. } => query.find_nearest(rows),
            Self::DisMax { queries, .. } => {
                for node in queries {
                    node.find_nearest(rows);
                }
            }
            Self::FunctionsScore(functions) => functions.find_nearest(rows),
            Self::Nearest(nearest) => nearest.find(rows),
        }
    }

    /// Calls `each` with this node and those below it that a row matches by, not those it mustn't
    /// match.
    pub(crate) fn visit<'n>(&'n self, each: &mut dyn FnMut(&'n Self)) {
        each(self);
        match self {
            Self::All
            | Self::Leaf { .. }
            | Self::Text(_)
            // Its inside is about inner rows, not about this one.
            | Self::Nested(_)
            | Self::Nearest(_) => {}
            Self::Bool {
                must, filter, some, ..
            } => {
                for node in must.iter().chain(filter).chain(some) {
                    node.visit(each);
                }
            }
            Self::Const(query) | Self::FunctionScore { query, .. } => query.visit(each),
            Self::DisMax { queries, .. } => {
                for node in queries {
                    node.visit(each);
                }
            }
            Self::FunctionsScore(functions) => functions.query.visit(each),
        }
    }
}

impl NestedNode {
    fn score(&self, doc: Doc<'_>) -> Option<f64> {
        let mut scores = Vec::new();
        self.path.inner_rows(doc, &mut |inner| {
            scores.extend(self.query.score(inner));
        });
        let count = scores.len() as f64;
        let total: f64 = scores.iter().sum();
        let score = match self.mode {
            _ if scores.is_empty() => return None,
            ScoreMode::None => 0.0,
            ScoreMode::Avg => total / count,
            ScoreMode::Total => total,
            ScoreMode::Max => scores.into_iter().fold(f64::NEG_INFINITY, f64::max),
            ScoreMode::Min => scores.into_iter().fold(f64::INFINITY, f64::min),
        };
        Some(score * self.weight)
    }
}

/// The first number of a field.
pub(crate) fn first_number(field: &Field, doc: Doc<'_>) -> Option<f64> {
    let mut first = None;
    let fits = field.all(doc, |value| {
        first = first.or_else(|| number(value));
    });
    first.filter(|_| fits)
}

/// The value of a LONG, DOUBLE or DATE as a number; a DATE in nanoseconds.
pub(crate) const fn number(value: Scalar<'_>) -> Option<f64> {
    match value {
        Scalar::Long(value) | Scalar::Date(value) => Some(value as f64),
        Scalar::Double(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
