//! The messages against bytes made by the official SDKs; see `vectors/PROVENANCE.md`.
//!
//! Each body is looked at twice. The generated types must take it apart and put it together again
//! byte for byte. And our `.proto` files, compiled here and now, must give each of its fields the
//! number, the name, the type and the value that the vector describes: a field that both codec and
//! test had under a wrong number would pass the first look, but not the second.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::Path;

use bytes::Bytes;
use ots_proto::messages;
use ots_proto::plainbuffer::{Accept, Reader, Writer};
use ots_proto::search::Query;
use ots_proto::simple_row_matrix::Matrix;
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, ReflectMessage as _, Value as Field,
};
use serde_json::Value;

mod common;

use common::{bits_of, cases, check_variant, hex_of, list_of, only_keys, text_of, variant_of};

/// The one case whose bytes can't come back: it holds a field that no message has, and prost drops
/// what it doesn't know.
const UNKNOWN_FIELD: &str = "get_row_unknown_field_ignored";

fn requests() -> Vec<Value> {
    cases(
        "requests.json",
        include_str!("../vectors/requests.json"),
        109,
    )
}

fn responses() -> Vec<Value> {
    cases(
        "responses.json",
        include_str!("../vectors/responses.json"),
        42,
    )
}

/// Every case: its name, its message tree, its bytes.
fn bodies() -> impl Iterator<Item = (String, Value, Bytes)> {
    let requests = requests().into_iter().map(|case| {
        only_keys(&case, &["name", "api", "source", "about", "request", "hex"]);
        (case, "request")
    });
    let responses = responses().into_iter().map(|case| {
        only_keys(
            &case,
            &["name", "api", "about", "response", "hex", "verified_by"],
        );
        (case, "response")
    });
    requests.chain(responses).map(|(case, side)| {
        let name = text_of(&case["name"]).to_owned();
        only_keys(&case[side], &["message", "fields"]);
        (name, case[side].clone(), hex_of(&case["hex"]).into())
    })
}

/// Decodes and encodes with the generated type of a message that may travel alone.
macro_rules! generated {
    ($($message:literal => $type:ident,)*) => {
        const GENERATED: &[&str] = &[$($message),*];

        fn through_generated(message: &str, body: Bytes) -> Result<Vec<u8>, prost::DecodeError> {
            Ok(match message {
                $($message => messages::$type::decode(body)?.encode_to_vec(),)*
                other => panic!("no generated type for {other:?} in the table of this test"),
            })
        }
    };
}

