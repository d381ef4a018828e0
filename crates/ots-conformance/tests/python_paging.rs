#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
//! Our pagers against the Python SDK's: the same rows of the same data, but for its known defects.

use std::future::pending;
use std::io::Write as _;
use std::process::{Command, Stdio};

use futures::TryStreamExt as _;
use ots_conformance::SKIP_VARIABLE;
use ots_conformance::canonical::Row;
use ots_conformance::driver::Driver;
use ots_conformance::suite::{INDEX, Place, canonical, key};
use ots_conformance::workspace::Workspace;
use ots_core::filter::Filter;
use ots_core::request::{CreateSearchIndex, Direction, GetRange, PutRow, Search};
use ots_core::{Client, Credentials, PrimaryKey, Query, Row as OwnedRow};
use ots_emulator::{Emulator, LimitCounts, Settings};
use ots_paging::{RangeExt as _, SearchExt as _};
use ots_proto::messages::FieldType;
use ots_proto::search::FieldSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Debug, Deserialize)]
struct Answer {
    rows: Vec<Row>,
    read: u64,
}

/// An emulator over HTTP, and both who ask it.
struct Both {
    place: Place,
    endpoint: String,
    python: Driver,
    server: tokio::task::AbortHandle,
}

impl Both {
    /// None when the driver is left out.
    async fn start(settings: Settings) -> Option<Self> {
        let skipped = std::env::var(SKIP_VARIABLE).unwrap_or_default();
        if skipped.split(',').any(|name| name.trim() == "python") {
            eprintln!("the Python SDK is left out, as {SKIP_VARIABLE} says");
            return None;
        }
        let drivers = Driver::all(&Workspace::locate().unwrap()).unwrap();
        let mut drivers = drivers.into_iter();
        let python = drivers.find(|driver| driver.name() == "python").unwrap();
        let installed = python.clone();
        let install = move || installed.install().unwrap();
        tokio::task::spawn_blocking(install).await.unwrap();

        let emulator = Emulator::builder().settings(settings).build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server =
            tokio::spawn(async move { emulator.serve(listener, pending()).await }).abort_handle();
        let client = Client::builder(endpoint.as_str())
            .instance("own")
            .credentials(Credentials::new(
                Emulator::ACCESS_KEY_ID,
                Emulator::ACCESS_KEY_SECRET,
            ))
            .build()
            .unwrap();
        let place = Place::new(client);
        Some(Self {
            place,
            endpoint,
            python,
            server,
        })
    }

