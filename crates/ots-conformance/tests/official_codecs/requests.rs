//! Searches, scans, filters, conditions and schemas of indexes, both ways.

use bytes::Bytes;
use ots_proto::filter::{Condition, Filter};
use ots_proto::messages;
use ots_proto::search::{IndexSchema, ScanQuery, SearchQuery};
use prost::Message;
use serde_json::{Value as Json, json};

use crate::referee::{Question, same_bytes, same_value};
use crate::say::Say;

/// Fields of our messages, and values of our enums, that the messages of the SDK lack. Any other that
/// the SDK doesn't know has another number or another type here than there.
const ABSENT_FROM_THE_SDK: &[&str] = &[
    // index_options
    "FieldSchema.3",
    // FUZZY_KEYWORD, IP, FLATTENED, and a number that nobody knows
    "FieldSchema.2=10",
    "FieldSchema.2=11",
    "FieldSchema.2=13",
    "FieldSchema.2=99",
    // missing_value, missing_field
    "FieldSort.5",
    "FieldSort.6",
    // min_doc_count
    "GroupByField.6",
    // offset
    "GroupByHistogram.9",
    // enable_custom_column_version
    "IndexSetting.7",
    // FUNCTIONS_SCORE, SUFFIX
    "Query.1=18",
    "Query.1=19",
    // track_total_count, filter
    "SearchQuery.13",
    "SearchQuery.14",
    // disable_default_pk_sorter
    "Sort.2",
];

/// The value with only what the SDK has words for, and the words.
fn said<T: Say + Clone>(value: &T) -> (T, Json) {
    let mut value = value.clone();
    let words = value.say();
    (value, words)
}

fn buffer(theirs: &Json) -> Bytes {
    hex::decode(theirs.as_str().unwrap()).unwrap().into()
}

/// Their objects encode a search as we do, and we decode what they encoded; of ours, their messages
/// know every field.
pub(crate) const SEARCH: [Question<SearchQuery>; 2] = [
    Question {
        ask: "encode_search_query",
        case: |search| said(search).1,
        check: |search, theirs| {
            let (search, _) = said(search);
            same_bytes(theirs, &search.to_bytes().unwrap())?;
            same_value(SearchQuery::from_bytes(&buffer(theirs)), &search)
        },
    },
    Question {
        ask: "read_message",
        case: |search| message("SearchQuery", &search.to_bytes().unwrap()),
        check: |search, theirs| {
            known(theirs)?;
            same_value(SearchQuery::from_bytes(&buffer(&theirs["bytes"])), search)
        },
    },
];

/// The same for a share of a parallel scan.
pub(crate) const SCAN: [Question<ScanQuery>; 2] = [
    Question {
        ask: "encode_scan_query",
        case: |scan| said(scan).1,
        check: |scan, theirs| {
            let (scan, _) = said(scan);
            same_bytes(theirs, &scan.to_message().unwrap().encode_to_vec())?;
            same_value(read_scan(buffer(theirs)), &scan)
        },
    },
    Question {
        ask: "read_message",
        case: |scan| message("ScanQuery", &scan.to_message().unwrap().encode_to_vec()),
        check: |scan, theirs| {
            known(theirs)?;
            same_value(read_scan(buffer(&theirs["bytes"])), scan)
        },
    },
];

/// The same for what an index is made of.
pub(crate) const SCHEMA: [Question<IndexSchema>; 2] = [
    Question {
        ask: "encode_index_schema",
        case: |schema| said(schema).1,
        check: |schema, theirs| {
            let (schema, _) = said(schema);
            same_bytes(theirs, &schema.to_message().unwrap().encode_to_vec())?;
            same_value(read_schema(buffer(theirs)), &schema)
        },
    },
    Question {
        ask: "read_message",
        case: |schema| message("IndexSchema", &schema.to_message().unwrap().encode_to_vec()),
        check: |schema, theirs| {
            known(theirs)?;
            same_value(read_schema(buffer(&theirs["bytes"])), schema)
        },
    },
];

/// Their objects encode a filter as we do, and we decode what they encoded.
pub(crate) const FILTER: [Question<Filter>; 1] = [Question {
    ask: "encode_filter",
    case: |filter| said(filter).1,
    check: |filter, theirs| {
        let (filter, _) = said(filter);
        same_bytes(theirs, &filter.encode().unwrap())?;
        same_value(Filter::decode(buffer(theirs)), &filter)
    },
}];

/// The same for the condition of a write.
pub(crate) const CONDITION: [Question<Condition>; 1] = [Question {
    ask: "encode_condition",
    case: |condition| said(condition).1,
    check: |condition, theirs| {
        let (condition, _) = said(condition);
        same_bytes(theirs, &condition.to_message().unwrap().encode_to_vec())?;
        let message = messages::Condition::decode(buffer(theirs)).unwrap();
        same_value(Condition::from_message(&message), &condition)
    },
}];

fn message(name: &str, bytes: &[u8]) -> Json {
    json!({ "message": name, "bytes": hex::encode(bytes) })
}

fn known(theirs: &Json) -> Result<(), String> {
    let unknown = theirs["unknown"].as_array().ok_or("no list of fields")?;
    let mut unknown = unknown.iter().filter_map(Json::as_str);
    match unknown.find(|field| !ABSENT_FROM_THE_SDK.contains(field)) {
        Some(field) => Err(format!("the SDK does not know the field {field}")),
        None => Ok(()),
    }
}

fn read_scan(bytes: Bytes) -> Result<ScanQuery, String> {
    let message = messages::ScanQuery::decode(bytes).map_err(|e| e.to_string())?;
    ScanQuery::from_message(&message).map_err(|e| e.to_string())
}

fn read_schema(bytes: Bytes) -> Result<IndexSchema, String> {
    let message = messages::IndexSchema::decode(bytes).map_err(|e| e.to_string())?;
    IndexSchema::from_message(&message).map_err(|e| e.to_string())
}
