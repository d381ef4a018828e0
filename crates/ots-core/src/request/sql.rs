//! SQLQuery: a statement, and the rows it gives.

use bytes::Bytes;
use ots_proto::messages::{self, SqlPayloadVersion, SqlStatementType};
use ots_proto::operation;

use super::{Consumed, Request};
use crate::call::Reply;
use crate::error::Error;

/// Runs an SQL statement.
///
/// SELECT, SHOW and DESCRIBE give rows; CREATE, ALTER and DROP map tables and give none.
///
/// # Errors
/// `OTSParameterInvalid` for a statement that can't be run, with the reason in the message. A statement
/// may write, so one whose answer was lost isn't repeated.
///
/// # Cost
/// Read capacity units of the tables and indexes that it reads: [`SqlReply::consumed`].
///
/// Source: the service's documentation of SQLQuery.
#[cfg_attr(
    feature = "sql",
    doc = "
```no_run
# async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
use ots_core::request::SqlQuery;

let answer = client.send(SqlQuery::new(\"SELECT city, price FROM orders LIMIT 10\")).await?;
let rows = answer.rows()?;
for column in rows.columns() {
    println!(\"{}: {:?}\", column.name(), column.value(0));
}
# Ok(())
# }
```"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SqlQuery {
    statement: String,
    search_token: Option<String>,
}

impl SqlQuery {
    /// This statement.
    pub fn new(statement: impl Into<String>) -> Self {
        Self {
            statement: statement.into(),
            search_token: None,
        }
    }

    /// Goes on where the last answer to the same statement ended.
    pub fn search_token(mut self, token: impl Into<String>) -> Self {
        self.search_token = Some(token.into());
        self
    }
}

impl Request for SqlQuery {
    type Operation = operation::SqlQuery;
    type Output = SqlReply;

    fn into_message(self) -> Result<messages::SqlQueryRequest, Error> {
        Ok(messages::SqlQueryRequest {
            query: self.statement,
            version: Some(SqlPayloadVersion::FlatBuffers.into()),
            // Sent by the SDKs that know of tokens.
            sql_version: self.search_token.is_some().then_some(1),
            search_token: self.search_token,
        })
    }

    fn read(reply: Reply<messages::SqlQueryResponse>) -> Result<SqlReply, Error> {
        let response = reply.into_inner();
        let rows = response.rows.filter(|rows| !rows.is_empty());
        if rows.is_some() && response.version != Some(SqlPayloadVersion::FlatBuffers.into()) {
            let problem = format!(
                "rows of payload version {:?}, not asked for",
                response.version
            );
            return Err(Error::body(problem));
        }
        let mut consumed = Consumed::default();
        let tables = response.consumes.iter().map(|table| table.consumed);
        let indexes = response.search_consumes.iter().map(|index| index.consumed);
        for part in tables.chain(indexes) {
            consumed += Consumed::from_message(part.as_ref());
        }
        Ok(SqlReply {
            statement: response.r#type.and_then(|kind| kind.try_into().ok()),
            payload: rows,
            next_search_token: response.next_search_token.filter(|token| !token.is_empty()),
            consumed,
            tables: response.consumes,
            indexes: response.search_consumes,
        })
    }
}

/// What a statement gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SqlReply {
    /// The kind of statement, as the service understood it; none of a kind this version doesn't know.
    pub statement: Option<SqlStatementType>,
    /// The rows as they came, in FlatBuffers; absent for a statement that gives none. With the feature
    /// `sql` they are read by `rows`.
    pub payload: Option<Bytes>,
    /// Present when there may be more: goes into [`SqlQuery::search_token`].
    pub next_search_token: Option<String>,
    /// What it cost in all.
    pub consumed: Consumed,
    /// What each table cost.
    pub tables: Vec<messages::TableConsumedCapacity>,
    /// What each search index cost.
    pub indexes: Vec<messages::SearchConsumedCapacity>,
}

#[cfg(feature = "sql")]
impl SqlReply {
    /// The rows, read where they lie; none for a statement that gives none.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn rows(&self) -> Result<ots_proto::sql::SqlRows<'_>, Error> {
        match &self.payload {
            Some(payload) => ots_proto::sql::SqlRows::parse(payload).map_err(Error::body),
            None => Err(Error::body("the statement gives no rows")),
        }
    }
}
