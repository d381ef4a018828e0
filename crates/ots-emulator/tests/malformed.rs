//! Requests that no client would send: never a panic, never a 5xx, always a typed error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::sync::LazyLock;

use bytes::Bytes;
use common::{Client, get_request, id, put_request, range_request, signed, update_request};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use ots_emulator::{Coverage, Emulator, Settings, coverage};
use ots_proto::messages::{
    self, ComparatorType, FieldSchema, FieldType, IndexSchema, LogicalOperator, OperationType,
    PrimaryKeyType,
};
use ots_proto::plainbuffer::write_change;
use ots_proto::search::{
    Aggregation, BoolQuery, DateTimeUnit, DateTimeValue, FieldSort, GeoDistanceSort, GeoPoint,
    GroupBy, Highlight, HighlightParameter, InnerHits, Query, SearchQuery, Sort,
};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate, operation, strategy};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

/// One emulator for all cases: what one leaves behind, the next has to bear.
static CLIENT: LazyLock<Client> = LazyLock::new(new_client);

fn new_client() -> Client {
    let mut settings = Settings::default();
    // So that there are tokens.
    settings.wide_row_bytes = 20;
    let client = Client::with(Emulator::builder().settings(settings));
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    let request = messages::CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: fields(),
            ..IndexSchema::default()
        }),
        ..messages::CreateSearchIndexRequest::default()
    };
    client
        .call::<operation::CreateSearchIndex>(&request)
        .unwrap();
    let row = Row::new(id(1))
        .cell("n", 1)
        .cell("text", "snow falls")
        .cell("at", "30.5,120")
        .cell("day", 1_700_000_000_000_i64)
        .cell("vector", "[1, 2]")
        .cell("many", r#"["a", "b"]"#)
        .cell("inner", r#"[{"k": "x", "l": 1}, {"k": "y"}]"#);
    client.put("t", row).unwrap();
    client
}

/// Fields of the kinds that searches read in different ways.
fn fields() -> Vec<FieldSchema> {
    let field = |name: &str, kind: FieldType| FieldSchema {
        field_name: Some(name.to_owned()),
        field_type: Some(kind as i32),
        ..FieldSchema::default()
    };
    vec![
        field("n", FieldType::Long),
        FieldSchema {
            enable_highlighting: Some(true),
            ..field("text", FieldType::Text)
        },
        field("at", FieldType::GeoPoint),
        FieldSchema {
            date_formats: vec!["epoch_millis".to_owned()],
            ..field("day", FieldType::Date)
        },
        FieldSchema {
            vector_options: Some(messages::VectorOptions {
                data_type: Some(messages::VectorDataType::Float32 as i32),
                dimension: Some(2),
                metric_type: Some(messages::VectorMetricType::Cosine as i32),
            }),
            ..field("vector", FieldType::Vector)
        },
        FieldSchema {
            is_array: Some(true),
            ..field("many", FieldType::Keyword)
        },
        FieldSchema {
            field_schemas: vec![field("k", FieldType::Keyword), field("l", FieldType::Long)],
            ..field("inner", FieldType::Nested)
        },
    ]
}

/// A search with a bit of everything.
fn search_query() -> Bytes {
    let point = GeoPoint::new(30.0, 120.0).unwrap();
    let inner =
        Query::nested("inner", Query::term("inner.k", "x")).inner_hits(InnerHits::default());
    let query = BoolQuery::new()
        .must(Query::match_text("text", "snow"))
        .should(Query::match_phrase("text", "snow falls"))
        .should(Query::range("n").gte(0).lt(9))
        .should(Query::wildcard("many", "a*"))
        .should(Query::geo_distance("at", point, 1e6))
        .should(Query::knn_vector("vector", vec![1.0, 2.0], 3))
        .should(inner)
        .filter(Query::exists("n"));
    let days = DateTimeValue::new(1, DateTimeUnit::Day);
    let query = SearchQuery::new(query)
        .limit(10)
        .sort(Sort::by(FieldSort::desc("n")).then(GeoDistanceSort::new("at", [point])))
        .highlight(Highlight::field(HighlightParameter::new("text")))
        .aggregation("avg", Aggregation::avg("n"))
        .aggregation("percentiles", Aggregation::percentiles("n", [50.0]))
        .aggregation("top", Aggregation::top_rows())
        .group_by(
            "many",
            GroupBy::field("many").aggregation("max", Aggregation::max("n")),
        )
        .group_by("days", GroupBy::date_histogram("day", days))
        .group_by("n", GroupBy::histogram("n", 5));
    query.to_bytes().unwrap()
}

/// Bodies that a client would send, to be spoilt.
static GOOD: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
    let bound = |value| PrimaryKey::new().column("id", value);
    let (first, last) = (PrimaryKeyValue::InfMin, PrimaryKeyValue::InfMax);
    let scan_query = Some(messages::ScanQuery {
        query: Some(ots_proto::search::Query::MatchAll.to_message()),
        ..messages::ScanQuery::default()
    });
    let row = Row::new(id(1)).cell("n", 1).cell("text", "雪");
    let scan = messages::ParallelScanRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        scan_query,
        ..messages::ParallelScanRequest::default()
    };
    let create = common::create_request(
        "other",
        &[("id", PrimaryKeyType::Integer)],
        common::options(1),
    );
    let update = update_request("t", RowUpdate::new(id(1)).put("n", 2).increment("m", 1));
    let range = range_request("t", &bound(first), &bound(last));
    let export = messages::BulkExportRequest {
        table_name: "t".to_owned(),
        columns_to_get: vec!["id".to_owned(), "n".to_owned()],
        inclusive_start_primary_key: range.inclusive_start_primary_key.clone(),
        exclusive_end_primary_key: range.exclusive_end_primary_key.clone(),
        filter: common::bytes(&common::composite(
            LogicalOperator::Not,
            vec![common::single(&common::column_filter(
                "n",
                ComparatorType::GreaterThan,
                1,
            ))],
        )),
        data_block_type_hint: None,
    };
    let change = |row: Row, r#type| messages::RowInBatchWriteRowRequest {
        r#type: i32::from(r#type),
        row_change: write_change(&RowChange::Put(row)),
        condition: common::ignore(),
        return_content: None,
    };
    let batch_write = messages::BatchWriteRowRequest {
        tables: vec![messages::TableInBatchWriteRowRequest {
            table_name: "t".to_owned(),
            rows: vec![change(row.clone(), OperationType::Put)],
        }],
        is_atomic: Some(true),
        ..messages::BatchWriteRowRequest::default()
    };
    let batch_get = messages::BatchGetRowRequest {
        tables: vec![messages::TableInBatchGetRowRequest {
            table_name: "t".to_owned(),
            primary_key: vec![get_request("t", &id(1)).primary_key],
            token: vec![Bytes::new()],
            max_versions: Some(1),
            ..messages::TableInBatchGetRowRequest::default()
        }],
    };
    let name = || "other".to_owned();
    let index = || (Some("t".to_owned()), Some("i".to_owned()));
    let splits = messages::ComputeSplitsRequest {
        table_name: index().0,
        search_index_splits_options: Some(messages::SearchIndexSplitsOptions {
            index_name: index().1,
        }),
    };
    let search = messages::SearchRequest {
        table_name: index().0,
        index_name: index().1,
        search_query: Some(search_query()),
        ..messages::SearchRequest::default()
    };
    let create_index = messages::CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: "j".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: fields(),
            ..IndexSchema::default()
        }),
        ..messages::CreateSearchIndexRequest::default()
    };
    let columns = vec![messages::DefinedColumnSchema {
        name: "d".to_owned(),
        r#type: 1,
    }];
    let put_bytes = put_request("t", row).encode_to_vec();
    vec![
        ("PutRow", put_bytes),
        ("UpdateRow", update.encode_to_vec()),
        (
            "DeleteRow",
            common::delete_request("t", id(2)).encode_to_vec(),
        ),
        ("GetRow", get_request("t", &id(1)).encode_to_vec()),
        ("BatchGetRow", batch_get.encode_to_vec()),
        ("BatchWriteRow", batch_write.encode_to_vec()),
        ("GetRange", range.encode_to_vec()),
        ("BulkExport", export.encode_to_vec()),
        (
            "ComputeSplitPointsBySize",
            messages::ComputeSplitPointsBySizeRequest {
                table_name: "t".to_owned(),
                split_size: 1,
                split_size_unit_in_byte: Some(1 << 20),
                split_point_limit: Some(3),
            }
            .encode_to_vec(),
        ),
        ("CreateTable", create.encode_to_vec()),
        ("ListTable", Vec::new()),
        (
            "DescribeTable",
            messages::DescribeTableRequest { table_name: name() }.encode_to_vec(),
        ),
        (
            "UpdateTable",
            messages::UpdateTableRequest {
                table_name: name(),
                table_options: Some(common::options(2)),
                ..messages::UpdateTableRequest::default()
            }
            .encode_to_vec(),
        ),
        (
            "AddDefinedColumn",
            messages::AddDefinedColumnRequest {
                table_name: name(),
                columns,
            }
            .encode_to_vec(),
        ),
        (
            "DeleteDefinedColumn",
            messages::DeleteDefinedColumnRequest {
                table_name: name(),
                columns: vec!["d".to_owned()],
            }
            .encode_to_vec(),
        ),
        ("CreateSearchIndex", create_index.encode_to_vec()),
        (
            "UpdateSearchIndex",
            messages::UpdateSearchIndexRequest {
                table_name: index().0,
                index_name: Some("j".to_owned()),
                time_to_live: Some(-1),
                ..messages::UpdateSearchIndexRequest::default()
            }
            .encode_to_vec(),
        ),
        (
            "DeleteSearchIndex",
            messages::DeleteSearchIndexRequest {
                table_name: index().0,
                index_name: Some("j".to_owned()),
            }
            .encode_to_vec(),
        ),
        (
            "ListSearchIndex",
            messages::ListSearchIndexRequest {
                table_name: index().0,
            }
            .encode_to_vec(),
        ),
        (
            "DescribeSearchIndex",
            messages::DescribeSearchIndexRequest {
                table_name: index().0,
                index_name: index().1,
                include_sync_stat: Some(true),
            }
            .encode_to_vec(),
        ),
        ("ComputeSplits", splits.encode_to_vec()),
        ("ParallelScan", scan.encode_to_vec()),
        ("Search", search.encode_to_vec()),
        (
            "DeleteTable",
            messages::DeleteTableRequest { table_name: name() }.encode_to_vec(),
        ),
    ]
});

