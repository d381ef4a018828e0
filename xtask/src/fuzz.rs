//! Long fuzz runs, made by hand. CI runs the same targets for a moment: `tests/fuzz_smoke.rs`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::{Outcome, workspace_root};

/// Fuzzes one target of ots-proto for a number of seconds, beginning with the golden vectors.
///
/// What it finds lies in `crates/ots-proto/fuzz/artifacts`, what it learnt in `corpus` beside it.
pub(crate) fn run(target: &str, seconds: &str) -> Outcome {
    let seconds: u32 = seconds
        .parse()
        .map_err(|_| format!("{seconds:?} is no number of seconds"))?;
    cargo(&["run", "--quiet", "--bin", "corpus"])?;
    cargo(&[
        "fuzz",
        "run",
        "--fuzz-dir",
        ".",
        target,
        "--",
        &format!("-max_total_time={seconds}"),
        // Far more than any target needs: what takes more is a finding.
        "-rss_limit_mb=1024",
        "-timeout=10",
    ])
}

fn folder() -> PathBuf {
    workspace_root().join("crates/ots-proto/fuzz")
}

fn cargo(arguments: &[&str]) -> Outcome {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // The sanitizers are behind flags that only a nightly compiler takes, or one that is told to.
    command
        .args(arguments)
        .current_dir(folder())
        .env("RUSTC_BOOTSTRAP", "1");
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status} (is cargo-fuzz installed?)").into())
    }
}
