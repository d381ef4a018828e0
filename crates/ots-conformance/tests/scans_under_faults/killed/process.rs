//! An emulator in a process of its own: this test program, asked for one thing.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::SPLITS;
use crate::place;

/// Killed when dropped, as by `kill -9`.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    /// Kept open: what is still printed must not fail.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts one on a data directory, and waits until it listens.
    pub(crate) fn start(directory: &Path, seed: u64, disturbed: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", CHILD, "--nocapture"])
            .env(DIRECTORY, directory)
            .env(SEED, seed.to_string())
            .env(DISTURBED, disturbed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended at once");
            if let Some(address) = line.trim().strip_prefix(LISTENS) {
                break address.parse().unwrap();
            }
        };
        Self {
            child,
            address,
            _output: output,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The path of the test below.
const CHILD: &str = "killed::process::the_emulator_that_is_killed";
const DIRECTORY: &str = "OTS_KILLED_DIRECTORY";
const SEED: &str = "OTS_KILLED_SEED";
const DISTURBED: &str = "OTS_KILLED_DISTURBED";
const LISTENS: &str = "listens at ";

/// No test of its own: the process that the tests around start and kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_emulator_that_is_killed() {
    let Ok(directory) = env::var(DIRECTORY) else {
        return;
    };
    let seed = env::var(SEED).unwrap().parse().unwrap();
    let emulator = place::emulator(SPLITS, seed).open(directory).unwrap();
    place::disturb(&emulator, &env::var(DISTURBED).unwrap());
    let endpoint = place::serve(&emulator).await;
    // The test harness has begun a line of its own.
    println!("\n{LISTENS}{}", endpoint.strip_prefix("http://").unwrap());
    // It ends with the test that started it, however that ends.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
}
