//! Signatures against those of the official SDK; see `vectors/PROVENANCE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;

use ots_core::sign::{self, SigningKey};
use serde_json::Value;

/// The request cases of one version, or the response cases of all.
fn cases(kind: &str, version: Option<&str>) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/signing.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    cases
        .filter(|case| case["kind"] == kind)
        .filter(|case| version.is_none_or(|version| case["version"] == version))
        .cloned()
        .collect()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {case}"))
}

/// Headers with their names in lower case, as the functions want them.
fn headers(case: &Value) -> Vec<(String, String)> {
    let headers = case["headers"].as_object().unwrap().iter();
    headers
        .map(|(name, value)| {
            (
                name.to_ascii_lowercase(),
                value.as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn borrowed(headers: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// What a case was signed with.
fn key(case: &Value) -> SigningKey {
    let secret = text(case, "access_key_secret");
    if case["version"] == "v2" {
        return SigningKey::v2(secret);
    }
    let date = case["headers"]["x-ots-signdate"].as_str();
    let date = date.or_else(|| case["sign_date"].as_str()).unwrap();
    SigningKey::v4(secret, date, text(case, "region"))
}

/// Step by step, so that a failure names the step that broke.
#[test]
fn every_request_is_signed_as_by_the_official_sdk() {
    for (version, count) in [("v2", 9), ("v4", 8)] {
        let cases = cases("request", Some(version));
        assert_eq!(cases.len(), count);
        for case in &cases {
            let (name, headers) = (text(case, "name"), headers(case));
            let (api, secret) = (text(case, "api"), text(case, "access_key_secret"));
            let wanted = text(case, "string_to_sign");

            let (signed, signature) = if version == "v2" {
                let signed = sign::v2::string_to_sign(api, borrowed(&headers));
                (signed, sign::hmac_sha1(secret, wanted))
            } else {
                let (date, region) = (&case["headers"]["x-ots-signdate"], text(case, "region"));
                let derived = sign::v4::signing_key(secret, date.as_str().unwrap(), region);
                assert_eq!(derived, text(case, "signing_key_base64"), "{name}: the key");
                let signed = sign::v4::string_to_sign(api, borrowed(&headers));
                (signed, sign::v4::sign(&derived, api, borrowed(&headers)))
            };
            assert_eq!(signed, wanted, "{name}: what is signed");
            assert_eq!(signature, text(case, "signature"), "{name}: the signature");

            let (header, signature) = key(case).sign(api, borrowed(&headers));
            assert_eq!(header, text(case, "signature_header"), "{name}: its header");
            assert_eq!(signature, text(case, "signature"), "{name}: all steps");
        }
    }
}

#[test]
fn the_scope_of_a_key_is_sent_with_it() {
    for case in cases("request", None) {
        let sent = headers(&case);
        let sent: BTreeSet<_> = borrowed(&sent)
            .filter(|(name, _)| name.starts_with("x-ots-sign") && !name.contains("signature"))
            .collect();
        let key = key(&case);
        assert_eq!(
            key.scope().collect::<BTreeSet<_>>(),
            sent,
            "{}",
            text(&case, "name")
        );
    }
}

#[test]
fn the_order_of_headers_does_not_matter() {
    for case in cases("request", None) {
        let mut headers = headers(&case);
        headers.reverse();
        let (_, signature) = key(&case).sign(text(&case, "api"), borrowed(&headers));
        assert_eq!(
            signature,
            text(&case, "signature"),
            "{}",
            text(&case, "name")
        );
    }
}

#[test]
fn requests_carry_these_headers_and_no_others() {
    for case in cases("request", None) {
        let mut wanted: BTreeSet<String> = [
            "x-ots-accesskeyid",
            "x-ots-apiversion",
            "x-ots-contentmd5",
            "x-ots-date",
            "x-ots-instancename",
            text(&case, "signature_header"),
        ]
        .map(str::to_owned)
        .into();
        if case["sts_token"].is_string() {
            wanted.insert("x-ots-ststoken".to_owned());
        }
        if case["version"] == "v4" {
            wanted.extend(["x-ots-signdate", "x-ots-signregion"].map(str::to_owned));
        }
        let extra = case["extra_headers"].as_object().unwrap().keys();
        wanted.extend(extra.map(|name| name.to_ascii_lowercase()));
        let names: BTreeSet<_> = headers(&case).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, wanted, "{}", text(&case, "name"));
    }
}

#[test]
fn digests_are_over_the_body_as_sent() {
    for kind in ["request", "response"] {
        for case in cases(kind, None) {
            let body = hex::decode(text(&case, "body_hex")).unwrap();
            let stated = &case["headers"]["x-ots-contentmd5"];
            assert_eq!(sign::content_md5(&body), *stated, "{}", text(&case, "name"));
        }
    }
}

/// The text of the key that signs a response: in V2 the secret, in V4 the derived key.
fn response_key(case: &Value) -> String {
    let secret = text(case, "access_key_secret");
    if case["version"] == "v2" {
        return secret.to_owned();
    }
    sign::v4::signing_key(secret, text(case, "sign_date"), text(case, "region"))
}

#[test]
fn every_response_is_verified_as_by_the_official_sdk() {
    let cases = cases("response", None);
    assert_eq!(cases.len(), 4);
    assert_eq!(
        cases.iter().filter(|case| case["version"] == "v4").count(),
        1
    );
    for case in &cases {
        let (name, headers) = (text(case, "name"), headers(case));
        let signed = sign::response_string_to_sign(text(case, "api"), borrowed(&headers));
        assert_eq!(
            signed,
            text(case, "string_to_sign"),
            "{name}: what is signed"
        );

        let key = response_key(case);
        let signature = text(case, "signature");
        assert!(
            sign::verify_hmac_sha1(&key, text(case, "string_to_sign"), signature),
            "{name}"
        );
        assert_eq!(sign::hmac_sha1(&key, &signed), signature, "{name}");

        let api = text(case, "api");
        let key = self::key(case);
        assert!(key.verifies(api, borrowed(&headers), signature), "{name}");
        assert!(
            !key.verifies("AnotherOperation", borrowed(&headers), signature),
            "{name}"
        );
    }
}

#[test]
fn a_signature_that_differs_anywhere_is_refused() {
    let case = &cases("response", None)[0];
    let (key, signed) = (response_key(case), text(case, "string_to_sign"));
    let signature = text(case, "signature");
    assert!(sign::verify_hmac_sha1(&key, signed, signature));
    for (at, byte) in signature.bytes().enumerate() {
        let mut other = signature.as_bytes().to_vec();
        other[at] = if byte == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(
            !sign::verify_hmac_sha1(&key, signed, &other),
            "character {at}"
        );
    }
    for other in [
        "",
        "=",
        "not base64!",
        &signature[..20],
        &format!("{signature}="),
    ] {
        assert!(!sign::verify_hmac_sha1(&key, signed, other), "{other:?}");
    }
    assert!(!sign::verify_hmac_sha1(&key, &signed[1..], signature));
    assert!(!sign::verify_hmac_sha1("another key", signed, signature));
}

#[test]
fn no_case_is_passed_over_by_another_name() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/signing.json")).unwrap();
    assert_eq!(vectors["cases"].as_array().unwrap().len(), 9 + 8 + 4);
}

#[test]
fn keys_print_their_scope_and_nothing_else() {
    let key = SigningKey::v4("hush", "20240102", "cn-hangzhou");
    assert_eq!(format!("{key:?}"), "SigningKey::V4(20240102, cn-hangzhou)");
    assert_eq!(format!("{:?}", SigningKey::v2("hush")), "SigningKey::V2");
}
