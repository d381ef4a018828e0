//! Columns that no scan returns: refused by whoever knows the index, before anything is sent.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::TryStreamExt as _;
use ots_core::request::{CreateSearchIndex, CreateTable, DescribeSearchIndex, PutRow, ScanColumns};
use ots_core::transport::InProcess;
use ots_core::{Client, PrimaryKey, Row};
use ots_emulator::Emulator;
use ots_proto::messages::{ColumnReturnType, ParallelScanRequest, PrimaryKeyType};
use ots_proto::search::{FieldSchema, FieldType, IndexSchema};
use ots_scan::{OnSessionLoss, ScanBuilder, ScanErrorKind, parallel_scan};
use prost::Message as _;

use crate::support;

/// What went out: the operation, and its message.
type Sent = Arc<Mutex<Vec<(String, Bytes)>>>;

/// A client whose transport notes what it sends, and an index with fields of every kind.
async fn service() -> (Client, Sent) {
    let emulator = Emulator::builder().splits(3).build();
    let sent = Sent::default();
    let noted = Arc::clone(&sent);
    let transport = InProcess::new(move |request| {
        let operation = request.uri().path().trim_matches('/').to_owned();
        let note = (operation, request.body().clone());
        noted.lock().unwrap().push(note);
        emulator.handle(request)
    });
    let client = Client::builder("http://in-process")
        .instance("own")
        .credentials(support::credentials())
        .transport(transport)
        .build()
        .unwrap();
    let table = CreateTable::new("t").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await.unwrap();
    let mut unstored = FieldSchema::keyword("unstored");
    unstored.store = Some(false);
    let index = CreateSearchIndex::new("t", "i")
        .field("price", FieldType::Long)
        .field_schema(FieldSchema::date("day", ["yyyy-MM-dd"]))
        .field_schema(FieldSchema::nested("lines", [FieldSchema::long("n")]))
        .field_schema(unstored);
    client.send(index).await.unwrap();
    let row = Row::new(PrimaryKey::new().column("id", 1)).cell("price", 7);
    let put = PutRow::new("t", row);
    client.send(put).await.unwrap();
    (client, sent)
}

/// The index as the service describes it.
async fn described(client: &Client) -> IndexSchema {
    let describe = DescribeSearchIndex::new("t", "i");
    let description = client.send(describe).await.unwrap();
    description.schema.clone().unwrap()
}

fn scan(client: &Client) -> ScanBuilder<Client> {
    parallel_scan(client.clone(), "t", "i")
}

#[tokio::test]
async fn columns_that_no_scan_returns_are_refused_before_anything_is_sent() {
    let (client, sent) = service().await;
    let fields = described(&client).await;
    let before = sent.lock().unwrap().len();
    for (columns, problem) in [
        (
            vec!["price", "day"],
            "\"day\" is of type DATE, which no scan returns: leave it out, or read it from the table",
        ),
        (
            vec!["lines"],
            "\"lines\" is of type NESTED, which no scan returns: leave it out, or read it from the table",
        ),
        (
            vec!["price", "unstored"],
            "\"unstored\" is not stored in the index, and a scan reads nothing else: leave it out, or \
             read it from the table",
        ),
        (
            vec![],
            "none is named; for the primary key alone, ask for ScanColumns::PrimaryKey",
        ),
    ] {
        let scan = || {
            scan(&client)
                .column_names(columns.clone())
                .index_fields(&fields)
        };
        let restart = OnSessionLoss::Restart { max: 1 };
        for error in [
            scan().open().await.unwrap_err(),
            scan().splits().await.unwrap_err(),
            scan().on_session_loss(restart).events().await.unwrap_err(),
            scan().without_session().unwrap_err(),
        ] {
            assert_eq!(*error.kind(), ScanErrorKind::Columns(problem.to_owned()));
            assert!(!error.is_retryable());
        }
    }
    assert_eq!(sent.lock().unwrap().len(), before, "nothing was sent");

    // Those that it returns, it does.
    let scan = scan(&client).column_names(["price"]).index_fields(&fields);
    let rows: Vec<_> = scan
        .open()
        .await
        .unwrap()
        .rows()
        .try_collect()
        .await
        .unwrap();
    let [row] = rows.as_slice() else {
        unreachable!("{rows:?}")
    };
    assert_eq!(row.get("price").unwrap().as_integer(), Some(7));
}

/// The service's RETURN_ALL is of the table, which a scan never reads: there is no way to say it.
#[tokio::test]
async fn no_scan_asks_for_all_columns_of_the_table() {
    let (client, sent) = service().await;
    for (columns, expected) in [
        (None, ColumnReturnType::AllFromIndex),
        (
            Some(ScanColumns::AllFromIndex),
            ColumnReturnType::AllFromIndex,
        ),
        (
            Some(ScanColumns::Specified(vec!["price".into()])),
            ColumnReturnType::Specified,
        ),
        (Some(ScanColumns::PrimaryKey), ColumnReturnType::None),
    ] {
        sent.lock().unwrap().clear();
        let scan = match columns {
            Some(columns) => scan(&client).columns(columns),
            None => scan(&client),
        };
        let pages: Vec<_> = scan.open().await.unwrap().try_collect().await.unwrap();
        assert_eq!(pages.iter().map(|page| page.rows.len()).sum::<usize>(), 1);
        let sent = sent.lock().unwrap();
        let requests = sent
            .iter()
            .filter(|(operation, _)| operation == "ParallelScan");
        let asked: Vec<_> = requests
            .map(|(_, body)| ParallelScanRequest::decode(body.clone()).unwrap())
            .map(|request| request.columns_to_get.unwrap().return_type())
            .collect();
        assert!(
            asked.len() >= 3 && asked.iter().all(|it| *it == expected),
            "{asked:?}"
        );
    }
}
