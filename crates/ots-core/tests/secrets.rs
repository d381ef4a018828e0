//! Secrets show nowhere: not in what is printed, not in errors, not in the requests a transport logs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use ots_core::request::{GetRow, PutRow};
use ots_core::transport::{Scripted, Step};
use ots_core::{Client, Credentials, Endpoint, Error, PrimaryKey, Row};
use ots_proto::messages;

mod common;

use common::{Answer, builder, clock};

const SECRET: &str = "hush-secret";
const TOKEN: &str = "hush-token";
const VALUE: &str = "hush-value";

fn credentials() -> Credentials {
    Credentials::new("the-id", SECRET).with_security_token(TOKEN)
}

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

#[track_caller]
fn assert_quiet(what: &str, shown: &str) {
    for secret in ["hush", VALUE] {
        assert!(!shown.contains(secret), "{what}: {shown}");
    }
}

/// Everything an error says, by all its sources.
fn shown(error: &Error) -> String {
    format!("{error} {error:?} {error:#?} {:?}", common::chain(error))
}

#[test]
fn credentials_print_their_id_only() {
    let credentials = credentials();
    let shown = format!("{credentials:?} {credentials:#?} {:?}", Some(&credentials));
    assert_quiet("credentials", &shown);
    assert!(shown.contains("the-id"));
}

#[test]
fn what_holds_keys_prints_none() {
    for version in [
        ots_core::sign::SigningKey::v2(SECRET),
        ots_core::sign::SigningKey::v4(SECRET, "20240102", "cn-hangzhou"),
    ] {
        let shown = format!("{version:?} {version:#?}");
        assert_quiet("key", &shown);
        let derived = ots_core::sign::v4::signing_key(SECRET, "20240102", "cn-hangzhou");
        assert!(!shown.contains(&derived), "{shown}");
    }
}

/// A source that holds what it gives.
#[derive(Debug)]
struct Source(Credentials);

#[async_trait::async_trait]
impl ots_core::credentials::CredentialsSource for Source {
    async fn fetch(&self) -> Result<Credentials, Error> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn a_cache_prints_no_secrets() {
    let cached = ots_core::credentials::CachedCredentials::new(Source(credentials()));
    let given = ots_core::CredentialsProvider::credentials(&cached).await;
    assert_eq!(given.unwrap(), credentials());
    assert_quiet("cache", &format!("{cached:?} {cached:#?}"));
}

#[test]
fn builders_and_clients_print_no_secrets() {
    let builder = builder(Scripted::new([]), &clock()).credentials(credentials());
    assert_quiet("builder", &format!("{builder:?} {builder:#?}"));
    let client = builder.build().unwrap();
    assert_quiet("client", &format!("{client:?} {client:#?}"));
    #[cfg(feature = "hyper")]
    {
        let client = Client::builder("http://h:1")
            .instance("i")
            .credentials(credentials());
        assert_quiet("hyper client", &format!("{:?}", client.build().unwrap()));
    }
}

#[tokio::test]
async fn errors_and_requests_print_no_secrets() {
    let row = Row::new(key()).cell("note", VALUE);
    let transport = Arc::new(Scripted::new([
        Step::FailAfterSend,
        Answer::refusal(403, "OTSAuthFailed", "Signature mismatch.").step(),
        Answer::new(502, "")
            .without("x-ots-requestid")
            .unsigned()
            .step(),
        Answer::ok(&messages::PutRowResponse::default())
            .signed_by("other", "key")
            .step(),
        Answer::new(200, &b"\xff\xff"[..])
            .signed_by("the-id", SECRET)
            .step(),
    ]));
    let client = builder(Arc::clone(&transport), &clock()).credentials(credentials());
    let client = client.build().unwrap();
    for _ in 0..5 {
        let error = client
            .send(PutRow::new("notes", row.clone()))
            .await
            .unwrap_err();
        assert_quiet("error", &shown(&error));
    }
    assert_quiet("transport", &format!("{transport:?}"));

    let sent = transport.sent();
    assert_eq!(sent.len(), 5);
    for request in &sent {
        let signature = request.headers()["x-ots-signature"]
            .to_str()
            .unwrap()
            .to_owned();
        let printed = format!("{:?}", request.headers());
        assert_quiet("headers", &printed);
        assert!(!printed.contains(&signature), "{printed}");
        for name in ["x-ots-signature", "x-ots-ststoken"] {
            assert!(request.headers()[name].is_sensitive(), "{name}");
        }
        assert!(!request.headers()["x-ots-date"].is_sensitive());
        assert_eq!(request.headers()["x-ots-ststoken"], TOKEN);
    }
}

#[tokio::test]
async fn a_secret_that_a_header_cannot_carry_is_not_shown() {
    for credentials in [
        Credentials::new("bad\nid-hush", SECRET),
        Credentials::new("the-id", SECRET).with_security_token("hush\n"),
    ] {
        let client = builder(Scripted::new([]), &clock()).credentials(credentials);
        let error = client
            .build()
            .unwrap()
            .send(GetRow::new("t", key()))
            .await
            .unwrap_err();
        assert_quiet("error", &shown(&error));
    }
}

#[test]
fn a_password_in_an_endpoint_is_not_repeated() {
    for text in [
        "https://me:hush@host",
        "http://hush@host:1/path",
        "me:hush@host",
        "ftp://me:hush@host",
        "https://host/?key=hush@x",
    ] {
        assert_quiet(text, &shown(&Endpoint::parse(text).unwrap_err()));
        let error = Client::builder(text)
            .credentials(credentials())
            .build()
            .unwrap_err();
        assert_quiet(text, &shown(&error));
    }
}

#[test]
fn a_half_set_environment_is_reported_without_its_values() {
    let error =
        Credentials::from_variables(|name| name.ends_with("ID").then(|| "hush-id".to_owned()));
    assert_quiet("environment", &shown(&error.unwrap_err()));
    let error = Credentials::from_variables(|_| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no credentials: set TABLESTORE_ACCESS_KEY_ID and TABLESTORE_ACCESS_KEY_SECRET, or \
         ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    );
}