generated! {
    "AbortTransactionRequest" => AbortTransactionRequest,
    "AddDefinedColumnRequest" => AddDefinedColumnRequest,
    "BatchGetRowRequest" => BatchGetRowRequest,
    "BatchGetRowResponse" => BatchGetRowResponse,
    "BatchWriteRowRequest" => BatchWriteRowRequest,
    "BatchWriteRowResponse" => BatchWriteRowResponse,
    "BulkExportRequest" => BulkExportRequest,
    "BulkExportResponse" => BulkExportResponse,
    "BulkImportRequest" => BulkImportRequest,
    "BulkImportResponse" => BulkImportResponse,
    "CommitTransactionRequest" => CommitTransactionRequest,
    "ComputeSplitPointsBySizeRequest" => ComputeSplitPointsBySizeRequest,
    "ComputeSplitPointsBySizeResponse" => ComputeSplitPointsBySizeResponse,
    "ComputeSplitsRequest" => ComputeSplitsRequest,
    "ComputeSplitsResponse" => ComputeSplitsResponse,
    "CreateIndexRequest" => CreateIndexRequest,
    "CreateSearchIndexRequest" => CreateSearchIndexRequest,
    "CreateSearchIndexResponse" => CreateSearchIndexResponse,
    "CreateTableRequest" => CreateTableRequest,
    "CreateTableResponse" => CreateTableResponse,
    "DeleteDefinedColumnRequest" => DeleteDefinedColumnRequest,
    "DeleteRowRequest" => DeleteRowRequest,
    "DeleteRowResponse" => DeleteRowResponse,
    "DeleteSearchIndexRequest" => DeleteSearchIndexRequest,
    "DeleteTableRequest" => DeleteTableRequest,
    "DeleteTableResponse" => DeleteTableResponse,
    "DescribeSearchIndexRequest" => DescribeSearchIndexRequest,
    "DescribeSearchIndexResponse" => DescribeSearchIndexResponse,
    "DescribeTableRequest" => DescribeTableRequest,
    "DescribeTableResponse" => DescribeTableResponse,
    "DropIndexRequest" => DropIndexRequest,
    "Error" => Error,
    "GetRangeRequest" => GetRangeRequest,
    "GetRangeResponse" => GetRangeResponse,
    "GetRowRequest" => GetRowRequest,
    "GetRowResponse" => GetRowResponse,
    "ListSearchIndexRequest" => ListSearchIndexRequest,
    "ListSearchIndexResponse" => ListSearchIndexResponse,
    "ListTableRequest" => ListTableRequest,
    "ListTableResponse" => ListTableResponse,
    "ParallelScanRequest" => ParallelScanRequest,
    "ParallelScanResponse" => ParallelScanResponse,
    "PutRowRequest" => PutRowRequest,
    "PutRowResponse" => PutRowResponse,
    "SQLQueryRequest" => SqlQueryRequest,
    "SQLQueryResponse" => SqlQueryResponse,
    "SearchRequest" => SearchRequest,
    "SearchResponse" => SearchResponse,
    "StartLocalTransactionRequest" => StartLocalTransactionRequest,
    "StartLocalTransactionResponse" => StartLocalTransactionResponse,
    "UpdateRowRequest" => UpdateRowRequest,
    "UpdateRowResponse" => UpdateRowResponse,
    "UpdateSearchIndexRequest" => UpdateSearchIndexRequest,
    "UpdateTableRequest" => UpdateTableRequest,
    "UpdateTableResponse" => UpdateTableResponse,
}

#[test]
fn the_generated_types_reproduce_every_body() {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for (name, tree, body) in bodies() {
        let message = text_of(&tree["message"]);
        seen.insert(message.to_owned());
        count += 1;
        let again = through_generated(message, body.clone())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if name == UNKNOWN_FIELD {
            assert_ne!(again, body, "{name}");
        } else {
            assert_eq!(hex::encode(again), hex::encode(body), "{name}");
        }
    }
    assert_eq!(count, 109 + 42);
    let unused: Vec<_> = GENERATED
        .iter()
        .filter(|message| !seen.contains(**message))
        .collect();
    assert!(unused.is_empty(), "without a case: {unused:?}");
}

#[test]
fn an_unknown_field_is_skipped_and_the_rest_is_read() {
    let (_, _, body) = bodies().find(|(name, ..)| name == UNKNOWN_FIELD).unwrap();
    let response = messages::GetRowResponse::decode(body.clone()).unwrap();
    let capacity_unit = messages::CapacityUnit {
        read: Some(1),
        write: Some(0),
    };
    let expected = messages::GetRowResponse {
        consumed: messages::ConsumedCapacity {
            capacity_unit,
            capacity_data_size: None,
        },
        row: Bytes::new(),
        next_token: None,
    };
    assert_eq!(response, expected);
    // What comes back is the body without the unknown field: number 99, the text "abc".
    let known = body.strip_suffix(b"\x9a\x06\x03abc").unwrap();
    assert_eq!(response.encode_to_vec(), known);
}

#[test]
fn the_proto_files_describe_every_body() {
    let protocol = Protocol::compile();
    let mut check = Check {
        protocol: &protocol,
        kinds: BTreeMap::new(),
        queries: BTreeMap::new(),
    };
    for (name, tree, body) in bodies() {
        let unknown = if name == UNKNOWN_FIELD {
            &[99][..]
        } else {
            &[]
        };
        check.message(
            &name,
            text_of(&tree["message"]),
            &tree["fields"],
            body,
            unknown,
        );
    }
    // How much was looked at: a walk that silently skips a kind proves nothing about it.
    let expected = [
        ("bool", 140),
        ("bytes", 17),
        ("bytes_of", 223),
        ("double", 48),
        ("enum", 334),
        ("float", 22),
        ("int32", 169),
        ("int64", 79),
        ("matrix", 2),
        ("message", 509),
        ("plainbuffer", 73),
        ("string", 525),
        ("variant", 79),
    ];
    assert_eq!(check.kinds.into_iter().collect::<Vec<_>>(), expected);
    // Every kind of query occurs.
    assert_eq!(check.queries.len(), 20, "{:?}", check.queries);
}

