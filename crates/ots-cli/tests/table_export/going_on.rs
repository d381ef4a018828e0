//! Exports that are interrupted, and go on.

use super::*;

#[test]
fn an_interrupted_export_goes_on_with_the_command_that_it_says() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let mut rows = 0;
    let mut sentence = String::new();
    for (signal, code, bytes) in [("INT", 130, 2_000_000), ("TERM", 143, 1_500_000)] {
        let resume = if rows == 0 { "" } else { "--resume" };
        let (proxy, export) = hanging(&emulator, bytes, resume);
        export.signal(signal);
        let ran = export.ends();
        sentence = ran.fails(code).to_owned();
        let start = "export of table \"t\" stopped after ";
        let (now, command) = sentence
            .strip_prefix(start)
            .and_then(|rest| rest.split_once(" rows; go on with: "))
            .unwrap_or_else(|| panic!("{sentence}"));
        let now: usize = now.replace(',', "").parse().unwrap();
        assert!(now > rows && now < ROWS, "{sentence}");
        assert!(command.ends_with(" --resume"), "{sentence}");
        rows = now;
        assert_nothing_final(&emulator);
        drop(proxy);
    }
    let said = run_advised(&emulator, &sentence).succeeds().stderr;
    let note = format!(
        "note: export of table \"t\" goes on after {} rows\n",
        common::grouped(rows)
    );
    assert!(said.starts_with(&note), "{said}");
    let now = common::grouped(ROWS - rows);
    let summary = format!("exported 20,000 rows, {now} of them now, in ");
    assert!(said.contains(&summary), "{said}");
    assert_whole(&emulator);
}

