//! Tables exported without an index: every row once, whatever happens, or a command to go on with.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod columns;
#[path = "../common/mod.rs"]
mod common;
mod content;
mod going_on;
mod options;
mod refused;

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

/// Rules that the requests for pages meet, by their number.
fn faults<'a>(rules: impl IntoIterator<Item = (u32, &'a str)>) -> String {
    let rule =
        |(nth, what)| format!(r#"{{"match": {{"op": "GetRange", "nth": {nth}}}, "do": {what}}}"#);
    let rules: Vec<String> = rules.into_iter().map(rule).collect();
    format!("[{}]", rules.join(","))
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
    let names = emulator.place.parts("o");
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
    for name in emulator.place.parts(out) {
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
