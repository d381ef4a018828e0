//! Requests as values: what to ask, with names and types instead of messages and bytes.
//!
//! ```no_run
//! # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
//! use ots_core::request::{GetRow, PutRow};
//! use ots_core::{PrimaryKey, Row};
//!
//! let key = PrimaryKey::new().column("id", 7);
//! client.send(PutRow::new("cities", Row::new(key.clone()).cell("name", "Hangzhou"))).await?;
//! let reply = client.send(GetRow::new("cities", key)).await?;
//! assert!(reply.row.is_some());
//! println!("request {} took {} attempts", reply.request_id, reply.attempts);
//! # Ok(())
//! # }
//! ```

pub(crate) mod batch;
mod bulk;
mod columns;
mod create_table;
mod describe_table;
mod get_row;
mod number;
mod range;
mod read_options;
mod scan;
mod search;
mod search_index;
mod secondary_index;
mod split_points;
mod sql;
mod table;
mod table_options;
mod transaction;
mod write_row;

use ots_proto::messages;
use ots_proto::operation::Operation;

pub use batch::{BatchGetRow, BatchRequest, BatchWriteRow, RowResult, TableRead, TableWrites};
pub use bulk::{BulkExport, BulkExportReply, BulkImport};
pub use columns::{Columns, ScanColumns};
pub use create_table::CreateTable;
pub use describe_table::{DescribeTable, StreamDescription, TableDescription, Throughput};
pub use get_row::{GetRow, GetRowReply};
pub use ots_proto::filter::{Condition, RowExistence};
pub use ots_proto::messages::{DefinedColumnType, PrimaryKeyType, TableStatus};
pub use ots_proto::search::TimeToLive;
pub use range::{Direction, GetRange, GetRangeReply};
pub use scan::{ComputeSplits, ComputeSplitsReply, ParallelScan, ParallelScanReply};
pub use search::{Search, SearchReply};
pub use search_index::{
    CreateSearchIndex, DeleteSearchIndex, DescribeSearchIndex, ListSearchIndex, SearchIndexName,
    UpdateSearchIndex,
};
pub use secondary_index::{
    AddDefinedColumn, CreateIndex, DeleteDefinedColumn, DropIndex, SecondaryIndex,
    SecondaryIndexDescription,
};
pub use split_points::{ComputeSplitPointsBySize, SplitPointsReply, SplitRange};
pub use sql::{SqlQuery, SqlReply};
pub use table::{DeleteTable, ListTable, UpdateTable, UpdateTableReply};
pub use table_options::{Encryption, ReservedThroughput, Stream, TableOptions};
pub use transaction::{AbortTransaction, CommitTransaction, StartLocalTransaction};
pub(crate) use write_row::frame_of;
pub use write_row::{DeleteRow, PutRow, ReturnContent, RowWrite, UpdateRow, WriteReply};

use crate::call::{Call, Reply};
use crate::error::Error;

/// A request as a value, tied to the operation that performs it.
pub trait Request: Send {
    /// The operation.
    type Operation: Operation;
    /// What the answer means.
    type Output: Send;

    /// The table it is about, if it is one: for the messages of errors.
    fn table(&self) -> Option<&str> {
        None
    }

    /// The message to send.
    ///
    /// # Errors
    /// When the request is wrong in a way that needs no service to tell; nothing is sent then.
    fn into_message(self) -> Result<<Self::Operation as Operation>::Request, Error>;

    /// What the answer means.
    ///
    /// # Errors
    /// When the answer can't be understood.
    fn read(reply: Reply<<Self::Operation as Operation>::Response>) -> Result<Self::Output, Error>;

    /// What reads the answer to this very request: [`read`](Self::read), and any check that needs to
    /// know what was asked. The results of a batch are told apart by their place alone, so there must
    /// be as many as rows were asked for.
    fn reader(
        &self,
    ) -> impl FnOnce(Reply<<Self::Operation as Operation>::Response>) -> Result<Self::Output, Error>
    + Send
    + use<Self> {
        Self::read
    }
}

/// Performs a typed request over anything that performs its operation.
///
/// The reply is what the answer means, with the id of the request and the number of attempts.
///
/// # Errors
/// When the request is wrong, the call fails, or the answer can't be understood.
pub async fn send<R, C>(call: &C, request: R) -> Result<Reply<R::Output>, Error>
where
    R: Request,
    C: Call<R::Operation> + ?Sized,
{
    let table = request.table().map(str::to_owned);
    let read = request.reader();
    let outcome = async {
        let reply = call.call(request.into_message()?).await?;
        let about = reply.circumstances();
        match read(reply) {
            Ok(output) => Ok(about.map(|()| output)),
            Err(error) => {
                let error = error.with_call(R::Operation::NAME, about.attempts, about.elapsed);
                Err(error.with_request_id(about.request_id))
            }
        }
    };
    outcome.await.map_err(|error| error.with_table(table))
}

/// Capacity units that a request consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Consumed {
    /// Read capacity units.
    pub read: u64,
    /// Write capacity units.
    pub write: u64,
}

impl Consumed {
    pub(crate) fn from_message(consumed: Option<&messages::ConsumedCapacity>) -> Self {
        let units = consumed.map(|consumed| consumed.capacity_unit);
        let count = |units: Option<i32>| units.and_then(|units| units.try_into().ok()).unwrap_or(0);
        Self {
            read: count(units.and_then(|units| units.read)),
            write: count(units.and_then(|units| units.write)),
        }
    }
}

impl From<messages::ConsumedCapacity> for Consumed {
    fn from(consumed: messages::ConsumedCapacity) -> Self {
        Self::from_message(Some(&consumed))
    }
}

impl std::ops::AddAssign for Consumed {
    fn add_assign(&mut self, other: Self) {
        self.read = self.read.saturating_add(other.read);
        self.write = self.write.saturating_add(other.write);
    }
}
