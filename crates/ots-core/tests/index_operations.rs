//! Search indexes, searches, SQL, splits and bulk transfers against bytes made by the official SDKs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::time::Duration;

use bytes::Bytes;
use ots_core::filter::Filter;
use ots_core::request::{
    BulkExport, BulkImport, Columns, ComputeSplitPointsBySize, CreateSearchIndex,
    DescribeSearchIndex, Request, Search, SqlQuery, TimeToLive, UpdateSearchIndex,
};
use ots_core::{
    Error, ErrorCode, ErrorKind, PrimaryKey, PrimaryKeyValue, Query, Reply, Row, RowChange,
    RowUpdate,
};
use ots_proto::messages::{SqlStatementType, VectorMetricType};
use ots_proto::search::{
    Analyzer, FieldSchema, FieldSort, IndexSchema, JsonType, QueryFlowWeight, Sort, SortOrder,
    Sorter, TextSimilarity,
};
use prost::Message;
use serde_json::Value;

fn cases(json: &str) -> Vec<(String, Bytes)> {
    let vectors: Value = serde_json::from_str(json).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    let text = |case: &Value, field: &str| case[field].as_str().unwrap().to_owned();
    cases
        .map(|case| {
            let bytes = hex::decode(text(case, "hex")).unwrap();
            (text(case, "name"), bytes.into())
        })
        .collect()
}

fn encoded<R: Request>(request: R) -> Bytes {
    request.into_message().unwrap().encode_to_vec().into()
}

fn response<M: Message + Default>(name: &str) -> M {
    let cases = cases(include_str!("../vectors/responses.json"));
    let (_, body) = cases.into_iter().find(|(case, _)| case == name).unwrap();
    M::decode(body).unwrap()
}

fn read<R: Request>(name: &str) -> Result<R::Output, Error> {
    R::read(Reply::new(response(name)))
}

fn gid(value: impl Into<PrimaryKeyValue>) -> PrimaryKey {
    PrimaryKey::new().column("gid", value)
}

/// Every type of field there is.
fn all_fields() -> IndexSchema {
    let indexed = |field: FieldSchema| field.index(true);
    let text = |name: &str| indexed(FieldSchema::text(name));
    let words = Analyzer::single_word().case_sensitive().delimit_word();
    let deep = FieldSchema::nested("nn", [indexed(FieldSchema::keyword("nk"))]);
    let nested = [indexed(FieldSchema::long("nl")), deep];
    let json = [indexed(FieldSchema::keyword("jk"))];
    let stored = |field: FieldSchema| field.index(true).sort_and_agg(true).store(true);
    IndexSchema::new([
        stored(FieldSchema::long("l")),
        stored(FieldSchema::double("d")).array(),
        indexed(FieldSchema::boolean("b")),
        indexed(FieldSchema::keyword("k"))
            .sort_and_agg(false)
            .store(true),
        text("t1").analyzer(words).highlighting(),
        text("t2").analyzer(Analyzer::split("|")),
        text("t3")
            .analyzer(Analyzer::fuzzy(2, 5))
            .text_similarity(TextSimilarity::Bm25),
        text("t4").analyzer(Analyzer::MaxWord),
        indexed(FieldSchema::geo_point("g")),
        indexed(FieldSchema::date(
            "dt",
            ["yyyy-MM-dd'T'HH:mm:ss", "epoch_millis"],
        )),
        FieldSchema::vector("v", 4, VectorMetricType::Cosine),
        FieldSchema::nested("n", nested),
        FieldSchema::json("j", JsonType::Nested, json),
        indexed(FieldSchema::keyword("virt")).virtual_of(["l"]),
    ])
    .routing_fields(["gid"])
    .sort(Sort::by(FieldSort::desc("l")).then(Sorter::PrimaryKey(Some(SortOrder::Asc))))
}