    /// What the SDK gives, job for job.
    async fn python(&self, jobs: Vec<Json>) -> Vec<Answer> {
        let workspace = Workspace::locate().unwrap();
        let run_folder = self.python.run_folder(&self.python.variants()[0]);
        let home = run_folder.ancestors().nth(2).unwrap();
        let mut command = Command::new(home.join("venv/bin/python"));
        command
            .arg(workspace.drivers().join("python/paging.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUTF8", "1")
            .env("OTS_ENDPOINT", &self.endpoint)
            .env("OTS_INSTANCE", "own")
            .env("TABLESTORE_ACCESS_KEY_ID", Emulator::ACCESS_KEY_ID)
            .env("TABLESTORE_ACCESS_KEY_SECRET", Emulator::ACCESS_KEY_SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let asked = jobs.len();
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            let mut lines = child.stdin.take().unwrap();
            let writer = std::thread::spawn(move || {
                for job in jobs {
                    writeln!(lines, "{job}").unwrap();
                }
            });
            let output = child.wait_with_output().unwrap();
            writer.join().unwrap();
            output
        });
        let output = output.await.unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let mut answers: Vec<Answer> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        // Versions are the time of writing: our canonical rows leave them out, too.
        let rows = answers.iter_mut().flat_map(|answer| &mut answer.rows);
        for cell in rows.flat_map(|row| &mut row.columns) {
            cell.timestamp = None;
        }
        assert_eq!(answers.len(), asked);
        answers
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn range(table: &str, names: [&str; 2], backward: bool) -> GetRange {
    let (low, high) = (PrimaryKey::min(names), PrimaryKey::max(names));
    if backward {
        GetRange::new(table, high, low).direction(Direction::Backward)
    } else {
        GetRange::new(table, low, high)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xget_range_gives_the_rows_that_we_give() {
    for limit_counts in [LimitCounts::Returned, LimitCounts::Scanned] {
        let mut settings = Settings::default();
        settings.range_page_rows = 23;
        settings.limit_counts = limit_counts;
        let Some(both) = Both::start(settings).await else {
            return;
        };
        both.place.load("bulk").await;
        let table = &both.place.table("bulk").name;
        let (mut jobs, mut ours) = (Vec::new(), Vec::new());
        for backward in [false, true] {
            for columns in [None, Some(["d", "opt"])] {
                for least in [None, Some(170)] {
                    // What a filter sees of a column that isn't asked for is another matter.
                    if columns.is_some() && least.is_some() {
                        continue;
                    }
                    for count in [None, Some(1_u64), Some(40), Some(1_000)] {
                        jobs.push(json!({
                            "ask": "range", "table": table, "key": ["g", "i"], "backward": backward,
                            "columns": columns, "least": least.map(|least| ("n", least)),
                            "count": count, "most": 10_000,
                        }));
                        let mut range = range(table, ["g", "i"], backward);
                        if let Some(columns) = columns {
                            range = range.columns(columns);
                        }
                        if let Some(least) = least {
                            range = range.filter(Filter::column("n").ge(least));
                        }
                        let mut rows = range.rows(both.place.client()).prefetch();
                        if let Some(count) = count {
                            rows = rows.take_rows(count);
                        }
                        let mut read: Vec<Row> = Vec::new();
                        while let Some(row) = rows.next().await {
                            read.push(canonical(&row.unwrap()));
                        }
                        ours.push((read, rows.consumed().read));
                    }
                }
            }
        }
        let theirs = both.python(jobs.clone()).await;
        for ((job, theirs), (rows, units)) in jobs.iter().zip(theirs).zip(ours) {
            assert!(theirs.rows == rows, "{job}");
            assert!(units <= theirs.read, "{job}: {units} of {}", theirs.read);
        }
    }
}

/// The SDK leaves the token of a cut row aside, and asks for the row from its start again: the row comes
/// in its first part, over and over.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_parts_comes_whole_with_us_and_for_ever_in_its_first_part_with_xget_range() {
    let mut settings = Settings::default();
    settings.wide_row_bytes = 200;
    let Some(both) = Both::start(settings).await else {
        return;
    };
    let table = both.place.numbered("wide", 1).await;
    let mut wide = OwnedRow::new(key(1));
    for column in 0..30 {
        wide = wide.cell(format!("c{column:02}"), column);
    }
    for row in [
        OwnedRow::new(key(0)).cell("a", 0),
        wide,
        OwnedRow::new(key(2)).cell("a", 2),
    ] {
        both.place
            .client()
            .send(PutRow::new(&table, row))
            .await
            .unwrap();
    }
    let rows = GetRange::new(&table, PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let ours: Vec<OwnedRow> = rows.rows(both.place.client()).try_collect().await.unwrap();
    let cells: Vec<usize> = ours.iter().map(|row| row.cells.len()).collect();
    assert_eq!(cells, [1, 30, 1]);

    let job = json!({
        "ask": "range", "table": table, "key": ["id"], "backward": false, "most": 20,
    });
    let theirs = both.python(vec![job]).await.remove(0);
    assert_eq!(theirs.rows.len(), 20);
    let first_part = &theirs.rows[1];
    assert!(first_part.columns.len() < 30);
    assert!(theirs.rows[1..].iter().all(|row| row == first_part));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_gives_the_rows_of_the_loop_over_tokens() {
    let Some(both) = Both::start(Settings::default()).await else {
        return;
    };
    let rows = both.place.load_index().await.to_vec();
    let table = both.place.table("bulk").name.clone();
    let jobs = [7, 60, 100].map(|limit| {
        json!({"ask": "search", "table": table, "index": INDEX, "limit": limit, "most": 10_000})
    });
    let search =
        || Search::new(&table, INDEX, Query::MatchAll).columns(ots_core::request::Columns::All);
    let found = search().limit(60).search_rows(both.place.client()).unwrap();
    let found: Vec<OwnedRow> = found.try_collect().await.unwrap();
    let found: Vec<Row> = found.iter().map(canonical).collect();
    assert_eq!(found.len(), rows.len());
    for theirs in both.python(jobs.to_vec()).await {
        assert!(theirs.rows == found);
    }

    // An index with a NESTED field gives no token without a sort: the loop takes one page for all.
    let mut nested = FieldSchema::new("items", FieldType::Nested);
    nested
        .fields
        .push(FieldSchema::new("name", FieldType::Keyword));
    let create = CreateSearchIndex::new(&table, "nested").field("n", FieldType::Long);
    both.place
        .client()
        .send(create.field_schema(nested))
        .await
        .unwrap();
    let job = json!({
        "ask": "search", "table": table, "index": "nested", "limit": 60, "most": 10_000,
    });
    let theirs = both.python(vec![job]).await.remove(0);
    assert_eq!(theirs.rows.len(), 60);
    let search = Search::new(&table, "nested", Query::MatchAll).limit(60);
    let found = search.search_rows(both.place.client()).unwrap();
    let found: Vec<OwnedRow> = found.try_collect().await.unwrap();
    assert_eq!(found.len(), rows.len());
}
