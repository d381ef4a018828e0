#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]
//! What our own client does when the service does what only an emulator can be told to: sessions
//! that end, tables that change under a reader, pages of three rows.

mod paging;
mod scans;
mod single_calls;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::TryStreamExt as _;
use ots_conformance::canonical::Row;
use ots_conformance::suite::{
    INDEX, Place, canonical, in_key_order, insert_request, key, released, scan_rows,
};
use ots_core::filter::Filter;
use ots_core::request::{
    BatchWriteRow, CreateSearchIndex, CreateTable, DeleteRow, DeleteSearchIndex, DeleteTable,
    Direction, GetRange, GetRow, ListTable, PutRow, Request, TableWrites, UpdateRow,
};
use ots_core::transport::InProcess;
use ots_core::{
    Client, Credentials, ErrorCode, PrimaryKey, Query, Reply, Row as OwnedRow, RowChange, RowUpdate,
};
use ots_emulator::{Emulator, LimitCounts, ManualClock, Settings};
use ots_paging::{ColumnPager, RangeExt as _, ResumePoint};
use ots_proto::messages::{FieldType, PrimaryKeyType};
use ots_scan::{
    Limiter, Scan, ScanBuilder, ScanError, ScanErrorKind, ScanPage, ScanProgress, parallel_scan,
};

const SPLITS: u32 = 3;

/// A place with an emulator of its own, whose clock is moved by hand.
fn place() -> (Place, Arc<ManualClock>) {
    place_with(|_| ())
}

fn place_with(set: impl FnOnce(&mut Settings)) -> (Place, Arc<ManualClock>) {
    let mut settings = Settings::default();
    settings.splits = SPLITS;
    set(&mut settings);
    let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
    let emulator = Emulator::builder()
        .settings(settings)
        .clock(Arc::clone(&clock))
        .build();
    (Place::new(support::client(emulator)), clock)
}

fn scan(place: &Place) -> ScanBuilder<Client> {
    parallel_scan(place.client().clone(), &place.table("bulk").name, INDEX)
}

/// What a scan gave: rows and pages of every split, and the rows.
#[derive(Default)]
struct Given {
    splits: BTreeMap<u32, (u64, u64)>,
    rows: Vec<Row>,
}

impl Given {
    fn take(&mut self, page: &ScanPage) {
        let (pages, rows) = self.splits.entry(page.split.id()).or_default();
        *pages += 1;
        *rows += u64::try_from(page.rows.len()).unwrap();
        self.rows.extend(page.rows().unwrap().iter().map(canonical));
    }

    /// Everything that still comes, and the error at the end.
    async fn drain(&mut self, scan: &mut Scan) -> ScanError {
        loop {
            match scan.try_next().await {
                Ok(Some(page)) => self.take(&page),
                Ok(None) => panic!("the scan looks complete after {} rows", self.rows.len()),
                Err(error) => return error,
            }
        }
    }

    #[track_caller]
    fn assert_counted(&self, progress: &ScanProgress) {
        for split in &progress.splits {
            let given = self.splits.get(&split.split.id()).copied();
            let counted = (split.pages, split.rows);
            assert_eq!(counted, given.unwrap_or_default(), "{}", split.split);
        }
        assert_eq!(progress.rows(), u64::try_from(self.rows.len()).unwrap());
        assert_eq!(
            progress.pages(),
            self.splits.values().map(|it| it.0).sum::<u64>()
        );
        assert!(!progress.is_done());
    }
}
