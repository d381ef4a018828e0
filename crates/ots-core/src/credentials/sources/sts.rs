//! The security token service (STS): temporary keys for a role.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;

use super::answer::{json, passing, plain, refused, send, temporary_key};
use super::machine::Machine;
use crate::credentials::{Credentials, CredentialsProvider, CredentialsSource};
use crate::date;
use crate::error::Error;
use crate::sign;

/// A role, played by whoever has another key.
pub struct AssumeRole {
    machine: Machine,
    base: Arc<dyn CredentialsProvider>,
    role: Role,
    external_id: Option<String>,
}

/// A role, played by whoever has a token of an OpenID Connect provider: a pod of a cluster (RRSA).
#[derive(Debug)]
pub struct AssumeRoleWithOidc {
    machine: Machine,
    role: Role,
    provider_arn: String,
    token_file: PathBuf,
}

/// What is asked for.
#[derive(Clone, Debug)]
struct Role {
    arn: String,
    session_name: String,
    duration: Duration,
    region: Option<String>,
}

const TIMEOUT: Duration = Duration::from_secs(10);

impl Role {
    fn new(arn: String) -> Self {
        Self {
            arn,
            session_name: "ots-rust".to_owned(),
            duration: Duration::from_secs(3600),
            region: None,
        }
    }

    fn endpoint(&self) -> String {
        match &self.region {
            Some(region) => format!("https://sts.{region}.aliyuncs.com/"),
            None => "https://sts.aliyuncs.com/".to_owned(),
        }
    }
}

macro_rules! role_settings {
    () => {
        /// The name under which the session appears in audits; `ots-rust` when never called.
        #[must_use]
        pub fn session_name(mut self, name: impl Into<String>) -> Self {
            self.role.session_name = name.into();
            self
        }

        /// How long the keys are good; an hour when never called. STS gives 15 minutes at least, and
        /// what the role allows at most.
        #[must_use]
        pub const fn duration(mut self, duration: Duration) -> Self {
            self.role.duration = duration;
            self
        }

        /// The region whose STS is asked; the central one when never called.
        #[must_use]
        pub fn sts_region(mut self, region: impl Into<String>) -> Self {
            self.role.region = Some(region.into());
            self
        }
    };
}

impl AssumeRole {
    /// The role with this ARN, played with the key of `base`.
    #[must_use]
    pub fn new(
        machine: Machine,
        base: Arc<dyn CredentialsProvider>,
        role_arn: impl Into<String>,
    ) -> Self {
        Self {
            machine,
            base,
            role: Role::new(role_arn.into()),
            external_id: None,
        }
    }

    role_settings!();

    /// The id that the role's owner asks of third parties.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }
}

impl AssumeRoleWithOidc {
    /// The role with this ARN, by the token in a file, which the named provider has issued.
    #[must_use]
    pub fn new(
        machine: Machine,
        role_arn: impl Into<String>,
        provider_arn: impl Into<String>,
        token_file: impl Into<PathBuf>,
    ) -> Self {
        Self {
            machine,
            role: Role::new(role_arn.into()),
            provider_arn: provider_arn.into(),
            token_file: token_file.into(),
        }
    }

    role_settings!();
}

#[async_trait]
impl CredentialsSource for AssumeRole {
    async fn fetch(&self) -> Result<Credentials, Error> {
        let base = self.base.credentials().await?;
        let mut parameters = common_parameters("AssumeRole", &self.role, &self.machine);
        parameters.push(("AccessKeyId", base.id().to_owned()));
        parameters.push(("SignatureMethod", "HMAC-SHA1".to_owned()));
        parameters.push(("SignatureVersion", "1.0".to_owned()));
        if let Some(token) = base.security_token() {
            parameters.push(("SecurityToken", token.to_owned()));
        }
        if let Some(id) = &self.external_id {
            parameters.push(("ExternalId", id.clone()));
        }
        let signature = rpc_signature("POST", &mut parameters, base.secret());
        parameters.push(("Signature", signature));
        let who = "AssumeRole of STS";
        ask(&self.machine, &self.role, &parameters, who).await
    }
}

