// Written by `cargo xtask codegen` from proto/. Do not edit.

use bytes::Bytes;
use super::messages;
use crate::bounded::{self, MessageError};
use crate::operation::{Idempotency, Operation};
/// The operation `CreateTable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CreateTable;
impl Operation for CreateTable {
    const NAME: &'static str = "CreateTable";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::CreateTableRequest;
    type Response = messages::CreateTableResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_meta.table_name)
    }
}
/// The operation `ListTable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ListTable;
impl Operation for ListTable {
    const NAME: &'static str = "ListTable";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::ListTableRequest;
    type Response = messages::ListTableResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
}
/// The operation `DescribeTable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeTable;
impl Operation for DescribeTable {
    const NAME: &'static str = "DescribeTable";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::DescribeTableRequest;
    type Response = messages::DescribeTableResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `UpdateTable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UpdateTable;
impl Operation for UpdateTable {
    const NAME: &'static str = "UpdateTable";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::UpdateTableRequest;
    type Response = messages::UpdateTableResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `DeleteTable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeleteTable;
impl Operation for DeleteTable {
    const NAME: &'static str = "DeleteTable";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::DeleteTableRequest;
    type Response = messages::DeleteTableResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `AddDefinedColumn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddDefinedColumn;
impl Operation for AddDefinedColumn {
    const NAME: &'static str = "AddDefinedColumn";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::AddDefinedColumnRequest;
    type Response = messages::AddDefinedColumnResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `DeleteDefinedColumn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeleteDefinedColumn;
impl Operation for DeleteDefinedColumn {
    const NAME: &'static str = "DeleteDefinedColumn";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::DeleteDefinedColumnRequest;
    type Response = messages::DeleteDefinedColumnResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `CreateIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CreateIndex;
impl Operation for CreateIndex {
    const NAME: &'static str = "CreateIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::CreateIndexRequest;
    type Response = messages::CreateIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
}
/// The operation `DropIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DropIndex;
impl Operation for DropIndex {
    const NAME: &'static str = "DropIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::DropIndexRequest;
    type Response = messages::DropIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
}
/// The operation `GetRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GetRow;
impl Operation for GetRow {
    const NAME: &'static str = "GetRow";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::GetRowRequest;
    type Response = messages::GetRowResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `PutRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PutRow;
impl Operation for PutRow {
    const NAME: &'static str = "PutRow";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::PutRowRequest;
    type Response = messages::PutRowResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `UpdateRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UpdateRow;
impl Operation for UpdateRow {
    const NAME: &'static str = "UpdateRow";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::UpdateRowRequest;
    type Response = messages::UpdateRowResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `DeleteRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeleteRow;
impl Operation for DeleteRow {
    const NAME: &'static str = "DeleteRow";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::DeleteRowRequest;
    type Response = messages::DeleteRowResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `BatchGetRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BatchGetRow;
impl Operation for BatchGetRow {
    const NAME: &'static str = "BatchGetRow";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::BatchGetRowRequest;
    type Response = messages::BatchGetRowResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        for part_1 in &response.tables {
            for part_2 in &part_1.rows {
                if let Some(part_3) = &part_2.consumed {
                    visit(part_3);
                }
            }
        }
    }
}
/// The operation `BatchWriteRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BatchWriteRow;
impl Operation for BatchWriteRow {
    const NAME: &'static str = "BatchWriteRow";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::BatchWriteRowRequest;
    type Response = messages::BatchWriteRowResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        for part_1 in &response.tables {
            for part_2 in &part_1.rows {
                if let Some(part_3) = &part_2.consumed {
                    visit(part_3);
                }
            }
        }
    }
}
/// The operation `GetRange`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GetRange;
impl Operation for GetRange {
    const NAME: &'static str = "GetRange";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::GetRangeRequest;
    type Response = messages::GetRangeResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `BulkImport`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BulkImport;
impl Operation for BulkImport {
    const NAME: &'static str = "BulkImport";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::BulkImportRequest;
    type Response = messages::BulkImportResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        for part_1 in &response.rows {
            if let Some(part_2) = &part_1.consumed {
                visit(part_2);
            }
        }
    }
}
/// The operation `BulkExport`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BulkExport;
impl Operation for BulkExport {
    const NAME: &'static str = "BulkExport";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::BulkExportRequest;
    type Response = messages::BulkExportResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `ComputeSplitPointsBySize`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ComputeSplitPointsBySize;
impl Operation for ComputeSplitPointsBySize {
    const NAME: &'static str = "ComputeSplitPointsBySize";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::ComputeSplitPointsBySizeRequest;
    type Response = messages::ComputeSplitPointsBySizeResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        let part_1 = &response.consumed;
        visit(part_1);
    }
}
/// The operation `StartLocalTransaction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StartLocalTransaction;
impl Operation for StartLocalTransaction {
    const NAME: &'static str = "StartLocalTransaction";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::StartLocalTransactionRequest;
    type Response = messages::StartLocalTransactionResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `CommitTransaction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommitTransaction;
impl Operation for CommitTransaction {
    const NAME: &'static str = "CommitTransaction";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::CommitTransactionRequest;
    type Response = messages::CommitTransactionResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
}
/// The operation `AbortTransaction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AbortTransaction;
impl Operation for AbortTransaction {
    const NAME: &'static str = "AbortTransaction";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::AbortTransactionRequest;
    type Response = messages::AbortTransactionResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
}
/// The operation `CreateSearchIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CreateSearchIndex;
impl Operation for CreateSearchIndex {
    const NAME: &'static str = "CreateSearchIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::CreateSearchIndexRequest;
    type Response = messages::CreateSearchIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        Some(&request.table_name)
    }
}
/// The operation `UpdateSearchIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UpdateSearchIndex;
impl Operation for UpdateSearchIndex {
    const NAME: &'static str = "UpdateSearchIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::UpdateSearchIndexRequest;
    type Response = messages::UpdateSearchIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
}
/// The operation `DeleteSearchIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeleteSearchIndex;
impl Operation for DeleteSearchIndex {
    const NAME: &'static str = "DeleteSearchIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::DeleteSearchIndexRequest;
    type Response = messages::DeleteSearchIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
}
/// The operation `ListSearchIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ListSearchIndex;
impl Operation for ListSearchIndex {
    const NAME: &'static str = "ListSearchIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::ListSearchIndexRequest;
    type Response = messages::ListSearchIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
}
/// The operation `DescribeSearchIndex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeSearchIndex;
impl Operation for DescribeSearchIndex {
    const NAME: &'static str = "DescribeSearchIndex";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::DescribeSearchIndexRequest;
    type Response = messages::DescribeSearchIndexResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
}
/// The operation `Search`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Search;
impl Operation for Search {
    const NAME: &'static str = "Search";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::SearchRequest;
    type Response = messages::SearchResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        if let Some(part_1) = &response.consumed {
            visit(part_1);
        }
    }
}
/// The operation `ComputeSplits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ComputeSplits;
impl Operation for ComputeSplits {
    const NAME: &'static str = "ComputeSplits";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::ComputeSplitsRequest;
    type Response = messages::ComputeSplitsResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
}
/// The operation `ParallelScan`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParallelScan;
impl Operation for ParallelScan {
    const NAME: &'static str = "ParallelScan";
    const IDEMPOTENCY: Idempotency = Idempotency::NoSideEffects;
    type Request = messages::ParallelScanRequest;
    type Response = messages::ParallelScanResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn table(request: &Self::Request) -> Option<&str> {
        request.table_name.as_deref()
    }
}
/// The operation `SQLQuery`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SqlQuery;
impl Operation for SqlQuery {
    const NAME: &'static str = "SQLQuery";
    const IDEMPOTENCY: Idempotency = Idempotency::NotIdempotent;
    type Request = messages::SqlQueryRequest;
    type Response = messages::SqlQueryResponse;
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError> {
        bounded::decode(body)
    }
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError> {
        bounded::decode(body)
    }
    fn consumed(
        response: &Self::Response,
        visit: &mut dyn FnMut(&messages::ConsumedCapacity),
    ) {
        for part_1 in &response.consumes {
            if let Some(part_2) = &part_1.consumed {
                visit(part_2);
            }
        }
        for part_1 in &response.search_consumes {
            if let Some(part_2) = &part_1.consumed {
                visit(part_2);
            }
        }
    }
}
/// Name and idempotency of every operation, in the order of the service definition.
pub const ALL: &[(&str, Idempotency)] = &[
    (CreateTable::NAME, CreateTable::IDEMPOTENCY),
    (ListTable::NAME, ListTable::IDEMPOTENCY),
    (DescribeTable::NAME, DescribeTable::IDEMPOTENCY),
    (UpdateTable::NAME, UpdateTable::IDEMPOTENCY),
    (DeleteTable::NAME, DeleteTable::IDEMPOTENCY),
    (AddDefinedColumn::NAME, AddDefinedColumn::IDEMPOTENCY),
    (DeleteDefinedColumn::NAME, DeleteDefinedColumn::IDEMPOTENCY),
    (CreateIndex::NAME, CreateIndex::IDEMPOTENCY),
    (DropIndex::NAME, DropIndex::IDEMPOTENCY),
    (GetRow::NAME, GetRow::IDEMPOTENCY),
    (PutRow::NAME, PutRow::IDEMPOTENCY),
    (UpdateRow::NAME, UpdateRow::IDEMPOTENCY),
    (DeleteRow::NAME, DeleteRow::IDEMPOTENCY),
    (BatchGetRow::NAME, BatchGetRow::IDEMPOTENCY),
    (BatchWriteRow::NAME, BatchWriteRow::IDEMPOTENCY),
    (GetRange::NAME, GetRange::IDEMPOTENCY),
    (BulkImport::NAME, BulkImport::IDEMPOTENCY),
    (BulkExport::NAME, BulkExport::IDEMPOTENCY),
    (ComputeSplitPointsBySize::NAME, ComputeSplitPointsBySize::IDEMPOTENCY),
    (StartLocalTransaction::NAME, StartLocalTransaction::IDEMPOTENCY),
    (CommitTransaction::NAME, CommitTransaction::IDEMPOTENCY),
    (AbortTransaction::NAME, AbortTransaction::IDEMPOTENCY),
    (CreateSearchIndex::NAME, CreateSearchIndex::IDEMPOTENCY),
    (UpdateSearchIndex::NAME, UpdateSearchIndex::IDEMPOTENCY),
    (DeleteSearchIndex::NAME, DeleteSearchIndex::IDEMPOTENCY),
    (ListSearchIndex::NAME, ListSearchIndex::IDEMPOTENCY),
    (DescribeSearchIndex::NAME, DescribeSearchIndex::IDEMPOTENCY),
    (Search::NAME, Search::IDEMPOTENCY),
    (ComputeSplits::NAME, ComputeSplits::IDEMPOTENCY),
    (ParallelScan::NAME, ParallelScan::IDEMPOTENCY),
    (SqlQuery::NAME, SqlQuery::IDEMPOTENCY),
];
