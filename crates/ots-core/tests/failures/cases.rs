//! What happens, and what comes of it.

use super::*;

pub(crate) const NO_ANSWER: &str = "no answer from the service";
pub(crate) const NOT_SENT: Option<&str> = Some("the request could not be sent");
pub(crate) const NO_WHOLE_ANSWER: Option<&str> =
    Some("the request was sent, but no whole answer came back");

/// Whether a failure tells that the service did nothing.
#[derive(Clone, Copy)]
enum Ran {
    No,
    Perhaps,
}

/// A refusal by the service itself. What surely did not run is tried again whatever it is.
const fn refusal(
    happens: &'static str,
    answer: fn() -> Answer,
    error_type: &'static str,
    says: &'static str,
    ran: Ran,
) -> Case {
    Case {
        happens,
        act: Act::Answer(answer),
        error_type,
        says,
        cause: None,
        attempts: match ran {
            Ran::No => (3, 3),
            Ran::Perhaps => (3, 1),
        },
        may_have_run: matches!(ran, Ran::Perhaps),
    }
}

/// An answer that can't be believed. The request had arrived, so it may have run.
const fn distrusted(
    happens: &'static str,
    act: Act,
    error_type: &'static str,
    says: &'static str,
    attempts: (u32, u32),
) -> Case {
    Case {
        happens,
        act,
        error_type,
        says,
        cause: None,
        attempts,
        may_have_run: true,
    }
}

