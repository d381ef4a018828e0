//! What was loaded is what comes out, by every road.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_csv::ReaderBuilder;
use arrow_schema::{DataType, Field, Schema};
use common::{Emulator, Ran, Rows, Running, batches_as_json, by, lines, parquet_rows, run};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

/// Flights of every type, in a form that each format can say: 3,000 rows, some with gaps.
fn flights() -> Vec<Value> {
    let flight = |id: i64| {
        let mut row = json!({
            "id": id,
            "city": format!("c{}", id % 10),
            "price": (id as f64).mul_add(0.37, -100.5),
            "late": id % 3 == 0,
            "note": match id % 4 {
                0 => "plain".to_owned(),
                1 => "a \"quoted\", comma".to_owned(),
                2 => "two\nlines".to_owned(),
                _ => format!("西湖 {id}"),
            },
        });
        // Whole rows without some columns: null in Parquet, empty in CSV, absent in JSON lines.
        let row_columns = row.as_object_mut().unwrap();
        if id % 7 == 0 {
            row_columns.remove("price");
        }
        if id % 11 == 0 {
            row_columns.remove("note");
        }
        row
    };
    (0..3_000).map(flight).collect()
}

fn flights_schema() -> Arc<Schema> {
    let field = |name, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("id", DataType::Int64),
        field("city", DataType::Utf8),
        field("price", DataType::Float64),
        field("late", DataType::Boolean),
        field("note", DataType::Utf8),
    ]))
}

