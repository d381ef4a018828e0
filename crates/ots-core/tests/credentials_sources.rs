//! Where credentials come from, on machines of the tests' own making: their variables, files and
//! servers are values, and nothing is asked of the machine that the tests run on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ots_core::credentials::sources::{
    AssumeRole, ConfigFile, CredentialsChain, CredentialsCommand, CredentialsFile, CredentialsUri,
    EcsRamRole, LinkOutcome, Machine,
};
use ots_core::credentials::{CachedCredentials, CredentialsSource};
use ots_core::transport::TransportError;
use ots_core::{Credentials, CredentialsProvider, Error, ManualClock, Transport};

mod common;

use common::chain;

const EXPIRY: &str = "2024-01-02T04:04:05Z";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_704_164_645)
}

/// The key that the servers of these tests give.
fn temporary(name: &str) -> Credentials {
    Credentials::new(format!("{name}-id"), format!("hush-{name}"))
        .with_security_token(format!("hush-token-{name}"))
        .expiring_at(now() + Duration::from_secs(3600))
}

fn key_json(name: &str) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{name}-id","AccessKeySecret":"hush-{name}",
            "SecurityToken":"hush-token-{name}","Expiration":"{EXPIRY}"}}"#
    )
}

fn sts_json(name: &str) -> String {
    format!(r#"{{"RequestId":"r-1","Credentials":{}}}"#, key_json(name))
}

/// Answers by method and address; whatever isn't listed can't be reached.
#[derive(Clone, Debug, Default)]
struct Servers {
    answers: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Servers {
    fn with(self, what: &str, status: u16, body: impl Into<String>) -> Self {
        let answer = (status, body.into());
        self.answers.lock().unwrap().insert(what.to_owned(), answer);
        self
    }

    /// The metadata server of a machine with a role.
    fn ecs() -> Self {
        Self::default()
            .with(&format!("PUT {ECS}/api/token"), 200, "hush-imds\n")
            .with(&format!("GET {ECS}/{ROLES}"), 200, "a-role\n")
            .with(&format!("GET {ECS}/{ROLES}a-role"), 200, key_json("ecs"))
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| format!("{} {}", request.method(), request.uri()))
            .collect()
    }

    /// The parameters of the requests to STS.
    fn forms(&self) -> Vec<BTreeMap<String, String>> {
        let asked = self.asked.lock().unwrap();
        let forms = asked
            .iter()
            .filter(|request| request.uri().host().unwrap().starts_with("sts"));
        let decode = |text: &str| {
            let mut bytes = Vec::new();
            let mut rest = text.as_bytes();
            while let [first, tail @ ..] = rest {
                if *first == b'%' {
                    let digits = std::str::from_utf8(&tail[..2]).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        forms
            .map(|request| {
                assert_eq!(request.uri().query(), None, "addresses end up in logs");
                let body = std::str::from_utf8(request.body()).unwrap();
                let pairs = body.split('&').map(|pair| pair.split_once('=').unwrap());
                pairs
                    .map(|(name, value)| (decode(name), decode(value)))
                    .collect()
            })
            .collect()
    }
}

#[async_trait]
impl Transport for Servers {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let what = format!("{} {}", request.method(), request.uri());
        self.asked.lock().unwrap().push(request);
        let answers = self.answers.lock().unwrap();
        let Some((status, body)) = answers.get(&what) else {
            return Err(TransportError::not_sent("no route to host"));
        };
        let mut answer = Response::new(Bytes::from(body.clone()));
        *answer.status_mut() = (*status).try_into().unwrap();
        Ok(answer)
    }
}

const ECS: &str = "http://100.100.100.200/latest";
const ROLES: &str = "meta-data/ram/security-credentials/";
const STS: &str = "POST https://sts.aliyuncs.com/";

fn machine(servers: &Servers, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Machine {
    let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let (variables, files) = (owned(variables), owned(files));
    Machine::new(servers.clone())
        .clock(ManualClock::new(now()))
        .variables(move |name| variables.get(name).map(OsString::from))
        .files(move |path: &Path| {
            let file = files.get(path.to_str().unwrap());
            file.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        })
}

#[track_caller]
fn assert_quiet(shown: &str) {
    assert!(!shown.contains("hush"), "{shown}");
}

/// Everything an error says; never a secret.
#[track_caller]
fn told(error: &Error) -> String {
    assert_quiet(&format!("{error:?} {error:#?}"));
    let text = chain(error).join(": ");
    assert_quiet(&text);
    text
}

// Roles of machines

#[tokio::test]
async fn the_role_of_a_machine_is_asked_for_with_a_token() {
    let servers = Servers::ecs();
    let source = EcsRamRole::new(machine(&servers, &[], &[]));
    assert_eq!(source.fetch().await.unwrap(), temporary("ecs"));
    let asked = servers.asked.lock().unwrap();
    assert_eq!(
        asked[0].headers()["x-aliyun-ecs-metadata-token-ttl-seconds"],
        "60"
    );
    for request in &asked[1..] {
        assert_eq!(
            request.headers()["x-aliyun-ecs-metadata-token"],
            "hush-imds"
        );
    }
    assert_quiet(&format!("{source:?}"));
}

#[tokio::test]
async fn a_role_that_is_named_is_not_asked_for() {
    let variable = [("ALIBABA_CLOUD_ECS_METADATA", "a-role")];
    for (variables, named) in [(&variable[..], None), (&[][..], Some("a-role"))] {
        let servers = Servers::ecs();
        let mut source = EcsRamRole::new(machine(&servers, variables, &[]));
        if let Some(name) = named {
            source = source.role(name);
        }
        assert_eq!(source.fetch().await.unwrap(), temporary("ecs"));
        assert_eq!(
            servers.asked(),
            [
                format!("PUT {ECS}/api/token"),
                format!("GET {ECS}/{ROLES}a-role")
            ]
        );
    }
}

#[tokio::test]
async fn version_1_is_spoken_only_where_that_is_allowed() {
    let servers = Servers::ecs().with(&format!("PUT {ECS}/api/token"), 404, "");
    let source = EcsRamRole::new(machine(&servers, &[], &[]));
    assert_eq!(source.fetch().await.unwrap(), temporary("ecs"));
    let headers = servers.asked.lock().unwrap()[2].headers().clone();
    assert!(!headers.contains_key("x-aliyun-ecs-metadata-token"));

    let disabled = [("ALIBABA_CLOUD_IMDSV1_DISABLED", "true")];
    let source = EcsRamRole::new(machine(&servers, &disabled, &[]));
    let error = source.fetch().await.unwrap_err();
    assert_eq!(
        told(&error),
        "the metadata server of ECS: HTTP 404 when asked for a token"
    );
}

#[tokio::test]
async fn what_a_metadata_server_gets_wrong_is_told_without_its_secrets() {
    let role = format!("GET {ECS}/{ROLES}a-role");
    let cases = [
        (404, "", false, "there is no RAM role \"a-role\""),
        (500, "", true, "HTTP 500"),
        (200, "hush not json", false, "not JSON, line 1 column 1"),
        (
            200,
            r#"{"Code":"Failed hush"}"#,
            false,
            "answered with the code (not shown)",
        ),
        (
            200,
            r#"{"AccessKeyId":"hush","Expiration":"2024-01-02T04:04:05Z"}"#,
            false,
            "answered without AccessKeySecret",
        ),
        (
            200,
            r#"{"AccessKeySecret":"hush","Expiration":"soon"}"#,
            false,
            "Expiration isn't a date",
        ),
    ];
    for (status, body, passes, text) in cases {
        let servers = Servers::ecs().with(&role, status, body);
        let source = EcsRamRole::new(machine(&servers, &[], &[]));
        let error = source.fetch().await.unwrap_err();
        let told = told(&error);
        assert!(
            told.ends_with(&format!("the metadata server of ECS: {text}")),
            "{told}"
        );
        assert_eq!(error.is_retryable(), passes, "{told}");
        assert!(!error.may_have_run());
    }
    let servers = Servers::ecs().with(&format!("GET {ECS}/{ROLES}"), 200, "../hush\n");
    let error = EcsRamRole::new(machine(&servers, &[], &[]))
        .fetch()
        .await
        .unwrap_err();
    assert!(told(&error).ends_with("a role has no valid name"));
}

// Roles by STS

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

// Addresses and programs

#[tokio::test]
async fn an_address_gives_credentials_and_is_not_shown() {
    let address = "http://127.0.0.1:9/key?password=hush";
    let servers = Servers::default().with(&format!("GET {address}"), 200, key_json("uri"));
    let source = CredentialsUri::new(machine(&servers, &[], &[]), address);
    assert_eq!(source.fetch().await.unwrap(), temporary("uri"));
    assert_quiet(&format!("{source:?}"));

    for address in ["http://127.0.0.1:8/?hush", "not an address hush"] {
        let source = CredentialsUri::new(machine(&servers, &[], &[]), address);
        let text = told(&source.fetch().await.unwrap_err());
        assert!(text.contains("the credentials URI: "), "{text}");
    }
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn over_a_real_socket_an_address_gives_credentials() {
    use ots_core::transport::{HyperTransport, Proxy};
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_string(key_json("uri"));
    let mock = Mock::given(method("GET")).and(path("/key"));
    mock.respond_with(answer).mount(&server).await;
    let transport = HyperTransport::builder()
        .proxy(Proxy::none())
        .build()
        .unwrap();
    let source = CredentialsUri::new(Machine::new(transport), format!("{}/key", server.uri()));
    assert_eq!(source.fetch().await.unwrap(), temporary("uri"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_prints_credentials() {
    let file = std::env::temp_dir().join(format!("ots-core-{}.json", std::process::id()));
    let cases = [
        (
            r#"{"mode":"AK","access_key_id":"id","access_key_secret":"hush"}"#,
            Ok(Credentials::new("id", "hush")),
        ),
        (
            r#"{"access_key_id":"id","access_key_secret":"hush","sts_token":"hush-t"}"#,
            Ok(Credentials::new("id", "hush")
                .with_security_token("hush-t")
                .expiring_at(now() + Duration::from_secs(900))),
        ),
        (
            r#"{"access_key_id":"ecs-id","access_key_secret":"hush-ecs",
                "sts_token":"hush-token-ecs","expiration":"2024-01-02T04:04:05Z"}"#,
            Ok(temporary("ecs")),
        ),
        (
            r#"{"access_key_secret":"hush"}"#,
            Err("the command for credentials printed no access_key_id"),
        ),
        (
            "hush",
            Err("the command for credentials: not JSON, line 1 column 1"),
        ),
    ];
    for (printed, wanted) in cases {
        std::fs::write(&file, printed).unwrap();
        let line = format!("cat {}", file.display());
        let source = CredentialsCommand::new(machine(&Servers::default(), &[], &[]), line);
        let found = source.fetch().await.map_err(|error| told(&error));
        assert_eq!(found, wanted.map_err(str::to_owned));
    }
    std::fs::remove_file(&file).unwrap();
    for (line, text) in [
        (
            "false hush",
            "the command for credentials failed: exit status: 1",
        ),
        (
            "/no/such/hush",
            "the command for credentials can't be run: entity not found",
        ),
        (" ", "the command for credentials is empty"),
    ] {
        let source = CredentialsCommand::new(machine(&Servers::default(), &[], &[]), line);
        assert_eq!(told(&source.fetch().await.unwrap_err()), text);
        assert_quiet(&format!("{source:?}"));
    }
}

// Files

const CONFIG: &str = r#"{"current":"plain","profiles":[
    {"name":"plain","mode":"AK","access_key_id":"plain-id","access_key_secret":"hush-plain"},
    {"name":"token","mode":"StsToken","access_key_id":"token-id","access_key_secret":"hush-token",
        "sts_token":"hush-sts"},
    {"name":"role","mode":"RamRoleArn","access_key_id":"plain-id","access_key_secret":"hush-plain",
        "ram_role_arn":"arn-1","ram_session_name":"me","expired_seconds":900,
        "sts_region":"cn-hangzhou","external_id":"hush-external"},
    {"name":"chain","mode":"ChainableRamRoleArn","source_profile":"role","ram_role_arn":"arn-2"},
    {"name":"machine","mode":"EcsRamRole","ram_role_name":"a-role"},
    {"name":"machine-role","mode":"RamRoleArnWithRoleName","ram_role_name":"a-role",
        "ram_role_arn":"arn-3"},
    {"name":"oidc","mode":"OIDC","ram_role_arn":"arn-4","oidc_provider_arn":"provider",
        "oidc_token_file":"/token","ram_session_name":"pod"},
    {"name":"uri","mode":"CredentialsURI","credentials_uri":"http://127.0.0.1:9/"},
    {"name":"browser","mode":"CloudSSO"},
    {"name":"odd","mode":"hush hush"},
    {"name":"ring","mode":"ChainableRamRoleArn","source_profile":"ring","ram_role_arn":"arn"},
    {"name":"half","mode":"AK","access_key_id":"hush"},
    {"name":"nothing"}]}"#;

fn cloud() -> Servers {
    Servers::ecs()
        .with(STS, 200, sts_json("sts"))
        .with(
            "POST https://sts.cn-hangzhou.aliyuncs.com/",
            200,
            sts_json("regional"),
        )
        .with("GET http://127.0.0.1:9/", 200, key_json("uri"))
}

fn config(servers: &Servers) -> ConfigFile {
    let machine = machine(
        servers,
        &[],
        &[("/config.json", CONFIG), ("/token", "hush-oidc\n")],
    );
    ConfigFile::read(machine, "/config.json").unwrap()
}

#[tokio::test]
async fn every_mode_of_a_profile_leads_to_its_credentials() {
    let plain = Credentials::new("plain-id", "hush-plain");
    let token = Credentials::new("token-id", "hush-token").with_security_token("hush-sts");
    for (profile, wanted) in [
        ("plain", plain),
        ("token", token),
        ("role", temporary("regional")),
        ("chain", temporary("sts")),
        ("machine", temporary("ecs")),
        ("machine-role", temporary("sts")),
        ("oidc", temporary("sts")),
        ("uri", temporary("uri")),
    ] {
        let servers = cloud();
        let source = config(&servers).profile(profile).unwrap();
        assert_eq!(source.fetch().await.unwrap(), wanted, "{profile}");
        assert_quiet(&format!("{source:?}"));
        let roles: Vec<_> = servers.forms();
        let roles = roles.iter().map(|form| {
            let get = |name: &str| form.get(name).map_or("-", String::as_str).to_owned();
            [
                get("RoleArn"),
                get("AccessKeyId"),
                get("RoleSessionName"),
                get("OIDCToken"),
            ]
        });
        let roles: Vec<_> = roles.map(|role| role.join(" ")).collect();
        let expected: &[&str] = match profile {
            "role" => &["arn-1 plain-id me -"],
            "chain" => &["arn-1 plain-id me -", "arn-2 regional-id ots-rust -"],
            "machine-role" => &["arn-3 ecs-id ots-rust -"],
            "oidc" => &["arn-4 - pod hush-oidc"],
            _ => &[],
        };
        assert_eq!(roles, expected, "{profile}");
    }
    assert_quiet(&format!("{:?}", config(&cloud())));
}

#[test]
fn a_profile_that_cannot_be_used_says_why() {
    let config = config(&cloud());
    for (profile, text) in [
        (
            "browser",
            "profile \"browser\" has the mode CloudSSO, which isn't supported",
        ),
        (
            "odd",
            "profile \"odd\" has the mode (not shown), which isn't supported",
        ),
        ("ring", "profile \"ring\" is based on itself"),
        ("half", "profile \"half\" has no access_key_secret"),
        ("nothing", "profile \"nothing\" has no mode"),
        ("absent", "there is no profile \"absent\""),
    ] {
        assert_eq!(told(&config.profile(profile).unwrap_err()), text);
    }
    for (text, problem) in [
        ("hush", "/config.json isn't JSON, line 1 column 1"),
        ("{}", "/config.json has no list of profiles"),
    ] {
        let machine = machine(&Servers::default(), &[], &[("/config.json", text)]);
        assert_eq!(
            told(&ConfigFile::read(machine, "/config.json").unwrap_err()),
            problem
        );
    }
}

const CREDENTIALS: &str = "
# keys
[default]
type = access_key
access_key_id = ini-id
access_key_secret = hush-ini

[token]
type=sts
access_key_id=token-id
access_key_secret=\"hush-token\"
security_token=hush-sts
[role]
type = ram_role_arn
access_key_id = ini-id
access_key_secret = hush-ini
role_arn = arn-1
role_session_name = me
[machine]
type = ecs_ram_role
role_name = a-role
[oidc]
type = oidc_role_arn
role_arn = arn-4
oidc_provider_arn = provider
oidc_token_file_path = /token
; old
[pair]
type = rsa_key_pair
";

#[tokio::test]
async fn every_type_of_a_credentials_file_leads_to_its_credentials() {
    let files = [("/credentials", CREDENTIALS), ("/token", "hush-oidc")];
    let machine = machine(&cloud(), &[], &files);
    let file = CredentialsFile::read(machine, "/credentials").unwrap();
    for (profile, wanted) in [
        ("default", Credentials::new("ini-id", "hush-ini")),
        (
            "token",
            Credentials::new("token-id", "hush-token").with_security_token("hush-sts"),
        ),
        ("role", temporary("sts")),
        ("machine", temporary("ecs")),
        ("oidc", temporary("sts")),
    ] {
        let source = file.profile(profile).unwrap();
        assert_eq!(source.fetch().await.unwrap(), wanted, "{profile}");
    }
    assert_eq!(
        told(&file.profile("pair").unwrap_err()),
        "profile \"pair\" has the type rsa_key_pair, which isn't supported"
    );
    assert_quiet(&format!("{file:?}"));
}

#[test]
fn a_credentials_file_that_cannot_be_read_says_where() {
    for (text, problem) in [
        ("hush", "/c has neither a section nor a setting on line 1"),
        (
            "\na = hush",
            "/c has a setting before the first section on line 2",
        ),
        ("[hush", "/c has a section without an end on line 1"),
    ] {
        let machine = machine(&Servers::default(), &[], &[("/c", text)]);
        assert_eq!(
            told(&CredentialsFile::read(machine, "/c").unwrap_err()),
            problem
        );
    }
}

// The chain

type Pairs<'a> = &'a [(&'a str, &'a str)];

const HOME: (&str, &str) = ("HOME", "/home/me");
const HOME_CONFIG: &str = "/home/me/.aliyun/config.json";
const HOME_CREDENTIALS: &str = "/home/me/.alibabacloud/credentials";

async fn id(
    servers: &Servers,
    variables: &[(&str, &str)],
    files: &[(&str, &str)],
) -> Result<String, String> {
    let chain = CredentialsChain::new(machine(servers, variables, files));
    assert_quiet(&format!("{chain:?}"));
    match chain.credentials().await {
        Ok(credentials) => Ok(credentials.id().to_owned()),
        Err(error) => Err(told(&error)),
    }
}

#[tokio::test]
async fn the_first_place_that_was_set_up_answers() {
    let everything = [
        HOME,
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "variable-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "hush"),
        ("ALIBABA_CLOUD_ROLE_ARN", "arn"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "provider"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9/"),
    ];
    let files = [
        ("/token", "hush"),
        (HOME_CONFIG, CONFIG),
        (HOME_CREDENTIALS, CREDENTIALS),
    ];
    let without = |names: &[&str]| -> Vec<_> {
        let kept = everything.iter().filter(|(name, _)| !names.contains(name));
        kept.copied().collect()
    };
    let key = "ALIBABA_CLOUD_ACCESS_KEY_ID";
    let role = "ALIBABA_CLOUD_ROLE_ARN";
    let uri = "ALIBABA_CLOUD_CREDENTIALS_URI";
    let cases = [
        ("variable-id", without(&[]), &files[..]),
        ("sts-id", without(&[key]), &files[..]),
        ("plain-id", without(&[key, role]), &files[..]),
        ("ini-id", without(&[key, role]), &files[2..]),
        ("uri-id", without(&[key, role]), &[]),
        ("ecs-id", without(&[key, role, uri]), &[]),
    ];
    for (wanted, variables, files) in cases {
        assert_eq!(id(&cloud(), &variables, files).await.unwrap(), wanted);
    }
}

#[tokio::test]
async fn a_place_that_was_set_up_and_fails_is_an_error_and_not_passed_over() {
    let cases: [(Pairs<'_>, Pairs<'_>, &str); 6] = [
        (
            &[("TABLESTORE_ACCESS_KEY_ID", "id")],
            &[],
            "TABLESTORE_ACCESS_KEY_ID is set, but TABLESTORE_ACCESS_KEY_SECRET is not",
        ),
        (
            &[
                ("ALIBABA_CLOUD_ROLE_ARN", "arn"),
                ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "provider"),
                ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/none"),
            ],
            &[],
            "the OIDC token file /none doesn't exist",
        ),
        (
            &[HOME],
            &[(HOME_CONFIG, "{")],
            "/home/me/.aliyun/config.json isn't JSON, line 1 column 1",
        ),
        (
            &[HOME, ("ALIBABA_CLOUD_PROFILE", "browser")],
            &[(HOME_CONFIG, CONFIG)],
            "profile \"browser\" has the mode CloudSSO, which isn't supported",
        ),
        (
            &[HOME, ("ALIBABA_CLOUD_PROFILE", "mine")],
            &[(HOME_CONFIG, CONFIG), (HOME_CREDENTIALS, CREDENTIALS)],
            "ALIBABA_CLOUD_PROFILE names the profile \"mine\", which is in no file: \
             /home/me/.alibabacloud/credentials has no profile \"mine\"",
        ),
        (
            &[("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:8/")],
            &[],
            "no answer from the service: the request could not be sent: no answer from the service: \
             the request could not be sent: the credentials URI: no answer: the request could not be \
             sent: no route to host",
        ),
    ];
    for (variables, files, text) in cases {
        let servers = cloud();
        assert_eq!(id(&servers, variables, files).await.unwrap_err(), text);
        let ecs = servers.asked().iter().any(|asked| asked.contains(ECS));
        assert!(!ecs, "the machine's role must not stand in: {text}");
    }
}

#[tokio::test]
async fn the_chain_says_who_answered_and_why_others_did_not() {
    let machine = machine(&cloud(), &[HOME], &[(HOME_CREDENTIALS, CREDENTIALS)]);
    let chain = CredentialsChain::new(machine);
    let report = chain.describe();
    assert!(
        report
            .links
            .iter()
            .all(|link| link.outcome == LinkOutcome::NotAsked)
    );
    chain.credentials().await.unwrap();
    assert_eq!(
        chain.describe().to_string(),
        "variables: TABLESTORE_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_ID aren't set; \
         OIDC token: ALIBABA_CLOUD_ROLE_ARN isn't set; \
         command line's configuration: /home/me/.aliyun/config.json doesn't exist; \
         credentials file: answered; \
         credentials URI: not asked; \
         role of the machine (ECS): not asked"
    );
}

#[tokio::test]
async fn where_nothing_is_found_every_place_is_named() {
    let servers = Servers::default();
    let error = id(&servers, &[], &[]).await.unwrap_err();
    assert_eq!(
        error,
        "no credentials anywhere: \
         variables: TABLESTORE_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_ID aren't set; \
         OIDC token: ALIBABA_CLOUD_ROLE_ARN isn't set; \
         command line's configuration: there is no home directory; \
         credentials file: there is no home directory; \
         credentials URI: ALIBABA_CLOUD_CREDENTIALS_URI isn't set; \
         role of the machine (ECS): failed, the metadata server of ECS: no answer: the request could \
         not be sent: no route to host"
    );
    let disabled = [
        HOME,
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
        ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "TRUE"),
    ];
    let servers = cloud();
    let error = id(&servers, &disabled, &[(HOME_CONFIG, CONFIG)])
        .await
        .unwrap_err();
    assert!(
        error.contains("ALIBABA_CLOUD_ECS_METADATA_DISABLED is set"),
        "{error}"
    );
    assert!(
        error.contains("ALIBABA_CLOUD_CLI_PROFILE_DISABLED is set"),
        "{error}"
    );
    assert_eq!(servers.asked(), [""; 0]);
}

#[tokio::test]
async fn a_command_line_that_was_never_told_a_key_is_passed_over() {
    let unfilled = r#"{"current":"default","profiles":[{"name":"default","mode":"AK",
        "access_key_id":"","access_key_secret":"","region_id":"cn-hangzhou"}]}"#;
    let files = [(HOME_CONFIG, unfilled), (HOME_CREDENTIALS, CREDENTIALS)];
    assert_eq!(id(&cloud(), &[HOME], &files).await.unwrap(), "ini-id");
}

#[tokio::test]
async fn a_role_that_is_named_but_does_not_answer_may_answer_later() {
    let variables = [("ALIBABA_CLOUD_ECS_METADATA", "a-role")];
    let chain = CredentialsChain::new(machine(&Servers::default(), &variables, &[]));
    let error = chain.credentials().await.unwrap_err();
    assert!(error.is_retryable(), "{}", told(&error));
}

#[tokio::test]
async fn the_place_that_answered_once_is_kept_and_asked_again_in_time() {
    let clock = ManualClock::new(now());
    let servers = cloud();
    let machine = machine(&servers, &[], &[]).clock(clock.clone());
    let chain = CredentialsChain::new(machine);
    for _ in 0..3 {
        assert_eq!(chain.credentials().await.unwrap().id(), "ecs-id");
    }
    assert_eq!(servers.asked().len(), 3, "{:?}", servers.asked());
    clock.advance(Duration::from_secs(3595));
    // The server still gives the same key, which is about to expire.
    chain.credentials().await.unwrap();
    assert_eq!(servers.asked().len(), 6);
    assert_eq!(chain.describe().links[5].outcome, LinkOutcome::Answered);
}

#[tokio::test]
async fn a_source_can_be_cached_by_itself() {
    let servers = Servers::ecs();
    let source = EcsRamRole::new(machine(&servers, &[], &[]));
    let cached = CachedCredentials::with_clock(source, ManualClock::new(now()));
    assert_eq!(cached.credentials().await.unwrap(), temporary("ecs"));
    cached.credentials().await.unwrap();
    assert_eq!(servers.asked().len(), 3);
    assert_quiet(&format!("{cached:?}"));
}

#[tokio::test]
async fn a_variable_that_is_not_text_is_an_error() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        let machine = Machine::new(Servers::default()).variables(|name| {
            (name == "TABLESTORE_ACCESS_KEY_ID").then(|| OsString::from_vec(vec![0xff]))
        });
        let error = CredentialsChain::new(machine)
            .credentials()
            .await
            .unwrap_err();
        assert_eq!(told(&error), "TABLESTORE_ACCESS_KEY_ID isn't Unicode text");
    }
}
