//! Keys that don't fit into memory: when they go to disk, and what is held meanwhile.

use std::sync::mpsc;
use std::task::Waker;

use allocation_counter::measure;

use super::super::log::LISTED_BYTES;
use super::super::run::WRITE_BYTES;
use super::*;

#[test]
fn beyond_a_quarter_of_the_limit_keys_go_to_disk_and_are_found_there() {
    let directory = tempfile::tempdir().unwrap();
    let limit = 48 << 10;
    let mut delivered = Delivered::new(limit, Some(directory.path().into()));
    block_on(async {
        for generation in 0..3 {
            let from = generation * 8_000;
            for part in 0..8 {
                let from = from + part * 1_000;
                give(&mut delivered, from..from + 1_000).await.unwrap();
                assert!(delivered.memory_bytes() <= limit);
            }
            assert!(delivered.disk_bytes() > 0);
            let given = sort(&mut delivered).await.unwrap();
            assert!(given.is_on_disk());
            // Ten bytes each, and eight for each block.
            let rows = u64::try_from(from + 8_000).unwrap();
            let bytes = delivered.disk_bytes();
            assert!(
                (10 * rows..10 * rows + rows / 10).contains(&bytes),
                "{bytes}"
            );
            // And sixteen for each block in memory.
            assert!(delivered.memory_bytes() < 8_000 * 3 / 10);
            for first in (0..from + 9_000).step_by(2_999) {
                let ids = first..first + 2_000;
                let mut rows = page(&ids.clone().map(key).collect::<Vec<_>>());
                let left = ids.filter(|id| *id >= from + 8_000);
                let left = page(&left.map(key).collect::<Vec<_>>());
                leave_out(&given, &mut rows);
                assert_eq!(rows, left);
            }
        }
    });
    assert!(empty(directory.path()), "no file has a name");
}

/// As documented: what a million rows take, by fifty thousand.
#[test]
fn a_key_takes_what_the_documentation_says() {
    let text = |id: i64| PrimaryKey::new().column("id", format!("order-{id:014}"));
    type Key = fn(i64) -> PrimaryKey;
    let cases = [(key as Key, 18.0, 10.0, 0.04), (text, 31.0, 23.0, 0.10)];
    let directory = tempfile::tempdir().unwrap();
    for (key, memory, disk, index) in cases {
        let ids = 0..50_000;
        let all = keys(&page(&ids.map(key).collect::<Vec<_>>()));
        let sorted = Sorted::new(log(&all));
        let file = spill::create(directory.path()).unwrap();
        let wanted = Arc::new(());
        let run = Run::write(&log(&all), &file, &Arc::downgrade(&wanted)).unwrap();
        let a_row = |bytes: u64| bytes as f64 / 50_000.0;
        let of_sorted = a_row(sorted.memory_bytes() as u64);
        assert!((0.0..0.05).contains(&(of_sorted - memory)), "{of_sorted}");
        assert!((0.0..0.01).contains(&(a_row(run.disk_bytes()) / disk - 1.0)));
        let of_run = a_row(run.memory_bytes() as u64);
        assert!((index - 0.01..index).contains(&of_run), "{of_run}");
    }
}

/// In a release build, with `--nocapture`, it says how long each step takes.
#[test]
#[ignore = "to be measured in a release build"]
fn a_million_keys_are_spilled_and_found() {
    let directory = tempfile::tempdir().unwrap();
    let pages: Vec<_> = (0..500_i64)
        .map(|page| page * 2_000)
        .map(|first| page(&(first..first + 2_000).map(key).collect::<Vec<_>>()))
        .collect();
    for (limit, on_disk) in [(usize::MAX, false), (8 << 20, true)] {
        let mut delivered = Delivered::new(limit, Some(directory.path().into()));
        block_on(async {
            let start = std::time::Instant::now();
            for rows in &pages {
                record(&mut delivered, keys(rows)).await.unwrap();
            }
            let recorded = start.elapsed();
            let given = sort(&mut delivered).await.unwrap();
            let sorted = start.elapsed() - recorded;
            assert_eq!(given.is_on_disk(), on_disk);
            let start = std::time::Instant::now();
            for rows in &pages {
                assert_eq!(leave_out(&given, &mut rows.clone()), 2_000);
            }
            let found = start.elapsed();
            eprintln!(
                "on disk {on_disk}: recorded {recorded:?}, sorted {sorted:?}, found {found:?}"
            );
        });
    }
}

#[test]
fn what_fits_goes_to_no_disk() {
    let nowhere = Path::new("/nowhere/at/all");
    let mut delivered = Delivered::new(1 << 20, Some(nowhere.into()));
    block_on(async {
        give(&mut delivered, 0..5_000).await.unwrap();
        let given = sort(&mut delivered).await.unwrap();
        assert!(!given.is_on_disk());
        let mut rows = page(&[key(4_999), key(5_000)]);
        assert_eq!(leave_out(&given, &mut rows), 1);
        // The rest doesn't.
        let error = give(&mut delivered, 5_000..50_000).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    });
}

#[test]
fn an_index_that_takes_half_of_the_limit_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    // Half of it is a page, so that each becomes a run.
    let limit = 2 * (2 * 34 + LISTED_BYTES);
    let mut delivered = Delivered::new(limit, Some(directory.path().into()));
    block_on(async {
        let runtime = Handle::current();
        for pages in 0.. {
            let keys = keys(&page(&[key(pages), key(-1)]));
            let ready = poll_fn(|cx| delivered.poll_ready(cx, &runtime, &keys));
            ready.await.unwrap();
            if let Err(refused) = delivered.record(keys, false) {
                assert_eq!(refused, DeliveredError::Limit);
                // Sixteen bytes for each run.
                assert_eq!(pages, 11);
                break;
            }
        }
    });
}

