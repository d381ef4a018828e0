//! About how many rows a range has, without reading them.

use std::num::NonZeroU64;

use ots_core::Call;
use ots_core::request::{self, ComputeSplitPointsBySize, Consumed, SplitRange};
use ots_proto::{ColumnValueRef, PrimaryKey, PrimaryKeyValueRef, RowRef, operation};

use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::page::{NextPage, Page};
use crate::stream::Pages;
use crate::turned::precedes;

/// About how many rows a range has, and what it took to say so.
///
/// Rows are counted before a filter, and whichever columns they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowEstimate {
    /// The likeliest number; exact where `least` and `most` are the same.
    pub rows: u64,
    /// No fewer, if rows are as wide everywhere as in the samples.
    pub least: u64,
    /// No more, if they are.
    pub most: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// What they cost.
    pub consumed: Consumed,
}

/// Counts what fits in one page; of a larger range, takes how many parts of the table lie in it, and how
/// wide a few rows are.
pub(crate) async fn rows<C>(
    cursor: RangeCursor,
    call: C,
    part_bytes: NonZeroU64,
) -> Result<RowEstimate, Error>
where
    C: Call<operation::GetRange> + Call<operation::ComputeSplitPointsBySize>,
{
    let mut message = cursor.message().clone();
    (message.filter, message.limit) = (None, None);
    message.columns_to_get.clear();
    let range = cursor.with_message(message)?;
    let mut spent = Spent::default();

    let page = spent.page(range.clone().keys_only(), &call).await?;
    let first_rows = page
        .as_ref()
        .map_or(Ok(0), |page| Ok::<_, Error>(Sample::of(page)?.rows))?;
    let whole_range = page.is_none_or(|page| page.next().is_done());
    if whole_range {
        return Ok(spent.estimate(first_rows, first_rows, first_rows));
    }

    let splits = ComputeSplitPointsBySize::new(range.table());
    let splits = splits.size(NonZeroU64::MIN).unit_bytes(part_bytes);
    let splits = request::send(&call, splits)
        .await
        .map_err(Error::call)?
        .into_inner();
    spent.requests += 1;
    spent.consumed += splits.consumed;
    let parts = Parts::of(&splits.ranges, &range);

    let mut sample = Sample::default();
    for start in &parts.starts {
        let from = range
            .at(&NextPage::From(start.clone()))
            .take_rows(SAMPLE_ROWS);
        if let Some(page) = spent.page(from, &call).await? {
            sample += Sample::of(&page)?;
        }
    }
    let row_bytes = sample
        .bytes
        .checked_div(sample.rows)
        .unwrap_or_default()
        .max(1);
    let rows = |half_parts: u64| half_parts.saturating_mul(part_bytes.get() / 2) / row_bytes;
    let (least, most) = (
        rows(2 * parts.whole),
        rows(2 * (parts.whole + parts.partial)),
    );
    let least = least.max(first_rows);
    let likely = rows(2 * parts.whole + parts.partial).max(least);
    Ok(spent.estimate(likely, least, most.max(likely)))
}

/// The parts of a table that a range touches.
#[derive(Debug, Default)]
struct Parts {
    /// Those that lie in it as a whole.
    whole: u64,
    /// Those that lie in it in part; and the table's last one, which may be small.
    partial: u64,
    /// Where to take samples.
    starts: Vec<PrimaryKey>,
}

impl Parts {
    fn of(ranges: &[SplitRange], range: &RangeCursor) -> Self {
        let (mut low, mut high) = (range.start(), range.end());
        if low > high {
            (low, high) = (high, low);
        }
        let mut parts = Self::default();
        let touched = |part: &&SplitRange| part.start < *high && part.end > *low;
        let touched: Vec<&SplitRange> = ranges.iter().filter(touched).collect();
        let every = touched.len().div_ceil(SAMPLES).max(1);
        for (number, part) in touched.iter().enumerate() {
            let is_last = ranges.last().is_some_and(|last| last == *part);
            if *low <= part.start && part.end <= *high && !is_last {
                parts.whole += 1;
            } else {
                parts.partial += 1;
            }
            if number % every == 0 {
                parts.starts.extend(sample_start(part, range));
            }
        }
        parts
    }
}

/// Where the rows of a part begin, the way the range is read; none outside of the range.
fn sample_start(part: &SplitRange, range: &RangeCursor) -> Option<PrimaryKey> {
    let direction = range.direction();
    let first = if precedes(&part.start, &part.end, direction) {
        &part.start
    } else {
        &part.end
    };
    let first = if precedes(first, range.start(), direction) {
        range.start()
    } else {
        first
    };
    precedes(first, range.end(), direction).then(|| first.clone())
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    rows: u64,
    /// Names and values, as the service counts them.
    bytes: u64,
}

impl Sample {
    fn of(page: &Page) -> Result<Self, Error> {
        let mut sample = Self::default();
        let mut reader = page.reader()?;
        while let Some(row) = reader.next_row()? {
            sample.rows += 1;
            sample.bytes += row_bytes(row) as u64;
        }
        Ok(sample)
    }
}

impl std::ops::AddAssign for Sample {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
    }
}

fn row_bytes(row: RowRef<'_, '_>) -> usize {
    let keys = row.primary_key().iter().map(|column| {
        let value = match column.value {
            PrimaryKeyValueRef::String(text) => text.len(),
            PrimaryKeyValueRef::Binary(bytes) => bytes.len(),
            _ => 8,
        };
        column.name.len() + value
    });
    keys.sum::<usize>() + attribute_bytes(row)
}

/// Names and values of the columns beside the key, as the service counts them.
pub(crate) fn attribute_bytes(row: RowRef<'_, '_>) -> usize {
    let cells = row.cells().iter().map(|cell| {
        let value = match cell.value {
            Some(ColumnValueRef::Integer(_) | ColumnValueRef::Double(_)) => 8,
            Some(ColumnValueRef::Boolean(_)) => 1,
            Some(ColumnValueRef::String(text)) => text.len(),
            Some(ColumnValueRef::Binary(bytes)) => bytes.len(),
            None => 0,
        };
        cell.name.len() + value
    });
    cells.sum()
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    requests: u64,
    consumed: Consumed,
}

impl Spent {
    /// The first page from where a cursor stands.
    async fn page<C: Call<operation::GetRange>>(
        &mut self,
        cursor: RangeCursor,
        call: &C,
    ) -> Result<Option<Page>, Error> {
        let mut pages = Pages::new(cursor, call);
        let page = pages.next().await.transpose();
        self.requests += pages.cursor().map_or(0, RangeCursor::pages);
        self.consumed += pages.consumed();
        page
    }

    const fn estimate(self, rows: u64, least: u64, most: u64) -> RowEstimate {
        RowEstimate {
            rows,
            least,
            most,
            requests: self.requests,
            consumed: self.consumed,
        }
    }
}

/// Pages that are looked at for the width of rows, and rows in each.
const SAMPLES: usize = 4;
const SAMPLE_ROWS: u64 = 100;
