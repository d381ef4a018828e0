//! Files: of profiles, and of credentials.

use super::*;

pub(crate) const CONFIG: &str = r#"{"current":"plain","profiles":[
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

pub(crate) fn cloud() -> Servers {
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

pub(crate) const CREDENTIALS: &str = "
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