#[async_trait]
impl CredentialsSource for AssumeRoleWithOidc {
    async fn fetch(&self) -> Result<Credentials, Error> {
        // Read anew every time: the cluster replaces it.
        let token = self.machine.file(&self.token_file)?.ok_or_else(|| {
            let path = self.token_file.display();
            Error::configuration(format!("the OIDC token file {path} doesn't exist"))
        })?;
        let mut parameters = common_parameters("AssumeRoleWithOIDC", &self.role, &self.machine);
        parameters.push(("OIDCProviderArn", self.provider_arn.clone()));
        parameters.push(("OIDCToken", token.trim().to_owned()));
        let who = "AssumeRoleWithOIDC of STS";
        ask(&self.machine, &self.role, &parameters, who).await
    }
}

type Parameters = Vec<(&'static str, String)>;

fn common_parameters(action: &str, role: &Role, machine: &Machine) -> Parameters {
    // With seconds: the service's own form has milliseconds, which STS doesn't take.
    let mut timestamp = date::format(machine.now());
    timestamp.truncate("2024-01-02T03:04:05".len());
    timestamp.push('Z');
    vec![
        ("Action", action.to_owned()),
        ("Format", "JSON".to_owned()),
        ("Version", "2015-04-01".to_owned()),
        ("Timestamp", timestamp),
        ("SignatureNonce", format!("{:032x}", fastrand::u128(..))),
        ("RoleArn", role.arn.clone()),
        ("RoleSessionName", role.session_name.clone()),
        ("DurationSeconds", role.duration.as_secs().to_string()),
    ]
}

/// The signature of an RPC request, over its sorted parameters.
fn rpc_signature(method: &str, parameters: &mut [(&'static str, String)], secret: &str) -> String {
    parameters.sort_unstable();
    let text = format!("{method}&%2F&{}", encode(&form(parameters)));
    sign::hmac_sha1(&format!("{secret}&"), &text)
}

fn form(parameters: &[(&'static str, String)]) -> String {
    let pairs = parameters.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Everything but letters, digits and `-_.~` as `%` and two hexadecimal digits (RFC 3986).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

async fn ask(
    machine: &Machine,
    role: &Role,
    parameters: &[(&'static str, String)],
    who: &str,
) -> Result<Credentials, Error> {
    // In the body: addresses end up in logs.
    let request = Request::post(role.endpoint())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form(parameters)));
    let answer = send(&*machine.far, request, who, TIMEOUT).await?;
    let status = answer.status();
    if status == StatusCode::OK {
        let object = json(answer.body(), who)?;
        let key = object.get("Credentials").unwrap_or(&Value::Null);
        return temporary_key(key, who);
    }
    Err(refusal(status, answer.body(), who))
}

/// What STS says by its code and the request's id. Its sentences are not shown: one repeats the text
/// that was to be signed, with the security token in it.
fn refusal(status: StatusCode, body: &[u8], who: &str) -> Error {
    let object = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |name| {
        plain(
            object
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("unknown"),
        )
    };
    let (code, request_id) = (text("Code"), text("RequestId"));
    let detail = format!(", {code} (request id {request_id})");
    if code.starts_with("Throttling") {
        return passing(format!("{who}: HTTP {}{detail}", status.as_u16()));
    }
    refused(who, status, &detail)
}

impl fmt::Debug for AssumeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An external id is a kind of password.
        f.debug_struct("AssumeRole")
            .field("base", &self.base)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the public documentation of RPC signatures.
    #[test]
    fn requests_are_signed_as_the_documentation_says() {
        let mut parameters: Parameters = [
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Version", "2014-05-26"),
            ("SignatureVersion", "1.0"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        let signature = rpc_signature("GET", &mut parameters, "testsecret");
        assert_eq!(signature, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
    }

    #[test]
    fn what_is_reserved_is_encoded() {
        assert_eq!(encode("a b*c~d/é+="), "a%20b%2Ac~d%2F%C3%A9%2B%3D");
    }
}
