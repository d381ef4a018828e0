//! Exports from a service where things go wrong: exactly the right rows, or no file.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;

use common::{Emulator, Ran, Running, Stalling};

const ROWS: usize = 30_000;

/// An emulator with rows, whose requests meet these rules from now on.
fn emulator_with(faults: &str) -> Emulator {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let (status, answer) = emulator.ask("POST", "/admin/faults", faults);
    assert_eq!(status, 200, "{answer}");
    emulator
}

fn export(emulator: &Emulator, options: &str) -> Ran {
    let words = "export --table t --index i --format csv --out o --progress none";
    emulator.run(&format!("{words} {options}"))
}

/// Every row once, and nothing else in the directory.
fn assert_whole(emulator: &Emulator) {
    let names = emulator.place.parts("o");
    assert!(
        names.iter().all(|name| name.starts_with("part-")),
        "{names:?}"
    );
    let mut ids: Vec<usize> = Vec::new();
    for name in names {
        let text = fs::read_to_string(emulator.place.path().join("o").join(name)).unwrap();
        let lines = text.lines().skip(1);
        ids.extend(lines.map(|line| line.split(',').next().unwrap().parse::<usize>().unwrap()));
    }
    ids.sort_unstable();
    assert_eq!(ids.len(), ROWS);
    assert!(ids.into_iter().eq(0..ROWS));
}

fn assert_no_file(emulator: &Emulator) {
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn an_export_begins_anew_when_its_session_is_lost() {
    // Once soon, and once more after most of it was read again.
    let emulator = emulator_with(
        r#"[{"match": {"op": "ParallelScan", "nth": 4}, "do": "expire_session"},
            {"match": {"op": "ParallelScan", "nth": 16}, "do": "expire_session"}]"#,
    );
    let said = export(&emulator, "").succeeds().stderr;
    let notes: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("note: "))
        .collect();
    assert_eq!(notes.len(), 2, "{said}");
    for (note, times) in notes.iter().zip(["(1 of 3 times)", "(2 of 3 times)"]) {
        assert!(note.contains("the session was lost on split "), "{note}");
        assert!(
            note.contains(times) && note.contains("OTSSessionExpired"),
            "{note}"
        );
    }
    assert!(said.contains("exported 30,000 rows in "), "{said}");
    assert_whole(&emulator);
}

#[test]
fn an_export_begins_anew_as_often_as_it_may_and_no_more() {
    let always = r#"{"match": {"op": "ParallelScan", "split": 1}, "do": "expire_session"}"#;
    for (restarts, notes) in [("0", 0), ("2", 2)] {
        let emulator = emulator_with(always);
        let ran = export(&emulator, &format!("--restarts {restarts}"));
        let said = ran.fails(6).to_owned();
        // Whichever split asks first after the session is gone is told.
        assert!(said.contains(" session expired on split "), "{said}");
        assert_eq!(
            ran.stderr.matches("note: ").count(),
            notes,
            "{}",
            ran.stderr
        );
        assert_no_file(&emulator);
    }
}

#[test]
fn a_damaged_page_is_asked_for_again_before_the_export_fails() {
    let emulator =
        emulator_with(r#"{"match": {"op": "ParallelScan", "nth": 3}, "do": "corrupt_checksum"}"#);
    let said = export(&emulator, "").succeeds().stderr;
    assert!(said.contains(" 1 retry, 0 restarts;"), "{said}");
    assert_whole(&emulator);

    let emulator =
        emulator_with(r#"{"match": {"op": "ParallelScan", "split": 2}, "do": "corrupt_checksum"}"#);
    let ran = export(&emulator, "");
    let said = ran.only_fails(9);
    assert!(said.contains(" of split 2 of 3 can't be decoded"), "{said}");
    assert_no_file(&emulator);
}

#[test]
fn whatever_goes_wrong_an_export_has_exactly_the_right_rows() {
    // Each a few times: not as often as a call is tried.
    let scan = |what: &str, probability: f64| {
        format!(
            r#"{{"match": {{"op": "ParallelScan", "prob": {probability}}}, "do": {what}, "times": 3}}"#
        )
    };
    let faults = [
        scan(r#""drop_before""#, 0.05),
        scan(r#""drop_after""#, 0.05),
        scan(r#"{"truncate": {"bytes": 700}}"#, 0.05),
        scan(r#""bad_md5""#, 0.05),
        // A page is asked for again twice: not often enough to meet it three times.
        r#"{"match": {"op": "ParallelScan", "prob": 0.1}, "do": "corrupt_checksum", "times": 2}"#
            .to_owned(),
        scan(r#""empty_page""#, 0.1),
        scan(r#""throttle""#, 0.05),
        r#"{"match": {"op": "ParallelScan", "nth": 20}, "do": "expire_session"}"#.to_owned(),
    ];
    let emulator = emulator_with(&format!("[{}]", faults.join(",")));
    export(&emulator, "").succeeds();
    assert_whole(&emulator);
}

#[test]
fn an_export_outlives_a_service_that_is_killed_and_comes_back() {
    let options = "--listen 127.0.0.1:0 --data-dir data";
    let emulator = Emulator::with(options, |_| {}).with_numbers("t", ROWS);
    // Enough for some pages, not for all.
    let proxy = Stalling::new(emulator.port, 1_000_000);
    let words = "export --table t --index i --format csv --out o --progress none --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let export = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    proxy.leads_nowhere();
    let emulator = emulator.killed_and_started_again(options);
    proxy.leads_to(emulator.port);
    proxy.goes_on();
    let said = export.ends().succeeds().stderr;
    assert!(said.contains("the session was lost on split "), "{said}");
    assert_whole(&emulator);
}
