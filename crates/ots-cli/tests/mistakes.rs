//! What people do wrong, and what the world does to them: the exit code, one sentence, no trace.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use common::disk::SmallDisk;
use common::{Emulator, Place, Ran, Running, SECRET, Stalling, numbers, run};
use ots_core::request::DeleteSearchIndex;
use ots_core::{Client, Credentials};

/// A sentence of a refusal, without the request id, which differs each time.
fn without_request_id(sentence: &str) -> String {
    let (start, rest) = sentence.split_once(" (request id ").unwrap();
    let (_, end) = rest.split_once(')').unwrap();
    format!("{start}{end}")
}

const NAMES: &str =
    "; check the names, --instance and --endpoint; `ots load --create` makes tables";

// Access.

#[test]
fn a_wrong_secret_is_told_and_never_shown() {
    let emulator = Emulator::start().with_numbers("t", 10);
    emulator.place.file("q.csv", "id\n1\n");
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "load --table t --key id q.csv",
        "load --table u --create --key id q.csv",
    ] {
        let mut command = emulator.ots(words.split_whitespace());
        command.env("TABLESTORE_ACCESS_KEY_ID", "ots-local");
        command.env("TABLESTORE_ACCESS_KEY_SECRET", SECRET);
        let ran = run(&mut command);
        let sentence = without_request_id(ran.only_fails(3));
        let endpoint = emulator.endpoint();
        assert!(
            sentence.contains(&format!(" at {endpoint}: ")),
            "{sentence}"
        );
        let end = "OTSAuthFailed, HTTP 403: Signature mismatch.; check the access key in \
                   TABLESTORE_ACCESS_KEY_ID and TABLESTORE_ACCESS_KEY_SECRET, and what it may do; \
                   `ots emulator` needs none unless it was given one";
        assert!(sentence.ends_with(end), "{sentence}");
    }
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn half_an_access_key_is_a_mistake_even_for_an_emulator() {
    let place = Place::new();
    let mut command = place.ots(["range", "--table", "t", "--endpoint", "http://localhost:1"]);
    command.env("TABLESTORE_ACCESS_KEY_ID", "ots-local");
    assert_eq!(
        run(&mut command).only_fails(2),
        "the connection can't be set up: TABLESTORE_ACCESS_KEY_ID is set, but \
         TABLESTORE_ACCESS_KEY_SECRET is not"
    );
}

#[test]
fn the_service_itself_needs_a_key() {
    let place = Place::new();
    let ran = place.run("range --table t --endpoint https://shop.cn-hangzhou.ots.aliyuncs.com");
    assert_eq!(
        ran.only_fails(2),
        "the connection can't be set up: no credentials: set TABLESTORE_ACCESS_KEY_ID and \
         TABLESTORE_ACCESS_KEY_SECRET, or ALIBABA_CLOUD_ACCESS_KEY_ID and \
         ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    );
}

// Addresses.

#[test]
fn without_an_endpoint_it_says_how_to_give_one() {
    let place = Place::new();
    place.file("f.csv", "id\n1\n");
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "load --table t --key id f.csv",
    ] {
        let mut command = place.ots(words.split_whitespace());
        // As an unset variable in a script.
        command.env("OTS_ENDPOINT", "");
        for ran in [place.run(words), run(&mut command)] {
            let expected = "no endpoint is given; pass --endpoint URL or set OTS_ENDPOINT";
            assert_eq!(ran.only_fails(2), expected);
        }
    }
    assert_eq!(place.names("."), ["f.csv"]);
}

#[test]
fn a_malformed_endpoint_is_told_before_anything_is_sent() {
    let place = Place::new();
    let ran = place.run("range --table t --endpoint shop.cn-hangzhou.ots.aliyuncs.com");
    assert_eq!(
        ran.only_fails(2),
        "the connection can't be set up: endpoint \"shop.cn-hangzhou.ots.aliyuncs.com\" must start \
         with http:// or https://; expected something like \
         https://INSTANCE.cn-hangzhou.ots.aliyuncs.com"
    );
    let with_password = format!("range --table t --endpoint http://me:{SECRET}@localhost");
    assert_eq!(
        place.run(&with_password).only_fails(2),
        "the connection can't be set up: an endpoint must not contain a user or password"
    );
}

#[test]
fn an_endpoint_without_an_instance_asks_for_one() {
    let place = Place::new();
    let mut command = place.ots(["range", "--table", "t", "--endpoint", "http://10.1.2.3"]);
    command.env("TABLESTORE_ACCESS_KEY_ID", "somebody");
    command.env("TABLESTORE_ACCESS_KEY_SECRET", SECRET);
    assert_eq!(
        run(&mut command).only_fails(2),
        "endpoint http://10.1.2.3 doesn't name an instance; pass --instance NAME or set OTS_INSTANCE"
    );
}

