//! What is checked of an answer, and what each check says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use ots_core::request::ListTable;
use ots_core::retry::NoRetry;
use ots_core::transport::Scripted;
use ots_core::{Client, Error, ErrorCode, ErrorKind, Reply, ResponseProblem, Verification};
use ots_proto::messages::ListTableResponse;
use prost::Message as _;

mod common;

use common::{Answer, ID, REQUEST_ID, SECRET, builder, clock, credentials};

fn tables() -> Answer {
    Answer::ok(&ListTableResponse {
        table_names: vec!["orders".to_owned()],
    })
}

/// What a client makes of an answer to ListTable.
async fn check(answer: Answer) -> Result<Reply<Vec<String>>, Error> {
    let client = builder(Scripted::new([answer.step()]), &clock()).retry(NoRetry);
    client.build().unwrap().send(ListTable::new()).await
}

async fn problem(answer: Answer) -> ResponseProblem {
    let shown = format!("{answer:?}");
    match check(answer).await.unwrap_err().kind() {
        ErrorKind::Response(problem) => problem.clone(),
        other => panic!("{other:?} for {shown}"),
    }
}

async fn refusal(answer: Answer) -> (ErrorCode, u16, String) {
    let shown = format!("{answer:?}");
    let error = check(answer).await.unwrap_err();
    let Some(error) = error.as_service() else {
        panic!("{error} for {shown}");
    };
    assert_eq!(error.request_id, REQUEST_ID);
    (
        error.code.clone(),
        error.status.as_u16(),
        error.message.clone(),
    )
}

#[tokio::test]
async fn an_answer_as_the_service_makes_it_passes() {
    assert_eq!(*check(tables()).await.unwrap(), ["orders"]);
    assert_eq!(*check(Answer::new(200, "")).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn an_answer_without_a_request_id_is_not_the_services() {
    for (status, retryable) in [
        (502, true),
        (503, true),
        (404, false),
        (403, false),
        (200, false),
    ] {
        let answer = Answer::new(status, "<html>")
            .without("x-ots-requestid")
            .unsigned();
        let error = check(answer).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "ListTable on instance \"shop\" failed: HTTP {status} without x-ots-requestid: \
                 answered by something in front of Tablestore, not by Tablestore"
            )
        );
        assert_eq!(error.is_retryable(), retryable, "{status}");
        assert_eq!(error.request_id(), None);
    }
}

#[tokio::test]
async fn headers_that_every_answer_has_must_be_there() {
    for name in ["x-ots-date", "x-ots-contentmd5"] {
        let error = check(tables().without(name)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "ListTable on instance \"shop\" failed: the response has no {name} header (request \
                 id {REQUEST_ID})"
            )
        );
    }
    let missing = problem(tables().unsigned()).await;
    assert_eq!(
        missing,
        ResponseProblem::MissingHeader {
            name: "authorization"
        }
    );
    // Nobody reads it.
    check(tables().without("x-ots-contenttype")).await.unwrap();
}

