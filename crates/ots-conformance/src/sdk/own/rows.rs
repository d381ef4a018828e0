//! Rows: one, many, and ranges of them.

use ots_core::filter::{
    CastType, ColumnPagination, ColumnRange, Comparator, Condition, Filter, ReadFilter,
    RowExistence,
};
use ots_core::request::{
    BatchGetRow, BatchWriteRow, DeleteRow, Direction, GetRange, GetRow, PutRow, ReturnContent,
    RowWrite, TableRead, TableWrites, UpdateRow, WriteReply,
};
use ots_core::{Cell, Row, RowChange, RowUpdate};
use ots_proto::NameCache;
use ots_proto::plainbuffer::{Accept, Reader};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::values::{Key, Value, consumed, key, row, rows};
use super::{Outcome, OwnClient, Said, failed, refused};

/// When a write may happen, and what it gives back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    /// `true` for EXPECT_EXIST, `false` for EXPECT_NOT_EXIST.
    exists: Option<bool>,
    when: Option<Test>,
    #[serde(rename = "return")]
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Key,
    After(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Test {
    And { and: Vec<Self> },
    Or { or: Vec<Self> },
    Not { not: Box<Self> },
    Column(ColumnTest),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTest {
    column: String,
    is: String,
    value: Option<Value>,
    #[serde(default)]
    pass_if_missing: bool,
    #[serde(default)]
    any_version: bool,
    /// A regular expression and what its match is cast to.
    regex: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReadTest {
    Columns { offset: u32, limit: u32 },
    Rows(Test),
}

/// A column and its value, and its time if it has one.
#[derive(Deserialize)]
#[serde(untagged)]
enum NewCell {
    Timed(String, Value, i64),
    Untimed(String, Value),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Put(NewCell),
    Delete(String),
    DeleteVersion(String, i64),
    Increment(String, i64),
}

#[derive(Deserialize)]
pub(super) struct Put {
    #[serde(default)]
    table: String,
    key: Key,
    #[serde(default, deserialize_with = "columns")]
    columns: Vec<NewCell>,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Deserialize)]
pub(super) struct Update {
    #[serde(default)]
    table: String,
    key: Key,
    #[serde(default)]
    changes: Vec<Change>,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Deserialize)]
pub(super) struct Delete {
    #[serde(default)]
    table: String,
    key: Key,
    #[serde(flatten)]
    terms: Terms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    #[serde(default)]
    columns: Vec<String>,
    max_versions: Option<u32>,
    time_range: Option<(i64, i64)>,
    time: Option<i64>,
    filter: Option<ReadTest>,
    start_column: Option<String>,
    end_column: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Get {
    table: String,
    key: Key,
    #[serde(flatten)]
    reading: Reading,
}

#[derive(Deserialize)]
pub(super) struct Range {
    table: String,
    start: Key,
    end: Key,
    #[serde(default)]
    backward: bool,
    limit: Option<u32>,
    #[serde(flatten)]
    reading: Reading,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchGet {
    tables: Vec<Keys>,
}

#[derive(Deserialize)]
struct Keys {
    table: String,
    keys: Vec<Key>,
    #[serde(flatten)]
    reading: Reading,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchWrite {
    tables: Vec<Writes>,
    #[serde(default)]
    atomic: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writes {
    table: String,
    rows: Vec<RowChangeAsked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RowChangeAsked {
    Put(Put),
    Update(Update),
    Delete(Delete),
}

/// Columns as an object, or as a list where their order or their times matter.
fn columns<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<NewCell>, D::Error> {
    use serde::de::Error as _;
    let json = match Json::deserialize(from)? {
        Json::Object(columns) => columns.into_iter().map(|(n, v)| json!([n, v])).collect(),
        list => list,
    };
    serde_json::from_value(json).map_err(D::Error::custom)
}

impl Test {
    fn filter(self) -> Result<Filter, Said> {
        let all = |tests: Vec<Self>, join: fn(Vec<Filter>) -> Option<Filter>| {
            // The type has no word for a combination of fewer than two.
            if tests.len() < 2 {
                return Err(Said::Failed(
                    "AND and OR are of two or more filters".to_owned(),
                ));
            }
            let filters = tests
                .into_iter()
                .map(Self::filter)
                .collect::<Result<_, _>>()?;
            join(filters).ok_or_else(|| Said::Failed("nothing to combine".to_owned()))
        };
        match self {
            Self::And { and } => all(and, Filter::all),
            Self::Or { or } => all(or, Filter::any),
            Self::Not { not } => Ok(not.filter()?.not()),
            Self::Column(test) => test.filter(),
        }
    }
}

impl ColumnTest {
    fn filter(self) -> Result<Filter, Said> {
        let mut operand = Filter::column(self.column);
        if let Some((regex, cast)) = self.regex {
            let cast = match cast.as_str() {
                "integer" => CastType::Integer,
                "double" => CastType::Double,
                _ => CastType::String,
            };
            operand = operand.transfer(regex, cast);
        }
        let comparator = match self.is.as_str() {
            "=" => Comparator::Equal,
            "!=" => Comparator::NotEqual,
            ">" => Comparator::GreaterThan,
            ">=" => Comparator::GreaterEqual,
            "<" => Comparator::LessThan,
            "<=" => Comparator::LessEqual,
            other => return Err(Said::Unsupported(format!("the comparison {other}"))),
        };
        let value = self
            .value
            .ok_or_else(|| Said::Failed("compared with nothing".to_owned()))?;
        let mut filter = operand.compare(comparator, value.0);
        filter.pass_if_missing = self.pass_if_missing;
        filter.latest_version_only = !self.any_version;
        Ok(filter.into())
    }
}

impl ReadTest {
    fn filter(self) -> Result<ReadFilter, Said> {
        Ok(match self {
            Self::Columns { offset, limit } => ColumnPagination::new(offset, limit).into(),
            Self::Rows(test) => test.filter()?.into(),
        })
    }
}

impl Terms {
    fn condition(&mut self) -> Result<Condition, Said> {
        let condition = Condition::row(match self.exists {
            None => RowExistence::Ignore,
            Some(true) => RowExistence::Expect,
            Some(false) => RowExistence::ExpectNot,
        });
        Ok(match self.when.take() {
            None => condition,
            Some(test) => condition.columns(test.filter()?),
        })
    }

    fn content(self) -> ReturnContent {
        match self.content {
            None => ReturnContent::None,
            Some(Content::Key) => ReturnContent::PrimaryKey,
            Some(Content::After(columns)) => ReturnContent::AfterModify(columns),
        }
    }
}

fn new_row(ask_key: Key, columns: Vec<NewCell>) -> Row {
    let mut row = Row::new(ask_key.0);
    row.cells = columns
        .into_iter()
        .map(|column| match column {
            NewCell::Timed(name, value, time) => Cell::new(name, value.0).at(time),
            NewCell::Untimed(name, value) => Cell::new(name, value.0),
        })
        .collect();
    row
}

fn row_update(ask_key: Key, changes: Vec<Change>) -> RowUpdate {
    let mut update = RowUpdate::new(ask_key.0);
    for change in changes {
        update = match change {
            Change::Put(NewCell::Untimed(name, value)) => update.put(name, value.0),
            Change::Put(NewCell::Timed(name, value, time)) => {
                let cell = Cell::new(name, value.0).at(time);
                update.cells.push(ots_proto::CellUpdate::Put(cell));
                update
            }
            Change::Delete(name) => update.delete_all_versions(name),
            Change::DeleteVersion(name, time) => update.delete_one_version(name, time),
            Change::Increment(name, by) => update.increment(name, by),
        };
    }
    update
}

fn written(reply: &WriteReply) -> Outcome {
    let row = row(reply.row.as_ref())?;
    Ok(json!({ "row": row, "consumed": consumed(reply.consumed) }))
}

pub(super) async fn put(own: &OwnClient, mut ask: Put) -> Outcome {
    let put = PutRow::new(ask.table, new_row(ask.key, ask.columns))
        .condition(ask.terms.condition()?)
        .return_content(ask.terms.content());
    written(&own.send(put).await?)
}

pub(super) async fn update(own: &OwnClient, mut ask: Update) -> Outcome {
    let update = UpdateRow::new(ask.table, row_update(ask.key, ask.changes))
        .condition(ask.terms.condition()?)
        .return_content(ask.terms.content());
    written(&own.send(update).await?)
}

pub(super) async fn delete(own: &OwnClient, mut ask: Delete) -> Outcome {
    let delete = DeleteRow::new(ask.table, ask.key.0)
        .condition(ask.terms.condition()?)
        .return_content(ask.terms.content());
    written(&own.send(delete).await?)
}

/// What a read takes of a row, for each of the requests that have these setters.
macro_rules! reading {
    ($request:expr, $reading:expr) => {{
        let mut request = $request;
        let reading = $reading;
        if !reading.columns.is_empty() {
            request = request.columns(reading.columns);
        }
        if let Some(versions) = reading.max_versions {
            request = request.max_versions(versions);
        }
        if let Some((start, end)) = reading.time_range {
            request = request.time_range(start, end);
        }
        if let Some(time) = reading.time {
            request = request.specific_time(time);
        }
        if let Some(test) = reading.filter {
            request = request.filter(test.filter()?);
        }
        match (reading.start_column, reading.end_column) {
            (None, None) => request,
            (Some(start), None) => request.column_range(ColumnRange::from(start..)),
            (None, Some(end)) => request.column_range(ColumnRange::from(..end)),
            (Some(start), Some(end)) => request.column_range(ColumnRange::from(start..end)),
        }
    }};
}

pub(super) async fn get(own: &OwnClient, ask: Get) -> Outcome {
    let get = reading!(GetRow::new(ask.table, ask.key.0), ask.reading);
    let reply = own.send(get).await?;
    let row = row(reply.row.as_ref())?;
    Ok(json!({ "row": row, "consumed": consumed(reply.consumed) }))
}

pub(super) async fn range(own: &OwnClient, ask: Range) -> Outcome {
    let mut range = GetRange::new(ask.table, ask.start.0, ask.end.0);
    if ask.backward {
        range = range.direction(Direction::Backward);
    }
    if let Some(limit) = ask.limit {
        range = range.limit(limit);
    }
    let reply = own.send(reading!(range, ask.reading)).await?;
    let mut read = Vec::new();
    // No rows are no buffer.
    if !reply.rows.is_empty() {
        let mut names = NameCache::default();
        let mut reader = Reader::new(&reply.rows, Accept::Rows).map_err(failed)?;
        while let Some(row) = reader.next_row().map_err(failed)? {
            read.push(row.to_row(&mut names));
        }
    }
    Ok(json!({
        "rows": rows(&read)?,
        "next": key(reply.next_start.as_ref())?,
        "consumed": consumed(reply.consumed),
    }))
}

pub(super) async fn batch_get(own: &OwnClient, ask: BatchGet) -> Outcome {
    let mut batch = BatchGetRow::new();
    for keys in ask.tables {
        let read = TableRead::new(keys.table, keys.keys.into_iter().map(|key| key.0));
        batch = batch.table(reading!(read, keys.reading));
    }
    let tables = own.send(batch).await?;
    of_tables(tables, |reply| {
        let row = row(reply.row.as_ref())?;
        Ok(json!({ "row": row, "consumed": consumed(reply.consumed) }))
    })
}

pub(super) async fn batch_write(own: &OwnClient, ask: BatchWrite) -> Outcome {
    let mut batch = BatchWriteRow::new();
    for writes in ask.tables {
        let mut table = TableWrites::new(writes.table);
        for change in writes.rows {
            let (change, mut terms) = match change {
                RowChangeAsked::Put(put) => {
                    (RowChange::Put(new_row(put.key, put.columns)), put.terms)
                }
                RowChangeAsked::Update(update) => {
                    let change = row_update(update.key, update.changes);
                    (RowChange::Update(change), update.terms)
                }
                RowChangeAsked::Delete(delete) => (RowChange::Delete(delete.key.0), delete.terms),
            };
            let write = RowWrite::new(change).condition(terms.condition()?);
            table = table.change(write.return_content(terms.content()));
        }
        batch = batch.table(table);
    }
    if ask.atomic {
        batch = batch.atomic();
    }
    of_tables(own.send(batch).await?, |reply| written(&reply))
}

/// The results of a batch: what each row gave, or its error, which has no HTTP status of its own.
fn of_tables<T>(
    tables: Vec<Vec<Result<T, ots_core::Error>>>,
    said: impl Fn(T) -> Outcome,
) -> Outcome {
    let tables = tables.into_iter().map(|rows| {
        let rows = rows.into_iter().map(|row| match row.map_err(refused) {
            Ok(reply) => said(reply),
            Err(Said::Error(refusal)) => {
                Ok(json!({ "error": { "code": refusal.code, "message": refusal.message } }))
            }
            Err(other) => Err(other),
        });
        Ok(json!({ "rows": rows.collect::<Result<Json, Said>>()? }))
    });
    Ok(json!({ "tables": tables.collect::<Result<Json, Said>>()? }))
}