/// What must hold of every answer.
fn check(response: &Response<Bytes>) -> Result<(), TestCaseError> {
    let status = response.status().as_u16();
    prop_assert!((200..500).contains(&status), "{response:?}");
    prop_assert!(response.headers().contains_key("x-ots-requestid"));
    if status != 200 {
        let error = messages::Error::decode(response.body().clone());
        let error = error.map_err(|_| TestCaseError::fail("no typed error"))?;
        prop_assert!(error.code.starts_with("OTS"), "{error:?}");
        prop_assert!(error.message.is_some_and(|message| !message.is_empty()));
    }
    Ok(())
}

fn send(name: &str, body: Vec<u8>) -> Response<Bytes> {
    let emulator = &CLIENT.emulator;
    emulator.handle(signed(emulator, name, body.into()))
}

fn any_operation() -> impl Strategy<Value = &'static str> {
    any::<Index>().prop_map(|index| index.get(operation::ALL).0)
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Spoil {
    Set(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn any_spoil() -> impl Strategy<Value = Spoil> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Spoil::Set(at, byte)),
        1 => any::<Index>().prop_map(Spoil::Cut),
        2 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Spoil::Repeat(from, to)),
    ]
}

fn spoil(bytes: &mut Vec<u8>, spoil: &Spoil) {
    if bytes.is_empty() {
        return;
    }
    match spoil {
        Spoil::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Spoil::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Spoil::Insert(at, new) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Spoil::Repeat(from, to) => {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let part = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.extend(part);
        }
    }
}

