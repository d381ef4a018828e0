//! A table that answers at once, from pages made beforehand.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{GetRangeRequest, GetRangeResponse};
use ots_proto::operation;
use ots_proto::plainbuffer::{Writer, write_primary_key};

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
