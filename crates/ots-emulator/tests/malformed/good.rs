//! A good request of every operation, to be spoilt.

use super::*;

/// One emulator for all cases: what one leaves behind, the next has to bear.
pub(crate) static CLIENT: LazyLock<Client> = LazyLock::new(new_client);

pub(crate) fn new_client() -> Client {
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
pub(crate) fn fields() -> Vec<FieldSchema> {
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
pub(crate) fn search_query() -> Bytes {
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
pub(crate) static GOOD: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
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
