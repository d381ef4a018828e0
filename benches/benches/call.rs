//! What one call costs beside the network: encode, sign, verify, decode, over a transport that answers
//! at once; and what the wrappers of transports add. Prints how often each allocates.
#![allow(
    clippy::expect_used,
    reason = "a benchmark: what fails here is a mistake in it"
)]

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Response};
use ots_core::request::GetRow;
use ots_core::sign::{self, SigningKey};
use ots_core::transport::{InProcess, Observed, Recorder};
use ots_core::{Client, ClientBuilder, Credentials, ManualClock, PrimaryKey, Transport};
use ots_proto::messages;
use prost::Message as _;
use tokio::runtime::Runtime;

const ID: &str = "LTAI4FzCEcUDRgN1YYbGZjtC";
const SECRET: &str = "not-a-secret-but-as-long-as-one";

/// The answer to a read of a row that isn't there, signed once: its signature doesn't depend on the
/// request.
fn answer(key: &SigningKey) -> Response<Bytes> {
    let body = messages::GetRowResponse::default().encode_to_vec();
    let headers = [
        ("x-ots-contentmd5", sign::content_md5(&body)),
        ("x-ots-contenttype", "protocol buffer".to_owned()),
        ("x-ots-date", "2024-01-02T03:04:05.000000Z".to_owned()),
        (
            "x-ots-requestid",
            "0005aedd-5b9e-9b48-a5c1-720b12a7b4bb".to_owned(),
        ),
    ];
    let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signature = key.sign_response("GetRow", signed);
    let mut answer = Response::new(Bytes::from(body));
    let authorization = ("authorization", format!("OTS {ID}:{signature}"));
    for (name, value) in headers.into_iter().chain([authorization]) {
        let value = HeaderValue::from_str(&value).expect("plain text");
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// A client of a service that has answered before it was asked, at a date that stands still.
fn client(transport: impl Transport + 'static) -> ClientBuilder {
    Client::builder("http://instant")
        .instance("benches")
        .credentials(Credentials::new(ID, SECRET))
        .clock(ManualClock::new(
            UNIX_EPOCH + Duration::from_secs(1_704_164_645),
        ))
        .transport(transport)
}

fn instant(key: &SigningKey) -> impl Transport + 'static {
    let answer = answer(key);
    InProcess::new(move |_| answer.clone())
}

fn calls(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let v2 = SigningKey::v2(SECRET);
    let v4 = SigningKey::v4(SECRET, "20240102", "cn-hangzhou");
    let cases = [
        ("plain", client(instant(&v2))),
        ("signature_v4", client(instant(&v4)).region("cn-hangzhou")),
        ("observed", client(Observed::new(instant(&v2)))),
        ("recorded", client(Recorder::new(instant(&v2), io::sink()))),
    ];
    let mut group = criterion.benchmark_group("call");
    for (name, client) in cases {
        let client = client.build().expect("a client");
        measure(&mut group, &runtime, name, &client);
    }
    group.finish();
}

fn measure(group: &mut Group<'_>, runtime: &Runtime, name: &str, client: &Client) {
    let call = || {
        let key = PrimaryKey::new().column("id", 7);
        runtime
            .block_on(client.send(GetRow::new("orders", key)))
            .expect("an answer")
    };
    // The first fills what is kept: the day's key.
    call();
    let allocated = allocation_counter::measure(|| drop(call()));
    let (count, bytes) = (allocated.count_total, allocated.bytes_total);
    println!("call/{name}: {count} allocations, {bytes} bytes");
    group.bench_function(name, |bencher| bencher.iter(call));
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

criterion_group!(benches, calls);
criterion_main!(benches);
