#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]
//! What our own client does when the service does what only an emulator can be told to: sessions
//! that end, tables that change under a reader, pages of three rows.

mod support;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::TryStreamExt as _;
use ots_conformance::canonical::Row;
use ots_conformance::suite::{
    INDEX, Place, canonical, in_key_order, insert_request, key, scan_rows,
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

/// Rows that come once each, as they were in the table.
#[track_caller]
fn assert_a_part(given: &[Row], table: &[Row]) {
    let given = in_key_order(given.to_vec());
    assert!(given.is_sorted_by(|a, b| a.key_order(b).is_lt()), "doubled");
    assert!(given.iter().all(|row| table.contains(row)), "changed");
    assert!(given.len() < table.len(), "the scan was complete");
}

#[tokio::test]
async fn an_expired_session_ends_the_scan_with_exact_counts() {
    for pages_before in [0, 1, 2, 5, 12] {
        let (place, clock) = place();
        let rows = place.load_index().await;
        let table: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();

        let limiter = Limiter::fixed(2);
        let scan_of = || scan(&place).limit(10).limiter(limiter.clone());
        let mut scan = scan_of().open().await.unwrap();
        let mut given = Given::default();
        for _ in 0..pages_before {
            given.take(&scan.try_next().await.unwrap().unwrap());
        }
        clock.advance(Duration::from_secs(60));

        let error = given.drain(&mut scan).await;
        let ScanErrorKind::SessionExpired { split } = error.kind() else {
            panic!("{error:?}");
        };
        assert_eq!(split.of(), SPLITS);
        let code = error.as_call().and_then(ots_core::Error::code);
        assert_eq!(code, Some(&ErrorCode::SessionExpired));
        given.assert_counted(error.progress().unwrap());
        assert_a_part(&given.rows, &table);
        let rows = match given.rows.len() {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let sentence = format!(
            "the session expired on {split} after {rows}; open the scan again to restart from the \
             beginning"
        );
        assert_eq!(
            error.to_string().split_once(": ").map(|(_, rest)| rest),
            Some(sentence.as_str())
        );

        assert!(scan.try_next().await.unwrap().is_none(), "it has ended");
        assert_eq!(limiter.in_flight(), 0);
        // Starting over is the caller's choice, and gives everything.
        assert_eq!(scan_rows(scan_of()).await, table);
    }
}

#[tokio::test]
async fn an_expired_session_ends_the_stream_of_rows_with_the_same_counts() {
    let (place, clock) = place();
    place.load_index().await;
    let mut rows = scan(&place).limit(10).open().await.unwrap().rows();
    let mut given = 0;
    for _ in 0..25 {
        let _ = rows.try_next().await.unwrap().unwrap();
        given += 1;
    }
    clock.advance(Duration::from_secs(3_600));
    let error = loop {
        match rows.try_next().await {
            Ok(Some(_)) => given += 1,
            Ok(None) => panic!("the scan looks complete after {given} rows"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), ScanErrorKind::SessionExpired { .. }));
    assert_eq!(error.progress().unwrap().rows(), given);
    assert!(rows.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_slow_reader_keeps_its_session_by_reading() {
    for (alive, pause, survives) in [(60, 59, true), (120, 119, true), (60, 60, false)] {
        let (place, clock) = place();
        place.load_index().await;
        // One split: every page that is taken asks for another.
        let mut scan = scan(&place)
            .concurrency(1)
            .limit(25)
            .alive_time(Duration::from_secs(alive))
            .open()
            .await
            .unwrap();
        let outcome = loop {
            match scan.try_next().await {
                Ok(Some(_)) => clock.advance(Duration::from_secs(pause)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(
            outcome.is_ok(),
            survives,
            "{pause} s of {alive}: {outcome:?}"
        );
        assert_eq!(scan.progress().rows() == 250, survives);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_a_snapshot_while_rows_are_written_and_deleted() {
    let (place, _) = place();
    let rows = place.load_index().await;
    let table: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
    let mut scan_under_way = scan(&place).limit(3).open().await.unwrap();
    let mut given = Given::default();
    // The snapshot is taken by the first request that reads.
    given.take(&scan_under_way.try_next().await.unwrap().unwrap());

    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (place, stop) = (place.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let table = &place.table("bulk").name;
            let key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
            let mut rounds = 0_i64;
            while !stop.load(Ordering::Relaxed) || rounds < 50 {
                let i = rounds % 50;
                let changes = [
                    RowChange::Put(OwnedRow::new(key("new", rounds)).cell("n", rounds)),
                    RowChange::Update(RowUpdate::new(key("g1", i)).put("n", -1)),
                    RowChange::Delete(key("g3", i)),
                ];
                let batch = BatchWriteRow::new().table(TableWrites::new(table).changes(changes));
                for result in place
                    .client()
                    .send(batch)
                    .await
                    .unwrap()
                    .into_iter()
                    .flatten()
                {
                    result.unwrap();
                }
                rounds += 1;
                tokio::task::yield_now().await;
            }
            rounds
        })
    };
    while let Some(page) = scan_under_way.try_next().await.unwrap() {
        given.take(&page);
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    let rounds = writer.await.unwrap();
    assert_eq!(in_key_order(given.rows), table);

    // A new scan has a new snapshot: fifty rows are gone, one came with every round.
    let now = scan_rows(scan(&place)).await;
    assert_eq!(now.len(), 200 + usize::try_from(rounds).unwrap());
    let changed = scan(&place).query(Query::term("n", -1));
    assert_eq!(scan_rows(changed).await.len(), 50);
}

#[tokio::test]
async fn an_index_deleted_during_a_scan_ends_it_even_if_another_takes_its_name() {
    for recreated in [false, true] {
        let (place, _) = place();
        let rows = place.load_index().await;
        let table: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
        let mut scan = scan(&place).limit(10).open().await.unwrap();
        let mut given = Given::default();
        given.take(&scan.try_next().await.unwrap().unwrap());

        let name = &place.table("bulk").name;
        let client = place.client();
        client
            .send(DeleteSearchIndex::new(name, INDEX))
            .await
            .unwrap();
        if recreated {
            let create = CreateSearchIndex::new(name, INDEX).field("n", FieldType::Long);
            client.send(create).await.unwrap();
        }

        let error = given.drain(&mut scan).await;
        assert!(
            matches!(error.kind(), ScanErrorKind::SessionExpired { .. }),
            "{error:?}"
        );
        given.assert_counted(error.progress().unwrap());
        assert_a_part(&given.rows, &table);
    }
}

#[tokio::test]
async fn a_table_deleted_during_a_scan_fails_its_next_page() {
    let (place, _) = place();
    place.load_index().await;
    let mut scan = scan(&place).limit(10).open().await.unwrap();
    let mut given = Given::default();
    given.take(&scan.try_next().await.unwrap().unwrap());
    let name = &place.table("bulk").name;
    let client = place.client();
    client
        .send(DeleteSearchIndex::new(name, INDEX))
        .await
        .unwrap();
    client.send(DeleteTable::new(name)).await.unwrap();

    let error = given.drain(&mut scan).await;
    let ScanErrorKind::Call { split, page } = error.kind() else {
        panic!("{error:?}");
    };
    let (pages, _) = given.splits.get(&split.id()).copied().unwrap_or_default();
    assert_eq!(*page, pages, "the page after those that were given");
    // Operations on a search index have a code of their own for a table that isn't there.
    let code = error.as_call().and_then(ots_core::Error::code);
    assert_eq!(code, Some(&ErrorCode::ParameterInvalid));
    given.assert_counted(error.progress().unwrap());
}

#[tokio::test]
async fn splits_without_matches_end_like_others() {
    let (place, _) = place_with(|settings| settings.scan_page_rows = 2);
    let rows = place.load_index().await;
    for (wanted, query) in [
        (0, Query::term("kw", "nowhere")),
        (1, Query::term("n", 7)),
        (5, Query::range("n").lt(5).into()),
    ] {
        let mut scan = scan(&place).query(query).open().await.unwrap();
        let mut given = Given::default();
        let mut empty = 0;
        while let Some(page) = scan.try_next().await.unwrap() {
            assert!(page.rows.len() <= 2, "the service's own bound");
            empty += u32::from(page.rows.is_empty());
            given.take(&page);
        }
        assert_eq!(given.rows.len(), wanted);
        assert_eq!(empty, SPLITS, "every split ends with a page without rows");
        assert!(given.rows.iter().all(|row| {
            rows.iter()
                .any(|table_row| place.indexed(table_row) == *row)
        }));
        assert!(scan.progress().is_done());
    }
}

/// The whole table, one way or the other, only rows whose `n` equals one of few values.
fn sparse(place: &Place, direction: Direction) -> GetRange {
    let names = ["g", "i"];
    let (low, high) = (PrimaryKey::min(names), PrimaryKey::max(names));
    let (start, end) = match direction {
        Direction::Forward => (low, high),
        Direction::Backward => (high, low),
    };
    let filter = Filter::column("note").eq("alpha beta").only_if_present();
    GetRange::new(&place.table("bulk").name, start, end)
        .direction(direction)
        .filter(filter)
}

/// Ten rows of 250 pass: every 25th.
fn passing(rows: &[Row], direction: Direction) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.iter().step_by(25).cloned().collect();
    if direction == Direction::Backward {
        rows.reverse();
    }
    rows
}

const BOTH: [LimitCounts; 2] = [LimitCounts::Returned, LimitCounts::Scanned];

#[tokio::test]
async fn pages_without_rows_are_given_and_end_nothing() {
    for (counts, direction) in [
        (LimitCounts::Returned, Direction::Forward),
        (LimitCounts::Returned, Direction::Backward),
        (LimitCounts::Scanned, Direction::Forward),
        (LimitCounts::Scanned, Direction::Backward),
    ] {
        let (place, _) = place_with(|settings| {
            settings.range_page_rows = 3;
            settings.limit_counts = counts;
        });
        let rows = place.load("bulk").await;
        let expected = passing(rows, direction);

        let mut pages = sparse(&place, direction).pages(place.client());
        let mut read = Vec::new();
        let (mut all, mut empty) = (0, 0);
        while let Some(page) = pages.next().await {
            let page_rows = page.unwrap().rows().unwrap();
            all += 1;
            empty += usize::from(page_rows.is_empty());
            read.extend(page_rows.iter().map(canonical));
        }
        assert_eq!(read, expected, "{counts:?} {direction:?}");
        assert_eq!(all, 84, "250 rows by 3");
        assert_eq!(empty, 84 - expected.len());
    }
}

#[tokio::test]
async fn an_empty_page_can_be_resumed_from() {
    let (place, _) = place_with(|settings| settings.range_page_rows = 3);
    let rows = place.load("bulk").await;
    let range = || sparse(&place, Direction::Forward);
    let mut read = Vec::new();
    let mut kept = range().cursor().unwrap().resume_point().to_bytes();
    loop {
        let cursor = range().resume(&ResumePoint::from_bytes(&kept).unwrap());
        let mut pages = cursor.unwrap().pages(place.client());
        let Some(page) = pages.next().await else {
            break;
        };
        let page = page.unwrap();
        read.extend(page.rows().unwrap().iter().map(canonical));
        kept = page.resume_point().to_bytes();
    }
    assert_eq!(read, passing(rows, Direction::Forward));
}

/// Each row of "bulk" comes in several parts.
#[tokio::test]
async fn rows_that_come_in_parts_are_read_whole() {
    for bytes in [1, 20, 40] {
        let (place, _) = place_with(|settings| settings.wide_row_bytes = bytes);
        let expected = place.load("bulk").await;
        let table = place.table("bulk").name.clone();
        let names = ["g", "i"];
        let range = || GetRange::new(&table, PrimaryKey::min(names), PrimaryKey::max(names));
        let owned: Vec<_> = range().rows(place.client()).try_collect().await.unwrap();
        let rows: Vec<_> = owned.iter().map(canonical).collect();
        assert_eq!(rows, expected, "{bytes} bytes");

        let last = owned.last().unwrap();
        let request = GetRow::new(&table, last.primary_key.clone());
        let mut pager = ColumnPager::new(request, place.client()).unwrap();
        let (mut cells, mut pages) = (0, 0);
        while let Some(page) = pager.next_page().await.unwrap() {
            cells += page.cells.len();
            pages += 1;
        }
        assert_eq!(cells, last.cells.len());
        assert!(pages > 1, "{pages} pages of {bytes} bytes");
    }
}

#[tokio::test]
async fn what_a_limit_counts_changes_the_pages_and_not_the_range() {
    let mut shapes = Vec::new();
    for counts in BOTH {
        let (place, _) = place_with(|settings| settings.limit_counts = counts);
        let rows = place.load("bulk").await;
        let expected = passing(rows, Direction::Forward);
        let range = || sparse(&place, Direction::Forward).limit(4);

        let mut pages = range().pages(place.client());
        let mut shape = Vec::new();
        let mut read = Vec::new();
        while let Some(page) = pages.next().await {
            let page_rows = page.unwrap().rows().unwrap();
            shape.push(page_rows.len());
            read.extend(page_rows.iter().map(canonical));
        }
        assert_eq!(read, expected, "{counts:?}");
        shapes.push(shape);

        for wanted in [1, 4, 5, 10, 11] {
            let first = range().rows(place.client()).take_rows(wanted);
            let first: Vec<OwnedRow> = first.try_collect().await.unwrap();
            let first: Vec<Row> = first.iter().map(canonical).collect();
            let taken = usize::try_from(wanted).unwrap().min(10);
            assert_eq!(first, expected[..taken], "{counts:?}: first {wanted}");
        }

        let size = NonZeroU32::new(3).unwrap();
        let mut pages = range().offset_pages(place.client(), 2, size);
        let mut slices = expected[2..].chunks(3);
        while let Some(page) = pages.next_page().await.unwrap() {
            let read: Vec<Row> = page.rows.iter().map(canonical).collect();
            assert_eq!(read, slices.next().unwrap_or_default(), "{counts:?}");
        }
        assert_eq!(slices.next(), None);
    }
    // The settings did differ: four rows that pass, or four that are read.
    assert_eq!(shapes[0], [4, 4, 2]);
    assert_eq!(shapes[1].len(), 63);
}

#[tokio::test]
async fn rows_that_stay_come_once_while_others_come_and_go() {
    let (place, _) = place_with(|settings| settings.range_page_rows = 3);
    let table = place.numbered("moving", 1).await;
    let client = place.client();
    let rows: Vec<_> = (0..60)
        .map(|id| OwnedRow::new(key(id * 10)).cell("n", id))
        .collect();
    client.send(insert_request(&table, &rows)).await.unwrap();

    let range = GetRange::new(&table, PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let mut pages = range.pages(client);
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        read.extend(
            page.rows()
                .unwrap()
                .iter()
                .map(|row| row.primary_key.clone()),
        );
        if let Some(next) = page.next().key() {
            // The very row that the range goes on from disappears, and one stands before it.
            let id = next.get("id").unwrap().as_integer().unwrap();
            client.send(DeleteRow::new(&table, key(id))).await.unwrap();
            for near in [id - 5, id + 5] {
                let row = OwnedRow::new(key(near)).cell("n", near);
                client.send(PutRow::new(&table, row)).await.unwrap();
            }
        }
    }
    assert!(read.is_sorted_by(|a, b| a < b), "none twice: {read:?}");
    let ids: Vec<i64> = read
        .iter()
        .map(|key| key.get("id").unwrap().as_integer().unwrap())
        .collect();
    for id in ids.windows(2) {
        assert!(id[1] - id[0] <= 20, "a row that stayed is missing: {id:?}");
    }
    let last = GetRow::new(&table, key(590));
    assert_eq!(
        client.send(last).await.unwrap().row.is_some(),
        ids.contains(&590)
    );
}

#[tokio::test]
async fn an_atomic_batch_happens_as_a_whole_or_not_at_all() {
    let (place, _) = place();
    let table = place.name("atomic");
    let create = CreateTable::new(&table)
        .primary_key("g", PrimaryKeyType::String)
        .primary_key("i", PrimaryKeyType::Integer);
    place.client().send(create).await.unwrap();
    let key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
    let batch = |keys: [(&str, i64); 2]| {
        let puts = keys.map(|(g, i)| RowChange::Put(OwnedRow::new(key(g, i)).cell("n", i)));
        let writes = TableWrites::new(&table).changes(puts);
        place
            .client()
            .send(BatchWriteRow::new().table(writes).atomic())
    };
    let exists = async |g, i| get(&place, &table, key(g, i)).await.is_some();
    // Rows of two partition keys can't be atomic.
    assert!(failed(batch([("a", 1), ("b", 1)]).await));
    assert!(!exists("a", 1).await && !exists("b", 1).await);
    assert!(!failed(batch([("a", 1), ("a", 2)]).await));
    assert!(exists("a", 1).await && exists("a", 2).await);
}

#[tokio::test]
async fn values_past_their_time_are_not_read() {
    let (place, clock) = place();
    let table = place.name("aging");
    let create = CreateTable::new(&table)
        .primary_key("id", PrimaryKeyType::Integer)
        .expire_after(Duration::from_secs(86_400));
    let client = place.client();
    client.send(create).await.unwrap();
    for id in 0..4 {
        let row = OwnedRow::new(key(id)).cell("n", id);
        client.send(PutRow::new(&table, row)).await.unwrap();
        clock.advance(Duration::from_secs(3_600));
    }
    // A value written again is young again.
    let update = RowUpdate::new(key(0)).put("n", 10);
    client.send(UpdateRow::new(&table, update)).await.unwrap();
    clock.advance(Duration::from_secs(86_400 - 2 * 3_600));
    let range = GetRange::new(&table, PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let rows: Vec<OwnedRow> = range
        .columns(["n"])
        .rows(client)
        .try_collect()
        .await
        .unwrap();
    let keys: Vec<_> = rows.into_iter().map(|row| row.primary_key).collect();
    assert_eq!(keys, [key(0), key(3)]);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_once_and_never_shown() {
    let emulator = Emulator::default();
    let client = Client::builder("http://in-process")
        .instance("own")
        .credentials(Credentials::new(Emulator::ACCESS_KEY_ID, "not-the-secret"))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AuthFailed));
    assert_eq!(error.attempts(), 1);
    assert!(!format!("{error:?}{error}").contains("not-the-secret"));
}

async fn get(place: &Place, table: &str, key: PrimaryKey) -> Option<OwnedRow> {
    place
        .client()
        .send(GetRow::new(table, key))
        .await
        .unwrap()
        .into_inner()
        .row
}

/// Whether a batch failed, as a whole or in every row.
fn failed(outcome: Result<Reply<<BatchWriteRow as Request>::Output>, ots_core::Error>) -> bool {
    let Ok(results) = outcome else { return true };
    let mut rows = results.into_iter().flatten();
    let first = rows.next().unwrap().is_err();
    assert!(
        rows.all(|row| row.is_err() == first),
        "neither all nor none"
    );
    first
}

/// What the emulator doesn't do it refuses at once, in a way that a program can tell.
#[tokio::test]
async fn operations_that_the_emulator_lacks_are_refused_and_not_repeated() {
    use ots_core::request::{
        CommitTransaction, CreateIndex, DropIndex, SecondaryIndex, SqlQuery, StartLocalTransaction,
    };
    let (place, _) = place();
    let client = place.client();
    let table = place.numbered("lacking", 1).await;
    let index = SecondaryIndex::global("by_n", ["n"]);
    let errors = [
        client
            .send(CreateIndex::new(&table, index))
            .await
            .unwrap_err(),
        client
            .send(DropIndex::new(&table, "by_n"))
            .await
            .unwrap_err(),
        client
            .send(StartLocalTransaction::new(&table, "id", 1))
            .await
            .unwrap_err(),
        client
            .send(CommitTransaction::new("none"))
            .await
            .unwrap_err(),
        client.send(SqlQuery::new("SHOW TABLES")).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Some(&ErrorCode::ParameterInvalid), "{error}");
        assert_eq!(error.attempts(), 1);
        assert!(
            error.to_string().contains("Unsupported operation"),
            "{error}"
        );
    }
}
