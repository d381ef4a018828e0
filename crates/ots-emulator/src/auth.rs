//! Who sent a request: its headers, its date, its signature, its digest.
//!
//! Client and emulator share a codec, so the emulator signs with code of its own: two readings of the
//! documentation have to agree before a request passes. Both are held against signatures made by an
//! official SDK.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use crate::access_key::{AccessKey, AccessKeys};
use crate::date;
use crate::error::ServiceError;

/// The key that a request claims to be signed with, and that its response is signed with.
pub(crate) struct Signer {
    access: Arc<AccessKey>,
    /// The secret, or for version 4 the text of the derived key.
    key: Vec<u8>,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V2,
    V4,
}

impl Version {
    fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(SIGNATURE_V4) {
            Self::V4
        } else {
            Self::V2
        }
    }
}

/// Checks everything about a request that doesn't depend on what it asks for, in the order: headers,
/// date, key, signature, instance, digest. Gives the instance.
pub(crate) fn check(
    headers: &HeaderMap,
    operation: &str,
    body: &[u8],
    now_s: i64,
    signer: Option<&Signer>,
) -> Result<String, ServiceError> {
    let version = Version::of(headers);
    let signature_headers: &[_] = match version {
        Version::V2 => &[SIGNATURE],
        Version::V4 => &[SIGN_DATE, SIGN_REGION, SIGNATURE_V4],
    };
    for name in REQUIRED.iter().chain(signature_headers) {
        required(headers, name)?;
    }
    check_version(&required(headers, API_VERSION)?)?;
    check_date(&required(headers, DATE)?, now_s)?;
    let signer = signer.ok_or_else(|| auth_failed("The AccessKeyID does not exist."))?;
    if signer.access.disabled {
        return Err(auth_failed("The AccessKeyID is disabled."));
    }
    let signature = match version {
        Version::V2 => required(headers, SIGNATURE)?,
        Version::V4 => required(headers, SIGNATURE_V4)?,
    };
    if !signer.signed(&request_string(operation, headers, version), &signature) {
        return Err(auth_failed("Signature mismatch."));
    }
    check_token(&signer.access, headers)?;
    let instance = required(headers, INSTANCE_NAME)?;
    crate::names::instance(&instance)?;
    let opens = |instances: &Vec<String>| instances.contains(&instance);
    if !signer.access.instances.as_ref().is_none_or(opens) {
        return Err(auth_failed(
            "The user has no privilege to access the instance.",
        ));
    }
    if required(headers, CONTENT_MD5)? != content_md5(body) {
        return Err(auth_failed(
            "Mismatch between MD5 value of request body and x-ots-contentmd5 in header.",
        ));
    }
    Ok(instance)
}

impl Signer {
    /// With the key named by the headers; none if they name none that is known.
    ///
    /// It is looked up before anything is checked, since refusals are signed too.
    pub(crate) fn of(keys: &AccessKeys, headers: &HeaderMap) -> Option<Self> {
        let access = keys.get(&text(headers, ACCESS_KEY_ID)?)?;
        let (version, key) = match Version::of(headers) {
            Version::V2 => (Version::V2, access.secret.clone().into_bytes()),
            Version::V4 => {
                let date = text(headers, SIGN_DATE)?;
                let region = text(headers, SIGN_REGION)?;
                (Version::V4, derived_key(&access.secret, &date, &region))
            }
        };
        Some(Self {
            access: Arc::clone(access),
            key,
            version,
        })
    }

    /// The `authorization` header of a response with these headers.
    ///
    /// HMAC-SHA1 in both versions: only the key differs.
    pub(crate) fn authorization(&self, operation: &str, headers: &HeaderMap) -> String {
        let mac = hmac_sha1(&self.key, response_string(operation, headers).as_bytes());
        format!("OTS {}:{}", self.access.id, STANDARD.encode(mac))
    }

    fn signed(&self, string: &str, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else {
            return false;
        };
        // Compared by the HMAC itself, in constant time: a habit worth keeping even here.
        match self.version {
            Version::V2 => Hmac::<Sha1>::new_from_slice(&self.key)
                .is_ok_and(|mac| mac.chain_update(string).verify_slice(&signature).is_ok()),
            Version::V4 => Hmac::<Sha256>::new_from_slice(&self.key)
                .is_ok_and(|mac| mac.chain_update(string).verify_slice(&signature).is_ok()),
        }
    }
}

