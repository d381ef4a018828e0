//! What a scan takes beside the decoding of its pages, of a service in this process that answers at once:
//! processor time of one thread, by turns, the least of many rounds.
//!
//! ```sh
//! cargo run --release -p ots-benches --example scan_by_turns [share | overhead | rows]
//! ```
//!
//! Prints three tables for `docs/benchmarks.md`. The first: which share of the throughput of decoding alone
//! is left, where decoding is what nobody can do without, a body decoded as a message and its rows walked
//! with their checksums. The scan is the whole of it, by a client that signs requests and checks answers:
//! with the MD5 of small bodies only, as over TLS, and with that of every body, as over plain HTTP. The
//! second: nanoseconds a page of a scan's own work, by pages without rows and without a client, for few
//! splits and for many. The third, on a runtime of many threads: processor time of rows that own their
//! values, made by who reads them or in the tasks; of all threads, and of the reader's alone.

use std::collections::HashMap;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::TryStreamExt as _;
use http::{HeaderValue, Request, Response};
use ots_benches::{InstantScan, Shape, cpu_of_process, cpu_of_thread, walk_range, walk_rows};
use ots_core::sign::{SigningKey, content_md5};
use ots_core::transport::InProcess;
use ots_core::{Call, Client, Credentials, ManualClock, PrimaryKey, Verification};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitsRequest, GetRangeRequest, ParallelScanRequest,
    ScanQuery,
};
use ots_proto::operation::{self, Operation as _};
use ots_proto::plainbuffer::write_primary_key;
use ots_scan::{Limiter, ScanPage, parallel_scan, table_scan};
use prost::Message;
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ID: &str = "LTAI4FzCEcUDRgN1YYbGZjtC";
const SECRET: &str = "not-a-secret-but-as-long-as-one";
const ROUNDS: usize = 25;
const SPLITS: u32 = 8;
const PAGES: u32 = 4;

fn main() -> Outcome<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    // One thread does all of it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    if "share".contains(&wanted) {
        println!("| | alone, ns a row | scan | with MD5 | table, alone | table scan | with MD5 |");
        println!("|---|---|---|---|---|---|---|");
        Shape::ALL
            .into_iter()
            .try_for_each(|shape| share(&runtime, shape))?;
    }
    if "overhead".contains(&wanted) {
        println!("\n| splits x pages | scan, ns a page | table scan, ns a page |");
        println!("|---|---|---|");
        let sizes = [(4, 6_400), (16, 1_000), (256, 100), (256, 1_000)];
        for (splits, pages) in sizes.into_iter().chain([(256, 10_000)]) {
            overhead(&runtime, splits, pages)?;
        }
    }
    if "rows".contains(&wanted) {
        println!("\n| | walked, ns a row | rows | made in tasks | rows, reader | made in tasks |");
        println!("|---|---|---|---|---|---|");
        let runtime = Runtime::new()?;
        for shape in Shape::ALL {
            owned(&runtime, shape)?;
        }
    }
    Ok(())
}

fn share(runtime: &Runtime, shape: Shape) -> Outcome<()> {
    let pages = InstantScan::new(shape, SPLITS, PAGES);
    let rows = shape.page_rows() * usize::try_from(pages.all_pages())?;
    let service = runtime.block_on(Service::new(&pages))?;
    let tls = service.client(Verification::HeadersOnly)?;
    let full = service.client(Verification::Full)?;
    let (scanned, ranges) = (service.bodies("ParallelScan"), service.bodies("GetRange"));
    let index_alone = || {
        let mut rows = 0;
        for _ in 0..SPLITS {
            for body in &scanned {
                rows += walk_rows(&operation::ParallelScan::decode_response(body.clone())?.rows)?;
            }
        }
        Ok(rows)
    };
    let table_alone = || {
        let mut rows = 0;
        for body in &ranges {
            rows += walk_range(&operation::GetRange::decode_response(body.clone())?.rows)?;
        }
        Ok(rows)
    };
    let mut least = [f64::INFINITY; 6];
    for _ in 0..ROUNDS {
        let turn = [
            time(rows, index_alone)?,
            time(rows, || runtime.block_on(index(tls.clone(), SPLITS)))?,
            time(rows, || runtime.block_on(index(full.clone(), SPLITS)))?,
            time(rows, table_alone)?,
            time(rows, || runtime.block_on(table(tls.clone(), SPLITS)))?,
            time(rows, || runtime.block_on(table(full.clone(), SPLITS)))?,
        ];
        for (least, time) in least.iter_mut().zip(turn) {
            *least = least.min(time);
        }
    }
    let a_row = |time: f64| time * 1e9 / f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
    let [alone, scan, scan_md5, table_alone, table, table_md5] = least;
    println!(
        "| {} | {:.0} | {:.1} % | {:.1} % | {:.0} | {:.1} % | {:.1} % |",
        shape.name(),
        a_row(alone),
        100.0 * alone / scan,
        100.0 * alone / scan_md5,
        a_row(table_alone),
        100.0 * table_alone / table,
        100.0 * table_alone / table_md5,
    );
    Ok(())
}

