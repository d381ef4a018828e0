//! Requests that no client would send: never a panic, never a 5xx, always a typed error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;
mod good;

use std::sync::LazyLock;

use bytes::Bytes;
use common::{Client, get_request, id, put_request, range_request, signed, update_request};
use good::*;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use ots_emulator::{Coverage, Emulator, Settings, coverage};
use ots_proto::messages::{
    self, ComparatorType, FieldSchema, FieldType, IndexSchema, LogicalOperator, OperationType,
    PrimaryKeyType,
};
use ots_proto::plainbuffer::write_change;
use ots_proto::search::{
    Aggregation, BoolQuery, DateTimeUnit, DateTimeValue, FieldSort, GeoDistanceSort, GeoPoint,
    GroupBy, Highlight, HighlightParameter, InnerHits, Query, SearchQuery, Sort,
};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate, operation, strategy};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

/// What must hold of every answer.
fn check(response: &Response<Bytes>) -> Result<(), TestCaseError> {
    let status = response.status().as_u16();
    prop_assert!((200..500).contains(&status), "{response:?}");
    prop_assert!(response.headers().contains_key("x-ots-requestid"));
    if status != 200 {
        let error = messages::Error::decode(response.body().clone());
        let error = error.map_err(|_| TestCaseError::fail("no typed error"))?;
        prop_assert!(error.code.starts_with("OTS"), "{error:?}");
        prop_assert!(error.message.is_some_and(|message| !message.is_empty()));
    }
    Ok(())
}

fn send(name: &str, body: Vec<u8>) -> Response<Bytes> {
    let emulator = &CLIENT.emulator;
    emulator.handle(signed(emulator, name, body.into()))
}

fn any_operation() -> impl Strategy<Value = &'static str> {
    any::<Index>().prop_map(|index| index.get(operation::ALL).0)
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Spoil {
    Set(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn any_spoil() -> impl Strategy<Value = Spoil> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Spoil::Set(at, byte)),
        1 => any::<Index>().prop_map(Spoil::Cut),
        2 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Spoil::Repeat(from, to)),
    ]
}

fn spoil(bytes: &mut Vec<u8>, spoil: &Spoil) {
    if bytes.is_empty() {
        return;
    }
    match spoil {
        Spoil::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Spoil::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Spoil::Insert(at, new) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Spoil::Repeat(from, to) => {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let part = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.extend(part);
        }
    }
}

#[test]
fn every_operation_that_is_not_refused_is_spoilt_and_is_good_before() {
    let refused = |name: &str| {
        let entry = coverage().iter().find(|entry| entry.operation == name);
        entry.unwrap().coverage == Coverage::Refused
    };
    for (name, _) in operation::ALL {
        let good = GOOD.iter().any(|(good, _)| good == name);
        assert_eq!(good, !refused(name), "{name}");
    }
    // What one leaves behind the next ones need: a table of its own, an index of its own.
    let client = new_client();
    for (name, body) in GOOD.iter() {
        let request = signed(&client.emulator, name, body.clone().into());
        let response = client.emulator.handle(request);
        assert_eq!(
            response.status(),
            200,
            "{name}: {:?}",
            common::refusal(&response)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_answered(
        name in any_operation(),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        check(&send(name, body))?;
    }

    #[test]
    fn good_bodies_spoilt_are_answered(
        good in any::<Index>(),
        spoils in prop::collection::vec(any_spoil(), 1..6),
    ) {
        let (name, body) = good.get(&GOOD[..]);
        let mut body = body.clone();
        for change in &spoils {
            spoil(&mut body, change);
        }
        check(&send(name, body))?;
    }

    #[test]
    fn the_body_of_one_operation_sent_to_another_is_answered(
        name in any_operation(),
        good in any::<Index>(),
    ) {
        check(&send(name, good.get(&GOOD[..]).1.clone()))?;
    }

    #[test]
    fn any_path_method_and_headers_are_answered(
        path in "/[a-zA-Z0-9/%._~:@!$&'()*+,;=-]{0,20}",
        method in prop_oneof![Just(Method::POST), Just(Method::GET), Just(Method::DELETE)],
        headers in prop::collection::vec(
            (
                prop_oneof![
                    "x-ots-[a-z0-9]{1,12}",
                    Just("x-ots-date".to_owned()),
                    Just("x-ots-accesskeyid".to_owned()),
                    Just("x-ots-signature".to_owned()),
                    Just("x-ots-signaturev4".to_owned()),
                    Just("x-ots-signdate".to_owned()),
                    Just("x-ots-instancename".to_owned()),
                    Just("x-ots-contentmd5".to_owned()),
                ],
                prop::collection::vec(prop_oneof![Just(b'\t'), 32..127_u8, 128..=255_u8], 0..30),
            ),
            0..8,
        ),
    ) {
        prop_assume!(path != "/healthz" && !path.starts_with("/admin/"));
        let emulator = &CLIENT.emulator;
        let mut request = signed(emulator, "ListTable", Bytes::new());
        *request.method_mut() = method;
        prop_assume!(path.parse::<http::Uri>().is_ok());
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_bytes(&value).unwrap());
        }
        check(&emulator.handle(request))?;
    }

    #[test]
    fn any_admin_request_is_answered_in_json(
        path in "/admin/(faults|clock/advance|snapshot|restore|[a-z/]{0,8})(/[0-9a-z]{0,4})?",
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "\\{\"(ms|name|do|match)\":[a-z0-9\"{}]{0,12}\\}".prop_map(String::into_bytes),
        ],
    ) {
        let request = Request::post(path).body(Bytes::from(body)).unwrap();
        let response = CLIENT.emulator.handle(request);
        prop_assert!(response.status().as_u16() < 500, "{response:?}");
        prop_assert!(serde_json::from_slice::<serde_json::Value>(response.body()).is_ok());
        CLIENT.emulator.faults().clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Searches, scans and indexes of every shape there is.
    #[test]
    fn any_search_is_answered(
        search in strategy::search_request::search_query(),
        scan in strategy::search_request::scan_query(),
        schema in strategy::search_index::index_schema(),
    ) {
        let (table_name, index_name) = (Some("t".to_owned()), Some("i".to_owned()));
        if let Ok(search_query) = search.to_bytes() {
            let request = messages::SearchRequest {
                table_name: table_name.clone(),
                index_name: index_name.clone(),
                search_query: Some(search_query),
                ..messages::SearchRequest::default()
            };
            check(&send("Search", request.encode_to_vec()))?;
        }
        if let Ok(scan_query) = scan.to_message() {
            let request = messages::ParallelScanRequest {
                table_name,
                index_name,
                scan_query: Some(scan_query),
                ..messages::ParallelScanRequest::default()
            };
            check(&send("ParallelScan", request.encode_to_vec()))?;
        }
        if let Ok(schema) = schema.to_message() {
            let request = messages::CreateSearchIndexRequest {
                table_name: "t".to_owned(),
                index_name: "j".to_owned(),
                schema: Some(schema),
                ..messages::CreateSearchIndexRequest::default()
            };
            check(&send("CreateSearchIndex", request.encode_to_vec()))?;
        }
    }
}