#[test]
fn an_address_where_nothing_listens_is_told_within_seconds() {
    let place = Place::new();
    place.file("f.csv", "id\n1\n");
    // Taken, so that nobody else gets it, and nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = taken.local_addr().unwrap().port();
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "load --table t --key id f.csv",
        "load --table t --create --key id f.csv",
    ] {
        let ran = place.run(&format!("{words} --endpoint http://127.0.0.1:{port}"));
        let sentence = ran.only_fails(5);
        for part in [
            format!(" at http://127.0.0.1:{port}: "),
            " attempts in ".to_owned(),
            "Connection refused".to_owned(),
        ] {
            assert!(sentence.contains(&part), "{sentence}");
        }
        let end =
            "; check --endpoint and the network, or try again later; `ots emulator` starts one";
        assert!(sentence.ends_with(end), "{sentence}");
        // Not the minute that a call may take.
        assert!(ran.took < Duration::from_secs(40), "{:?}", ran.took);
    }
    assert_eq!(place.names("."), ["f.csv"]);
}

#[test]
fn tls_to_a_port_without_it_says_to_leave_it_out() {
    let emulator = Emulator::start();
    let endpoint = format!("https://127.0.0.1:{}", emulator.port);
    let ran = emulator.run(&format!("range --table t --endpoint {endpoint}"));
    let sentence = ran.only_fails(5);
    let end = "; what answers there doesn't speak TLS: try http://";
    assert!(sentence.ends_with(end), "{sentence}");
}

// The command line.

#[test]
fn arguments_out_of_range_are_refused_with_the_range() {
    let place = Place::new();
    for (words, problem) in [
        (
            "export --table t --index i --out o --parallel 11",
            "expected a number from 1 to 10",
        ),
        (
            "export --table t --index i --out o --parallel 0",
            "expected a number from 1 to 10",
        ),
        (
            "load --table t --key k --parallel 65 f.csv",
            "expected a number from 1 to 64",
        ),
        ("range --table t --limit 0", "0 is not in 1.."),
        ("range --table t --offset -1", "unexpected argument '-1'"),
        ("emulator --splits 0", "expected a number from 1 to 256"),
        (
            "emulator --listen 8087",
            "expected HOST:PORT, as in 127.0.0.1:8087",
        ),
        (
            "emulator --listen :8087",
            "expected HOST:PORT, as in 127.0.0.1:8087",
        ),
        (
            "export --table t --index i --out o --format xml",
            "[possible values: parquet, csv, jsonl]",
        ),
        ("load --table t f.csv", "--key <A,B>"),
        ("expotr", "'export'"),
    ] {
        let ran = place.run(words);
        let refusal = ran.is_refused();
        assert!(refusal.contains(problem), "{words}: {refusal}");
    }
}

#[test]
fn help_names_every_variable_and_default_and_no_secret() {
    let place = Place::new();
    let help = |command: &str| {
        let mut help = place.ots(command.split_whitespace());
        help.arg("--help");
        help.env("TABLESTORE_ACCESS_KEY_SECRET", SECRET);
        let ran = run(&mut help).succeeds();
        assert_eq!(ran.stderr, "");
        assert!(!ran.stdout.contains(SECRET));
        ran.stdout
    };
    let main = help("");
    for command in [
        "quickstart",
        "emulator",
        "load",
        "export",
        "range",
        "search",
    ] {
        assert!(main.contains(&format!("\n  {command} ")), "{main}");
        let text = help(command);
        for part in [
            "[env: OTS_ENDPOINT=]",
            "[env: OTS_INSTANCE=]",
            "[default: auto]",
        ] {
            assert!(text.contains(part), "{text}");
        }
        // Every sentence of help begins alike, and none ends with a point.
        for line in text.lines().filter(|line| line.starts_with("          ")) {
            let line = line.trim();
            let begins = line.starts_with(|c: char| c.is_uppercase() || "[-.".contains(c));
            assert!(line.is_empty() || begins, "{line}");
            assert!(!line.ends_with('.'), "{line}");
        }
    }
    for (command, default) in [
        ("quickstart", "[default: ./ots-quickstart]"),
        ("emulator", "[default: 127.0.0.1:8087]"),
        ("emulator", "[default: 8]"),
        ("load", "[default: 4]"),
        ("export", "[default: parquet]"),
        ("export", "[default: 8]"),
        ("range", "[default: 0]"),
    ] {
        let text = help(command);
        assert!(text.contains(default), "{command}: {text}");
    }
}

