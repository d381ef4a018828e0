//! A server, mostly on the machine itself, that gives credentials to whoever asks.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};

use super::answer::{json, refused, send, temporary_key};
use super::machine::Machine;
use crate::credentials::{Credentials, CredentialsSource};
use crate::error::Error;

/// Credentials from an address, as `ALIBABA_CLOUD_CREDENTIALS_URI` names it.
pub struct CredentialsUri {
    machine: Machine,
    uri: String,
}

const WHO: &str = "the credentials URI";
const TIMEOUT: Duration = Duration::from_secs(10);

impl CredentialsUri {
    /// Credentials from this address.
    #[must_use]
    pub fn new(machine: Machine, uri: impl Into<String>) -> Self {
        Self {
            machine,
            uri: uri.into(),
        }
    }
}

#[async_trait]
impl CredentialsSource for CredentialsUri {
    async fn fetch(&self) -> Result<Credentials, Error> {
        let request = Request::get(&self.uri).body(Bytes::new());
        let answer = send(&*self.machine.near, request, WHO, TIMEOUT).await?;
        match answer.status() {
            StatusCode::OK => temporary_key(&json(answer.body(), WHO)?, WHO),
            status => Err(refused(WHO, status, "")),
        }
    }
}

// The address may itself be a secret, by its query.
impl std::fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialsUri")
    }
}
