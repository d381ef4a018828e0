//! Snapshots and damaged files: what can't be used is refused with a reason, and never changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::{Client, id};
use ots_emulator::{Emulator, StorageError};
use ots_proto::Row;
use ots_proto::messages::PrimaryKeyType;
use proptest::prelude::*;
use proptest::sample::Index;

const FILE: &str = "tablestore.redb";
const ROWS: i64 = 50;

fn fill(client: &Client) {
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    for n in 0..ROWS {
        client.put("t", row(n)).unwrap();
    }
}

fn row(n: i64) -> Row {
    Row::new(id(n))
        .cell("n", n)
        .cell("text", "snow 雪".repeat(9))
}

/// A snapshot of fifty rows, as bytes.
static SNAPSHOT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new();
    fill(&client);
    client.emulator.snapshot(directory.path()).unwrap();
    fs::read(directory.path().join(FILE)).unwrap()
});

/// A directory with this file in the place of its data.
fn directory_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE);
    fs::write(&file, bytes).unwrap();
    (directory, file)
}

fn said(error: &StorageError) -> String {
    format!("{error}: {}", error.source().unwrap())
}

/// What is said of a file, whether it is to be restored or opened; it stays as it is.
fn refusal(bytes: &[u8]) -> String {
    let (directory, file) = directory_with(bytes);
    let client = Client::new();
    client.create("kept", &[("id", PrimaryKeyType::Integer)]);
    let of_restore = said(&client.emulator.restore(directory.path()).unwrap_err());
    assert!(!client.emulator.is_empty(), "nothing has changed");
    assert!(fs::read(&file).unwrap() == bytes, "the file has changed");
    let of_open = said(&Emulator::builder().open(directory.path()).unwrap_err());
    assert_eq!(of_open, of_restore);
    let path = file.display().to_string();
    of_restore.strip_prefix(&path).unwrap().to_owned()
}

#[test]
fn a_snapshot_is_restored_by_its_directory_or_its_file_and_stays_as_it_is() {
    let (directory, file) = directory_with(&SNAPSHOT);
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    for path in [directory.path(), &file] {
        let client = Client::new();
        client.emulator.restore(path).unwrap();
        let found = client.get("t", &id(7)).unwrap();
        assert_eq!(common::values(&found)[0], ("n", 7.into()));
    }
    assert!(fs::read(&file).unwrap() == *SNAPSHOT);
}

#[test]
fn two_emulators_may_restore_one_snapshot_but_not_from_under_a_third() {
    let directory = tempfile::tempdir().unwrap();
    let owner = Client::open(directory.path());
    fill(&owner);
    let error = Emulator::default().restore(directory.path()).unwrap_err();
    assert!(said(&error).ends_with(" can't be opened: another emulator has it open"));
    let error = Emulator::builder().open(directory.path()).unwrap_err();
    assert!(said(&error).ends_with(" can't be opened: another emulator has it open"));
    drop(owner);
    for _ in 0..2 {
        let client = Client::new();
        client.emulator.restore(directory.path()).unwrap();
        assert!(client.get("t", &id(ROWS - 1)).is_some());
    }
}

#[test]
fn the_file_of_another_program_is_refused() {
    let refused = " can't be opened: it was not written by an emulator";
    assert_eq!(
        refusal(b"PAR1 and so on, for longer than any header"),
        refused
    );
    assert_eq!(refusal(b"short"), refused);

    // One of redb, but not of ours.
    let (_directory, file) = directory_with(b"");
    let definition = redb::TableDefinition::<&str, u64>::new("rows");
    let database = redb::Database::create(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(definition)
        .unwrap()
        .insert("", 1)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    // Opened twice, since what is refused must not be changed.
    let bytes = fs::read(&file).unwrap();
    let (directory, _) = directory_with(&bytes);
    let error = Emulator::default().restore(directory.path()).unwrap_err();
    assert!(said(&error).ends_with(refused), "{}", said(&error));
    let error = Emulator::builder().open(directory.path()).unwrap_err();
    assert!(said(&error).ends_with(refused), "{}", said(&error));
}

#[test]
fn the_file_of_a_later_version_is_refused() {
    let (directory, file) = directory_with(&SNAPSHOT);
    let definition = redb::TableDefinition::<&str, u64>::new("format");
    let database = redb::Database::open(&file).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(definition)
        .unwrap()
        .insert("", 2)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Emulator::default().restore(directory.path()).unwrap_err();
    let expected = "its layout has version 2, and this emulator knows 1 only";
    assert!(said(&error).ends_with(expected), "{}", said(&error));
}

#[test]
fn what_is_no_snapshot_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let absent = |path: &Path| said(&Emulator::default().restore(path).unwrap_err());
    for path in [
        directory.path().to_owned(),
        directory.path().join("nowhere"),
    ] {
        let said = absent(&path);
        assert!(
            said.ends_with(" can't be read: there is no snapshot"),
            "{said}"
        );
    }
    let (directory, _) = directory_with(b"");
    let said = absent(directory.path());
    assert!(said.ends_with(" can't be opened: it is empty"), "{said}");
    // As a data directory it has nothing to lose.
    assert!(
        Emulator::builder()
            .open(directory.path())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_a_crash_leaves_of_a_new_file_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("tablestore.redb.tmp"), "half a file").unwrap();
    fill(&Client::open(directory.path()));
    let client = Client::open(directory.path());
    assert!(client.get("t", &id(1)).is_some());
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Zero(Index, usize),
    Cut(Index),
    Swap(Index, Index),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => (any::<Index>(), 1..9000_usize).prop_map(|(at, bytes)| Damage::Zero(at, bytes)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn damage(bytes: &mut Vec<u8>, damage: &Damage) {
    match damage {
        Damage::Flip(at, bits) => {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        Damage::Zero(at, count) => {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + count);
            bytes[at..end].fill(0);
        }
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Swap(a, b) => {
            let page = |index: &Index| index.index(bytes.len() / 4096) * 4096;
            let (a, b) = (page(a), page(b));
            for n in 0..4096 {
                bytes.swap(a + n, b + n);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A damaged file is refused, or the damage was where nothing is: every row is as it was.
    #[test]
    fn a_damaged_file_is_refused_or_holds_every_row(damaged in any_damage(), opens in any::<bool>()) {
        let mut bytes = SNAPSHOT.clone();
        damage(&mut bytes, &damaged);
        prop_assume!(!bytes.is_empty());
        let (directory, file) = directory_with(&bytes);
        let client = if opens {
            let clock = std::sync::Arc::new(ots_emulator::ManualClock::at_ms(common::NOW_MS));
            let opened = Emulator::builder().clock(std::sync::Arc::clone(&clock)).open(directory.path());
            opened.map(|emulator| Client { emulator, clock })
        } else {
            let client = Client::new();
            client.emulator.restore(directory.path()).map(|()| client)
        };
        match client {
            Err(error) => prop_assert!(error.source().is_some()),
            Ok(client) => {
                for n in 0..ROWS {
                    let found = client.get("t", &id(n)).unwrap();
                    let expected = row(n);
                    prop_assert_eq!(common::values(&found), common::values(&expected));
                }
                prop_assert_eq!(client.get("t", &id(ROWS)), None);
            }
        }
        if !opens {
            prop_assert!(fs::read(&file).unwrap() == bytes);
        }
    }
}
