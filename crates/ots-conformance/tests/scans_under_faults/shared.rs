//! One session that several read, each with a client of its own, while every answer may go wrong: its
//! splits as streams, its splits from descriptors, and a checkpoint of it. Every row comes once.

use futures::TryStreamExt as _;
use ots_core::{Client, Row};
use ots_emulator::Emulator;
use ots_scan::{Checkpoint, Scan, ScanSession};
use tokio::task::JoinSet;

use crate::given::Given;
use crate::place;

const WORLDS: u64 = 6;

/// A client that never gives up: one request in five fails, and no such series may end a test.
fn patient(endpoint: &str) -> Client {
    place::client(endpoint, 1_000)
}

/// A service, its endpoint, and a client that filled it.
async fn service(world: u64) -> (Emulator, String, Client) {
    let splits = u32::try_from(world % 5).unwrap() + 1;
    let emulator = place::emulator(splits, world).build();
    let endpoint = place::serve(&emulator).await;
    let client = patient(&endpoint);
    place::fill(&client).await;
    place::disturb(&emulator, "ParallelScan");
    (emulator, endpoint, client)
}

/// How many sessions were opened.
fn sessions(emulator: &Emulator) -> u64 {
    let operations = emulator.operation_stats();
    operations.get("ComputeSplits").map_or(0, |it| it.requests)
}

/// All that a scan gives.
async fn rows_of(mut scan: Scan) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some(page) = scan.try_next().await.unwrap() {
        rows.extend(page.rows().unwrap());
    }
    rows
}

/// What all of them gave, whoever was first.
async fn together(tasks: JoinSet<Vec<Row>>) -> Given {
    let mut given = Given::default();
    for rows in tasks.join_all().await {
        given.take(&rows);
    }
    given
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn splits_that_are_read_in_tasks_of_their_own_are_the_whole() {
    for world in 0..WORLDS {
        let (emulator, _, client) = service(world).await;
        let splits = place::index_scan(client).splits().await.unwrap();
        assert_eq!(splits.len() as u64, world % 5 + 1);
        let mut tasks = JoinSet::new();
        for split in splits {
            tasks.spawn(rows_of(split));
        }
        together(tasks).await.assert_whole(world);
        assert_eq!(sessions(&emulator), 1);
    }
}

/// Descriptors are what another program, in whatever language, would have: the id of the session, how
/// many splits it has, and where each of them stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_another_client_is_read_on_split_by_split() {
    for world in 0..WORLDS {
        let (emulator, endpoint, client) = service(world).await;
        let mut first = place::index_scan(client).open().await.unwrap();
        let mut given = Given::default();
        for _ in 0..world * 3 {
            if let Some(page) = first.try_next().await.unwrap() {
                given.take(&page.rows().unwrap());
            }
        }
        let (id, splits) = {
            let session = first.session().unwrap();
            (session.id().clone(), session.splits_size())
        };
        let positions: Vec<_> = first.checkpoint().unwrap().positions().collect();
        drop(first);

        let mut tasks = JoinSet::new();
        for position in positions {
            let session = ScanSession::known("t", "i", id.clone(), splits);
            let scan = place::index_scan(patient(&endpoint));
            tasks.spawn(rows_of(scan.in_session(&session, [position]).unwrap()));
        }
        for rows in tasks.join_all().await {
            given.take(&rows);
        }
        given.assert_whole(world);
        assert_eq!(sessions(&emulator), 1);
    }
}

/// From its bytes, by a client that has seen nothing of it, while the session lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_is_resumed_by_another_client_and_every_row_comes_once() {
    let mut left = 0;
    for world in 0..WORLDS {
        for pages in [0, 1, 7, 20, usize::MAX] {
            let (emulator, endpoint, client) = service(world).await;
            let mut first = place::index_scan(client).open().await.unwrap();
            let mut given = Given::default();
            for _ in 0..pages {
                match first.try_next().await.unwrap() {
                    Some(page) => given.take(&page.rows().unwrap()),
                    None => break,
                }
            }
            let bytes = first.checkpoint().unwrap().to_bytes();
            drop(first);

            let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
            assert_eq!(checkpoint.is_done(), pages == usize::MAX);
            let other = place::index_scan(patient(&endpoint));
            let rest = rows_of(other.resume(&checkpoint).unwrap()).await;
            left += rest.len();
            given.take(&rest);
            given.assert_whole((world, pages));
            assert_eq!(sessions(&emulator), 1);
        }
    }
    assert!(left > 0, "nothing was left to be read: this showed nothing");
}
