//! Files that are read.

use super::*;

#[test]
fn a_file_that_cannot_be_loaded_is_named_with_the_reason() {
    let place = Place::new();
    place.file("flights.xlsx", "");
    place.file("flights.csv", "id,city\n1,Hangzhou\n,Shanghai\n");
    place.file("empty.csv", "");
    place.file("ragged.csv", "id,city\n1\n");
    place.file("price.csv", "price\n0.5\n");
    place.file("broken.parquet", "PAR1 but not really");
    for (file, key, expected) in [
        (
            "none.csv",
            "id",
            "can't read none.csv: No such file or directory (os error 2)",
        ),
        (
            "none.parquet",
            "id",
            "can't read none.parquet: No such file or directory (os error 2)",
        ),
        (
            "flights.xlsx",
            "id",
            "flights.xlsx doesn't end in .csv, .tsv, .parquet or .pq",
        ),
        (
            "flights.csv",
            "nope",
            "there is no column \"nope\", only id, city",
        ),
        (
            "empty.csv",
            "id",
            "empty.csv has no first line with the names of the columns",
        ),
        (
            "ragged.csv",
            "id",
            "ragged.csv isn't CSV that can be read: ",
        ),
        (
            "price.csv",
            "price",
            "column \"price\" is of type DOUBLE, a key column is INTEGER, STRING or BINARY",
        ),
        (
            "broken.parquet",
            "id",
            "broken.parquet isn't Parquet that can be read: ",
        ),
    ] {
        let ran = place.run(&format!(
            "load --table t --create --key {key} --endpoint http://127.0.0.1:1 {file}"
        ));
        let sentence = ran.only_fails(2);
        let start = format!("{file} can't be loaded: {expected}");
        assert!(sentence.starts_with(&start), "{sentence}");
    }
}

#[test]
fn a_row_without_a_key_stops_the_load_and_is_named() {
    let emulator = Emulator::start();
    let mut csv = numbers(1_000);
    csv += ",c0,no key\n";
    csv += "2000,c0,too late\n";
    emulator.place.file("f.csv", csv);
    let ran = emulator.run("load --table t --create --key id f.csv");
    assert_eq!(
        ran.only_fails(2),
        "load of f.csv into table \"t\" stopped after 1,000 rows: row 1000 (counted from 0) has no \
         value in key column \"id\""
    );
    let ran = emulator.run("range --table t --limit 5000").succeeds();
    assert_eq!(ran.stdout.lines().count(), 1_000);
}

#[test]
fn a_row_that_the_service_refuses_is_named() {
    let emulator = Emulator::start();
    // A key column takes 1 KB.
    let long = "x".repeat(2_000);
    emulator
        .place
        .file("f.csv", format!("id,n\na,1\n{long},2\nb,3\n"));
    let ran = emulator.run("load --table t --create --key id f.csv");
    let sentence = ran.only_fails(1);
    let start = "load of f.csv into table \"t\" stopped after ";
    let rest = sentence.strip_prefix(start).unwrap();
    // The rows around it may be on their way already.
    let written: usize = rest.split(' ').next().unwrap().parse().unwrap();
    let there = emulator.run("range --table t").succeeds();
    assert_eq!(there.stdout.lines().count(), written);
    let end = " rows: row 1 (counted from 0): BatchWriteRow on table \"t\": key column id has 2000 \
               bytes, more than 1024";
    assert!(rest.ends_with(end), "{sentence}");
}

#[test]
fn creating_a_table_that_exists_says_what_to_do() {
    let emulator = Emulator::start().with_numbers("t", 10);
    let ran = emulator.run("load --table t --create --key id numbers.csv");
    assert_eq!(
        without_request_id(ran.only_fails(1)),
        "table \"t\" can't be created: CreateTable on table \"t\" of instance \"local\" failed: \
         OTSObjectAlreadyExist, HTTP 409: Requested table already exists.; leave out --create to \
         write into it"
    );
}

#[test]
fn a_load_whose_index_is_refused_says_how_to_go_on() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id,city\n1,c0\n");
    let index = "i".repeat(300);
    let ran = emulator.run(&format!(
        "load --table t --create --index {index} --key id f.csv"
    ));
    let sentence = ran.only_fails(1);
    let start = format!("table \"t\" was created, but not its index \"{index}\": ");
    assert!(sentence.starts_with(&start), "{sentence}");
    let end = "; run it again without --create to go on, with --index or without";
    assert!(sentence.ends_with(end), "{sentence}");
    emulator
        .run("load --table t --index i --key id f.csv")
        .succeeds();
    let export = "export --table t --index i --format csv --out o";
    let said = emulator.run(export).succeeds().stderr;
    assert!(said.starts_with("exported 1 row in "), "{said}");
}

