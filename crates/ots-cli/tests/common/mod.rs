//! The built program, run as people run it.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

pub(crate) mod disk;
mod stalling;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use stalling::Stalling;

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// An empty directory to work in, which goes away at the end.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The names in a directory, in order.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        names(&self.path().join(directory))
    }

    /// The names of the files of a finished export, and of whatever lies beside them, in order.
    #[track_caller]
    pub(crate) fn parts(&self, directory: &str) -> Vec<String> {
        let (mark, parts): (Vec<_>, _) = self
            .names(directory)
            .into_iter()
            .partition(|name| name == "_SUCCESS");
        assert_eq!(mark.len(), 1, "not finished: {parts:?}");
        parts
    }

    /// The program with these arguments, and an environment with nothing but a home.
    pub(crate) fn ots<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ots"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a line of words.
    pub(crate) fn run(&self, words: &str) -> Ran {
        run(&mut self.ots(words.split_whitespace()))
    }
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Nothing went wrong.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_harmless(&self.stderr);
        self
    }

    /// It ended with this code and one sentence, which is given back without the name in front.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_harmless(&self.stderr);
        let sentences: Vec<_> = self.stderr.lines().collect();
        let [.., last] = sentences[..] else {
            panic!("nothing was said");
        };
        let said = |line: &&&str| line.starts_with("ots: ");
        assert_eq!(sentences.iter().filter(said).count(), 1, "{}", self.stderr);
        last.strip_prefix("ots: ")
            .unwrap_or_else(|| panic!("{last}"))
    }

    /// As [`fails`](Self::fails), and it said nothing else.
    #[track_caller]
    pub(crate) fn only_fails(&self, code: i32) -> &str {
        let sentence = self.fails(code);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        sentence
    }

    /// The command line was refused: usage in several lines is fine here.
    #[track_caller]
    pub(crate) fn is_refused(&self) -> &str {
        assert_eq!(self.code, Some(2), "{}", self.stderr);
        assert_harmless(&self.stderr);
        self.stderr.strip_prefix("error: ").unwrap()
    }
}

/// The secret that tests set; the emulator's own is public.
pub(crate) const SECRET: &str = "a-very-secret-secret";

