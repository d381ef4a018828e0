//! Search indexes from the outside: written rows are found at once, and returned as they were written.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::{Client, NOW_MS, Refusal, id, parameter, values};
use ots_proto::messages::{
    ColumnReturnType, ColumnsToGet, CreateSearchIndexRequest, DeleteSearchIndexRequest,
    DeleteTableRequest, DescribeSearchIndexRequest, FieldSchema, FieldType, IndexSchema,
    ListSearchIndexRequest, PrimaryKeyType, SearchQuery, SearchRequest, SearchResponse,
    TableOptions, UpdateSearchIndexRequest, UpdateTableRequest,
};
use ots_proto::operation;
use ots_proto::search::Query;
use ots_proto::{Row, RowUpdate};
use prost::Message;

fn field(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema {
        field_name: Some(name.to_owned()),
        field_type: Some(kind as i32),
        ..FieldSchema::default()
    }
}

fn create_index(client: &Client, fields: Vec<FieldSchema>) -> Result<(), Refusal> {
    let request = CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: "i".to_owned(),
        schema: Some(IndexSchema {
            field_schemas: fields,
            ..IndexSchema::default()
        }),
        ..CreateSearchIndexRequest::default()
    };
    client
        .call::<operation::CreateSearchIndex>(&request)
        .map(drop)
}

/// A table with an index on `id`, `city` and `tags`.
fn indexed() -> Client {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    let tags = FieldSchema {
        is_array: Some(true),
        ..field("tags", FieldType::Keyword)
    };
    let fields = vec![
        field("id", FieldType::Long),
        field("city", FieldType::Keyword),
        tags,
    ];
    create_index(&client, fields).unwrap();
    client
}

fn search(
    client: &Client,
    query: impl Into<Query>,
    columns: Option<ColumnsToGet>,
) -> Result<SearchResponse, Refusal> {
    let query = SearchQuery {
        query: Some(query.into().to_message()),
        get_total_count: Some(true),
        ..SearchQuery::default()
    };
    client.call::<operation::Search>(&SearchRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        columns_to_get: columns,
        search_query: Some(query.encode_to_vec().into()),
        ..SearchRequest::default()
    })
}

fn found(client: &Client, query: impl Into<Query>) -> Vec<i64> {
    let response = search(client, query, None).unwrap();
    let rows: Vec<_> = response
        .rows
        .iter()
        .map(|row| common::only_row(row).unwrap())
        .collect();
    assert_eq!(response.total_hits, Some(rows.len() as i64));
    rows.iter()
        .map(|row| row.primary_key.get("id").unwrap().as_integer().unwrap())
        .collect()
}

fn columns(kind: ColumnReturnType, names: &[&str]) -> Option<ColumnsToGet> {
    Some(ColumnsToGet {
        return_type: Some(kind as i32),
        column_names: names.iter().map(|&name| name.to_owned()).collect(),
    })
}

#[test]
fn every_write_is_found_at_once() {
    let client = indexed();
    let hangzhou = || Query::term("city", "Hangzhou");
    assert_eq!(found(&client, hangzhou()), [0; 0]);
    for n in 0..5 {
        let city = if n % 2 == 0 { "Hangzhou" } else { "Shanghai" };
        let row = Row::new(id(n)).cell("city", city);
        client.put("t", row).unwrap();
    }
    assert_eq!(found(&client, hangzhou()), [0, 2, 4]);
    client
        .update("t", RowUpdate::new(id(1)).put("city", "Hangzhou"))
        .unwrap();
    client
        .update("t", RowUpdate::new(id(2)).delete_all_versions("city"))
        .unwrap();
    client.delete("t", id(4)).unwrap();
    assert_eq!(found(&client, hangzhou()), [0, 1]);
    assert_eq!(found(&client, Query::exists("city").not()), [2]);
    assert_eq!(found(&client, Query::range("id").gt(1)), [2, 3]);
}

#[test]
fn rows_written_before_the_index_are_found() {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    client
        .put("t", Row::new(id(1)).cell("city", "Xi'an"))
        .unwrap();
    create_index(&client, vec![field("city", FieldType::Keyword)]).unwrap();
    assert_eq!(found(&client, Query::term("city", "Xi'an")), [1]);
}

