//! Parts of a range side by side, and how many rows it has about.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use futures::executor::{block_on, block_on_stream};
use ots_core::request::ComputeSplitPointsBySize;
use ots_core::{ErrorCode, PrimaryKey};
use ots_emulator::Settings;
use ots_paging::testing::FakeTable;
use ots_paging::{ErrorKind, RangeExt as _};
use ots_proto::Row;
use proptest::prelude::*;

use support::{case, emulated, key, whole_range};

const fn at_once(jobs: usize) -> NonZeroUsize {
    NonZeroUsize::new(jobs).unwrap()
}

proptest! {
    #[test]
    fn parts_of_any_cuts_are_the_range(
        case in case(), cuts in prop::collection::vec((0_u8..4, 0_i64..12), 0..6), jobs in 1_usize..5,
    ) {
        let table = case.table();
        let cuts: Vec<PrimaryKey> = cuts
            .into_iter()
            .map(|(city, id)| key(&char::from(b'a' + city).to_string(), id))
            .collect();
        let parts = case.request().cursor().unwrap().split_at(cuts.clone());
        let mut rows = Vec::new();
        for part in parts {
            rows.extend(block_on_stream(part.rows(&table)).map(Result::unwrap));
        }
        prop_assert_eq!(&rows, &case.expected());

        let table = case.table();
        let count = case.request().count_rows_by_parts(&table, cuts, at_once(jobs));
        let count = block_on(count).unwrap();
        prop_assert_eq!(count.rows, rows.len() as u64);
        prop_assert_eq!(count.requests, table.requests().len() as u64);
        prop_assert_eq!(count.consumed.read, count.requests);
        let page_rows = NonZeroU32::new(7).unwrap();
        prop_assert_eq!(count.pages(page_rows), case.expected().chunks(7).count() as u64);
        prop_assert!(table.most_in_flight() <= jobs);
    }
}

#[test]
fn so_many_parts_are_read_at_once() {
    let table = FakeTable::new((0..80).map(|id| Row::new(key("a", id)))).scan_caps([3]);
    let cuts = || (1..8).map(|part| key("a", part * 10));
    for (jobs, most) in [(1, 1), (3, 3), (8, 8), (100, 8)] {
        let table = FakeTable::new((0..80).map(|id| Row::new(key("a", id)))).scan_caps([3]);
        let count = whole_range().count_rows_by_parts(&table, cuts(), at_once(jobs));
        assert_eq!(block_on(count).unwrap().rows, 80);
        assert_eq!(table.most_in_flight(), most);
    }
    // A failure ends all of them.
    let table = table.answer(|number, response| {
        if number == 5 {
            let (code, status) = (ErrorCode::ServerBusy, 503.try_into().unwrap());
            return Err(ots_core::Error::service(code, status, "busy", "r-1"));
        }
        Ok(response)
    });
    let count = whole_range().count_rows_by_parts(&table, cuts(), at_once(4));
    assert_eq!(block_on(count).unwrap_err().kind(), ErrorKind::Call);
    assert!(table.requests().len() <= 9);
}

#[test]
fn the_parts_that_the_service_names_are_the_table_and_tell_how_many_rows_it_has() {
    let mut settings = Settings::default();
    settings.min_split_unit_bytes = 1;
    let client = emulated::client(settings);
    let text = "x".repeat(80);
    let key = |id: i64| PrimaryKey::new().column("id", id);
    let rows = (0..6_000).map(|id| Row::new(key(id)).cell("a", text.as_str()));
    emulated::load(&client, &rows.collect::<Vec<_>>(), 1);
    let range = || emulated::whole(&["id"]);
    let part_bytes = NonZeroU64::new(20_000).unwrap();

    let splits = ComputeSplitPointsBySize::new(emulated::TABLE).unit_bytes(part_bytes);
    let splits = emulated::block_on(client.send(splits)).unwrap();
    assert!(splits.ranges.len() > 20, "{}", splits.ranges.len());
    let cuts = splits.ranges.iter().map(|part| part.start.clone());
    let count = range().count_rows_by_parts(&client, cuts, at_once(4));
    let count = emulated::block_on(count).unwrap();
    assert_eq!(
        (count.rows, count.requests),
        (6_000, splits.ranges.len() as u64)
    );

    let estimate = emulated::block_on(range().estimate_rows(&client, part_bytes)).unwrap();
    assert!((5_000..=7_000).contains(&estimate.rows), "{estimate:?}");
    assert!(
        estimate.least <= 6_000 && 6_000 <= estimate.most,
        "{estimate:?}"
    );
    assert!(estimate.requests <= 6, "{estimate:?}");

    // A range of one page is counted.
    let small = || ots_core::request::GetRange::new(emulated::TABLE, key(10), key(3_000));
    let estimate = emulated::block_on(small().estimate_rows(&client, part_bytes)).unwrap();
    assert_eq!(
        (estimate.rows, estimate.least, estimate.most),
        (2_990, 2_990, 2_990)
    );
    assert_eq!(estimate.requests, 1);
}
