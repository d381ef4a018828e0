//! Roles of machines.

use super::*;

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
