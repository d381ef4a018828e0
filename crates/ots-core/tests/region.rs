//! A client with a region signs by V4, and wants its answers signed by the derived key.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use ots_core::request::GetRow;
use ots_core::sign::{self, SigningKey};
use ots_core::transport::Scripted;
use ots_core::{Credentials, ErrorKind, ManualClock, PrimaryKey, ResponseProblem};
use ots_proto::messages;

mod common;

use common::{Answer, ID, SECRET, builder, clock, now};

const REGION: &str = "cn-hangzhou";

fn read() -> GetRow {
    GetRow::new("orders", PrimaryKey::new().column("id", 7))
}

fn absent_row() -> Answer {
    Answer::ok(&messages::GetRowResponse::default())
}

fn derived(sign_date: &str) -> String {
    sign::v4::signing_key(SECRET, sign_date, REGION)
}

#[tokio::test]
async fn a_day_that_ends_between_two_attempts_changes_the_key() {
    let clock = ManualClock::new(now() + Duration::from_millis(75_354_900));
    let at_midnight = "2024-01-03T00:00:00.000000Z";
    let transport = Arc::new(Scripted::new([
        Answer::busy().signed_by(ID, &derived("20240102")).step(),
        absent_row()
            .with("x-ots-date", at_midnight)
            .signed_by(ID, &derived("20240103"))
            .step(),
    ]));
    let client = builder(Arc::clone(&transport), &clock).region(REGION);
    client.build().unwrap().send(read()).await.unwrap();

    for (request, (date, sign_date)) in transport.sent().iter().zip([
        ("2024-01-02T23:59:59.900Z", "20240102"),
        ("2024-01-03T00:00:00.150Z", "20240103"),
    ]) {
        let headers = request.headers();
        assert_eq!(headers["x-ots-date"], date);
        assert_eq!(headers["x-ots-signdate"], sign_date);
        assert_eq!(headers["x-ots-signregion"], REGION);
        assert!(!headers.contains_key("x-ots-signature"));
        let signed = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let key = SigningKey::v4(SECRET, sign_date, REGION);
        let (name, signature) = key.sign("GetRow", signed);
        assert_eq!(headers[name], signature);
        assert!(headers[name].is_sensitive());
    }
}

#[tokio::test]
async fn an_answer_signed_by_the_secret_itself_or_for_another_day_is_refused() {
    for key in [SECRET, &derived("20240101")] {
        let transport = Scripted::new([absent_row().signed_by(ID, key).step()]);
        let client = builder(transport, &clock()).region(REGION);
        let error = client.build().unwrap().send(read()).await.unwrap_err();
        let wanted = ErrorKind::Response(ResponseProblem::Signature);
        assert_eq!(error.kind(), &wanted);
    }
}

#[tokio::test]
async fn a_temporary_key_sends_its_token() {
    let credentials = Credentials::new(ID, SECRET).with_security_token("a-token");
    let answer = absent_row().signed_by(ID, &derived("20240102"));
    let transport = Arc::new(Scripted::new([answer.step()]));
    let client = builder(Arc::clone(&transport), &clock()).region(REGION);
    let client = client.credentials(credentials).build().unwrap();
    client.send(read()).await.unwrap();
    assert_eq!(transport.sent()[0].headers()["x-ots-ststoken"], "a-token");
}
