//! A page of rows: where it ends, what is written of each row, where the next one starts.

use std::sync::Arc;

use bytes::Bytes;
use ots_proto::PrimaryKeyValue;
use ots_proto::plainbuffer::Writer;

use crate::block::Block;
use crate::database::{TableMeta, TableOptions};
use crate::error::ServiceError;
use crate::read::View;
use crate::selection::Selection;
use crate::settings::{LimitCounts, Settings};
use crate::stored::{RowKey, StoredRow};
use crate::wide_row::CellPlace;

/// Where a page ends, if not with the range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caps {
    pub(crate) scanned_rows: usize,
    scanned_bytes: usize,
    limit: usize,
    limit_counts: LimitCounts,
    /// Bytes of one row, before it is cut.
    row_bytes: usize,
}

impl Caps {
    pub(crate) fn new(settings: &Settings, limit: Option<i32>) -> Result<Self, ServiceError> {
        let limit = match limit.map(usize::try_from) {
            None => usize::MAX,
            Some(Ok(limit)) if limit > 0 => limit,
            Some(_) => {
                let message = "The limit must be greater than 0.";
                return Err(ServiceError::parameter(message));
            }
        };
        Ok(Self {
            // A page that can't have a row would never get anywhere.
            scanned_rows: settings.range_page_rows.max(1),
            scanned_bytes: settings.range_page_bytes,
            limit,
            limit_counts: settings.limit_counts,
            row_bytes: settings.wide_row_bytes,
        })
    }

    /// No row is cut.
    pub(crate) const fn with_whole_rows(mut self) -> Self {
        self.row_bytes = usize::MAX;
        self
    }

    /// Rows a page may read, before it is known which of them are returned.
    pub(crate) fn most_rows(&self, selection: &Selection, options: &TableOptions) -> usize {
        // Expired rows lie in the table, and are not returned either.
        let every_row_is_shown = selection.filter.is_none()
            && selection.columns.is_none()
            && options.time_to_live_s == -1;
        let every_row_counts = self.limit_counts == LimitCounts::Scanned || every_row_is_shown;
        if every_row_counts {
            self.scanned_rows.min(self.limit)
        } else {
            self.scanned_rows
        }
    }
}

/// A page, and where the next one starts.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) rows: Bytes,
    /// What was read, whether or not it is returned.
    pub(crate) bytes: usize,
    pub(crate) next: Option<&'a RowKey>,
    /// The cell at which the next page starts, if not with all of its first row.
    pub(crate) next_cell: Option<CellPlace>,
}

impl<'a> Page<'a> {
    /// Writes rows until a cap is reached. Rows that aren't returned count for the caps like those
    /// that are; only `limit` may count otherwise.
    ///
    /// The first row is written from the cell `from` on, if there is one.
    pub(crate) fn write(
        view: &View<'_>,
        caps: &Caps,
        mut block: Block,
        rows: &'a [Arc<StoredRow>],
        mut from: Option<CellPlace>,
    ) -> Result<Self, ServiceError> {
        let mut bytes = 0;
        let mut returned = 0;
        let mut next = None;
        let mut next_cell = None;
        for (scanned, row) in rows.iter().enumerate() {
            let counted = match caps.limit_counts {
                LimitCounts::Returned => returned,
                LimitCounts::Scanned => scanned,
            };
            if scanned >= caps.scanned_rows || counted >= caps.limit {
                next = Some(&row.key);
                next_cell = from;
                break;
            }
            let from = from.take();
            let seen = view.look(row);
            let is_cut = from.is_some() || seen.bytes > caps.row_bytes;
            if let (true, true, Block::Plain(writer)) = (is_cut, seen.is_shown, &mut block) {
                let part = view.write_part(row, from.as_ref(), caps.row_bytes, writer);
                bytes += part.bytes;
                returned += 1;
                if part.next.is_some() {
                    next = Some(&row.key);
                    next_cell = part.next;
                    break;
                }
                continue;
            }
            // A row larger than a page gets a page of its own.
            if scanned > 0 && bytes + seen.bytes > caps.scanned_bytes {
                next = Some(&row.key);
                break;
            }
            bytes += seen.bytes;
            if seen.is_shown {
                returned += 1;
                block.write(view, row)?;
            }
        }
        // "No rows" is an empty field, not a buffer with a header and nothing behind it.
        let rows = if returned == 0 {
            Bytes::new()
        } else {
            block.finish()?
        };
        Ok(Self {
            rows,
            bytes,
            next,
            next_cell,
        })
    }
}

/// A stored key as it travels when it stands alone.
pub(crate) fn key_buffer(meta: &TableMeta, key: &[PrimaryKeyValue]) -> Bytes {
    let mut writer = Writer::new();
    let mut row = writer.begin_row();
    for (column, value) in meta.primary_key.iter().zip(key) {
        row.key(&column.name, value.as_ref());
    }
    row.end();
    writer.finish()
}