fn overhead(runtime: &Runtime, splits: u32, pages: u32) -> Outcome<()> {
    let instant = InstantScan::empty(splits, pages);
    let rounds = if instant.all_pages() > 1_000_000 {
        2
    } else {
        10
    };
    let mut least = [f64::INFINITY; 2];
    for _ in 0..rounds {
        let turn = [
            time(0, || runtime.block_on(index(instant.clone(), splits)))?,
            time(0, || runtime.block_on(table(instant.clone(), splits)))?,
        ];
        for (least, time) in least.iter_mut().zip(turn) {
            *least = least.min(time);
        }
    }
    let [scan, table] = least.map(|time| time * 1e9 / f64::from(instant.all_pages()));
    println!("| {splits} x {pages} | {scan:.0} | {table:.0} |");
    Ok(())
}

fn owned(runtime: &Runtime, shape: Shape) -> Outcome<()> {
    let pages = InstantScan::new(shape, SPLITS, PAGES);
    let rows = shape.page_rows() * usize::try_from(pages.all_pages())?;
    let mut all = [f64::INFINITY; 3];
    let mut reader = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        let turn = [
            times(rows, || runtime.block_on(index(pages.clone(), SPLITS)))?,
            times(rows, || runtime.block_on(read_rows(pages.clone())))?,
            times(rows, || runtime.block_on(take_rows(pages.clone())))?,
        ];
        for (way, (of_all, of_reader)) in turn.into_iter().enumerate() {
            for (least, time) in [(&mut all, of_all), (&mut reader, of_reader)] {
                if let Some(least) = least.get_mut(way) {
                    *least = least.min(time);
                }
            }
        }
    }
    let a_row = |time: f64| time * 1e9 / f64::from(u32::try_from(rows).unwrap_or(u32::MAX));
    let [walked, read, made] = all.map(a_row);
    let [_, reader, taker] = reader.map(a_row);
    println!(
        "| {} | {walked:.0} | {read:.0} | {made:.0} | {reader:.0} | {taker:.0} |",
        shape.name(),
    );
    Ok(())
}

/// Made one by one where they are read.
async fn read_rows(pages: InstantScan) -> Outcome<usize> {
    let scan = parallel_scan(pages, "rows", "an_index").limiter(Limiter::fixed(64));
    let mut rows = scan.open().await?.rows();
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        drop(black_box(row));
        count += 1;
    }
    Ok(count)
}

/// Made a page at a time in the tasks.
async fn take_rows(pages: InstantScan) -> Outcome<usize> {
    let scan = parallel_scan(pages, "rows", "an_index").limiter(Limiter::fixed(64));
    let mut pages = scan.open().await?.decode(ScanPage::rows);
    let mut count = 0;
    while let Some(rows) = pages.try_next().await? {
        for row in rows {
            drop(black_box(row));
            count += 1;
        }
    }
    Ok(count)
}

/// Processor time in seconds, of all threads and of this one.
fn times(rows: usize, work: impl FnMut() -> Outcome<usize>) -> Outcome<(f64, f64)> {
    let start = cpu_of_process();
    let of_this = time(rows, work)?;
    let of_all = cpu_of_process().saturating_sub(start).as_secs_f64();
    Ok((of_all, of_this))
}

async fn index<C>(call: C, splits: u32) -> Outcome<usize>
where
    C: Call<operation::ComputeSplits> + Call<operation::ParallelScan> + 'static,
{
    let scan = parallel_scan(call, "rows", "an_index")
        .task_limit(splits)
        .concurrency(splits)
        .limiter(Limiter::fixed(64));
    let mut walked = scan.open().await?.decode(|page| walk_rows(&page.rows));
    let mut rows = 0;
    while let Some(count) = walked.try_next().await? {
        rows += count;
    }
    Ok(rows)
}

/// Its pages come walked.
async fn table<C>(call: C, ranges: u32) -> Outcome<usize>
where
    C: Call<operation::ComputeSplitPointsBySize> + Call<operation::GetRange> + 'static,
{
    let scan = table_scan(call, "rows")
        .concurrency(ranges)
        .limiter(Limiter::fixed(64));
    let mut pages = scan.open().await?;
    let mut rows = 0;
    while let Some(page) = pages.try_next().await? {
        rows += page.row_count();
    }
    Ok(rows.try_into()?)
}

/// Processor time in seconds, of work that finds as many rows.
fn time(rows: usize, mut work: impl FnMut() -> Outcome<usize>) -> Outcome<f64> {
    let start = cpu_of_thread();
    let found = work()?;
    let taken = cpu_of_thread().saturating_sub(start).as_secs_f64();
    // Who misses rows would be fast.
    if found == rows {
        Ok(taken)
    } else {
        Err(format!("{found} rows of {rows}").into())
    }
}

