//! How many rows to ask for in a page.

/// The knobs that decide it, and what earlier pages told.
///
/// They are apart: rows wanted in all, rows wanted in a page (which stands in the request), and bytes
/// wanted in a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// Rows still wanted in all.
    pub(super) left: Option<u64>,
    /// Rows to ask for, where whoever drives the cursor counts them.
    pub(super) wanted: Option<u64>,
    /// Whether to ask for more than is wanted after sparse pages.
    pub(super) may_probe: bool,
    /// Rows that the last page was asked for.
    asked: u64,
    /// Rows to ask for although fewer are wanted.
    probe: u64,
    by_bytes: Option<ByBytes>,
}

/// Bytes wanted in a page, and how many rows they are.
#[derive(Clone, Copy, Debug)]
struct ByBytes {
    page_bytes: u64,
    rows: u64,
}

impl Limits {
    pub(super) fn by_bytes(&mut self, page_bytes: u64) {
        let rows = (page_bytes / ROW_BYTES).clamp(1, MAX_PAGE_ROWS);
        self.by_bytes = Some(ByBytes { page_bytes, rows });
    }

    pub(super) const fn by_bytes_as(&mut self, other: &Self) {
        self.by_bytes = other.by_bytes;
    }

    pub(super) const fn counts_bytes(&self) -> bool {
        self.by_bytes.is_some()
    }

    /// Rows to ask for in the next page, where the request itself wants `page` of them.
    ///
    /// With a total limit, the rest of it: more would be read, paid and thrown away. But should the
    /// service count `limit` before the filter, the rest of a small total would make tiny pages, one
    /// for every few rows that don't pass; so after a sparse page more is asked for.
    pub(super) fn of_page(&self, page: Option<i32>) -> Option<i32> {
        let wanted = self.left.or(self.wanted);
        let wanted = wanted.map(|rows| rows.max(self.probe).min(MAX_PAGE_ROWS));
        let by_bytes = self.by_bytes.map(|by_bytes| by_bytes.rows);
        let rows = wanted.into_iter().chain(by_bytes).min();
        let rows = rows.and_then(|rows| i32::try_from(rows).ok());
        page.into_iter().chain(rows).min()
    }

    /// A page has come that was asked for with so many rows.
    pub(super) fn asked(&mut self, rows: Option<i32>) {
        self.asked = rows.map_or(0, i64::from).unsigned_abs();
        self.probe = 0;
    }

    /// Told how many rows the last page held, decides how many to ask for: twice as many when it held
    /// less than half of what was asked for, for no other reason than a filter or a choice of columns.
    pub(super) fn saw_rows(&mut self, rows: u64) {
        self.probe = if self.is_sparse(rows) {
            self.asked.saturating_mul(2).min(MAX_PAGE_ROWS)
        } else {
            0
        };
    }

    /// Told how many rows the last page held and how large they were, decides how many of them make a
    /// page of the bytes wanted. A few narrow rows prove little: it grows by no more than twice.
    pub(super) fn saw_bytes(&mut self, rows: u64, bytes: u64) {
        let is_sparse = self.is_sparse(rows);
        let Some(by_bytes) = &mut self.by_bytes else {
            return;
        };
        let most = by_bytes.rows.saturating_mul(2);
        if is_sparse {
            by_bytes.rows = most;
        } else if rows > 0 {
            let fitting = by_bytes.page_bytes.saturating_mul(rows) / bytes.max(1);
            by_bytes.rows = fitting.min(most);
        }
        by_bytes.rows = by_bytes.rows.clamp(1, MAX_PAGE_ROWS);
    }

    const fn is_sparse(&self, rows: u64) -> bool {
        self.may_probe && rows.saturating_mul(2) < self.asked
    }
}

/// The service ends a page here, whatever the limit.
const MAX_PAGE_ROWS: u64 = 5_000;

/// What a row is taken for before the first one came: a few times what most have, as pages that are
/// too small only cost requests.
const ROW_BYTES: u64 = 1 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_follow_from_bytes_and_grow_by_twice_at_most() {
        let mut limits = Limits::default();
        limits.by_bytes(64 << 10);
        let mut asked = Vec::new();
        for _ in 0..6 {
            let rows = limits.of_page(None).unwrap();
            asked.push(rows);
            limits.asked(Some(rows));
            let rows = u64::try_from(rows).unwrap();
            limits.saw_bytes(rows, rows * 100);
        }
        assert_eq!(asked, [64, 128, 256, 512, 655, 655]);
        // Wider rows: at once.
        limits.saw_bytes(655, 655 * 10_000);
        assert_eq!(limits.of_page(None), Some(6));
        limits.saw_bytes(1, 10 << 20);
        assert_eq!(limits.of_page(None), Some(1));
        assert_eq!(limits.of_page(Some(7)), Some(1));
    }

    proptest! {
        #[test]
        fn pages_of_rows_of_one_width_keep_to_the_bytes(
            width in 1_u64..100_000, page_bytes in 1_u64..10_000_000, pages in 1_usize..20,
        ) {
            let mut limits = Limits::default();
            limits.by_bytes(page_bytes);
            for page in 0..pages {
                let rows = limits.of_page(None).unwrap();
                limits.asked(Some(rows));
                let rows = u64::try_from(rows).unwrap();
                // Nothing is known before the first page.
                prop_assert!(page == 0 || rows == 1 || rows * width <= page_bytes);
                limits.saw_bytes(rows, rows * width);
            }
        }

        #[test]
        fn the_least_of_all_limits_holds(
            page in prop::option::of(1_i32..6_000), left in prop::option::of(1_u64..10_000),
            bytes in prop::option::of(1_u64..10_000_000),
        ) {
            let mut limits = Limits { left, ..Limits::default() };
            if let Some(bytes) = bytes {
                limits.by_bytes(bytes);
            }
            let of_page = limits.of_page(page).map(|rows| u64::try_from(rows).unwrap());
            let by_bytes = bytes.map(|bytes| (bytes / 1_024).clamp(1, 5_000));
            let page = page.map(|rows| u64::try_from(rows).unwrap());
            let least = [page, left.map(|left| left.min(5_000)), by_bytes];
            prop_assert_eq!(of_page, least.into_iter().flatten().min());
        }
    }
}
