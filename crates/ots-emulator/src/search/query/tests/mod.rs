//! Queries against rows: what each kind finds, and what is refused.

mod refusals;
mod scores;
mod values;
mod words;

use bytes::Bytes;
use ots_proto::ColumnValue;
use ots_proto::messages::QueryType;
use ots_proto::search::{BoolQuery, MatchPhraseQuery};

use super::super::testing;
use super::*;

fn compile(query: &Query) -> Result<CompiledQuery, ServiceError> {
    CompiledQuery::compile(&testing::schema(), Some(&query.to_message()), 0)
}

fn matches(query: impl Into<Query>, cells: &[(&str, ColumnValue)]) -> bool {
    compile(&query.into())
        .unwrap()
        .matches(&testing::row(28, cells))
}

fn refusal(query: impl Into<Query>) -> String {
    let error = compile(&query.into()).unwrap_err();
    assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
    error.message
}