/// A service whose answers were signed before: by operation, and by token or key.
#[derive(Clone)]
struct Service(Arc<HashMap<(&'static str, Bytes), Response<Bytes>>>);

impl Service {
    /// Every answer that a scan of these pages asks for.
    async fn new(pages: &InstantScan) -> Outcome<Self> {
        let key = SigningKey::v2(SECRET);
        let mut answers = HashMap::new();
        let splits = Call::<operation::ComputeSplits>::call(pages, ComputeSplitsRequest::default());
        let splits = splits.await?.into_inner();
        answers.insert(
            ("ComputeSplits", Bytes::new()),
            answer(&key, "ComputeSplits", &splits)?,
        );

        let mut token = Some(Bytes::new());
        while let Some(asked) = token {
            let scan = ScanQuery {
                token: (!asked.is_empty()).then(|| asked.clone()),
                ..ScanQuery::default()
            };
            let request = ParallelScanRequest {
                scan_query: Some(scan),
                ..ParallelScanRequest::default()
            };
            let page = Call::<operation::ParallelScan>::call(pages, request)
                .await?
                .into_inner();
            answers.insert(
                ("ParallelScan", asked),
                answer(&key, "ParallelScan", &page)?,
            );
            token = page.next_token;
        }

        let points = ComputeSplitPointsBySizeRequest::default();
        let points = Call::<operation::ComputeSplitPointsBySize>::call(pages, points).await?;
        let name = "ComputeSplitPointsBySize";
        answers.insert((name, Bytes::new()), answer(&key, name, &*points)?);
        let first = write_primary_key(&PrimaryKey::min(["id"]));
        for start in points.into_inner().split_points.into_iter().chain([first]) {
            let mut start = Some(start);
            while let Some(asked) = start {
                let request = GetRangeRequest {
                    inclusive_start_primary_key: asked.clone(),
                    ..GetRangeRequest::default()
                };
                let page = Call::<operation::GetRange>::call(pages, request)
                    .await?
                    .into_inner();
                answers.insert(("GetRange", asked), answer(&key, "GetRange", &page)?);
                start = page.next_start_primary_key;
            }
        }
        Ok(Self(Arc::new(answers)))
    }

    fn client(&self, verification: Verification) -> Outcome<Client> {
        let answers = Arc::clone(&self.0);
        let transport = InProcess::new(move |request: Request<Bytes>| {
            let asked = asked(request).unwrap_or_default();
            answers.get(&asked).cloned().unwrap_or_default()
        });
        let client = Client::builder("http://instant")
            .instance("benches")
            .credentials(Credentials::new(ID, SECRET))
            .verification(verification)
            .clock(ManualClock::new(
                UNIX_EPOCH + Duration::from_secs(1_704_164_645),
            ))
            .transport(transport)
            .build()?;
        Ok(client)
    }

    fn bodies(&self, operation: &str) -> Vec<Bytes> {
        let answers = self.0.iter();
        let of_operation = answers.filter(|((name, _), _)| *name == operation);
        of_operation
            .map(|(_, answer)| answer.body().clone())
            .collect()
    }
}

/// Which answer a request is for.
fn asked(request: Request<Bytes>) -> Outcome<(&'static str, Bytes)> {
    let (head, body) = request.into_parts();
    Ok(match head.uri.path() {
        "/ParallelScan" => {
            let request = ParallelScanRequest::decode(body)?;
            let token = request.scan_query.and_then(|scan| scan.token);
            ("ParallelScan", token.unwrap_or_default())
        }
        "/GetRange" => {
            let request = GetRangeRequest::decode(body)?;
            ("GetRange", request.inclusive_start_primary_key)
        }
        "/ComputeSplits" => ("ComputeSplits", Bytes::new()),
        _ => ("ComputeSplitPointsBySize", Bytes::new()),
    })
}

fn answer(key: &SigningKey, operation: &str, message: &impl Message) -> Outcome<Response<Bytes>> {
    let body = message.encode_to_vec();
    let headers = [
        ("x-ots-contentmd5", content_md5(&body)),
        ("x-ots-contenttype", "protocol buffer".to_owned()),
        ("x-ots-date", "2024-01-02T03:04:05.000000Z".to_owned()),
        (
            "x-ots-requestid",
            "0005aedd-5b9e-9b48-a5c1-720b12a7b4bb".to_owned(),
        ),
    ];
    let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signature = key.sign_response(operation, signed);
    let mut answer = Response::new(Bytes::from(body));
    let authorization = ("authorization", format!("OTS {ID}:{signature}"));
    for (name, value) in headers.into_iter().chain([authorization]) {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_str(&value)?);
    }
    Ok(answer)
}
