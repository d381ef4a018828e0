//! What is tried again, and what never is.

use super::*;

#[tokio::test]
async fn every_attempt_has_a_fresh_date_and_signature() {
    let steps = [Answer::busy(), Answer::busy(), absent_row()].map(Answer::step);
    let (transport, clock) = (script(steps), clock());
    let client = client(Arc::clone(&transport), &clock);
    let reply: ots_core::Reply<_> = Call::<operation::GetRow>::call(
        &client,
        messages::GetRowRequest {
            table_name: "orders".to_owned(),
            ..Default::default()
        },
    )
    .await
    .unwrap();

    assert_eq!(
        (reply.attempts, reply.elapsed),
        (3, Duration::from_millis(750))
    );
    assert_eq!(reply.request_id, REQUEST_ID);
    assert_eq!(clock.sleeps(), [250, 500].map(Duration::from_millis));

    let sent = transport.sent();
    let dates: Vec<_> = sent
        .iter()
        .map(|request| header(request, "x-ots-date"))
        .collect();
    let wanted = [
        "2024-01-02T03:04:05.000Z",
        "2024-01-02T03:04:05.250Z",
        "2024-01-02T03:04:05.750Z",
    ];
    assert_eq!(dates, wanted);
    let signatures: BTreeSet<_> = sent
        .iter()
        .map(|request| header(request, "x-ots-signature"))
        .collect();
    assert_eq!(signatures.len(), 3);
    for request in &sent {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signature = sign::v2::sign(SECRET, "GetRow", headers);
        assert_eq!(header(request, "x-ots-signature"), signature);
        assert_eq!(request.uri(), "http://db.example:1/GetRow");
        assert_eq!(request.body(), sent[0].body());
        assert_eq!(
            header(request, "x-ots-contentmd5"),
            sign::content_md5(request.body())
        );
        assert_eq!(header(request, "x-ots-accesskeyid"), ID);
    }
}

#[tokio::test]
async fn a_busy_service_gets_a_write_again() {
    let transport = script([Answer::busy().step(), written().step()]);
    client(Arc::clone(&transport), &clock())
        .send(write())
        .await
        .unwrap();
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test]
async fn a_write_that_was_surely_not_sent_is_sent_again() {
    let transport = script([Step::FailBeforeSend, Step::FailBeforeSend, written().step()]);
    client(Arc::clone(&transport), &clock())
        .send(write())
        .await
        .unwrap();
    assert_eq!(transport.sent().len(), 3);
}

/// Failures after which nobody knows whether the request ran.
fn doubts() -> Vec<(&'static str, Step)> {
    let garbage = Answer::new(200, &b"\xff\xff\xff"[..]);
    vec![
        ("reset", Step::FailAfterSend),
        (
            "gateway",
            Answer::new(502, "oops")
                .without("x-ots-requestid")
                .unsigned()
                .step(),
        ),
        ("damaged", absent_row().damaged(b"\x0a\x00").step()),
        (
            "damaged refusal",
            Answer::busy().damaged(b"\x0a\x01A").step(),
        ),
        ("undecodable", garbage.step()),
        (
            "internal",
            Answer::refusal(500, "OTSInternalServerError", "").step(),
        ),
        ("timeout", Answer::refusal(503, "OTSTimeout", "").step()),
        (
            "unknown code",
            Answer::refusal(500, "OTSOfNextYear", "").step(),
        ),
        ("no error in the body", Answer::new(503, "<html>").step()),
    ]
}

#[tokio::test]
async fn a_read_is_repeated_when_its_answer_was_lost() {
    for (name, step) in doubts() {
        let transport = script([step, absent_row().step()]);
        let reply = client(Arc::clone(&transport), &clock()).send(read()).await;
        let reply = reply.unwrap();
        assert_eq!(reply.row, None, "{name}");
        assert_eq!((reply.attempts, transport.sent().len()), (2, 2), "{name}");
        assert_eq!(reply.request_id, REQUEST_ID, "{name}");
    }
}

#[tokio::test]
async fn a_write_is_not_repeated_when_its_answer_was_lost() {
    for (name, step) in doubts() {
        let transport = script([step, written().step()]);
        let error = client(Arc::clone(&transport), &clock())
            .send(write())
            .await
            .unwrap_err();
        assert_eq!((error.attempts(), transport.steps_left()), (1, 1), "{name}");
        assert!(
            error.is_retryable(),
            "{name}: whether to write again is the caller's choice"
        );
    }
}

#[tokio::test]
async fn a_lost_write_says_what_is_known() {
    let clock = clock();
    let error = client(Scripted::new([Step::FailAfterSend]), &clock)
        .send(write())
        .await;
    let error = error.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "PutRow on table \"orders\" of instance \"shop\" failed: no answer from the service",
            "the request was sent, but no whole answer came back",
            "scripted: connection reset",
        ]
    );
    assert_eq!(error.kind(), &ErrorKind::Transport);
    assert_eq!(error.as_transport().unwrap().delivery(), Delivery::Unknown);
    assert_eq!(error.request_id(), None);
    assert_eq!(clock.sleeps(), []);
}

#[tokio::test]
async fn nothing_that_will_fail_again_is_repeated() {
    let answers = [
        Answer::refusal(403, "OTSConditionCheckFail", ""),
        Answer::refusal(400, "OTSParameterInvalid", ""),
        Answer::refusal(404, "OTSOfNextYear", ""),
        absent_row().signed_by(ID, "another secret"),
        absent_row().with("x-ots-date", "2024-01-02T03:30:00.000000Z"),
        absent_row().without("x-ots-date"),
        absent_row().header("x-ots-response-compress-type", "deflate"),
        Answer::new(404, "").without("x-ots-requestid").unsigned(),
        Answer::new(301, "")
            .header("location", "https://elsewhere")
            .unsigned(),
    ];
    for answer in answers {
        let transport = script([answer.clone().step(), absent_row().step()]);
        let error = client(Arc::clone(&transport), &clock())
            .send(read())
            .await
            .unwrap_err();
        assert_eq!(
            (error.attempts(), transport.sent().len()),
            (1, 1),
            "{answer:?}"
        );
        assert!(!error.is_retryable(), "{error}");
    }
}
