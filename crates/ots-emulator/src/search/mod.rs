//! Search indexes, Search and parallel scans.
//!
//! An index holds a schema and no copy of the rows: the values of its fields are read out of the
//! table's rows when a query asks for them. Whatever a write changes is therefore searchable at once,
//! where the service takes some seconds.
//!
//! Where the service estimates, the answers here are exact: every matching row is looked at. Scores
//! are simpler than the service's, and analyzers have no dictionary of Chinese words: see
//! [`query`] and [`Analyzer`](analyzer::Analyzer).
//!
//! A query travels one way: the message becomes a [`CompiledQuery`](query::CompiledQuery) once per
//! request, pointers to rows leave the lock, and outside of it the query goes over them and those that
//! match are written as PlainBuffer.

mod aggregation;
mod analyzer;
mod array;
mod columns;
mod date_format;
mod doc;
mod field;
mod geo;
mod group_by;
pub(crate) mod handlers;
mod highlight;
mod index;
mod inner_hits;
mod key;
mod kind;
mod order;
mod predicate;
mod query;
mod scan;
mod schema;
mod select;
mod session;
mod source;
#[cfg(test)]
mod testing;
mod token;
mod view;

pub(crate) use index::SearchIndex;
pub(crate) use session::Sessions;
