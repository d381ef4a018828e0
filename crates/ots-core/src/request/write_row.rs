//! PutRow, UpdateRow, DeleteRow: one row at a time.

use bytes::Bytes;
use ots_proto::filter::{Condition, RowExistence};
use ots_proto::operation::Operation;
use ots_proto::plainbuffer::{Accept, write_change};
use ots_proto::{
    CellUpdate, PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate, messages, operation,
};

use super::get_row::optional_row;
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// What a write returns of the row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnContent {
    /// Nothing.
    #[default]
    None,
    /// The primary key, with the value the service picked for an auto-increment column.
    PrimaryKey,
    /// The new values of these columns, each incremented by the request.
    AfterModify(Vec<String>),
}

impl ReturnContent {
    pub(super) fn to_message(&self) -> Option<messages::ReturnContent> {
        let (return_type, return_column_names) = match self {
            Self::None => return None,
            Self::PrimaryKey => (messages::ReturnType::Pk, Vec::new()),
            Self::AfterModify(names) => (messages::ReturnType::AfterModify, names.clone()),
        };
        Some(messages::ReturnContent {
            return_type: Some(return_type.into()),
            return_column_names,
        })
    }
}

/// What a write gives back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WriteReply {
    /// The part of the row that was asked for.
    pub row: Option<Row>,
    /// What the write cost.
    pub consumed: Consumed,
}

/// A change of one row, when it may happen, and what it gives back: what a batch is made of.
///
/// ```
/// use ots_core::filter::{Condition, Filter};
/// use ots_core::request::RowWrite;
/// use ots_core::{PrimaryKey, RowChange, RowUpdate};
///
/// let close = RowUpdate::new(PrimaryKey::new().column("id", 7)).put("open", false);
/// let open = Filter::column("open").eq(true).only_if_present();
/// let if_open = Condition::expect_exist().columns(open);
/// let write = RowWrite::new(RowChange::Update(close)).condition(if_open);
/// assert!(!write.may_repeat());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RowWrite {
    pub(crate) change: RowChange,
    condition: Condition,
    return_content: ReturnContent,
}

impl RowWrite {
    /// The change in any case, giving back nothing.
    pub const fn new(change: RowChange) -> Self {
        Self {
            change,
            condition: Condition::ignore(),
            return_content: ReturnContent::None,
        }
    }

    /// When it may happen.
    pub fn condition(mut self, condition: Condition) -> Self {
        self.condition = condition;
        self
    }

    /// What to return of the row.
    pub fn return_content(mut self, content: ReturnContent) -> Self {
        self.return_content = content;
        self
    }

    /// The change.
    #[must_use]
    pub const fn change(&self) -> &RowChange {
        &self.change
    }

    /// Whether doing it twice is doing it once, as long as nobody else writes the row in between.
    ///
    /// Not with a condition, which the first time may have made false; not with an increment; not when
    /// the service picks the key; and not an update that leaves the timestamp of a value to the
    /// service, which would make a second version.
    #[must_use]
    pub fn may_repeat(&self) -> bool {
        let unconditional = self.condition.existence() == RowExistence::Ignore
            && self.condition.column_condition().is_none();
        let mut key = self.change.primary_key().columns().iter();
        let chosen = key.all(|column| column.value != PrimaryKeyValue::AutoIncrement);
        let same_twice = match &self.change {
            // All versions are replaced, all versions go: nothing is left of the first time.
            RowChange::Put(_) | RowChange::Delete(_) => true,
            RowChange::Update(update) => update.cells.iter().all(|cell| match cell {
                CellUpdate::Put(cell) => cell.timestamp_ms.is_some(),
                CellUpdate::DeleteOneVersion { .. } | CellUpdate::DeleteAllVersions { .. } => true,
                CellUpdate::Increment { .. } => false,
            }),
        };
        unconditional && chosen && same_twice
    }

    /// The message, without the bytes of the change.
    pub(crate) fn to_frame(
        &self,
        operation: &str,
        table: &str,
    ) -> Result<messages::RowInBatchWriteRowRequest, Error> {
        Ok(messages::RowInBatchWriteRowRequest {
            condition: condition_message(&self.condition, operation, table)?,
            return_content: self.return_content.to_message(),
            ..frame_of(&self.change)
        })
    }

