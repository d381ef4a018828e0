//! What one call costs beside the network: encode, sign, verify, decode, over a transport that answers
//! at once; what the wrappers of transports add; and what compression costs of a page. Prints how often
//! each allocates, and how much shorter a page gets.
#![allow(
    clippy::expect_used,
    reason = "a benchmark: what fails here is a mistake in it"
)]

use std::io::{self, Write as _};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderValue, Response};
use ots_benches::{Shape, cpu_of_thread};
use ots_core::request::{BatchWriteRow, GetRow, Request as _, TableWrites};
use ots_core::sign::{self, SigningKey};
use ots_core::transport::{Fault, FaultRule, Faults, InProcess, Observed, Recorder};
use ots_core::{
    Call, Client, ClientBuilder, Compression, Credentials, ManualClock, PrimaryKey, Transport,
};
use ots_proto::{messages, operation, plainbuffer};
use prost::Message as _;
use tokio::runtime::Runtime;

const ID: &str = "LTAI4FzCEcUDRgN1YYbGZjtC";
const SECRET: &str = "not-a-secret-but-as-long-as-one";

/// The answer to a read of a row that isn't there.
fn absent(key: &SigningKey) -> Response<Bytes> {
    let body = messages::GetRowResponse::default().encode_to_vec();
    answer(key, "GetRow", body, &[])
}

/// An answer, signed once: its signature doesn't depend on the request.
fn answer(
    key: &SigningKey,
    operation: &str,
    body: Vec<u8>,
    more: &[(&'static str, String)],
) -> Response<Bytes> {
    let headers = [
        ("x-ots-contentmd5", sign::content_md5(&body)),
        ("x-ots-contenttype", "protocol buffer".to_owned()),
        ("x-ots-date", "2024-01-02T03:04:05.000000Z".to_owned()),
        (
            "x-ots-requestid",
            "0005aedd-5b9e-9b48-a5c1-720b12a7b4bb".to_owned(),
        ),
    ];
    let headers: Vec<_> = headers.into_iter().chain(more.iter().cloned()).collect();
    let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signature = key.sign_response(operation, signed);
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
    always(absent(key))
}

fn always(answer: Response<Bytes>) -> impl Transport + 'static {
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
        ("faults_none", client(Faults::new(instant(&v2)))),
        ("faults_two_rules", client(rules(instant(&v2)))),
        ("recorded", client(Recorder::new(instant(&v2), io::sink()))),
    ];
    let cases = cases.map(|(name, client)| (name, client.build().expect("a client")));
    by_turns(&runtime, &cases);
    let mut group = criterion.benchmark_group("call");
    for (name, client) in &cases {
        measure(&mut group, &runtime, name, client);
    }
    group.finish();
}

/// The least that each takes: what else runs on the machine slows all of them alike.
fn by_turns<const N: usize>(runtime: &Runtime, cases: &[(&str, Client); N]) {
    const CALLS: u32 = 50;
    let mut least = [Duration::MAX; N];
    for _ in 0..500 {
        for ((_, client), least) in cases.iter().zip(&mut least) {
            let start = cpu_of_thread();
            (0..CALLS).for_each(|_| call(runtime, client));
            *least = (cpu_of_thread() - start).min(*least);
        }
    }
    for ((name, _), least) in cases.iter().zip(least) {
        println!(
            "call/{name}: {} ns of processor time, by turns",
            (least / CALLS).as_nanos()
        );
    }
}

fn call(runtime: &Runtime, client: &Client) {
    let key = PrimaryKey::new().column("id", 7);
    let reply = runtime.block_on(client.send(GetRow::new("orders", key)));
    drop(reply.expect("an answer"));
}

/// Rules that look at every request and meet none.
fn rules(inner: impl Transport + 'static) -> impl Transport + 'static {
    let writes = FaultRule::new(Fault::ResetAfter).operation("PutRow");
    let late = FaultRule::new(Fault::ResetBefore)
        .operation("GetRow")
        .from(u64::MAX);
    Faults::new(inner).rule(writes).rule(late)
}

fn measure(group: &mut Group<'_>, runtime: &Runtime, name: &str, client: &Client) {
    // The first fills what is kept: the day's key.
    call(runtime, client);
    let allocated = allocation_counter::measure(|| call(runtime, client));
    let (count, bytes) = (allocated.count_total, allocated.bytes_total);
    println!("call/{name}: {count} allocations, {bytes} bytes");
    group.bench_function(name, |bencher| bencher.iter(|| call(runtime, client)));
}

/// A page of rows read, and a batch of rows written: as they are, and as zlib streams. The throughput
/// is that of the rows, whatever travels.
fn compression(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let key = SigningKey::v2(SECRET);
    for shape in [Shape::Narrow, Shape::Wide] {
        let rows = shape.rows(shape.page_rows());
        let mut page = plainbuffer::Writer::new();
        rows.iter().for_each(|row| page.row(row));
        let page = messages::GetRangeResponse {
            rows: page.finish(),
            ..messages::GetRangeResponse::default()
        };
        let page = page.encode_to_vec();
        let zipped = deflated(&page);
        let name = shape.name();
        let mut group = criterion.benchmark_group(format!("call/compression/{name}"));
        println!(
            "call/compression/{name}: {} bytes, {} compressed",
            page.len(),
            zipped.len()
        );
        group.throughput(Throughput::Bytes(page.len() as u64));
        let headers = [
            ("x-ots-response-compress-type", "deflate".to_owned()),
            ("x-ots-response-compress-size", page.len().to_string()),
        ];
        let plain = client(always(answer(&key, "GetRange", page, &[])));
        let zipped = client(always(answer(&key, "GetRange", zipped, &headers)));
        let zipped = zipped.compression(Compression::deflate());
        for (way, client) in [("read_plain", plain), ("read_deflate", zipped)] {
            let client = client.build().expect("a client");
            group.bench_function(way, |bencher| {
                bencher.iter(|| {
                    let request = messages::GetRangeRequest::default();
                    let reply = Call::<operation::GetRange>::call(&client, request);
                    runtime.block_on(reply).expect("an answer")
                });
            });
        }

        let batch: Vec<_> = rows.into_iter().take(200).collect();
        let writes = TableWrites::new("t").puts(batch);
        let request = BatchWriteRow::new().table(writes).into_message();
        let request = request.expect("rows that a table takes");
        group.throughput(Throughput::Bytes(request.encoded_len() as u64));
        let taken = || {
            let body = messages::BatchWriteRowResponse::default().encode_to_vec();
            client(always(answer(&key, "BatchWriteRow", body, &[])))
        };
        let zipped = taken().compression(Compression::deflate());
        for (way, client) in [("write_plain", taken()), ("write_deflate", zipped)] {
            let client = client.build().expect("a client");
            group.bench_function(way, |bencher| {
                bencher.iter(|| {
                    let reply = Call::<operation::BatchWriteRow>::call(&client, request.clone());
                    runtime.block_on(reply).expect("an answer")
                });
            });
        }
        group.finish();
    }
}

/// As the client deflates.
fn deflated(body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

criterion_group!(benches, calls, compression);
criterion_main!(benches);
