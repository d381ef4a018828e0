//! Signature V4: HMAC-SHA256 by a key derived from the secret for one day and one region.
//!
//! Who sees the derived key can sign until the day is over, in that region, and nothing else: the
//! secret itself never meets a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::v2;

/// The name of the header that carries the signature.
pub(super) const HEADER: &str = "x-ots-signaturev4";

/// What the key is derived for: this service.
const PRODUCT: &str = "ots";

/// The key for a day (`YYYYMMDD`, UTC) and a region.
///
/// It is this base64 *text* that signs, not the 32 bytes behind it.
#[must_use]
pub fn signing_key(secret: &str, sign_date: &str, region: &str) -> String {
    let secret = format!("aliyun_v4{secret}");
    let day = hmac_sha256(secret.as_bytes(), sign_date);
    let place = hmac_sha256(&day, region);
    let service = hmac_sha256(&place, PRODUCT);
    STANDARD.encode(hmac_sha256(&service, "aliyun_v4_request"))
}

/// The text that is signed: that of [V2](v2::string_to_sign), with the service's name after its last
/// line break.
///
/// `headers` must be in lower case, `x-ots-signdate` and `x-ots-signregion` among them. Others than
/// `x-ots-` are passed over.
#[must_use]
pub fn string_to_sign<'a>(
    operation: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = v2::string_to_sign(operation, headers);
    text.push_str(PRODUCT);
    text
}

/// The value of `x-ots-signaturev4`.
#[must_use]
pub fn sign<'a>(
    signing_key: &str,
    operation: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let text = string_to_sign(operation, headers);
    STANDARD.encode(hmac_sha256(signing_key.as_bytes(), &text))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac_sha256(key: &[u8], text: &str) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    hmac.update(text.as_bytes());
    hmac.finalize().into_bytes().into()
}
