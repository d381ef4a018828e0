//! A client of a few lines: it signs requests, checks responses, and makes tables and rows.
#![allow(dead_code, reason = "each test file uses another part")]

pub(crate) mod server;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, Response};
use md5::{Digest, Md5};
use ots_emulator::{Emulator, EmulatorBuilder, ManualClock};
use ots_proto::messages::{
    self, CapacityUnit, ColumnPaginationFilter, ComparatorType, CompositeColumnValueFilter,
    Condition, ConsumedCapacity, CreateTableRequest, Direction, FilterType, GetRangeRequest,
    GetRowRequest, LogicalOperator, PrimaryKeySchema, PrimaryKeyType, ReservedThroughput,
    ReturnContent, ReturnType, RowExistenceExpectation, SingleColumnValueFilter, TableMeta,
    TableOptions,
};
use ots_proto::operation::{self, Operation};
use ots_proto::plainbuffer::{
    Accept, Reader, VariantRef, read_primary_key, write_change, write_primary_key,
};
use ots_proto::{
    Cell, ColumnValue, NameCache, PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate,
};
use prost::Message;
use sha1::Sha1;

/// Where the manual clock starts: 2023-11-14, so that versions look like versions.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) struct Client {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Arc<ManualClock>,
}

/// What a refusal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::with(Emulator::builder())
    }

    /// A client of an emulator on a data directory.
    pub(crate) fn open(directory: &Path) -> Self {
        let clock = Arc::new(ManualClock::at_ms(NOW_MS));
        let builder = Emulator::builder().clock(Arc::clone(&clock));
        let emulator = builder.open(directory).unwrap();
        Self { emulator, clock }
    }

    pub(crate) fn with(builder: EmulatorBuilder) -> Self {
        let clock = Arc::new(ManualClock::at_ms(NOW_MS));
        Self {
            emulator: builder.clock(Arc::clone(&clock)).build(),
            clock,
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Performs an operation; every response is checked as a client would.
    pub(crate) fn call<O: Operation>(&self, request: &O::Request) -> Result<O::Response, Refusal> {
        let request = signed(&self.emulator, O::NAME, request.encode_to_vec().into());
        let response = self.emulator.handle(request);
        check_response(O::NAME, &response);
        if response.status() == 200 {
            return Ok(O::Response::decode(response.into_body()).unwrap());
        }
        Err(refusal(&response))
    }

    /// A table with these key columns, one version, no expiry.
    pub(crate) fn create(&self, table: &str, key: &[(&str, PrimaryKeyType)]) {
        self.create_with(
            table,
            key,
            TableOptions {
                time_to_live: Some(-1),
                max_versions: Some(1),
                ..TableOptions::default()
            },
        );
    }

    pub(crate) fn create_with(
        &self,
        table: &str,
        key: &[(&str, PrimaryKeyType)],
        options: TableOptions,
    ) {
        let request = create_request(table, key, options);
        self.call::<operation::CreateTable>(&request).unwrap();
    }

    pub(crate) fn put(&self, table: &str, row: Row) -> Result<messages::PutRowResponse, Refusal> {
        self.call::<operation::PutRow>(&put_request(table, row))
    }

    pub(crate) fn update(
        &self,
        table: &str,
        update: RowUpdate,
    ) -> Result<messages::UpdateRowResponse, Refusal> {
        self.call::<operation::UpdateRow>(&update_request(table, update))
    }

    pub(crate) fn delete(
        &self,
        table: &str,
        key: PrimaryKey,
    ) -> Result<messages::DeleteRowResponse, Refusal> {
        self.call::<operation::DeleteRow>(&delete_request(table, key))
    }

    /// The row as GetRow gives it, with all its versions.
    pub(crate) fn get(&self, table: &str, key: &PrimaryKey) -> Option<Row> {
        let request = GetRowRequest {
            max_versions: Some(i32::MAX),
            ..get_request(table, key)
        };
        only_row(&self.call::<operation::GetRow>(&request).unwrap().row)
    }
}

/// A request signed with the built-in key.
pub(crate) fn signed(emulator: &Emulator, name: &str, body: Bytes) -> Request<Bytes> {
    let headers = headers(emulator, "test-instance", Emulator::ACCESS_KEY_ID, &body);
    sign(name, headers, Emulator::ACCESS_KEY_SECRET, body)
}

/// The headers of a request but for its signature.
pub(crate) fn headers(emulator: &Emulator, instance: &str, id: &str, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut insert = |name, value: &str| {
        headers.insert(name, value.parse().unwrap());
    };
    insert("x-ots-date", &date(emulator));
    insert("x-ots-apiversion", "2015-12-31");
    insert("x-ots-accesskeyid", id);
    insert("x-ots-instancename", instance);
    insert("x-ots-contentmd5", &STANDARD.encode(Md5::digest(body)));
    headers
}

/// Adds the signature of version 2.
pub(crate) fn sign(
    name: &str,
    mut headers: HeaderMap,
    secret: &str,
    body: Bytes,
) -> Request<Bytes> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.to_str().unwrap()))
        .collect();
    lines.sort();
    let string = format!("/{name}\nPOST\n\n{}", lines.concat());
    headers.insert("x-ots-signature", hmac(secret, &string).parse().unwrap());
    let mut request = Request::post(format!("/{name}")).body(body).unwrap();
    *request.headers_mut() = headers;
    request
}

