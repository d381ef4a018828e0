//! What comes.

use super::*;

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
fn a_table_comes_whole_by_bulk_export() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let plan = emulator.run("export --table t --plan --read-by bulk-export");
    let plan = plan.succeeds().stdout;
    assert!(
        plan.starts_with("export of table \"t\": by BulkExport, "),
        "{plan}"
    );
    assert!(plan.ends_with(", charged by the byte\n"), "{plan}");
    let said = export(&emulator, "--read-by bulk-export").succeeds().stderr;
    assert!(said.contains(" charged; "), "{said}");
    assert_whole(&emulator);

    // Where the service refuses it, as some instances do.
    fs::remove_dir_all(emulator.place.path().join("o")).unwrap();
    let refused = r#"{"match": {"op": "BulkExport"}, "do": {"error": {"code": "OTSUnsupportOperation", "http": 400, "message": "Unsupported operation: 'BulkExport'."}}}"#;
    assert_eq!(emulator.ask("POST", "/admin/faults", refused).0, 200);
    let ran = export(&emulator, "--read-by bulk-export");
    let sentence = ran.only_fails(2);
    assert!(sentence.contains("Unsupported operation"), "{sentence}");
    let advice = "; BulkExport isn't for every instance, nor for every row: take --read-by get-range, \
                  which is; no file was left in o";
    assert!(sentence.ends_with(advice), "{sentence}");
    assert!(!emulator.place.path().join("o").exists());
    let said = export(&emulator, "--read-by auto").succeeds().stderr;
    assert!(!said.contains(" charged; "), "{said}");
    assert_whole(&emulator);
}

#[test]
fn a_bulk_export_that_is_refused_in_the_middle_goes_on_by_get_range() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    // As of a row that is too wide for it.
    let refused = r#"{"match": {"op": "BulkExport", "nth": 4}, "do": {"error": {"code": "OTSParameterInvalid", "http": 400, "message": "The row is too large."}}}"#;
    assert_eq!(emulator.ask("POST", "/admin/faults", refused).0, 200);
    for word in ["--read-by bulk-export", "--read-by=bulk-export"] {
        let ran = export(&emulator, &format!("--parallel 1 {word}"));
        let sentence = ran.only_fails(2);
        assert!(sentence.contains("The row is too large."), "{sentence}");
        let get_range = word.replace("bulk-export", "get-range");
        let end = format!(" {get_range} --resume");
        assert!(sentence.ends_with(&end), "{sentence}");
        assert_nothing_final(&emulator);
        if word.contains('=') {
            run_advised(&emulator, sentence).succeeds();
        } else {
            fs::remove_dir_all(emulator.place.path().join("o")).unwrap();
            assert_eq!(emulator.ask("POST", "/admin/faults", refused).0, 200);
        }
    }
    assert_whole(&emulator);
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
    assert_eq!(emulator.place.parts("o"), ["part-00000-00000.csv"]);
    let text = fs::read_to_string(emulator.place.path().join("o/part-00000-00000.csv")).unwrap();
    assert_eq!(text, "id,a\n");
}

#[test]
fn a_summary_counts_what_it_took_to_know_ranges_and_columns() {
    let emulator = Emulator::start().with_numbers("t", ROWS);
    let taken = || {
        let (status, stats) = emulator.ask("GET", "/admin/stats", "");
        assert_eq!(status, 200);
        let stats: Value = serde_json::from_str(&stats).unwrap();
        ["GetRange", "ComputeSplitPointsBySize"].map(|name| {
            let of = |what: &str| stats["operations"][name][what].as_u64().unwrap_or(0);
            (of("requests"), of("read_units"))
        })
    };
    let before = taken();
    let said = emulator.run("export --table t --out o --progress none");
    let said = said.succeeds().stderr;
    let after = taken();
    let requests: u64 = after
        .iter()
        .zip(before)
        .map(|(now, then)| now.0 - then.0)
        .sum();
    let units: u64 = after
        .iter()
        .zip(before)
        .map(|(now, then)| now.1 - then.1)
        .sum();
    let splits = after[1].0 - before[1].0;
    // Once as large as it likes, and once as small as it is good to read side by side.
    assert!((1..=2).contains(&splits), "{splits}");
    let requests = common::grouped(requests.try_into().unwrap());
    let units = common::grouped(units.try_into().unwrap());
    for counted in [
        format!(", {requests} requests, "),
        format!(", {units} read capacity units; "),
    ] {
        assert!(said.contains(&counted), "{counted}: {said}");
    }
}
