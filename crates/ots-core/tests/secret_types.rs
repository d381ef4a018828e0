//! What a public type prints of itself: every one that holds a secret is built here and printed. A new
//! public type has to be put on one of the two lists.
#![cfg(all(feature = "hyper", feature = "record", feature = "rustls"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ots_core::credentials::sources::{
    AssumeRole, AssumeRoleWithOidc, ConfigFile, CredentialsChain, CredentialsCommand,
    CredentialsFile, CredentialsUri, EcsRamRole, Machine,
};
use ots_core::credentials::{CachedCredentials, CredentialsSource};
use ots_core::request::GetRow;
use ots_core::sign::{SigningKey, v4};
use ots_core::transport::{
    FaultRule, Faults, HyperTransport, InProcess, Observed, Proxy, Recorder, Replay, Scripted, Step,
};
use ots_core::writer::{BatchWriter, Settled};
use ots_core::{Credentials, Error, PrimaryKey};

mod common;

use common::{builder, clock};

const SECRET: &str = "hush-secret";
const TOKEN: &str = "hush-token";

fn credentials() -> Credentials {
    Credentials::new("the-id", SECRET).with_security_token(TOKEN)
}

/// Whether something of a secret shows, in whatever form it is used.
fn leaks(shown: &str) -> bool {
    let derived = v4::signing_key(SECRET, "20240102", "cn-hangzhou");
    let basic = STANDARD.encode("me:hush-proxy");
    // As bytes are printed, too.
    let bytes = format!("{:?}", b"hush").replace(['[', ']'], "");
    ["hush", derived.as_str(), basic.as_str(), bytes.as_str()]
        .into_iter()
        .any(|secret| shown.contains(secret))
}

/// A source that holds what it gives.
#[derive(Debug)]
struct Source(Credentials);

#[async_trait::async_trait]
impl CredentialsSource for Source {
    async fn fetch(&self) -> Result<Credentials, Error> {
        Ok(self.0.clone())
    }
}

fn machine() -> Machine {
    let variable = |name: &str| match name {
        "ALIBABA_CLOUD_CREDENTIALS_URI" => Some("http://127.0.0.1:9/?key=hush".into()),
        "HOME" => Some("/home/me".into()),
        _ => None,
    };
    let file = |path: &Path| {
        let text = match path.extension().and_then(|it| it.to_str()) {
            Some("json") => {
                r#"{"current":"a","profiles":[{"name":"a","mode":"StsToken","access_key_id":"id",
                    "access_key_secret":"hush-a","sts_token":"hush-b"}]}"#
            }
            Some("ini") => {
                "[a]\ntype = access_key\naccess_key_id = id\naccess_key_secret = hush-c\n"
            }
            _ => return Err(std::io::ErrorKind::NotFound.into()),
        };
        Ok(text.to_owned())
    };
    Machine::new(Scripted::new([]))
        .variables(variable)
        .files(file)
}