fn hmac(secret: &str, string: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    STANDARD.encode(mac.chain_update(string).finalize().into_bytes())
}

/// The emulator's own date: any refusal carries it.
pub(crate) fn date(emulator: &Emulator) -> String {
    let response = emulator.handle(Request::get("/").body(Bytes::new()).unwrap());
    response.headers()["x-ots-date"]
        .to_str()
        .unwrap()
        .to_owned()
}

/// Holds a response against what the official SDKs check.
pub(crate) fn check_response(name: &str, response: &Response<Bytes>) {
    let headers = response.headers();
    let text = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(text("x-ots-contenttype"), "protocol buffer");
    let md5 = STANDARD.encode(Md5::digest(response.body()));
    assert_eq!(text("x-ots-contentmd5"), md5);
    assert_eq!(text("x-ots-requestid").len(), 36);
    assert_eq!(
        text("x-ots-date").len(),
        "2020-09-09T08:37:11.680616Z".len()
    );

    assert_eq!(text("authorization"), authorization(name, headers));
}

/// What the `authorization` header of a response with these headers must be.
pub(crate) fn authorization(name: &str, headers: &HeaderMap) -> String {
    let mut lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ots-"))
        .map(|(name, value)| format!("{name}:{}\n", value.to_str().unwrap()))
        .collect();
    lines.sort();
    let string = format!("{}/{name}", lines.concat());
    let signature = hmac(Emulator::ACCESS_KEY_SECRET, &string);
    format!("OTS {}:{signature}", Emulator::ACCESS_KEY_ID)
}

pub(crate) fn refusal(response: &Response<Bytes>) -> Refusal {
    let error = messages::Error::decode(response.body().clone()).unwrap();
    Refusal {
        status: response.status().as_u16(),
        code: error.code,
        message: error.message.unwrap(),
    }
}

/// 400 `OTSParameterInvalid` with this text.
pub(crate) fn parameter(message: &str) -> Refusal {
    Refusal {
        status: 400,
        code: "OTSParameterInvalid".to_owned(),
        message: message.to_owned(),
    }
}

/// 400 `OTSInvalidPK` with this text.
pub(crate) fn invalid_pk(message: &str) -> Refusal {
    Refusal {
        status: 400,
        code: "OTSInvalidPK".to_owned(),
        message: message.to_owned(),
    }
}

pub(crate) fn no_table() -> Refusal {
    Refusal {
        status: 404,
        code: "OTSObjectNotExist".to_owned(),
        message: "Requested table does not exist.".to_owned(),
    }
}

pub(crate) fn condition_failed() -> Refusal {
    Refusal {
        status: 403,
        code: "OTSConditionCheckFail".to_owned(),
        message: "Condition check failed.".to_owned(),
    }
}

/// The refusal of one row of a batch; its status is not on the wire.
pub(crate) fn row_refusal(error: Option<&messages::Error>) -> (&str, &str) {
    let error = error.unwrap();
    (&error.code, error.message.as_deref().unwrap())
}

pub(crate) fn options(max_versions: i32) -> TableOptions {
    TableOptions {
        time_to_live: Some(-1),
        max_versions: Some(max_versions),
        deviation_cell_version_in_sec: Some(i64::MAX / 1_000_000),
        ..TableOptions::default()
    }
}

pub(crate) fn create_request(
    table: &str,
    key: &[(&str, PrimaryKeyType)],
    options: TableOptions,
) -> CreateTableRequest {
    let primary_key = key
        .iter()
        .map(|(name, r#type)| PrimaryKeySchema {
            name: (*name).to_owned(),
            r#type: *r#type as i32,
            option: None,
        })
        .collect();
    CreateTableRequest {
        table_meta: TableMeta {
            table_name: table.to_owned(),
            primary_key,
            ..TableMeta::default()
        },
        reserved_throughput: ReservedThroughput {
            capacity_unit: CapacityUnit {
                read: Some(0),
                write: Some(0),
            },
        },
        table_options: Some(options),
        ..CreateTableRequest::default()
    }
}

pub(crate) fn ignore() -> Condition {
    expect(RowExistenceExpectation::Ignore)
}

pub(crate) fn expect(existence: RowExistenceExpectation) -> Condition {
    Condition {
        row_existence: existence as i32,
        column_condition: None,
    }
}

pub(crate) fn returns(return_type: ReturnType, columns: &[&str]) -> Option<ReturnContent> {
    Some(ReturnContent {
        return_type: Some(return_type as i32),
        return_column_names: columns.iter().map(|&name| name.to_owned()).collect(),
    })
}

