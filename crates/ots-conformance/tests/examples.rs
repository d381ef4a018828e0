#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]
//! Examples are what people copy: each must run to its end, without arguments.

use std::process::Command;

use ots_conformance::workspace::Workspace;

#[path = "support/examples.rs"]
mod examples;

#[test]
fn every_example_runs_without_arguments() {
    let workspace = Workspace::locate().unwrap();
    let mut built = examples::build(&workspace);
    // A service, which doesn't end: tests/web_example.rs runs it.
    assert!(built.remove("airports_web").is_some());

    let expected = [
        ("export_all", vec!["5001,Hangzhou,5001"]),
        ("own_transport", vec!["POST /GetRow: "]),
        ("page_through", vec!["from (id = 30): 5 orders, "]),
        ("samples", SAMPLES.to_vec()),
        ("typed_rows", vec!["韩梅梅: 9900 cents"]),
        (
            "ureq_transport",
            vec!["GetRow on table \"nowhere\" of instance \"example\" failed: OTSObjectNotExist"],
        ),
    ];
    // A new example is expected to print something too.
    let names: Vec<&str> = built.keys().map(String::as_str).collect();
    assert!(names.iter().eq(expected.iter().map(|(name, _)| name)));
    for (name, lines) in expected {
        let output = Command::new(&built[name]).output().unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {problem}");
        let out = String::from_utf8_lossy(&output.stdout);
        // In this order.
        let mut printed = out.lines();
        for line in lines {
            let found = printed.any(|printed| printed.starts_with(line));
            assert!(found, "{name} printed no line {line:?} there: {out}");
        }
    }
}

/// The documentation's four samples and ours, which have fewer lines or the example fails: while all is
/// well, and when a session is lost, which two of the four don't even notice.
const SAMPLES: [&str; 18] = [
    "all is well",
    "  Go, single, by hand, 14 lines: 10000 rows",
    "  Go, single, 8 lines: 10000 rows",
    "  Go, multi, by hand, 35 lines: 10000 rows",
    "  Go, multi, 8 lines: 10000 rows",
    "  Java, iterator, by hand, 29 lines: 10000 rows",
    "  Java, iterator, 3 lines: 10000 rows",
    "  Java, semaphore, by hand, 34 lines: 9000 rows",
    "  Java, semaphore, 9 lines: 9000 rows",
    "a session is lost",
    "  Go, single, by hand, 14 lines: ParallelScan on table \"orders\" of instance \"example\" failed: \
     OTSSessionExpired",
    "  Go, single, 8 lines: 10000 rows",
    "  Go, multi, by hand, 35 lines: 0 rows",
    "  Go, multi, 8 lines: 10000 rows",
    "  Java, iterator, by hand, 29 lines: ParallelScan on table \"orders\" of instance \"example\" \
     failed: OTSSessionExpired",
    "  Java, iterator, 3 lines: 10000 rows",
    "  Java, semaphore, by hand, 34 lines: 0 rows",
    "  Java, semaphore, 9 lines: 9000 rows",
];
