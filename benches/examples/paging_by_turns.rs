//! What streams over a range cost beyond decoding its pages, in processor time, by turns in one process,
//! the least of many rounds; and what a page by offset costs against `readByPage` of the service's
//! documentation, on the emulator's meter.
//!
//! ```sh
//! cargo run --release -p ots-benches --example paging_by_turns [shape | offsets]
//! ```
//!
//! The first table has decoding as 100 %: below it is what a stream adds. Rows are decoded from the same
//! pages in one loop, and let go one by one by the same function. An iterator over the pages is what
//! handing rows over costs at the least, as results of a function that isn't a part of the loop. The
//! second table has requests, capacity units and bytes, which are the same in every run.
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use ots_benches::{InstantRange, Shape, cpu_of_thread};
use ots_core::request::{BatchWriteRow, CreateTable, GetRange, Request as _, TableWrites};
use ots_core::transport::InProcess;
use ots_core::{Call, Client, Credentials, Error, Reply, RowChange};
use ots_emulator::Emulator;
use ots_paging::{Anchors, Pages, RangeCursor, RangeExt as _, Rows};
use ots_proto::messages::{GetRangeRequest, GetRangeResponse, PrimaryKeyType};
use ots_proto::plainbuffer::{self, Accept, Reader};
use ots_proto::{NameCache, PrimaryKey, Row, operation};
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 60;
const PAGES: usize = 5;

fn main() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!(
        "| | pages, lent rows | with prefetch | rows, by an iterator | by a stream | with prefetch |"
    );
    println!("|---|---|---|---|---|---|");
    let shapes = Shape::ALL.into_iter();
    for shape in shapes.filter(|shape| shape.name().contains(&wanted)) {
        streams(&runtime, shape);
    }
    println!();
    if "offsets".contains(&wanted) {
        offsets(&runtime);
    }
}

fn streams(runtime: &Runtime, shape: Shape) {
    let range = InstantRange::new(shape, PAGES);
    let names: Vec<String> = {
        let rows = shape.rows(1);
        let columns = rows.first().unwrap().primary_key.columns().iter();
        columns.map(|column| column.name.to_string()).collect()
    };
    let request = || {
        GetRange::new(
            "rows",
            PrimaryKey::min(names.iter().cloned()),
            PrimaryKey::max(names.iter().cloned()),
        )
    };
    let cursor = || RangeCursor::new(request()).unwrap();
    let pages = || Pages::new(cursor(), &range);
    let rows = || Rows::new(cursor(), &range);
    let expected = PAGES * shape.page_rows();
    let mut least = [f64::INFINITY; 7];
    for _ in 0..ROUNDS {
        let turn = [
            time(|| lent(&range)),
            time(|| runtime.block_on(walk(pages()))),
            time(|| runtime.block_on(walk(pages().prefetch()))),
            time(|| owned(&range)),
            time(|| iterated(&range)),
            time(|| runtime.block_on(take(rows()))),
            time(|| runtime.block_on(take(rows().prefetch()))),
        ];
        for (least, (time, count)) in least.iter_mut().zip(turn) {
            assert_eq!(count, expected);
            *least = least.min(time);
        }
    }
    let [lent, walk, walk_ahead, owned, iterated, take, take_ahead] = least;
    let percent = |decode: f64, stream: f64| 100.0 * decode / stream;
    println!(
        "| {} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.1} % |",
        shape.name(),
        percent(lent, walk),
        percent(lent, walk_ahead),
        percent(owned, iterated),
        percent(owned, take),
        percent(owned, take_ahead),
    );
}

fn lent(range: &InstantRange) -> usize {
    let mut rows = 0;
    for buffer in range.buffers() {
        let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            black_box(row.cells());
            rows += 1;
        }
    }
    rows
}

async fn walk(mut pages: Pages<'_>) -> usize {
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let mut reader = page.reader().unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            black_box(row.cells());
            rows += 1;
        }
    }
    rows
}

fn owned(range: &InstantRange) -> usize {
    let mut names = NameCache::default();
    let mut rows = 0;
    for buffer in range.buffers() {
        let mut reader = Reader::new(buffer, Accept::Rows).unwrap();
        while let Some(row) = reader.next_owned(&mut names).unwrap() {
            let_go(row);
            rows += 1;
        }
    }
    rows
}

/// Rows of a page as anyone would hand them over.
struct OwnedRows<'page> {
    reader: Reader<'page>,
    names: NameCache,
}

impl Iterator for OwnedRows<'_> {
    type Item = Result<Row, plainbuffer::Error>;

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        self.reader.next_owned(&mut self.names).transpose()
    }
}