/// Our `.proto` files, compiled.
struct Protocol {
    pool: DescriptorPool,
    /// What the comment above each enum value says, by the value's full name.
    enum_comments: BTreeMap<String, String>,
}

impl Protocol {
    fn compile() -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
        let mut compiler = protox::Compiler::new([&directory]).unwrap();
        compiler
            .include_imports(true)
            .include_source_info(true)
            .open_file("ots_service.proto")
            .unwrap();
        // Filters travel inside `bytes` fields, so that no other file has to import theirs.
        compiler.open_file("filter.proto").unwrap();
        compiler.open_file("search_index.proto").unwrap();
        let descriptors = compiler.encode_file_descriptor_set();
        let pool = DescriptorPool::decode(descriptors.as_slice()).unwrap();
        let enum_comments = enum_comments(&pool);
        Self {
            pool,
            enum_comments,
        }
    }

    fn message(&self, name: &str) -> MessageDescriptor {
        let found = self.pool.get_message_by_name(&format!("ots.{name}"));
        found.unwrap_or_else(|| panic!("proto/ has no message {name}"))
    }

    /// Our enum values bear the enum's name; the service's name is what is left without it, or
    /// stands in the comment.
    fn names_of(&self, value: &EnumValueDescriptor) -> Vec<String> {
        let prefix = format!("{}_", screaming_snake(value.parent_enum()));
        let name = value.name();
        let bare = name
            .strip_prefix(&prefix)
            .unwrap_or_else(|| panic!("{name} doesn't begin with {prefix}"));
        let mut names = vec![name.to_owned(), bare.to_owned()];
        let comment = self.enum_comments.get(value.full_name());
        let quoted = comment.and_then(|text| text.split('`').nth(1));
        names.extend(quoted.map(str::to_owned));
        names
    }
}

fn enum_comments(pool: &DescriptorPool) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    for file in pool.files() {
        let info = file.file_descriptor_proto().source_code_info.clone();
        for location in info.unwrap().location {
            // Enum number e of the file (field 5), value number v of the enum (field 2).
            if let [5, e, 2, v] = *location.path.as_slice() {
                let enums: Vec<_> = file.enums().collect();
                let values: Vec<_> = enums[usize::try_from(e).unwrap()].values().collect();
                let value = &values[usize::try_from(v).unwrap()];
                comments.insert(
                    value.full_name().to_owned(),
                    location.leading_comments().to_owned(),
                );
            }
        }
    }
    comments
}

/// `SSEKeyType` is `SSE_KEY_TYPE`: a capital begins a word if a small letter stands next to it.
fn screaming_snake(descriptor: &EnumDescriptor) -> String {
    let name: Vec<char> = descriptor.name().chars().collect();
    let mut text = String::new();
    for (index, letter) in name.iter().enumerate() {
        let small = |index: Option<usize>| {
            index
                .and_then(|index| name.get(index))
                .is_some_and(|letter| letter.is_lowercase())
        };
        let begins =
            letter.is_uppercase() && (small(index.checked_sub(1)) || small(Some(index + 1)));
        if index > 0 && begins {
            text.push('_');
        }
        text.extend(letter.to_uppercase());
    }
    text
}

/// A field that some SDKs declare as `bytes` holding a message, and others, like us, as the message
/// itself. On the wire it is the same.
const DECLARED_EITHER_WAY: &[&str] = &["ots.ParallelScanRequest.scan_query"];

/// Fields whose names the SDKs don't agree on; the vectors have those of the SDK that made them.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("ots.FieldSchema.sort_and_agg", "enable_sort_and_agg"),
    ("ots.GroupByHistogram.missing", "missing_value"),
    ("ots.Range.from", "begin"),
    ("ots.Range.to", "end"),
];

struct Check<'a> {
    protocol: &'a Protocol,
    kinds: BTreeMap<&'static str, usize>,
    queries: BTreeMap<&'static str, usize>,
}

