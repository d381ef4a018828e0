//! Keys that were given: found again, and no others; in memory and on disk.

use std::collections::HashSet;
use std::fs::File;
use std::future::poll_fn;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::mpsc;
use std::task::Waker;

use bytes::Bytes;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row};
use proptest::prelude::*;

use super::*;

fn page(keys: &[PrimaryKey]) -> Vec<Bytes> {
    let row = |key: &PrimaryKey| write_row(&Row::new(key.clone()).cell("city", "Hangzhou"));
    keys.iter().map(row).collect()
}

fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

fn keys(page: &[Bytes]) -> PageKeys {
    PageKeys::read(page).unwrap()
}

fn in_memory() -> Delivered {
    Delivered::new(usize::MAX, None)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// What a scan does with each page.
async fn record(delivered: &mut Delivered, keys: PageKeys) -> io::Result<()> {
    let runtime = Handle::current();
    poll_fn(|cx| delivered.poll_ready(cx, &runtime, &keys)).await?;
    delivered.record(keys, false).unwrap();
    Ok(())
}

/// And at the end of a session.
async fn sort(delivered: &mut Delivered) -> io::Result<Given> {
    let segment = delivered.take().sort().await?;
    Ok(delivered.add(segment))
}

fn freeze(delivered: &mut Delivered) -> Given {
    block_on(sort(delivered)).unwrap()
}

/// How many of a page were given; the others are left.
fn leave_out(given: &Given, rows: &mut Vec<Bytes>) -> u64 {
    keys(rows).leave_out(given, rows).unwrap().1
}

#[test]
fn what_was_given_is_left_out_and_nothing_else() {
    let mut delivered = in_memory();
    let mut record = |keys| delivered.record(keys, false).unwrap();
    record(keys(&page(&[key(1), key(2)])));
    record(keys(&[]));
    let first = freeze(&mut delivered);
    let mut rows = page(&[key(2), key(3), key(1), key(4)]);
    let (left, suppressed) = keys(&rows).leave_out(&first, &mut rows).unwrap();
    assert_eq!((suppressed, &rows), (2, &page(&[key(3), key(4)])));
    delivered.record(left, false).unwrap();
    let second = freeze(&mut delivered);
    let mut rows = page(&[key(1), key(3), key(5)]);
    assert_eq!(leave_out(&second, &mut rows), 2);
    assert_eq!(rows, page(&[key(5)]));
    assert!(!second.is_empty() && freeze(&mut in_memory()).is_empty());
}

#[test]
fn other_key_columns_are_refused_also_where_no_session_follows() {
    for is_last in [false, true] {
        let mut delivered = in_memory();
        let first = keys(&page(&[key(1)]));
        delivered.record(first, is_last).unwrap();
        assert_eq!(delivered.memory_bytes() == 0, is_last);
        let other = PrimaryKey::new().column("other", 1);
        let refused = delivered.record(keys(&page(&[other])), is_last);
        assert_eq!(refused, Err(DeliveredError::OtherKey));
    }
    for second in [
        PrimaryKey::new().column("other", 1),
        key(1).column("more", 2),
        PrimaryKey::new().column("more", 2),
    ] {
        let mixed = PageKeys::read(&page(&[key(1), second]));
        assert!(matches!(mixed, Err(KeysError::Mixed)), "{mixed:?}");
    }
    let fewer = PageKeys::read(&page(&[key(1).column("more", 2), key(1)]));
    assert!(matches!(fewer, Err(KeysError::Mixed)), "{fewer:?}");
}

#[test]
fn a_damaged_row_has_no_key() {
    let mut rows = page(&[key(1), key(2)]);
    let mut damaged = rows[1].to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    rows[1] = damaged.into();
    let Err(KeysError::Damage(error)) = PageKeys::read(&rows) else {
        panic!()
    };
    assert_eq!(error.row(), Some(1));
}

#[test]
fn the_limit_is_on_what_the_keys_take() {
    // A length, a type, eight bytes, and eight for finding it.
    let mut delivered = Delivered::new(3 * 18, None);
    for rows in 1..=3 {
        delivered.record(keys(&page(&[key(0)])), false).unwrap();
        assert_eq!(delivered.memory_bytes(), 18 * rows);
    }
    let refused = delivered.record(keys(&page(&[key(3)])), false);
    assert_eq!(refused, Err(DeliveredError::Limit));
    let _ = freeze(&mut delivered);
    assert_eq!(
        delivered.memory_bytes(),
        3 * 18,
        "nor does sorting change it"
    );
}

/// Pages of a hundred keys each, from this one on.
async fn give(delivered: &mut Delivered, ids: std::ops::Range<i64>) -> io::Result<()> {
    for first in ids.clone().step_by(100) {
        let ids = first..ids.end.min(first + 100);
        let some: Vec<_> = ids.map(key).collect();
        record(delivered, keys(&page(&some))).await?;
    }
    Ok(())
}

fn empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

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
        let sorted = Sorted::new(all.log.clone());
        let file = spill::create(directory.path()).unwrap();
        let wanted = Arc::new(());
        let run = Run::write(&all.log, &file, &Arc::downgrade(&wanted)).unwrap();
        let a_row = |bytes: u64| bytes as f64 / 50_000.0;
        assert!((a_row(sorted.memory_bytes() as u64) - memory).abs() < 0.01);
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
    let mut delivered = Delivered::new(2 * 2 * 34, Some(directory.path().into()));
    block_on(async {
        let runtime = Handle::current();
        for pages in 0.. {
            let keys = keys(&page(&[key(pages), key(-1)]));
            let ready = poll_fn(|cx| delivered.poll_ready(cx, &runtime, &keys));
            ready.await.unwrap();
            if let Err(refused) = delivered.record(keys, false) {
                assert_eq!(refused, DeliveredError::Limit);
                // Sixteen bytes for each run.
                assert_eq!(pages, 5);
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
    let limit = 4 * 100 * 34;
    let mut delivered = Delivered::new(limit, Some(directory.path().into()));
    // Another quarter is what an earlier session gave.
    let given = block_on(async {
        let earlier: Vec<_> = (0..188).map(key).collect();
        record(&mut delivered, keys(&page(&earlier))).await.unwrap();
        sort(&mut delivered).await.unwrap()
    });
    assert!(!given.is_on_disk());
    assert_eq!(delivered.memory_bytes(), 188 * 18);

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
    let mut delivered = Delivered::new(2 * 100 * 34, Some(directory.path().into()));
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

/// Keys in one run, and whoever wants them.
fn run(directory: &Path, ids: std::ops::Range<i64>) -> (Run, Arc<()>) {
    let file = spill::create(directory).unwrap();
    let wanted = Arc::new(());
    let keys = keys(&page(&ids.map(key).collect::<Vec<_>>()));
    let run = Run::write(&keys.log, &file, &Arc::downgrade(&wanted)).unwrap();
    (run, wanted)
}

fn lookup(run: Run, id: i64) -> io::Result<bool> {
    let given = Given(vec![Arc::new(Segment::Disk(run))]);
    let mut rows = page(&[key(id)]);
    let left = keys(&rows).leave_out(&given, &mut rows)?;
    Ok(left.1 == 1)
}

#[test]
fn only_the_owner_could_read_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (run, _wanted) = run(directory.path(), 0..10);
    let mode = run.file().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(empty(directory.path()));
}

/// What can't be read was perhaps given, so it must never look as if it was not.
#[test]
fn damage_on_disk_is_an_error_and_never_a_no() {
    let directory = tempfile::tempdir().unwrap();
    type Damage = fn(&File, u64);
    let damages: [(Damage, io::ErrorKind); 4] = [
        (
            |file, length| file.set_len(length - 1).unwrap(),
            io::ErrorKind::UnexpectedEof,
        ),
        (
            |file, _| file.set_len(0).unwrap(),
            io::ErrorKind::UnexpectedEof,
        ),
        (
            |file, length| file.write_all_at(b"?", length / 2).unwrap(),
            io::ErrorKind::InvalidData,
        ),
        (
            // A block where another should be, checksum and all.
            |file, _| {
                let mut block = [0; 4_096];
                file.read_exact_at(&mut block, 0).unwrap();
                file.write_all_at(&block, 4_096).unwrap();
            },
            io::ErrorKind::InvalidData,
        ),
    ];
    for (damage, kind) in damages {
        let (whole, _wanted) = run(directory.path(), 0..1_000);
        let length = whole.disk_bytes();
        damage(whole.file(), length);
        let mut errors = 0;
        let given = Given(vec![Arc::new(Segment::Disk(whole))]);
        for id in 0..1_000 {
            let mut rows = page(&[key(id)]);
            match keys(&rows).leave_out(&given, &mut rows) {
                Ok((_, given)) => assert_eq!(given, 1, "{id} was given"),
                Err(error) => {
                    assert_eq!(error.kind(), kind);
                    errors += 1;
                }
            }
        }
        assert!(errors > 0, "{kind}");
    }
}

#[test]
fn damage_is_noticed_when_runs_become_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut delivered = Delivered::new(8 << 10, Some(directory.path().into()));
    block_on(async {
        give(&mut delivered, 0..3_000).await.unwrap();
        let mut unsorted = delivered.take();
        unsorted.damage(|file| file.write_all_at(b"?", 100).unwrap());
        let error = unsorted.sort().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(
            error.to_string(),
            "the keys on disk were changed since they were written"
        );
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = File::options().read(true).write(true).open("/dev/full");
    let file = Arc::new(full.unwrap());
    let wanted = Arc::new(());
    let keys = keys(&page(&[key(1)]));
    let error = Run::write(&keys.log, &file, &Arc::downgrade(&wanted)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn nobody_writes_what_nobody_wants() {
    let directory = tempfile::tempdir().unwrap();
    let (run, wanted) = run(directory.path(), 0..10);
    let weak = Arc::downgrade(&wanted);
    drop(wanted);
    let file = spill::create(directory.path()).unwrap();
    let error = Run::merge(&[run], &file, &weak).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
}

#[test]
fn a_key_larger_than_a_block_has_one_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let large = |id: i64| key(id).column("text", "x".repeat(9_000));
    let rows = page(&[large(1), large(2), large(3)]);
    let file = spill::create(directory.path()).unwrap();
    let wanted = Arc::new(());
    let run = Run::write(&keys(&rows).log, &file, &Arc::downgrade(&wanted)).unwrap();
    assert_eq!(run.memory_bytes(), 3 * 16);
    let given = Given(vec![Arc::new(Segment::Disk(run))]);
    let mut asked = page(&[large(3), large(4), large(1)]);
    assert_eq!(leave_out(&given, &mut asked), 2);
    assert_eq!(asked, page(&[large(4)]));
}

#[test]
fn an_empty_run_has_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (run, _wanted) = run(directory.path(), 0..0);
    assert_eq!((run.memory_bytes(), run.disk_bytes()), (0, 0));
    assert!(!lookup(run, 1).unwrap());
}

fn value() -> impl Strategy<Value = PrimaryKeyValue> {
    prop_oneof![
        (-3_i64..3).prop_map(PrimaryKeyValue::Integer),
        "[ab\u{1}]{0,3}".prop_map(PrimaryKeyValue::String),
        proptest::collection::vec(0_u8..3, 0..4)
            .prop_map(|bytes| PrimaryKeyValue::Binary(bytes.into())),
        "x{120,140}".prop_map(PrimaryKeyValue::String),
    ]
}

proptest! {
    /// Keys of two columns from so small a world that they repeat, and that their bytes would, were
    /// values not told apart. What is kept in memory, and what is spilled at any bound, gives the
    /// model's answers.
    #[test]
    fn a_set_of_keys_is_a_set_of_keys_in_memory_and_on_disk(
        generations in proptest::collection::vec(
            proptest::collection::vec((value(), value()), 0..60), 1..4),
        asked in proptest::collection::vec((value(), value()), 1..60),
        limit in 2_000_usize..40_000,
    ) {
        let key = |(a, b): &(PrimaryKeyValue, PrimaryKeyValue)| {
            PrimaryKey::new().column("a", a.clone()).column("b", b.clone())
        };
        let directory = tempfile::tempdir().unwrap();
        for spill_to in [None, Some(directory.path().to_owned())] {
            let limit = if spill_to.is_none() { usize::MAX } else { limit };
            let mut delivered = Delivered::new(limit, spill_to);
            let mut model = HashSet::new();
            let given = block_on(async {
                let mut given = Given::default();
                for generation in &generations {
                    let generation: Vec<_> = generation.iter().map(key).collect();
                    for some in generation.chunks(3) {
                        record(&mut delivered, keys(&page(some))).await.unwrap();
                        model.extend(some.iter().map(|key| format!("{key:?}")));
                    }
                    given = sort(&mut delivered).await.unwrap();
                }
                given
            });
            let asked: Vec<_> = asked.iter().map(key).collect();
            let mut rows = page(&asked);
            let suppressed = leave_out(&given, &mut rows);
            let new: Vec<_> =
                asked.iter().filter(|key| !model.contains(&format!("{key:?}"))).cloned().collect();
            prop_assert_eq!(usize::try_from(suppressed).unwrap(), asked.len() - new.len());
            prop_assert_eq!(rows, page(&new));
        }
    }
}
