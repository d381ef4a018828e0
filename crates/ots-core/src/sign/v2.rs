//! Signature V2: HMAC-SHA1 over the operation and the `x-ots-` headers.

use super::{hmac_sha1, ots_headers};

/// The name of the header that carries the signature.
pub(super) const HEADER: &str = "x-ots-signature";

/// The text that is signed: the path, the method, an empty query, and every `x-ots-` header but the
/// signatures, by rising name, its value trimmed.
///
/// `headers` must be in lower case. Others than `x-ots-` are passed over.
#[must_use]
pub fn string_to_sign<'a>(
    operation: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = String::with_capacity(512);
    text.push('/');
    text.push_str(operation);
    text.push_str("\nPOST\n\n");
    for (name, value) in ots_headers(headers) {
        if name != HEADER && name != super::v4::HEADER {
            text.push_str(name);
            text.push(':');
            text.push_str(value.trim());
            text.push('\n');
        }
    }
    text
}

/// The value of `x-ots-signature`.
#[must_use]
pub fn sign<'a>(
    secret: &str,
    operation: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    hmac_sha1(secret, &string_to_sign(operation, headers))
}
