//! Exports that end while their files get their names: by a kill, or because a disk is full.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::time::SystemTime;

use common::disk::SmallDisk;
use common::{Emulator, Running, until};
use ots_cli::asked::Asked;
use ots_cli::sink::{Checksum, KeptPart, seal};
use ots_core::request::DescribeTable;
use ots_core::{Client, Credentials};
use serde_json::{Value, json};

const INDEX: &str = "export --table t --index i --format csv --progress none --out";
const TABLE: &str = "export --table t --columns city:STRING --format csv --progress none --out";

fn emulator() -> Emulator {
    Emulator::start().with_numbers("t", 1_000)
}

/// Every file of a directory.
fn content(emulator: &Emulator, directory: &str) -> BTreeMap<String, Vec<u8>> {
    let names = emulator.place.names(directory).into_iter();
    let directory = emulator.place.path().join(directory);
    names
        .map(|name| {
            let bytes = fs::read(directory.join(&name)).unwrap();
            (name, bytes)
        })
        .collect()
}

/// When the table was created.
fn created(emulator: &Emulator) -> Option<SystemTime> {
    let client = Client::builder(emulator.endpoint())
        .instance("local")
        .credentials(Credentials::new("ots-local", "ots-local-secret"))
        .build()
        .unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let described = runtime.block_on(client.send(DescribeTable::new("t")));
    described.unwrap().created
}

/// What the commands above ask for.
fn asked(emulator: &Emulator, command: &str) -> Value {
    let (created_name, created) = Asked::created(created(emulator));
    let mut asked = match command {
        INDEX => json!({"index": "i", "columns": null, "query-json": {"match_all": {}}}),
        _ => json!({"columns": ["city:STRING"], "start-pk": null, "end-pk": null}),
    };
    asked["instance"] = json!("local");
    asked["table"] = json!("t");
    asked["format"] = json!("csv");
    asked[created_name] = created;
    asked
}

/// A directory as a kill leaves it when so many files have their names, the mark being the last; what
/// is missing to a whole export.
fn killed_after(emulator: &Emulator, command: &str, named: usize) -> usize {
    emulator.run(&format!("{command} whole")).succeeds();
    let out = emulator.place.path().join("o");
    let folder = out.join(".ots-export");
    fs::create_dir_all(&folder).unwrap();
    let mut files = content(emulator, "whole");
    let mark = files.remove("_SUCCESS").unwrap();
    let count = files.len() + 1;
    let mut parts = Vec::new();
    for (place, (name, bytes)) in files.iter().enumerate() {
        let rows = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
        let sum = Checksum::of(bytes);
        parts.push(KeptPart::new(name.clone(), rows, bytes.len() as u64, sum).to_json());
        let path = match place < named {
            true => out.join(name),
            false => folder.join(format!("{name}.partial")),
        };
        fs::write(path, bytes).unwrap();
    }
    if named == count {
        fs::write(out.join("_SUCCESS"), mark).unwrap();
    }
    let asked = asked(emulator, command);
    let record = json!({"asked": asked, "parts": parts, "replaced": []});
    fs::write(folder.join("commit"), seal("ots export commit 1", &record)).unwrap();
    count - named
}

#[test]
fn an_export_that_was_killed_between_names_is_finished_by_the_same_command() {
    let emulator = emulator();
    let reads = || {
        let (_, stats) = emulator.ask("GET", "/admin/stats", "");
        let stats: Value = serde_json::from_str(&stats).unwrap();
        let of = |name: &str| stats["operations"][name]["requests"].as_u64().unwrap_or(0);
        of("GetRange") + of("ParallelScan")
    };
    for (command, doing) in [
        (INDEX, "export of index \"i\" of table \"t\""),
        (TABLE, "export of table \"t\""),
    ] {
        for (named, resume) in (0..).zip([true, false].into_iter().cycle()) {
            let missing = killed_after(&emulator, command, named);
            let resume = match resume && command == TABLE {
                true => " --resume",
                false => "",
            };
            let before = reads();
            let said = emulator.run(&format!("{command} o{resume}")).succeeds();
            let files = content(&emulator, "o").len() - 1;
            let files = if files == 1 {
                "1 file"
            } else {
                &format!("{files} files")
            };
            let expected = format!(
                "{doing} had read all of its 1,000 rows when it ended, and only names were missing: \
                 {files} in o, nothing was read again\n"
            );
            assert_eq!(said.stderr, expected);
            assert_eq!(reads(), before);
            assert_eq!(content(&emulator, "o"), content(&emulator, "whole"));
            for directory in ["o", "whole"] {
                fs::remove_dir_all(emulator.place.path().join(directory)).unwrap();
            }
            if missing == 0 {
                break;
            }
        }
    }
}