#[test]
fn an_export_that_is_killed_anywhere_goes_on_to_exactly_the_table() {
    let emulator = emulator_with(&faults([
        (2, r#""drop_after""#),
        (5, r#""corrupt_checksum""#),
        (8, r#""bad_md5""#),
    ]));
    let lies = |name: &str| emulator.place.path().join("o").join(name).exists();
    // One that is decided needs its command once more, and any will do.
    let is_done = || lies("_SUCCESS") && !lies(".ots-export/commit");
    let resume = || match lies(".ots-export/journal") {
        true => "--resume",
        false => "",
    };
    // Wherever the kill falls, also into the beginning or behind the end, the result is the same.
    for wait_ms in [0, 10, 40, 60, 80, 100, 130, 170, 220, 300] {
        if is_done() {
            break;
        }
        let words = format!(
            "export --table t --out o {OPTIONS} --parallel 1 {}",
            resume()
        );
        let export = Running::start(&mut emulator.ots(words.split_whitespace()));
        thread::sleep(Duration::from_millis(wait_ms));
        export.signal("KILL");
        export.ends();
    }
    if !is_done() {
        export(&emulator, resume()).succeeds();
    }
    // Killed when all was done but for the empty folder.
    fs::remove_dir_all(staging(&emulator)).ok();
    assert_whole(&emulator);
}

#[test]
fn an_export_that_is_killed_after_some_rounds_keeps_them() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let (_proxy, export) = hanging(&emulator, 2_500_000, "");
    export.signal("KILL");
    export.ends();
    assert_nothing_final(&emulator);
    let said = self::export(&emulator, "--resume").succeeds().stderr;
    assert!(
        said.starts_with("note: export of table \"t\" goes on after "),
        "{said}"
    );
    assert!(said.contains(" of them now, in "), "{said}");
    assert_whole(&emulator);
}

#[test]
fn a_service_that_is_gone_for_good_leaves_an_export_to_go_on_with() {
    let emulator = emulator_with(
        r#"{"match": {"op": "GetRange", "nth": 4}, "do": {"error": {"code": "OTSParameterInvalid", "http": 400, "message": "enough"}}, "times": 1}"#,
    );
    let ran = export(&emulator, "--parallel 1");
    let sentence = ran.fails(1);
    assert!(sentence.contains(" stopped after "), "{sentence}");
    assert_nothing_final(&emulator);
    run_advised(&emulator, sentence).succeeds();
    assert_whole(&emulator);
}

#[test]
fn whatever_goes_wrong_a_table_comes_with_exactly_its_rows() {
    // Requests are counted however often they are sent, so each of these is met.
    let rules = faults([
        (1, r#""drop_before""#),
        (2, r#""drop_after""#),
        (4, r#"{"truncate": {"bytes": 700}}"#),
        (5, r#""bad_md5""#),
        (7, r#""corrupt_checksum""#),
        (8, r#""throttle""#),
    ]);
    let emulator = emulator_with(&rules);
    export(&emulator, "").succeeds();
    assert_whole(&emulator);
}

#[test]
fn an_export_outlives_a_service_that_is_killed_and_comes_back() {
    let options = "--listen 127.0.0.1:0 --data-dir data";
    let emulator = Emulator::with(options, |_| {}).with_numbers("t", ROWS);
    let (proxy, export) = hanging(&emulator, 1_500_000, "");
    proxy.leads_nowhere();
    let emulator = emulator.killed_and_started_again(options);
    proxy.leads_to(emulator.port);
    proxy.goes_on();
    export.ends().succeeds();
    assert_whole(&emulator);
}

#[test]
fn a_full_disk_keeps_what_was_finished_and_goes_on_when_there_is_room() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    // Whoever may not mount has seen a full disk in the tests of the sink.
    let Some(disk) = SmallDisk::mount(&emulator.place) else {
        return;
    };
    let ran = emulator.run(&format!(
        "export --table t --out disk/o {OPTIONS} --parallel 1"
    ));
    let sentence = ran.only_fails(8);
    assert!(
        sentence.contains(" of them kept: no space left to write disk/o/"),
        "{sentence}"
    );
    let advice = "; free some space; go on with: ";
    assert!(sentence.contains(advice), "{sentence}");
    assert_eq!(emulator.place.names("disk/o"), [".ots-export"]);
    disk.grow();
    run_advised(&emulator, sentence).succeeds();
    assert_eq!(by("id", exported(&emulator, "disk/o")).len(), ROWS);
}

#[test]
fn a_disk_that_takes_no_more_files_keeps_what_was_finished() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let mut said = Vec::new();
    for files in 1..50 {
        let options = format!("size=64m,nr_inodes={files}");
        let Some(disk) = SmallDisk::with(&emulator.place, &options) else {
            return;
        };
        let ran = emulator.run(&format!(
            "export --table t --out disk/o {OPTIONS} --parallel 1"
        ));
        if ran.code == Some(0) {
            assert_eq!(by("id", exported(&emulator, "disk/o")).len(), ROWS);
            break;
        }
        let sentence = ran.only_fails(8);
        assert!(
            sentence.contains("no space left to write disk/o"),
            "{sentence}"
        );
        said.push(sentence.to_owned());
        if emulator.place.names("disk").is_empty() {
            continue;
        }
        assert_eq!(emulator.place.names("disk/o"), [".ots-export"]);
        disk.grow();
        run_advised(&emulator, sentence).succeeds();
        assert_eq!(by("id", exported(&emulator, "disk/o")).len(), ROWS);
    }
    assert!(said.len() < 49, "{said:#?}");
    for place in ["/lock:", "/journal:", "/_SUCCESS:"] {
        let is_said = said.iter().any(|sentence| sentence.contains(place));
        assert!(is_said, "{place} in {said:#?}");
    }
}

#[test]
fn an_export_goes_on_with_a_service_that_was_killed_in_between() {
    let options = "--listen 127.0.0.1:0 --data-dir data";
    let emulator = Emulator::with(options, |_| {}).with_numbers("t", ROWS);
    let (proxy, export) = hanging(&emulator, 1_500_000, "");
    export.signal("INT");
    let ran = export.ends();
    let sentence = ran.fails(130);
    drop(proxy);
    // The same table, and by another operation: neither matters.
    let emulator = emulator.killed_and_started_again(options);
    let sentence = sentence.replace(" --resume", " --resume --read-by auto");
    run_advised(&emulator, &sentence).succeeds();
    assert_whole(&emulator);
}

#[test]
fn a_second_signal_leaves_what_was_finished() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let (_proxy, export) = hanging(&emulator, 2_500_000, "");
    // Both are there when it goes on. Seldom it is done in good order before it takes the second.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        export.signal(signal);
    }
    let Ran { code, stderr, .. } = export.ends();
    assert!(matches!(code, Some(130 | 143)), "{code:?}: {stderr}");
    let said = "ots: stopped at once: an export may leave a hidden folder .ots-export behind, with what \
                --resume goes on with";
    let is_said = stderr.starts_with(said) || stderr.contains("; go on with: ");
    assert!(is_said, "{stderr}");
    assert_nothing_final(&emulator);
    self::export(&emulator, "--resume").succeeds();
    assert_whole(&emulator);
}
