//! What is refused before anything is sent.

use std::error::Error as _;
use std::task::Poll;

use fake::Fake;
use futures::Stream;
use ots_proto::messages;
use ots_proto::search::{FieldSchema, IndexSchema, SearchIndexDescription};
use ots_scan::{Limiter, MAX_CONCURRENCY, ScanColumns, ScanErrorKind};

use super::*;

#[test]
fn outside_a_runtime_nothing_is_sent() {
    let fake = Fake::new(30, 3);
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = Box::pin(scan(&fake).open()).as_mut().poll(&mut cx) else {
        panic!()
    };
    assert_eq!(*error.kind(), ScanErrorKind::NoRuntime);
    assert_eq!(fake.sessions(), 0);
}

#[tokio::test]
async fn what_is_wrong_without_asking_is_not_asked() {
    let fake = Fake::new(30, 3);
    let none: [&str; 0] = [];
    for (builder, message) in [
        (
            scan(&fake).column_names(none),
            "these columns can't be scanned: none is named; for the primary key alone, ask for \
             ScanColumns::PrimaryKey",
        ),
        (
            scan(&fake).column_names(["a", ""]),
            "these columns can't be scanned: one of the names is empty",
        ),
        (
            scan(&fake).column_names(["a", "b", "a"]),
            "these columns can't be scanned: \"a\" is named twice",
        ),
        (
            scan(&fake).limit(0),
            "this scan can't be asked for; the cause says what to change",
        ),
        (
            scan(&fake).alive_time(Duration::ZERO),
            "this scan can't be asked for; the cause says what to change",
        ),
    ] {
        let place = "ParallelScan on index \"orders_index\" of table \"orders\"";
        let error = builder.open().await.unwrap_err();
        assert_eq!(error.to_string(), format!("{place}: {message}"));
        assert!(!error.is_retryable());
    }
    assert_eq!(fake.sessions(), 0);
    let scan = scan(&fake).columns(ScanColumns::PrimaryKey);
    let scan = scan.concurrency(1).open().await.unwrap();
    assert_eq!((fake.sessions(), scan.max_parallel()), (1, 1));
}

/// With what DescribeSearchIndex of the client replies.
#[tokio::test]
async fn what_the_index_cannot_return_is_refused_where_its_fields_are_known() {
    let fake = Fake::new(30, 3);
    let fields = [
        FieldSchema::keyword("city"),
        FieldSchema::date("at", ["epoch_millis"]),
        FieldSchema::nested("items", [FieldSchema::keyword("name")]),
    ];
    let message = messages::DescribeSearchIndexResponse {
        schema: Some(IndexSchema::new(fields).to_message().unwrap()),
        ..messages::DescribeSearchIndexResponse::default()
    };
    let described = SearchIndexDescription::from_message(&message).unwrap();
    let builder = scan(&fake).index_fields(described.schema.as_ref().unwrap());
    for (name, kind) in [("at", "DATE"), ("items", "NESTED")] {
        let columns = builder.clone().column_names(["city", name]);
        for error in [
            columns.open().await.unwrap_err(),
            columns.without_session().unwrap_err(),
        ] {
            assert!(matches!(error.kind(), ScanErrorKind::Columns(_)));
            let place = "ParallelScan on index \"orders_index\" of table \"orders\"";
            assert_eq!(
                error.to_string(),
                format!(
                    "{place}: these columns can't be scanned: {name:?} is of type {kind}, which no \
                     scan returns: leave it out, or read it from the table"
                )
            );
        }
    }
    assert_eq!((fake.sessions(), fake.asked().len()), (0, 0));
    assert!(builder.column_names(["city"]).open().await.is_ok());
}

#[tokio::test]
async fn more_splits_than_the_service_runs_are_refused_and_so_are_none() {
    let fake = Fake::new(30, 16);
    for splits in [0, MAX_CONCURRENCY + 1, u32::MAX] {
        let error = scan(&fake).concurrency(splits).open().await.unwrap_err();
        assert_eq!(*error.kind(), ScanErrorKind::Request);
        let problem = format!("concurrency must be between 1 and 10, got {splits}");
        assert_eq!(error.source().unwrap().to_string(), problem);
    }
    assert_eq!(fake.sessions(), 0);
    let scan = scan(&fake).concurrency(MAX_CONCURRENCY);
    assert_eq!(scan.open().await.unwrap().max_parallel(), 10);
}

#[test]
fn what_travels_between_threads_can() {
    fn sent<T: Send + 'static>() {}
    fn shared<T: Send + Sync + Clone>() {}
    fn stream<T: Stream + Unpin + Send>() {}
    sent::<ScanBuilder<Fake>>();
    sent::<ScanPage>();
    sent::<ots_scan::ScanError>();
    shared::<Limiter>();
    stream::<Scan>();
    stream::<ots_scan::ScanRows>();
}
