//! Options, and plans.

use super::*;

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
            "--index i --read-by auto",
            "--read-by is for reading the table itself, not index \"i\"; leave --index out, or choose rows \
             with --query-json",
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
            "--out -",
            "the files go into a directory, and - is none; name one with --out; `ots range` and `ots \
             search` print rows",
        ),
        (
            "--plan --resume",
            "--plan says what an export would read from its beginning; leave --resume out",
        ),
    ] {
        let out = if words.starts_with("--out") {
            ""
        } else {
            "--out o"
        };
        let ran = emulator.run(&format!("export --table t {out} {words}"));
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
fn a_range_without_a_key_in_it_is_refused_and_says_which_end_is_which() {
    let emulator = Emulator::start().with_numbers("t", 10);
    for (start, end) in [(7, 3), (7, 7)] {
        for last in ["--plan", "--out o"] {
            let keys = format!("--start-pk {{\"id\":{start}}} --end-pk {{\"id\":{end}}}");
            let ran = emulator.run(&format!("export --table t {keys} {last}"));
            let sentence = ran.only_fails(2);
            let expected = "; --start-pk is the smaller key, and that of --end-pk stays out";
            assert!(
                sentence.contains("the start must come before the end"),
                "{sentence}"
            );
            assert!(sentence.ends_with(expected), "{sentence}");
        }
    }
    assert!(!emulator.place.path().join("o").exists());
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
