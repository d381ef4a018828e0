//! What a checkpoint is worth: of a session that lives, of one that is gone, and of a service whose
//! tokens can't be asked twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fake::{Answered, Fake};
use futures::TryStreamExt as _;
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_scan::{Checkpoint, Position, ScanError, ScanErrorKind};

use super::*;

/// A service of one split whose tokens name a cursor: a request goes on where the last one stopped,
/// unless it has no token.
#[derive(Clone)]
struct Cursor {
    at: Arc<Mutex<usize>>,
    rows: usize,
    /// Whether the cursor has another name each time.
    fresh: bool,
    asked: Arc<AtomicUsize>,
}

impl Cursor {
    fn new(rows: usize, fresh: bool) -> Self {
        let (at, asked) = (Arc::default(), Arc::default());
        Self {
            at,
            rows,
            fresh,
            asked,
        }
    }

    fn scan(&self) -> ScanBuilder<Self> {
        parallel_scan(self.clone(), "orders", "orders_index").limit(4)
    }
}

impl Call<operation::ComputeSplits> for Cursor {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(Bytes::from_static(b"a session")),
            splits_size: Some(1),
        }))
    }
}

impl Call<operation::ParallelScan> for Cursor {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let scan = request.scan_query.unwrap();
        let limit = usize::try_from(scan.limit.unwrap()).unwrap();
        let mut at = self.at.lock().unwrap();
        let start = scan.token.map_or(0, |_| *at);
        *at = self.rows.min(start + limit);
        let rows: Vec<_> = (start..*at)
            .map(|id| write_row(&fake::row(i64::try_from(id).unwrap())))
            .collect();
        let number = if self.fresh { number } else { 0 };
        let next_token = (!rows.is_empty()).then(|| format!("cursor {number}").into());
        Ok(Reply::new(ParallelScanResponse { rows, next_token }))
    }
}

async fn rows_of(scan: &mut Scan) -> Result<usize, ScanError> {
    let mut rows = 0;
    while let Some(page) = scan.try_next().await? {
        rows += page.rows.len();
    }
    Ok(rows)
}

