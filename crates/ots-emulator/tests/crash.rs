//! An emulator with a data directory, killed again and again while it writes.
//!
//! `OTS_CRASH_ROUNDS=100 cargo test -p ots-emulator --test crash` kills it a hundred times.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{env, thread};

use common::{Client, create_request, id, options};
use ots_proto::messages::{
    BatchWriteRowRequest, CreateSearchIndexRequest, DeleteSearchIndexRequest, DeleteTableRequest,
    DescribeSearchIndexRequest, DescribeTableRequest, FieldSchema, FieldType, IndexSchema,
    OperationType, ParallelScanRequest, PrimaryKeyType, RowInBatchWriteRowRequest, ScanQuery,
    TableInBatchWriteRowRequest,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_change;
use ots_proto::search::Query;
use ots_proto::{ColumnValue, PrimaryKey, Row, RowChange};

/// Rounds without `OTS_CRASH_ROUNDS`: enough to kill at a few dozen different places in a day of
/// continuous integration.
const ROUNDS: u64 = 12;
const WRITERS: i64 = 4;
/// Keys a writer goes round on.
const KEYS: i64 = 16;
/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a killed emulator leaves: each acknowledged write or a later one of the same key, rows whose
/// columns belong together, atomic batches that are there as a whole, and of tables and indexes that
/// come and go the last step that was acknowledged or the next.
#[test]
fn no_acknowledged_change_is_lost_and_no_row_torn_when_it_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let rounds = env::var("OTS_CRASH_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(rounds);
    let mut known = Known::default();
    for round in 0..rounds {
        let mut killed = Killed::start(directory.path(), known.next_cycle());
        if random.u8(..4) == 0 {
            // Perhaps while it opens the file.
            thread::sleep(Duration::from_millis(random.u64(..60)));
        } else {
            for _ in 0..random.u32(1..400) {
                let said = killed.said.recv_timeout(PATIENCE);
                known.note(said.unwrap());
            }
            thread::sleep(Duration::from_micros(random.u64(..2000)));
        }
        killed.kill();
        // What was said before the end.
        killed.said.iter().for_each(|said| known.note(said));
        check_writes(directory.path(), &known, round);
        known.step = check_steps(directory.path(), &known, round);
    }
    let Known { count, step, .. } = known;
    assert!(count > rounds / 2);
    println!("{count} acknowledged changes in {rounds} rounds, the last step {step:?}");
}

/// What was acknowledged.
#[derive(Debug, Default)]
struct Known {
    count: u64,
    /// The last number under a key of a writer.
    writes: BTreeMap<(i64, i64), i64>,
    /// The last step of the tables that come and go.
    step: Option<i64>,
}

#[derive(Debug)]
enum Said {
    Wrote { writer: i64, key: i64, n: i64 },
    Stepped(i64),
}

impl Known {
    fn note(&mut self, said: Said) {
        self.count += 1;
        match said {
            Said::Wrote { writer, key, n } => {
                self.writes.insert((writer, key), n);
            }
            Said::Stepped(step) => self.step = Some(step),
        }
    }

    fn next_cycle(&self) -> i64 {
        self.step.map_or(0, |step| step / STEPS + 1)
    }
}

/// The process that writes until it is killed.
struct Killed {
    child: Child,
    said: Receiver<Said>,
}

impl Killed {
    fn start(directory: &Path, cycle: i64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_writer_that_is_killed", "--nocapture"])
            .env(CHILD_DIRECTORY, directory)
            .env(CHILD_CYCLE, cycle.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            for line in output.split(b'\n') {
                // The last line may be half a line.
                let line = String::from_utf8(line.unwrap()).unwrap_or_default();
                if let Some(said) = parse(&line) {
                    sender.send(said).unwrap();
                }
            }
        });
        Self { child, said }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn parse(line: &str) -> Option<Said> {
    let words: Vec<_> = line.split(' ').collect();
    let number = |text: &str| text.parse::<i64>().unwrap();
    match words[..] {
        ["wrote", writer, key, n, "."] => Some(Said::Wrote {
            writer: number(writer),
            key: number(key),
            n: number(n),
        }),
        ["stepped", step, "."] => Some(Said::Stepped(number(step))),
        _ => None,
    }
}

fn say(line: std::fmt::Arguments<'_>) {
    let line = format!("{line} .\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

const CHILD_DIRECTORY: &str = "OTS_CRASH_DIRECTORY";
const CHILD_CYCLE: &str = "OTS_CRASH_CYCLE";

/// No test of its own: the process that the test above starts and kills.
#[test]
fn the_writer_that_is_killed() {
    let Ok(directory) = env::var(CHILD_DIRECTORY) else {
        return;
    };
    let cycle = env::var(CHILD_CYCLE).unwrap().parse().unwrap();
    // The test harness has begun a line of its own.
    say(format_args!("\nbegun"));
    let client = Client::open(Path::new(&directory));
    let columns = ["writer", "key", "half"].map(|name| (name, PrimaryKeyType::Integer));
    let create = create_request("t", &columns, options(1));
    // Both are there from the second round on.
    client.call::<operation::CreateTable>(&create).ok();
    let create = index_request("t", "a");
    client.call::<operation::CreateSearchIndex>(&create).ok();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let client = &client;
            scope.spawn(move || write(client, writer));
        }
        scope.spawn(|| step_on(&client, cycle));
    });
}

/// Writes atomic batches of two rows, for ever.
fn write(client: &Client, writer: i64) {
    let first = (0..KEYS)
        .filter_map(|key| read(client, writer, key, 0))
        .max();
    for n in first.unwrap_or(0) + 1.. {
        let key = n % KEYS;
        let rows = [0, 1].map(|half| {
            let row = Row::new(crash_key(writer, key, half));
            row.cell("a", n).cell("b", n).cell("c", n)
        });
        let response = client.call::<operation::BatchWriteRow>(&atomic(rows));
        let response = response.unwrap();
        assert!(response.tables[0].rows.iter().all(|row| row.is_ok));
        say(format_args!("wrote {writer} {key} {n}"));
    }
}

fn check_writes(directory: &Path, known: &Known, round: u64) {
    let client = Client::open(directory);
    let mut found = 0;
    for writer in 0..WRITERS {
        for key in 0..KEYS {
            let least = known.writes.get(&(writer, key)).copied();
            let rows = [0, 1].map(|half| read(&client, writer, key, half));
            assert_eq!(
                rows[0], rows[1],
                "round {round}: half a batch at {writer}, {key}"
            );
            assert!(
                rows[0] >= least,
                "round {round}: writer {writer}, key {key} has {:?} after {least:?} was acknowledged",
                rows[0]
            );
            found += rows.iter().flatten().count();
        }
    }
    // Killed before the index was there, it has none.
    if let Some(indexed) = count_in_index(&client, "t") {
        assert_eq!(indexed, found, "round {round}: rows in the index");
    }
}

/// The number in a row, which all its columns must have.
fn read(client: &Client, writer: i64, key: i64, half: i64) -> Option<i64> {
    let request = common::get_request("t", &crash_key(writer, key, half));
    // Killed before the table was there, it has no rows.
    let response = client.call::<operation::GetRow>(&request).ok()?;
    let row = common::only_row(&response.row)?;
    let numbers: Vec<_> = row
        .cells
        .iter()
        .map(|cell| match &cell.value {
            ColumnValue::Integer(n) => *n,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers.len(), 3, "{row:?}");
    assert!(numbers.iter().all(|n| *n == numbers[0]), "torn: {row:?}");
    Some(numbers[0])
}

fn crash_key(writer: i64, key: i64, half: i64) -> PrimaryKey {
    PrimaryKey::new()
        .column("writer", writer)
        .column("key", key)
        .column("half", half)
}

fn atomic(rows: [Row; 2]) -> BatchWriteRowRequest {
    let rows = rows.map(|row| RowInBatchWriteRowRequest {
        r#type: OperationType::Put as i32,
        row_change: write_change(&RowChange::Put(row)),
        condition: common::ignore(),
        return_content: None,
    });
    BatchWriteRowRequest {
        tables: vec![TableInBatchWriteRowRequest {
            table_name: "t".to_owned(),
            rows: rows.to_vec(),
        }],
        is_atomic: Some(true),
        ..BatchWriteRowRequest::default()
    }
}

/// The steps of a cycle in which a table comes and goes.
const STEPS: i64 = 5;
const WITH_TABLE: i64 = 0;
const WITH_INDEX: i64 = 1;
const WITH_ROW: i64 = 2;
const WITHOUT_INDEX: i64 = 3;
const WITHOUT_TABLE: i64 = 4;

/// A cycle after the other, for ever; the first goes on where the data is.
fn step_on(client: &Client, next_cycle: i64) {
    let next = match found_step(client) {
        None => next_cycle * STEPS,
        Some(step) => step + 1,
    };
    for step in next.. {
        let cycle = step / STEPS;
        match step % STEPS {
            WITH_TABLE => {
                // What the table, the index and the row are of.
                let mut request =
                    create_request("passing", &[("id", PrimaryKeyType::Integer)], options(1));
                request
                    .table_options
                    .as_mut()
                    .unwrap()
                    .deviation_cell_version_in_sec = Some(FIRST_DEVIATION + cycle);
                client.call::<operation::CreateTable>(&request).unwrap();
            }
            WITH_INDEX => {
                let request = index_request("passing", &format!("n{cycle}"));
                let created = client.call::<operation::CreateSearchIndex>(&request);
                created.unwrap();
            }
            WITH_ROW => {
                let row = Row::new(id(cycle)).cell(&*format!("n{cycle}"), cycle);
                client.put("passing", row).unwrap();
            }
            WITHOUT_INDEX => {
                let request = DeleteSearchIndexRequest {
                    table_name: Some("passing".to_owned()),
                    index_name: Some("i".to_owned()),
                };
                let deleted = client.call::<operation::DeleteSearchIndex>(&request);
                deleted.unwrap();
            }
            _ => {
                let table_name = "passing".to_owned();
                let request = DeleteTableRequest { table_name };
                client.call::<operation::DeleteTable>(&request).unwrap();
            }
        }
        say(format_args!("stepped {step}"));
    }
}

const FIRST_DEVIATION: i64 = 86_400;

/// Gives the step that was found, which may be one that nobody acknowledged: the next round begins there.
fn check_steps(directory: &Path, known: &Known, round: u64) -> Option<i64> {
    let found = found_step(&Client::open(directory));
    let is_right = match (known.step, found) {
        // Without a table nothing says which cycle was the last.
        (None, None) => true,
        (None, Some(found)) => found == 0,
        (Some(step), None) => matches!(step % STEPS, WITHOUT_INDEX | WITHOUT_TABLE),
        (Some(step), Some(found)) => (step..=step + 1).contains(&found),
    };
    let step = known.step;
    assert!(is_right, "round {round}: {found:?} after {step:?}");
    // Without a table the cycle has ended.
    found.or(step.map(|step| step / STEPS * STEPS + WITHOUT_TABLE))
}

/// The step that the data is at; none without a table. Table, index and row are of one cycle.
fn found_step(client: &Client) -> Option<i64> {
    let table_name = "passing".to_owned();
    let table = client.call::<operation::DescribeTable>(&DescribeTableRequest { table_name });
    let options = table.ok()?.table_options;
    let cycle = options.deviation_cell_version_in_sec.unwrap() - FIRST_DEVIATION;
    let row = client.get("passing", &id(cycle));
    assert_eq!(client.get("passing", &id(cycle - 1)), None, "an old row");
    let column = format!("n{cycle}");
    if let Some(row) = &row {
        assert_eq!(common::values(row), [(&*column, cycle.into())]);
    }
    let describe = DescribeSearchIndexRequest {
        table_name: Some("passing".to_owned()),
        index_name: Some("i".to_owned()),
        ..DescribeSearchIndexRequest::default()
    };
    let index = client
        .call::<operation::DescribeSearchIndex>(&describe)
        .ok();
    if let Some(index) = &index {
        let fields = &index.schema.as_ref().unwrap().field_schemas;
        assert_eq!(fields[0].field_name.as_ref(), Some(&column));
        let found = count_in_index(client, "passing");
        assert_eq!(found, Some(usize::from(row.is_some())));
    }
    let step = match (index.is_some(), row.is_some()) {
        (false, false) => WITH_TABLE,
        (true, false) => WITH_INDEX,
        (true, true) => WITH_ROW,
        (false, true) => WITHOUT_INDEX,
    };
    Some(cycle * STEPS + step)
}

fn index_request(table: &str, column: &str) -> CreateSearchIndexRequest {
    CreateSearchIndexRequest {
        table_name: table.to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: vec![FieldSchema {
                field_name: Some(column.to_owned()),
                field_type: Some(FieldType::Long as i32),
                ..FieldSchema::default()
            }],
            ..IndexSchema::default()
        }),
        ..CreateSearchIndexRequest::default()
    }
}

/// Rows that index `i` of a table finds; none without it. One page holds them all.
fn count_in_index(client: &Client, table: &str) -> Option<usize> {
    let request = ParallelScanRequest {
        table_name: Some(table.to_owned()),
        index_name: Some("i".to_owned()),
        scan_query: Some(ScanQuery {
            query: Some(Query::MatchAll.to_message()),
            ..ScanQuery::default()
        }),
        ..ParallelScanRequest::default()
    };
    let page = client.call::<operation::ParallelScan>(&request).ok()?;
    Some(page.rows.len())
}
