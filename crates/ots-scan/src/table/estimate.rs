//! What a scan of a table will do and cost, before it does.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;

use ots_core::request::{Consumed, SplitRange};
use ots_paging::{NextPage, RangeCursor, ResumePoint};
use ots_proto::PrimaryKey;

use super::checkpoint::{RangePosition, TableCheckpoint};
use super::source::ReadBy;

/// How a table is to be read, and about what that costs.
///
/// It follows from the sizes in which the service cut the table, and nothing was read for it. The
/// sizes are of what is stored: all versions of all columns. Whoever asks for fewer pays for less than
/// `read_units` says, except for rows that a filter rejects, which are read and paid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableScanPlan {
    /// Which way it is read.
    pub road: TableRoad,
    /// By which operation pages are read. [`Auto`](ReadBy::Auto) when that is for the service to say.
    pub read_by: ReadBy,
    /// Why not by BulkExport, if that was to be tried where possible.
    pub why_not_bulk_export: Option<&'static str>,
    /// Ranges of keys.
    pub ranges: u32,
    /// About how many bytes are stored in them: from those of ranges that are parts of the table as a
    /// whole, to those and the ones that are cut by the bounds or by the end of the table.
    pub stored_bytes: RangeInclusive<u64>,
    /// The fewest requests that can do it, if every page is as full as the service makes one: 4 MB.
    /// Narrow rows, or a limit, need more.
    pub least_requests: u64,
    /// About how many read capacity units it takes, of 4 KB each. What each page is rounded up by comes
    /// on top: less than one unit a page. None by BulkExport, which is charged by the byte.
    pub read_units: RangeInclusive<u64>,
    /// What it cost to find out.
    pub consumed: Consumed,
    pub(super) whole: ResumePoint,
    pub(super) positions: Vec<RangePosition>,
}

/// Which way a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TableRoad {
    /// Page after page: what is asked for lies in one part of the table.
    OneRange,
    /// Ranges of keys side by side, as many at once as this.
    SideBySide {
        /// Ranges at once.
        ranges: u32,
    },
}

impl TableScanPlan {
    /// The place before the first row: a scan [resumed](crate::TableScanBuilder::resume) from it reads
    /// what is planned, and doesn't ask for the ranges again. What they cost is in
    /// [`consumed`](Self::consumed), and not in the progress of that scan.
    ///
    /// ```
    /// # async fn example(client: ots_core::Client) -> Result<(), ots_scan::TableScanError> {
    /// let orders = ots_scan::table_scan(client, "orders");
    /// let plan = orders.plan().await?;
    /// println!("{plan}");
    /// let scan = orders.resume(&plan.checkpoint())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint(&self) -> TableCheckpoint {
        TableCheckpoint::new(self.whole.clone(), self.positions.clone())
    }

    pub(super) fn new(
        whole: &RangeCursor,
        end: &PrimaryKey,
        splits: &[SplitRange],
        part_bytes: NonZeroU64,
        concurrency: u32,
        consumed: Consumed,
        (read_by, why_not_bulk_export): (ReadBy, Option<&'static str>),
    ) -> Self {
        let points = splits.iter().skip(1).map(|split| split.start.clone());
        let starts = whole.split_at(points);
        let starts: Vec<_> = starts
            .iter()
            .filter_map(|part| part.position().key().cloned())
            .collect();
        let ends = starts.iter().skip(1).chain([end]);
        let positions: Vec<_> = starts
            .iter()
            .zip(ends)
            .map(|(start, end)| RangePosition {
                next: NextPage::From(start.clone()),
                end: end.clone(),
            })
            .collect();
        // The table's last part is what was left over.
        let full = splits.split_last().map_or(splits, |(_, full)| full);
        let first = starts.first();
        let is_whole = |split: &&SplitRange| {
            first.is_some_and(|first| *first <= split.start) && split.end <= *end
        };
        let full = as_u64(full.iter().filter(is_whole).count());
        let count = as_u64(positions.len());
        let part_bytes = part_bytes.get();
        let (least, most) = (
            full.saturating_mul(part_bytes),
            count.saturating_mul(part_bytes),
        );
        let least_requests = full
            .saturating_mul(part_bytes.div_ceil(PAGE_BYTES))
            .saturating_add(count.saturating_sub(full));
        let in_units = (
            units(least).max(least_requests),
            units(most).max(least_requests),
        );
        let ranges = u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            road: match ranges {
                0 | 1 => TableRoad::OneRange,
                _ => TableRoad::SideBySide {
                    ranges: ranges.min(concurrency),
                },
            },
            read_by,
            why_not_bulk_export,
            ranges,
            stored_bytes: least..=most,
            least_requests,
            read_units: match read_by {
                ReadBy::GetRange => in_units.0..=in_units.1,
                ReadBy::BulkExport => 0..=0,
                ReadBy::Auto => 0..=in_units.1,
            },
            consumed,
            whole: whole.resume_point(),
            positions,
        }
    }
}

impl fmt::Display for TableScanPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.road {
            TableRoad::OneRange => f.write_str("one range, page after page")?,
            TableRoad::SideBySide { ranges } => {
                write!(f, "{} ranges, {ranges} at a time", self.ranges)?;
            }
        }
        write!(f, ", by {}", self.read_by)?;
        if let Some(why_not) = self.why_not_bulk_export {
            write!(f, " ({why_not})")?;
        }
        let (bytes, units) = (&self.stored_bytes, &self.read_units);
        write!(
            f,
            ": {} to {} bytes stored, at least {} requests, ",
            bytes.start(),
            bytes.end(),
            self.least_requests,
        )?;
        match self.read_by {
            ReadBy::BulkExport => f.write_str("charged by the byte"),
            ReadBy::GetRange | ReadBy::Auto => write!(
                f,
                "about {} to {} read capacity units",
                units.start(),
                units.end()
            ),
        }
    }
}

const fn units(bytes: u64) -> u64 {
    bytes.div_ceil(UNIT_BYTES)
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Where the service ends a page.
const PAGE_BYTES: u64 = 4 << 20;

/// What a read capacity unit covers.
const UNIT_BYTES: u64 = 4 << 10;
