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

use ots_cli::sink::{Change, Checksum, ErrorKind, FinishedPart, Format, KeptPart, Staging};
use serde_json::Map;
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
fn parts_that_were_changed_are_refused_to_the_last_byte() {
    let place = tempdir().unwrap();
    let kept = interrupted(&place);
    let path = place
        .path()
        .join("o/.ots-export/part-00000-00001.jsonl.partial");
    let sum = |text: &str| Checksum::of(text.as_bytes());
    let refused = |text: Option<&str>| {
        match text {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = reopened(&place).check(&kept).unwrap_err();
        let ErrorKind::Changed { path: told, change } = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(*told, path);
        let start = format!(
            "{} isn't as it was when the export was interrupted: ",
            path.display()
        );
        (change.clone(), error.to_string().replace(&start, ""))
    };
    let (change, text) = refused(Some("{}"));
    assert_eq!(text, "it has 2 bytes instead of 3");
    let (expected_bytes, found_bytes) = (3, 2);
    let size = Change::Size {
        expected_bytes,
        found_bytes,
    };
    assert_eq!(change, size);
    let (expected, found) = (sum("{}\n"), sum("{|\n"));
    let (change, text) = refused(Some("{|\n"));
    assert_eq!(change, Change::Content { expected, found });
    assert_eq!(
        text,
        format!("its checksum is {found} instead of {expected}")
    );
    let (change, text) = refused(None);
    assert_eq!(change, Change::Gone);
    assert_eq!(text, "it is gone");
    // Nothing was taken away meanwhile.
    fs::write(&path, "{}\n").unwrap();
    reopened(&place).check(&kept).unwrap();
}

#[test]
fn names_that_are_taken_leave_nothing_half_named() {
    let place = tempdir().unwrap();
    let kept = interrupted(&place);
    let staging = reopened(&place);
    staging.check(&kept).unwrap();
    let stranger = place.path().join("o/part-00000-00001.jsonl");
    fs::write(&stranger, "").unwrap();
    let error = staging.commit(kept.clone(), Map::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlreadyThere { path } if *path == stranger));
    assert_eq!(
        names(&place.path().join("o")),
        [".ots-export", "part-00000-00001.jsonl"]
    );
    // And can be gone on with.
    fs::remove_file(stranger).unwrap();
    let staging = reopened(&place);
    staging.check(&kept).unwrap();
    assert_eq!(staging.commit(kept, Map::new()).unwrap().len(), 2);
    assert_eq!(
        names(&place.path().join("o")),
        [
            "_SUCCESS",
            "part-00000-00000.jsonl",
            "part-00000-00001.jsonl"
        ]
    );
}

#[test]
fn parts_of_another_export_are_noticed_in_the_end() {
    let place = tempdir().unwrap();
    let kept = interrupted(&place);
    let staging = reopened(&place);
    // Another name and another format: they would be read together all the same.
    let stranger = place.path().join("o/part-00007-00000.parquet");
    fs::write(&stranger, "").unwrap();
    let error = staging.commit(kept.clone(), Map::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlreadyThere { path } if *path == stranger));
    assert_eq!(
        names(&place.path().join("o")),
        [".ots-export", "part-00007-00000.parquet"]
    );
    fs::remove_file(stranger).unwrap();
    assert_eq!(reopened(&place).commit(kept, Map::new()).unwrap().len(), 2);
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
