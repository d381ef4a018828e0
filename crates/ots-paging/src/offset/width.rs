//! Whether the rows to skip are worth a request of their own.

use ots_proto::RowRef;

use crate::estimate::attribute_bytes;

/// How wide rows are beyond their keys, as far as they came.
///
/// Skipping by keys alone saves that much of every row, and costs a request more: where rows are narrow
/// or few are to skip, they are better read along with the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) rows: u64,
    /// Names and values of their columns, as the service counts them.
    pub(crate) bytes: u64,
}

impl Widths {
    pub(crate) fn saw(&mut self, row: RowRef<'_, '_>) {
        self.rows += 1;
        self.bytes += attribute_bytes(row) as u64;
    }

    /// Whether reading the keys of so many rows first, and then a page of so many, is likely to be
    /// cheaper than reading all of both, where a request more is worth so many bytes.
    pub(crate) fn pay_for_keys(&self, skip_rows: u64, page_rows: u64, request_bytes: u64) -> bool {
        match self.bytes.checked_div(self.rows) {
            Some(row_bytes) => skip_rows.saturating_mul(row_bytes) > request_bytes,
            // Wide or narrow: at worst twice the page is read, or a small number of rows.
            None => skip_rows > page_rows.max(request_bytes / ROW_BYTES),
        }
    }
}

/// What a round trip is worth: 16 read capacity units. It is far more than what rounding up to a whole
/// unit once more can cost.
pub(super) const REQUEST_BYTES: u64 = 64 << 10;

/// How wide rows are taken to be before the first one came.
const ROW_BYTES: u64 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_alone_where_that_saves_more_than_a_request_costs() {
        let unknown = Widths::default();
        assert!(!unknown.pay_for_keys(128, 8, REQUEST_BYTES));
        assert!(unknown.pay_for_keys(129, 8, REQUEST_BYTES));
        assert!(!unknown.pay_for_keys(300, 300, REQUEST_BYTES));
        for (bytes, most) in [
            (0, u64::MAX),
            (1, 65_536),
            (100, 655),
            (2_000, 32),
            (100_000, 0),
        ] {
            let widths = Widths {
                rows: 3,
                bytes: bytes * 3,
            };
            assert!(!widths.pay_for_keys(most, 8, REQUEST_BYTES), "{bytes}");
            assert_eq!(
                widths.pay_for_keys(most.saturating_add(1), 8, REQUEST_BYTES),
                bytes > 0,
                "{bytes}"
            );
        }
    }
}