#[test]
fn another_export_finishes_it_too_and_is_refused() {
    let emulator = emulator();
    let other = "export --table t --format jsonl --out o --progress none";
    for words in [
        other,
        &format!("{INDEX} o --columns city"),
        &format!("{TABLE} o"),
    ] {
        killed_after(&emulator, INDEX, 1);
        let ran = emulator.run(words);
        assert!(
            ran.fails(8).contains(" is already there: "),
            "{}",
            ran.stderr
        );
        let note = "note: o had an export of something else, which ended while its files got their \
                    names; they have them now\n";
        assert!(ran.stderr.starts_with(note), "{}", ran.stderr);
        assert_eq!(content(&emulator, "o"), content(&emulator, "whole"));
        for directory in ["o", "whole"] {
            fs::remove_dir_all(emulator.place.path().join(directory)).unwrap();
        }
    }
}

#[test]
fn a_file_that_was_changed_before_all_had_names_takes_theirs_from_the_others() {
    let emulator = emulator();
    killed_after(&emulator, INDEX, 1);
    let folder = emulator.place.path().join("o/.ots-export");
    let part = folder.join("part-00002-00000.csv.partial");
    let mut bytes = fs::read(&part).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&part, bytes).unwrap();
    let ran = emulator.run(&format!("{INDEX} o"));
    let sentence = ran.only_fails(9);
    let start = "export of index \"i\" of table \"t\": an earlier export there, which ended while its \
                 files got their names: o/.ots-export/part-00002-00000.csv.partial isn't as it was when \
                 the export was interrupted: its checksum is ";
    assert!(sentence.starts_with(start), "{sentence}");
    let end = "; remove the hidden folder .ots-export there, and begin anew";
    assert!(sentence.ends_with(end), "{sentence}");
    assert_eq!(emulator.place.names("o"), [".ots-export"]);
    emulator.run(&format!("{INDEX} o")).succeeds();
    assert_eq!(content(&emulator, "o"), content(&emulator, "whole"));

    // Nobody knows what the record said.
    fs::remove_dir_all(emulator.place.path().join("o")).unwrap();
    fs::remove_dir_all(emulator.place.path().join("whole")).unwrap();
    killed_after(&emulator, INDEX, 1);
    fs::write(folder.join("commit"), "ots export commit 1\n").unwrap();
    let ran = emulator.run(&format!("{INDEX} o"));
    let problem =
        "o/.ots-export/commit isn't what an export has written: its checksum doesn't fit; ";
    assert!(ran.only_fails(9).contains(problem), "{}", ran.stderr);
}

#[test]
fn a_signal_that_comes_while_files_get_their_names_comes_too_late() {
    let emulator = emulator();
    let signals: [&[&str]; 3] = [
        &["KILL"],
        &["STOP", "INT", "CONT"],
        &["STOP", "INT", "TERM", "CONT"],
    ];
    for (command, signals) in [INDEX, TABLE]
        .into_iter()
        .flat_map(|command| signals.map(|signals| (command, signals)))
    {
        let words = format!("{command} o");
        let export = Running::start(&mut emulator.ots(words.split_whitespace()));
        let lies = |name: &str| emulator.place.path().join("o").join(name).exists();
        // It may be done before it is seen.
        until("commit", || {
            (lies(".ots-export/commit") || lies("_SUCCESS")).then_some(())
        });
        for signal in signals {
            export.signal(signal);
        }
        let code = export.ends().code;
        if signals.len() == 3 {
            assert_eq!(code, Some(0));
        }
        // Killed, or ended at once.
        if lies(".ots-export/commit") {
            assert_ne!(code, Some(0));
            emulator.run(&words).succeeds();
        }
        emulator.run(&format!("{command} whole")).succeeds();
        // Killed when all was done but for the empty folder.
        fs::remove_dir_all(emulator.place.path().join("o/.ots-export")).ok();
        assert_eq!(content(&emulator, "o"), content(&emulator, "whole"));
        for directory in ["o", "whole"] {
            fs::remove_dir_all(emulator.place.path().join(directory)).unwrap();
        }
    }
}

#[test]
fn a_disk_that_takes_no_more_files_leaves_none() {
    let emulator = emulator();
    emulator.run(&format!("{INDEX} whole")).succeeds();
    let mut said = Vec::new();
    for files in 1..50 {
        let options = format!("size=64m,nr_inodes={files}");
        // Whoever may not mount has seen it in the tests of the sink.
        let Some(_disk) = SmallDisk::with(&emulator.place, &options) else {
            return;
        };
        let ran = emulator.run(&format!("{INDEX} disk/o"));
        if ran.code == Some(0) {
            assert_eq!(content(&emulator, "disk/o"), content(&emulator, "whole"));
            break;
        }
        let sentence = ran.only_fails(8);
        assert!(
            sentence.contains("no space left to write disk/o"),
            "{sentence}"
        );
        let end = "; free some space or choose another --out";
        assert!(sentence.ends_with(end), "{sentence}");
        assert_eq!(emulator.place.names("disk"), [""; 0], "{sentence}");
        said.push(sentence.to_owned());
    }
    assert!(said.len() < 49, "{said:#?}");
    // Before the files, while they were written, and when all of them but the mark had their names.
    for place in [
        "disk/o:",
        "/lock:",
        "disk/o/part-00002",
        "/commit:",
        "/_SUCCESS:",
    ] {
        let is_said = said.iter().any(|sentence| sentence.contains(place));
        assert!(is_said, "{place} in {said:#?}");
    }
}
