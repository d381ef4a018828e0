//! Everything CI runs besides `cargo test`, as a list of steps that can also be run one by one.

use std::env;
use std::process::Command;
use std::time::Instant;

use crate::{Outcome, codegen, workspace_root};

/// A check with a name.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Outcome,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "formatting",
        run: || cargo(&["fmt", "--all", "--check"]),
    },
    Step {
        name: "codegen",
        about: "generated code is what proto/ says",
        run: codegen::check,
    },
    Step {
        name: "clippy",
        about: "lints over every target, as errors",
        run: || {
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ])
        },
    },
    Step {
        name: "features",
        about: "the light crates build without their default features",
        run: || {
            for package in ["ots-proto", "ots-core", "ots-paging", "ots-scan"] {
                let arguments = [
                    "clippy",
                    "--package",
                    package,
                    "--no-default-features",
                    "--",
                    "-D",
                    "warnings",
                ];
                cargo(&arguments)?;
            }
            Ok(())
        },
    },
    Step {
        name: "tree",
        about: "who may depend on what",
        run: tree,
    },
    Step {
        name: "docs",
        about: "documentation without warnings",
        run: || {
            run(Command::new("cargo")
                .args(["doc", "--workspace", "--no-deps", "--all-features"])
                .env("RUSTDOCFLAGS", "-D warnings"))
        },
    },
    Step {
        name: "tools",
        about: "tests of the tools, and one round of every benchmark",
        run: || {
            cargo(&["test", "--package", "xtask"])?;
            cargo(&["test", "--package", "ots-benches", "--benches"])
        },
    },
    Step {
        name: "scale",
        about: "a scan of 256 splits with 10,000 pages each: what a page costs, counted",
        run: || {
            let test = "two_hundred_and_fifty_six_splits_of_ten_thousand_pages";
            cargo(&[
                "test",
                "--package",
                "ots-scan",
                "--test",
                "many_splits",
                test,
                "--",
                "--exact",
                "--ignored",
            ])
        },
    },
    Step {
        name: "conformance",
        about: "our client and the official Python and Node SDKs against the emulator, their codecs against ours, the web example in a browser",
        run: || {
            browser()?;
            cargo(&["build", "--package", "ots-cli"])?;
            cargo(&["test", "--package", "ots-conformance"])
        },
    },
    Step {
        name: "deny",
        about: "licences, sources and bans of dependencies",
        run: deny,
    },
];

/// Runs the named steps, or all of them. Goes on after a failure, so that one run names everything
/// that is wrong.
pub(crate) fn run_steps(names: &[&str]) -> Outcome {
    if names == ["list"] {
        for step in STEPS {
            println!("{:12} {}", step.name, step.about);
        }
        return Ok(());
    }
    if let Some(unknown) = names
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        return Err(format!("no step is called {unknown:?}; see `cargo xtask ci list`").into());
    }
    let mut failed = Vec::new();
    for step in STEPS
        .iter()
        .filter(|step| names.is_empty() || names.contains(&step.name))
    {
        println!("==> {}: {}", step.name, step.about);
        let start = Instant::now();
        let outcome = (step.run)();
        let seconds = start.elapsed().as_secs();
        match outcome {
            Ok(()) => println!("==> {}: ok in {seconds} s", step.name),
            Err(error) => {
                println!("==> {}: FAILED in {seconds} s: {error}", step.name);
                failed.push(step.name);
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")).into())
    }
}

/// What keeps the crates clean: the lower ones can't reach for what they must not use.
fn tree() -> Outcome {
    let rules: [(&str, &[&str], &[&str]); 4] = [
        (
            "ots-proto",
            &["--all-features"],
            &["tokio", "hyper", "futures"],
        ),
        (
            "ots-core",
            &["--no-default-features"],
            &["hyper", "rustls", "reqwest"],
        ),
        (
            "ots-paging",
            &["--no-default-features"],
            &["hyper", "arrow-array"],
        ),
        ("ots-emulator", &[], &["ots-core"]),
    ];
    for (package, features, forbidden) in rules {
        let output = Command::new("cargo")
            .args([
                "tree",
                "--package",
                package,
                "--edges",
                "normal",
                "--prefix",
                "none",
            ])
            .args(features)
            .current_dir(workspace_root())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        let crates: Vec<&str> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        if let Some(found) = forbidden.iter().find(|name| crates.contains(name)) {
            return Err(format!("{package} must not depend on {found}, but does").into());
        }
    }
    one_arrow()
}

/// Two versions of Arrow would mean two types called `RecordBatch`.
fn one_arrow() -> Outcome {
    let output = Command::new("cargo")
        .args(["tree", "--workspace", "--all-features", "--prefix", "none"])
        .current_dir(workspace_root())
        .output()?;
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut versions: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.strip_prefix("arrow-array v"))
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    versions.sort_unstable();
    versions.dedup();
    match versions.as_slice() {
        [_] => Ok(()),
        [] => Err("cargo tree shows no arrow-array at all: is this check still right?".into()),
        several => Err(format!("several versions of arrow-array: {}", several.join(", ")).into()),
    }
}

/// cargo-deny is installed when it is not there yet.
fn deny() -> Outcome {
    let present = Command::new("cargo")
        .args(["deny", "--version"])
        .output()?
        .status
        .success();
    if !present {
        cargo(&["install", "cargo-deny", "--locked", "--version", "^0.20"])?;
    }
    cargo(&[
        "deny",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ])
}

/// The web example is clicked through in a browser. CI installs Debian's when there is none; anywhere
/// else that is for the owner of the machine to do, and the test says so.
fn browser() -> Outcome {
    let present = Command::new("chromium").arg("--version").output().is_ok();
    if present || env::var_os("CI").is_none() {
        return Ok(());
    }
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    let install = [
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        "chromium",
    ];
    run(Command::new("apt-get")
        .args(install)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

fn cargo(arguments: &[&str]) -> Outcome {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).args(arguments))
}

fn run(command: &mut Command) -> Outcome {
    let status = command.current_dir(workspace_root()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}
