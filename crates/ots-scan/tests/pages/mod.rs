//! A service that has as many pages as are asked for, of splits or of ranges, each copied when it is asked
//! for and kept by nobody.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, ComputeSplitsRequest,
    ComputeSplitsResponse, GetRangeRequest, GetRangeResponse, ParallelScanRequest,
    ParallelScanResponse, PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::operation;
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key, write_row};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row};

/// Of an index and of a table.
#[derive(Clone)]
pub(crate) struct Pages {
    /// Or ranges.
    pub(crate) splits: u32,
    pub(crate) of_a_split: usize,
    /// How long a split thinks about a page.
    pub(crate) delay: fn(u32) -> Duration,
    page: Arc<Vec<Bytes>>,
    range: Arc<Bytes>,
}

impl Pages {
    /// Every page has as many rows, with texts of this size.
    pub(crate) fn new(rows_of_a_page: usize, text_bytes: usize) -> Self {
        let row = |id: usize| {
            let row = Row::new(PrimaryKey::new().column("id", id as i64));
            row.cell("text", "x".repeat(text_bytes))
        };
        let rows: Vec<Row> = (0..rows_of_a_page).map(row).collect();
        let mut range = Writer::new();
        rows.iter().for_each(|row| range.row(row));
        Self {
            splits: 8,
            of_a_split: 0,
            delay: |_| Duration::from_millis(1),
            page: Arc::new(rows.iter().map(write_row).collect()),
            range: Arc::new(range.finish()),
        }
    }

    /// The same pages, more or fewer of them.
    pub(crate) fn many(&self, of_a_split: usize) -> Self {
        let mut pages = self.clone();
        pages.of_a_split = of_a_split;
        pages
    }

    pub(crate) fn page_bytes(&self) -> usize {
        self.page.iter().map(Bytes::len).sum()
    }

    /// The page's rows lie in one buffer and the token behind them, as those of a response do.
    fn copy(&self, token: &[u8]) -> (Vec<Bytes>, Bytes) {
        let mut buffer = BytesMut::with_capacity(self.page_bytes() + token.len());
        self.page
            .iter()
            .for_each(|row| buffer.extend_from_slice(row));
        buffer.extend_from_slice(token);
        let mut buffer = buffer.freeze();
        let rows = self.page.iter().map(|row| buffer.split_to(row.len()));
        (rows.collect(), buffer)
    }
}

impl Call<operation::ComputeSplits> for Pages {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: i32::try_from(self.splits).ok(),
        }))
    }
}

impl Call<operation::ParallelScan> for Pages {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let scan = request.scan_query.unwrap();
        let page = scan.token.map_or(0, |token| {
            std::str::from_utf8(&token)
                .unwrap()
                .parse::<usize>()
                .unwrap()
        });
        let split = scan.current_parallel_id.unwrap();
        tokio::time::sleep((self.delay)(split.try_into().unwrap())).await;
        let (rows, token) = self.copy((page + 1).to_string().as_bytes());
        let next_token = (page + 1 < self.of_a_split).then_some(token);
        let mut reply = Reply::new(ParallelScanResponse { rows, next_token });
        reply.body_bytes = self.page_bytes();
        Ok(reply)
    }
}

/// Between the first keys of two ranges.
const RANGE: i64 = 1_000_000;

fn key(id: i64) -> Bytes {
    write_primary_key(&PrimaryKey::new().column("id", id))
}

impl Call<operation::ComputeSplitPointsBySize> for Pages {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let points = (1..i64::from(self.splits)).map(|range| key(range * RANGE));
        let response = ComputeSplitPointsBySizeResponse {
            schema: vec![PrimaryKeySchema {
                name: "id".into(),
                r#type: PrimaryKeyType::Integer.into(),
                option: None,
            }],
            split_points: points.collect(),
            ..ComputeSplitPointsBySizeResponse::default()
        };
        Ok(Reply::new(response))
    }
}

impl Call<operation::GetRange> for Pages {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let start = read_primary_key(&request.inclusive_start_primary_key).unwrap();
        let id = match start.get("id") {
            Some(PrimaryKeyValue::Integer(id)) => *id,
            _ => 0,
        };
        tokio::time::sleep((self.delay)(u32::try_from(id / RANGE).unwrap())).await;
        let goes_on = usize::try_from(id % RANGE).unwrap() + 1 < self.of_a_split;
        let mut reply = Reply::new(GetRangeResponse {
            rows: Bytes::copy_from_slice(&self.range),
            next_start_primary_key: goes_on.then(|| key(id + 1)),
            ..GetRangeResponse::default()
        });
        reply.body_bytes = self.range.len();
        Ok(reply)
    }
}