/// Its one thread for blocking work is taken until the sender is used: nothing is written before.
fn with_a_slow_disk() -> (tokio::runtime::Runtime, mpsc::Sender<()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.max_blocking_threads(1).build().unwrap();
    let (go, wait) = mpsc::channel();
    drop(runtime.spawn_blocking(move || wait.recv()));
    (runtime, go)
}

#[test]
fn the_limit_holds_while_the_disk_takes_its_time() {
    let directory = tempfile::tempdir().unwrap();
    // A quarter of it is a page of a hundred keys that are sorted.
    let limit = 4 * (100 * 34 + LISTED_BYTES);
    let mut delivered = Delivered::new(limit, Some(directory.path().into()));
    // Another quarter is what an earlier session gave.
    let given = block_on(async {
        let earlier: Vec<_> = (0..188).map(key).collect();
        record(&mut delivered, keys(&page(&earlier))).await.unwrap();
        sort(&mut delivered).await.unwrap()
    });
    assert!(!given.is_on_disk());
    assert_eq!(delivered.memory_bytes(), 188 * 18 + LISTED_BYTES);

    let (runtime, go) = with_a_slow_disk();
    let mut cx = Context::from_waker(Waker::noop());
    let mut next = 0;
    let mut page = || {
        next += 100;
        keys(&page(&(next..next + 100).map(key).collect::<Vec<_>>()))
    };
    let mut recorded = 0;
    let waiting = loop {
        let keys = page();
        match delivered.poll_ready(&mut cx, runtime.handle(), &keys) {
            Poll::Ready(ready) => ready.unwrap(),
            Poll::Pending => break keys,
        }
        delivered.record(keys, false).unwrap();
        recorded += 1;
        assert!(delivered.memory_bytes() <= limit);
    };
    // One that is being written, and one that is to be.
    assert_eq!(recorded, 2);
    go.send(()).unwrap();
    runtime.block_on(async {
        record(&mut delivered, waiting).await.unwrap();
        for _ in 0..20 {
            record(&mut delivered, page()).await.unwrap();
            assert!(delivered.memory_bytes() <= limit);
        }
    });
}

#[test]
fn a_page_that_takes_more_than_a_quarter_of_the_limit_waits_for_the_half() {
    let directory = tempfile::tempdir().unwrap();
    let limit = 2 * (100 * 34 + LISTED_BYTES);
    let mut delivered = Delivered::new(limit, Some(directory.path().into()));
    let (runtime, go) = with_a_slow_disk();
    let mut cx = Context::from_waker(Waker::noop());
    let mut ready = |delivered: &mut Delivered, keys: &PageKeys| {
        delivered
            .poll_ready(&mut cx, runtime.handle(), keys)
            .map(Result::unwrap)
    };
    let of = |rows: i64| keys(&page(&(0..rows).map(key).collect::<Vec<_>>()));
    assert!(ready(&mut delivered, &of(100)).is_ready());
    delivered.record(of(100), false).unwrap();
    // The page before it is being written now.
    assert!(ready(&mut delivered, &of(1)).is_pending());
    let refused = delivered.record(of(1), false);
    assert_eq!(refused, Err(DeliveredError::Limit));
    go.send(()).unwrap();
    runtime.block_on(async {
        record(&mut delivered, of(1)).await.unwrap();
        // For one that is larger than the half nothing makes room.
        let runtime = Handle::current();
        let larger = of(101);
        poll_fn(|cx| delivered.poll_ready(cx, &runtime, &larger))
            .await
            .unwrap();
        let refused = delivered.record(larger, false);
        assert_eq!(refused, Err(DeliveredError::Limit));
    });
}

/// Counted by the allocator. Beside it are the buffers through which everything goes: as documented.
#[test]
fn writing_and_merging_hold_what_was_counted() {
    const BLOCK: usize = 4_096;
    let directory = tempfile::tempdir().unwrap();
    let wanted = Arc::new(());
    let weak = Arc::downgrade(&wanted);
    let file = spill::create(directory.path()).unwrap();
    let mut runs = Vec::new();
    for first in (0..20_000).step_by(4_000) {
        let page = keys(&page(&(first..first + 4_000).map(key).collect::<Vec<_>>()));
        let log = log(&page);
        let counted = log.bytes(SORTING_BYTES) - log.held_bytes();
        let mut run = None;
        let took = measure(|| run = Some(Run::write(&log, &file, &weak).unwrap()));
        let run = run.unwrap();
        let bound = counted + WRITE_BYTES + BLOCK + 2 * run.memory_bytes();
        assert!(took.bytes_max <= bound as u64, "{took:?}, not {bound}");
        runs.push(run);
    }
    let index: usize = runs.iter().map(Run::memory_bytes).sum();
    let into = spill::create(directory.path()).unwrap();
    let mut merged = None;
    let took = measure(|| merged = Some(Run::merge(&runs, &into, &weak).unwrap()));
    assert!(merged.unwrap().memory_bytes() <= index);
    // One block of each run, one that takes the place of another, and one that is written.
    let blocks = runs.len() + 2;
    let bound = index + WRITE_BYTES + blocks * BLOCK + runs.len() * 100;
    assert!(took.bytes_max <= bound as u64, "{took:?}, not {bound}");
}