impl Check<'_> {
    /// A serialized message, which must hold these fields and, apart from `unknown`, no others.
    fn message(&mut self, path: &str, name: &str, fields: &Value, body: Bytes, unknown: &[u32]) {
        let descriptor = self.protocol.message(name);
        let message = DynamicMessage::decode(descriptor, body.clone())
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        if name == "Query" {
            self.query(path, body.clone());
        }
        self.fields(path, &message, fields, unknown);
        assert_eq!(
            hex::encode(message.encode_to_vec()),
            hex::encode(body),
            "{path}"
        );
    }

    fn fields(&mut self, path: &str, message: &DynamicMessage, fields: &Value, unknown: &[u32]) {
        let mut expected: BTreeMap<u32, Vec<&Value>> = BTreeMap::new();
        for field in list_of(fields) {
            only_keys(field, &["field", "name", "value"]);
            let number = u32::try_from(field["field"].as_u64().unwrap()).unwrap();
            expected.entry(number).or_default().push(field);
        }
        let present: Vec<u32> = message.fields().map(|(field, _)| field.number()).collect();
        let unread: Vec<u32> = message
            .unknown_fields()
            .map(|field| field.number())
            .collect();
        assert_eq!(unread, unknown, "{path}: fields that proto/ doesn't know");
        for (number, expected) in &expected {
            let field = message.descriptor().get_field(*number).unwrap_or_else(|| {
                panic!(
                    "{path}: {} has no field {number}",
                    message.descriptor().name()
                )
            });
            let path = format!("{path}.{}", field.name());
            assert!(present.contains(number), "{path} is absent");
            let values = match message.get_field(&field).into_owned() {
                Field::List(values) => values,
                value => vec![value],
            };
            assert_eq!(values.len(), expected.len(), "{path}: elements");
            for (value, expected) in values.iter().zip(expected) {
                let name = text_of(&expected["name"]);
                let other_name = OTHER_NAMES.contains(&(field.full_name(), name));
                assert!(field.name() == name || other_name, "{path}, not {name}");
                self.value(&path, &field, value, &expected["value"]);
            }
        }
        let described: Vec<u32> = expected.into_keys().collect();
        let mut present = present;
        present.sort_unstable();
        assert_eq!(present, described, "{path}: fields present, and described");
    }

    fn value(&mut self, path: &str, field: &FieldDescriptor, value: &Field, expected: &Value) {
        const KINDS: &[(&str, &[&str])] = &[
            ("message", &["message", "fields"]),
            ("bytes_of", &["bytes_of", "fields"]),
            ("plainbuffer", &["plainbuffer"]),
            ("matrix", &["matrix"]),
            ("variant", &["variant"]),
            ("bytes", &["bytes"]),
            ("enum", &["enum", "number"]),
            ("int32", &["int32"]),
            ("int64", &["int64"]),
            ("bool", &["bool"]),
            ("string", &["string"]),
            ("double", &["double", "bits"]),
            ("float", &["float", "bits"]),
        ];
        let (kind, keys) = KINDS
            .iter()
            .find(|(kind, _)| expected.get(kind).is_some())
            .unwrap_or_else(|| panic!("{path}: a value of no known kind: {expected}"));
        only_keys(expected, keys);
        *self.kinds.entry(kind).or_insert(0) += 1;
        let expected_value = &expected[*kind];
        let wrong = || -> ! {
            panic!(
                "{path} is declared {:?}, holds {value:?}, wanted {expected}",
                field.kind()
            )
        };
        match (*kind, field.kind(), value) {
            ("message", Kind::Message(declared), Field::Message(message)) => {
                assert_eq!(declared.name(), text_of(expected_value), "{path}");
                if declared.name() == "Query" {
                    self.query(path, message.encode_to_vec().into());
                }
                self.fields(path, message, &expected["fields"], &[]);
            }
            ("bytes_of", Kind::Bytes, Field::Bytes(bytes)) => {
                let name = text_of(expected_value);
                self.message(path, name, &expected["fields"], bytes.clone(), &[]);
            }
            ("bytes_of", Kind::Message(declared), Field::Message(message))
                if DECLARED_EITHER_WAY.contains(&field.full_name()) =>
            {
                assert_eq!(declared.name(), text_of(expected_value), "{path}");
                self.fields(path, message, &expected["fields"], &[]);
            }
            ("plainbuffer", Kind::Bytes, Field::Bytes(bytes)) => {
                assert_eq!(hex::encode(bytes), text_of(expected_value), "{path}");
                check_plainbuffer(path, bytes);
            }
            ("matrix", Kind::Bytes, Field::Bytes(bytes)) => {
                assert_eq!(hex::encode(bytes), text_of(expected_value), "{path}");
                Matrix::parse(bytes)
                    .and_then(|matrix| matrix.to_rows())
                    .unwrap_or_else(|error| panic!("{path}: {error}"));
            }
            ("bytes", Kind::Bytes, Field::Bytes(bytes)) => {
                assert_eq!(hex::encode(bytes), text_of(expected_value), "{path}");
            }
            ("variant", Kind::Bytes, Field::Bytes(bytes)) => {
                check_variant(bytes, &variant_of(expected_value), path);
            }
            ("enum", Kind::Enum(declared), Field::EnumNumber(number)) => {
                let found = declared
                    .get_value(*number)
                    .unwrap_or_else(|| panic!("{path}: {} has no {number}", declared.name()));
                assert_eq!(
                    i64::from(*number),
                    expected["number"].as_i64().unwrap(),
                    "{path}"
                );
                let (names, wanted) = (self.protocol.names_of(&found), text_of(expected_value));
                assert!(
                    names.iter().any(|name| name == wanted),
                    "{path}: {names:?}, not {wanted}"
                );
            }
            ("int32", Kind::Int32, Field::I32(number)) => {
                assert_eq!(Some(i64::from(*number)), expected_value.as_i64(), "{path}");
            }
            ("int64", Kind::Int64 | Kind::Sint64, Field::I64(number)) => {
                assert_eq!(number.to_string(), text_of(expected_value), "{path}");
            }
            ("bool", Kind::Bool, Field::Bool(value)) => {
                assert_eq!(Some(*value), expected_value.as_bool(), "{path}");
            }
            ("string", Kind::String, Field::String(text)) => {
                assert_eq!(text, text_of(expected_value), "{path}");
            }
            ("double", Kind::Double, Field::F64(number)) => {
                assert_eq!(number.to_bits(), bits_of(expected), "{path}");
            }
            ("float", Kind::Float, Field::F32(number)) => {
                assert_eq!(u64::from(number.to_bits()), bits_of(expected), "{path}");
            }
            _ => wrong(),
        }
    }

    /// Every query is read, and written again as it was, but for flags about ends that a range doesn't
    /// have: the one thing that says nothing.
    fn query(&mut self, path: &str, body: Bytes) {
        let message = messages::Query::decode(body.clone()).unwrap();
        let query = Query::from_message(&message).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut expected = body;
        if let Query::Range(range) = &query {
            let bytes = message.query.clone().unwrap();
            let mut range_message = messages::RangeQuery::decode(bytes).unwrap();
            if range.from == Bound::Unbounded {
                range_message.include_lower = None;
            }
            if range.to == Bound::Unbounded {
                range_message.include_upper = None;
            }
            let message = messages::Query {
                query: Some(range_message.encode_to_vec().into()),
                ..message
            };
            expected = message.encode_to_vec().into();
        }
        let again = query.to_message().encode_to_vec();
        assert_eq!(hex::encode(again), hex::encode(expected), "{path}");
        let json = Query::from_json(&query.to_json());
        assert_eq!(json.unwrap(), query, "{path}: through JSON");
        *self.queries.entry(query.kind()).or_insert(0) += 1;
    }
}

/// Rows inside a message: readable, and written again as they were. An empty field is no buffer but
/// stands for "no row".
fn check_plainbuffer(path: &str, buffer: &[u8]) {
    if buffer.is_empty() {
        return;
    }
    let mut reader = Reader::new(buffer, Accept::Changes).unwrap();
    let mut writer = Writer::new();
    while let Some(row) = reader
        .next_row()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
    {
        writer.row_ref(row);
    }
    assert_eq!(hex::encode(writer.finish()), hex::encode(buffer), "{path}");
}
