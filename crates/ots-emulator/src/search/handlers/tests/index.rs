use ots_proto::messages::{
    DeleteSearchIndexRequest, DescribeSearchIndexRequest, FieldType, IndexStatusEnum,
    ListSearchIndexRequest, SyncPhase,
};

use super::super::*;
use crate::search::testing::{self, Bench, create_index};

fn describe(
    bench: &Bench,
    index: &str,
) -> Result<messages::DescribeSearchIndexResponse, ServiceError> {
    bench.locked(
        describe_search_index,
        DescribeSearchIndexRequest {
            table_name: Some("t".to_owned()),
            index_name: Some(index.to_owned()),
            include_sync_stat: None,
        },
    )
}

fn delete(bench: &Bench, index: &str) -> Result<messages::DeleteSearchIndexResponse, ServiceError> {
    bench.unlocked(
        delete_search_index,
        DeleteSearchIndexRequest {
            table_name: Some("t".to_owned()),
            index_name: Some(index.to_owned()),
        },
    )
}

fn list(bench: &Bench, table: Option<&str>) -> Result<Vec<(String, String)>, ServiceError> {
    let response = bench.locked(
        list_search_index,
        ListSearchIndexRequest {
            table_name: table.map(str::to_owned),
        },
    )?;
    Ok(response
        .indices
        .into_iter()
        .map(|info| (info.table_name.unwrap(), info.index_name.unwrap()))
        .collect())
}

fn error(status: u16, code: &'static str, message: &str) -> ServiceError {
    ServiceError::new(status, code, message)
}

#[test]
fn describe_shows_the_schema_as_given_and_the_defaults() {
    let bench = Bench::counting(3);
    let described = describe(&bench, "i").unwrap();
    let schema = described.schema.unwrap();
    assert_eq!(schema.field_schemas, testing::fields());
    let sort = schema.index_sort.unwrap();
    assert_eq!(sort.sorter.len(), 1);
    assert_eq!(sort.sorter[0].pk_sort.unwrap().order, Some(0));
    let setting = schema.index_setting.unwrap();
    assert_eq!(setting.number_of_shards, Some(1));
    assert!(setting.routing_fields.is_empty());
    let sync = described.sync_stat.unwrap();
    assert_eq!(sync.sync_phase, Some(SyncPhase::Incr.into()));
    // Nanoseconds of the real present.
    let now_s = sync.current_sync_timestamp.unwrap() / 1_000_000_000;
    assert!(now_s > 1_700_000_000);
    assert_eq!(
        described.index_status.unwrap().status,
        Some(IndexStatusEnum::Running.into())
    );
    assert_eq!(described.metering_info.unwrap().row_count, Some(3));
    assert_eq!(described.create_time, Some(1_000_000_000));
    assert_eq!(described.time_to_live, Some(-1));
}

#[test]
fn indexes_are_created_listed_and_deleted() {
    let bench = Bench::counting(0);
    bench
        .locked(create_search_index, create_index("j"))
        .unwrap();
    let pair = |index: &str| ("t".to_owned(), index.to_owned());
    assert_eq!(list(&bench, Some("t")).unwrap(), [pair("i"), pair("j")]);
    assert_eq!(list(&bench, None).unwrap(), [pair("i"), pair("j")]);
    delete(&bench, "i").unwrap();
    assert_eq!(list(&bench, Some("t")).unwrap(), [pair("j")]);
    let absent = error(404, "OTSObjectNotExist", "search index [i] does not exist");
    assert_eq!(delete(&bench, "i").unwrap_err(), absent);
    assert_eq!(describe(&bench, "i").unwrap_err(), absent);
    assert_eq!(
        list(&bench, Some("u")).unwrap_err(),
        error(400, "OTSParameterInvalid", "table [u] does not exist")
    );
    assert_eq!(
        list(&bench, Some("3t")).unwrap_err(),
        error(400, "OTSParameterInvalid", "Invalid table name: '3t'.")
    );
}

#[test]
fn creation_is_refused_with_its_reason() {
    let bench = Bench::counting(0);
    let refusal = |change: &dyn Fn(&mut messages::CreateSearchIndexRequest)| {
        let mut request = create_index("j");
        change(&mut request);
        bench.locked(create_search_index, request).unwrap_err()
    };
    let parameter = |message: &str| error(400, "OTSParameterInvalid", message);
    assert_eq!(
        refusal(&|request| request.index_name = "i".to_owned()),
        error(
            409,
            "OTSObjectAlreadyExist",
            "the search index already exists"
        )
    );
    assert_eq!(
        refusal(&|request| request.table_name = "u".to_owned()),
        parameter("table [u] does not exist")
    );
    assert_eq!(
        refusal(&|request| request.table_name = "#".to_owned()),
        parameter("Invalid table name: '#'.")
    );
    assert_eq!(
        refusal(&|request| request.index_name = String::new()),
        parameter("the name of a search index has 1 to 255 bytes, [] has 0")
    );
    assert_eq!(
        refusal(&|request| request.schema = None),
        parameter("the schema of the search index must not be null")
    );
    assert_eq!(
        refusal(&|request| request.time_to_live = Some(86400)),
        parameter(
            "a search index with a time to live needs a table whose option allow_update is false"
        )
    );
    assert_eq!(
        refusal(&|request| request.source_index_name = Some("x".to_owned())),
        error(404, "OTSObjectNotExist", "search index [x] does not exist")
    );
    let fields = |request: &mut messages::CreateSearchIndexRequest, fields| {
        request.schema.as_mut().unwrap().field_schemas = fields;
    };
    assert_eq!(
        refusal(&|request| fields(request, vec![])),
        parameter("a search index has 1 to 1000 fields, not 0")
    );
    assert_eq!(
        refusal(&|request| fields(request, vec![testing::field("a", FieldType::Long); 2])),
        parameter("duplicated field [a] in the schema of the search index")
    );
    assert_eq!(
        refusal(&|request| fields(request, vec![testing::field("a", FieldType::Nested)])),
        parameter("field [a] needs fields inside")
    );
    assert_eq!(list(&bench, None).unwrap().len(), 1);
}

