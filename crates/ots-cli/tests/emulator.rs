//! `ots emulator` as a process: what its options do, and what is left when it ends.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;

use common::{Emulator, Place, Running, run, until};

const KEYS: &str = r#"[
    {"id": "alice", "secret": "a-very-secret-secret"},
    {"id": "bob", "secret": "another", "instances": ["shop"]}
]"#;

#[test]
fn each_access_key_of_a_file_comes_in_and_the_built_in_one_does_not() {
    let place = Place::new();
    place.file("keys.json", KEYS);
    let options = "--listen 0.0.0.0:0 --allow-remote --credentials keys.json";
    let mut emulator = Emulator::at(place, options, |_| {});
    emulator.place.file("f.csv", "id\n1\n");
    let load = "load --table t --create --key id f.csv";
    emulator.run(load).fails(3);
    for (id, secret, instance, code) in [
        ("alice", common::SECRET, "local", 0),
        ("bob", "another", "shop", 0),
        ("bob", "another", "office", 3),
        ("bob", "wrong", "shop", 3),
    ] {
        let mut command = emulator.ots(load.split_whitespace());
        command.env("TABLESTORE_ACCESS_KEY_ID", id);
        command.env("TABLESTORE_ACCESS_KEY_SECRET", secret);
        command.env("OTS_INSTANCE", instance);
        assert_eq!(run(&mut command).code, Some(code), "{id} in {instance}");
    }
    let said = emulator.stop("TERM").succeeds().stderr;
    assert!(
        said.contains("access keys of keys.json: alice, bob"),
        "{said}"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_reason() {
    let place = Place::new();
    place.file(
        "keys.json",
        r#"[{"id": "a", "secret": "a-very-secret-secret", "x": 1}]"#,
    );
    place.file(
        "faults.json",
        r#"{"match": {"op": "GetRows"}, "do": "drop_after"}"#,
    );
    place.file("foreign", "something else altogether");
    for (option, expected) in [
        (
            "--credentials keys.json",
            "the access keys in keys.json can't be used: line 1, column ",
        ),
        (
            "--credentials none.json",
            "the access keys in none.json can't be used: No such file or directory",
        ),
        (
            "--faults faults.json",
            "the fault rules in faults.json can't be used: rule 1: there is no operation GetRows",
        ),
    ] {
        let ran = place.run(&format!("emulator --listen 127.0.0.1:0 {option}"));
        let sentence = ran.only_fails(2);
        assert!(sentence.starts_with(expected), "{sentence}");
    }
    let ran = place.run("emulator --listen 127.0.0.1:0 --restore foreign");
    assert_eq!(
        ran.only_fails(8),
        "the snapshot foreign can't be restored: foreign can't be opened: it was not written by an \
         emulator"
    );
}

#[test]
fn the_faults_of_a_file_are_in_force_from_the_first_request_on() {
    let place = Place::new();
    let rule = r#"{"match": {"op": "CreateTable"}, "do": {"error": {"http": 400, "code": "OTSParameterInvalid", "message": "not today"}}, "times": 1}"#;
    place.file("faults.json", rule);
    let options = "--listen 127.0.0.1:0 --faults faults.json";
    let emulator = Emulator::at(place, options, |_| {});
    emulator.place.file("f.csv", "id\n1\n");
    let load = "load --table t --create --key id f.csv";
    let ran = emulator.run(load);
    assert!(ran.fails(1).contains("not today"), "{}", ran.stderr);
    emulator.run(load).succeeds();
    let (status, faults) = emulator.ask("GET", "/admin/faults", "");
    assert_eq!(status, 200);
    assert!(faults.contains(r#""met":1"#), "{faults}");
}

#[test]
fn a_snapshot_is_taken_while_it_runs_and_restored_into_another() {
    let emulator = Emulator::with("--listen 127.0.0.1:0 --data-dir data", |_| {});
    let emulator = emulator.with_numbers("t", 30);
    let (status, answer) = emulator.ask("POST", "/admin/snapshot", r#"{"name": "before"}"#);
    assert_eq!(status, 200, "{answer}");
    emulator.place.file("more.csv", "id,city\n30,c0\n");
    emulator.run("load --table t --key id more.csv").succeeds();

    let options = "--listen 127.0.0.1:0 --data-dir other --restore data/snapshots/before";
    let place = Place::new();
    let snapshot = emulator.place.path().join("data/snapshots/before");
    let options = options.replace("data/snapshots/before", snapshot.to_str().unwrap());
    let mut other = Emulator::at(place, &options, |_| {});
    let rows = |of: &Emulator| of.run("range --table t --limit 1000").succeeds().stdout;
    assert_eq!(rows(&emulator).lines().count(), 31);
    assert_eq!(rows(&other).lines().count(), 30);
    other.stop("TERM").succeeds();

    // The same command line again must not undo what has happened since.
    let ran = run(&mut other
        .place
        .ots(format!("emulator {options}").split_whitespace()));
    let sentence = ran.only_fails(2);
    let end = "can't be restored: the data directory holds tables; leave --restore out to go on with \
               them, or choose another --data-dir";
    assert!(sentence.ends_with(end), "{sentence}");
}

#[test]
fn a_killed_emulator_has_every_row_when_it_starts_again() {
    let options = "--listen 127.0.0.1:0 --data-dir data";
    let emulator = Emulator::with(options, |_| {}).with_numbers("t", 300);
    let emulator = emulator.killed_and_started_again(options);
    let ran = emulator.run("range --table t --limit 1000").succeeds();
    assert_eq!(ran.stdout.lines().count(), 300);
    assert_eq!(emulator.place.names("data"), ["tablestore.redb"]);
}

/// A limit of the size of files stands in for a disk without room.
#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_what_was_acknowledged_is_kept() {
    use std::process::Stdio;

    let place = Place::new();
    let ots = env!("CARGO_BIN_EXE_ots");
    let script = format!(
        "trap '' XFSZ; ulimit -f 8192; exec {ots} emulator --listen 127.0.0.1:0 --port-file port \
         --data-dir data"
    );
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", &script])
        .env_clear()
        .env("HOME", place.path())
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let running = Running::start(&mut command);
    let port_file = place.path().join("port");
    let port = until("port file", || fs::read_to_string(&port_file).ok());
    let endpoint = format!("http://127.0.0.1:{port}");
    let load = |file: &str, create: &str| {
        let words = format!("load --table t {create} --key id --endpoint {endpoint} {file}");
        place.run(&words)
    };
    place.file("few.csv", common::numbers(100));
    load("few.csv", "--create").succeeds();
    // 4 MiB hold no 60,000 rows of more than 100 bytes.
    place.file("many.csv", common::numbers(60_000));
    let ran = load("many.csv", "");
    let sentence = ran.fails(1);
    assert!(
        sentence.contains("The emulator's data directory has failed: "),
        "{sentence}"
    );
    let end = "It takes no changes until it is started again.";
    assert!(sentence.contains(end), "{sentence}");
    assert!(sentence.contains("File too large"), "{sentence}");
    running.signal("TERM");
    running.ends().succeeds();

    // With room again, what was acknowledged is there.
    let emulator = Emulator::at(place, "--listen 127.0.0.1:0 --data-dir data", |_| {});
    let ran = emulator.run("range --table t --limit 100").succeeds();
    assert_eq!(ran.stdout.lines().count(), 100);
    emulator.run("load --table t --key id few.csv").succeeds();
}

#[test]
fn a_request_under_way_is_answered_before_it_ends() {
    let place = Place::new();
    place.file(
        "faults.json",
        r#"{"match": {"op": "GetRange"}, "do": {"delay": {"ms": 1500}}}"#,
    );
    let options = "--listen 127.0.0.1:0 --faults faults.json";
    let mut emulator = Emulator::at(place, options, |_| {}).with_numbers("t", 3);
    let range = Running::start(&mut emulator.ots(["range", "--table", "t"]));
    until("request under way", || {
        let (_, faults) = emulator.ask("GET", "/admin/faults", "");
        faults.contains(r#""met":1"#).then_some(())
    });
    emulator.stop("TERM").succeeds();
    assert_eq!(range.ends().succeeds().stdout.lines().count(), 3);
}

#[test]
fn a_strict_emulator_serves_too_and_its_indexes_catch_up_by_the_clock() {
    // An hour, since the computer's own clock goes on, too.
    let options = "--listen 127.0.0.1:0 --profile strict --index-delay 3600000";
    let emulator = Emulator::with(options, |_| {}).with_numbers("t", 3);
    let found = || {
        let ran = emulator.run("search --table t --index i").succeeds();
        ran.stdout.lines().count()
    };
    assert_eq!(found(), 0);
    let (status, clock) = emulator.ask("POST", "/admin/clock/advance", r#"{"ms": 3600000}"#);
    assert_eq!(status, 200);
    assert!(clock.contains(r#""advanced_ms":3600000"#), "{clock}");
    assert_eq!(found(), 3);
    let ran = emulator.place.run("emulator --profile loose");
    let sentence = ran.is_refused();
    assert!(
        sentence.contains("[possible values: lenient, strict]"),
        "{sentence}"
    );
}
