//! The workspace's own chores, run as `cargo xtask <task>`.

mod ci;
mod codegen;
mod fuzz;
mod known_fields;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Every task ends in one of these: nothing, or a sentence for the person who ran it.
type Outcome = Result<(), Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: cargo xtask <task>

  codegen [--check]   write crates/ots-proto/src/generated from proto/, or name what is stale
  ci [STEP ...]       everything CI runs, or only the named steps (`cargo xtask ci list`)
  fuzz TARGET SECONDS fuzz a target of ots-proto (needs cargo-fuzz)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["ci", steps @ ..] => ci::run_steps(steps),
        ["fuzz", target, seconds] => fuzz::run(target, seconds),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace, wherever the command was started.
fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