// Names.

#[test]
fn an_unknown_table_is_not_found() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id\n1\n");
    let endpoint = emulator.endpoint();
    for (words, doing) in [
        ("range --table nope", "range of table \"nope\""),
        (
            "export --table nope --index i --out o",
            "export of index \"i\" of table \"nope\"",
        ),
        (
            "load --table nope --key id f.csv",
            "f.csv can't be loaded into table \"nope\"",
        ),
    ] {
        let ran = emulator.run(words);
        assert_eq!(
            without_request_id(ran.only_fails(4)),
            format!(
                "{doing} at {endpoint}: DescribeTable on table \"nope\" of instance \"local\" \
                 failed: OTSObjectNotExist, HTTP 404: Requested table does not exist.{NAMES}"
            )
        );
    }
    assert_eq!(emulator.place.names("."), ["f.csv", "port"]);
}

#[test]
fn an_unknown_index_is_not_found() {
    let emulator = Emulator::start().with_numbers("t", 1);
    let ran = emulator.run("export --table t --index nope --out o");
    let sentence = without_request_id(ran.only_fails(4));
    let start = format!(
        "export of index \"nope\" of table \"t\" at {}: DescribeSearchIndex on table \"t\" of \
         instance \"local\" failed: OTS",
        emulator.endpoint()
    );
    assert!(sentence.starts_with(&start), "{sentence}");
    assert!(sentence.ends_with(NAMES), "{sentence}");
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn an_unknown_column_is_a_mistake_of_the_command_line() {
    let emulator = Emulator::start().with_numbers("t", 1);
    let ran = emulator.run("export --table t --index i --out o --columns city,nope");
    assert_eq!(
        ran.only_fails(2),
        "export of index \"i\" of table \"t\": the index has no top-level field \"nope\""
    );
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn an_invalid_name_is_a_mistake_of_the_command_line() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id\n1\n");
    for words in [
        "load --table 3t --create --key id f.csv",
        "range --table 3t",
    ] {
        let ran = emulator.run(words);
        let sentence = ran.only_fails(2);
        assert!(sentence.contains("Invalid table name: '3t'."), "{sentence}");
    }
}

#[test]
fn a_range_of_a_column_that_no_row_has_says_what_to_check() {
    let emulator = Emulator::start().with_numbers("t", 3);
    let ran = emulator.run("range --table t --columns ctiy").succeeds();
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.starts_with("0 rows in "), "{}", ran.stderr);
    let note =
        "note: only rows that have one of the columns ctiy are printed: are the names right?\n";
    assert!(ran.stderr.ends_with(note), "{}", ran.stderr);
}

// Files to load.

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

// Queries.

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
        let ran = emulator.run("export --table t --index i --out o --query-json q.json");
        assert_eq!(
            ran.only_fails(2),
            "the query in q.json can't be used: index \"i\" of table \"t\" has no field \"ctiy\"; \
             its fields are id, city, text",
            "{query}"
        );
    }
    assert!(!emulator.place.path().join("o").exists());
}

// Output.

#[test]
fn an_output_directory_in_use_or_in_the_way_is_left_as_it_is() {
    let emulator = Emulator::start().with_numbers("t", 10);
    emulator.place.file("file", "in the way");
    emulator
        .run("export --table t --index i --out o --format csv")
        .succeeds();
    let before = emulator.place.names("o");
    for (out, expected) in [
        ("file", "can't create file: "),
        ("file/below", "can't create file/below: "),
        ("o", "o/part-0000"),
    ] {
        let ran = emulator.run(&format!("export --table t --index i --out {out}"));
        let sentence = ran.only_fails(8);
        let start = format!("export of index \"i\" of table \"t\": {expected}");
        assert!(sentence.starts_with(&start), "{sentence}");
    }
    assert_eq!(emulator.place.names("o"), before);
}

/// Whether this user is held back by permissions; root isn't.
fn permissions_matter(place: &Place) -> bool {
    let directory = place.path().join("locked");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, read_only()).unwrap();
    File::create(directory.join("probe")).is_err()
}

fn read_only() -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    Permissions::from_mode(0o555)
}

#[test]
fn a_directory_that_may_not_be_written_is_said() {
    let emulator = Emulator::start().with_numbers("t", 10);
    if !permissions_matter(&emulator.place) {
        return;
    }
    for out in ["locked", "locked/below"] {
        let ran = emulator.run(&format!("export --table t --index i --out {out}"));
        let sentence = ran.only_fails(8);
        assert!(sentence.contains("Permission denied"), "{sentence}");
    }
}

