//! The coverage page says what is true of every operation there is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;

use bytes::Bytes;
use common::{refusal, signed};
use ots_emulator::{Coverage, Emulator, coverage};
use ots_proto::operation;

#[test]
fn every_operation_of_the_table_is_on_the_page_once() {
    let mut named: Vec<_> = coverage().iter().map(|entry| entry.operation).collect();
    named.sort_unstable();
    let mut all: Vec<_> = operation::ALL.iter().map(|(name, _)| *name).collect();
    all.sort_unstable();
    assert_eq!(named, all);
}

#[test]
fn what_is_refused_says_so_and_what_is_not_answers() {
    let emulator = Emulator::default();
    for entry in coverage() {
        let name = entry.operation;
        let response = emulator.handle(signed(&emulator, name, Bytes::new()));
        let unimplemented = response.status() != 200 && {
            let refusal = refusal(&response);
            assert_eq!(refusal.status, 400, "{name}: {refusal:?}");
            refusal
                .message
                .contains("The emulator does not implement it.")
        };
        let is_refused = entry.coverage == Coverage::Refused;
        assert_eq!(unimplemented, is_refused, "{name}");
    }
}

#[test]
fn the_page_is_what_the_table_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/emulator-coverage.md"
    );
    let expected = page();
    if std::env::var_os("OTS_WRITE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/emulator-coverage.md is stale: \
         OTS_WRITE_DOCS=1 cargo test -p ots-emulator --test coverage"
    );
}

fn page() -> String {
    let mut page = String::from(
        "# What the emulator answers\n\n\
         <!-- Written by `OTS_WRITE_DOCS=1 cargo test -p ots-emulator --test coverage`; the same test \
         keeps it true. -->\n\n\
         Every operation of the service, as `proto/ots_service.proto` lists them. *Partial* means: what \
         isn't there is refused\nwith 400 `OTSParameterInvalid` and a sentence that names the emulator, \
         never answered with a guess. *Refused* is that,\nfor the whole operation.\n\n\
         | Operation | | |\n|---|---|---|\n",
    );
    let mut counts = BTreeMap::new();
    for entry in coverage() {
        let word = match entry.coverage {
            Coverage::Implemented => "implemented",
            Coverage::Partial => "partial",
            Coverage::Refused => "refused",
            other => panic!("{other:?}"),
        };
        *counts.entry(word).or_insert(0) += 1;
        page += &format!("| `{}` | {word} | {} |\n", entry.operation, entry.sentence);
    }
    let counts = counts.iter().map(|(word, count)| format!("{count} {word}"));
    page += &format!("\n{}.\n", counts.collect::<Vec<_>>().join(", "));
    page
}