#[test]
fn every_operation_that_is_not_refused_is_spoilt_and_is_good_before() {
    let refused = |name: &str| {
        let entry = coverage().iter().find(|entry| entry.operation == name);
        entry.unwrap().coverage == Coverage::Refused
    };
    for (name, _) in operation::ALL {
        let good = GOOD.iter().any(|(good, _)| good == name);
        assert_eq!(good, !refused(name), "{name}");
    }
    // What one leaves behind the next ones need: a table of its own, an index of its own.
    let client = new_client();
    for (name, body) in GOOD.iter() {
        let request = signed(&client.emulator, name, body.clone().into());
        let response = client.emulator.handle(request);
        assert_eq!(
            response.status(),
            200,
            "{name}: {:?}",
            common::refusal(&response)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_answered(
        name in any_operation(),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        check(&send(name, body))?;
    }

    #[test]
    fn good_bodies_spoilt_are_answered(
        good in any::<Index>(),
        spoils in prop::collection::vec(any_spoil(), 1..6),
    ) {
        let (name, body) = good.get(&GOOD[..]);
        let mut body = body.clone();
        for change in &spoils {
            spoil(&mut body, change);
        }
        check(&send(name, body))?;
    }

    #[test]
    fn the_body_of_one_operation_sent_to_another_is_answered(
        name in any_operation(),
        good in any::<Index>(),
    ) {
        check(&send(name, good.get(&GOOD[..]).1.clone()))?;
    }

    #[test]
    fn any_path_method_and_headers_are_answered(
        path in "/[a-zA-Z0-9/%._~:@!$&'()*+,;=-]{0,20}",
        method in prop_oneof![Just(Method::POST), Just(Method::GET), Just(Method::DELETE)],
        headers in prop::collection::vec(
            (
                prop_oneof![
                    "x-ots-[a-z0-9]{1,12}",
                    Just("x-ots-date".to_owned()),
                    Just("x-ots-accesskeyid".to_owned()),
                    Just("x-ots-signature".to_owned()),
                    Just("x-ots-signaturev4".to_owned()),
                    Just("x-ots-signdate".to_owned()),
                    Just("x-ots-instancename".to_owned()),
                    Just("x-ots-contentmd5".to_owned()),
                ],
                prop::collection::vec(prop_oneof![Just(b'\t'), 32..127_u8, 128..=255_u8], 0..30),
            ),
            0..8,
        ),
    ) {
        prop_assume!(path != "/healthz" && !path.starts_with("/admin/"));
        let emulator = &CLIENT.emulator;
        let mut request = signed(emulator, "ListTable", Bytes::new());
        *request.method_mut() = method;
        prop_assume!(path.parse::<http::Uri>().is_ok());
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_bytes(&value).unwrap());
        }
        check(&emulator.handle(request))?;
    }

    #[test]
    fn any_admin_request_is_answered_in_json(
        path in "/admin/(faults|clock/advance|snapshot|restore|[a-z/]{0,8})(/[0-9a-z]{0,4})?",
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "\\{\"(ms|name|do|match)\":[a-z0-9\"{}]{0,12}\\}".prop_map(String::into_bytes),
        ],
    ) {
        let request = Request::post(path).body(Bytes::from(body)).unwrap();
        let response = CLIENT.emulator.handle(request);
        prop_assert!(response.status().as_u16() < 500, "{response:?}");
        prop_assert!(serde_json::from_slice::<serde_json::Value>(response.body()).is_ok());
        CLIENT.emulator.faults().clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Searches, scans and indexes of every shape there is.
    #[test]
    fn any_search_is_answered(
        search in strategy::search_request::search_query(),
        scan in strategy::search_request::scan_query(),
        schema in strategy::search_index::index_schema(),
    ) {
        let (table_name, index_name) = (Some("t".to_owned()), Some("i".to_owned()));
        if let Ok(search_query) = search.to_bytes() {
            let request = messages::SearchRequest {
                table_name: table_name.clone(),
                index_name: index_name.clone(),
                search_query: Some(search_query),
                ..messages::SearchRequest::default()
            };
            check(&send("Search", request.encode_to_vec()))?;
        }
        if let Ok(scan_query) = scan.to_message() {
            let request = messages::ParallelScanRequest {
                table_name,
                index_name,
                scan_query: Some(scan_query),
                ..messages::ParallelScanRequest::default()
            };
            check(&send("ParallelScan", request.encode_to_vec()))?;
        }
        if let Ok(schema) = schema.to_message() {
            let request = messages::CreateSearchIndexRequest {
                table_name: "t".to_owned(),
                index_name: "j".to_owned(),
                schema: Some(schema),
                ..messages::CreateSearchIndexRequest::default()
            };
            check(&send("CreateSearchIndex", request.encode_to_vec()))?;
        }
    }
}
