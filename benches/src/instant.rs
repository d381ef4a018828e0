//! A table that answers at once, from pages made beforehand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ots_core::{Call, Error, PrimaryKey, PrimaryKeyValue, Reply};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, ComputeSplitsRequest,
    ComputeSplitsResponse, GetRangeRequest, GetRangeResponse, ParallelScanRequest,
    ParallelScanResponse, PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::operation;
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key, write_row};

use crate::Shape;

/// The pages of a range, handed over in their order and over again: what a stream costs beyond them is
/// its own.
#[derive(Debug)]
pub struct InstantRange {
    pages: Vec<GetRangeResponse>,
    asked: AtomicUsize,
}

impl InstantRange {
    /// Pages of rows of one shape.
    #[must_use]
    pub fn new(shape: Shape, pages: usize) -> Self {
        let rows = shape.rows(pages * shape.page_rows());
        let mut chunks = rows.chunks(shape.page_rows()).peekable();
        let mut pages = Vec::new();
        while let Some(rows) = chunks.next() {
            let mut writer = Writer::new();
            rows.iter().for_each(|row| writer.row(row));
            let next = chunks.peek().and_then(|rows| rows.first());
            let mut page = GetRangeResponse {
                rows: writer.finish(),
                next_start_primary_key: next.map(|row| write_primary_key(&row.primary_key)),
                ..GetRangeResponse::default()
            };
            page.consumed.capacity_unit.read = Some(1);
            pages.push(page);
        }
        let asked = AtomicUsize::new(0);
        Self { pages, asked }
    }

    /// The rows of each page, as PlainBuffers.
    pub fn buffers(&self) -> impl Iterator<Item = &Bytes> {
        self.pages.iter().map(|page| &page.rows)
    }
}

impl Call<operation::GetRange> for InstantRange {
    async fn call(&self, _: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) % self.pages.len().max(1);
        let page = self.pages.get(number).cloned();
        Ok(Reply::new(page.unwrap_or_default()))
    }
}

/// The splits of an index, or the ranges of a table, with every page alike.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstantScan {
    /// Or ranges.
    pub splits: u32,
    /// Of each split.
    pub pages: u32,
    rows: Arc<[Bytes]>,
    range: Bytes,
}

impl InstantScan {
    /// Pages without rows: what a scan takes of them is its own.
    #[must_use]
    pub fn empty(splits: u32, pages: u32) -> Self {
        Self {
            splits,
            pages,
            rows: Arc::new([]),
            range: Bytes::new(),
        }
    }

    /// Pages of rows of one shape.
    #[must_use]
    pub fn new(shape: Shape, splits: u32, pages: u32) -> Self {
        let rows = shape.rows(shape.page_rows());
        let mut range = Writer::new();
        rows.iter().for_each(|row| range.row(row));
        Self {
            rows: rows.iter().map(write_row).collect(),
            range: range.finish(),
            ..Self::empty(splits, pages)
        }
    }

    /// The rows of a page of the index, copied as the service copies its answers.
    #[must_use]
    pub fn rows(&self) -> Vec<Bytes> {
        self.rows.to_vec()
    }

    /// Those of a page of the table.
    #[must_use]
    pub fn range(&self) -> Bytes {
        self.range.clone()
    }

    /// In all splits.
    #[must_use]
    pub const fn all_pages(&self) -> u32 {
        self.splits * self.pages
    }
}

impl Call<operation::ComputeSplits> for InstantScan {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: i32::try_from(self.splits).ok(),
        }))
    }
}

impl Call<operation::ParallelScan> for InstantScan {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let token = request.scan_query.and_then(|scan| scan.token);
        let page = token.and_then(|token| Some(u32::from_le_bytes(token[..].try_into().ok()?)));
        let next = page.unwrap_or(0) + 1;
        let mut reply = Reply::new(ParallelScanResponse {
            rows: self.rows(),
            next_token: (next < self.pages).then(|| Bytes::copy_from_slice(&next.to_le_bytes())),
        });
        reply.body_bytes = 1 + self.range.len();
        // As a socket lets others have their turn.
        tokio::task::yield_now().await;
        Ok(reply)
    }
}

/// Between the first keys of two ranges.
const RANGE: i64 = 1_000_000;

fn key(id: i64) -> Bytes {
    write_primary_key(&PrimaryKey::new().column("id", id))
}

impl Call<operation::ComputeSplitPointsBySize> for InstantScan {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let points = (1..i64::from(self.splits)).map(|range| key(range * RANGE));
        Ok(Reply::new(ComputeSplitPointsBySizeResponse {
            schema: vec![PrimaryKeySchema {
                name: "id".into(),
                r#type: PrimaryKeyType::Integer.into(),
                option: None,
            }],
            split_points: points.collect(),
            ..ComputeSplitPointsBySizeResponse::default()
        }))
    }
}

impl Call<operation::GetRange> for InstantScan {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let start = read_primary_key(&request.inclusive_start_primary_key);
        let id = match start.map_err(Error::body)?.get("id") {
            Some(PrimaryKeyValue::Integer(id)) => *id,
            _ => 0,
        };
        let goes_on = id % RANGE + 1 < i64::from(self.pages);
        let mut reply = Reply::new(GetRangeResponse {
            rows: self.range(),
            next_start_primary_key: goes_on.then(|| key(id + 1)),
            ..GetRangeResponse::default()
        });
        reply.body_bytes = 1 + self.range.len();
        tokio::task::yield_now().await;
        Ok(reply)
    }
}
