#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]
//! Our codec and those of official SDKs, on random rows and requests: what one writes the other reads as
//! the same, and where a value has one encoding, both write the same bytes. Of Python everything, of
//! Node.js rows, changes, keys and queries.

mod node;
mod node_queries;
mod referee;
mod requests;
mod rows;
mod say;

use ots_proto::strategy::search_index::index_schema;
use ots_proto::strategy::search_request::{scan_query, search_query};
use ots_proto::strategy::{condition, filter, query};
use proptest::collection::vec;
use referee::Referee;

#[test]
fn rows_are_what_the_python_sdk_reads_and_writes() {
    if let Some(mut python) = Referee::python() {
        python.ask_about("rows", 10_000, &rows::rows(), &rows::ROW);
        python.ask_about(
            "pages of rows",
            1_000,
            &vec(rows::rows(), 1..9),
            &rows::PAGE,
        );
    }
}

#[test]
fn changes_and_keys_are_what_the_python_sdk_writes() {
    if let Some(mut python) = Referee::python() {
        python.ask_about("row changes", 5_000, &rows::changes(), &rows::CHANGE);
        python.ask_about("keys and bounds", 2_000, &rows::keys(), &rows::KEY);
    }
}

#[test]
fn rows_changes_and_keys_are_what_the_node_sdk_reads_and_writes() {
    if let Some(mut node) = Referee::node() {
        node.ask_about("rows", 2_000, &rows::rows(), &node::ROW);
        node.ask_about("pages of rows", 300, &vec(rows::rows(), 1..9), &node::PAGE);
        node.ask_about("row changes", 2_000, &node::changes(), &rows::CHANGE);
        node.ask_about("keys and bounds", 500, &node::keys(), &rows::KEY);
    }
}

#[test]
fn queries_are_what_the_node_sdk_writes() {
    if let Some(mut node) = Referee::node() {
        node.ask_about("queries", 2_000, &query(), &node_queries::QUERY);
    }
}

#[test]
fn searches_are_what_the_python_sdk_writes_and_reads() {
    if let Some(mut python) = Referee::python() {
        python.ask_about("searches", 2_000, &search_query(), &requests::SEARCH);
        python.ask_about("parallel scans", 300, &scan_query(), &requests::SCAN);
    }
}

#[test]
fn filters_and_schemas_are_what_the_python_sdk_writes() {
    if let Some(mut python) = Referee::python() {
        python.ask_about("filters", 500, &filter(), &requests::FILTER);
        python.ask_about("conditions", 300, &condition(), &requests::CONDITION);
        python.ask_about("index schemas", 300, &index_schema(), &requests::SCHEMA);
    }
}
