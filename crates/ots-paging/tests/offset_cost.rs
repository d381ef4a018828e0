//! What pages by offset cost against `readByPage` of the service's documentation, on the service's meter.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::num::NonZeroU32;
use std::sync::LazyLock;

use ots_core::Client;
use ots_core::filter::Filter;
use ots_core::request::GetRange;
use ots_emulator::{LimitCounts, Settings};
use ots_paging::{Anchors, OffsetPager, RangeExt as _};
use ots_proto::{PrimaryKey, Row};
use proptest::prelude::*;

use support::emulated::{self, Cost, Meter, block_on, read_by_page};

const ROWS: i64 = 6_000;

/// A table whose rows have so many bytes besides their key.
struct Table {
    width: usize,
    client: Client,
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let widths = [0, 2, 9, 31, 32, 100, 700, 2_000];
    widths.into_iter().map(Table::new).collect()
});

impl Table {
    fn new(width: usize) -> Self {
        let text = "x".repeat(width.saturating_sub(1));
        let rows = (0..ROWS).map(|id| {
            let row = Row::new(PrimaryKey::new().column("id", id));
            if width == 0 {
                row
            } else {
                row.cell("a", text.as_str())
            }
        });
        let client = emulated::client(Settings::default());
        emulated::load(&client, &rows.collect::<Vec<_>>(), 1);
        Self { width, client }
    }
}

fn size(page_rows: usize) -> NonZeroU32 {
    NonZeroU32::new(u32::try_from(page_rows).unwrap()).unwrap()
}

/// The next page's keys.
fn page(pager: &mut OffsetPager<'_>) -> Vec<PrimaryKey> {
    let page = block_on(pager.next_page()).unwrap().unwrap();
    page.rows.into_iter().map(|row| row.primary_key).collect()
}

fn within(ours: Cost, sample: Cost) -> Result<(), TestCaseError> {
    prop_assert!(ours.bytes <= sample.bytes, "{ours:?} {sample:?}");
    prop_assert!(ours.units <= sample.units, "{ours:?} {sample:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_page_costs_more_than_the_samples(
        table in 0_usize..8, offset in 0_usize..6_100, page_rows in 1_usize..200, few in any::<bool>(),
    ) {
        let Table { width, client } = &TABLES[table];
        let offset = if few { offset / 40 } else { offset };
        let meter = Meter::new(client);
        let range = || emulated::whole(&["id"]);
        let expected = read_by_page(&meter, &range(), offset, page_rows);
        let sample = meter.take();

        // The first way, when nothing is known.
        let mut pager = range().offset_pages(&meter, offset as u64, size(page_rows));
        prop_assert_eq!(&page(&mut pager), &expected);
        let first = meter.take();
        prop_assert!(first.bytes <= sample.bytes, "{first:?} {sample:?}");
        if offset <= 128 {
            prop_assert!(first.requests <= sample.requests, "{first:?} {sample:?}");
        }
        prop_assert!(first.requests <= sample.requests + 1, "{first:?} {sample:?}");
        let more = u64::from(offset > 128 && *width < 32);
        prop_assert!(first.units <= sample.units + more, "{first:?} {sample:?}");

        // The width of rows is known, places are not.
        let mut pager = range().offset_pages(&meter, 0, size(1));
        page(&mut pager);
        let known = pager.anchors().unwrap().to_bytes();
        meter.take();
        let known = Anchors::from_bytes(&known).unwrap();
        let pager = range().offset_pages(&meter, offset as u64, size(page_rows));
        let mut pager = pager.with_anchors(known).unwrap();
        prop_assert_eq!(&page(&mut pager), &expected);
        let ours = meter.take();
        within(ours, sample)?;
        let saved = sample.units - ours.units;
        prop_assert!(ours.requests <= sample.requests + u64::from(saved >= 15), "{ours:?} {sample:?}");

        // And once more, with anchors.
        pager.seek(offset as u64);
        prop_assert_eq!(&page(&mut pager), &expected);
        let again = meter.take();
        within(again, sample)?;
        prop_assert!(again.requests <= sample.requests, "{again:?} {sample:?}");
    }

    #[test]
    fn a_filtered_page_takes_one_request_more_than_the_samples_at_most_whichever_rows_a_limit_counts(
        scanned in any::<bool>(), block in 1_i64..200, least in 0_i64..400, offset in 0_usize..400,
        page_rows in 1_usize..60, answer_rows in 1_usize..100, width in 0_usize..600,
        worth in prop_oneof![Just(0_u64), Just(2_000), Just(64 << 10)],
    ) {
        let mut settings = Settings::default();
        settings.range_page_rows = answer_rows;
        settings.limit_counts = if scanned { LimitCounts::Scanned } else { LimitCounts::Returned };
        let client = emulated::client(settings);
        let text = "x".repeat(width);
        // Rows that pass lie in blocks, which are all over the range.
        let rows = (0..400).map(|id| {
            let row = Row::new(PrimaryKey::new().column("id", id));
            row.cell("a", (id / block * 7_919) % 400).cell("b", text.as_str())
        });
        emulated::load(&client, &rows.collect::<Vec<_>>(), 1);
        let meter = Meter::new(&client);
        let range = || emulated::whole(&["id"]).filter(Filter::column("a").ge(least));
        let expected = read_by_page(&meter, &range(), offset, page_rows);
        let sample = meter.take();
        let pager = range().offset_pages(&meter, offset as u64, size(page_rows));
        let mut pager = pager.request_bytes(worth);
        prop_assert_eq!(&page(&mut pager), &expected);
        let ours = meter.take();
        prop_assert!(ours.requests <= sample.requests + 1, "{ours:?} {sample:?}");

        // And once more, with anchors and places.
        pager.seek(offset as u64);
        prop_assert_eq!(&page(&mut pager), &expected);
        let again = meter.take();
        prop_assert!(again.requests <= sample.requests, "{again:?} {sample:?}");
    }
}

