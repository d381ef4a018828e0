#![allow(missing_docs, reason = "a test")]
//! Examples are what people copy: each must run to its end, without arguments.

use std::collections::BTreeMap;
use std::process::Command;

use ots_conformance::workspace::Workspace;
use serde_json::Value;

#[test]
fn every_example_runs_without_arguments() {
    let workspace = Workspace::locate().unwrap();
    // All at once: one by one, what they share would be built for each.
    let packages = ["ots-core", "ots-paging", "ots-scan"];
    let build = Command::new(workspace.cargo())
        .arg("build")
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .args(["--examples", "--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(workspace.manifest())
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&build.stderr);
    assert!(build.status.success(), "{problem}");
    let messages = String::from_utf8_lossy(&build.stdout);
    let built: BTreeMap<String, String> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?;
            Some((name.to_owned(), message["executable"].as_str()?.to_owned()))
        })
        .collect();

    let expected = [
        ("export_all", "5001,Hangzhou,5001"),
        ("own_transport", "POST /GetRow: "),
        ("page_through", "from (id = 30): 5 orders, "),
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