#[test]
fn rows_with_another_key_than_the_table_are_refused_before_any_is_written() {
    let emulator = Emulator::start().with_numbers("t", 10);
    emulator.place.file("text.csv", "id,city\nA1,c0\n");
    for (file, key, found) in [
        ("numbers.csv", "city", "city STRING"),
        ("numbers.csv", "id,city", "id INTEGER, city STRING"),
        ("text.csv", "id", "id STRING"),
    ] {
        let ran = emulator.run(&format!("load --table t --key {key} {file}"));
        assert_eq!(
            ran.only_fails(2),
            format!(
                "{file} can't be loaded into table \"t\": the table's primary key is id INTEGER, the \
                 rows' is {found}; pass --key id, or another --table with --create"
            )
        );
    }
}

#[test]
fn a_query_that_is_none_is_told_with_its_place() {
    let emulator = Emulator::start().with_numbers("t", 1);
    for (query, expected) in [
        (
            "{\"term\": ",
            "EOF while parsing a value at line 1 column 9",
        ),
        (
            "{\"bool\": {\"must\": [{\"trem\": {\"a\": 1}}]}}",
            "the query at $.bool.must[0].trem: unknown kind of query; did you mean \"term\"? Known are ",
        ),
        (
            "{\"range\": {\"n\": {\"above\": 1}}}",
            "the query at $.range.n",
        ),
        ("[]", "the query at $: "),
    ] {
        emulator.place.file("q.json", query);
        let ran = emulator.run("export --table t --index i --out o --query-json q.json");
        let sentence = ran.only_fails(2);
        let start = format!("the query in q.json can't be used: {expected}");
        assert!(sentence.starts_with(&start), "{sentence}");
    }
    let ran = emulator.run("export --table t --index i --out o --query-json none.json");
    assert_eq!(
        ran.only_fails(2),
        "the query in none.json can't be used: No such file or directory (os error 2)"
    );
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn a_field_that_the_index_does_not_have_is_told_with_the_file_and_the_fields() {
    let emulator = Emulator::start().with_numbers("t", 1);
    for query in [
        r#"{"term": {"ctiy": "c0"}}"#,
        r#"{"terms": {"ctiy": ["c0"]}}"#,
        r#"{"range": {"ctiy": {"gt": "c0"}}}"#,
        r#"{"prefix": {"ctiy": "c"}}"#,
        r#"{"exists": {"field": "ctiy"}}"#,
        r#"{"bool": {"must": [{"exists": {"field": "city"}}], "must_not": [{"term": {"ctiy": 1}}]}}"#,
        r#"{"bool": {"should": [{"bool": {"filter": [{"term": {"ctiy": 1}}]}}]}}"#,
    ] {
        emulator.place.file("q.json", query);
        for command in ["export --out o", "search"] {
            let ran = emulator.run(&format!(
                "{command} --table t --index i --query-json q.json"
            ));
            assert_eq!(
                ran.only_fails(2),
                "the query in q.json can't be used: index \"i\" of table \"t\" has no field \
                 \"ctiy\"; its fields are id, city, text",
                "{query}"
            );
        }
    }
    assert!(!emulator.place.path().join("o").exists());

    let ran = emulator.run("search --table t --index i --sort ctiy");
    assert_eq!(
        ran.only_fails(2),
        "--sort ctiy can't be used: index \"i\" of table \"t\" has no field \"ctiy\"; its fields are \
         id, city, text"
    );
}

#[test]
fn a_query_in_place_of_its_file_is_told() {
    let emulator = Emulator::start().with_numbers("t", 1);
    let ran = emulator.run("search --table t --index i --query-json {\"match_all\":{}}");
    let sentence = ran.only_fails(2);
    assert!(
        sentence.ends_with("; --query-json takes the name of a file"),
        "{sentence}"
    );
}

#[test]
fn a_search_that_fails_says_what_it_asked_for_once() {
    let emulator = Emulator::start().with_numbers("t", 1);
    let ran = emulator.run("search --table t --index nowhere");
    let sentence = ran.only_fails(4);
    assert_eq!(sentence.matches("Search on table").count(), 1, "{sentence}");
    assert!(sentence.contains("`ots load --index`"), "{sentence}");
}
