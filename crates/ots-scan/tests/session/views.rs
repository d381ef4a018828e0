//! The ways to look at a scan, and to go on with one: events, splits, checkpoints, no session.

use std::num::NonZeroU32;
use std::time::Duration;

use fake::Fake;
use futures::{StreamExt as _, TryStreamExt as _};
use ots_core::Query;
use ots_scan::{
    Checkpoint, Limiter, OnSessionLoss, Position, Scan, ScanErrorKind, ScanPage, ScanSession,
    Split, parallel_scan,
};

use super::*;

async fn rest(scan: Scan) -> Vec<i64> {
    let pages: Vec<_> = scan.try_collect().await.unwrap();
    pages.iter().flat_map(ids).collect()
}

#[tokio::test]
async fn views_that_cannot_keep_the_promise_are_refused() {
    let fake = Fake::new(30, 4);
    let restart = scan(&fake).on_session_loss(OnSessionLoss::Restart { max: 3 });
    let once = scan(&fake).on_session_loss(OnSessionLoss::ExactlyOnce { max: 3 });
    let opened = scan(&fake).open().await.unwrap();
    let session = opened.session().unwrap().clone();
    let whole = opened.checkpoint().unwrap();
    let refused = [
        restart.open().await.err(),
        restart.splits().await.err(),
        restart.without_session().err(),
        restart.resume(&whole).err(),
        once.splits().await.err(),
        once.without_session().err(),
        once.resume(&whole).err(),
        restart.in_session(&session, []).err(),
        once.in_session(&session, []).err(),
    ];
    for (number, error) in refused.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{number} was not refused"));
        assert!(matches!(error.kind(), ScanErrorKind::Policy(_)), "{error}");
        assert!(!error.is_retryable());
    }
    assert_eq!((fake.sessions(), fake.asked().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_splits_are_the_whole_and_each_is_its_own() {
    let fake = Fake::new(400, 16).shape(|_| 7);
    let limiter = Limiter::fixed(3);
    let builder = scan(&fake).concurrency(5).limiter(limiter.clone());
    let splits = builder.splits().await.unwrap();
    assert_eq!(
        (splits.len(), fake.sessions(), fake.asked().len()),
        (5, 1, 0)
    );
    let mut rows = Vec::new();
    for (number, split) in splits.into_iter().enumerate() {
        let progress = split.progress();
        assert_eq!((split.max_parallel(), progress.splits.len()), (5, 1));
        let mut pages: Vec<_> = split.try_collect().await.unwrap();
        assert!(
            pages
                .iter()
                .all(|page: &ScanPage| page.split.id() as usize == number)
        );
        assert!(pages.pop().unwrap().is_last);
        rows.extend(pages.iter().flat_map(ids));
    }
    rows.sort_unstable();
    assert_eq!(rows, Vec::from_iter(0..400));
    assert_eq!((fake.max_parallel(), limiter.in_flight()), (vec![5], 0));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_goes_on_behind_what_was_handed_over() {
    for pages in 0..30 {
        let fake = Fake::new(200, 4).shape(|_| 9).delay(|_| Duration::ZERO);
        let builder = scan(&fake).alive_time(Duration::from_secs(86_400));
        let mut first = builder.open().await.unwrap();
        let mut rows = Vec::new();
        for _ in 0..pages {
            if let Some(page) = first.try_next().await.unwrap() {
                rows.extend(ids(&page));
            }
        }
        let bytes = first.checkpoint().unwrap().to_bytes();
        drop(first);
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        if pages % 2 == 0 {
            rows.extend(rest(builder.resume(&checkpoint).unwrap()).await);
        } else {
            // Each by a worker of its own.
            for split in checkpoint.into_splits() {
                rows.extend(rest(builder.resume(&split).unwrap()).await);
            }
        }
        rows.sort_unstable();
        assert_eq!(rows, Vec::from_iter(0..200), "after {pages} pages");
        assert_eq!(fake.sessions(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_a_finished_scan_asks_for_nothing() {
    let fake = Fake::new(20, 4);
    let builder = scan(&fake);
    let mut whole = builder.open().await.unwrap();
    while whole.try_next().await.unwrap().is_some() {}
    let checkpoint = whole.checkpoint().unwrap();
    assert!(checkpoint.is_done());
    let asked = fake.asked().len();
    assert!(rest(builder.resume(&checkpoint).unwrap()).await.is_empty());
    assert_eq!(fake.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_another_scan_is_refused() {
    let fake = Fake::new(20, 4);
    let day = Duration::from_secs(86_400);
    let opened = scan(&fake).alive_time(day).open().await.unwrap();
    let checkpoint = opened.checkpoint().unwrap();
    let positions: Vec<_> = checkpoint.positions().collect();
    assert!(positions.len() == 4 && positions.iter().all(|(_, it)| *it == Position::Start));
    for other in [
        scan(&fake).query(Query::term("city", "Hangzhou")),
        scan(&fake).column_names(["city"]),
        parallel_scan(fake.clone(), "flights", "orders_index"),
        parallel_scan(fake.clone(), "orders", "other_index"),
    ] {
        let error = other.resume(&checkpoint).unwrap_err();
        assert_eq!(*error.kind(), ScanErrorKind::CheckpointOfOtherScan);
    }
    // What a page is made of may differ.
    let same = scan(&fake)
        .limit(7)
        .alive_time(Duration::from_secs(90))
        .concurrency(1);
    let same = same.buffered_bytes(1).resume(&checkpoint).unwrap();
    assert_eq!(rest(same).await.len(), 20);
}

/// With the tokens that it had come to.
#[tokio::test(start_paused = true)]
async fn a_session_of_another_program_is_read_on() {
    let fake = Fake::new(200, 4).shape(|_| 9);
    let builder = scan(&fake);
    let mut other = builder.open().await.unwrap();
    let mut rows = Vec::new();
    for _ in 0..9 {
        rows.extend(ids(&other.try_next().await.unwrap().unwrap()));
    }
    let id = other.session().unwrap().id().clone();
    let positions: Vec<_> = other.checkpoint().unwrap().positions().collect();
    drop(other);
    let four = NonZeroU32::new(4).unwrap();
    let session = ScanSession::known("orders", "orders_index", id.clone(), four);
    // Split by split, as others would.
    for position in positions {
        rows.extend(rest(builder.in_session(&session, [position]).unwrap()).await);
    }
    rows.sort_unstable();
    assert_eq!(rows, Vec::from_iter(0..200));
    assert_eq!((fake.sessions(), fake.max_parallel()), (1, vec![4]));

    let asked = fake.asked().len();
    let start = |id, of| (Split::new(id, of).unwrap(), Position::Start);
    let elsewhere = ScanSession::known("orders", "other_index", id, four);
    let nameless = ScanSession::known("orders", "orders_index", "", four);
    for (session, splits, problem) in [
        (
            &nameless,
            vec![start(0, 4)],
            "the session has no id: for a scan without one, see without_session",
        ),
        (
            &elsewhere,
            vec![start(0, 4)],
            "the session is one of index \"other_index\" of table \"orders\"",
        ),
        (
            &session,
            vec![start(1, 4), start(4, 5)],
            "split 4 of 5: the session allows 4",
        ),
        (
            &session,
            vec![start(1, 4), start(1, 4)],
            "split 1 of 4 is there twice, or of another division",
        ),
        (
            &session,
            vec![start(1, 4), start(0, 2)],
            "split 0 of 2 is there twice, or of another division",
        ),
        (
            &session,
            Vec::new(),
            "no split is named, which would be a scan of nothing",
        ),
        (
            &session,
            vec![
                start(1, 4),
                (Split::new(2, 4).unwrap(), Position::At("".into())),
            ],
            "split 2 of 4: the token is empty. A split whose last page has none, or an empty one, is \
             Position::Done, and one of which no page was read Position::Start",
        ),
    ] {
        let error = builder.in_session(session, splits).unwrap_err();
        assert_eq!(*error.kind(), ScanErrorKind::Request);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), problem);
    }
    assert_eq!(fake.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn without_a_session_one_split_is_read_and_none_opened() {
    let fake = Fake::new(50, 1).shape(|_| 7);
    let scan = scan(&fake).without_session().unwrap();
    assert!(scan.session().is_none() && scan.checkpoint().is_none());
    assert_eq!(rest(scan).await, Vec::from_iter(0..50));
    assert_eq!(
        (fake.sessions(), fake.without_session()),
        (0, fake.asked().len())
    );
}

#[tokio::test(start_paused = true)]
async fn pages_become_what_the_caller_makes_of_them() {
    let fake = Fake::new(60, 4).shape(|_| 7);
    let sums = scan(&fake).open().await.unwrap();
    let sums = sums.decode(|page| {
        let ids = page
            .rows()?
            .into_iter()
            .map(|row| row.primary_key.columns()[0].value.clone());
        Ok::<i64, ots_scan::ScanError>(ids.map(|id| id.as_integer().unwrap()).sum())
    });
    let sums: Vec<i64> = sums.try_collect().await.unwrap();
    assert_eq!(sums.into_iter().sum::<i64>(), (0..60).sum::<i64>());

    // Also once the first page was taken as it is.
    let mut scan = scan(&fake).open().await.unwrap();
    let first = scan.try_next().await.unwrap().unwrap().rows.len();
    assert_eq!(first + scan.rows().count().await, 60);
}

#[tokio::test(start_paused = true)]
async fn every_view_says_what_session_it_reads() {
    let fake = Fake::new(60, 4).shape(|_| 7);
    let builder = scan(&fake);
    let mut begun = builder.open().await.unwrap();
    let session = begun.session().cloned();
    assert!(session.is_some());
    let rows = builder.open().await.unwrap().rows();
    assert_eq!((rows.session(), rows.max_parallel()), (session.as_ref(), 4));
    // Decoded by the tasks, and by whoever polls.
    let _ = begun.try_next().await.unwrap().unwrap();
    for scan in [builder.open().await.unwrap(), begun] {
        let decoded = scan.decode(|page| Ok::<_, ots_scan::ScanError>(page.index));
        let of = (decoded.session(), decoded.max_parallel());
        assert_eq!(of, (session.as_ref(), 4));
    }
    let alone = builder.without_session().unwrap().rows();
    assert_eq!((alone.session(), alone.max_parallel()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_gave_another_number_than_a_search_counts_is_told() {
    let fake = Fake::new(60, 2).shape(|_| 7);
    let builder = scan(&fake);
    let counted = builder.count().await.unwrap();
    let mut scan = builder.open().await.unwrap();
    while scan.try_next().await.unwrap().is_some() {}
    let progress = scan.progress();
    assert_eq!(counted, 60);
    progress.check_count(counted, 0).unwrap();
    progress.check_count(58, 2).unwrap();
    let error = progress.check_count(63, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the scan gave 60 rows, and a search counts 63; count again, and scan again if they still \
         differ and nobody writes"
    );
    let (given, counted) = (60, 63);
    assert_eq!(*error.kind(), ScanErrorKind::Count { given, counted });
}
