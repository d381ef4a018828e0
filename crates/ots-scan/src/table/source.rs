//! Where pages of a table come from: GetRange, or BulkExport.

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use ots_core::limiter::Outcome;
use ots_core::request::{GetRange, GetRangeReply, Request as _};
use ots_core::{Call, Error, Reply};
use ots_proto::messages::{
    BulkExportRequest, BulkExportResponse, DataBlockType, GetRangeRequest, GetRangeResponse,
};
use ots_proto::operation;

/// Which operation reads the pages of a table.
///
/// The rows are to be the same by either; what differs is what they cost and who has them. BulkExport is
/// charged by the byte, not in capacity units. Of the official SDKs one has it, some instances refuse
/// it, and nothing published says what it does with a row that is wider than an answer. So a scan reads
/// by GetRange unless it is told otherwise. Who can read [blocks](crate::TableScan::decode_blocks) is
/// given its matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadBy {
    /// By GetRange, which every instance has.
    #[default]
    GetRange,
    /// By BulkExport. A scan that asks for what it doesn't have, [versions](crate::TableScanBuilder::max_versions)
    /// or a [limit](crate::TableScanBuilder::limit), is refused before the first request. Where columns
    /// are named, one of the key should be: see [`Auto`](Self::Auto).
    BulkExport,
    /// By BulkExport where the scan and the service allow it, else by GetRange.
    ///
    /// A scan that asks for what BulkExport doesn't have reads by GetRange from the beginning: so does
    /// one of named columns without one of the key, as it isn't known whether BulkExport leaves out rows
    /// with none of them. A service that refuses BulkExport is asked by GetRange for the same page and
    /// for the rest of the scan. Each range that is being read then has cost one request in vain, and no
    /// page has.
    Auto,
}

/// The name of the operation, or of both.
impl fmt::Display for ReadBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GetRange => "GetRange",
            Self::BulkExport => "BulkExport",
            Self::Auto => "BulkExport, or by GetRange where that is refused",
        })
    }
}

/// Makes the calls, without saying whose they are: it lets a scan be a plain type.
pub(super) trait Fetch: Send + Sync {
    fn fetch(&self, request: GetRangeRequest) -> BoxFuture<'_, Answer>;
}

/// An answer, and what it took to get it.
pub(super) struct Answer {
    pub(super) reply: Result<Arrived, Error>,
    pub(super) outcome: Outcome,
    pub(super) attempts: u32,
    pub(super) throttled: u32,
}

/// An answer that came, whatever is in it.
pub(super) struct Arrived {
    /// An error when it can't be understood.
    pub(super) reply: Result<GetRangeReply, Error>,
    /// Whether its rows are a matrix.
    pub(super) is_matrix: bool,
    /// Its size.
    pub(super) bytes: usize,
    /// What it was charged for by the byte.
    pub(super) charged_bytes: u64,
}

impl Answer {
    fn new<M>(answer: Result<Reply<M>, Error>, arrived: impl FnOnce(Reply<M>) -> Arrived) -> Self {
        let outcome = Outcome::of(&answer);
        let (attempts, throttled) = match &answer {
            Ok(reply) => (reply.attempts, reply.throttled),
            // It was sent, though a stand-in for the service need not say how often.
            Err(error) => (error.attempts().max(1), error.throttled()),
        };
        Self {
            reply: answer.map(arrived),
            outcome,
            attempts,
            throttled,
        }
    }

    /// Whether the service said no: to the operation, as far as the request tells.
    pub(super) fn is_refused(&self) -> bool {
        let error = self.reply.as_ref().err();
        error.is_some_and(|error| error.code().is_some() && !error.is_retryable())
    }
}

pub(super) struct ByGetRange<C>(pub(super) Arc<C>);

impl<C: Call<operation::GetRange>> Fetch for ByGetRange<C> {
    fn fetch(&self, mut request: GetRangeRequest) -> BoxFuture<'_, Answer> {
        // Whether it could go on inside a row that comes as a matrix is nowhere said.
        request.data_block_type_hint = None;
        Box::pin(async move {
            let answer = self.0.call(request).await;
            Answer::new(answer, |reply| Arrived {
                bytes: size(reply.body_bytes, reply.response.rows.len()),
                charged_bytes: 0,
                is_matrix: false,
                reply: GetRange::read(reply),
            })
        })
    }
}

pub(super) struct ByBulkExport<C>(pub(super) Arc<C>);

impl<C: Call<operation::BulkExport>> Fetch for ByBulkExport<C> {
    fn fetch(&self, request: GetRangeRequest) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let request = to_bulk_export(request);
            let may_be_matrix = request.data_block_type_hint() == DataBlockType::SimpleRowMatrix;
            let answer = self.0.call(request).await;
            Answer::new(answer, |reply| {
                // The service says which form it chose, whatever it was asked for.
                let form = reply.response.data_block_type.unwrap_or_default();
                let is_empty = reply.response.rows.is_empty();
                let is_matrix = form == i32::from(DataBlockType::SimpleRowMatrix) && !is_empty;
                let is_rows = form == i32::from(DataBlockType::PlainBuffer) || is_empty;
                let charged = reply.response.consumed.capacity_data_size;
                let charged = charged.and_then(|size| size.read_size?.try_into().ok());
                Arrived {
                    bytes: size(reply.body_bytes, reply.response.rows.len()),
                    charged_bytes: charged.unwrap_or(0),
                    is_matrix,
                    reply: if is_rows || (is_matrix && may_be_matrix) {
                        read_bulk_export(reply)
                    } else {
                        let problem =
                            "BulkExport answered with a block of another form than asked for";
                        Err(Error::body(problem))
                    },
                }
            })
        })
    }
}

/// The same rows, asked for the other way. What has no place there was looked at before.
fn to_bulk_export(request: GetRangeRequest) -> BulkExportRequest {
    BulkExportRequest {
        table_name: request.table_name,
        columns_to_get: request.columns_to_get,
        inclusive_start_primary_key: request.inclusive_start_primary_key,
        exclusive_end_primary_key: request.exclusive_end_primary_key,
        filter: request.filter,
        // Without a hint a matrix would come, other than from GetRange.
        data_block_type_hint: Some(request.data_block_type_hint.unwrap_or_default()),
    }
}

/// Whatever its rows are.
fn read_bulk_export(reply: Reply<BulkExportResponse>) -> Result<GetRangeReply, Error> {
    GetRange::read(reply.map(|response| GetRangeResponse {
        consumed: response.consumed,
        rows: response.rows,
        next_start_primary_key: response.next_start_primary_key,
        ..GetRangeResponse::default()
    }))
}

/// Of an answer in bytes; of a stand-in for the service, that of its rows.
const fn size(body_bytes: usize, rows_bytes: usize) -> usize {
    match body_bytes {
        0 => rows_bytes,
        bytes => bytes,
    }
}
