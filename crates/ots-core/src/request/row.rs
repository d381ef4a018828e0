//! GetRow, PutRow, UpdateRow, DeleteRow: one row at a time.

use bytes::Bytes;
use ots_proto::plainbuffer::{Accept, read_row, write_change, write_primary_key};
use ots_proto::{PrimaryKey, Row, RowChange, RowUpdate, messages, operation};

use super::range::positive;
use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::{Error, ResponseProblem};

/// When a write may happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Condition {
    existence: RowExistence,
    column_condition: Option<Bytes>,
}

/// Whether the row must be there before it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum RowExistence {
    /// It may or may not.
    #[default]
    Ignore,
    /// It must.
    Expect,
    /// It must not.
    ExpectNot,
}

impl Condition {
    /// Whether the row must be there.
    pub const fn row(existence: RowExistence) -> Self {
        Self {
            existence,
            column_condition: None,
        }
    }

    /// Also, the row as it is must pass a filter: a serialized `Filter` message.
    pub fn columns(mut self, filter: impl Into<Bytes>) -> Self {
        self.column_condition = Some(filter.into());
        self
    }

    pub(super) fn into_message(self) -> messages::Condition {
        let row_existence = match self.existence {
            RowExistence::Ignore => messages::RowExistenceExpectation::Ignore,
            RowExistence::Expect => messages::RowExistenceExpectation::ExpectExist,
            RowExistence::ExpectNot => messages::RowExistenceExpectation::ExpectNotExist,
        };
        messages::Condition {
            row_existence: row_existence.into(),
            column_condition: self.column_condition,
        }
    }
}

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
    pub(super) fn into_message(self) -> Option<messages::ReturnContent> {
        let (return_type, return_column_names) = match self {
            Self::None => return None,
            Self::PrimaryKey => (messages::ReturnType::Pk, Vec::new()),
            Self::AfterModify(names) => (messages::ReturnType::AfterModify, names),
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

/// Reads one row.
///
/// # Cost
/// One read capacity unit for every started 4 KB, at least one, also for a row that doesn't exist.
///
/// Source: the service's documentation of GetRow.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct GetRow {
    table: String,
    primary_key: PrimaryKey,
    columns: Vec<String>,
    max_versions: Option<u32>,
    time_range_ms: Option<(i64, i64)>,
    filter: Option<Bytes>,
    start_column: Option<String>,
    end_column: Option<String>,
    token: Option<Bytes>,
    takes_part: bool,
    transaction_id: Option<String>,
}

impl GetRow {
    /// The newest versions of every column of a row.
    pub fn new(table: impl Into<String>, primary_key: PrimaryKey) -> Self {
        Self {
            table: table.into(),
            primary_key,
            columns: Vec::new(),
            max_versions: None,
            time_range_ms: None,
            filter: None,
            start_column: None,
            end_column: None,
            token: None,
            takes_part: false,
            transaction_id: None,
        }
    }

    /// The attribute columns to return; all when never called. A row that has none of them counts as
    /// absent.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// How many versions of each column to return; 1 when never called.
    pub const fn max_versions(mut self, versions: u32) -> Self {
        self.max_versions = Some(versions);
        self
    }

    /// Only versions from `start_ms`, inclusive, to `end_ms`, exclusive, in milliseconds since 1970.
    pub const fn time_range(mut self, start_ms: i64, end_ms: i64) -> Self {
        self.time_range_ms = Some((start_ms, end_ms));
        self
    }

    /// Only if the row passes a filter: a serialized `Filter` message.
    pub fn filter(mut self, filter: impl Into<Bytes>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Only columns from `start`, inclusive, to `end`, exclusive, by name, bytewise.
    pub fn column_range(mut self, start: impl Into<String>, end: impl Into<String>) -> Self {
        self.start_column = Some(start.into());
        self.end_column = Some(end.into());
        self
    }

    /// Takes a part of the row where the whole is too wide for one answer: the reply's `next_token`
    /// leads to the rest. Without this a row that was cut is an error, because a part must not pass
    /// for the row.
    pub const fn in_parts(mut self) -> Self {
        self.takes_part = true;
        self
    }

    /// The part of a wide row that comes after the last answer, from that answer's `next_token`.
    pub fn token(mut self, token: impl Into<Bytes>) -> Self {
        self.token = Some(token.into());
        self.in_parts()
    }

    /// Reads inside a local transaction.
    pub fn transaction(mut self, id: impl Into<String>) -> Self {
        self.transaction_id = Some(id.into());
        self
    }
}

impl Request for GetRow {
    type Operation = operation::GetRow;
    type Output = GetRowReply;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::GetRowRequest, Error> {
        Ok(messages::GetRowRequest {
            primary_key: write_primary_key(&self.primary_key),
            max_versions: max_versions(
                "GetRow",
                &self.table,
                self.max_versions,
                self.time_range_ms,
            )?,
            time_range: self.time_range_ms.map(time_range),
            columns_to_get: self.columns,
            filter: self.filter,
            start_column: self.start_column,
            end_column: self.end_column,
            token: self.token,
            transaction_id: self.transaction_id,
            table_name: self.table,
            ..messages::GetRowRequest::default()
        })
    }

    fn read(reply: Reply<messages::GetRowResponse>) -> Result<GetRowReply, Error> {
        let messages::GetRowResponse {
            consumed,
            row,
            next_token,
        } = reply.response;
        Ok(GetRowReply {
            row: optional_row(Some(row), Accept::Rows)?,
            next_token: next_token.filter(|token| !token.is_empty()),
            consumed: consumed.into(),
        })
    }

    fn reader(
        &self,
    ) -> impl FnOnce(Reply<messages::GetRowResponse>) -> Result<GetRowReply, Error> + Send + use<>
    {
        let takes_part = self.takes_part;
        move |reply| match Self::read(reply)? {
            reply if reply.next_token.is_some() && !takes_part => {
                Err(Error::response(ResponseProblem::RowCut))
            }
            reply => Ok(reply),
        }
    }
}

/// A row, if it exists.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GetRowReply {
    /// The row; absent if it doesn't exist, has none of the columns, or doesn't pass the filter.
    pub row: Option<Row>,
    /// Present when the row is too wide for one answer and was cut, with [`GetRow::in_parts`].
    pub next_token: Option<Bytes>,
    /// What the read cost.
    pub consumed: Consumed,
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
            content: $content,
            condition: Condition,
            return_content: ReturnContent,
            transaction_id: Option<String>,
        }

        impl $name {
            /// The write, without a condition.
            pub fn new(table: impl Into<String>, content: $content) -> Self {
                Self {
                    table: table.into(),
                    content,
                    condition: Condition::default(),
                    return_content: ReturnContent::default(),
                    transaction_id: None,
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
                Ok(messages::$request {
                    table_name: self.table,
                    $field: write_change(&$change(self.content)),
                    condition: self.condition.into_message(),
                    return_content: self.return_content.into_message(),
                    transaction_id: self.transaction_id,
                })
            }

            fn read(reply: Reply<messages::$response>) -> Result<WriteReply, Error> {
                let messages::$response { consumed, row } = reply.response;
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

/// A row that may be absent: empty bytes mean that it is, and are never decoded.
pub(super) fn optional_row(row: Option<Bytes>, accept: Accept) -> Result<Option<Row>, Error> {
    match row {
        Some(row) if !row.is_empty() => read_row(&row, accept).map(Some).map_err(Error::body),
        _ => Ok(None),
    }
}

/// A read needs a number of versions or a range of time; without either, the newest is meant.
pub(super) fn max_versions(
    operation: &str,
    table: &str,
    versions: Option<u32>,
    time_range_ms: Option<(i64, i64)>,
) -> Result<Option<i32>, Error> {
    match (versions, time_range_ms) {
        (Some(versions), _) => positive(operation, table, "max_versions", versions).map(Some),
        (None, None) => Ok(Some(1)),
        (None, Some(_)) => Ok(None),
    }
}

pub(super) fn time_range((start, end): (i64, i64)) -> messages::TimeRange {
    messages::TimeRange {
        start_time: Some(start),
        end_time: Some(end),
        specific_time: None,
    }
}