#[test]
fn a_full_disk_leaves_no_file_and_says_what_to_do() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    // Whoever may not mount has seen a full disk in the tests of the sink.
    let Some(_disk) = SmallDisk::mount(&emulator.place) else {
        return;
    };
    for format in ["csv", "jsonl"] {
        let ran = emulator.run(&format!(
            "export --table t --index i --format {format} --out disk/o"
        ));
        let sentence = ran.only_fails(8);
        assert!(
            sentence.contains(" rows: no space left to write disk/o/part-0000"),
            "{sentence}"
        );
        let end =
            ": No space left on device (os error 28); free some space or choose another --out";
        assert!(sentence.ends_with(end), "{sentence}");
        assert_eq!(emulator.place.names("disk"), [""; 0]);
    }
}

#[test]
fn a_full_standard_output_is_said() {
    let emulator = Emulator::start().with_numbers("t", 10);
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let ran = run(emulator.ots(["range", "--table", "t"]).stdout(full));
    assert_eq!(
        ran.only_fails(8),
        "range of table \"t\": standard output can't be written: No space left on device (os error 28)"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let emulator = Emulator::start().with_numbers("t", 20_000);
    let mut range = Running::start(&mut emulator.ots(["range", "--table", "t"]));
    let mut lines = BufReader::new(range.stdout()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("{\"id\":0,"), "{first}");
    drop(lines);
    let ran = range.ends().succeeds();
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let emulator = Emulator::start().with_numbers("t", 10);
    for (words, code) in [
        ("quickstart --out q", 0),
        ("export --table t --index i --out o", 0),
        ("range --table nope", 4),
    ] {
        let mut running = Running::start(&mut emulator.ots(words.split_whitespace()));
        drop(running.stderr());
        assert_eq!(running.ends().code, Some(code), "{words}");
    }
    assert_eq!(emulator.place.names("q").len(), 4);
    assert_eq!(emulator.place.names("o").len(), 3);
}

// Signals.

/// An export that hangs in the middle: two pages or so have been read.
fn hanging_export(emulator: &Emulator) -> (Stalling, Running) {
    let proxy = Stalling::new(emulator.port, 1_000_000);
    let words = "export --table t --index i --format csv --out o --restarts 0 --progress none \
                 --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let export = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    (proxy, export)
}

#[test]
fn an_interrupted_export_leaves_no_file_and_says_where_it_stopped() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (_proxy, export) = hanging_export(&emulator);
        let hidden = emulator.place.names("o");
        assert!(
            hidden.iter().all(|name| name.starts_with(".part-")),
            "{hidden:?}"
        );
        assert_eq!(hidden.len(), 3);
        export.signal(signal);
        let ran = export.ends();
        let sentence = ran.only_fails(code);
        let start = "export of index \"i\" of table \"t\" stopped after ";
        let rows = sentence.strip_prefix(start).unwrap();
        let rows = rows.strip_suffix(" rows; no file was left in o").unwrap();
        let rows: usize = rows.replace(',', "").parse().unwrap();
        assert!((1..30_000).contains(&rows), "{sentence}");
        assert!(!emulator.place.path().join("o").exists());
    }
    // Nothing is in the way of another try.
    emulator
        .run("export --table t --index i --out o")
        .succeeds();
}

#[test]
fn a_command_can_be_interrupted_before_the_first_answer() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id\n1\n");
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "load --table t --key id f.csv",
    ] {
        let proxy = Stalling::new(emulator.port, 1);
        let mut command = emulator.ots(words.split_whitespace());
        let running = Running::start(command.args(["--endpoint", &proxy.endpoint()]));
        proxy.stalls();
        running.signal("INT");
        let ran = running.ends();
        let sentence = ran.only_fails(130);
        assert!(
            sentence.ends_with(" stopped before the first row"),
            "{sentence}"
        );
        assert!(ran.took < Duration::from_secs(40));
    }
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn an_interrupted_range_says_how_many_rows_it_printed() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    let proxy = Stalling::new(emulator.port, 2_000_000);
    let mut command = emulator.ots(["range", "--table", "t", "--endpoint", &proxy.endpoint()]);
    let out = File::create(emulator.place.path().join("rows")).unwrap();
    let range = Running::start(command.stdout(out));
    proxy.stalls();
    range.signal("INT");
    let ran = range.ends();
    let rows = fs::read_to_string(emulator.place.path().join("rows")).unwrap();
    let printed = common::grouped(rows.lines().count());
    let expected = format!("range of table \"t\" stopped after {printed} rows");
    assert_eq!(ran.only_fails(130), expected);
    assert!(rows.is_empty() || rows.ends_with('\n'), "lines are whole");
}