/// The digest of a body as headers carry it.
pub(crate) fn content_md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

/// What a request's signature is made of.
fn request_string(operation: &str, headers: &HeaderMap, version: Version) -> String {
    // The empty line is the canonical query, which no operation has.
    let mut string = format!("/{operation}\nPOST\n\n");
    for (name, value) in ots_headers(headers) {
        if name != SIGNATURE && name != SIGNATURE_V4 {
            string.push_str(&format!("{name}:{value}\n"));
        }
    }
    if version == Version::V4 {
        string.push_str(PRODUCT);
    }
    string
}

/// What a response's signature is made of: the operation stands at the end.
fn response_string(operation: &str, headers: &HeaderMap) -> String {
    let mut string = String::new();
    for (name, value) in ots_headers(headers) {
        string.push_str(&format!("{name}:{value}\n"));
    }
    string.push('/');
    string.push_str(operation);
    string
}

/// Every header of the service, by rising name, its value without the blanks around it.
fn ots_headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| name.starts_with("x-ots-"))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name, value.trim().to_owned())
        })
        .collect()
}

/// The key of version 4, from the secret, the date it is good for and the region.
///
/// It is the base64 *text* that signs, not the 32 bytes behind it.
fn derived_key(secret: &str, date: &str, region: &str) -> Vec<u8> {
    let mut key = format!("aliyun_v4{secret}").into_bytes();
    for part in [date, region, PRODUCT, "aliyun_v4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    STANDARD.encode(key).into_bytes()
}

fn hmac_sha1(key: &[u8], data: &[u8]) -> Vec<u8> {
    Hmac::<Sha1>::new_from_slice(key)
        .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn check_version(version: &str) -> Result<(), ServiceError> {
    if version == "2015-12-31" {
        Ok(())
    } else {
        Err(ServiceError::parameter(format!(
            "Unsupported API version: '{version}'. The emulator speaks 2015-12-31."
        )))
    }
}

/// A temporary key is good with its token only. The service's own sentence is not known.
fn check_token(access: &AccessKey, headers: &HeaderMap) -> Result<(), ServiceError> {
    match &access.security_token {
        Some(token) if text(headers, SECURITY_TOKEN).as_ref() != Some(token) => Err(auth_failed(
            "The header x-ots-ststoken is not the security token of the AccessKeyID.",
        )),
        _ => Ok(()),
    }
}

fn check_date(date: &str, now_s: i64) -> Result<(), ServiceError> {
    let then_s = date::parse_s(date)
        .ok_or_else(|| ServiceError::parameter(format!("Invalid date format: {date}.")))?;
    if then_s.abs_diff(now_s) > MAX_SKEW_S {
        return Err(auth_failed(format!(
            "Mismatch between system time and x-ots-date: {date}."
        )));
    }
    Ok(())
}

fn required(headers: &HeaderMap, name: &str) -> Result<String, ServiceError> {
    text(headers, name).ok_or_else(|| ServiceError::parameter(format!("Missing header: '{name}'.")))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    Some(value.trim().to_owned())
}

fn auth_failed(message: impl Into<String>) -> ServiceError {
    ServiceError::new(403, ServiceError::AUTH_FAILED, message)
}

const MAX_SKEW_S: u64 = 15 * 60;
const PRODUCT: &str = "ots";

const ACCESS_KEY_ID: &str = "x-ots-accesskeyid";
const API_VERSION: &str = "x-ots-apiversion";
const CONTENT_MD5: &str = "x-ots-contentmd5";
const DATE: &str = "x-ots-date";
const INSTANCE_NAME: &str = "x-ots-instancename";
const SECURITY_TOKEN: &str = "x-ots-ststoken";
const SIGNATURE: &str = "x-ots-signature";
const SIGNATURE_V4: &str = "x-ots-signaturev4";
const SIGN_DATE: &str = "x-ots-signdate";
const SIGN_REGION: &str = "x-ots-signregion";

const REQUIRED: &[&str] = &[DATE, API_VERSION, ACCESS_KEY_ID, INSTANCE_NAME, CONTENT_MD5];

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::Value;

    use super::*;

    fn cases(kind: &str) -> Vec<Value> {
        let file: Value = serde_json::from_str(include_str!("../vectors/signing.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        cases
            .iter()
            .filter(|case| case["kind"] == kind)
            .cloned()
            .collect()
    }

    fn str<'a>(case: &'a Value, field: &str) -> &'a str {
        case[field].as_str().unwrap()
    }

    fn headers(case: &Value) -> HeaderMap {
        let headers = case["headers"].as_object().unwrap();
        headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_bytes(name.to_lowercase().as_bytes()).unwrap(),
                    HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
                )
            })
            .collect()
    }

    fn keys(case: &Value) -> AccessKeys {
        AccessKeys::one(str(case, "access_key_id"), str(case, "access_key_secret"))
    }

    fn clock_s(case: &Value) -> i64 {
        date::parse_s(str(case, "clock_utc")).unwrap()
    }

    #[test]
    fn requests_signed_by_an_official_sdk_pass() {
        let cases = cases("request");
        assert_eq!(cases.len(), 17);
        for case in cases {
            let name = str(&case, "name");
            let headers = headers(&case);
            let body = hex::decode(str(&case, "body_hex")).unwrap();
            let signer = Signer::of(&keys(&case), &headers).unwrap();

            let string = request_string(str(&case, "api"), &headers, signer.version);
            assert_eq!(
                string,
                str(&case, "string_to_sign"),
                "{name}: string to sign"
            );
            if let Some(key) = case.get("signing_key_base64") {
                assert_eq!(
                    signer.key,
                    key.as_str().unwrap().as_bytes(),
                    "{name}: derived key"
                );
            }
            assert!(
                signer.signed(&string, str(&case, "signature")),
                "{name}: signature"
            );

            let instance = check(
                &headers,
                str(&case, "api"),
                &body,
                clock_s(&case),
                Some(&signer),
            );
            assert_eq!(instance.unwrap(), str(&case, "instance"), "{name}");
        }
    }

    #[test]
    fn responses_are_signed_as_an_official_sdk_wants_them() {
        let cases = cases("response");
        assert_eq!(cases.len(), 4);
        for case in cases {
            let name = str(&case, "name");
            let headers = headers(&case);
            let body = hex::decode(str(&case, "body_hex")).unwrap();
            assert_eq!(
                content_md5(&body),
                headers["x-ots-contentmd5"],
                "{name}: digest"
            );

            let secret = str(&case, "access_key_secret");
            let key = if case["version"] == "v4" {
                derived_key(secret, str(&case, "sign_date"), str(&case, "region"))
            } else {
                secret.as_bytes().to_vec()
            };
            let signer = Signer {
                access: Arc::new(AccessKey::new(str(&case, "access_key_id"), secret)),
                key,
                version: Version::V2,
            };
            let string = response_string(str(&case, "api"), &headers);
            assert_eq!(
                string,
                str(&case, "string_to_sign"),
                "{name}: string to sign"
            );
            let authorization = signer.authorization(str(&case, "api"), &headers);
            assert_eq!(
                authorization, headers["authorization"],
                "{name}: authorization"
            );
        }
    }

    #[test]
    fn any_change_of_a_signed_header_is_noticed() {
        for case in cases("request") {
            let original = headers(&case);
            let signed = original
                .keys()
                .filter(|name| name.as_str().starts_with("x-ots-"));
            for name in signed {
                let mut headers = original.clone();
                headers.insert(name, HeaderValue::from_static("other"));
                let signer = Signer::of(&keys(&case), &headers);
                let body = hex::decode(str(&case, "body_hex")).unwrap();
                let result = check(
                    &headers,
                    str(&case, "api"),
                    &body,
                    clock_s(&case),
                    signer.as_ref(),
                );
                assert!(
                    result.is_err(),
                    "{}: {name} changed unnoticed",
                    str(&case, "name")
                );
            }
        }
    }
}
