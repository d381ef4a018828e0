//! The columns of the files, from what the table declares and from rows here and there.

use futures::{StreamExt as _, TryStreamExt as _};
use ots_arrow::ColumnType;
use ots_core::request::{Consumed, GetRange};
use ots_paging::RangeExt as _;
use ots_proto::messages::DefinedColumnType;
use ots_scan::RangePosition;

use super::Job;
use crate::args::Format;
use crate::commands::range::of_paging;
use crate::failure::{Exit, Failure};
use crate::table_export::Sampled;

/// Names and types, in order.
pub(super) type Columns = Vec<(String, ColumnType)>;

/// What it took to know ranges and columns, before the scan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    pub(super) requests: u64,
    pub(super) consumed: Consumed,
}

impl Looked {
    /// One request more.
    pub(super) fn add(&mut self, consumed: Consumed) {
        self.requests += 1;
        self.consumed += consumed;
    }
}

impl Job {
    /// The columns of the files, none for lines, which hold whatever a row has. The ranges are where
    /// rows are looked at, if need be.
    pub(super) async fn columns(
        &self,
        ranges: &[RangePosition],
        looked: &mut Looked,
    ) -> Result<Option<Columns>, Failure> {
        if self.format == Format::Jsonl {
            return Ok(None);
        }
        let defined = self.description.defined_columns.iter();
        let defined: Vec<(String, ColumnType)> = defined
            .filter_map(|column| {
                let defined = DefinedColumnType::try_from(column.r#type).ok()?;
                Some((column.name.clone(), defined.into()))
            })
            .collect();
        let sampled = if self.wanted.needs_sample(&defined) {
            self.sample(ranges, looked).await?
        } else {
            Sampled::default()
        };
        let typed = self.wanted.typed(&defined, &sampled);
        let typed =
            typed.map_err(|error| Failure::new(Exit::Usage, self.to_string()).because(error))?;
        Ok(Some(typed))
    }

    /// Looks at rows here and there: a few of each of a few ranges, the first and the last among them.
    async fn sample(
        &self,
        ranges: &[RangePosition],
        looked: &mut Looked,
    ) -> Result<Sampled, Failure> {
        let count = ranges.len().min(SAMPLED_RANGES);
        let last = ranges.len().saturating_sub(1);
        let chosen = (0..count).filter_map(|place| ranges.get(place * last / (count - 1).max(1)));
        let rows = SAMPLED_ROWS / u32::try_from(count.max(1)).unwrap_or(SAMPLED_ROWS);
        let pages = chosen.filter_map(|range| {
            let start = range.next.key()?.clone();
            let request = GetRange::new(&self.description.name, start, range.end.clone());
            let client = &self.connected.client;
            Some(async move { request.limit(rows).pages(client).next().await.transpose() })
        });
        let mut pages = futures::stream::iter(pages).buffered(self.parallel as usize);
        let mut sampled = Sampled::default();
        let failed = |error| of_paging(&self.to_string(), 0, error);
        while let Some(page) = pages.try_next().await.map_err(failed)? {
            let Some(page) = page else { continue };
            looked.add(page.consumed());
            let mut rows = page.reader().map_err(failed)?;
            while let Some(row) = rows
                .next_row()
                .map_err(|error| Failure::new(Exit::Mismatch, self.to_string()).because(error))?
            {
                sampled.see(row);
            }
        }
        Ok(sampled)
    }
}

/// Ranges to look at, and rows in all of them.
const SAMPLED_RANGES: usize = 16;
const SAMPLED_ROWS: u32 = 4_000;
