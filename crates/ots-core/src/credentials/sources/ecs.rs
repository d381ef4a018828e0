//! The role of the virtual machine (ECS) that the program runs on.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};

use super::answer::{json, refused, send, temporary_key};
use super::machine::Machine;
use crate::credentials::{Credentials, CredentialsSource};
use crate::error::Error;

/// Credentials of the machine's RAM role, from its metadata server.
///
/// Asks by version 2 of the protocol, with a token of its own; where that isn't spoken, by version 1,
/// unless `ALIBABA_CLOUD_IMDSV1_DISABLED` is set. The role is the one given, the one that
/// `ALIBABA_CLOUD_ECS_METADATA` names, or the machine's only one.
#[derive(Debug)]
pub struct EcsRamRole {
    machine: Machine,
    role: Option<String>,
}

const SERVER: &str = "http://100.100.100.200/latest";
const ROLES: &str = "meta-data/ram/security-credentials/";
const WHO: &str = "the metadata server of ECS";

/// It is beside the machine, or not there at all.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A token is asked for with every fetch, and used twice at once.
const TOKEN_SECONDS: &str = "60";

impl EcsRamRole {
    /// The machine's role.
    #[must_use]
    pub const fn new(machine: Machine) -> Self {
        Self {
            machine,
            role: None,
        }
    }

    /// This role, without asking which there is.
    #[must_use]
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    async fn token(&self) -> Result<Option<String>, Error> {
        let request = Request::put(format!("{SERVER}/api/token"))
            .header("x-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_SECONDS)
            .body(Bytes::new());
        let answer = send(&*self.machine.near, request, WHO, TIMEOUT).await?;
        if answer.status() == StatusCode::OK {
            let token = String::from_utf8_lossy(answer.body()).trim().to_owned();
            return Ok(Some(token));
        }
        if self.machine.is_set("ALIBABA_CLOUD_IMDSV1_DISABLED")? {
            return Err(refused(WHO, answer.status(), " when asked for a token"));
        }
        Ok(None)
    }

    async fn get(&self, path: &str, token: Option<&str>, what: &str) -> Result<Bytes, Error> {
        let mut request = Request::get(format!("{SERVER}/{path}"));
        if let Some(token) = token {
            request = request.header("x-aliyun-ecs-metadata-token", token);
        }
        let answer = send(
            &*self.machine.near,
            request.body(Bytes::new()),
            WHO,
            TIMEOUT,
        )
        .await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            StatusCode::NOT_FOUND => Err(Error::configuration(format!("{WHO}: {what}"))),
            status => Err(refused(WHO, status, "")),
        }
    }
}

#[async_trait]
impl CredentialsSource for EcsRamRole {
    async fn fetch(&self) -> Result<Credentials, Error> {
        let token = self.token().await?;
        let token = token.as_deref();
        let known = match &self.role {
            Some(role) => Some(role.clone()),
            None => self.machine.variable("ALIBABA_CLOUD_ECS_METADATA")?,
        };
        let role = match known {
            Some(role) => role,
            None => {
                let roles = self
                    .get(ROLES, token, "the machine has no RAM role")
                    .await?;
                let roles = String::from_utf8_lossy(&roles);
                roles.lines().next().unwrap_or_default().trim().to_owned()
            }
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte);
        if role.is_empty() || !role.bytes().all(is_name) {
            return Err(Error::configuration(format!(
                "{WHO}: a role has no valid name"
            )));
        }
        let missing = format!("there is no RAM role {role:?}");
        let body = self.get(&format!("{ROLES}{role}"), token, &missing).await?;
        temporary_key(&json(&body, WHO)?, WHO)
    }
}