#[tokio::test(start_paused = true)]
async fn a_service_with_a_cursor_is_found_out_when_a_scan_goes_on() {
    for (fresh, pages) in [(false, 1), (true, 1), (true, 3), (true, 8)] {
        let service = Cursor::new(80, fresh);
        let mut scan = service.scan().open().await.unwrap();
        for _ in 0..pages {
            let _ = scan.try_next().await.unwrap().unwrap();
        }
        // Before its next page has come, which would show that the cursor has one name.
        let checkpoint = scan.checkpoint().unwrap();
        settle_a_second().await;
        drop(scan);
        let mut scan = service.scan().resume(&checkpoint).unwrap();
        let error = rows_of(&mut scan).await.unwrap_err();
        assert!(
            matches!(error.kind(), ScanErrorKind::TokenMoved { .. }),
            "{error}"
        );
        assert_eq!(error.progress().unwrap().rows(), 0, "before a row is given");
        assert_eq!(
            error.to_string(),
            "ParallelScan on index \"orders_index\" of table \"orders\": split 0 of 1 moved on when it \
             was asked again, after 0 rows: this service's tokens can't be asked twice, and what they \
             led over is missing; open the scan again, with keep_alive(Duration::ZERO), refetches(0) \
             and a client that doesn't retry, and don't resume it"
        );
        assert!(scan.checkpoint().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_checkpoint_of_a_cursor_that_was_seen_to_move() {
    let service = Cursor::new(80, false);
    let mut scan = service.scan().open().await.unwrap();
    let _ = scan.try_next().await.unwrap().unwrap();
    assert!(scan.checkpoint().is_some());
    settle_a_second().await;
    assert!(scan.checkpoint().is_none());
    // To be read to its end nothing is in its way.
    assert_eq!(rows_of(&mut scan).await.unwrap(), 76);
    assert!(scan.checkpoint().is_none());
}

/// The limit of what can be found out, as the documentation of `resume` has it.
#[tokio::test(start_paused = true)]
async fn a_cursor_that_was_at_its_end_looks_like_the_end_of_a_split() {
    let service = Cursor::new(10, true);
    let mut scan = service.scan().open().await.unwrap();
    let _ = scan.try_next().await.unwrap().unwrap();
    let checkpoint = scan.checkpoint().unwrap();
    settle_a_second().await;
    drop(scan);
    let mut scan = service.scan().resume(&checkpoint).unwrap();
    assert_eq!(rows_of(&mut scan).await.unwrap(), 0);
}

/// Who begins a split asks nothing twice, so that workers can share a session of any service.
#[tokio::test(start_paused = true)]
async fn the_beginning_of_a_split_is_not_asked_twice() {
    for fresh in [false, true] {
        let service = Cursor::new(10, fresh);
        let splits = service.scan().splits().await.unwrap();
        let descriptor = splits[0].checkpoint().unwrap();
        drop(splits);
        let mut scan = service.scan().resume(&descriptor).unwrap();
        assert_eq!(rows_of(&mut scan).await.unwrap(), 10);
        assert_eq!(service.asked.load(Ordering::SeqCst), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn of_each_split_that_was_begun_one_row_is_asked_for_before_its_page() {
    // Of the splits 0 to 3 the first is done after a page, and the last has none yet.
    let fake = Fake::new(80, 4)
        .shape(|_| 9)
        .answer(|asked| (asked.split == 0).then_some(Answered::Rows(Vec::new())))
        .delay(|asked| Duration::from_secs(if asked.split == 3 { 90 } else { 1 }));
    let builder = scan(&fake).alive_time(Duration::from_secs(86_400));
    let mut first = builder.open().await.unwrap();
    let mut rows = Vec::new();
    for _ in 0..3 {
        rows.extend(ids(&first.try_next().await.unwrap().unwrap()));
    }
    let checkpoint = first.checkpoint().unwrap();
    let positions: Vec<_> = checkpoint
        .positions()
        .map(|(_, position)| position)
        .collect();
    assert!(
        matches!(
            positions[..],
            [
                Position::Done,
                Position::At(_),
                Position::At(_),
                Position::Start
            ]
        ),
        "{positions:?}"
    );
    drop(first);
    assert_eq!(fake.pings(), 0);
    let mut resumed = builder.resume(&checkpoint).unwrap();
    while let Some(page) = resumed.try_next().await.unwrap() {
        rows.extend(ids(&page));
    }
    assert_eq!((rows.len(), fake.pings()), (60, 2));
    let progress = resumed.progress();
    assert_eq!((progress.kept_alive, progress.retries), (0, 0));
    assert!(progress.is_done());
}

#[tokio::test(start_paused = true)]
async fn there_is_no_checkpoint_of_a_session_that_is_gone() {
    let fake = Fake::new(400, 4)
        .shape(|_| 7)
        .answer(|asked| (asked.page == 3).then_some(Answered::Error(ErrorCode::SessionExpired)));
    let mut scan = scan(&fake).open().await.unwrap();
    assert!(scan.checkpoint().is_some());
    let error = rows_of(&mut scan).await.unwrap_err();
    assert!(matches!(error.kind(), ScanErrorKind::SessionExpired { .. }));
    assert_eq!(scan.checkpoint(), None);
}

#[tokio::test(start_paused = true)]
async fn there_is_a_checkpoint_after_any_other_failure() {
    let fake = Fake::new(400, 4)
        .shape(|_| 7)
        .answer(|asked| (asked.page == 3).then_some(Answered::Error(ErrorCode::ServerBusy)));
    let mut scan = scan(&fake).open().await.unwrap();
    let error = rows_of(&mut scan).await.unwrap_err();
    assert!(matches!(error.kind(), ScanErrorKind::Call { .. }));
    assert!(scan.checkpoint().is_some());
}

/// Its time runs from the last request, not from when somebody looks.
#[tokio::test(start_paused = true)]
async fn a_checkpoint_is_no_younger_than_the_last_request() {
    let tick = || std::thread::sleep(Duration::from_millis(3));
    let fake = Fake::new(400, 2).shape(|_| 7);
    let builder = scan(&fake).alive_time(Duration::from_secs(3_600));
    let mut first = builder.open().await.unwrap();
    let unread = first.checkpoint().unwrap();
    tick();
    assert_eq!(first.checkpoint().unwrap(), unread);

    let _ = first.try_next().await.unwrap().unwrap();
    settle_a_second().await;
    let read = first.checkpoint().unwrap();
    assert!(read.expires_at() > unread.expires_at());
    tick();
    assert_eq!(first.checkpoint().unwrap(), read);
    drop(first);

    // Nor by a scan that doesn't go on yet.
    let longer = builder.alive_time(Duration::from_secs(7_200));
    let mut second = longer.resume(&read).unwrap();
    assert_eq!(second.checkpoint().unwrap(), read);
    let _ = second.try_next().await.unwrap().unwrap();
    let later = second.checkpoint().unwrap();
    assert!(later.expires_at() > read.expires_at() + Duration::from_secs(3_000));
    assert_eq!(Checkpoint::from_bytes(&later.to_bytes()).unwrap(), later);
}

/// The splits of a session keep it alive for each other.
#[tokio::test(start_paused = true)]
async fn a_split_that_nobody_reads_lives_as_long_as_the_others_are_read() {
    let fake = Fake::new(400, 2).shape(|_| 7);
    let mut splits = scan(&fake).splits().await.unwrap();
    let before = splits[1].checkpoint().unwrap();
    std::thread::sleep(Duration::from_millis(3));
    let _ = splits[0].try_next().await.unwrap().unwrap();
    let after = splits[1].checkpoint().unwrap();
    assert!(after.expires_at() > before.expires_at());
    assert!(before.positions().eq(after.positions()));
}

/// Whatever was on its way has come.
async fn settle_a_second() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}