#[track_caller]
fn assert_harmless(stderr: &str) {
    for word in ["panicked", "RUST_BACKTRACE", "backtrace", SECRET] {
        assert!(!stderr.contains(word), "{stderr}");
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    Running::start(command).ends()
}

/// The program under way. Killed when dropped.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self {
            child: command.spawn().unwrap(),
        }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill` is everywhere; a `kill` to call isn't.
        let script = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &script]).status();
        assert!(sent.unwrap().success());
    }

    /// What is read from its standard output while it runs.
    pub(crate) fn stdout(&mut self) -> std::process::ChildStdout {
        self.child.stdout.take().unwrap()
    }

    pub(crate) fn stderr(&mut self) -> std::process::ChildStderr {
        self.child.stderr.take().unwrap()
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Ran {
        // Read aside, lest a full pipe stop the program.
        let stdout = self
            .child
            .stdout
            .take()
            .map(|pipe| thread::spawn(|| text(pipe)));
        let stderr = self
            .child
            .stderr
            .take()
            .map(|pipe| thread::spawn(|| text(pipe)));
        let status = self.wait();
        Ran {
            code: status.code(),
            stdout: stdout.map(|text| text.join().unwrap()).unwrap_or_default(),
            stderr: stderr
                .map(|text| without_progress(&text.join().unwrap()))
                .unwrap_or_default(),
        }
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the program doesn't end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What was said, without the lines that only slow machines see: `export: 7 rows, 5.00 s`.
fn without_progress(stderr: &str) -> String {
    let is_progress = |line: &&str| {
        let mut rests = ["export: ", "load: "].into_iter();
        let rest = rests.find_map(|title| line.strip_prefix(title));
        rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let lines = stderr.split_inclusive('\n');
    lines.filter(|line| !is_progress(line)).collect()
}

fn text(mut pipe: impl std::io::Read) -> String {
    let mut text = String::new();
    pipe.read_to_string(&mut text).unwrap();
    text
}

/// Waits until something is there.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut there: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(Instant::now() < deadline, "no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// `ots emulator` as a process, on a free port.
pub(crate) struct Emulator {
    pub(crate) place: Place,
    pub(crate) port: u16,
    running: Option<Running>,
}

impl Emulator {
    /// One with three splits.
    pub(crate) fn start() -> Self {
        Self::with("--listen 127.0.0.1:0", |_| {})
    }

    /// One with three splits and other options, in another environment.
    pub(crate) fn with(options: &str, change: impl FnOnce(&mut Command)) -> Self {
        Self::at(Place::new(), options, change)
    }

    /// One in this directory, where files for it may lie.
    pub(crate) fn at(place: Place, options: &str, change: impl FnOnce(&mut Command)) -> Self {
        let words = format!("emulator {options} --port-file port --splits 3");
        let mut command = place.ots(words.split_whitespace());
        change(&mut command);
        let mut running = Running::start(&mut command);
        // Nobody reads what it says.
        drop(running.stdout());
        let port_file = place.path().join("port");
        let port = until("port file", || {
            if let Some(status) = running.child.try_wait().unwrap() {
                panic!("the emulator ended: {status}");
            }
            fs::read_to_string(&port_file).ok()
        });
        Self {
            place,
            port: port.parse().unwrap(),
            running: Some(running),
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn ots<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.place.ots(arguments);
        command.env("OTS_ENDPOINT", self.endpoint());
        command
    }

    /// Runs a line of words against it.
    pub(crate) fn run(&self, words: &str) -> Ran {
        run(&mut self.ots(words.split_whitespace()))
    }

    /// One in the same directory on a port of its own, as after a crash of the first.
    pub(crate) fn killed_and_started_again(mut self, options: &str) -> Self {
        let running = self.running.take().unwrap();
        running.signal("KILL");
        running.ends();
        fs::remove_file(self.place.path().join("port")).unwrap();
        Self::at(self.place, options, |_| {})
    }

    /// Asks the admin API, or anything else that takes no signature: the status and the body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        ask(self.port, method, path, body)
    }

    /// Tells it to end, and waits.
    pub(crate) fn stop(&mut self, signal: &str) -> Ran {
        let running = self.running.take().unwrap();
        running.signal(signal);
        running.ends()
    }

    /// A table of so many rows: `id` as key, a `city` and a `text`, with index `i`.
    pub(crate) fn with_numbers(self, table: &str, rows: usize) -> Self {
        let csv = self.place.file("numbers.csv", numbers(rows));
        let words = format!("load --table {table} --create --index i --key id");
        let mut command = self.ots(words.split_whitespace());
        run(command.arg(csv)).succeeds();
        self
    }
}

/// One unsigned request on a connection of its own: the status and the body.
pub(crate) fn ask(port: u16, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// A CSV file of so many rows: `id` from 0, `city` of ten, a `text` of 100 bytes.
pub(crate) fn numbers(rows: usize) -> String {
    let text = "0123456789".repeat(10);
    let mut csv = "id,city,text\n".to_owned();
    for id in 0..rows {
        csv += &format!("{id},c{},{text}\n", id % 10);
    }
    csv
}

/// Rows as JSON objects without nulls, by the text of one column.
pub(crate) type Rows = BTreeMap<String, Value>;

pub(crate) fn by(column: &str, rows: impl IntoIterator<Item = Value>) -> Rows {
    let mut all = Rows::new();
    for row in rows {
        let key = row[column].to_string();
        assert!(all.insert(key, row).is_none(), "a row is there twice");
    }
    all
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}

pub(crate) fn batches_as_json(batches: impl IntoIterator<Item = RecordBatch>) -> Vec<Value> {
    let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
    for batch in batches {
        writer.write(&batch).unwrap();
    }
    writer.finish().unwrap();
    lines(&String::from_utf8(writer.into_inner()).unwrap())
}

pub(crate) fn parquet_rows(path: &Path) -> Vec<Value> {
    let file = File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    batches_as_json(reader.build().unwrap().map(Result::unwrap))
}

/// A count below a million, in groups of three digits.
pub(crate) fn grouped(count: usize) -> String {
    match (count / 1000, count % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
