//! Access keys: who may send requests, and what for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// An access key that requests may be signed with.
///
/// As JSON it is an object, and a file of several users is a list of them:
///
/// ```
/// use ots_emulator::{AccessKey, Emulator};
///
/// let file = r#"[
///     {"id": "alice", "secret": "alices-secret"},
///     {"id": "bob", "secret": "bobs-secret", "instances": ["shop"]},
///     {"id": "temporary", "secret": "a-secret", "security_token": "a-token"},
///     {"id": "carol", "secret": "carols-secret", "disabled": true}
/// ]"#;
/// let emulator = Emulator::builder().access_keys(AccessKey::list_from_json(file)?).build();
/// # drop(emulator);
/// # Ok::<(), ots_emulator::AccessKeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AccessKey {
    /// What requests name.
    pub id: String,
    /// What they are signed with. Never shown.
    pub(crate) secret: String,
    /// What the header `x-ots-ststoken` must say, for temporary keys.
    #[serde(default)]
    pub(crate) security_token: Option<String>,
    /// The instances it opens: all when absent. Others are refused with 403 `OTSAuthFailed`.
    #[serde(default)]
    pub instances: Option<Vec<String>>,
    /// Whether it opens nothing any more: requests are refused with 403 `OTSAuthFailed`.
    #[serde(default)]
    pub disabled: bool,
}

impl AccessKey {
    /// A key that opens every instance.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
            security_token: None,
            instances: None,
            disabled: false,
        }
    }

    /// A temporary key: requests must carry this token, too.
    #[must_use]
    pub fn security_token(mut self, token: impl Into<String>) -> Self {
        self.security_token = Some(token.into());
        self
    }

    /// Reads a list of keys.
    ///
    /// # Errors
    /// When it isn't a JSON list of keys, or it is empty, names an id twice, or a key has an id or a
    /// secret that no request could be signed with. The error never quotes what it has read.
    pub fn list_from_json(json: impl AsRef<[u8]>) -> Result<Vec<Self>, AccessKeyError> {
        let keys: Vec<Self> = serde_json::from_slice(json.as_ref()).map_err(|error| {
            // What serde says may quote a secret that stands in the wrong place.
            AccessKeyError::at(error.line(), error.column())
        })?;
        if keys.is_empty() {
            return Err(AccessKeyError::new("it has no access keys"));
        }
        for (number, key) in (1..).zip(&keys) {
            let fits_header =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
            let complaint = if !fits_header(&key.id) {
                "has an id that fits no header"
            } else if key.secret.is_empty() {
                "has no secret"
            } else if !key.security_token.as_deref().is_none_or(fits_header) {
                "has a security token that fits no header"
            } else if keys.iter().filter(|other| other.id == key.id).count() > 1 {
                "has the id of another"
            } else {
                continue;
            };
            return Err(AccessKeyError::new(format!("key {number} {complaint}")));
        }
        Ok(keys)
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            instances,
            disabled,
            ..
        } = self;
        f.debug_struct("AccessKey")
            .field("id", id)
            .field("instances", instances)
            .field("disabled", disabled)
            .finish_non_exhaustive()
    }
}

/// Why a list of access keys can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeyError {
    sentence: String,
}

impl AccessKeyError {
    fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
        }
    }

    fn at(line: usize, column: usize) -> Self {
        Self::new(format!(
            "line {line}, column {column} isn't what it should be in a list as \
             [{{\"id\": \"..\", \"secret\": \"..\"}}]; a key may also have security_token, instances, \
             disabled"
        ))
    }
}

impl fmt::Display for AccessKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for AccessKeyError {}

/// The keys of an emulator, by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessKeys(BTreeMap<String, Arc<AccessKey>>);

impl AccessKeys {
    pub(crate) fn one(id: &str, secret: &str) -> Self {
        Self::from_iter([AccessKey::new(id, secret)])
    }

    pub(crate) fn add(&mut self, key: AccessKey) {
        self.0.insert(key.id.clone(), Arc::new(key));
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<AccessKey>> {
        self.0.get(id)
    }

    pub(crate) fn contains(&self, id: &str, secret: &str) -> bool {
        self.0.get(id).is_some_and(|key| key.secret == secret)
    }
}

impl FromIterator<AccessKey> for AccessKeys {
    fn from_iter<I: IntoIterator<Item = AccessKey>>(keys: I) -> Self {
        let mut all = Self::default();
        keys.into_iter().for_each(|key| all.add(key));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_cannot_be_used_is_refused_without_quoting_it() {
        for (json, said) in [
            ("[]", "it has no access keys"),
            (r#"[{"id": "a", "secret": ""}]"#, "key 1 has no secret"),
            (
                r#"[{"id": "a", "secret": "s3cret"}, {"id": "a b", "secret": "s3cret"}]"#,
                "key 2 has an id that fits no header",
            ),
            (
                r#"[{"id": "a", "secret": "s3cret"}, {"id": "a", "secret": "other"}]"#,
                "key 1 has the id of another",
            ),
            (
                r#"[{"id": "a", "secret": "s3cret", "security_token": "\n"}]"#,
                "key 1 has a security token that fits no header",
            ),
        ] {
            let error = AccessKey::list_from_json(json).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
        for json in [
            "",
            r#"{"id": "a", "secret": "s3cret"}"#,
            r#"[{"id": "a", "secret": "s3cret", "disabled": "s3cret"}]"#,
            r#"[{"id": "a", "secret": "s3cret", "s3cret": 1}]"#,
            r#"["s3cret"]"#,
            r#"[{"id": "a"}]"#,
        ] {
            let error = AccessKey::list_from_json(json).unwrap_err().to_string();
            assert!(error.starts_with("line 1, column "), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn debug_output_has_no_secret() {
        let key = AccessKey::new("id", "hidden").security_token("hidden, too");
        let shown = format!("{:?}", AccessKeys::from_iter([key]));
        assert!(
            shown.contains("\"id\"") && !shown.contains("hidden"),
            "{shown}"
        );
    }
}