    /// Whether [`to_frame`](Self::to_frame) says more than [`frame_of`] the change.
    pub(crate) fn has_frame(&self) -> bool {
        self.condition != Condition::ignore() || self.return_content != ReturnContent::None
    }
}

/// The message of a change that happens in any case and gives back nothing, without its bytes.
pub(crate) fn frame_of(change: &RowChange) -> messages::RowInBatchWriteRowRequest {
    let kind = match change {
        RowChange::Put(_) => messages::OperationType::Put,
        RowChange::Update(_) => messages::OperationType::Update,
        RowChange::Delete(_) => messages::OperationType::Delete,
    };
    messages::RowInBatchWriteRowRequest {
        r#type: kind.into(),
        row_change: Bytes::new(),
        condition: messages::Condition {
            row_existence: messages::RowExistenceExpectation::Ignore.into(),
            column_condition: None,
        },
        return_content: None,
    }
}

impl From<RowChange> for RowWrite {
    fn from(change: RowChange) -> Self {
        Self::new(change)
    }
}

fn condition_message(
    condition: &Condition,
    operation: &str,
    table: &str,
) -> Result<messages::Condition, Error> {
    let message = condition.to_message();
    message.map_err(|error| Error::request(format!("{operation} on table {table:?}: {error}")))
}

macro_rules! write_request {
    (
        $(#[$doc:meta])*
        $name:ident, $request:ident, $response:ident, $field:ident, $content:ty, $change:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[must_use]
        pub struct $name {
            table: String,
            write: RowWrite,
            transaction_id: Option<String>,
        }

        impl $name {
            /// The write, without a condition.
            pub fn new(table: impl Into<String>, content: $content) -> Self {
                Self {
                    table: table.into(),
                    write: RowWrite::new($change(content)),
                    transaction_id: None,
                }
            }

            /// When it may happen.
            pub fn condition(mut self, condition: Condition) -> Self {
                self.write.condition = condition;
                self
            }

            /// What to return of the row.
            pub fn return_content(mut self, content: ReturnContent) -> Self {
                self.write.return_content = content;
                self
            }

            /// Writes inside a local transaction.
            pub fn transaction(mut self, id: impl Into<String>) -> Self {
                self.transaction_id = Some(id.into());
                self
            }
        }

        impl Request for $name {
            type Operation = operation::$name;
            type Output = WriteReply;

            fn table(&self) -> Option<&str> {
                Some(&self.table)
            }

            fn into_message(self) -> Result<messages::$request, Error> {
                let operation = <Self::Operation as Operation>::NAME;
                let row = self.write.to_frame(operation, &self.table)?;
                Ok(messages::$request {
                    table_name: self.table,
                    $field: write_change(&self.write.change),
                    condition: row.condition,
                    return_content: row.return_content,
                    transaction_id: self.transaction_id,
                })
            }

            fn read(reply: Reply<messages::$response>) -> Result<WriteReply, Error> {
                let messages::$response { consumed, row } = reply.into_inner();
                let row = optional_row(row, Accept::PartialRows)?;
                Ok(WriteReply { row, consumed: consumed.into() })
            }
        }
    };
}

write_request! {
    /// Replaces a whole row, or creates it.
    ///
    /// # Cost
    /// One write capacity unit for every started 4 KB; a condition adds a read unit.
    ///
    /// Source: the service's documentation of PutRow.
    PutRow, PutRowRequest, PutRowResponse, row, Row, RowChange::Put
}

write_request! {
    /// Changes single cells of a row, creating it if need be.
    ///
    /// # Cost
    /// One write capacity unit for every started 4 KB; a condition adds a read unit.
    ///
    /// Source: the service's documentation of UpdateRow.
    UpdateRow, UpdateRowRequest, UpdateRowResponse, row_change, RowUpdate, RowChange::Update
}

write_request! {
    /// Removes a row. A row that doesn't exist is no error.
    ///
    /// # Cost
    /// One write capacity unit; a condition adds a read unit.
    ///
    /// Source: the service's documentation of DeleteRow.
    DeleteRow, DeleteRowRequest, DeleteRowResponse, primary_key, PrimaryKey, RowChange::Delete
}