#[test]
fn columns_are_returned_as_they_were_written() {
    let client = indexed();
    let row = Row::new(id(1))
        .cell("tags", r#"["a", "b"]"#)
        .cell("city", "Hangzhou")
        .cell("other", 1.5);
    client.put("t", row).unwrap();
    let returned = |columns| {
        let response = search(&client, Query::term("tags", "b"), columns).unwrap();
        assert_eq!(response.rows.len(), 1);
        common::only_row(&response.rows[0]).unwrap()
    };
    assert_eq!(values(&returned(None)), []);
    let index = returned(columns(ColumnReturnType::AllFromIndex, &[]));
    assert_eq!(
        values(&index),
        [
            ("city", "Hangzhou".into()),
            ("tags", r#"["a", "b"]"#.into())
        ]
    );
    let all = returned(columns(ColumnReturnType::All, &[]));
    assert_eq!(
        values(&all),
        [
            ("city", "Hangzhou".into()),
            ("other", 1.5.into()),
            ("tags", r#"["a", "b"]"#.into())
        ]
    );
    assert!(
        all.cells
            .iter()
            .all(|cell| cell.timestamp_ms == Some(NOW_MS))
    );
    let some = returned(columns(ColumnReturnType::Specified, &["other", "id"]));
    assert_eq!(values(&some), [("other", 1.5.into())]);
}

#[test]
fn an_index_keeps_its_table() {
    let client = indexed();
    let delete_table = || {
        let request = DeleteTableRequest {
            table_name: "t".to_owned(),
        };
        client.call::<operation::DeleteTable>(&request).map(drop)
    };
    assert_eq!(
        delete_table().unwrap_err(),
        parameter("Table[t] who has at least one search index cannot be deleted")
    );
    let list = client.call::<operation::ListSearchIndex>(&ListSearchIndexRequest {
        table_name: Some("t".to_owned()),
    });
    assert_eq!(list.unwrap().indices.len(), 1);
    let described = client.call::<operation::DescribeSearchIndex>(&DescribeSearchIndexRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        include_sync_stat: None,
    });
    assert_eq!(described.unwrap().schema.unwrap().field_schemas.len(), 3);
    let delete = DeleteSearchIndexRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
    };
    client
        .call::<operation::DeleteSearchIndex>(&delete)
        .unwrap();
    let absent = Refusal {
        status: 400,
        code: "OTSMetaNotMatch".to_owned(),
        message: "search index [i] does not exist".to_owned(),
    };
    assert_eq!(search(&client, Query::MatchAll, None).unwrap_err(), absent);
    delete_table().unwrap();
    assert_eq!(
        search(&client, Query::MatchAll, None).unwrap_err(),
        parameter("table [t] does not exist")
    );
}

#[test]
fn a_refusal_is_never_one_that_clients_repeat() {
    let client = indexed();
    let update = client.call::<operation::UpdateSearchIndex>(&UpdateSearchIndexRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        ..UpdateSearchIndexRequest::default()
    });
    let refusal = update.unwrap_err();
    assert_eq!(
        (refusal.status, &*refusal.code),
        (400, "OTSParameterInvalid")
    );
    assert!(refusal.message.contains("changes nothing"), "{refusal:?}");
    let refusal = create_index(&client, vec![field("v", FieldType::Vector)]).unwrap_err();
    assert_eq!(refusal.status, 409, "{refusal:?}");
    let refusal = search(&client, Query::exists("nope"), None).unwrap_err();
    assert_eq!(
        refusal,
        parameter("field [nope] does not exist in the search index")
    );
}

#[test]
fn a_table_with_an_index_keeps_the_options_the_index_needs() {
    let client = indexed();
    for (options, text) in [
        (
            TableOptions {
                max_versions: Some(2),
                ..TableOptions::default()
            },
            "a search index needs a table with max_versions 1, this one has 2",
        ),
        (
            TableOptions {
                time_to_live: Some(86_400),
                ..TableOptions::default()
            },
            "operation is denied as table TTL exists",
        ),
    ] {
        let request = UpdateTableRequest {
            table_name: "t".to_owned(),
            table_options: Some(options),
            ..UpdateTableRequest::default()
        };
        let refusal = client.call::<operation::UpdateTable>(&request).unwrap_err();
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            ("OTSParameterInvalid", text)
        );
    }
}
