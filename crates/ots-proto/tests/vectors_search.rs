//! Searches and what they found, against bytes made by the official SDKs: read as values, and written
//! again byte for byte. See `vectors/PROVENANCE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use ots_proto::messages;
use ots_proto::search::{
    FieldSchema, IndexSchema, QueryFlowWeight, ScanQuery, SearchIndexDescription, SearchQuery,
    SearchResponse, TimeToLive,
};
use prost::Message;
use serde_json::Value;

/// The bodies of one kind of message, with their names.
fn bodies<M: Message + Default>(side: &str, message: &str, count: usize) -> Vec<(String, M)> {
    let text = match side {
        "request" => include_str!("../vectors/requests.json"),
        _ => include_str!("../vectors/responses.json"),
    };
    let json: Value = serde_json::from_str(text).unwrap();
    let cases = json["cases"].as_array().unwrap().iter();
    let cases = cases.filter(|case| case[side]["message"] == message);
    let bodies: Vec<_> = cases
        .map(|case| {
            let name = case["name"].as_str().unwrap().to_owned();
            let bytes = hex::decode(case["hex"].as_str().unwrap()).unwrap();
            (name, M::decode(Bytes::from(bytes)).unwrap())
        })
        .collect();
    assert_eq!(bodies.len(), count, "cases of {message}");
    bodies
}

/// One SDK says of an open end of a range whether the end itself is in the range, which means nothing
/// and isn't kept.
const OPEN_RANGES: &[&str] = &["search_range_from_only", "search_range_to_only_strings"];

#[test]
fn every_search_is_read_and_written_byte_for_byte() {
    let requests = bodies::<messages::SearchRequest>("request", "SearchRequest", 48);
    for (name, request) in requests {
        let bytes = request.search_query.unwrap();
        let search =
            SearchQuery::from_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = search.to_bytes().unwrap();
        if OPEN_RANGES.contains(&name.as_str()) {
            assert_ne!(written, bytes, "{name}");
            assert_eq!(SearchQuery::from_bytes(&written).unwrap(), search, "{name}");
        } else {
            assert_eq!(hex::encode(written), hex::encode(&bytes), "{name}");
        }
    }
}

#[test]
fn every_scan_is_read_and_written_byte_for_byte() {
    let requests = bodies::<messages::ParallelScanRequest>("request", "ParallelScanRequest", 4);
    for (name, request) in requests {
        let message = request.scan_query.unwrap();
        let scan = ScanQuery::from_message(&message).unwrap();
        assert_eq!(scan.to_message().unwrap(), message, "{name}");
    }
}

#[test]
fn everything_that_was_found_is_read_and_written_byte_for_byte() {
    let responses = bodies::<messages::SearchResponse>("response", "SearchResponse", 6);
    for (name, message) in responses {
        let response = SearchResponse::from_message(&message)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = response.to_message().unwrap();
        assert_eq!(
            hex::encode(written.encode_to_vec()),
            hex::encode(message.encode_to_vec()),
            "{name}"
        );
    }
}

#[test]
fn every_index_is_read_and_written_byte_for_byte() {
    let created =
        bodies::<messages::CreateSearchIndexRequest>("request", "CreateSearchIndexRequest", 2);
    for (name, request) in created {
        let message = request.schema.unwrap();
        let schema =
            IndexSchema::from_message(&message).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema.to_message().unwrap(), message, "{name}");
    }
    let updated =
        bodies::<messages::UpdateSearchIndexRequest>("request", "UpdateSearchIndexRequest", 3);
    let mut added = 0;
    for (name, request) in updated {
        for message in request.added_field_schemas {
            let field = FieldSchema::from_message(&message).unwrap();
            assert_eq!(field.to_message().unwrap(), message, "{name}");
            added += 1;
        }
        for message in request.query_flow_weight {
            let weight = QueryFlowWeight::from_message(&message).unwrap();
            assert_eq!(weight.to_message(), message, "{name}");
        }
        if let Some(number) = request.time_to_live {
            assert_eq!(TimeToLive::from_number(number).unwrap().to_number(), number);
        }
    }
    assert!(added > 0);
    let described = bodies::<messages::DescribeSearchIndexResponse>(
        "response",
        "DescribeSearchIndexResponse",
        1,
    );
    for (name, message) in described {
        let description = SearchIndexDescription::from_message(&message).unwrap();
        assert_eq!(description.to_message().unwrap(), message, "{name}");
    }
}
