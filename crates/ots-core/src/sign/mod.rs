//! Signatures: which headers a request carries, what is signed, and by what.
//!
//! Plain functions of the key, the operation, the headers and the date, so that the golden vectors of
//! the official SDKs can check every step.

mod key;
pub mod v2;
pub mod v4;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha1::Sha1;

pub(crate) use self::key::Keys;
pub use self::key::SigningKey;

/// The text a response's signature is over: every `x-ots-` header by rising name, then the operation.
///
/// `headers` must be in lower case. Others than `x-ots-` are passed over.
#[must_use]
pub fn response_string_to_sign<'a>(
    operation: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = String::with_capacity(512);
    for (name, value) in ots_headers(headers) {
        text.push_str(name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    }
    text.push('/');
    text.push_str(operation);
    text
}

/// Base64 of the HMAC-SHA1 of a text: the signature of V2, and of responses in every version.
#[must_use]
pub fn hmac_sha1(key: &str, text: &str) -> String {
    STANDARD.encode(hmac(key, text).finalize().into_bytes())
}

/// Whether `signature` is the HMAC-SHA1 of `text`, compared in constant time.
#[must_use]
pub fn verify_hmac_sha1(key: &str, text: &str, signature: &str) -> bool {
    STANDARD
        .decode(signature)
        .is_ok_and(|signature| hmac(key, text).verify_slice(&signature).is_ok())
}

/// Base64 of the MD5 of a body, as `x-ots-contentmd5` has it.
#[must_use]
pub fn content_md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &str, text: &str) -> Hmac<Sha1> {
    let mut hmac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("any length is a key");
    hmac.update(text.as_bytes());
    hmac
}

/// The headers that take part in a signature, by rising name.
fn ots_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<(&'a str, &'a str)> {
    let mut headers: Vec<_> = headers
        .into_iter()
        .filter(|(name, _)| name.starts_with("x-ots-"))
        .collect();
    headers.sort_unstable();
    headers
}
