//! The clients that are measured: scans as anybody makes them.

use futures::{Stream, TryStreamExt as _};
use ots_arrow::ScanBatches as _;
use ots_benches::decode::schema;
use ots_benches::{Shape, walk_range, walk_rows};
use ots_core::{Client, Credentials, Verification};
use ots_scan::{Limiter, ScanBuilder, TableScanBuilder, parallel_scan, table_scan};

use crate::work::{KEY_ID, Outcome, SECRET, Work, clock};

/// Over plain HTTP the MD5 of every body is compared; without `digests`, of small ones only, as over
/// TLS. Signatures are verified in either case.
pub(crate) fn client(port: u16, digests: bool) -> Outcome<Client> {
    let verification = if digests {
        Verification::Automatic
    } else {
        Verification::HeadersOnly
    };
    let client = Client::builder(format!("http://127.0.0.1:{port}"))
        .instance("loopback")
        .credentials(Credentials::new(KEY_ID, SECRET))
        .verification(verification)
        .clock(clock())
        .build()?;
    Ok(client)
}

/// With `bound` the number of requests is fixed; otherwise the scan finds it itself, as it does by
/// default. The buffer has as much room for each split as by default for each of eight: pages of text take
/// 4 MB, and with less room than the bare client takes fewer would be under way.
fn scan(client: &Client, work: &Work, bound: Option<usize>) -> ScanBuilder<Client> {
    let scan = parallel_scan(client.clone(), work.table(), "an_index")
        .task_limit(work.splits)
        .concurrency(work.splits)
        .buffered_bytes(usize::try_from(work.splits).unwrap_or(1) * (8 << 20));
    match bound {
        Some(requests) => scan.limiter(Limiter::fixed(requests)),
        None => scan,
    }
}

/// By default it finds the number too; here it is fixed, as the ranges are few.
fn table(client: &Client, work: &Work) -> TableScanBuilder<Client> {
    let requests = usize::try_from(work.splits).unwrap_or(1);
    table_scan(client.clone(), work.table())
        .concurrency(work.splits)
        .limiter(Limiter::fixed(requests))
}

/// Pages walked in the tasks of the splits.
pub(crate) async fn pages(client: &Client, work: &Work, bound: Option<usize>) -> Outcome<usize> {
    let scan = scan(client, work, bound).open().await?;
    sum(scan.decode(|page| walk_rows(&page.rows))).await
}

/// Rows that own their values, one by one.
pub(crate) async fn rows(client: &Client, work: &Work) -> Outcome<usize> {
    let mut rows = scan(client, work, None).open().await?.rows();
    let mut count = 0;
    while rows.try_next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// A record batch for each page.
pub(crate) async fn batches(client: &Client, work: &Work) -> Outcome<usize> {
    let shape = Shape::ALL.into_iter().find(|it| it.name() == work.shape);
    let schema = schema(shape.ok_or("no such shape")?);
    let batches = scan(client, work, None).open().await?.batches(&schema);
    sum(batches.map_ok(|batch| batch.num_rows())).await
}

/// Pages of the table itself, walked in the tasks of the ranges.
pub(crate) async fn table_pages(client: &Client, work: &Work) -> Outcome<usize> {
    let scan = table(client, work).open().await?;
    sum(scan.decode(|page| walk_range(page.buffer()))).await
}

/// As they come: the scan has walked them.
pub(crate) async fn table_counts(client: &Client, work: &Work) -> Outcome<usize> {
    let scan = table(client, work).open().await?;
    let rows = scan.map_ok(|page| usize::try_from(page.row_count()).unwrap_or(usize::MAX));
    sum(rows).await
}

async fn sum<E>(counts: impl Stream<Item = Result<usize, E>>) -> Outcome<usize>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let sum = counts.try_fold(0, |sum, count| async move { Ok(sum + count) });
    Ok(sum.await?)
}
