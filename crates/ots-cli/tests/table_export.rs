//! Tables exported without an index: every row once, whatever happens, or a command to go on with.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::disk::SmallDisk;
use common::{Emulator, Ran, Running, Stalling, batches_as_json, by, lines, parquet_rows, run};
use serde_json::Value;

const ROWS: usize = 20_000;

/// Types that save a look at the rows, and files that are finished often.
const OPTIONS: &str =
    "--format csv --columns city:STRING,text:STRING --checkpoint-rows 5000 --progress none";

fn emulator_with(faults: &str) -> Emulator {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let (status, answer) = emulator.ask("POST", "/admin/faults", faults);
    assert_eq!(status, 200, "{answer}");
    emulator
}

fn export(emulator: &Emulator, options: &str) -> Ran {
    emulator.run(&format!("export --table t --out o {OPTIONS} {options}"))
}

fn staging(emulator: &Emulator) -> PathBuf {
    emulator.place.path().join("o/.ots-export")
}

/// Every row once, and nothing else in the directory.
#[track_caller]
fn assert_whole(emulator: &Emulator) {
    let names = emulator.place.names("o");
    assert!(
        names.iter().all(|name| name.starts_with("part-")),
        "{names:?}"
    );
    let mut ids: Vec<usize> = Vec::new();
    for name in names {
        let text = fs::read_to_string(emulator.place.path().join("o").join(name)).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("id,city,text"));
        ids.extend(lines.map(|line| line.split(',').next().unwrap().parse::<usize>().unwrap()));
    }
    ids.sort_unstable();
    assert_eq!(ids.len(), ROWS);
    assert!(ids.into_iter().eq(0..ROWS));
}

/// No file under a final name.
#[track_caller]
fn assert_nothing_final(emulator: &Emulator) {
    assert_eq!(emulator.place.names("o"), [".ots-export"]);
}

/// How many parts the journal names.
fn parts_kept(emulator: &Emulator) -> usize {
    let journal = fs::read_to_string(staging(emulator).join("journal"));
    journal.map_or(0, |journal| journal.matches("part-").count())
}

/// An export that hangs when so many bytes of answers have come, and has kept more than there was.
fn hanging(emulator: &Emulator, bytes: usize, options: &str) -> (Stalling, Running) {
    let before = parts_kept(emulator);
    let proxy = Stalling::new(emulator.port, bytes);
    // One range after another: pages come one by one.
    let words = format!("export --table t --out o {OPTIONS} --parallel 1 {options}");
    let mut command = emulator.ots(words.split_whitespace());
    command.env("OTS_ENDPOINT", proxy.endpoint());
    let export = Running::start(&mut command);
    proxy.stalls();
    common::until("part", || (parts_kept(emulator) > before).then_some(()));
    (proxy, export)
}

/// Runs the command that a failure gave, as a shell runs it.
fn run_advised(emulator: &Emulator, sentence: &str) -> Ran {
    let (_, command) = sentence.rsplit_once("go on with: ").unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env_clear()
        .env("OTS_ENDPOINT", emulator.endpoint())
        .current_dir(emulator.place.path());
    shell.stdout(std::process::Stdio::piped());
    shell.stderr(std::process::Stdio::piped());
    run(&mut shell)
}

fn exported(emulator: &Emulator, out: &str) -> Vec<Value> {
    let directory = emulator.place.path().join(out);
    let mut rows = Vec::new();
    for name in common::names(&directory) {
        let path = directory.join(&name);
        match name.rsplit('.').next().unwrap() {
            "parquet" => rows.extend(parquet_rows(&path)),
            "jsonl" => rows.extend(lines(&fs::read_to_string(path).unwrap())),
            "csv" => {
                let format = arrow_csv::reader::Format::default().with_header(true);
                let text = fs::read(&path).unwrap();
                let (schema, _) = format.infer_schema(text.as_slice(), None).unwrap();
                let reader = arrow_csv::ReaderBuilder::new(schema.into()).with_format(format);
                let reader = reader.build(text.as_slice()).unwrap();
                rows.extend(batches_as_json(reader.map(Result::unwrap)));
            }
            other => panic!("{other}"),
        }
    }
    rows
}

// What comes.

#[test]
fn a_table_comes_whole_in_every_format() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let range = emulator.run("range --table t").succeeds().stdout;
    let expected = by("id", lines(&range));
    for format in ["parquet", "csv", "jsonl"] {
        let words = format!("export --table t --out {format} --format {format}");
        let said = emulator.run(&words).succeeds().stderr;
        assert!(said.starts_with("exported 20,000 rows in "), "{said}");
        assert!(said.contains(" read capacity units; "), "{said}");
        assert_eq!(by("id", exported(&emulator, format)), expected, "{format}");
    }
}

