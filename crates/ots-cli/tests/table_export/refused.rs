//! What can't be gone on with.

use super::*;

/// What an export left that was stopped in the middle.
fn stopped() -> Emulator {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let (_proxy, export) = hanging(&emulator, 2_500_000, "");
    export.signal("INT");
    export.ends().fails(130);
    emulator
}

#[test]
fn a_journal_that_was_cut_or_changed_is_refused() {
    let emulator = stopped();
    let path = staging(&emulator).join("journal");
    let journal = fs::read(&path).unwrap();
    let middle = journal.len() / 2;
    let mut flipped = journal.clone();
    flipped[middle] ^= 1;
    let cases = [
        (&journal[..middle], "its checksum doesn't fit"),
        (&journal[..journal.len() - 1], "its checksum doesn't fit"),
        (&flipped[..], "its checksum doesn't fit"),
        (&b""[..], "it begins otherwise, or another version wrote it"),
        (&b"\xff"[..], "it isn't text"),
    ];
    for (bytes, problem) in cases {
        fs::write(&path, bytes).unwrap();
        let ran = export(&emulator, "--resume");
        let expected = format!(
            "export of table \"t\" can't be gone on with: o/.ots-export/journal: this is no journal of \
             an export: {problem}; remove o/.ots-export and begin anew"
        );
        assert_eq!(ran.only_fails(9), expected);
    }
    fs::write(&path, journal).unwrap();
    export(&emulator, "--resume").succeeds();
    assert_whole(&emulator);
}

#[test]
fn other_options_are_refused_and_named() {
    let emulator = stopped();
    let begun = |words: &str| emulator.run(&format!("export --table t --out o --resume {words}"));
    let ran = begun("--format jsonl");
    assert_eq!(
        ran.only_fails(2),
        "export of table \"t\" can't be gone on with: it was begun with --columns \
         city:STRING,text:STRING, --format csv; give the same options, or remove o/.ots-export and \
         begin anew"
    );
    let ran = begun("--format csv --columns city:STRING,text:STRING --start-pk {\"id\":7}");
    assert!(
        ran.only_fails(2)
            .contains(" it was begun with no --start-pk; ")
    );
    emulator
        .run("load --table u --create --key id numbers.csv")
        .succeeds();
    let ran = emulator.run(&format!("export --table u --out o --resume {OPTIONS}"));
    assert!(
        ran.only_fails(2).contains(" it was begun with "),
        "{}",
        ran.stderr
    );
    // How it is read may be another way.
    export(&emulator, "--resume --parallel 1").succeeds();
    assert_whole(&emulator);
}

#[test]
fn files_that_are_gone_or_strange_are_refused() {
    let emulator = stopped();
    let part = common::names(&staging(&emulator));
    let part = part.iter().find(|name| name.starts_with("part-")).unwrap();
    let part = staging(&emulator).join(part);
    let text = fs::read(&part).unwrap();
    fs::remove_file(&part).unwrap();
    let ran = export(&emulator, "--resume");
    let changed = |ran: &Ran, how: &str| {
        let changed = format!(
            " isn't as it was when the export was interrupted: {how}; remove the hidden folder \
             .ots-export there, and begin anew"
        );
        assert!(ran.only_fails(9).ends_with(&changed), "{}", ran.stderr);
    };
    changed(&ran, "it is gone");
    fs::write(&part, &text[1..]).unwrap();
    let (is, was) = (text.len() - 1, text.len());
    let how = format!("it has {is} bytes instead of {was}");
    changed(&export(&emulator, "--resume"), &how);
    // As a disk that forgets does it: the size is as it was.
    let mut damaged = text.clone();
    damaged[was / 2] ^= 1;
    fs::write(&part, &damaged).unwrap();
    let [is, was] = [&damaged, &text].map(|bytes| ots_cli::sink::Checksum::of(bytes));
    let how = format!("its checksum is {is} instead of {was}");
    changed(&export(&emulator, "--resume"), &how);
    fs::write(&part, &text).unwrap();
    emulator.place.file("o/part-7.csv", "");
    let ran = export(&emulator, "--resume");
    assert!(
        ran.only_fails(8)
            .contains("o/part-7.csv is already there: ")
    );
    fs::remove_file(emulator.place.path().join("o/part-7.csv")).unwrap();
    export(&emulator, "--resume").succeeds();
    assert_whole(&emulator);
}

#[test]
fn a_new_export_does_not_write_over_one_that_was_interrupted() {
    let emulator = stopped();
    for words in ["", "--index i"] {
        let ran = emulator.run(&format!("export --table t --out o {words}"));
        let sentence = ran.only_fails(8);
        let expected = "o/.ots-export holds an export that was interrupted: go on with it by \
                        --resume, or remove it";
        assert!(sentence.ends_with(expected), "{sentence}");
    }
    export(&emulator, "--resume").succeeds();
    assert_whole(&emulator);
}

#[test]
fn nothing_to_go_on_with_is_a_mistake() {
    let emulator = Emulator::start().with_numbers("t", 10);
    let nothing = "export of table \"t\" can't be gone on with: o holds no interrupted export; check \
                   --out, or leave --resume out to begin one";
    assert_eq!(export(&emulator, "--resume").only_fails(2), nothing);
    export(&emulator, "").succeeds();
    let finished = "export of table \"t\" can't be gone on with: o holds a finished export, and none that \
                    was interrupted; choose another --out";
    assert_eq!(export(&emulator, "--resume").only_fails(2), finished);
    let ran = export(&emulator, "");
    assert!(ran.only_fails(8).contains(" is already there: "));
}

#[test]
fn two_processes_do_not_write_the_same_export() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let (proxy, first) = hanging(&emulator, 1_500_000, "");
    for resume in ["", "--resume"] {
        let ran = export(&emulator, resume);
        let expected =
            "another process is writing to o/.ots-export; wait for it, or choose another --out";
        assert!(ran.only_fails(8).ends_with(expected), "{}", ran.stderr);
    }
    proxy.goes_on();
    first.ends().succeeds();
    assert_whole(&emulator);
}

#[test]
fn a_table_that_was_deleted_and_created_anew_is_another_one() {
    let emulator = stopped();
    assert_eq!(emulator.ask("POST", "/admin/reset", "").0, 200);
    emulator
        .run("load --table t --create --key id numbers.csv")
        .succeeds();
    let ran = export(&emulator, "--resume");
    let problem = " it was begun with a table of this name that was deleted since; ";
    assert!(ran.only_fails(2).contains(problem), "{}", ran.stderr);
    assert_nothing_final(&emulator);
}
