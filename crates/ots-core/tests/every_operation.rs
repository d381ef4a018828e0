//! Every operation of the table, over every transport: the same answers mean the same.
#![cfg(all(feature = "rustls", feature = "record", feature = "sql"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ots_core::request::{
    AbortTransaction, AddDefinedColumn, BatchGetRow, BatchWriteRow, BulkExport, BulkImport,
    CommitTransaction, ComputeSplitPointsBySize, ComputeSplits, CreateIndex, CreateSearchIndex,
    CreateTable, DefinedColumnType, DeleteDefinedColumn, DeleteRow, DeleteSearchIndex, DeleteTable,
    DescribeSearchIndex, DescribeTable, DropIndex, GetRange, GetRow, ListSearchIndex, ListTable,
    ParallelScan, PrimaryKeyType, PutRow, Request, Search, SecondaryIndex, SqlQuery,
    StartLocalTransaction, TableOptions, TableRead, TableWrites, UpdateRow, UpdateSearchIndex,
    UpdateTable,
};
use ots_core::transport::{HyperTransport, InProcess, Proxy, Recorder, Replay};
use ots_core::{Client, PrimaryKey, Query, Row, RowChange, RowUpdate, Transport};
use ots_proto::messages::{self, FieldType};
use ots_proto::operation;
use ots_proto::operation::Operation;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

mod common;
#[path = "common/sockets.rs"]
mod sockets;
#[path = "common/tls.rs"]
mod tls;

use common::{Answer, clock};
use sockets::{request_from, serve};
use tls::Authority;

/// Bodies of answers by operation: those that an official SDK has been shown to read, where there are
/// any. Of the others the service says nothing but that they happened.
fn answers() -> BTreeMap<String, Bytes> {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/responses.json")).unwrap();
    let mut answers: BTreeMap<_, _> = operation::ALL
        .iter()
        .map(|(name, _)| ((*name).to_owned(), Bytes::new()))
        .collect();
    for case in vectors["cases"].as_array().unwrap() {
        let text = |field: &str| case[field].as_str().unwrap();
        if let Some(answer) = answers.get_mut(text("api"))
            && answer.is_empty()
        {
            *answer = hex::decode(text("hex")).unwrap().into();
        }
    }
    // Results have a place in the request, so they are as many as it asks for.
    let results = vec![messages::RowInBatchWriteRowResponse {
        is_ok: true,
        ..messages::RowInBatchWriteRowResponse::default()
    }];
    let written = messages::BatchWriteRowResponse {
        tables: vec![messages::TableInBatchWriteRowResponse {
            table_name: "t".to_owned(),
            rows: results,
        }],
    };
    let found = messages::BatchGetRowResponse {
        tables: vec![messages::TableInBatchGetRowResponse {
            table_name: "t".to_owned(),
            rows: vec![messages::RowInBatchGetRowResponse {
                is_ok: true,
                ..messages::RowInBatchGetRowResponse::default()
            }],
        }],
    };
    answers.insert("BatchWriteRow".to_owned(), written.encode_to_vec().into());
    answers.insert("BatchGetRow".to_owned(), found.encode_to_vec().into());
    answers
}

fn answer(answers: &BTreeMap<String, Bytes>, path: &str) -> Answer {
    Answer::new(200, answers[path.trim_start_matches('/')].clone())
}

/// What each operation gave, as text.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, String>);

impl Seen {
    async fn send<R: Request<Output: Debug>>(&mut self, client: &Client, request: R) {
        let name = R::Operation::NAME;
        let reply = client.send(request).await;
        let reply = reply.unwrap_or_else(|error| panic!("{name}: {:?}", common::chain(&error)));
        let text = format!("{} {:?}", reply.request_id, *reply);
        assert!(self.0.insert(name, text).is_none(), "{name} twice");
    }
}

