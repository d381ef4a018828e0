//! Who may come in, and what the others are told.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use bytes::Bytes;
use common::{Client, Refusal, check_response, headers, parameter, refusal, sign, signed};
use http::{HeaderMap, Request, Response};
use ots_emulator::{AccessKey, Emulator};
use ots_proto::messages::ListTableResponse;
use prost::Message;

fn auth_failed(message: &str) -> Refusal {
    Refusal {
        status: 403,
        code: "OTSAuthFailed".to_owned(),
        message: message.to_owned(),
    }
}

fn list_with(emulator: &Emulator, change: impl FnOnce(&mut HeaderMap)) -> Response<Bytes> {
    let mut headers = headers(emulator, "test-instance", Emulator::ACCESS_KEY_ID, b"");
    change(&mut headers);
    let secret = Emulator::ACCESS_KEY_SECRET;
    emulator.handle(sign("ListTable", headers, secret, Bytes::new()))
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, value.parse().unwrap());
}

#[test]
fn a_signed_request_passes_and_its_answer_is_signed() {
    let emulator = Emulator::default();
    let response = emulator.handle(signed(&emulator, "ListTable", Bytes::new()));
    assert_eq!(response.status(), 200);
    check_response("ListTable", &response);
}

#[test]
fn further_headers_of_the_service_are_signed_too() {
    let emulator = Emulator::default();
    let response = list_with(&emulator, |headers| {
        set(headers, "x-ots-sdk-traceid", "8ddd3ae0");
        set(headers, "x-ots-ststoken", "token");
    });
    assert_eq!(response.status(), 200);
}

#[test]
fn each_missing_header_is_named() {
    let emulator = Emulator::default();
    for name in [
        "x-ots-date",
        "x-ots-apiversion",
        "x-ots-accesskeyid",
        "x-ots-instancename",
        "x-ots-contentmd5",
    ] {
        let response = list_with(&emulator, |headers| {
            headers.remove(name);
        });
        let expected = parameter(&format!("Missing header: '{name}'."));
        assert_eq!(refusal(&response), expected);
    }
    let mut request = signed(&emulator, "ListTable", Bytes::new());
    request.headers_mut().remove("x-ots-signature");
    let response = emulator.handle(request);
    let expected = parameter("Missing header: 'x-ots-signature'.");
    assert_eq!(refusal(&response), expected);
    check_response("ListTable", &response);
}

#[test]
fn dates_must_be_dates_and_near() {
    let emulator = Emulator::default();
    let response = list_with(&emulator, |headers| set(headers, "x-ots-date", "yesterday"));
    assert_eq!(
        refusal(&response),
        parameter("Invalid date format: yesterday.")
    );

    let old = "2024-01-02T03:04:05.000Z";
    let response = list_with(&emulator, |headers| set(headers, "x-ots-date", old));
    let text = format!("Mismatch between system time and x-ots-date: {old}.");
    assert_eq!(refusal(&response), auth_failed(&text));
}

#[test]
fn a_wrong_key_or_secret_is_refused_without_a_signature() {
    let emulator = Emulator::default();
    let unknown = list_with(&emulator, |headers| {
        set(headers, "x-ots-accesskeyid", "nobody")
    });
    let text = "The AccessKeyID does not exist.";
    assert_eq!(refusal(&unknown), auth_failed(text));

    let headers = headers(&emulator, "test-instance", Emulator::ACCESS_KEY_ID, b"");
    let request = sign("ListTable", headers, "wrong", Bytes::new());
    let wrong = emulator.handle(request);
    assert_eq!(refusal(&wrong), auth_failed("Signature mismatch."));

    for response in [unknown, wrong] {
        assert!(!response.headers().contains_key("authorization"));
        assert!(response.headers().contains_key("x-ots-requestid"));
    }
}

#[test]
fn every_operation_refuses_a_wrong_secret() {
    let emulator = Emulator::default();
    for (name, _) in ots_proto::operation::ALL {
        let headers = headers(&emulator, "test-instance", Emulator::ACCESS_KEY_ID, b"");
        let response = emulator.handle(sign(name, headers, "wrong", Bytes::new()));
        assert_eq!(
            refusal(&response),
            auth_failed("Signature mismatch."),
            "{name}"
        );
    }
}

#[test]
fn a_body_that_does_not_fit_its_digest_is_refused() {
    let emulator = Emulator::default();
    let request = signed(&emulator, "ListTable", Bytes::new());
    let (parts, _) = request.into_parts();
    let response = emulator.handle(Request::from_parts(parts, Bytes::from_static(b"x")));
    let text = "Mismatch between MD5 value of request body and x-ots-contentmd5 in header.";
    assert_eq!(refusal(&response), auth_failed(text));
}

#[test]
fn a_key_of_ones_own_replaces_the_built_in_one() {
    let emulator = Emulator::builder().credentials("me", "mine").build();
    let headers = headers(&emulator, "test-instance", "me", b"");
    let response = emulator.handle(sign("ListTable", headers, "mine", Bytes::new()));
    assert_eq!(response.status(), 200);
    let response = emulator.handle(signed(&emulator, "ListTable", Bytes::new()));
    assert_eq!(
        refusal(&response),
        auth_failed("The AccessKeyID does not exist.")
    );
}