#[tokio::test]
async fn a_date_may_differ_by_a_quarter_of_an_hour() {
    for date in [
        "2024-01-02T03:19:05.000000Z",
        "2024-01-02T02:49:05.000000Z",
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05.123456789Z",
    ] {
        check(tables().with("x-ots-date", date)).await.unwrap();
    }
    for date in [
        "2024-01-02T03:19:06.000000Z",
        "2024-01-02T02:49:04.000000Z",
        "2025-01-02T03:04:05.000000Z",
        "1969-01-02T03:04:05.000000Z",
        "Tue, 02 Jan 2024 03:04:05 GMT",
        "soon",
        "",
    ] {
        let received = date.to_owned();
        let found = problem(tables().with("x-ots-date", date)).await;
        assert_eq!(found, ResponseProblem::Date { received }, "{date:?}");
    }
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_whatever_its_date() {
    // The service refuses us because our clock is wrong: its date is off by as much. Unsigned, or the
    // client would learn from it and ask again.
    let message = "Mismatch between system time and x-ots-date: 2024-01-02T03:04:05.000Z.";
    for date in ["2024-01-02T09:00:00.000000Z", "soon"] {
        let answer = Answer::refusal(403, "OTSAuthFailed", message).with("x-ots-date", date);
        let answer = answer.unsigned();
        let wanted = (ErrorCode::AuthFailed, 403, message.to_owned());
        assert_eq!(refusal(answer).await, wanted);
    }
    let answer = Answer::refusal(404, "OTSObjectNotExist", "").without("x-ots-date");
    assert_eq!(refusal(answer).await.0, ErrorCode::ObjectNotExist);
}

#[tokio::test]
async fn the_body_is_checked_where_nothing_else_protects_it() {
    use Verification::{Automatic, Full, HeadersOnly};
    let cases = [
        ("http://h:1", Automatic, true),
        ("https://h:1", Automatic, false),
        ("http://h:1", Full, true),
        ("https://h:1", Full, true),
        ("http://h:1", HeadersOnly, false),
        ("https://h:1", HeadersOnly, false),
    ];
    for (endpoint, verification, is_checked) in cases {
        let send = async |answer: Answer| {
            let client = Client::builder(endpoint)
                .instance("shop")
                .credentials(credentials())
                .transport(Scripted::new([answer.step()]))
                .clock(clock())
                .retry(NoRetry)
                .verification(verification);
            client.build().unwrap().send(ListTable::new()).await
        };
        let name = "x".repeat(20_000);
        let large = ListTableResponse {
            table_names: vec![name.clone()],
        }
        .encode_to_vec();
        let framed = tables()
            .damaged(&large)
            .header("content-length", large.len().to_string());
        let damaged = send(framed.clone()).await;
        let unstated = send(framed.clone().without("x-ots-contentmd5")).await;
        if is_checked {
            let digest = ErrorKind::Response(ResponseProblem::BodyDigest);
            assert_eq!(damaged.unwrap_err().kind(), &digest);
            unstated.unwrap_err();
        } else {
            assert_eq!(*damaged.unwrap(), [name], "{endpoint} {verification:?}");
            unstated.unwrap();
        }
        // TLS doesn't tell a body that ends from one that was cut: only a stated length does.
        let short = framed.clone().with("content-length", "20001");
        for unframed in [framed.without("content-length"), short] {
            let refused = send(unframed).await.is_err();
            assert_eq!(
                refused,
                verification != HeadersOnly,
                "{endpoint} {verification:?}"
            );
        }
        // A body that was emptied on the way must never look like an end.
        let emptied = send(tables().damaged(b"")).await;
        let digest = ErrorKind::Response(ResponseProblem::BodyDigest);
        assert_eq!(emptied.unwrap_err().kind(), &digest);
    }
}

#[tokio::test]
async fn an_answer_must_be_signed_by_our_key() {
    let answers = [
        ("another secret", tables().signed_by(ID, "another")),
        ("another id", tables().signed_by("another", SECRET)),
        (
            "no scheme",
            tables().unsigned().header("authorization", "abc"),
        ),
        (
            "another scheme",
            tables()
                .unsigned()
                .header("authorization", "Basic an-id:abc="),
        ),
        ("empty", tables().unsigned().header("authorization", "")),
        (
            "no colon",
            tables().unsigned().header("authorization", "OTS an-id"),
        ),
        (
            "not base64",
            tables().unsigned().header("authorization", "OTS an-id:???"),
        ),
        (
            "not text",
            tables()
                .unsigned()
                .header("authorization", b"OTS an-id:\xff"),
        ),
    ];
    for (name, answer) in answers {
        let found = problem(answer).await;
        if name == "not text" {
            assert_eq!(
                found,
                ResponseProblem::MissingHeader {
                    name: "authorization"
                }
            );
        } else {
            assert_eq!(found, ResponseProblem::Signature, "{name}");
        }
    }
    let error = check(tables().signed_by(ID, "another")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ListTable on instance \"shop\" failed: the response's signature is not by this access \
             key: the secret is wrong, or the response is not from Tablestore (request id \
             {REQUEST_ID})"
        )
    );
}

#[tokio::test]
async fn a_signature_for_another_operation_is_refused() {
    let answer = tables();
    let step = ots_core::transport::Step::answer(move |_| {
        answer.to(&http::Request::post("http://h/GetRow")
            .body(bytes::Bytes::new())
            .unwrap())
    });
    let client = builder(Scripted::new([step]), &clock()).build().unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::Response(ResponseProblem::Signature)
    );
}

#[tokio::test]
async fn a_header_changed_on_the_way_breaks_the_signature() {
    for (name, value) in [
        ("x-ots-requestid", "0005aedd-0000-0000-0000-000000000000"),
        ("x-ots-date", "2024-01-02T03:04:06.680616Z"),
        ("x-ots-traceinfo", "added"),
    ] {
        let step = ots_core::transport::Step::answer(move |request| {
            let mut response = tables().to(request);
            response.headers_mut().insert(name, value.parse().unwrap());
            response
        });
        let client = builder(Scripted::new([step]), &clock()).build().unwrap();
        let error = client.send(ListTable::new()).await.unwrap_err();
        assert_eq!(
            error.kind(),
            &ErrorKind::Response(ResponseProblem::Signature),
            "{name}"
        );
    }
}

#[tokio::test]
async fn header_names_are_matched_without_regard_to_case() {
    let md5 = ots_core::sign::content_md5(b"");
    let answer = Answer::new(200, "")
        .without("x-ots-requestid")
        .without("x-ots-date")
        .without("x-ots-contentmd5")
        .header("X-OTS-RequestId", REQUEST_ID)
        .header("X-Ots-Date", "2024-01-02T03:04:05.680616Z")
        .header("X-OTS-CONTENTMD5", md5)
        .header("X-OTS-TraceInfo", "x=1");
    check(answer).await.unwrap();
}