#[test]
fn requests_are_the_bytes_of_the_official_sdk() {
    let all = || Search::new("tbl", "idx", Query::MatchAll);
    let range = || BulkExport::new("tbl", PrimaryKey::min(["gid"]), PrimaryKey::max(["gid"]));
    let number = |number| NonZeroU64::new(number).unwrap();
    let mut seen = BTreeSet::new();
    for (name, wanted) in cases(include_str!("../vectors/requests.json")) {
        let made = match name.as_str() {
            "create_search_index_all_fields" => encoded(
                CreateSearchIndex::new("tbl", "idx")
                    .schema(all_fields())
                    .time_to_live(TimeToLive::Seconds(604_800)),
            ),
            "update_search_index_ttl" => {
                encoded(UpdateSearchIndex::new("tbl", "idx").time_to_live(TimeToLive::Never))
            }
            "update_search_index_weights" => {
                encoded(UpdateSearchIndex::new("tbl", "idx").query_flow_weights([
                    QueryFlowWeight::new("idx", 20),
                    QueryFlowWeight::new("idx2", 80),
                ]))
            }
            "update_search_index_add_field" => encoded(
                UpdateSearchIndex::new("tbl", "idx")
                    .add_field(FieldSchema::ip("ip").index(true).store(true)),
            ),
            "search_routing_timeout" => encoded(
                all()
                    .columns(Columns::AllFromIndex)
                    .routing([gid(1), gid(2)])
                    .timeout(Duration::from_millis(1500)),
            ),
            "search_columns_none" => encoded(all().columns(Columns::PrimaryKey)),
            "sql_query" => encoded(SqlQuery::new("SELECT * FROM tbl LIMIT 10")),
            "sql_query_java_style" => encoded(SqlQuery::new("SELECT 1").search_token("tok")),
            "compute_split_points_by_size" => encoded(ComputeSplitPointsBySize::new("tbl")),
            "compute_split_points_by_size_bytes" => encoded(
                ComputeSplitPointsBySize::new("tbl")
                    .size(number(10))
                    .unit_bytes(number(1 << 20))
                    .max_points(8),
            ),
            "bulk_export" => encoded(
                range()
                    .columns(["a", "b"])
                    .filter(Filter::column("a").gt(5).only_if_present()),
            ),
            "bulk_export_plain" => encoded(BulkExport::new("tbl", gid(1), gid(9)).plain_rows()),
            "bulk_import" => encoded(BulkImport::new(
                "tbl",
                [
                    RowChange::Put(Row::new(gid(1)).cell("a", 1)),
                    RowChange::Update(RowUpdate::new(gid(2)).delete_all_versions("a")),
                    RowChange::Delete(gid(3)),
                ],
            )),
            // Those of the other files.
            _ => continue,
        };
        assert_eq!(hex::encode(made), hex::encode(wanted), "{name}");
        seen.insert(name);
    }
    assert_eq!(seen.len(), 13);
}

#[test]
fn an_index_is_described_as_values() {
    let index = read::<DescribeSearchIndex>("describe_search_index").unwrap();
    let schema = index.schema.unwrap();
    assert!(!schema.fields.is_empty());
    assert!(index.sync_stat.is_some());
}

#[test]
fn aggregations_groups_and_inner_hits_are_read() {
    let aggregated = read::<Search>("search_every_aggregation").unwrap();
    assert!(!aggregated.aggregations.is_empty());
    let grouped = read::<Search>("search_every_group_by").unwrap();
    assert!(!grouped.group_bys.is_empty());
    let nested = read::<Search>("search_inner_hits").unwrap();
    assert_eq!(nested.hits().len(), nested.rows().unwrap().len());
    assert!(nested.hits().iter().any(|hit| !hit.inner_hits.is_empty()));
}

#[test]
fn an_answer_of_a_part_of_the_shards_is_taken_only_on_request() {
    let search = Search::new("t", "i", Query::MatchAll);
    let strict = search.reader();
    strict(Reply::new(response("search_not_counted"))).unwrap_err();
    let partial = search.allow_partial().reader();
    let reply = partial(Reply::new(response("search_not_counted"))).unwrap();
    assert!(reply.is_partial());
}

#[test]
fn the_ranges_between_split_points_are_the_whole_table() {
    let splits = read::<ComputeSplitPointsBySize>("compute_split_points").unwrap();
    let names: Vec<_> = splits
        .primary_key
        .iter()
        .map(|key| key.name.clone())
        .collect();
    let ranges = &splits.ranges;
    assert!(ranges.len() > 1);
    assert_eq!(ranges[0].start, PrimaryKey::min(names.clone()));
    assert_eq!(ranges.last().unwrap().end, PrimaryKey::max(names.clone()));
    for pair in ranges.windows(2) {
        assert_eq!(pair[0].end, pair[1].start);
        assert_eq!(pair[0].end.len(), names.len());
    }
    assert!(ranges.iter().any(|range| !range.location.is_empty()));

    let mut hostile: ots_proto::messages::ComputeSplitPointsBySizeResponse =
        response("compute_split_points");
    for repeat in [i64::MAX, -1, 1_000_000] {
        hostile.locations[0].repeat = repeat;
        let error = ComputeSplitPointsBySize::read(Reply::new(hostile.clone())).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Response(_)), "{error}");
    }
}

#[test]
fn blocks_of_columns_are_rows() {
    let page = read::<BulkExport>("bulk_export_matrix").unwrap();
    assert!(!page.rows().unwrap().is_empty());
    let rows = read::<BulkImport>("bulk_import_partial").unwrap();
    assert!(rows[0].is_ok());
    let error = rows.iter().find_map(|row| row.as_ref().err()).unwrap();
    assert!(matches!(error.code(), Some(code) if !matches!(code, ErrorCode::Other(_))));
    // A result too few would belong to another row.
    let one = BulkImport::new("t", [RowChange::Delete(gid(1))]).reader();
    one(Reply::new(response("bulk_import_partial"))).unwrap_err();
}

#[test]
fn statements_tell_their_kind_and_their_cost() {
    let select = read::<SqlQuery>("sql_select").unwrap();
    assert_eq!(select.statement, Some(SqlStatementType::Select));
    assert!(select.consumed.read > 0);
    assert!(select.payload.is_some());
    #[cfg(feature = "sql")]
    assert!(!select.rows().unwrap().columns().is_empty());
    let create = read::<SqlQuery>("sql_create_table").unwrap();
    assert_eq!(create.statement, Some(SqlStatementType::CreateTable));
    assert!(create.payload.is_none());
}
