//! Keys in a file: what is wrong with it is told. Files are damaged here as unix lets one.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

use super::*;

/// Keys in one run, and whoever wants them.
fn run(directory: &Path, ids: std::ops::Range<i64>) -> (Run, Arc<()>) {
    let file = spill::create(directory).unwrap();
    let wanted = Arc::new(());
    let keys = keys(&page(&ids.map(key).collect::<Vec<_>>()));
    let run = Run::write(&log(&keys), &file, &Arc::downgrade(&wanted)).unwrap();
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
    let error = Run::write(&log(&keys), &file, &Arc::downgrade(&wanted)).unwrap_err();
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
    let run = Run::write(&log(&keys(&rows)), &file, &Arc::downgrade(&wanted)).unwrap();
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
