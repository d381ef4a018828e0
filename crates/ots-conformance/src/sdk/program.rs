//! An official SDK behind its driver: a program that answers a line with a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use serde_json::Value as Json;

use super::{Said, Sdk};
use crate::driver::{Driver, Service, Variant};
use crate::error::{Error, ErrorKind};
use crate::process;

/// How long one request may take, with all the times that an SDK tries again.
const PATIENCE: Duration = Duration::from_secs(600);

/// The case program of a driver, one process for all cases.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    requests: ChildStdin,
    lines: Receiver<std::io::Result<String>>,
    log: std::path::PathBuf,
}

impl Program {
    /// Starts the case program of a driver that is installed.
    ///
    /// # Errors
    /// [`ErrorKind::Manifest`] when the driver has none, [`ErrorKind::Driver`] when it does not start.
    pub fn start(driver: &Driver, variant: &Variant, service: &Service) -> Result<Self, Error> {
        let (mut command, log) = driver.cases_command(variant, service)?;
        let name = format!("{} ({})", driver.title(), variant.name());
        let cannot = |e: std::io::Error| {
            let message = format!("cannot start the case program of {name}");
            Error::because(ErrorKind::Driver, message, e)
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(process::create(&log)?)
            .spawn()
            .map_err(cannot)?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            process::end(&mut child);
            return Err(cannot(std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self {
            name,
            child,
            requests,
            lines: lines(answers),
            log,
        })
    }

    fn converse(&mut self, request: &Json) -> Result<Said, Error> {
        let mut line = request.to_string();
        line.push('\n');
        // A program that is gone shows in the answer: there is none.
        let _broken_pipe = self.requests.write_all(line.as_bytes());
        let _broken_pipe = self.requests.flush();
        let (name, log) = (&self.name, &self.log);
        let failed = |what: &str| {
            let message = format!("{name} {what}:\n{}", process::tail(log));
            Error::new(ErrorKind::Driver, message)
        };
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line.map_err(|e| {
                Error::because(ErrorKind::Report, "cannot read what a driver says", e)
            })?,
            Err(RecvTimeoutError::Timeout) => {
                // What it says from now on would be taken for the answers to other requests.
                process::end(&mut self.child);
                return Err(failed("did not answer in time"));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(failed("ended")),
        };
        serde_json::from_str(&line).map_err(|e| {
            let message = format!("{} said what is no answer: {line:.400}", self.name);
            Error::because(ErrorKind::Report, message, e)
        })
    }
}

impl Sdk for Program {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a mut self, request: &'a Json) -> BoxFuture<'a, Result<Said, Error>> {
        // The service may live in this process: others go on while this thread waits.
        let said = tokio::task::block_in_place(|| self.converse(request));
        ready(said).boxed()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

/// The lines that a program says, read by a thread of their own so that waiting for one can end.
fn lines(answers: ChildStdout) -> Receiver<std::io::Result<String>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(answers).lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
