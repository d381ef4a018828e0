//! Files that are written.

use super::*;

#[test]
fn an_output_directory_in_use_or_in_the_way_is_left_as_it_is() {
    let emulator = Emulator::start().with_numbers("t", 10);
    emulator.place.file("file", "in the way");
    emulator
        .run("export --table t --index i --out o --format csv")
        .succeeds();
    let before = emulator.place.names("o");
    for (out, expected) in [
        ("file", "can't create file: "),
        ("file/below", "can't create file/below: "),
        ("o", "o/part-0000"),
    ] {
        let ran = emulator.run(&format!("export --table t --index i --out {out}"));
        let sentence = ran.only_fails(8);
        let start = format!("export of index \"i\" of table \"t\": {expected}");
        assert!(sentence.starts_with(&start), "{sentence}");
    }
    assert_eq!(emulator.place.names("o"), before);
}

/// Whether this user is held back by permissions; root isn't.
fn permissions_matter(place: &Place) -> bool {
    let directory = place.path().join("locked");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, read_only()).unwrap();
    File::create(directory.join("probe")).is_err()
}

fn read_only() -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    Permissions::from_mode(0o555)
}

#[test]
fn a_directory_that_may_not_be_written_is_said() {
    let emulator = Emulator::start().with_numbers("t", 10);
    if !permissions_matter(&emulator.place) {
        return;
    }
    for (out, index) in [
        ("locked", "--index i"),
        ("locked/below", "--index i"),
        ("locked", ""),
        ("locked/below", ""),
    ] {
        let ran = emulator.run(&format!("export --table t {index} --out {out}"));
        let sentence = ran.only_fails(8);
        assert!(sentence.contains("Permission denied"), "{sentence}");
    }
}

#[test]
fn a_full_disk_leaves_no_file_and_says_what_to_do() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    // Whoever may not mount has seen a full disk in the tests of the sink.
    let Some(_disk) = SmallDisk::mount(&emulator.place) else {
        return;
    };
    for format in ["csv", "jsonl"] {
        let ran = emulator.run(&format!(
            "export --table t --index i --format {format} --out disk/o"
        ));
        let sentence = ran.only_fails(8);
        assert!(
            sentence.contains(" rows: no space left to write disk/o/part-0000"),
            "{sentence}"
        );
        let end =
            ": No space left on device (os error 28); free some space or choose another --out";
        assert!(sentence.ends_with(end), "{sentence}");
        assert_eq!(emulator.place.names("disk"), [""; 0]);
    }
}

#[test]
fn a_full_standard_output_is_said() {
    let emulator = Emulator::start().with_numbers("t", 10);
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let ran = run(emulator.ots(["range", "--table", "t"]).stdout(full));
    assert_eq!(
        ran.only_fails(8),
        "range of table \"t\": standard output can't be written: No space left on device (os error 28)"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let emulator = Emulator::start().with_numbers("t", 20_000);
    let mut range = Running::start(&mut emulator.ots(["range", "--table", "t"]));
    let mut lines = BufReader::new(range.stdout()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("{\"id\":0,"), "{first}");
    drop(lines);
    let ran = range.ends().succeeds();
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let emulator = Emulator::start().with_numbers("t", 10);
    for (words, code) in [
        ("quickstart --out q", 0),
        ("export --table t --index i --out o", 0),
        ("range --table nope", 4),
    ] {
        let mut running = Running::start(&mut emulator.ots(words.split_whitespace()));
        drop(running.stderr());
        assert_eq!(running.ends().code, Some(code), "{words}");
    }
    assert_eq!(emulator.place.parts("q").len(), 4);
    assert_eq!(emulator.place.parts("o").len(), 3);
}
