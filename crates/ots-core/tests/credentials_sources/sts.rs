//! Roles by STS.

use super::*;

#[tokio::test]
async fn a_role_is_assumed_with_a_signed_request() {
    let servers = Servers::default().with(STS, 200, sts_json("role"));
    let base = Credentials::new("base-id", "hush-base").with_security_token("hush-base-token");
    let source = AssumeRole::new(
        machine(&servers, &[], &[]),
        Arc::new(base),
        "acs:ram::1:role/r",
    )
    .external_id("hush-external")
    .session_name("a session")
    .duration(Duration::from_secs(900));
    assert_eq!(source.fetch().await.unwrap(), temporary("role"));
    source.fetch().await.unwrap();
    assert_quiet(&format!("{source:?}"));

    let forms = servers.forms();
    let form = &forms[0];
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("RoleArn", "acs:ram::1:role/r"),
        ("RoleSessionName", "a session"),
        ("DurationSeconds", "900"),
        ("ExternalId", "hush-external"),
        ("AccessKeyId", "base-id"),
        ("SecurityToken", "hush-base-token"),
        ("Timestamp", "2024-01-02T03:04:05Z"),
        ("SignatureMethod", "HMAC-SHA1"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
    // Signed over everything else, by a reading of the documentation of this file's own.
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let signed: Vec<String> = form
        .iter()
        .filter(|(name, _)| *name != "Signature")
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let text = format!("POST&%2F&{}", encode(&signed.join("&")));
    assert_eq!(
        form["Signature"],
        ots_core::sign::hmac_sha1("hush-base&", &text)
    );
    assert_ne!(forms[0]["SignatureNonce"], forms[1]["SignatureNonce"]);
}

#[tokio::test]
async fn a_refusal_of_sts_is_told_by_its_code() {
    let body = r#"{"Code":"CODE","RequestId":"r-7","Message":"string to sign is: hush"}"#;
    for (status, code, passes) in [
        (403, "NoPermission", false),
        (400, "SignatureDoesNotMatch", false),
        (400, "Throttling.User", true),
        (503, "ServiceUnavailable", true),
    ] {
        let servers = Servers::default().with(STS, status, body.replace("CODE", code));
        let base = Arc::new(Credentials::new("id", "hush"));
        let source = AssumeRole::new(machine(&servers, &[], &[]), base, "arn");
        let error = source.fetch().await.unwrap_err();
        let text = format!("AssumeRole of STS: HTTP {status}, {code} (request id r-7)");
        assert!(told(&error).ends_with(&text), "{}", told(&error));
        assert_eq!(error.is_retryable(), passes, "{code}");
    }
}
