//! The emulator as its users meet it: the program, in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::process;
use crate::workspace::Workspace;

/// The key id that the emulator knows.
pub const ACCESS_KEY_ID: &str = "ots-local";
/// The secret of [`ACCESS_KEY_ID`].
pub const ACCESS_KEY_SECRET: &str = "ots-local-secret";

/// Names a ready-made `ots` program to test instead of the one that cargo builds.
const PROGRAM_VARIABLE: &str = "OTS_CONFORMANCE_PROGRAM";
/// Longer than any machine needs, however busy: one that ends is noticed at once.
const START_LIMIT: Duration = Duration::from_secs(300);

/// A running emulator; it ends when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    endpoint: String,
}

impl Emulator {
    /// Starts the program on a free port of this machine and waits until it listens. Its log goes to
    /// `folder`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Emulator`] when it ends at once or does not say its port in time,
    /// [`ErrorKind::Io`] when the folder cannot be used.
    pub fn start(program: &Path, folder: &Path, splits: u32) -> Result<Self, Error> {
        process::make_folder(folder)?;
        let port_file = folder.join("emulator.port");
        let log = folder.join("emulator.log");
        if port_file.exists() {
            std::fs::remove_file(&port_file).map_err(|e| {
                Error::because(
                    ErrorKind::Io,
                    "cannot remove the port file of an earlier run",
                    e,
                )
            })?;
        }
        let output = process::create(&log)?;
        let errors = output
            .try_clone()
            .map_err(|e| Error::because(ErrorKind::Io, "cannot share the emulator's log", e))?;
        let child = Command::new(program)
            .args(["emulator", "--listen", "127.0.0.1:0", "--port-file"])
            .arg(&port_file)
            .args(["--splits", &splits.to_string()])
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|e| {
                let message = format!("cannot start {}", program.display());
                Error::because(ErrorKind::Emulator, message, e)
            })?;
        // From here on a failure drops `emulator`, which ends the process.
        let mut emulator = Self {
            child,
            endpoint: String::new(),
        };
        let port = emulator.wait_for_port(&port_file, &log)?;
        emulator.endpoint = format!("http://127.0.0.1:{port}");
        Ok(emulator)
    }

    fn wait_for_port(&mut self, port_file: &Path, log: &Path) -> Result<u16, Error> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            // A file that is there but not yet written reads as no port.
            if let Ok(text) = std::fs::read_to_string(port_file)
                && let Some(port) = parse_port(&text)
            {
                return Ok(port);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::new(
                    ErrorKind::Emulator,
                    format!("the emulator ended with {status}:\n{}", process::tail(log)),
                ));
            }
            if Instant::now() >= deadline {
                return Err(Error::new(
                    ErrorKind::Emulator,
                    format!(
                        "the emulator wrote no port within {} s:\n{}",
                        START_LIMIT.as_secs(),
                        process::tail(log)
                    ),
                ));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens, as in `http://127.0.0.1:49152`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

/// A port alone, or an address that ends in one.
fn parse_port(text: &str) -> Option<u16> {
    let text = text.trim();
    let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
    port.parse().ok().filter(|port| *port != 0)
}

/// The `ots` program: the one named in `OTS_CONFORMANCE_PROGRAM`, or else built by cargo.
///
/// # Errors
///
/// [`ErrorKind::Emulator`] when it does not build.
pub fn program(workspace: &Workspace) -> Result<PathBuf, Error> {
    if let Some(program) = std::env::var_os(PROGRAM_VARIABLE) {
        return Ok(program.into());
    }
    let output = Command::new(workspace.cargo())
        .args(["build", "--package", "ots-cli", "--bin", "ots"])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(workspace.manifest())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::because(ErrorKind::Emulator, "cannot run cargo build", e))?;
    if !output.status.success() {
        return Err(Error::new(
            ErrorKind::Emulator,
            format!(
                "the emulator does not build:\n{}",
                String::from_utf8_lossy(&output.stderr)
            ),
        ));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<BuildMessage>(line).ok())
        .find_map(|message| {
            (message.target.name == "ots")
                .then_some(message.executable)
                .flatten()
        })
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Emulator,
                "cargo built no program named ots in the package ots-cli",
            )
        })
}

#[derive(Deserialize)]
struct BuildMessage {
    target: BuildTarget,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct BuildTarget {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_read_with_or_without_its_address() {
        for (text, port) in [
            ("49152\n", Some(49152)),
            ("127.0.0.1:49152", Some(49152)),
            ("[::1]:80", Some(80)),
            ("", None),
            ("0", None),
            ("127.0.0.1:", None),
        ] {
            assert_eq!(parse_port(text), port, "{text:?}");
        }
    }
}
