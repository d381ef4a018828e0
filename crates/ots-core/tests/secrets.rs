//! Secrets show nowhere: not in what is printed, not in errors, not in the requests a transport logs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use ots_core::request::{GetRow, PutRow};
use ots_core::transport::{Scripted, Step};
use ots_core::{Client, Credentials, Endpoint, Error, PrimaryKey, Row};
use ots_proto::messages;

#[path = "common/capture.rs"]
mod capture;
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

/// Everything that can be watched while calls go well and badly, over every transport: all events and
/// spans down to TRACE, the errors, the wrappers, the recording, and the head of a request to a proxy.
#[cfg(all(feature = "hyper", feature = "record"))]
#[tokio::test]
async fn nothing_that_can_be_watched_shows_a_secret() {
    use std::sync::Mutex;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ots_core::retry::NoRetry;
    use ots_core::transport::{
        Fault, FaultRule, Faults, HyperTransport, Observed, Proxy, Recorder, Replay,
    };

    /// A file in memory.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Memory {
        fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(buffer)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let (capture, _guard) = capture::Capture::start();
    let mut everything = Vec::new();
    let by_us = |answer: Answer| answer.signed_by("the-id", SECRET);
    let found = by_us(Answer::ok(&messages::GetRowResponse::default()));
    let file = Memory::default();
    for region in [None, Some("cn-hangzhou")] {
        let steps = [
            found.clone().step(),
            by_us(Answer::busy()).step(),
            Answer::refusal(403, "OTSAuthFailed", "Signature mismatch.")
                .unsigned()
                .step(),
            found.clone().signed_by("the-id", "wrong").step(),
            by_us(Answer::new(200, &b"\xff"[..])).step(),
            Answer::new(502, "<html>")
                .without("x-ots-requestid")
                .unsigned()
                .step(),
            Step::FailBeforeSend,
            Step::FailAfterSend,
        ];
        let faulty =
            Faults::new(Scripted::new(steps)).rule(FaultRule::new(Fault::Corrupt(0)).nth(2));
        let transport = Arc::new(Observed::new(Recorder::new(faulty, file.clone())));
        let client = builder(Arc::clone(&transport), &clock()).credentials(credentials());
        let client = client.retry(NoRetry);
        let client = match region {
            None => client,
            Some(region) => client.region(region),
        };
        everything.push(format!(
            "{client:?} {client:#?} {transport:?} {transport:#?}"
        ));
        let client = client.build().unwrap();
        for _ in 0..8 {
            match client.send(GetRow::new("t", key())).await {
                Ok(reply) => everything.push(format!("{reply:?}")),
                Err(error) => everything.push(shown(&error)),
            }
        }
        everything.push(format!("{client:?} {:?}", client.usage()));
        client.close().await;
    }
    let recording = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
    let replay = Replay::parse(&recording, credentials()).unwrap();
    everything.push(format!("{replay:?} {recording}"));

    // A real socket that hangs up, and a proxy that isn't there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let proxy = Proxy::new("http://me:hush-proxy@127.0.0.1:1").unwrap();
    let other = Proxy::none().basic_auth("me", "hush-proxy");
    for proxy in [Proxy::none(), proxy, other] {
        let transport = HyperTransport::builder().proxy(proxy.clone());
        everything.push(format!("{proxy:?} {transport:?}"));
        let transport = transport.build().unwrap();
        everything.push(format!("{transport:?}"));
        for scheme in ["http", "https"] {
            let client = Client::builder(format!("{scheme}://{address}"))
                .instance("shop")
                .credentials(credentials())
                .transport(transport.clone())
                .retry(NoRetry)
                .build()
                .unwrap();
            let error = client.send(GetRow::new("t", key())).await.unwrap_err();
            everything.push(shown(&error));
        }
    }
    everything.push(capture.text());

    let everything = everything.join("\n");
    assert!(everything.contains("trying again") || everything.contains("giving up"));
    assert_quiet("something", &everything);
    let basic = STANDARD.encode("me:hush-proxy");
    let derived = ots_core::sign::v4::signing_key(SECRET, "20240102", "cn-hangzhou");
    for (what, secret) in [("proxy authorization", basic), ("signing key", derived)] {
        assert!(!everything.contains(&secret), "{what} shows");
    }
    // The signature of an answer, which stands in no header that is kept.
    let request = http::Request::post("/GetRow")
        .body(bytes::Bytes::new())
        .unwrap();
    let answer = found.to(&request);
    let signature = answer.headers()["authorization"].to_str().unwrap();
    let signature = signature.rsplit(':').next().unwrap();
    assert!(!everything.contains(signature), "a signature shows");
}