pub(crate) fn row() -> Answer {
    Answer::ok(&messages::GetRowResponse::default())
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            happens: "nobody listens",
            act: Act::Refuse,
            error_type: "not_sent",
            says: NO_ANSWER,
            cause: NOT_SENT,
            attempts: (3, 3),
            may_have_run: false,
        },
        Case {
            happens: "the connection is reset before the request is sent, while TLS shakes hands",
            act: Act::ResetHandshake,
            error_type: "not_sent",
            says: NO_ANSWER,
            cause: NOT_SENT,
            attempts: (3, 3),
            may_have_run: false,
        },
        Case {
            happens: "the connection is reset after the request was sent",
            act: Act::Reset,
            error_type: "no_answer",
            says: NO_ANSWER,
            cause: NO_WHOLE_ANSWER,
            attempts: (3, 1),
            may_have_run: true,
        },
        Case {
            happens: "the body stops coming, and the attempt's time passes",
            act: Act::Stall,
            error_type: "timeout",
            says: NO_ANSWER,
            cause: NO_WHOLE_ANSWER,
            attempts: (3, 1),
            may_have_run: true,
        },
        Case {
            happens: "the body is cut off",
            act: Act::Raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"),
            error_type: "no_answer",
            says: NO_ANSWER,
            cause: NO_WHOLE_ANSWER,
            attempts: (3, 1),
            may_have_run: true,
        },
        distrusted(
            "the body is not the one that was hashed",
            Act::Answer(|| row().damaged(b"other")),
            "bad_response",
            "the MD5 of the response's body differs from x-ots-contentmd5",
            (3, 1),
        ),
        distrusted(
            "the answer is signed by another key",
            Act::Answer(|| row().signed_by(common::ID, "another secret")),
            "bad_response",
            "the response's signature is not by this access key: the secret is wrong, or the response is \
             not from Tablestore",
            (1, 1),
        ),
        distrusted(
            "the answer is dated an hour ago",
            Act::Answer(|| row().with("x-ots-date", "2024-01-02T02:04:05.000000Z")),
            "bad_response",
            "the response is dated \"2024-01-02T02:04:05.000000Z\", not within 15 minutes of this \
             computer's clock",
            (1, 1),
        ),
        distrusted(
            "HTTP 301 to another address",
            Act::Raw(
                "HTTP/1.1 301 Moved\r\nlocation: https://there.example\r\ncontent-length: 0\r\n\r\n",
            ),
            "bad_response",
            "the endpoint has moved to https://there.example",
            (1, 1),
        ),
        distrusted(
            "a proxy answers HTTP 502 with a page of its own",
            Act::Raw(
                "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 20\r\n\r\n\
                 <html>no way</html>\n",
            ),
            "not_from_service",
            "HTTP 502 without x-ots-requestid: answered by something in front of Tablestore, not by \
             Tablestore",
            (3, 1),
        ),
        distrusted(
            "throttled: something in front answers HTTP 429 with a page of its own",
            Act::Raw(
                "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 9\r\n\r\nslow \
                 down",
            ),
            "not_from_service",
            "HTTP 429 without x-ots-requestid: answered by something in front of Tablestore, not by \
             Tablestore",
            (3, 1),
        ),
        distrusted(
            "HTTP 200 with something that is no answer",
            Act::Raw("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ngarbage"),
            "not_from_service",
            "HTTP 200 without x-ots-requestid: answered by something in front of Tablestore, not by \
             Tablestore",
            (1, 1),
        ),
        distrusted(
            "HTTP 200, signed, with a body that is no message",
            Act::Answer(|| Answer::new(200, &b"garbage"[..])),
            "bad_response",
            "the response's body can't be decoded",
            (3, 1),
        ),
        distrusted(
            "an error of the service's form without a request id",
            Act::Answer(|| {
                Answer::refusal(403, "OTSAuthFailed", "Signature mismatch.")
                    .without("x-ots-requestid")
            }),
            "not_from_service",
            "HTTP 403 without x-ots-requestid: answered by something in front of Tablestore, not by \
             Tablestore",
            (1, 1),
        ),
        refusal(
            "`OTSInternalServerError`",
            || Answer::refusal(500, "OTSInternalServerError", "Internal server error."),
            "OTSInternalServerError",
            "OTSInternalServerError, HTTP 500: Internal server error.",
            Ran::Perhaps,
        ),
        refusal(
            "`OTSServerUnavailable`",
            || Answer::refusal(503, "OTSServerUnavailable", "Server is not available."),
            "OTSServerUnavailable",
            "OTSServerUnavailable, HTTP 503: Server is not available.",
            Ran::Perhaps,
        ),
        refusal(
            "`OTSTimeout`",
            || Answer::refusal(503, "OTSTimeout", "Operation timeout."),
            "OTSTimeout",
            "OTSTimeout, HTTP 503: Operation timeout.",
            Ran::Perhaps,
        ),
        refusal(
            "HTTP 500 of the service with a body that is no error",
            || Answer::new(500, &b"\xff"[..]),
            "OTSServerUnavailable",
            "OTSServerUnavailable, HTTP 500: the body of the error can't be decoded",
            Ran::Perhaps,
        ),
        refusal(
            "`OTSPartitionUnavailable`",
            || {
                Answer::refusal(
                    503,
                    "OTSPartitionUnavailable",
                    "The partition is not available.",
                )
            },
            "OTSPartitionUnavailable",
            "OTSPartitionUnavailable, HTTP 503: The partition is not available.",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSServerBusy`",
            Answer::busy,
            "OTSServerBusy",
            "OTSServerBusy, HTTP 503: Server is busy.",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSStorageServerBusy`",
            || Answer::refusal(503, "OTSStorageServerBusy", ""),
            "OTSStorageServerBusy",
            "OTSStorageServerBusy, HTTP 503",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSNotEnoughCapacityUnit`",
            || {
                let message = "Remaining capacity unit is not enough.";
                Answer::refusal(403, "OTSNotEnoughCapacityUnit", message)
            },
            "OTSNotEnoughCapacityUnit",
            "OTSNotEnoughCapacityUnit, HTTP 403: Remaining capacity unit is not enough.",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSCapacityUnitExhausted`",
            || {
                Answer::refusal(
                    403,
                    "OTSCapacityUnitExhausted",
                    "Capacity unit is not enough.",
                )
            },
            "OTSCapacityUnitExhausted",
            "OTSCapacityUnitExhausted, HTTP 403: Capacity unit is not enough.",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSFlowControl`",
            || Answer::refusal(429, "OTSFlowControl", "The requests have been throttled."),
            "OTSFlowControl",
            "OTSFlowControl, HTTP 429: The requests have been throttled.",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSOperationThrottled`",
            || Answer::refusal(403, "OTSOperationThrottled", ""),
            "OTSOperationThrottled",
            "OTSOperationThrottled, HTTP 403",
            Ran::No,
        ),
        refusal(
            "throttled: `OTSQuotaExhausted`, too many operations on tables",
            || Answer::refusal(403, "OTSQuotaExhausted", "Too frequent table operations."),
            "OTSQuotaExhausted",
            "OTSQuotaExhausted, HTTP 403: Too frequent table operations.",
            Ran::No,
        ),
    ]
}