#[test]
fn a_range_of_keys_has_its_start_and_not_its_end() {
    let emulator = Emulator::start().with_numbers("t", 100);
    let export = |out: &str, bounds: &[&str]| {
        let words = ["export", "--table", "t", "--format", "jsonl", "--out", out];
        let ran = run(&mut emulator.ots(words.iter().chain(bounds)));
        ran.succeeds();
        let rows = exported(&emulator, out).into_iter();
        rows.map(|row| row["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let (start, end) = (r#"{"id": 7}"#, r#"{"id": 12}"#);
    let both = export("both", &["--start-pk", start, "--end-pk", end]);
    assert!(both.into_iter().eq(7..12));
    assert!(export("to", &["--end-pk", end]).into_iter().eq(0..12));
    assert!(
        export("from", &["--start-pk", start])
            .into_iter()
            .eq(7..100)
    );

    let range = |bounds: &[&str]| {
        let printed = run(&mut emulator.ots(["range", "--table", "t"].iter().chain(bounds)));
        let rows = lines(&printed.succeeds().stdout).into_iter();
        rows.map(|row| row["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let forward = range(&["--start-pk", start, "--end-pk", end]);
    assert!(forward.into_iter().eq(7..12));
    let backward = range(&["--reverse", "--start-pk", end, "--end-pk", start]);
    assert!(backward.into_iter().eq((8..=12).rev()));
}

#[test]
fn rows_that_have_none_of_the_columns_come_all_the_same() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id,a,b\n1,x,\n2,,y\n3,,\n");
    emulator
        .run("load --table t --create --key id f.csv")
        .succeeds();
    for format in ["csv", "parquet", "jsonl"] {
        let words = format!("export --table t --out {format} --format {format} --columns a");
        emulator.run(&words).succeeds();
        let rows = by("id", exported(&emulator, format));
        assert_eq!(rows.len(), 3);
        assert_eq!(rows["1"]["a"], "x");
        assert!(rows.values().all(|row| row["b"].is_null()));
    }
}

#[test]
fn a_table_without_rows_gives_one_file_with_its_columns() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id,a\n");
    emulator
        .run("load --table t --create --key id f.csv")
        .succeeds();
    let ran = emulator.run("export --table t --out o --format csv --columns a:DOUBLE");
    assert!(ran.succeeds().stderr.contains("exported 0 rows in "));
    assert_eq!(emulator.place.names("o"), ["part-00000-00000.csv"]);
    let text = fs::read_to_string(emulator.place.path().join("o/part-00000-00000.csv")).unwrap();
    assert_eq!(text, "id,a\n");
}

// Columns that nobody has declared.

/// A table whose last row has this in the place of `v`, or another column.
fn with_odd_last_row(first: &str, last: &str, rows: usize) -> Emulator {
    let emulator = Emulator::start();
    let text = "0123456789".repeat(10);
    let mut csv = format!("id,{first},text\n");
    for id in 0..rows {
        csv += &format!("{id},{id},{text}\n");
    }
    emulator.place.file("f.csv", csv);
    emulator
        .place
        .file("g.csv", format!("id,{last},text\n{rows},odd,x\n"));
    emulator
        .run("load --table t --create --key id f.csv")
        .succeeds();
    emulator.run("load --table t --key id g.csv").succeeds();
    emulator
}

#[test]
fn a_column_of_two_types_is_refused_before_anything_is_read() {
    let emulator = with_odd_last_row("v", "v", 100);
    let ran = emulator.run("export --table t --out o");
    assert_eq!(
        ran.only_fails(2),
        "export of table \"t\": column \"v\" is INTEGER and STRING in different rows, and a column of \
         a file has one type; choose others with --columns, or take --format jsonl, which needs no types"
    );
    assert!(!emulator.place.path().join("o").exists());
    // The ways out are ways out.
    emulator
        .run("export --table t --out a --columns text")
        .succeeds();
    emulator
        .run("export --table t --out b --format jsonl")
        .succeeds();
    assert_eq!(exported(&emulator, "b").len(), 101);
}

#[test]
fn a_value_that_turns_up_late_with_another_type_fails_and_is_never_null() {
    let emulator = with_odd_last_row("v", "v", ROWS);
    // One range after another, so that there is something to go on from.
    let words = "export --table t --out o --columns v:INTEGER --checkpoint-rows 5000 --parallel 1";
    let ran = emulator.run(words);
    let sentence = ran.only_fails(9);
    let place = " doesn't fit: row ";
    assert!(
        sentence.contains(" rows: page ") && sentence.contains(place),
        "{sentence}"
    );
    let what = ", column \"v\": expected a value of type INTEGER, found STRING; choose ";
    assert!(sentence.contains(what), "{sentence}");
    let advised = "; or put the row right and go on with: ";
    assert!(sentence.contains(advised), "{sentence}");
    assert_nothing_final(&emulator);
    // Put right, it goes on.
    emulator
        .place
        .file("g.csv", format!("id,v,text\n{ROWS},7,x\n"));
    emulator.run("load --table t --key id g.csv").succeeds();
    run_advised(&emulator, sentence).succeeds();
    assert_eq!(by("id", exported(&emulator, "o")).len(), ROWS + 1);
}

#[test]
fn a_column_that_turns_up_late_fails_unless_columns_were_chosen() {
    let emulator = with_odd_last_row("v", "w", ROWS);
    // Ranges, and so what is looked at, depend on sizes; the last row is in the last range, behind
    // what is looked at of it.
    let ran = emulator.run("export --table t --out o");
    let sentence = ran.only_fails(9);
    let what =
        " has a column \"w\", which the schema doesn't have; name the columns with --columns";
    assert!(sentence.contains(what), "{sentence}");
    emulator
        .run("export --table t --out p --columns v,w:STRING")
        .succeeds();
    assert_eq!(exported(&emulator, "p").len(), ROWS + 1);
}

#[test]
fn a_column_that_no_row_has_needs_its_type() {
    let emulator = Emulator::start().with_numbers("t", 10);
    let ran = emulator.run("export --table t --out o --columns city,size");
    assert_eq!(
        ran.only_fails(2),
        "export of table \"t\": none of 10 rows here and there has a column \"size\": if the name is \
         right, say its type, as in --columns size:STRING"
    );
    emulator
        .run("export --table t --out o --columns city,size:STRING")
        .succeeds();
}

// Going on.

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
    let summary = format!("exported 20,000 rows, {now} rows of them now, in ");
    assert!(said.contains(&summary), "{said}");
    assert_whole(&emulator);
}

#[test]
fn an_export_that_is_killed_anywhere_goes_on_to_exactly_the_table() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    // Wherever the kill falls, also into the beginning or behind the end, the result is the same.
    for wait_ms in [0, 10, 40, 60, 80, 100, 130, 170, 220, 300] {
        let goes_on = staging(&emulator).join("journal").exists();
        if emulator
            .place
            .path()
            .join("o/part-00000-00000.csv")
            .exists()
            && !goes_on
        {
            break;
        }
        let resume = if goes_on { "--resume" } else { "" };
        let words = format!("export --table t --out o {OPTIONS} --parallel 1 {resume}");
        let export = Running::start(&mut emulator.ots(words.split_whitespace()));
        thread::sleep(Duration::from_millis(wait_ms));
        export.signal("KILL");
        export.ends();
    }
    if staging(&emulator).join("journal").exists() {
        export(&emulator, "--resume").succeeds();
    } else if !emulator
        .place
        .path()
        .join("o/part-00000-00000.csv")
        .exists()
    {
        export(&emulator, "").succeeds();
    }
    if !staging(&emulator).join("journal").exists() {
        // Killed when all was done but for the empty folder.
        fs::remove_dir_all(staging(&emulator)).ok();
    }
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
    assert!(said.contains(" rows of them now, in "), "{said}");
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
    let get_range = |what: &str, probability: f64| {
        format!(r#"{{"match": {{"op": "GetRange", "prob": {probability}}}, "do": {what}}}"#)
    };
    let faults = [
        get_range(r#""drop_before""#, 0.1),
        get_range(r#""drop_after""#, 0.1),
        get_range(r#"{"truncate": {"bytes": 700}}"#, 0.1),
        get_range(r#""bad_md5""#, 0.1),
        // A page is asked for again twice: not often enough to meet it three times.
        r#"{"match": {"op": "GetRange", "prob": 0.3}, "do": "corrupt_checksum", "times": 2}"#
            .to_owned(),
        get_range(r#""throttle""#, 0.1),
    ];
    let emulator = emulator_with(&format!("[{}]", faults.join(",")));
    export(&emulator, "").succeeds();
    assert_whole(&emulator);
}

#[test]
fn an_export_outlives_a_service_that_is_killed_and_comes_back() {
    let options = "--listen 127.0.0.1:0 --data-dir data";
    let emulator = Emulator::with(options, |_| {}).with_numbers("t", ROWS);
    let (proxy, export) = hanging(&emulator, 1_500_000, "");
    let emulator = emulator.killed_and_started_again(options);
    proxy.leads_to(emulator.port);
    proxy.goes_on();
    export.ends().succeeds();
    assert_whole(&emulator);
}

// What can't be gone on with.

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
    let changed = " isn't as it was when the export was interrupted, so it can't be gone on with; ";
    assert!(ran.only_fails(9).contains(changed), "{}", ran.stderr);
    fs::write(&part, &text[1..]).unwrap();
    assert!(
        export(&emulator, "--resume")
            .only_fails(9)
            .contains(changed)
    );
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

// The disk.

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
        sentence.contains(" rows: no space left to write disk/o/"),
        "{sentence}"
    );
    let advice = "; free some space or choose another --out; go on with: ";
    assert!(sentence.contains(advice), "{sentence}");
    assert_eq!(emulator.place.names("disk/o"), [".ots-export"]);
    disk.grow();
    run_advised(&emulator, sentence).succeeds();
    assert_eq!(by("id", exported(&emulator, "disk/o")).len(), ROWS);
}

// Options.

#[test]
fn options_of_the_other_road_are_refused_with_the_reason() {
    let emulator = Emulator::start();
    for (words, expected) in [
        (
            "--index i --resume",
            "a scan of index \"i\" can't be gone on with: it lives in a session, which ends with the \
             scan; leave --resume out to begin anew, or leave --index out to read the table itself",
        ),
        (
            "--index i --start-pk {}",
            "--start-pk is for reading the table itself, not index \"i\"; leave --index out, or choose \
             rows with --query-json",
        ),
        (
            "--index i --columns a:STRING",
            "index \"i\" knows the types of its columns, which \"a:STRING\" says again; leave the type \
             out",
        ),
        (
            "--query-json q.json",
            "--query-json is for the scan of a search index; name the index with --index",
        ),
        (
            "--restarts 2",
            "--restarts is for the scan of a search index; name the index with --index",
        ),
        (
            "--plan --resume",
            "--plan says what an export would read from its beginning; leave --resume out",
        ),
    ] {
        let ran = emulator.run(&format!("export --table t --out o {words}"));
        let expected = format!("export of table \"t\": {expected}");
        assert_eq!(ran.only_fails(2), expected);
    }
    let ran = emulator.run("export --table t");
    assert!(ran.is_refused().contains("--out <DIR>"), "{}", ran.stderr);
}

#[test]
fn a_key_that_is_none_of_the_table_is_refused() {
    let emulator = Emulator::start().with_numbers("t", 10);
    for command in ["export --out o --plan", "export --out o", "range"] {
        let ran = emulator.run(&format!("{command} --table t --start-pk {{\"ID\":7}}"));
        let sentence = ran.only_fails(2);
        let expected = "{\"ID\":7} is no key of this table: \"ID\" is no column of the key; expected \
                        {\"id\": 7} or the leading columns of it";
        assert!(sentence.ends_with(expected), "{sentence}");
    }
    assert!(!emulator.place.path().join("o").exists());
    let ran = emulator.run("export --table nope --out o");
    assert!(
        ran.only_fails(4)
            .contains("DescribeTable on table \"nope\"")
    );
}

#[test]
fn a_plan_reads_nothing() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let reads = || {
        let (_, stats) = emulator.ask("GET", "/admin/stats", "");
        let stats: Value = serde_json::from_str(&stats).unwrap();
        let of = |name: &str| stats["operations"][name]["requests"].as_u64().unwrap_or(0);
        of("GetRange") + of("ParallelScan")
    };
    let ran = emulator.run("export --table t --plan").succeeds();
    let start = "export of table \"t\": by GetRange, ";
    assert!(ran.stdout.starts_with(start), "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with(" read capacity units\n"),
        "{}",
        ran.stdout
    );
    let ran = emulator.run("export --table t --index i --plan").succeeds();
    assert_eq!(
        ran.stdout,
        "export of index \"i\" of table \"t\": by ParallelScan, 3 splits side by side: 20,000 rows with \
         3 columns, at least 13 requests; the service doesn't say what a parallel scan costs\n"
    );
    assert_eq!(reads(), 0);
}