#[test]
fn instances_are_apart() {
    let client = Client::new();
    client.create("t", &[("id", ots_proto::messages::PrimaryKeyType::Integer)]);
    let tables = |instance: &str| {
        let id = Emulator::ACCESS_KEY_ID;
        let headers = headers(&client.emulator, instance, id, b"");
        let secret = Emulator::ACCESS_KEY_SECRET;
        let request = sign("ListTable", headers, secret, Bytes::new());
        let body = client.emulator.handle(request).into_body();
        ListTableResponse::decode(body).unwrap().table_names
    };
    assert_eq!(tables("test-instance"), ["t"]);
    assert_eq!(tables("another"), [""; 0]);
}

#[test]
fn instances_need_a_name_that_is_one() {
    let emulator = Emulator::default();
    let response = list_with(&emulator, |headers| {
        set(headers, "x-ots-instancename", "a b")
    });
    assert_eq!(
        refusal(&response),
        parameter("Invalid instance name: 'a b'.")
    );
}

#[test]
fn other_methods_and_unknown_operations_are_refused() {
    let emulator = Emulator::default();
    let get = emulator.handle(Request::get("/ListTable").body(Bytes::new()).unwrap());
    let expected = Refusal {
        status: 405,
        code: "OTSMethodNotAllowed".to_owned(),
        message: "Only POST method for requests is supported.".to_owned(),
    };
    assert_eq!(refusal(&get), expected);

    for name in ["Unknown", "listtable", "", "GetRow/"] {
        let response = emulator.handle(signed(&emulator, name, Bytes::new()));
        let expected = parameter(&format!("Unsupported operation: '{name}'."));
        assert_eq!(refusal(&response), expected);
    }
    for name in ["SQLQuery", "StartLocalTransaction", "BulkImport"] {
        let response = emulator.handle(signed(&emulator, name, Bytes::new()));
        let text = format!("Unsupported operation: '{name}'. The emulator does not implement it.");
        assert_eq!(refusal(&response), parameter(&text));
        check_response(name, &response);
    }
}

#[test]
fn bodies_must_parse_and_have_a_bound() {
    let emulator = Emulator::default();
    let garbage = Bytes::from_static(b"\xff\xff\xff");
    let response = emulator.handle(signed(&emulator, "GetRow", garbage));
    let expected = parameter("Parse PBMessage from RawString failed.");
    assert_eq!(refusal(&response), expected);

    let large = Bytes::from(vec![0; (5 << 20) + 1]);
    let response = emulator.handle(signed(&emulator, "PutRow", large));
    let expected = Refusal {
        status: 413,
        code: "OTSRequestBodyTooLarge".to_owned(),
        message: "The size of POST data is too large.".to_owned(),
    };
    assert_eq!(refusal(&response), expected);
    check_response("PutRow", &response);
}

#[test]
fn compressed_requests_are_refused_loudly() {
    let emulator = Emulator::default();
    let response = list_with(&emulator, |headers| {
        set(headers, "x-ots-request-compress-type", "deflate");
    });
    let expected = parameter("The emulator does not implement compressed requests.");
    assert_eq!(refusal(&response), expected);
}

#[test]
fn request_ids_are_never_the_same() {
    let emulator = Emulator::default();
    let id = || {
        let response = emulator.handle(signed(&emulator, "ListTable", Bytes::new()));
        response.headers()["x-ots-requestid"].clone()
    };
    let mut ids: Vec<_> = (0..100).map(|_| id()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

#[test]
fn anyone_may_ask_for_its_health() {
    let emulator = Emulator::default();
    let response = emulator.handle(Request::get("/healthz").body(Bytes::new()).unwrap());
    assert_eq!(response.status(), 200);
}

/// Lists the tables of an instance with this access key.
fn list_as(emulator: &Emulator, id: &str, instance: &str, token: Option<&str>) -> Response<Bytes> {
    let mut headers = headers(emulator, instance, id, b"");
    if let Some(token) = token {
        set(&mut headers, "x-ots-ststoken", token);
    }
    emulator.handle(sign("ListTable", headers, "secret", Bytes::new()))
}

#[test]
fn each_access_key_of_a_list_opens_what_it_says() {
    let keys = r#"[
        {"id": "everywhere", "secret": "secret"},
        {"id": "shopkeeper", "secret": "secret", "instances": ["shop", "stock"]},
        {"id": "temporary", "secret": "secret", "security_token": "token"},
        {"id": "gone", "secret": "secret", "disabled": true}
    ]"#;
    let keys = AccessKey::list_from_json(keys).unwrap();
    let emulator = Emulator::builder().access_keys(keys).build();
    for (id, instance, token, refused) in [
        ("everywhere", "shop", None, None),
        ("everywhere", "shop", Some("needless"), None),
        ("shopkeeper", "stock", None, None),
        (
            "shopkeeper",
            "office",
            None,
            Some("The user has no privilege to access the instance."),
        ),
        ("temporary", "shop", Some("token"), None),
        (
            "temporary",
            "shop",
            Some("stale"),
            Some("The header x-ots-ststoken is not the security token of the AccessKeyID."),
        ),
        (
            "temporary",
            "shop",
            None,
            Some("The header x-ots-ststoken is not the security token of the AccessKeyID."),
        ),
        ("gone", "shop", None, Some("The AccessKeyID is disabled.")),
        (
            Emulator::ACCESS_KEY_ID,
            "shop",
            None,
            Some("The AccessKeyID does not exist."),
        ),
    ] {
        let response = list_as(&emulator, id, instance, token);
        let found = (response.status() != 200).then(|| refusal(&response));
        assert_eq!(
            found,
            refused.map(auth_failed),
            "{id}, {instance}, {token:?}"
        );
    }
    let open = std::net::Ipv4Addr::UNSPECIFIED.into();
    assert!(emulator.check_exposure(open).is_ok());
}