#[tokio::test]
async fn headers_beyond_ascii_are_part_of_the_signature() {
    check(tables().header("x-ots-traceinfo", "表格存储 took 5 ms"))
        .await
        .unwrap();
    // Not UTF-8: can't be what the service signed as text, and isn't passed over.
    let found = problem(tables().header("x-ots-traceinfo", b"\xff\xfe")).await;
    assert_eq!(found, ResponseProblem::Signature);
    // Headers of others don't matter.
    check(tables().header("server", b"\xff\xfe")).await.unwrap();
}

#[tokio::test]
async fn of_headers_that_come_twice_the_first_counts_and_both_are_signed() {
    check(
        tables()
            .header("x-ots-traceinfo", "a")
            .header("x-ots-traceinfo", "b"),
    )
    .await
    .unwrap();
    // A second digest can't replace the first, and can't be slipped in unsigned.
    let other = ots_core::sign::content_md5(b"other");
    check(tables().header("x-ots-contentmd5", &other))
        .await
        .unwrap();
    let step = ots_core::transport::Step::answer(move |request| {
        let mut response = tables().to(request);
        response
            .headers_mut()
            .append("x-ots-contentmd5", other.parse().unwrap());
        response
    });
    let client = builder(Scripted::new([step]), &clock())
        .retry(NoRetry)
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        &ErrorKind::Response(ResponseProblem::Signature)
    );
    // The first authorization counts.
    let twice = tables()
        .unsigned()
        .header("authorization", "OTS x:y")
        .signed_by(ID, SECRET);
    assert_eq!(problem(twice).await, ResponseProblem::Signature);
}

#[tokio::test]
async fn refusals_are_believed_unsigned_but_not_with_a_wrong_signature() {
    // The service can't sign for a key that it doesn't know.
    let unknown_key = Answer::refusal(403, "OTSAuthFailed", "The AccessKeyID does not exist.");
    for answer in [
        unknown_key.clone().unsigned(),
        unknown_key.clone().signed_by(ID, "another"),
        unknown_key.signed_by("another", SECRET),
    ] {
        let wanted = (
            ErrorCode::AuthFailed,
            403,
            "The AccessKeyID does not exist.".to_owned(),
        );
        assert_eq!(refusal(answer).await, wanted);
    }
    let condition = Answer::refusal(403, "OTSConditionCheckFail", "Condition check failed.");
    let wanted = (
        ErrorCode::ConditionCheckFail,
        403,
        "Condition check failed.".to_owned(),
    );
    assert_eq!(refusal(condition.clone()).await, wanted);
    assert_eq!(refusal(condition.clone().unsigned()).await, wanted);
    let found = problem(condition.clone().signed_by(ID, "another")).await;
    assert_eq!(found, ResponseProblem::Signature);
    let found = problem(condition.damaged(b"\x0a\x01A")).await;
    assert_eq!(found, ResponseProblem::BodyDigest);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_read_is_judged_by_its_status() {
    let undecodable = "the body of the error can't be decoded".to_owned();
    let unknown = ErrorCode::Other("unknown error".to_owned());
    let xml = "<Error><Code>OTSUnsupportOperation</Code></Error>";
    for (status, body, code) in [
        (500, xml, ErrorCode::ServerUnavailable),
        (503, "", ErrorCode::ServerUnavailable),
        (400, xml, unknown.clone()),
        (404, "", unknown.clone()),
        (302, "", unknown),
    ] {
        let wanted = (code, status, undecodable.clone());
        assert_eq!(refusal(Answer::new(status, body)).await, wanted);
    }
}

#[tokio::test]
async fn a_real_refusal_is_read_in_full() {
    // The body of a real answer, with the digest that the service sent.
    let body = b"\x0a\x15OTSConditionCheckFail\x12\x17Condition check failed.";
    let answer = Answer::new(403, &body[..]).with("x-ots-contentmd5", "tb1xxFT1i9oAap/9e+zMLA==");
    let error = check(answer).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ListTable on instance \"shop\" failed: OTSConditionCheckFail, HTTP 403: Condition check \
             failed. (request id {REQUEST_ID})"
        )
    );
}

#[tokio::test]
async fn an_endpoint_that_moved_says_where_to() {
    let moved = Answer::new(301, "")
        .header("location", "https://new.example")
        .unsigned();
    for answer in [moved.clone(), moved.without("x-ots-requestid")] {
        let error = check(answer).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ListTable on instance \"shop\" failed: the endpoint has moved to https://new.example"
        );
    }
    let nowhere = problem(Answer::new(301, "").without("x-ots-requestid").unsigned()).await;
    assert!(matches!(nowhere, ResponseProblem::NotFromService { .. }));
}

#[tokio::test]
async fn a_compressed_answer_is_refused_rather_than_misread() {
    for answer in [tables(), Answer::busy()] {
        let answer = answer
            .header("x-ots-response-compress-type", "deflate")
            .header("x-ots-response-compress-size", "99");
        let algorithm = "deflate".to_owned();
        assert_eq!(
            problem(answer).await,
            ResponseProblem::Compressed { algorithm }
        );
    }
}