/// Performs every operation once.
async fn all(client: &Client) -> BTreeMap<&'static str, String> {
    let key = || PrimaryKey::new().column("id", 7);
    let row = || Row::new(key()).cell("n", 1);
    let first = PrimaryKey::new().column("id", 0);
    let last = PrimaryKey::new().column("id", 9);
    let mut seen = Seen::default();
    let create = CreateTable::new("t").primary_key("id", PrimaryKeyType::Integer);
    seen.send(client, create).await;
    seen.send(client, ListTable::new()).await;
    seen.send(client, DescribeTable::new("t")).await;
    let update = UpdateTable::new("t").options(TableOptions::new().max_versions(2));
    seen.send(client, update).await;
    seen.send(client, DeleteTable::new("t")).await;
    let add = AddDefinedColumn::new("t").column("n", DefinedColumnType::Integer);
    seen.send(client, add).await;
    seen.send(client, DeleteDefinedColumn::new("t", ["n"]))
        .await;
    let index = SecondaryIndex::global("by_n", ["n"]);
    seen.send(client, CreateIndex::new("t", index)).await;
    seen.send(client, DropIndex::new("t", "by_n")).await;
    seen.send(client, GetRow::new("t", key())).await;
    seen.send(client, PutRow::new("t", row())).await;
    let update = RowUpdate::new(key()).increment("n", 1);
    seen.send(client, UpdateRow::new("t", update)).await;
    seen.send(client, DeleteRow::new("t", key())).await;
    let get = BatchGetRow::new().table(TableRead::new("t", [key()]));
    seen.send(client, get).await;
    let write = BatchWriteRow::new().table(TableWrites::new("t").puts([row()]));
    seen.send(client, write).await;
    seen.send(client, GetRange::new("t", first.clone(), last.clone()))
        .await;
    let two = [row(), row()].map(RowChange::Put);
    seen.send(client, BulkImport::new("t", two)).await;
    seen.send(client, BulkExport::new("t", first, last)).await;
    seen.send(client, ComputeSplitPointsBySize::new("t")).await;
    seen.send(client, StartLocalTransaction::new("t", "id", 7))
        .await;
    seen.send(client, CommitTransaction::new("a-transaction"))
        .await;
    seen.send(client, AbortTransaction::new("a-transaction"))
        .await;
    let create = CreateSearchIndex::new("t", "i").field("n", FieldType::Long);
    seen.send(client, create).await;
    seen.send(client, UpdateSearchIndex::new("t", "i")).await;
    seen.send(client, DeleteSearchIndex::new("t", "i")).await;
    seen.send(client, ListSearchIndex::new()).await;
    seen.send(client, DescribeSearchIndex::new("t", "i")).await;
    seen.send(client, Search::new("t", "i", Query::MatchAll))
        .await;
    seen.send(client, ComputeSplits::new("t", "i")).await;
    seen.send(client, ParallelScan::new("t", "i", Query::MatchAll))
        .await;
    seen.send(client, SqlQuery::new("SELECT 1")).await;
    seen.0
}

fn over(transport: impl Transport + 'static) -> Client {
    common::client(transport, &clock())
}

/// In this process, with a recording of it.
async fn in_process() -> (BTreeMap<&'static str, String>, String) {
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let answers = answers();
    let transport =
        InProcess::new(move |request| answer(&answers, request.uri().path()).to(&request));
    let memory = Memory::default();
    let recorder = Arc::new(Recorder::new(transport, memory.clone()));
    let seen = all(&over(Arc::clone(&recorder))).await;
    recorder.finish().unwrap();
    let recording = memory.0.lock().unwrap().clone();
    (seen, String::from_utf8(recording).unwrap())
}

async fn handle(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: Arc<BTreeMap<String, Bytes>>,
) {
    while let Some((head, body)) = request_from(&mut stream).await {
        let path = head.split(' ').nth(1).unwrap();
        let request = http::Request::post(path).body(Bytes::from(body)).unwrap();
        let answer = answer(&answers, path).to(&request);
        let mut head = format!("HTTP/1.1 {}\r\n", answer.status());
        for (name, value) in answer.headers() {
            write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
        write!(head, "content-length: {}\r\n\r\n", answer.body().len()).unwrap();
        let whole = [head.as_bytes(), answer.body()].concat();
        stream.write_all(&whole).await.unwrap();
        stream.flush().await.unwrap();
    }
}

fn over_sockets(scheme: &str, address: SocketAddr, root_pem: Option<&str>) -> Client {
    let mut transport = HyperTransport::builder().proxy(Proxy::none());
    if let Some(root_pem) = root_pem {
        transport = transport.root_certificates_pem(root_pem);
    }
    let transport = transport.build().unwrap();
    Client::builder(format!("{scheme}://{address}"))
        .instance("shop")
        .credentials(common::credentials())
        .transport(transport)
        .clock(clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn every_operation_gives_the_same_over_sockets_tls_in_process_and_replayed() {
    let (seen, recording) = in_process().await;
    let mut names: Vec<_> = operation::ALL.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(Vec::from_iter(seen.keys().copied()), names);

    let replay = Replay::parse(&recording, common::credentials()).unwrap();
    assert_eq!(all(&over(replay)).await, seen, "replayed");

    let answers = Arc::new(answers());
    let shared = Arc::clone(&answers);
    let address = serve(move |stream, _| handle(stream, Arc::clone(&shared))).await;
    let client = over_sockets("http", address, None);
    assert_eq!(all(&client).await, seen, "over HTTP");

    let Authority { acceptor, root_pem } = Authority::of(&["127.0.0.1"]);
    let address = serve(move |stream, _| {
        let (acceptor, answers) = (acceptor.clone(), Arc::clone(&answers));
        async move { handle(acceptor.accept(stream).await.unwrap(), answers).await }
    });
    let client = over_sockets("https", address.await, Some(&root_pem));
    assert_eq!(all(&client).await, seen, "over TLS");
}