#[test]
fn the_tables_options_must_fit() {
    let bench = Bench::counting(0);
    let refusal = |time_to_live_s, max_versions, allow_update| {
        {
            let mut database = crate::database::lock(&bench.database);
            let options = &mut database.tables.get_mut("t").unwrap().options;
            options.time_to_live_s = time_to_live_s;
            options.max_versions = max_versions;
            options.allow_update = allow_update;
        }
        let error = bench
            .locked(create_search_index, create_index("j"))
            .unwrap_err();
        assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
        error.message
    };
    assert_eq!(
        refusal(-1, 2, true),
        "a search index needs a table with max_versions 1, this one has 2"
    );
    assert_eq!(
        refusal(86400, 1, true),
        "operation is denied as table TTL exists"
    );
    assert_eq!(
        refusal(86400, 1, false),
        "the time to live of a search index must not exceed that of its table, 86400: -1"
    );
}

fn update(
    bench: &Bench,
    change: impl FnOnce(&mut messages::UpdateSearchIndexRequest),
) -> Result<messages::UpdateSearchIndexResponse, ServiceError> {
    let mut request = messages::UpdateSearchIndexRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        ..messages::UpdateSearchIndexRequest::default()
    };
    change(&mut request);
    bench.locked(update_search_index, request)
}

/// An index `i_reindex`, the new one of `i`, that has the field `l` alone.
fn reindex(bench: &Bench) {
    let mut create = create_index("i_reindex");
    create.source_index_name = Some("i".to_owned());
    create.schema.as_mut().unwrap().field_schemas = vec![testing::field("l", FieldType::Long)];
    bench.locked(create_search_index, create).unwrap();
}

fn field_count(bench: &Bench, index: &str) -> usize {
    describe(bench, index)
        .unwrap()
        .schema
        .unwrap()
        .field_schemas
        .len()
}

#[test]
fn a_new_index_takes_the_place_of_the_old_one() {
    let bench = Bench::counting(3);
    reindex(&bench);
    let all = testing::fields().len();
    assert_eq!(
        (field_count(&bench, "i"), field_count(&bench, "i_reindex")),
        (all, 1)
    );
    let brother = |index| describe(&bench, index).unwrap().brother_index_name;
    assert_eq!(brother("i").as_deref(), Some("i_reindex"));
    assert_eq!(brother("i_reindex").as_deref(), Some("i"));
    update(&bench, |request| {
        request.switch_index_name = Some("i_reindex".to_owned())
    })
    .unwrap();
    assert_eq!(
        (field_count(&bench, "i"), field_count(&bench, "i_reindex")),
        (1, all)
    );
    assert_eq!(brother("i").as_deref(), Some("i_reindex"));
    delete(&bench, "i_reindex").unwrap();
    assert_eq!((field_count(&bench, "i"), brother("i")), (1, None));
}

#[test]
fn the_heavier_of_two_indexes_answers_searches() {
    let bench = Bench::counting(3);
    reindex(&bench);
    let weight = |index: &str, weight| messages::QueryFlowWeight {
        index_name: Some(index.to_owned()),
        weight: Some(weight),
    };
    let share = |old, new| {
        update(&bench, |request| {
            request.query_flow_weight = vec![weight("i", old), weight("i_reindex", new)];
        })
    };
    let answers = || {
        let database = crate::database::lock(&bench.database);
        let table = &database.tables["t"];
        super::super::index::answering(table, "i")
            .unwrap()
            .schema
            .fields
            .len()
    };
    let all = testing::fields().len();
    assert_eq!(answers(), all);
    share(50, 50).unwrap();
    assert_eq!(answers(), all);
    share(10, 90).unwrap();
    assert_eq!(answers(), 1);
    let shown = describe(&bench, "i_reindex").unwrap().query_flow_weight;
    assert_eq!(shown, [weight("i", 10), weight("i_reindex", 90)]);
    let refused = share(10, 10).unwrap_err();
    assert_eq!(
        refused.message,
        "query_flow_weight must name [i] and [i_reindex] with weights from 0 to 100 that are 100 \
         together"
    );
    delete(&bench, "i_reindex").unwrap();
    assert_eq!(answers(), all);
}

#[test]
fn updates_that_make_no_sense_are_refused() {
    let bench = Bench::counting(0);
    bench
        .locked(create_search_index, create_index("j"))
        .unwrap();
    let message = |change: &dyn Fn(&mut messages::UpdateSearchIndexRequest)| {
        update(&bench, change).unwrap_err().message
    };
    assert!(message(&|_| ()).starts_with("the request changes nothing"));
    assert_eq!(
        message(&|request| request.switch_index_name = Some("j".to_owned())),
        "search index [i] can't be switched with [j]: neither is the new one of the other"
    );
    assert_eq!(
        message(&|request| request.query_flow_weight = vec![Default::default()]),
        "search index [i] has no new one to share searches with"
    );
    assert_eq!(
        message(&|request| request.time_to_live = Some(86_400)),
        "a search index with a time to live needs a table whose option allow_update is false"
    );
    assert!(update(&bench, |request| request.time_to_live = Some(-1)).is_ok());
}
