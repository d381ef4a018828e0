//! The examples of the crates, built.

use std::collections::BTreeMap;
use std::process::Command;

use ots_conformance::workspace::Workspace;
use serde_json::Value;

/// The program of each example, by name.
pub(crate) fn build(workspace: &Workspace) -> BTreeMap<String, String> {
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
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?;
            Some((name.to_owned(), message["executable"].as_str()?.to_owned()))
        })
        .collect()
}
