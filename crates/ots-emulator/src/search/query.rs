//! A query, checked against the fields of an index and ready to be asked of millions of rows.

use std::error::Error;
use std::sync::Arc;

use ots_proto::messages;
use ots_proto::search::{
    BoolQuery, MinimumShouldMatch, PrefixQuery, Query, QueryError, TermsQuery,
};

use super::field::Field;
use super::predicate::Predicate;
use super::schema::Schema;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// A query, checked and resolved: names are fields, values are of the fields' types.
#[derive(Clone, Debug)]
pub(crate) struct CompiledQuery {
    root: Node,
}

#[derive(Clone, Debug)]
enum Node {
    All,
    Leaf {
        field: Arc<Field>,
        predicate: Predicate,
    },
    Bool {
        all: Vec<Self>,
        none: Vec<Self>,
        some: Vec<Self>,
        /// How many of `some` must match.
        minimum: usize,
    },
}

impl CompiledQuery {
    /// Resolves the query of a request.
    pub(crate) fn compile(
        schema: &Schema,
        message: Option<&messages::Query>,
    ) -> Result<Self, ServiceError> {
        let message = message.ok_or_else(|| ServiceError::parameter("the request has no query"))?;
        let query = Query::from_message(message).map_err(|error| refused(&error))?;
        let mut nodes = 0;
        let root = compile(schema, &query, &mut nodes)?;
        Ok(Self { root })
    }

    /// Whether the row matches.
    #[inline]
    pub(crate) fn matches(&self, row: &StoredRow) -> bool {
        self.root.matches(row)
    }

    /// Whether it matches whatever there is, so that rows need not be asked.
    pub(crate) const fn is_match_all(&self) -> bool {
        matches!(self.root, Node::All)
    }
}

impl Node {
    #[inline]
    fn matches(&self, row: &StoredRow) -> bool {
        match self {
            Self::All => true,
            Self::Leaf { field, predicate } => predicate.holds_for(field, row),
            Self::Bool {
                all,
                none,
                some,
                minimum,
            } => {
                all.iter().all(|node| node.matches(row))
                    && !none.iter().any(|node| node.matches(row))
                    && (*minimum == 0
                        || some
                            .iter()
                            .filter(|node| node.matches(row))
                            .take(*minimum)
                            .count()
                            == *minimum)
            }
        }
    }
}

fn compile(schema: &Schema, query: &Query, nodes: &mut usize) -> Result<Node, ServiceError> {
    *nodes += 1;
    if *nodes > MAX_NODES {
        return Err(ServiceError::parameter(format!(
            "a query has at most {MAX_NODES} nodes"
        )));
    }
    let leaf = |name: &str, predicate: &dyn Fn(&Field) -> Result<Predicate, ServiceError>| {
        let field = schema.queryable(name)?;
        let predicate = predicate(field)?;
        Ok(Node::Leaf {
            field: Arc::clone(field),
            predicate,
        })
    };
    match query {
        Query::MatchAll => Ok(Node::All),
        Query::Term(term) => leaf(&term.field, &|field| {
            Predicate::one_of(field, std::slice::from_ref(&term.value))
        }),
        Query::Terms(TermsQuery { field, values, .. }) => {
            if values.is_empty() || values.len() > MAX_TERMS {
                return Err(ServiceError::parameter(format!(
                    "a terms query on field [{field}] takes 1 to {MAX_TERMS} terms, not {}",
                    values.len()
                )));
            }
            leaf(field, &|field| Predicate::one_of(field, values))
        }
        Query::Range(range) => leaf(&range.field, &|field| {
            Predicate::range(field, &range.from, &range.to)
        }),
        Query::Prefix(PrefixQuery { field, prefix, .. }) => {
            if prefix.len() > MAX_PREFIX_BYTES {
                return Err(ServiceError::parameter(format!(
                    "the prefix for field [{field}] has {} bytes, at most {MAX_PREFIX_BYTES} are \
                     allowed",
                    prefix.len()
                )));
            }
            leaf(field, &|field| Predicate::prefix(field, prefix))
        }
        Query::Bool(query) => compile_bool(schema, query, nodes),
        Query::Exists(exists) => leaf(&exists.field, &|_| Ok(Predicate::Present)),
        // Query grows with the emulator, but not in step with it.
        other => Err(ServiceError::parameter(format!(
            "queries of kind {} are not supported by the emulator",
            other.kind()
        ))),
    }
}

fn compile_bool(
    schema: &Schema,
    query: &BoolQuery,
    nodes: &mut usize,
) -> Result<Node, ServiceError> {
    let mut list = |queries: &[Query]| {
        queries
            .iter()
            .map(|query| compile(schema, query, nodes))
            .collect::<Result<Vec<_>, _>>()
    };
    let mut all = list(&query.must)?;
    all.append(&mut list(&query.filter)?);
    let none = list(&query.must_not)?;
    let some = list(&query.should)?;
    let minimum = match &query.minimum_should_match {
        // 1 also beside `must`, unlike elsewhere: the documentation says so.
        None => some.len().min(1),
        Some(minimum) => minimum_count(minimum)?,
    };
    Ok(Node::Bool {
        all,
        none,
        some,
        minimum,
    })
}

fn minimum_count(minimum: &MinimumShouldMatch) -> Result<usize, ServiceError> {
    let count = minimum.count().ok_or_else(|| {
        ServiceError::parameter(format!(
            "the emulator supports minimum_should_match as a count, not {minimum}"
        ))
    })?;
    usize::try_from(count).map_err(|_| {
        ServiceError::parameter(format!(
            "minimum_should_match must not be negative, it is {count}"
        ))
    })
}

fn refused(error: &QueryError) -> ServiceError {
    ServiceError::parameter(match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

// From the public documentation.
const MAX_NODES: usize = 1024;
const MAX_TERMS: usize = 1024;
const MAX_PREFIX_BYTES: usize = 1000;

#[cfg(test)]
mod tests;
