//! What can go wrong on the way, one real socket each: what the caller is told, how often it was tried,
//! and that no write ran twice. The table in `docs/guides/failures.md` is this one.
#![cfg(feature = "rustls")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use ots_core::request::{GetRow, PutRow};
use ots_core::retry::DefaultRetryPolicy;
use ots_core::transport::{HyperTransport, Proxy};
use ots_core::{Client, Error, PrimaryKey, Row};
use ots_proto::messages;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

mod common;
#[path = "common/sockets.rs"]
mod sockets;
#[path = "common/tls.rs"]
mod tls;

use common::{Answer, chain, clock};
use sockets::{nobody, request_from, serve};
use tls::Authority;

/// What the other side does with every connection.
#[derive(Clone, Copy)]
enum Act {
    /// Nobody listens.
    Refuse,
    /// Resets the connection while TLS shakes hands.
    ResetHandshake,
    /// Reads the whole request and resets the connection.
    Reset,
    /// Answers a part of the body, and then nothing more.
    Stall,
    /// Writes this and closes.
    Raw(&'static str),
    /// Answers so.
    Answer(fn() -> Answer),
}

/// One fault, and what comes of it.
struct Case {
    happens: &'static str,
    act: Act,
    error_type: &'static str,
    /// What the error says of itself, and what the cause below it says.
    says: &'static str,
    cause: Option<&'static str>,
    /// Requests in all, of three that the policy allows: of a read, and of a write.
    attempts: (u32, u32),
    may_have_run: bool,
}

const NO_ANSWER: &str = "no answer from the service";
const NOT_SENT: Option<&str> = Some("the request could not be sent");
const NO_WHOLE_ANSWER: Option<&str> = Some("the request was sent, but no whole answer came back");

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

fn row() -> Answer {
    Answer::ok(&messages::GetRowResponse::default())
}

fn cases() -> Vec<Case> {
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

/// A connection that was accepted, under TLS or not.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {
    /// Lets its end be a reset.
    fn will_reset(&self);
}

impl Connection for TcpStream {
    fn will_reset(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Connection for TlsStream<TcpStream> {
    fn will_reset(&self) {
        self.get_ref().0.set_zero_linger().unwrap();
    }
}

/// The two ways to the other side.
struct Road {
    scheme: &'static str,
    acceptor: Option<TlsAcceptor>,
    transport: HyperTransport,
}

impl Road {
    fn plain() -> Self {
        let transport = HyperTransport::builder().proxy(Proxy::none());
        Self {
            scheme: "http",
            acceptor: None,
            transport: transport.build().unwrap(),
        }
    }

    fn tls() -> Self {
        let Authority { acceptor, root_pem } = Authority::of(&["127.0.0.1"]);
        let transport = HyperTransport::builder().proxy(Proxy::none());
        let transport = transport.root_certificates_pem(root_pem);
        Self {
            scheme: "https",
            acceptor: Some(acceptor),
            transport: transport.build().unwrap(),
        }
    }

    /// The other side: its address, and how many whole requests it has had.
    async fn other_side(&self, act: Act) -> (SocketAddr, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&count);
        if matches!(act, Act::Refuse) {
            return (nobody(), count);
        }
        let acceptor = self.acceptor.clone();
        let address = serve(move |stream, _| {
            let (seen, acceptor) = (Arc::clone(&seen), acceptor.clone());
            async move {
                if matches!(act, Act::ResetHandshake) {
                    let mut stream = stream;
                    stream.read_exact(&mut [0; 16]).await.unwrap();
                    return stream.will_reset();
                }
                let connection: Box<dyn Connection> = match acceptor {
                    Some(acceptor) => Box::new(acceptor.accept(stream).await.unwrap()),
                    None => Box::new(stream),
                };
                play(act, connection, &seen).await;
            }
        });
        (address.await, count)
    }

    /// A client that tries three times without a pause, on a clock that stands still.
    fn client(&self, address: SocketAddr, act: Act) -> Client {
        let mut policy = DefaultRetryPolicy::new();
        policy.max_attempts = 3;
        // Where there is no handshake otherwise, there is nothing to reset.
        let is_tls = matches!(act, Act::ResetHandshake);
        let scheme = if is_tls { "https" } else { self.scheme };
        let settings = Client::builder(format!("{scheme}://{address}"))
            .instance("shop")
            .credentials(common::credentials())
            .transport(self.transport.clone())
            .clock(clock())
            .retry(policy)
            .random(|| 0.0);
        let settings = settings.attempt_timeout(ATTEMPT);
        settings.build().unwrap()
    }
}

const ATTEMPT: Duration = Duration::from_secs(30);

/// What the other side does with a connection.
async fn play(act: Act, mut stream: Box<dyn Connection>, seen: &AtomicUsize) {
    while let Some(request) = request(&mut stream, seen).await {
        match act {
            Act::Refuse | Act::ResetHandshake => panic!("no connection is made"),
            Act::Reset => return stream.will_reset(),
            Act::Stall => {
                send(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
                )
                .await;
                // The attempt's time passes at once, however long this machine takes for anything.
                tokio::time::pause();
                tokio::time::advance(ATTEMPT).await;
                tokio::time::resume();
                return std::future::pending().await;
            }
            Act::Raw(answer) => return send(&mut stream, answer.as_bytes()).await,
            Act::Answer(answer) => {
                let answer = answer().to(&request);
                let mut head = format!("HTTP/1.1 {}\r\n", answer.status());
                for (name, value) in answer.headers() {
                    write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
                }
                write!(head, "content-length: {}\r\n\r\n", answer.body().len()).unwrap();
                send(&mut stream, &[head.as_bytes(), answer.body()].concat()).await;
            }
        }
    }
}

async fn send(stream: &mut Box<dyn Connection>, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    // Until then TLS may keep it.
    stream.flush().await.unwrap();
}

async fn request(stream: &mut Box<dyn Connection>, seen: &AtomicUsize) -> Option<Request<Bytes>> {
    let (head, body) = request_from(stream).await?;
    seen.fetch_add(1, Ordering::SeqCst);
    let path = head.split(' ').nth(1).unwrap();
    Some(Request::post(path).body(body.into()).unwrap())
}

#[track_caller]
fn check(case: &Case, what: &str, error: &Error, attempts: u32) {
    let name = format!("{}, {what}", case.happens);
    assert_eq!(error.error_type(), case.error_type, "{name}: {error:?}");
    assert_eq!(error.attempts(), attempts, "{name}");
    assert_eq!(error.may_have_run(), case.may_have_run, "{name}");
    // What says so in the guide takes part of the load away, each time that it is met.
    let throttles = case.happens.starts_with("throttled: ");
    assert_eq!(error.is_throttling(), throttles, "{name}");
    let throttled = if throttles { attempts } else { 0 };
    assert_eq!(error.throttled(), throttled, "{name}");
    let after = match attempts {
        1 => String::new(),
        attempts => format!(" after {attempts} attempts in 0.00 s"),
    };
    let request_id = error.request_id();
    let request_id = request_id.map_or_else(String::new, |id| format!(" (request id {id})"));
    let says = case.says;
    let whole =
        format!("{what} on table \"t\" of instance \"shop\" failed{after}: {says}{request_id}");
    let texts = chain(error);
    assert_eq!(texts[0], whole, "{name}");
    if case.cause.is_some() {
        assert_eq!(texts.get(1).map(String::as_str), case.cause, "{name}");
    }
}

async fn every_failure_is_told(road: Road) {
    for case in cases() {
        let key = PrimaryKey::new().column("id", 7);
        let (address, _) = road.other_side(case.act).await;
        let reader = road.client(address, case.act);
        let error = reader
            .send(GetRow::new("t", key.clone()))
            .await
            .unwrap_err();
        check(&case, "GetRow", &error, case.attempts.0);

        let (address, seen) = road.other_side(case.act).await;
        let writer = road.client(address, case.act);
        let error = writer
            .send(PutRow::new("t", Row::new(key)))
            .await
            .unwrap_err();
        check(&case, "PutRow", &error, case.attempts.1);
        let seen = seen.load(Ordering::SeqCst);
        if case.may_have_run {
            assert_eq!(seen, 1, "{}: a write may have run twice", case.happens);
        }
        assert!(seen <= 3);
    }
}

#[tokio::test]
async fn every_failure_is_told_in_full_and_no_write_runs_twice() {
    every_failure_is_told(Road::plain()).await;
}

#[tokio::test]
async fn under_tls_every_failure_is_told_alike() {
    every_failure_is_told(Road::tls()).await;
}

fn table() -> String {
    let mut table = String::from(
        "| what happens | what the error says | `error_type()` | reads, writes | may have run |\n\
         |---|---|---|---|---|\n",
    );
    for case in cases() {
        let says = case.cause.unwrap_or(case.says);
        let tried = |attempts| if attempts == 1 { "once" } else { "again" };
        let (reads, writes) = (tried(case.attempts.0), tried(case.attempts.1));
        let ran = if case.may_have_run { "yes" } else { "no" };
        writeln!(
            table,
            "| {} | {says} | `{}` | {reads}, {writes} | {ran} |",
            case.happens, case.error_type
        )
        .unwrap();
    }
    table
}

/// `OTS_UPDATE_DOCS=1 cargo test -p ots-core --all-features --test failures` writes it.
#[test]
fn the_guide_has_this_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/failures.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- table -->\n", "<!-- /table -->");
    let (before, rest) = guide.split_once(begin).unwrap();
    let (found, after) = rest.split_once(end).unwrap();
    if std::env::var_os("OTS_UPDATE_DOCS").is_some() {
        let whole = format!("{before}{begin}{}{end}{after}", table());
        std::fs::write(&path, whole).unwrap();
        return;
    }
    assert!(
        found == table(),
        "{} is stale: OTS_UPDATE_DOCS=1 writes it",
        path.display()
    );
}
