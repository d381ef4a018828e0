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
        ("export_all", "5001,Hangzhou,5001"),
        ("own_transport", "POST /GetRow: "),
        ("page_through", "from (id = 30): 5 orders, "),
        ("samples", "  iterator: 10000 rows"),
        ("typed_rows", "韩梅梅: 9900 cents"),
        (
            "ureq_transport",
            "GetRow on table \"nowhere\" of instance \"example\" failed: OTSObjectNotExist",
        ),
    ];
    // A new example is expected to print something too.
    let names: Vec<&str> = built.keys().map(String::as_str).collect();
    assert_eq!(names, expected.map(|(name, _)| name));
    for (name, line) in expected {
        let output = Command::new(&built[name]).output().unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {problem}");
        let out = String::from_utf8_lossy(&output.stdout);
        let found = out.lines().any(|found| found.starts_with(line));
        assert!(found, "{name} printed no line {line:?}: {out}");
    }
}
