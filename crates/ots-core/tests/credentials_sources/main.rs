//! Where credentials come from, on machines of the tests' own making: their variables, files and
//! servers are values, and nothing is asked of the machine that the tests run on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;
mod ecs;
mod files;
mod links;
mod programs;
mod sts;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ots_core::credentials::sources::{
    AssumeRole, ConfigFile, CredentialsChain, CredentialsCommand, CredentialsFile, CredentialsUri,
    EcsRamRole, LinkOutcome, Machine,
};
use ots_core::credentials::{CachedCredentials, CredentialsSource};
use ots_core::transport::TransportError;
use ots_core::{Credentials, CredentialsProvider, Error, ManualClock, Transport};

use common::chain;

const EXPIRY: &str = "2024-01-02T04:04:05Z";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_704_164_645)
}

/// The key that the servers of these tests give.
fn temporary(name: &str) -> Credentials {
    Credentials::new(format!("{name}-id"), format!("hush-{name}"))
        .with_security_token(format!("hush-token-{name}"))
        .expiring_at(now() + Duration::from_secs(3600))
}

fn key_json(name: &str) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{name}-id","AccessKeySecret":"hush-{name}",
            "SecurityToken":"hush-token-{name}","Expiration":"{EXPIRY}"}}"#
    )
}

fn sts_json(name: &str) -> String {
    format!(r#"{{"RequestId":"r-1","Credentials":{}}}"#, key_json(name))
}

/// Answers by method and address; whatever isn't listed can't be reached.
#[derive(Clone, Debug, Default)]
struct Servers {
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Servers {
    fn with(self, what: &str, status: u16, body: impl Into<String>) -> Self {
        let answer = (status, body.into());
        self.answers.lock().unwrap().insert(what.to_owned(), answer);
        self
    }

    /// The metadata server of a machine with a role.
    fn ecs() -> Self {
        Self::default()
            .with(&format!("PUT {ECS}/api/token"), 200, "hush-imds\n")
            .with(&format!("GET {ECS}/{ROLES}"), 200, "a-role\n")
            .with(&format!("GET {ECS}/{ROLES}a-role"), 200, key_json("ecs"))
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| format!("{} {}", request.method(), request.uri()))
            .collect()
    }

    /// The parameters of the requests to STS.
    fn forms(&self) -> Vec<BTreeMap<String, String>> {
        let asked = self.asked.lock().unwrap();
        let forms = asked
            .iter()
            .filter(|request| request.uri().host().unwrap().starts_with("sts"));
        let decode = |text: &str| {
            let mut bytes = Vec::new();
            let mut rest = text.as_bytes();
            while let [first, tail @ ..] = rest {
                if *first == b'%' {
                    let digits = std::str::from_utf8(&tail[..2]).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        forms
            .map(|request| {
                assert_eq!(request.uri().query(), None, "addresses end up in logs");
                let body = std::str::from_utf8(request.body()).unwrap();
                let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
                pairs
                    .map(|(name, value)| (decode(name), decode(value)))
                    .collect()
            })
            .collect()
    }
}

#[async_trait]
impl Transport for Servers {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let what = format!("{} {}", request.method(), request.uri());
        self.asked.lock().unwrap().push(request);
        let answers = self.answers.lock().unwrap();
        let Some((status, body)) = answers.get(&what) else {
            return Err(TransportError::not_sent("no route to host"));
        };
        let mut answer = Response::new(Bytes::from(body.clone()));
        *answer.status_mut() = (*status).try_into().unwrap();
        Ok(answer)
    }
}

const ECS: &str = "http://100.100.100.200/latest";
const ROLES: &str = "meta-data/ram/security-credentials/";
const STS: &str = "POST https://sts.aliyuncs.com/";

fn machine(servers: &Servers, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Machine {
    let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let (variables, files) = (owned(variables), owned(files));
    Machine::new(servers.clone())
        .clock(ManualClock::new(now()))
        .variables(move |name| variables.get(name).map(OsString::from))
        .files(move |path: &Path| {
            let file = files.get(path.to_str().unwrap());
            file.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        })
}

#[track_caller]
fn assert_quiet(shown: &str) {
    assert!(!shown.contains("hush"), "{shown}");
}

/// Everything an error says; never a secret.
#[track_caller]
fn told(error: &Error) -> String {
    assert_quiet(&format!("{error:?} {error:#?}"));
    let text = chain(error).join(": ");
    assert_quiet(&text);
    text
}