fn iterated(range: &InstantRange) -> usize {
    let mut rows = 0;
    for buffer in range.buffers() {
        let reader = Reader::new(buffer, Accept::Rows).unwrap();
        let names = NameCache::default();
        for row in (OwnedRows { reader, names }) {
            let_go(row.unwrap());
            rows += 1;
        }
    }
    rows
}

async fn take(mut stream: Rows<'_>) -> usize {
    let mut rows = 0;
    while let Some(row) = stream.next().await {
        let_go(row.unwrap());
        rows += 1;
    }
    rows
}

/// Looks at a row and drops it. Not inlined, so that both ways of getting rows pay the same for it.
#[inline(never)]
fn let_go(row: Row) {
    drop(black_box(row));
}

/// The processor time of the second of two runs, in seconds, and the rows it saw.
fn time(mut work: impl FnMut() -> usize) -> (f64, usize) {
    black_box(work());
    let start = cpu_of_thread();
    let rows = work();
    let taken = cpu_of_thread().saturating_sub(start);
    (taken.as_secs_f64(), rows)
}

/// A client whose pages are added up.
struct Meter {
    client: Client,
    requests: AtomicU64,
    units: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    fn tell(&self, what: &str) {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let (requests, units, bytes) = (take(&self.requests), take(&self.units), take(&self.bytes));
        println!("| {what} | {requests} | {units} | {bytes} |");
    }
}

impl Call<operation::GetRange> for Meter {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let reply = Call::<operation::GetRange>::call(&self.client, request).await?;
        let units = reply
            .response
            .consumed
            .capacity_unit
            .read
            .unwrap_or_default();
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.units
            .fetch_add(units.unsigned_abs().into(), Ordering::Relaxed);
        self.bytes
            .fetch_add(reply.response.rows.len() as u64, Ordering::Relaxed);
        Ok(reply)
    }
}

fn range() -> GetRange {
    GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]))
}

fn offsets(runtime: &Runtime) {
    println!(
        "| 20 rows from the 10,000th, of two kilobytes | requests | read units | bytes of rows |"
    );
    println!("|---|---|---|---|");
    let emulator = Emulator::builder().build();
    let client = Client::builder("http://embedded")
        .instance("benches")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .unwrap();
    runtime.block_on(load(&client));
    let meter = Meter {
        client,
        requests: AtomicU64::new(0),
        units: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    };
    runtime.block_on(read_by_page(&meter, 10_000, 20));
    meter.tell("`readByPage`");
    let page_rows = NonZeroU32::new(20).unwrap();
    let mut pages = range().offset_pages(&meter, 10_000, page_rows);
    runtime.block_on(pages.next_page()).unwrap().unwrap();
    meter.tell("`OffsetPager`, the first way");
    let anchors = pages.anchors().unwrap().to_bytes();
    let kept = anchors.len();
    for (offset, what) in [
        (10_000, "the same page"),
        (9_000, "another"),
        (300, "near the start"),
    ] {
        let anchors = Anchors::from_bytes(&anchors).unwrap();
        let pages = range().offset_pages(&meter, offset, page_rows);
        let mut pages = pages.with_anchors(anchors).unwrap();
        runtime.block_on(pages.next_page()).unwrap().unwrap();
        meter.tell(&format!("with anchors ({kept} bytes), {what}"));
    }
}

async fn load(client: &Client) {
    let create = CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer);
    client.send(create).await.unwrap();
    let text = "x".repeat(2_000);
    for batch in 0..60_i64 {
        let rows = (batch * 200..(batch + 1) * 200).map(|id| {
            RowChange::Put(Row::new(PrimaryKey::new().column("id", id)).cell("text", text.as_str()))
        });
        let batch = BatchWriteRow::new().table(TableWrites::new("orders").changes(rows));
        for result in client
            .send(batch)
            .await
            .unwrap()
            .into_inner()
            .into_iter()
            .flatten()
        {
            result.unwrap();
        }
    }
}

/// The documentation's sample.
async fn read_by_page(meter: &Meter, mut skip: usize, mut limit: usize) {
    let mut request = range().into_message().unwrap();
    while limit > 0 {
        request.limit = Some(i32::try_from(skip + limit).unwrap());
        let response = Call::<operation::GetRange>::call(meter, request.clone()).await;
        let response = response.unwrap().response;
        let mut reader = Reader::new(&response.rows, Accept::Rows).unwrap();
        while reader.next_row().unwrap().is_some() {
            if skip > 0 {
                skip -= 1;
            } else {
                limit -= 1;
            }
        }
        let Some(next) = response.next_start_primary_key else {
            break;
        };
        request.inclusive_start_primary_key = next;
    }
}
