//! The folder of an export that can be gone on with: wherever the process ends, the journal and the
//! files agree.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs;
use std::path::Path;

use ots_cli::sink::{ErrorKind, FinishedPart, Format, KeptPart, Staging};
use tempfile::{TempDir, tempdir};

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn part(staging: &Staging, round: u32) -> FinishedPart {
    let mut part = staging.parts().open(0, round, None).unwrap();
    part.write_lines("{}\n", 1).unwrap();
    part.finish().unwrap()
}

/// Two finished parts that a journal names.
fn interrupted(place: &TempDir) -> Vec<KeptPart> {
    let mut staging = Staging::begin(place.path().join("o"), Format::Jsonl).unwrap();
    let kept = staging.keep([part(&staging, 0), part(&staging, 1)]);
    staging.write_journal(b"two parts", true).unwrap();
    kept
}

fn reopened(place: &TempDir) -> Staging {
    let (staging, journal) = Staging::reopen(place.path().join("o"), Format::Jsonl).unwrap();
    assert_eq!(journal, b"two parts");
    staging
}

#[test]
fn what_is_not_worth_keeping_goes_away_with_what_was_created() {
    let place = tempdir().unwrap();
    let out = place.path().join("a/b");
    let mut staging = Staging::begin(&out, Format::Jsonl).unwrap();
    staging.write_journal(b"nothing yet", false).unwrap();
    let open = staging.parts().open(0, 0, None).unwrap();
    drop((open, staging));
    assert_eq!(names(place.path()), [""; 0]);
}

#[test]
fn parts_that_the_journal_does_not_name_were_never_written() {
    let place = tempdir().unwrap();
    let kept = interrupted(&place);
    let staging = reopened(&place);
    // Finished and kept, but the process ended before the journal named it.
    let unnamed = staging.keep([part(&staging, 2)]);
    drop(staging);
    fs::write(place.path().join("o/.ots-export/journal.new"), "half a jou").unwrap();
    let staging = reopened(&place);
    staging.check(&kept).unwrap();
    let staged = names(staging.path());
    let expected = [
        "journal",
        "lock",
        "part-00000-00000.jsonl.partial",
        "part-00000-00001.jsonl.partial",
    ];
    assert_eq!(staged, expected);
    // So its name is free.
    let again = staging.keep([part(&staging, 2)]);
    assert_eq!(again, unnamed);
}

#[test]
fn an_export_that_ended_while_it_gave_out_names_is_finished() {
    for renamed in 0..=2 {
        let place = tempdir().unwrap();
        let kept = interrupted(&place);
        let out = place.path().join("o");
        for part in &kept[..renamed] {
            let staged = out
                .join(".ots-export")
                .join(format!("{}.partial", part.name));
            fs::rename(staged, out.join(&part.name)).unwrap();
        }
        let staging = reopened(&place);
        staging.check(&kept).unwrap();
        let committed = staging.commit(&kept).unwrap();
        assert_eq!(committed.len(), 2);
        assert_eq!(
            names(&out),
            ["part-00000-00000.jsonl", "part-00000-00001.jsonl"]
        );
    }
}

#[test]
fn names_that_are_taken_leave_nothing_half_named() {
    let place = tempdir().unwrap();
    let kept = interrupted(&place);
    let staging = reopened(&place);
    staging.check(&kept).unwrap();
    let stranger = place.path().join("o/part-00000-00001.jsonl");
    fs::write(&stranger, "").unwrap();
    let error = staging.commit(&kept).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlreadyThere { path } if *path == stranger));
    assert_eq!(
        names(&place.path().join("o")),
        [".ots-export", "part-00000-00001.jsonl"]
    );
    // And can be gone on with.
    fs::remove_file(stranger).unwrap();
    let staging = reopened(&place);
    staging.check(&kept).unwrap();
    assert_eq!(staging.commit(&kept).unwrap().len(), 2);
}

#[test]
fn parts_of_another_export_are_noticed_in_the_end() {
    let place = tempdir().unwrap();
    let kept = interrupted(&place);
    let staging = reopened(&place);
    // Another name and another format: they would be read together all the same.
    let stranger = place.path().join("o/part-00007-00000.parquet");
    fs::write(&stranger, "").unwrap();
    let error = staging.commit(&kept).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlreadyThere { path } if *path == stranger));
    assert_eq!(
        names(&place.path().join("o")),
        [".ots-export", "part-00007-00000.parquet"]
    );
    fs::remove_file(stranger).unwrap();
    assert_eq!(reopened(&place).commit(&kept).unwrap().len(), 2);
}

#[test]
fn an_export_is_begun_or_gone_on_with_and_never_both() {
    let place = tempdir().unwrap();
    let out = place.path().join("o");
    let nothing = Staging::reopen(&out, Format::Jsonl).unwrap_err();
    assert!(matches!(nothing.kind(), ErrorKind::NothingStaged { .. }));
    let begun = Staging::begin(&out, Format::Jsonl).unwrap();
    let error = Staging::begin(&out, Format::Jsonl).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}");
    drop(begun);
    let _kept = interrupted(&place);
    let error = Staging::begin(&out, Format::Jsonl).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unfinished { .. }),
        "{error}"
    );
    let first = reopened(&place);
    let error = Staging::reopen(&out, Format::Jsonl).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}");
    drop(first);
    // One that was killed before it had a journal is in nobody's way.
    fs::remove_file(out.join(".ots-export/journal")).unwrap();
    let staging = Staging::begin(&out, Format::Jsonl).unwrap();
    assert_eq!(names(staging.path()), ["lock"]);
}
