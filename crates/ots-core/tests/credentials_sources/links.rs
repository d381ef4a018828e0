//! The chain of all of them.

use super::files::{CONFIG, CREDENTIALS, cloud};
use super::*;

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
