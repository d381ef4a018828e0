//! Tables.

use std::num::NonZeroU64;
use std::time::Duration;

use ots_core::request::{
    ComputeSplitPointsBySize, CreateTable, DeleteTable, DescribeTable, ListTable,
    ReservedThroughput, TableOptions, UpdateTable,
};
use ots_proto::messages::{DefinedColumnType, PrimaryKeyType};
use ots_proto::search::TimeToLive;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::values::consumed;
use super::{Outcome, OwnClient, Said};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    table: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Options {
    max_versions: Option<u32>,
    time_to_live_s: Option<i64>,
    max_deviation_s: Option<u64>,
    allow_update: Option<bool>,
    /// Reserved read and write units.
    reserved: Option<(u32, u32)>,
}

#[derive(Deserialize)]
pub(super) struct Create {
    table: String,
    key: Vec<Vec<String>>,
    #[serde(default)]
    defined_columns: Vec<(String, String)>,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
pub(super) struct Update {
    table: String,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SplitPoints {
    table: String,
    size: u64,
}

impl Named {
    pub(super) fn into_name(self) -> String {
        self.table
    }
}

impl Options {
    fn options(&self) -> Result<TableOptions, Said> {
        let mut options = TableOptions::new();
        options.max_versions = self.max_versions;
        options.max_deviation = self.max_deviation_s.map(Duration::from_secs);
        options.allow_update = self.allow_update;
        options.time_to_live = match self.time_to_live_s {
            None => None,
            Some(-1) => Some(TimeToLive::Never),
            Some(seconds) => Some(TimeToLive::Seconds(u32::try_from(seconds).map_err(
                |_| {
                    Said::Failed(format!(
                        "a time to live of {seconds} s has no value of its type"
                    ))
                },
            )?)),
        };
        Ok(options)
    }
}

pub(super) async fn create(own: &OwnClient, ask: Create) -> Outcome {
    let mut create = CreateTable::new(ask.table);
    for column in &ask.key {
        let name = column.first().cloned().unwrap_or_default();
        let kind = column.get(1).map(String::as_str).unwrap_or_default();
        create = match (kind, column.len()) {
            ("integer", 3) => create.auto_increment_key(name),
            ("integer", _) => create.primary_key(name, PrimaryKeyType::Integer),
            ("string", _) => create.primary_key(name, PrimaryKeyType::String),
            ("binary", _) => create.primary_key(name, PrimaryKeyType::Binary),
            ("boolean", _) => create.primary_key(name, PrimaryKeyType::Boolean),
            _ => return Err(Said::Unsupported(format!("a key of type {kind}"))),
        };
    }
    for (name, kind) in ask.defined_columns {
        let kind = match kind.as_str() {
            "integer" => DefinedColumnType::Integer,
            "double" => DefinedColumnType::Double,
            "boolean" => DefinedColumnType::Boolean,
            "string" => DefinedColumnType::String,
            _ => DefinedColumnType::Blob,
        };
        create = create.defined_column(name, kind);
    }
    if let Some((read, write)) = ask.options.reserved {
        create = create.reserved(read, write);
    }
    own.send(create.options(ask.options.options()?)).await?;
    Ok(json!({}))
}

pub(super) async fn update(own: &OwnClient, ask: Update) -> Outcome {
    let mut update = UpdateTable::new(ask.table);
    let options = ask.options.options()?;
    if options != TableOptions::new() {
        update = update.options(options);
    }
    if let Some((read, write)) = ask.options.reserved {
        update = update.reserved(ReservedThroughput {
            read: Some(read),
            write: Some(write),
        });
    }
    let reply = own.send(update).await?;
    Ok(described(&reply.options, &reply.throughput.reserved))
}

pub(super) async fn describe(own: &OwnClient, ask: Named) -> Outcome {
    let table = own.send(DescribeTable::new(ask.table)).await?;
    let mut answer = described(&table.options, &table.throughput.reserved);
    let key = table.primary_key.iter().map(|column| {
        let kind = PrimaryKeyType::try_from(column.r#type);
        let kind = kind.map_or("unknown", |kind| kind.as_str_name());
        let kind = kind.trim_start_matches("PRIMARY_KEY_TYPE_").to_lowercase();
        match column.option {
            Some(1) => json!([column.name, kind, "auto_increment"]),
            _ => json!([column.name, kind]),
        }
    });
    let defined = table.defined_columns.iter().map(|column| {
        let kind = match DefinedColumnType::try_from(column.r#type) {
            Ok(DefinedColumnType::Integer) => "integer",
            Ok(DefinedColumnType::Double) => "double",
            Ok(DefinedColumnType::Boolean) => "boolean",
            Ok(DefinedColumnType::String) => "string",
            Ok(DefinedColumnType::Blob) => "binary",
            Err(_) => "unknown",
        };
        json!([column.name, kind])
    });
    if let Json::Object(answer) = &mut answer {
        answer.insert("table".to_owned(), json!(table.name));
        answer.insert("key".to_owned(), key.collect());
        answer.insert("defined_columns".to_owned(), defined.collect());
    }
    Ok(answer)
}

fn described(options: &TableOptions, reserved: &ReservedThroughput) -> Json {
    json!({
        "max_versions": options.max_versions,
        "time_to_live_s": options.time_to_live.map(TimeToLive::to_number),
        "max_deviation_s": options.max_deviation.map(|time| time.as_secs()),
        "allow_update": options.allow_update,
        "reserved": [reserved.read, reserved.write],
    })
}

pub(super) async fn list(own: &OwnClient) -> Outcome {
    let tables = own.send(ListTable::new()).await?;
    Ok(json!({ "tables": tables }))
}

pub(super) async fn delete(own: &OwnClient, ask: Named) -> Outcome {
    own.send(DeleteTable::new(ask.table)).await?;
    Ok(json!({}))
}

pub(super) async fn split_points(own: &OwnClient, ask: SplitPoints) -> Outcome {
    let size = NonZeroU64::new(ask.size);
    let size =
        size.ok_or_else(|| Said::Failed("a size of 0 has no value of its type".to_owned()))?;
    let reply = own
        .send(ComputeSplitPointsBySize::new(ask.table).size(size))
        .await?;
    Ok(json!({ "splits": reply.ranges.len(), "consumed": consumed(reply.consumed) }))
}
