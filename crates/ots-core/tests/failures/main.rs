//! What can go wrong on the way, one real socket each: what the caller is told, how often it was tried,
//! and that no write ran twice. The table in `docs/guides/failures.md` is this one.
#![cfg(feature = "rustls")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cases;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/sockets.rs"]
mod sockets;
#[path = "../common/tls.rs"]
mod tls;

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

use cases::cases;
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
