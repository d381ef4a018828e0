//! What is written on the command line.

use super::*;

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
        "export of index \"i\" of table \"t\": the index has no top-level field \"nope\"; its \
         fields are id, city, text"
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