/// The flights without their id, which `--row-number` gives back.
fn flights_batch() -> RecordBatch {
    let rows = flights();
    let text = |name: &str| {
        rows.iter()
            .map(|row| row[name].as_str())
            .collect::<StringArray>()
    };
    let prices = rows.iter().map(|row| row["price"].as_f64());
    let late = rows.iter().map(|row| row["late"].as_bool());
    let columns: [(&str, ArrayRef); 4] = [
        ("city", Arc::new(text("city"))),
        ("price", Arc::new(prices.collect::<Float64Array>())),
        ("late", Arc::new(late.collect::<BooleanArray>())),
        ("note", Arc::new(text("note"))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// An emulator with the flights in table `flights`, from a file of this format.
fn loaded(format: &str) -> Emulator {
    let emulator = Emulator::start();
    let path = emulator.place.path().join(format!("flights.{format}"));
    let batch = flights_batch();
    let mut file = File::create(path).unwrap();
    if format == "parquet" {
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    } else {
        arrow_csv::Writer::new(&mut file).write(&batch).unwrap();
    }
    let ran = emulator.run(&format!(
        "load --table flights --create --index flights_index --row-number id --key id \
         flights.{format}"
    ));
    let said = ran.succeeds().stderr;
    let start = format!("loaded 3,000 rows of flights.{format} into table \"flights\" in ");
    assert!(said.starts_with(&start), "{said}");
    emulator
}

/// What an export to this format holds.
fn exported(emulator: &Emulator, format: &str, options: &str) -> Rows {
    let out = format!("out-{format}");
    let ran = emulator.run(&format!(
        "export --table flights --index flights_index --format {format} --out {out} {options}"
    ));
    ran.succeeds();
    let mut rows = Vec::new();
    let names = emulator.place.parts(&out);
    let splits = if options.contains("--parallel 1") {
        0..1
    } else {
        0..3
    };
    let parts: Vec<_> = splits
        .map(|split| format!("part-0000{split}-00000.{format}"))
        .collect();
    assert_eq!(names, parts, "a file for each split, nothing else");
    for name in names {
        let path = emulator.place.path().join(&out).join(name);
        match format {
            "parquet" => rows.extend(parquet_rows(&path)),
            "jsonl" => rows.extend(lines(&fs::read_to_string(path).unwrap())),
            _ => rows.extend(csv_rows(&fs::read_to_string(path).unwrap())),
        }
    }
    fs::remove_dir_all(emulator.place.path().join(out)).unwrap();
    by("id", rows)
}

fn csv_rows(text: &str) -> Vec<Value> {
    let names: Vec<_> = text.lines().next().unwrap().split(',').collect();
    let schema = flights_schema();
    let fields = names
        .iter()
        .map(|name| schema.field_with_name(name).unwrap().clone());
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let reader = ReaderBuilder::new(Arc::new(schema)).with_header(true);
    batches_as_json(reader.build(text.as_bytes()).unwrap().map(Result::unwrap))
}

fn only(columns: &[&str], rows: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let cut = |mut row: Value| {
        let all = row.as_object_mut().unwrap();
        all.retain(|name, _| columns.contains(&name.as_str()));
        row
    };
    rows.into_iter().map(cut).collect()
}

#[test]
fn a_loaded_file_comes_out_the_same_in_every_format() {
    for from in ["csv", "parquet"] {
        let emulator = loaded(from);
        let flights = by("id", flights());
        for to in ["parquet", "csv", "jsonl"] {
            assert_eq!(exported(&emulator, to, ""), flights, "{from} to {to}");
        }
    }
}

#[test]
fn columns_and_a_query_choose_what_comes_out() {
    let emulator = loaded("csv");
    emulator.place.file(
        "query.json",
        r#"{"bool": {"must": [{"terms": {"city": ["c3", "c4"]}}, {"term": {"late": true}}]}}"#,
    );
    let chosen = flights()
        .into_iter()
        .filter(|row| matches!(row["city"].as_str(), Some("c3" | "c4")) && row["late"] == true);
    let chosen = by("id", only(&["id", "price", "note"], chosen));
    assert_eq!(chosen.len(), 200);
    for format in ["parquet", "csv", "jsonl"] {
        // The key comes along, named or not.
        for columns in ["price,note", "note,id,price"] {
            let options = format!("--columns {columns} --query-json query.json");
            assert_eq!(exported(&emulator, format, &options), chosen, "{format}");
        }
    }
}

#[test]
fn a_query_without_a_match_gives_files_without_rows() {
    let emulator = loaded("csv");
    emulator
        .place
        .file("query.json", r#"{"term": {"city": "nowhere"}}"#);
    for format in ["parquet", "csv", "jsonl"] {
        let rows = exported(&emulator, format, "--query-json query.json --parallel 1");
        assert_eq!(rows, Rows::new(), "{format}");
    }
}

fn printed(ran: Ran) -> Vec<Value> {
    let ran = ran.succeeds();
    let rows = lines(&ran.stdout);
    let end = ran.stderr.lines().last().unwrap();
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    let count = common::grouped(rows.len());
    assert!(end.starts_with(&format!("{count} {noun} in ")), "{end}");
    rows
}

#[test]
fn a_range_gives_rows_in_order_forward_and_backward() {
    let emulator = loaded("parquet");
    let mut flights = flights();
    assert_eq!(printed(emulator.run("range --table flights")), flights);
    flights.reverse();
    let backward = printed(emulator.run("range --table flights --reverse"));
    assert_eq!(backward, flights);
}

#[test]
fn a_range_has_an_offset_and_a_limit() {
    let emulator = loaded("csv");
    let flights = flights();
    for (offset, limit) in [
        (0, 1),
        (0, 2_999),
        (7, 5),
        (2_990, 20),
        (2_999, 1),
        (5_000, 3),
    ] {
        let words = format!("range --table flights --offset {offset} --limit {limit}");
        let forward = flights.iter().skip(offset).take(limit).cloned();
        assert_eq!(printed(emulator.run(&words)), forward.collect::<Vec<_>>());
        let backward = flights.iter().rev().skip(offset).take(limit).cloned();
        let words = format!("{words} --reverse");
        assert_eq!(printed(emulator.run(&words)), backward.collect::<Vec<_>>());
    }
}

/// GetRange requests that an emulator has had.
fn get_ranges(emulator: &Emulator) -> u64 {
    let (_, stats) = emulator.ask("GET", "/admin/stats", "");
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    let requests = &stats["operations"]["GetRange"]["requests"];
    requests.as_u64().unwrap_or_default()
}

#[test]
fn the_next_page_is_on_its_way_while_one_is_printed() {
    let emulator = Emulator::start().with_numbers("t", 15_000);
    // Nobody reads: the first page doesn't fit into the pipe.
    let _range = Running::start(&mut emulator.ots(["range", "--table", "t"]));
    common::until("second request", || {
        (get_ranges(&emulator) == 2).then_some(())
    });

    // A page that is all that is wanted is followed by none.
    let said = emulator
        .run("range --table t --limit 5000")
        .succeeds()
        .stderr;
    assert!(said.contains(", 1 request, "), "{said}");
    let said = emulator
        .run("range --table t --limit 5001")
        .succeeds()
        .stderr;
    assert!(said.contains(", 2 requests, "), "{said}");
}

#[test]
fn a_page_token_goes_on_where_a_range_ended() {
    let emulator = loaded("csv");
    let flights = flights();
    let words = "range --table flights --limit 700 --page-size 300 --total";
    let (mut read, mut token) = (Vec::new(), String::new());
    loop {
        let ran = emulator.run(&format!("{words}{token}")).succeeds();
        read.extend(lines(&ran.stdout));
        assert!(ran.stderr.contains("3,000 rows in all"), "{}", ran.stderr);
        let next = ran
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("next page:"));
        let Some(next) = next else { break };
        token = next.to_owned();
    }
    assert_eq!(read, flights);
    // And back, from the last page to the first: 4 * 700 are before it.
    let said = |ran: &Ran, which: &str| {
        let mut lines = ran.stderr.lines();
        lines.find_map(|line| {
            line.strip_prefix(&format!("{which} page:"))
                .map(str::to_owned)
        })
    };
    let mut ran = emulator.run(&format!("{words}{token}")).succeeds();
    let mut rest = 2_800;
    while let Some(previous) = said(&ran, "previous") {
        ran = emulator.run(&format!("{words}{previous}")).succeeds();
        assert_eq!(lines(&ran.stdout), flights[rest - 700..rest]);
        let again = emulator.run(&format!("{words}{}", said(&ran, "next").unwrap()));
        let end = flights.len().min(rest + 700);
        assert_eq!(printed(again), flights[rest..end]);
        rest -= 700;
    }
    assert_eq!(rest, 0);
    let jumped = emulator
        .run("range --table flights --offset 1500 --limit 10")
        .succeeds();
    let previous = said(&jumped, "previous").unwrap();
    let before = emulator.run(&format!("range --table flights --limit 10{previous}"));
    assert_eq!(printed(before), flights[1_490..1_500]);
    for words in ["", " --offset 3 --limit 5"] {
        let ran = emulator.run(&format!("range --table flights{words}{previous}"));
        let problem = "the token of a previous page needs --limit, and no --offset";
        assert!(ran.only_fails(2).contains(problem), "{}", ran.stderr);
    }
    // Of another list, or changed: refused.
    let other = emulator.run(&format!("range --table flights --reverse{token}"));
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    let changed = emulator.run(&format!("{words}{token}x"));
    assert_eq!(changed.code, Some(2), "{}", changed.stderr);
}

#[test]
fn a_search_is_printed_in_pages_forward_and_backward() {
    let emulator = loaded("csv");
    let mut flights = flights();
    for reverse in ["", " --reverse"] {
        let words =
            format!("search --table flights --index flights_index --limit 900 --total{reverse}");
        let (mut read, mut token) = (Vec::new(), String::new());
        loop {
            let ran = emulator.run(&format!("{words}{token}")).succeeds();
            read.extend(lines(&ran.stdout));
            assert!(ran.stderr.contains("3,000 rows in all"), "{}", ran.stderr);
            let next = ran
                .stderr
                .lines()
                .find_map(|line| line.strip_prefix("next page:"));
            let Some(next) = next else { break };
            token = next.to_owned();
        }
        assert_eq!(read, flights);
        flights.reverse();
    }
    // And back by as many rows as a command prints, not by those of a request.
    let words = "search --table flights --index flights_index --page-size 70 --limit 400";
    let said = |ran: &Ran, which: &str| {
        let mut lines = ran.stderr.lines();
        lines.find_map(|line| Some(line.strip_prefix(&format!("{which} page:"))?.to_owned()))
    };
    let mut ran = emulator.run(&format!("{words} --offset 950")).succeeds();
    assert!(ran.stderr.contains(" read capacity unit"), "{}", ran.stderr);
    let mut start = 950_usize;
    while let Some(previous) = said(&ran, "previous") {
        ran = emulator.run(&format!("{words}{previous}")).succeeds();
        start = start.saturating_sub(400);
        assert_eq!(lines(&ran.stdout), flights[start..start + 400]);
        let next = emulator.run(&format!("{words}{}", said(&ran, "next").unwrap()));
        let next = lines(&next.succeeds().stdout);
        assert_eq!(next, flights[start + 400..start + 800]);
    }
    assert_eq!(start, 0);
    let changed = emulator.run(&format!("{words}{}x", said(&ran, "next").unwrap()));
    assert_eq!(changed.code, Some(2), "{}", changed.stderr);
    let other = emulator.run(&format!("{words} --reverse{}", said(&ran, "next").unwrap()));
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    let skipped = emulator.run("search --table flights --index flights_index --offset 2990");
    assert_eq!(printed(skipped), flights[2_990..]);
}

#[test]
fn a_range_of_some_columns_leaves_out_rows_without_them() {
    let emulator = loaded("csv");
    let rows = flights().into_iter().filter(|row| row["price"].is_number());
    let priced = only(&["id", "price"], rows);
    let words = "range --table flights --columns price --limit 1000";
    assert_eq!(printed(emulator.run(words)), priced[..1_000]);
}

#[test]
fn several_key_columns_and_binary_values_survive() {
    let emulator = Emulator::start();
    let columns: [(&str, ArrayRef); 4] = [
        ("zone", Arc::new(StringArray::from(vec!["b", "a", "a"]))),
        (
            "hash",
            Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b"x", b""])),
        ),
        (
            "raw",
            Arc::new(BinaryArray::from(vec![Some(&b"\x01"[..]), None, Some(b"")])),
        ),
        ("n", Arc::new(Int64Array::from(vec![i64::MIN, 0, i64::MAX]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(emulator.place.path().join("k.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let load = "load --table k --create --key zone,hash k.parquet";
    emulator.run(load).succeeds();
    let expected = [
        json!({"zone": "a", "hash": {"base64": ""}, "raw": {"base64": ""}, "n": i64::MAX}),
        json!({"zone": "a", "hash": {"base64": "eA=="}, "n": 0}),
        json!({"zone": "b", "hash": {"base64": "AP8="}, "raw": {"base64": "AQ=="}, "n": i64::MIN}),
    ];
    assert_eq!(printed(emulator.run("range --table k")), expected);
}

#[test]
fn the_key_of_a_new_table_has_the_order_of_the_arguments() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "a,b,c\n1,x,5\n2,w,6\n");
    emulator
        .run("load --table t --create --key b,a f.csv")
        .succeeds();
    let expected = [
        json!({"a": 2, "b": "w", "c": 6}),
        json!({"a": 1, "b": "x", "c": 5}),
    ];
    assert_eq!(printed(emulator.run("range --table t")), expected);
    emulator
        .run("load --table u --create --row-number id --key id,b f.csv")
        .succeeds();
    emulator
        .run("load --table v --create --row-number id --key b,id f.csv")
        .succeeds();
    let first = |table| printed(emulator.run(&format!("range --table {table} --limit 1")));
    assert_eq!(first("u"), [json!({"id": 0, "a": 1, "b": "x", "c": 5})]);
    assert_eq!(first("v"), [json!({"id": 1, "a": 2, "b": "w", "c": 6})]);
}

#[test]
fn a_load_into_a_table_that_is_there_can_add_an_index() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id,city\n1,c0\n2,c1\n");
    emulator
        .run("load --table t --create --key id f.csv")
        .succeeds();
    // The second time it is there already.
    for out in ["o", "p"] {
        emulator
            .run("load --table t --index i --key id f.csv")
            .succeeds();
        emulator
            .run(&format!(
                "export --table t --index i --format csv --out {out}"
            ))
            .succeeds();
    }
}

#[test]
fn a_summary_has_rows_bytes_requests_retries_and_seconds() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id,city\n1,c0\n");
    for (words, start, parts) in [
        (
            "load --table t --create --index i --key id f.csv",
            "loaded 1 row of f.csv into table \"t\" in ",
            [" s: ", " bytes sent, ", " 1 request, 0 retries"],
        ),
        (
            "export --table t --index i --out o",
            "exported 1 row in ",
            [
                " bytes read, ",
                " requests, 0 retries, 0 restarts; ",
                "3 files in o",
            ],
        ),
        (
            "export --table t --out p",
            "exported 1 row in ",
            // Two for the ranges, large ones and small ones; one to see the columns, one to read.
            [
                " bytes read, ",
                " 4 requests, 0 retries, 4 read capacity units; ",
                "1 file in p",
            ],
        ),
        (
            "range --table t",
            "1 row in ",
            [
                " s, ",
                " bytes read, ",
                " 1 request, 0 retries, 1 read capacity unit",
            ],
        ),
        (
            "search --table t --index i",
            "1 row in ",
            // The emulator says nothing of what a search costs.
            [
                " s, ",
                " bytes read, ",
                " 1 request, 0 retries, 0 read capacity units",
            ],
        ),
    ] {
        let said = emulator.run(words).succeeds().stderr;
        assert!(said.starts_with(start), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn an_emulator_asks_for_the_access_key_of_its_environment() {
    let emulator = Emulator::with("--listen localhost:0", |command| {
        command.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
        command.env("TABLESTORE_ACCESS_KEY_SECRET", common::SECRET);
    });
    emulator.place.file("f.csv", "id\n1\n");
    let load = "load --table t --create --key id f.csv";
    emulator.run(load).fails(3);
    let mut command = emulator.ots(load.split_whitespace());
    command.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
    command.env("TABLESTORE_ACCESS_KEY_SECRET", common::SECRET);
    run(&mut command).succeeds();
}

#[test]
fn an_emulator_for_other_computers_needs_an_access_key_and_never_shows_its_secret() {
    let place = common::Place::new();
    let ran = place.run("emulator --listen 0.0.0.0:0");
    assert_eq!(
        ran.only_fails(2),
        "the emulator can't listen on 0.0.0.0:0: other computers can reach 0.0.0.0; pass \
         --allow-remote if they are meant to"
    );
    let ran = place.run("emulator --listen 0.0.0.0:0 --allow-remote");
    let sentence = ran.only_fails(2);
    let end = "; pass --credentials, or set TABLESTORE_ACCESS_KEY_ID and \
               TABLESTORE_ACCESS_KEY_SECRET, here and for whoever connects";
    assert!(sentence.ends_with(end), "{sentence}");
    let mut emulator = Emulator::with("--listen 0.0.0.0:0 --allow-remote", |command| {
        command.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
        command.env("TABLESTORE_ACCESS_KEY_SECRET", common::SECRET);
    });
    let said = emulator.stop("INT").succeeds().stderr;
    assert!(
        said.contains("access key somebody with its secret from the environment"),
        "{said}"
    );
    let mut half = place.ots(["emulator", "--listen", "127.0.0.1:0"]);
    half.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
    let ran = run(&mut half);
    let sentence = ran.only_fails(2);
    assert!(
        sentence.starts_with("the emulator's access key can't be set: "),
        "{sentence}"
    );
}

#[test]
fn loading_again_without_create_writes_the_same_rows() {
    let emulator = loaded("csv");
    let load = "load --table flights --row-number id --key id --parallel 1 flights.csv";
    emulator.run(load).succeeds();
    assert_eq!(printed(emulator.run("range --table flights")), flights());
}

#[test]
fn digits_in_a_csv_file_are_text_where_the_key_of_the_table_is_text() {
    let emulator = Emulator::start();
    emulator.place.file("a.csv", "zip,n\nA1,1\n");
    emulator.place.file("b.csv", "zip,n\n601,2\n");
    emulator
        .run("load --table t --create --key zip a.csv")
        .succeeds();
    emulator.run("load --table t --key zip b.csv").succeeds();
    let expected = [json!({"zip": "601", "n": 2}), json!({"zip": "A1", "n": 1})];
    assert_eq!(printed(emulator.run("range --table t")), expected);
}

#[test]
fn a_file_without_rows_makes_a_table_without_rows() {
    let emulator = Emulator::start();
    emulator.place.file("empty.csv", "id,city\n");
    let load = "load --table flights --create --index flights_index --key id empty.csv";
    emulator.run(load).succeeds();
    assert_eq!(
        printed(emulator.run("range --table flights")),
        [Value::Null; 0]
    );
    let rows = exported(&emulator, "jsonl", "");
    assert!(rows.is_empty());
}

#[test]
fn a_stopped_emulator_ends_well_and_takes_its_port_file_along() {
    for signal in ["INT", "TERM"] {
        let mut emulator = Emulator::start();
        assert_eq!(emulator.place.names("."), ["port"]);
        let ran = emulator.stop(signal).succeeds();
        assert_eq!(emulator.place.names("."), [""; 0], "{signal}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_client_that_falls_silent_does_not_keep_the_emulator_alive() {
    let mut emulator = Emulator::start();
    let mut silent = TcpStream::connect(("127.0.0.1", emulator.port)).unwrap();
    silent
        .write_all(b"POST /GetRow HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf")
        .unwrap();
    emulator.run("range --table t").fails(4);
    emulator.stop("TERM").succeeds();
    // Had it been waited for, it would have been told that it is too slow.
    let mut told = Vec::new();
    silent.read_to_end(&mut told).ok();
    assert_eq!(String::from_utf8_lossy(&told), "");
}

#[test]
fn two_emulators_on_one_port_are_told_apart() {
    let emulator = Emulator::start();
    let listen = format!("127.0.0.1:{}", emulator.port);
    let ran = run(&mut emulator.place.ots(["emulator", "--listen", &listen]));
    let sentence = ran.only_fails(1);
    let start = format!("the emulator can't listen on {listen}: ");
    assert!(sentence.starts_with(&start), "{sentence}");
    let end = "; choose another address with --listen, or port 0 for any";
    assert!(sentence.ends_with(end), "{sentence}");
}
