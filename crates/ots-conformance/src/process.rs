//! Other programs, run with a time limit and with their output kept in files.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How much of a log goes into a message, in lines.
const TAIL_LINES: usize = 40;

/// Runs a program to its end, writing what it prints to two files.
pub(crate) fn run(
    command: &mut Command,
    limit: Duration,
    stdout: &Path,
    stderr: &Path,
) -> Result<ExitStatus, Error> {
    let mut child = start(command, stdout, stderr)?;
    match wait(&mut child, limit)? {
        Some(status) => Ok(status),
        None => Err(Error::new(
            ErrorKind::TimedOut,
            format!(
                "{} was still running after {} s and was ended; its last words:\n{}",
                name(command),
                limit.as_secs(),
                tail(stderr)
            ),
        )),
    }
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn start(command: &mut Command, stdout: &Path, stderr: &Path) -> Result<Child, Error> {
    let program = name(command);
    command
        .stdin(Stdio::null())
        .stdout(create(stdout)?)
        .stderr(create(stderr)?)
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::because(
                ErrorKind::MissingProgram,
                format!("{program} is not on this machine"),
                e,
            ),
            _ => Error::because(ErrorKind::Driver, format!("cannot start {program}"), e),
        })
}

/// Waits for a child; `None` means that the limit passed and that the child was ended.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>, Error> {
    let deadline = Instant::now() + limit;
    loop {
        let status = child
            .try_wait()
            .map_err(|e| Error::because(ErrorKind::Driver, "cannot wait for a program", e))?;
        if status.is_some() {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            end(child);
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Ends a child and reaps it. One that is already gone is what was wanted.
pub(crate) fn end(child: &mut Child) {
    let _already_gone = child.kill();
    let _reaped = child.wait();
}

/// The end of a log, for a message.
pub(crate) fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

pub(crate) fn create(path: &Path) -> Result<File, Error> {
    File::create(path).map_err(|e| {
        Error::because(
            ErrorKind::Io,
            format!("cannot create {}", path.display()),
            e,
        )
    })
}

/// A lock that others wait for, until the file is dropped or this process ends.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let file = create(path)?;
    // Some network disks have no locks; seldom does anybody else want the same there.
    let _locked = file.lock();
    Ok(file)
}

pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|e| {
        Error::because(
            ErrorKind::Io,
            format!("cannot create {}", path.display()),
            e,
        )
    })
}

pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    std::fs::write(path, content)
        .map_err(|e| Error::because(ErrorKind::Io, format!("cannot write {}", path.display()), e))
}

pub(crate) fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|e| Error::because(ErrorKind::Io, format!("cannot read {}", path.display()), e))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// Longer than anything here takes, even on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(600);

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_status_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (out, log) = (folder.path().join("out"), folder.path().join("log"));
        let status = run(&mut sh("echo said; exit 3"), PATIENCE, &out, &log);
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(std::fs::read_to_string(out).unwrap(), "said\n");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (out, log) = (folder.path().join("out"), folder.path().join("log"));
        let command = &mut sh("exec sleep 1000");
        let error = run(command, Duration::from_millis(1), &out, &log).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let sentence = "sh was still running after 0 s and was ended; its last words:\n";
        assert_eq!(error.to_string(), sentence);
    }

    #[test]
    fn a_program_is_ended_after_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let (out, log) = (folder.path().join("out"), folder.path().join("log"));
        let command = &mut sh("echo alive >&2; exec sleep 1000");
        let mut child = start(command, &out, &log).unwrap();
        while tail(&log) != "alive" {
            assert!(child.try_wait().unwrap().is_none(), "it has ended");
            thread::sleep(POLL);
        }
        assert_eq!(wait(&mut child, Duration::ZERO).unwrap(), None);
        // By a signal, and reaped.
        assert_eq!(child.try_wait().unwrap().unwrap().code(), None);
    }
}
