//! A program that prints credentials.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::answer::{json, passing};
use super::machine::Machine;
use crate::credentials::{Credentials, CredentialsSource};
use crate::date;
use crate::error::Error;

/// Credentials that a program prints as JSON: `access_key_id`, `access_key_secret`, and perhaps
/// `sts_token` and `expiration`.
///
/// The line is cut at white space; no shell reads it. A key with a token and no date is taken to be
/// good for 15 minutes.
pub struct CredentialsCommand {
    machine: Machine,
    line: String,
}

const WHO: &str = "the command for credentials";
const TIMEOUT: Duration = Duration::from_secs(30);

/// The shortest time that STS gives.
const UNDATED: Duration = Duration::from_secs(900);

impl CredentialsCommand {
    /// Credentials by this command line.
    #[must_use]
    pub fn new(machine: Machine, line: impl Into<String>) -> Self {
        Self {
            machine,
            line: line.into(),
        }
    }

    async fn output(&self) -> Result<Vec<u8>, Error> {
        let mut words = self.line.split_whitespace();
        let program = words
            .next()
            .ok_or_else(|| Error::configuration(format!("{WHO} is empty")))?;
        let output = tokio::process::Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            // What it says there is not for our log: it may be about secrets.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = match tokio::time::timeout(TIMEOUT, output).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => {
                let kind = error.kind();
                return Err(Error::configuration(format!("{WHO} can't be run: {kind}")));
            }
            Err(_) => {
                let limit = TIMEOUT.as_secs();
                return Err(passing(format!("{WHO} didn't end within {limit} s")));
            }
        };
        if output.status.success() {
            Ok(output.stdout)
        } else {
            let status = output.status;
            Err(Error::configuration(format!("{WHO} failed: {status}")))
        }
    }
}

#[async_trait]
impl CredentialsSource for CredentialsCommand {
    async fn fetch(&self) -> Result<Credentials, Error> {
        let printed = json(&self.output().await?, WHO)?;
        let text = |name| {
            let value = printed.get(name).and_then(Value::as_str);
            value.filter(|value| !value.is_empty())
        };
        let required = |name| {
            text(name).ok_or_else(|| Error::configuration(format!("{WHO} printed no {name}")))
        };
        let mut key = Credentials::new(required("access_key_id")?, required("access_key_secret")?);
        let mut expiry = None;
        if let Some(token) = text("sts_token") {
            key = key.with_security_token(token);
            expiry = Some(self.machine.now() + UNDATED);
        }
        if let Some(stated) = text("expiration") {
            let parsed = date::parse(stated);
            let parsed = parsed
                .ok_or_else(|| Error::configuration(format!("{WHO}: expiration isn't a date")))?;
            expiry = Some(parsed);
        }
        Ok(match expiry {
            Some(expiry) => key.expiring_at(expiry),
            None => key,
        })
    }
}

// The line may hold a password.
impl fmt::Debug for CredentialsCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsCommand")
    }
}