pub(crate) fn put_request(table: &str, row: Row) -> messages::PutRowRequest {
    messages::PutRowRequest {
        table_name: table.to_owned(),
        row: write_change(&RowChange::Put(row)),
        condition: ignore(),
        ..messages::PutRowRequest::default()
    }
}

pub(crate) fn update_request(table: &str, update: RowUpdate) -> messages::UpdateRowRequest {
    messages::UpdateRowRequest {
        table_name: table.to_owned(),
        row_change: write_change(&RowChange::Update(update)),
        condition: ignore(),
        ..messages::UpdateRowRequest::default()
    }
}

pub(crate) fn delete_request(table: &str, key: PrimaryKey) -> messages::DeleteRowRequest {
    messages::DeleteRowRequest {
        table_name: table.to_owned(),
        primary_key: write_change(&RowChange::Delete(key)),
        condition: ignore(),
        ..messages::DeleteRowRequest::default()
    }
}

pub(crate) fn get_request(table: &str, key: &PrimaryKey) -> GetRowRequest {
    GetRowRequest {
        table_name: table.to_owned(),
        primary_key: write_primary_key(key),
        max_versions: Some(1),
        ..GetRowRequest::default()
    }
}

pub(crate) fn range_request(table: &str, start: &PrimaryKey, end: &PrimaryKey) -> GetRangeRequest {
    let direction = if start < end {
        Direction::Forward
    } else {
        Direction::Backward
    };
    GetRangeRequest {
        table_name: table.to_owned(),
        direction: direction as i32,
        max_versions: Some(1),
        inclusive_start_primary_key: write_primary_key(start),
        exclusive_end_primary_key: write_primary_key(end),
        ..GetRangeRequest::default()
    }
}

/// The rows of a buffer; an empty one has none.
pub(crate) fn rows(buffer: &[u8]) -> Vec<Row> {
    if buffer.is_empty() {
        return Vec::new();
    }
    let mut reader = Reader::new(buffer, Accept::PartialRows).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        rows.push(row.to_row(&mut NameCache::default()));
    }
    rows
}

pub(crate) fn only_row(buffer: &[u8]) -> Option<Row> {
    let mut rows = rows(buffer);
    assert!(rows.len() <= 1, "{rows:?}");
    rows.pop()
}

pub(crate) fn next_key(response: &messages::GetRangeResponse) -> Option<PrimaryKey> {
    let key = response.next_start_primary_key.as_ref()?;
    Some(read_primary_key(key).unwrap())
}

pub(crate) fn units(consumed: &ConsumedCapacity) -> (i32, i32) {
    let units = &consumed.capacity_unit;
    (units.read.unwrap(), units.write.unwrap())
}

/// The cells of a row as (name, value).
pub(crate) fn values(row: &Row) -> Vec<(&str, ColumnValue)> {
    row.cells
        .iter()
        .map(|cell| (cell.name.as_str(), cell.value.clone()))
        .collect()
}

/// The names of a row's cells.
pub(crate) fn names(row: &Row) -> Vec<&str> {
    row.cells.iter().map(|cell| cell.name.as_str()).collect()
}

pub(crate) fn id(value: impl Into<PrimaryKeyValue>) -> PrimaryKey {
    PrimaryKey::new().column("id", value)
}

pub(crate) fn at(name: &str, value: impl Into<ColumnValue>, timestamp_ms: i64) -> Cell {
    Cell::new(name, value).at(timestamp_ms)
}

pub(crate) fn column_filter(
    name: &str,
    comparator: ComparatorType,
    value: impl Into<ColumnValue>,
) -> SingleColumnValueFilter {
    SingleColumnValueFilter {
        comparator: comparator as i32,
        column_name: name.to_owned(),
        column_value: VariantRef::from(value.into().as_ref()).encode(),
        filter_if_missing: true,
        latest_version_only: true,
        value_trans_rule: None,
    }
}

pub(crate) fn single(filter: &SingleColumnValueFilter) -> messages::Filter {
    messages::Filter {
        r#type: FilterType::SingleColumnValue as i32,
        filter: filter.encode_to_vec().into(),
    }
}

pub(crate) fn composite(
    operator: LogicalOperator,
    filters: Vec<messages::Filter>,
) -> messages::Filter {
    let composite = CompositeColumnValueFilter {
        combinator: operator as i32,
        sub_filters: filters,
    };
    messages::Filter {
        r#type: FilterType::CompositeColumnValue as i32,
        filter: composite.encode_to_vec().into(),
    }
}

pub(crate) fn pagination(offset: i32, limit: i32) -> messages::Filter {
    messages::Filter {
        r#type: FilterType::ColumnPagination as i32,
        filter: ColumnPaginationFilter { offset, limit }
            .encode_to_vec()
            .into(),
    }
}

/// A filter as requests carry it.
pub(crate) fn bytes(filter: &messages::Filter) -> Option<Bytes> {
    Some(filter.encode_to_vec().into())
}
