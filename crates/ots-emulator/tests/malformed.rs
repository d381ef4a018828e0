//! Requests that no client would send: never a panic, never a 5xx, always a typed error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::sync::LazyLock;

use bytes::Bytes;
use common::{Client, get_request, id, put_request, range_request, signed, update_request};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use ots_proto::messages::{self, FieldSchema, FieldType, IndexSchema, PrimaryKeyType};
use ots_proto::operation;
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowUpdate};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

/// One emulator for all cases: what one leaves behind, the next has to bear.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    let field = FieldSchema {
        field_name: Some("n".to_owned()),
        field_type: Some(FieldType::Long as i32),
        ..FieldSchema::default()
    };
    let request = messages::CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: vec![field],
            ..IndexSchema::default()
        }),
        ..messages::CreateSearchIndexRequest::default()
    };
    client
        .call::<operation::CreateSearchIndex>(&request)
        .unwrap();
    client.put("t", Row::new(id(1)).cell("n", 1)).unwrap();
    client
});

/// Bodies that a client would send, to be spoilt.
static GOOD: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
    let bound = |value| PrimaryKey::new().column("id", value);
    let (first, last) = (PrimaryKeyValue::InfMin, PrimaryKeyValue::InfMax);
    let scan_query = Some(messages::ScanQuery {
        query: Some(ots_proto::search::Query::MatchAll.to_message()),
        ..messages::ScanQuery::default()
    });
    let row = Row::new(id(1)).cell("n", 1).cell("text", "雪");
    let scan = messages::ParallelScanRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        scan_query,
        ..messages::ParallelScanRequest::default()
    };
    let create = common::create_request(
        "other",
        &[("id", PrimaryKeyType::Integer)],
        common::options(1),
    );
    let update = update_request("t", RowUpdate::new(id(1)).put("n", 2).increment("m", 1));
    vec![
        ("PutRow", put_request("t", row).encode_to_vec()),
        ("UpdateRow", update.encode_to_vec()),
        (
            "DeleteRow",
            common::delete_request("t", id(2)).encode_to_vec(),
        ),
        ("GetRow", get_request("t", &id(1)).encode_to_vec()),
        (
            "GetRange",
            range_request("t", &bound(first), &bound(last)).encode_to_vec(),
        ),
        ("ParallelScan", scan.encode_to_vec()),
        ("CreateTable", create.encode_to_vec()),
    ]
});

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