#[test]
fn ten_thousand_rows_of_two_kilobytes_are_skipped_for_a_twentieth_of_the_samples_bytes() {
    let text = "x".repeat(2_000);
    let client = emulated::client(Settings::default());
    let key = |id: i64| PrimaryKey::new().column("id", id);
    let rows = (0..10_100).map(|id| Row::new(key(id)).cell("text", text.as_str()));
    emulated::load(&client, &rows.collect::<Vec<_>>(), 1);
    let meter = Meter::new(&client);
    let range = || -> GetRange { emulated::whole(&["id"]) };
    let expected = read_by_page(&meter, &range(), 10_000, 20);
    let sample = meter.take();
    assert_eq!(expected, (10_000..10_020).map(key).collect::<Vec<_>>());

    let mut pager = range().offset_pages(&meter, 10_000, size(20));
    assert_eq!(page(&mut pager), expected);
    let ours = meter.take();
    assert!(ours.bytes * 20 < sample.bytes, "{ours:?} {sample:?}");
    assert!(ours.units * 20 < sample.units, "{ours:?} {sample:?}");
    assert!(ours.requests < sample.requests, "{ours:?} {sample:?}");

    // In another process, with the anchors of this one: to another row, too.
    let anchors = pager.anchors().unwrap().to_bytes();
    for offset in [10_000, 9_999, 300] {
        let pager = range().offset_pages(&meter, offset, size(20));
        let anchors = Anchors::from_bytes(&anchors).unwrap();
        let mut pager = pager.with_anchors(anchors).unwrap();
        let first = i64::try_from(offset).unwrap();
        assert_eq!(
            page(&mut pager),
            (first..first + 20).map(key).collect::<Vec<_>>()
        );
        let jump = meter.take();
        assert!(jump.bytes * 4 < ours.bytes, "{jump:?} {ours:?}");
        assert!(jump.requests <= 2, "{jump:?}");
    }
}

/// Where the service counts rows before the filter, the sample asks for as few rows as are missing, over
/// and over; asking for more after a page that was mostly filtered makes that a matter of few requests.
#[test]
fn behind_a_sparse_filter_no_answer_is_for_a_few_rows_whichever_rows_a_limit_counts() {
    for counts in [LimitCounts::Returned, LimitCounts::Scanned] {
        let mut settings = Settings::default();
        settings.limit_counts = counts;
        let client = emulated::client(settings);
        let text = "x".repeat(200);
        let rows = (0..20_000).map(|id| {
            let row = Row::new(PrimaryKey::new().column("id", id));
            row.cell("a", id % 1_000).cell("text", text.as_str())
        });
        emulated::load(&client, &rows.collect::<Vec<_>>(), 1);
        let meter = Meter::new(&client);
        // Ten of a thousand pass, all in one place; and one of a thousand.
        for (passing, offset, page_rows) in [(10, 150, 20), (1, 10, 5)] {
            let filter = Filter::column("a").ge(1_000 - passing);
            let range = || emulated::whole(&["id"]).filter(filter.clone());
            let expected = read_by_page(&meter, &range(), offset, page_rows);
            assert_eq!(expected.len(), page_rows);
            let sample = meter.take();
            let mut pager = range().offset_pages(&meter, offset as u64, size(page_rows));
            assert_eq!(page(&mut pager), expected);
            let ours = meter.take();
            assert!(ours.requests <= sample.requests + 1, "{ours:?} {sample:?}");
            assert!(ours.units <= sample.units, "{ours:?} {sample:?}");
            if counts == LimitCounts::Scanned {
                assert!(ours.requests * 20 < sample.requests, "{ours:?} {sample:?}");
            }
        }
    }
}
