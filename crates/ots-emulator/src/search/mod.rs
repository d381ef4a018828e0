//! Search indexes, Search and parallel scans.
//!
//! An index holds a schema and no copy of the rows: the values of its fields are read out of the
//! table's rows when a query asks for them. Whatever a write changes is therefore searchable at once,
//! where the service takes some seconds.
//!
//! A query travels one way: the message becomes a [`CompiledQuery`](query::CompiledQuery) once per
//! request, pointers to rows leave the lock, and outside of it the query goes over them and those that
//! match are written as PlainBuffer.

mod analyzer;
mod array;
mod columns;
mod field;
pub(crate) mod handlers;
mod index;
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

pub(crate) use index::SearchIndex;
pub(crate) use session::Sessions;
