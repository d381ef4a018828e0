//! ComputeSplitPointsBySize: a table cut into ranges of about one size.

use std::num::NonZeroU64;
use std::sync::Arc;

use ots_proto::{PrimaryKey, TableSplits, messages, operation};

use super::number::positive;
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// Asks where to cut a table so that each part has about one size: for reading its parts side by side,
/// each with [`GetRange`](super::GetRange).
///
/// # Errors
/// `OTSObjectNotExist` without the table.
///
/// # Cost
/// One read capacity unit for a table in one part, and about one for each part more.
///
/// Source: the service's documentation of ComputeSplitPointsBySize.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::{ComputeSplitPointsBySize, GetRange};
///
/// let splits = client.send(ComputeSplitPointsBySize::new("orders")).await?;
/// for range in splits.into_inner().ranges {
///     let page = client.send(GetRange::new("orders", range.start, range.end)).await?;
///     println!("{} bytes from {}", page.rows.len(), range.location);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ComputeSplitPointsBySize {
    table: String,
    size: NonZeroU64,
    unit_bytes: Option<NonZeroU64>,
    max_points: Option<u32>,
}

impl ComputeSplitPointsBySize {
    /// Parts of 100 MB.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            size: NonZeroU64::MIN,
            unit_bytes: None,
            max_points: None,
        }
    }

    /// Parts of so many units: of 100 MB, unless a [unit](Self::unit_bytes) is given.
    pub const fn size(mut self, units: NonZeroU64) -> Self {
        self.size = units;
        self
    }

    /// The unit of the size, in bytes.
    pub const fn unit_bytes(mut self, bytes: NonZeroU64) -> Self {
        self.unit_bytes = Some(bytes);
        self
    }

    /// The most points wanted.
    pub const fn max_points(mut self, points: u32) -> Self {
        self.max_points = Some(points);
        self
    }
}

impl Request for ComputeSplitPointsBySize {
    type Operation = operation::ComputeSplitPointsBySize;
    type Output = SplitPointsReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::ComputeSplitPointsBySizeRequest, Error> {
        let (operation, table) = ("ComputeSplitPointsBySize", &self.table);
        let number = |name: &str, value: NonZeroU64| {
            i64::try_from(value.get()).map_err(|_| {
                Error::request(format!(
                    "{operation} on table {table:?}: {name} must be at most {}, got {value}",
                    i64::MAX
                ))
            })
        };
        let unit = self.unit_bytes.map(|bytes| number("unit_bytes", bytes));
        Ok(messages::ComputeSplitPointsBySizeRequest {
            split_size: number("size", self.size)?,
            split_size_unit_in_byte: unit.transpose()?,
            split_point_limit: self
                .max_points
                .map(|points| positive(operation, table, "max_points", points))
                .transpose()?,
            table_name: self.table,
        })
    }

    fn read(
        reply: Reply<messages::ComputeSplitPointsBySizeResponse>,
    ) -> Result<SplitPointsReply, Error> {
        let response = reply.into_inner();
        let splits = TableSplits::from_message(&response).map_err(Error::body)?;
        let ranges = splits.into_splits().into_iter().map(|split| SplitRange {
            start: split.start,
            end: split.end,
            location: split.location.unwrap_or_default(),
        });
        Ok(SplitPointsReply {
            ranges: ranges.collect(),
            primary_key: response.schema,
            consumed: response.consumed.into(),
        })
    }
}

/// A table in ranges.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SplitPointsReply {
    /// The ranges, in order: together the whole table.
    pub ranges: Vec<SplitRange>,
    /// The table's key columns.
    pub primary_key: Vec<messages::PrimaryKeySchema>,
    /// What the answer cost.
    pub consumed: Consumed,
}

/// One range of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SplitRange {
    /// Its first key, inclusive.
    pub start: PrimaryKey,
    /// The key it ends before.
    pub end: PrimaryKey,
    /// Where it lies: ranges with the same text lie together, and share it. Empty when unknown.
    pub location: Arc<str>,
}