/// The types that hold secrets, each by its name and as it prints itself.
async fn holders() -> Vec<(&'static str, String)> {
    let mut shown: Vec<(&'static str, String)> = Vec::new();
    let mut show = |name, value: &dyn Debug| shown.push((name, format!("{value:?} {value:#?}")));

    show("Credentials", &credentials());
    show("SigningKey", &SigningKey::v2(SECRET));
    show(
        "SigningKey",
        &SigningKey::v4(SECRET, "20240102", "cn-hangzhou"),
    );
    let cached = CachedCredentials::new(Source(credentials()));
    ots_core::CredentialsProvider::credentials(&cached)
        .await
        .unwrap();
    show("CachedCredentials", &cached);

    let base = Arc::new(credentials());
    show("Machine", &machine());
    show("EcsRamRole", &EcsRamRole::new(machine()));
    let role = AssumeRole::new(machine(), base, "acs:ram::1:role/r").external_id("hush-external");
    show("AssumeRole", &role);
    let role = AssumeRoleWithOidc::new(machine(), "acs:ram::1:role/r", "p", "/token");
    show("AssumeRoleWithOidc", &role);
    show(
        "CredentialsUri",
        &CredentialsUri::new(machine(), "http://h/?key=hush"),
    );
    show(
        "CredentialsCommand",
        &CredentialsCommand::new(machine(), "get --password hush"),
    );
    let file = ConfigFile::read(machine(), "/config.json").unwrap();
    show("ConfigFile", &file);
    show("ConfigFile", &file.profile("a").unwrap());
    let file = CredentialsFile::read(machine(), "/credentials.ini").unwrap();
    show("CredentialsFile", &file);
    show("CredentialsFile", &file.profile("a").unwrap());
    let chain = CredentialsChain::new(machine());
    show("CredentialsChain", &chain);
    let _ = ots_core::CredentialsProvider::credentials(&chain).await;
    show("CredentialsChain", &chain);
    show("ChainReport", &chain.describe());

    let proxy = Proxy::new("http://me:hush-proxy@p:1").unwrap();
    show("Proxy", &proxy);
    show("Proxy", &Proxy::none().basic_auth("me", "hush-proxy"));
    let transport = HyperTransport::builder().proxy(proxy);
    show("HyperTransportBuilder", &transport);
    show("HyperTransport", &transport.build().unwrap());

    // Each has a request with all its signatures behind it.
    let scripted = Arc::new(Scripted::new([Step::FailAfterSend]));
    let recorder = Recorder::new(Arc::clone(&scripted), std::io::sink());
    let transport = Arc::new(Observed::new(Faults::new(recorder)));
    let client = builder(Arc::clone(&transport), &clock())
        .credentials(credentials())
        .region("cn-hangzhou");
    show("ClientBuilder", &client);
    let client = client.build().unwrap();
    let read = GetRow::new("t", PrimaryKey::new().column("id", 7));
    show("Error", &client.send(read).await.unwrap_err());
    show("Client", &client);
    show("Observed", &transport);
    show(
        "Recorder",
        &Recorder::new(Arc::clone(&scripted), std::io::sink()),
    );
    show("Faults", &Faults::new(Arc::clone(&scripted)));
    show(
        "FaultRule",
        &FaultRule::new(ots_core::transport::Fault::Refuse),
    );
    show("Scripted", &scripted);
    show("Replay", &Replay::parse("", credentials()).unwrap());
    let held = credentials();
    let in_process = InProcess::new(move |_: http::Request<bytes::Bytes>| {
        http::Response::new(held.id().to_owned().into())
    });
    show("InProcess", &in_process);
    let writer = BatchWriter::builder(client, "t");
    show("BatchWriterBuilder", &writer);
    show("BatchWriter", &writer.start(|_: Settled<()>| ()).unwrap());
    shown
}

/// The public types that hold none: numbers, settings, what the service says, what the caller asks.
const HOLD_NONE: [&str; 30] = [
    "AccessDenied",
    "Compression",
    "Decision",
    "DefaultRetryPolicy",
    "Delivery",
    "Endpoint",
    "ErrorClass",
    "ErrorCode",
    "ErrorKind",
    "Failure",
    "Fault",
    "Limiter",
    "Link",
    "LinkOutcome",
    "ManualClock",
    "NoRetry",
    "Outcome",
    "Permit",
    "Rejected",
    "Reply",
    "ResponseProblem",
    "RetryBudget",
    "ServiceError",
    "Settled",
    "Step",
    "SystemClock",
    "Totals",
    "TransportError",
    "Usage",
    "Verification",
];

#[tokio::test]
async fn no_public_type_prints_a_secret() {
    for (name, shown) in holders().await {
        assert!(!leaks(&shown), "{name}: {shown}");
    }
}

#[test]
fn a_leak_would_be_noticed() {
    for leak in [
        SECRET.to_owned(),
        format!("{:?}", SECRET.as_bytes()),
        v4::signing_key(SECRET, "20240102", "cn-hangzhou"),
        format!("Basic {}", STANDARD.encode("me:hush-proxy")),
    ] {
        assert!(leaks(&format!("Something {{ it: {leak:?} }}")), "{leak}");
        assert!(leaks(&leak));
    }
}

#[tokio::test]
async fn every_public_type_is_on_a_list() {
    let mut declared = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What is asked of the service holds rows, and no keys.
            if path.is_dir() && !path.ends_with("request") {
                folders.push(path);
            } else if path.is_file() {
                let text = std::fs::read_to_string(path).unwrap();
                let names = text.lines().filter_map(|line| {
                    let line = line.trim_start();
                    let rest = line
                        .strip_prefix("pub struct ")
                        .or(line.strip_prefix("pub enum "))?;
                    rest.split(|c: char| !c.is_alphanumeric())
                        .next()
                        .map(str::to_owned)
                });
                declared.extend(names);
            }
        }
    }
    let holders = holders().await;
    let listed = holders.iter().map(|(name, _)| *name).chain(HOLD_NONE);
    let listed: BTreeSet<String> = listed.map(str::to_owned).collect();
    assert_eq!(declared, listed);
}
