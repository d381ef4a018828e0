//! Who is asking: access keys, and where they come from.
//!
//! A key that never changes is a [`Credentials`] value, which is its own
//! [provider](CredentialsProvider). Temporary ones come from a [source](CredentialsSource) and are
//! kept by [`CachedCredentials`]. The sources that Alibaba Cloud has, and the chain that looks through
//! them, come with the feature `credentials-chain`.

mod cached;
#[cfg(feature = "credentials-chain")]
pub mod sources;

use std::env;
use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;

pub use self::cached::{CachedCredentials, CredentialsSource};

use crate::error::Error;

/// An access key, with a security token if it is temporary.
///
/// The secret and the token never show in `Debug`, logs or errors.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    id: String,
    secret: String,
    security_token: Option<String>,
    expires_at: Option<SystemTime>,
}

impl Credentials {
    /// A permanent key.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            security_token: None,
            expires_at: None,
        }
    }

    /// The same key with the security token that came with it.
    #[must_use]
    pub fn with_security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(token.into());
        self
    }

    /// The same key, good until then.
    #[must_use]
    pub fn expiring_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Until when the key is good; for ever, as far as is known, if there is none.
    #[must_use]
    pub const fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// The key's id: not a secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.security_token.as_ref().map(|_| "...");
        f.debug_struct("Credentials")
            .field("id", &self.id)
            .field("secret", &"...")
            .field("security_token", &token)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// Where a client's credentials come from. Asked once for every attempt, so it should remember, as
/// [`CachedCredentials`] does.
#[async_trait]
pub trait CredentialsProvider: Send + Sync + fmt::Debug {
    /// The credentials to sign the next request with.
    ///
    /// # Errors
    /// When there are none.
    async fn credentials(&self) -> Result<Credentials, Error>;
}

#[async_trait]
impl CredentialsProvider for Credentials {
    async fn credentials(&self) -> Result<Self, Error> {
        Ok(self.clone())
    }
}

impl Credentials {
    /// Credentials from environment variables, read once.
    ///
    /// `TABLESTORE_ACCESS_KEY_ID`, `TABLESTORE_ACCESS_KEY_SECRET` and `TABLESTORE_SESSION_TOKEN` as
    /// the official Java SDK has them, else `ALIBABA_CLOUD_ACCESS_KEY_ID`,
    /// `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and `ALIBABA_CLOUD_SECURITY_TOKEN`.
    ///
    /// # Errors
    /// When an id is set without its secret, a variable isn't Unicode, or nothing is set.
    pub fn from_env() -> Result<Self, Error> {
        let mut names = FAMILIES.iter().flatten();
        let unreadable =
            names.find(|name| matches!(env::var(name), Err(env::VarError::NotUnicode(_))));
        if let Some(name) = unreadable {
            // Counting it as unset would fall through to another key.
            return Err(Error::configuration(format!("{name} isn't Unicode text")));
        }
        Self::from_variables(|name| env::var(name).ok())
    }

    /// As [`from_env`](Self::from_env), with variables from elsewhere.
    ///
    /// # Errors
    /// When an id is set without its secret, or nothing is set.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        for [id, secret, token] in FAMILIES {
            let Some(id_value) = variable(id) else {
                continue;
            };
            let Some(secret_value) = variable(secret) else {
                return Err(Error::configuration(format!(
                    "{id} is set, but {secret} is not"
                )));
            };
            let credentials = Self::new(id_value, secret_value);
            return Ok(match variable(token) {
                Some(token) => credentials.with_security_token(token),
                None => credentials,
            });
        }
        Err(Error::configuration(
            "no credentials: set TABLESTORE_ACCESS_KEY_ID and TABLESTORE_ACCESS_KEY_SECRET, or \
             ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ))
    }
}

/// Id, secret and token, by family: the first whose id is set is taken.
const FAMILIES: [[&str; 3]; 2] = [
    [
        "TABLESTORE_ACCESS_KEY_ID",
        "TABLESTORE_ACCESS_KEY_SECRET",
        "TABLESTORE_SESSION_TOKEN",
    ],
    [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Credentials, Error> {
        Credentials::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_tablestore_family_comes_first() {
        let credentials = load(&[
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "other"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "other"),
            ("TABLESTORE_ACCESS_KEY_ID", "id"),
            ("TABLESTORE_ACCESS_KEY_SECRET", "secret"),
            ("TABLESTORE_SESSION_TOKEN", "token"),
        ]);
        let wanted = Credentials::new("id", "secret").with_security_token("token");
        assert_eq!(credentials.unwrap(), wanted);
    }

    #[test]
    fn an_id_without_its_secret_is_an_error_not_a_fall_through() {
        let error = load(&[
            ("TABLESTORE_ACCESS_KEY_ID", "id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "other"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "other"),
        ])
        .unwrap_err();
        let text = "TABLESTORE_ACCESS_KEY_ID is set, but TABLESTORE_ACCESS_KEY_SECRET is not";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn secrets_never_show() {
        let credentials = Credentials::new("id", "hush").with_security_token("quiet");
        let shown = format!("{credentials:?}");
        assert!(shown.contains("id") && !shown.contains("hush") && !shown.contains("quiet"));
    }
}
