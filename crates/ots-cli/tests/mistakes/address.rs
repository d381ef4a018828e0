//! Who is asked, and with which key.

use super::*;

#[test]
fn a_wrong_secret_is_told_and_never_shown() {
    let emulator = Emulator::start().with_numbers("t", 10);
    emulator.place.file("q.csv", "id\n1\n");
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "export --table t --out o",
        "load --table t --key id q.csv",
        "load --table u --create --key id q.csv",
    ] {
        let mut command = emulator.ots(words.split_whitespace());
        command.env("TABLESTORE_ACCESS_KEY_ID", "ots-local");
        command.env("TABLESTORE_ACCESS_KEY_SECRET", SECRET);
        let ran = run(&mut command);
        let sentence = without_request_id(ran.only_fails(3));
        let endpoint = emulator.endpoint();
        assert!(
            sentence.contains(&format!(" at {endpoint}: ")),
            "{sentence}"
        );
        let end = "OTSAuthFailed, HTTP 403: Signature mismatch.; check the access key in \
                   TABLESTORE_ACCESS_KEY_ID and TABLESTORE_ACCESS_KEY_SECRET, and what it may do; \
                   `ots emulator` needs none unless it was given one";
        assert!(sentence.ends_with(end), "{sentence}");
    }
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn half_an_access_key_is_a_mistake_even_for_an_emulator() {
    let place = Place::new();
    let mut command = place.ots(["range", "--table", "t", "--endpoint", "http://localhost:1"]);
    command.env("TABLESTORE_ACCESS_KEY_ID", "ots-local");
    assert_eq!(
        run(&mut command).only_fails(2),
        "the connection can't be set up: TABLESTORE_ACCESS_KEY_ID is set, but \
         TABLESTORE_ACCESS_KEY_SECRET is not"
    );
}

#[test]
fn the_service_itself_needs_a_key() {
    let place = Place::new();
    let ran = place.run("range --table t --endpoint https://shop.cn-hangzhou.ots.aliyuncs.com");
    assert_eq!(
        ran.only_fails(2),
        "the connection can't be set up: no credentials: set TABLESTORE_ACCESS_KEY_ID and \
         TABLESTORE_ACCESS_KEY_SECRET, or ALIBABA_CLOUD_ACCESS_KEY_ID and \
         ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    );
}

#[test]
fn without_an_endpoint_it_says_how_to_give_one() {
    let place = Place::new();
    place.file("f.csv", "id\n1\n");
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "export --table t --out o",
        "load --table t --key id f.csv",
    ] {
        let mut command = place.ots(words.split_whitespace());
        // As an unset variable in a script.
        command.env("OTS_ENDPOINT", "");
        for ran in [place.run(words), run(&mut command)] {
            let expected = "no endpoint is given; pass --endpoint URL or set OTS_ENDPOINT";
            assert_eq!(ran.only_fails(2), expected);
        }
    }
    assert_eq!(place.names("."), ["f.csv"]);
}

#[test]
fn a_malformed_endpoint_is_told_before_anything_is_sent() {
    let place = Place::new();
    let ran = place.run("range --table t --endpoint shop.cn-hangzhou.ots.aliyuncs.com");
    assert_eq!(
        ran.only_fails(2),
        "the connection can't be set up: endpoint \"shop.cn-hangzhou.ots.aliyuncs.com\" must start \
         with http:// or https://; expected something like \
         https://INSTANCE.cn-hangzhou.ots.aliyuncs.com"
    );
    let with_password = format!("range --table t --endpoint http://me:{SECRET}@localhost");
    assert_eq!(
        place.run(&with_password).only_fails(2),
        "the connection can't be set up: an endpoint must not contain a user or password"
    );
}

#[test]
fn an_endpoint_without_an_instance_asks_for_one() {
    let place = Place::new();
    let mut command = place.ots(["range", "--table", "t", "--endpoint", "http://10.1.2.3"]);
    command.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
    command.env("TABLESTORE_ACCESS_KEY_SECRET", SECRET);
    assert_eq!(
        run(&mut command).only_fails(2),
        "endpoint http://10.1.2.3 doesn't name an instance; pass --instance NAME or set OTS_INSTANCE"
    );
}

#[test]
fn an_address_where_nothing_listens_is_told_within_seconds() {
    let place = Place::new();
    place.file("f.csv", "id\n1\n");
    // Taken, so that nobody else gets it, and nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = taken.local_addr().unwrap().port();
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "export --table t --out o",
        "load --table t --key id f.csv",
        "load --table t --create --key id f.csv",
    ] {
        let ran = place.run(&format!("{words} --endpoint http://127.0.0.1:{port}"));
        let sentence = ran.only_fails(5);
        for part in [
            format!(" at http://127.0.0.1:{port}: "),
            " attempts in ".to_owned(),
            "Connection refused".to_owned(),
        ] {
            assert!(sentence.contains(&part), "{sentence}");
        }
        let end =
            "; check --endpoint and the network, or try again later; `ots emulator` starts one";
        assert!(sentence.ends_with(end), "{sentence}");
        // Not as often as a call may be tried.
        assert!(!sentence.contains(" 20 attempts in "), "{sentence}");
    }
    assert_eq!(place.names("."), ["f.csv"]);
}

#[test]
fn tls_to_a_port_without_it_says_to_leave_it_out() {
    let emulator = Emulator::start();
    let endpoint = format!("https://127.0.0.1:{}", emulator.port);
    let ran = emulator.run(&format!("range --table t --endpoint {endpoint}"));
    let sentence = ran.only_fails(5);
    let end = "; what answers there doesn't speak TLS: try http://";
    assert!(sentence.ends_with(end), "{sentence}");
}