#[test]
fn an_interrupted_load_says_what_is_written_and_what_may_be() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", numbers(20_000));
    let proxy = Stalling::new(emulator.port, 20_000);
    let words = "load --table t --create --key id f.csv --progress none --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let load = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    load.signal("INT");
    let ran = load.ends();
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
    let sentence = ran.only_fails(130);
    let counts = sentence
        .strip_prefix("load of f.csv into table \"t\" stopped after ")
        .unwrap();
    let end = " more may be written; run it again without --create to write all rows: writing a row \
               twice is harmless";
    let counts = counts.strip_suffix(end).unwrap();
    let (written, unknown) = counts.split_once(" rows; ").unwrap();
    let count = |text: &str| text.replace(',', "").parse::<usize>().unwrap();
    let (written, unknown) = (count(written), count(unknown));
    let there = emulator.run("range --table t").succeeds();
    let there = there.stdout.lines().count();
    assert!(
        (written..=written + unknown).contains(&there),
        "{sentence}: {there}"
    );
    assert!(written > 0 && unknown > 0 && unknown <= 800, "{sentence}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", numbers(20_000));
    let proxy = Stalling::new(emulator.port, 20_000);
    let words = "load --table t --create --key id f.csv --progress none --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let load = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    // Both are there when it goes on, so that the time it gives the first plays no part; which of
    // them it takes as the second is for it to choose.
    for signal in ["STOP", "TERM", "INT", "CONT"] {
        load.signal(signal);
    }
    let Ran { code, stderr, .. } = load.ends();
    assert!(matches!(code, Some(130 | 143)), "{code:?}: {stderr}");
    let start =
        "ots: stopped at once: an export may leave hidden files behind, named .part-*.partial";
    assert!(stderr.starts_with(start), "{stderr}");
}

#[test]
fn files_of_a_killed_export_are_mentioned_and_left() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    let (proxy, export) = hanging_export(&emulator);
    export.signal("KILL");
    assert_eq!(export.ends().code, None);
    drop(proxy);
    let left = emulator.place.names("o");
    assert_eq!(left.len(), 3);
    let ran = emulator.run("export --table t --index i --format csv --out o");
    let said = ran.succeeds().stderr;
    let note = "note: o has files of an export that was killed or still runs, as o/.part-0000";
    assert!(said.starts_with(note), "{said}");
    let names = emulator.place.names("o");
    assert!(left.iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(names.len(), 6);
}

#[test]
fn a_directory_that_was_there_stays_when_an_export_fails() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    fs::create_dir(emulator.place.path().join("o")).unwrap();
    let (_proxy, export) = hanging_export(&emulator);
    export.signal("INT");
    export.ends().only_fails(130);
    assert_eq!(emulator.place.names("o"), [""; 0]);
}

#[test]
fn a_count_that_hangs_does_not_hold_up_the_export() {
    let emulator = Emulator::start().with_numbers("t", 100);
    let proxy = Stalling::at("/Search", emulator.port);
    let words = "export --table t --index i --format csv --out o --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let said = run(command.arg(proxy.endpoint())).succeeds().stderr;
    assert!(said.starts_with("exported 100 rows in "), "{said}");
}

// Failures in the middle.

#[test]
fn a_session_that_expires_in_the_middle_leaves_no_file() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    let (proxy, export) = hanging_export(&emulator);
    assert_eq!(emulator.place.names("o").len(), 3);
    // With the index all its sessions go.
    delete_index(&emulator, "t", "i");
    proxy.goes_on();
    let ran = export.ends();
    let sentence = ran.only_fails(6);
    let start = "export: ParallelScan on index \"i\" of table \"t\": ";
    assert!(sentence.starts_with(start), "{sentence}");
    assert!(
        sentence.contains(" session expired on split "),
        "{sentence}"
    );
    let end = "; run the command again: it starts with a new session";
    assert!(sentence.ends_with(end), "{sentence}");
    assert!(!emulator.place.path().join("o").exists());
}

fn delete_index(emulator: &Emulator, table: &str, index: &str) {
    let credentials = Credentials::new("ots-local", "ots-local-secret");
    let client = Client::builder(emulator.endpoint())
        .instance("local")
        .credentials(credentials);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let delete = async {
        client
            .build()?
            .send(DeleteSearchIndex::new(table, index))
            .await
    };
    runtime
        .enable_all()
        .build()
        .unwrap()
        .block_on(delete)
        .unwrap();
}
