//! The codec of an official SDK, asked from outside.
//!
//! A driver may have a program that imports the SDK's encoders and decoders and answers questions about
//! them: a line of JSON in, a line of JSON out, many cases in each. That is fast enough for tens of
//! thousands of random rows in a run of the tests.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::driver::Driver;
use crate::error::{Error, ErrorKind};
use crate::process;

/// What the SDK made of one case, or what it raised.
pub type Answer = Result<Json, String>;

/// The codec program of one driver.
#[derive(Debug)]
pub struct Codec {
    driver: Driver,
    program: Program,
}

#[derive(Debug)]
struct Program {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize)]
struct Question<'a> {
    ask: &'a str,
    cases: &'a [Json],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    answers: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Ok(Json),
    Error(String),
}

impl Codec {
    /// Starts the codec program of a driver that is installed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Manifest`] when the driver has none, [`ErrorKind::Driver`] when it does not start.
    pub fn start(driver: &Driver) -> Result<Self, Error> {
        Ok(Self {
            driver: driver.clone(),
            program: Program::start(driver)?,
        })
    }

    /// Asks about many cases at once: one answer for each, in their order.
    ///
    /// A case that ends the program, as a fault in native code does, is found by halves, and its
    /// answer says so; the other cases have theirs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Report`] when the program says something else than answers, [`ErrorKind::Driver`]
    /// when it cannot be started again after it ended.
    pub fn ask(&mut self, question: &str, cases: &[Json]) -> Result<Vec<Answer>, Error> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        let Some(line) = self.program.converse(question, cases)? else {
            self.program = Program::start(&self.driver)?;
            if cases.len() == 1 {
                return Ok(vec![Err("the program ended".to_owned())]);
            }
            let (first, second) = cases.split_at(cases.len() / 2);
            let mut answers = self.ask(question, first)?;
            answers.extend(self.ask(question, second)?);
            return Ok(answers);
        };
        let said: Answers = serde_json::from_str(&line).map_err(|e| {
            let message = format!("no answers to {question:?}: {line:.200}");
            Error::because(ErrorKind::Report, message, e)
        })?;
        if said.answers.len() != cases.len() {
            let (asked, answered) = (cases.len(), said.answers.len());
            let message = format!("{answered} answers to {asked} cases of {question:?}");
            return Err(Error::new(ErrorKind::Report, message));
        }
        let answers = said.answers.into_iter().map(|said| match said {
            Said::Ok(value) => Ok(value),
            Said::Error(reason) => Err(reason),
        });
        Ok(answers.collect())
    }
}

impl Program {
    fn start(driver: &Driver) -> Result<Self, Error> {
        let name = driver.name();
        let (mut command, log) = driver.codec_command()?.ok_or_else(|| {
            let message = format!("the manifest of the {name} driver names no codec program");
            Error::new(ErrorKind::Manifest, message)
        })?;
        let cannot = |e: std::io::Error| {
            let message = format!("cannot start the codec program of the {name} driver");
            Error::because(ErrorKind::Driver, message, e)
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(process::create(&log)?)
            .spawn()
            .map_err(cannot)?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            process::end(&mut child);
            return Err(cannot(std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }

    /// One line there and one back; `None` when the program ended instead.
    fn converse(&mut self, ask: &str, cases: &[Json]) -> Result<Option<String>, Error> {
        let mut asked = serde_json::to_vec(&Question { ask, cases })
            .map_err(|e| Error::because(ErrorKind::Io, "cannot write a question as JSON", e))?;
        asked.push(b'\n');
        // A program that is gone shows in the answer: there is none.
        let _broken_pipe = self.questions.write_all(&asked);
        let _broken_pipe = self.questions.flush();
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        read.map_err(|e| Error::because(ErrorKind::Report, "cannot read the answers", e))?;
        Ok(line.ends_with('\n').then_some(line))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}
