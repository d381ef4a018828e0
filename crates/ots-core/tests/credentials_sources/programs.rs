//! Addresses and programs that give credentials.

use super::*;

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
        // Its words, one behind the other.
        let line = format!("echo {printed}");
        let source = CredentialsCommand::new(machine(&Servers::default(), &[], &[]), line);
        let found = source.fetch().await.map_err(|error| told(&error));
        assert_eq!(found, wanted.map_err(str::to_owned));
    }
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
