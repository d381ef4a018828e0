//! Secrets show nowhere: not in what is printed, not in errors, not in the requests a transport logs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use ots_core::request::{GetRow, PutRow};
use ots_core::transport::{Scripted, Step, TransportError};
use ots_core::{Client, Credentials, Endpoint, Error, PrimaryKey, Row};
use ots_proto::messages;

#[path = "common/capture.rs"]
mod capture;
mod common;
#[path = "common/scan.rs"]
mod scan;

use common::{Answer, builder, clock};
use scan::{Scan, printed, shown};

const SECRET: &str = "hush-secret";
const TOKEN: &str = "hush-token";
const VALUE: &str = "hush-value";

fn credentials() -> Credentials {
    Credentials::new("the-id", SECRET).with_security_token(TOKEN)
}

fn key() -> PrimaryKey {
    PrimaryKey::new().column("id", 7)
}

/// Every secret of these tests begins with the same word.
#[track_caller]
fn assert_quiet(what: &str, shown: &str) {
    let secrets = [
        ("the secret", SECRET),
        ("the token", TOKEN),
        ("the value", VALUE),
        ("some secret", "hush"),
    ];
    Scan::new(secrets).assert_quiet(what, shown);
}

/// The scan would find what the tests below say isn't there: a leak in each of the places, planted.
#[test]
fn a_planted_secret_is_found_wherever_it_shows() {
    /// Prints what it holds, as a derived `Debug` would.
    #[derive(Debug)]
    struct Careless {
        _secret: &'static str,
    }
    let scan = Scan::new([("the secret", SECRET)]);
    let leak = Careless { _secret: SECRET };
    let plain = ["the secret as it is"];
    assert_eq!(scan.found(&printed(&leak)), plain, "in Debug");

    let cause = std::io::Error::other(format!("key {SECRET} was refused"));
    let error = Error::transport(TransportError::not_sent(cause));
    assert!(!error.to_string().contains(SECRET), "it is in the cause");
    assert_eq!(scan.found(&shown(&error)), plain, "in an error's cause");

    let watched = |leak: &dyn Fn()| {
        let (capture, _guard) = capture::Capture::start();
        leak();
        scan.found(&capture.text()).join(", ")
    };
    assert_eq!(watched(&|| tracing::trace!("signing")), "");
    let in_event = watched(&|| tracing::trace!(key = SECRET, "signing"));
    assert_eq!(in_event, plain[0], "in a field of an event");
    let in_span = watched(&|| {
        let span = tracing::trace_span!("call", key = tracing::field::Empty);
        span.record("key", SECRET);
    });
    assert_eq!(in_span, plain[0], "in a field of a span");
    let in_error = watched(&|| {
        let error = std::io::Error::other(SECRET);
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::warn!(error, "trying again");
    });
    assert_eq!(in_error, plain[0], "in the error of an event");

    for (form, text) in [
        ("in hex", hex::encode(SECRET)),
        ("in base64", common::base64(SECRET)),
        ("as a list of bytes", format!("{:?}", SECRET.as_bytes())),
    ] {
        let found = scan.found(&text).join(" ");
        assert!(found.contains(form), "{form}: {found:?}");
    }
}

#[test]
#[should_panic(expected = "the Debug of a key shows [\"the secret as it is\"")]
fn a_planted_secret_fails_the_test() {
    assert_quiet("the Debug of a key", &format!("Key({SECRET:?})"));
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
    let basic = scan::basic("me", "hush-proxy");
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
