//! `ots quickstart`: the first thing anybody runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::sync::Arc;

use arrow_csv::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use common::{Place, Rows, batches_as_json, by, parquet_rows};
use ots_cli::quickstart_data::{AIRPORTS_CSV, AIRPORTS_ROWS};
use serde_json::Value;

const PARTS: [&str; 4] = [
    "part-00000-00000.parquet",
    "part-00001-00000.parquet",
    "part-00002-00000.parquet",
    "part-00003-00000.parquet",
];

/// The bundled airports, read by Arrow and not by us, with what the quickstart adds.
fn airports() -> Rows {
    let texts = ["iata", "name", "city", "state", "country"];
    let fields = texts.map(|name| Field::new(name, DataType::Utf8, true));
    let numbers = ["latitude", "longitude"].map(|name| Field::new(name, DataType::Float64, true));
    let schema = Schema::new([&fields[..], &numbers].concat());
    let reader = ReaderBuilder::new(Arc::new(schema)).with_header(true);
    let mut rows = batches_as_json(reader.build(AIRPORTS_CSV).unwrap().map(Result::unwrap));
    for row in &mut rows {
        let place = (row["latitude"].as_f64(), row["longitude"].as_f64());
        if let (Some(latitude), Some(longitude)) = place {
            row["location"] = format!("{latitude},{longitude}").into();
        }
    }
    by("iata", rows)
}

fn exported(place: &Place, directory: &str) -> Rows {
    let rows = PARTS.map(|part| parquet_rows(&place.path().join(directory).join(part)));
    by("iata", rows.into_iter().flatten())
}

#[test]
fn the_files_hold_exactly_the_bundled_airports() {
    let place = Place::new();
    let ran = place.run("quickstart").succeeds();
    assert_eq!(ran.stdout, "", "nothing there is data");
    assert_eq!(place.names("."), ["ots-quickstart"]);
    assert_eq!(place.parts("ots-quickstart"), PARTS);
    let (airports, exported) = (airports(), exported(&place, "ots-quickstart"));
    assert_eq!(airports.len(), AIRPORTS_ROWS);
    assert!(airports.values().all(Value::is_object));
    for (iata, airport) in &airports {
        assert_eq!(exported.get(iata), Some(airport));
    }
    assert_eq!(exported.len(), airports.len());
}

#[test]
fn every_part_is_named_with_its_rows() {
    let place = Place::new();
    let ran = place.run("quickstart --out o --progress none").succeeds();
    let listed = ran.stderr.lines().filter(|line| line.starts_with("   o/"));
    let listed: Vec<_> = listed.map(str::trim).collect();
    let expected = PARTS.map(|part| {
        let rows = parquet_rows(&place.path().join("o").join(part)).len();
        format!("o/{part} ({rows} rows)")
    });
    assert_eq!(listed, expected);
}

#[test]
fn running_it_twice_gives_the_same_files_and_leaves_other_files_alone() {
    let place = Place::new();
    place.run("quickstart").succeeds();
    place.file("ots-quickstart/notes.txt", "mine");
    place.run("quickstart").succeeds();
    let mut names = PARTS.to_vec();
    names.insert(0, "notes.txt");
    assert_eq!(place.parts("ots-quickstart"), names);
    assert_eq!(exported(&place, "ots-quickstart"), airports());
}

#[test]
fn files_of_another_export_are_not_taken_for_an_earlier_quickstart() {
    let place = Place::new();
    fs::create_dir(place.path().join("mine")).unwrap();
    let mine = place.file("mine/part-00000-00000.parquet", "a month of work");
    let ran = place.run("quickstart --out mine");
    let sentence = ran.fails(8);
    assert_eq!(
        sentence,
        "export of index \"airports_index\" of table \"airports\": mine/part-00000-00000.parquet is \
         already there: export to another directory, or remove the old parts"
    );
    assert_eq!(fs::read_to_string(mine).unwrap(), "a month of work");
    assert_eq!(place.names("mine"), ["part-00000-00000.parquet"]);
}

#[test]
fn an_output_that_cannot_be_written_is_said_in_one_sentence() {
    let place = Place::new();
    place.file("file", "in the way");
    for out in ["file", "file/below"] {
        let ran = place.run(&format!("quickstart --out {out}"));
        let sentence = ran.fails(8);
        let expected = format!(
            "export of index \"airports_index\" of table \"airports\": can't create {out}: "
        );
        assert!(sentence.starts_with(&expected), "{sentence}");
        assert!(sentence.ends_with("; choose another --out"), "{sentence}");
    }
    assert_eq!(place.names("."), ["file"]);
}

#[test]
fn the_service_configured_elsewhere_is_left_alone() {
    let place = Place::new();
    // Nothing listens there, and the key is only half of one.
    let mut command = place.ots(["quickstart"]);
    command.env("OTS_ENDPOINT", "http://127.0.0.1:1");
    command.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
    common::run(&mut command).succeeds();
}
