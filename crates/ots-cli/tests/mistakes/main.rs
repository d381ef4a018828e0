//! What people do wrong, and what the world does to them: the exit code, one sentence, no trace.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod address;
mod command_line;
#[path = "../common/mod.rs"]
mod common;
mod input;
mod output;
mod signals;

use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader};

use common::disk::SmallDisk;
use common::{Emulator, Place, Ran, Running, SECRET, Stalling, numbers, run};
use ots_core::request::DeleteSearchIndex;
use ots_core::{Client, Credentials};

/// A sentence of a refusal, without the request id, which differs each time.
fn without_request_id(sentence: &str) -> String {
    let (start, rest) = sentence.split_once(" (request id ").unwrap();
    let (_, end) = rest.split_once(')').unwrap();
    format!("{start}{end}")
}

const NAMES: &str =
    "; check the names, --instance and --endpoint; `ots load --create` makes tables";
