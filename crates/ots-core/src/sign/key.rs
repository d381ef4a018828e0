//! The key of one access key, in one version of the signature.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::{v2, v4};
use crate::credentials::Credentials;
use crate::date;

/// Signs requests, and knows the key by which their responses are signed.
///
/// The key itself never shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Version);

#[derive(Clone, PartialEq, Eq)]
enum Version {
    V2 {
        secret: String,
    },
    V4 {
        derived: String,
        sign_date: String,
        region: String,
    },
}

impl SigningKey {
    /// The key of V2: the secret itself.
    #[must_use]
    pub fn v2(secret: &str) -> Self {
        Self(Version::V2 {
            secret: secret.to_owned(),
        })
    }

    /// The key of V4, for a day (`YYYYMMDD`, UTC) and a region (`cn-hangzhou`).
    #[must_use]
    pub fn v4(secret: &str, sign_date: &str, region: &str) -> Self {
        Self(Version::V4 {
            derived: v4::signing_key(secret, sign_date, region),
            sign_date: sign_date.to_owned(),
            region: region.to_owned(),
        })
    }

    /// The headers that say what the key is for, to be sent and signed with the others: none in V2,
    /// the day and the region in V4.
    pub fn scope(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let scope = match &self.0 {
            Version::V2 { .. } => None,
            Version::V4 {
                sign_date, region, ..
            } => Some([
                ("x-ots-signdate", sign_date.as_str()),
                ("x-ots-signregion", region.as_str()),
            ]),
        };
        scope.into_iter().flatten()
    }

    /// The header that carries the signature of a request with these headers, and its value.
    ///
    /// `headers` must be in lower case, those of [`scope`](Self::scope) among them.
    #[must_use]
    pub fn sign<'a>(
        &self,
        operation: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (&'static str, String) {
        match &self.0 {
            Version::V2 { secret } => (v2::HEADER, v2::sign(secret, operation, headers)),
            Version::V4 { derived, .. } => (v4::HEADER, v4::sign(derived, operation, headers)),
        }
    }

    /// Whether a response with these headers was signed by this key: by HMAC-SHA1 in both versions.
    #[must_use]
    pub fn verifies<'a>(
        &self,
        operation: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        signature: &str,
    ) -> bool {
        let text = super::response_string_to_sign(operation, headers);
        super::verify_hmac_sha1(self.text(), &text, signature)
    }

    /// The signature of a response with these headers: for whoever stands in for the service.
    #[must_use]
    pub fn sign_response<'a>(
        &self,
        operation: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let text = super::response_string_to_sign(operation, headers);
        super::hmac_sha1(self.text(), &text)
    }

    fn text(&self) -> &str {
        match &self.0 {
            Version::V2 { secret } => secret,
            Version::V4 { derived, .. } => derived,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Version::V2 { .. } => f.write_str("SigningKey::V2"),
            Version::V4 {
                sign_date, region, ..
            } => write!(f, "SigningKey::V4({sign_date}, {region})"),
        }
    }
}

/// Makes keys, and keeps the last one: deriving one for V4 costs as much as signing five requests.
pub(crate) struct Keys {
    region: Option<String>,
    last: Mutex<Option<Made>>,
}

/// A key, and what it was made of.
struct Made {
    secret: String,
    /// Days since 1970.
    day: u64,
    key: Arc<SigningKey>,
}

impl Keys {
    /// Keys of V4 for a region, or of V2 without one.
    pub(crate) const fn new(region: Option<String>) -> Self {
        Self {
            region,
            last: Mutex::new(None),
        }
    }

    /// The key that signs with these credentials at this time.
    pub(crate) fn key(&self, credentials: &Credentials, now: SystemTime) -> Arc<SigningKey> {
        let (secret, day) = (credentials.secret(), date::day(now));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*last
            && made.secret == secret
            && (made.day == day || self.region.is_none())
        {
            return Arc::clone(&made.key);
        }
        let key = Arc::new(match &self.region {
            None => SigningKey::v2(secret),
            Some(region) => SigningKey::v4(secret, &date::sign_date(now), region),
        });
        *last = Some(Made {
            secret: secret.to_owned(),
            day,
            key: Arc::clone(&key),
        });
        key
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_key_is_derived_once_a_day() {
        let keys = Keys::new(Some("cn-hangzhou".to_owned()));
        let credentials = Credentials::new("id", "secret");
        let midnight = 1_704_240_000;
        let first = keys.key(&credentials, at(midnight - 86_400));
        let last = keys.key(&credentials, at(midnight - 1));
        assert!(Arc::ptr_eq(&first, &last));
        assert_eq!(*first, SigningKey::v4("secret", "20240102", "cn-hangzhou"));

        let next = keys.key(&credentials, at(midnight));
        assert_eq!(*next, SigningKey::v4("secret", "20240103", "cn-hangzhou"));
    }

    #[test]
    fn another_secret_gets_another_key() {
        for region in [None, Some("cn-hangzhou".to_owned())] {
            let keys = Keys::new(region);
            let first = keys.key(&Credentials::new("id", "first"), at(0));
            let second = keys.key(&Credentials::new("id", "second"), at(0));
            assert_ne!(first, second);
        }
    }
}
