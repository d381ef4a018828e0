//! What an index is made of.

mod analyzer;
mod check;
mod description;
mod field;
mod open;
mod vector;

pub use analyzer::{Analyzer, FuzzyAnalyzer, SingleWordAnalyzer, SplitAnalyzer};
pub use description::{
    IndexStatus, MeteringInfo, QueryFlowWeight, SearchIndexDescription, SyncStat, TimeToLive,
};
pub use field::FieldSchema;
pub use open::Open;
pub use vector::VectorOptions;

use super::error::SearchError;
use super::sort::Sort;
use super::wire::{count32, int32};
use crate::bounded;
use crate::messages;

/// What an index is made of: its fields, and how its rows are spread and ordered.
///
/// ```
/// use ots_proto::search::{FieldSchema, FieldSort, IndexSchema};
///
/// let schema = IndexSchema::new([FieldSchema::keyword("city"), FieldSchema::long("age")])
///     .routing_fields(["city"])
///     .sort(FieldSort::desc("age"));
/// assert_eq!(IndexSchema::from_message(&schema.to_message()?)?, schema);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// Source: the service's documentation of CreateSearchIndex.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct IndexSchema {
    /// The fields.
    pub fields: Vec<FieldSchema>,
    /// How rows are spread.
    pub setting: Option<IndexSetting>,
    /// The order in which the index keeps its rows, and finds them unless told otherwise; by primary
    /// key when absent. An index with NESTED fields has none.
    pub sort: Option<Sort>,
}

/// How the rows of an index are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct IndexSetting {
    /// How many shards there are to begin with; every SDK sends 1.
    pub number_of_shards: Option<u32>,
    /// Partition key columns: rows that are alike in them lie together, and a search that names their
    /// values looks nowhere else.
    pub routing_fields: Vec<String>,
    /// Over how many shards the rows of one routing value are spread.
    pub routing_partition_size: Option<u32>,
    /// Whether columns with versions of the caller's own are indexed.
    pub enable_custom_column_version: Option<bool>,
}

impl IndexSchema {
    /// An index of these fields, spread as the SDKs do.
    pub fn new(fields: impl IntoIterator<Item = FieldSchema>) -> Self {
        Self {
            fields: fields.into_iter().collect(),
            setting: Some(IndexSetting {
                number_of_shards: Some(1),
                ..IndexSetting::default()
            }),
            sort: None,
        }
    }

    /// With one more field.
    pub fn field(mut self, field: FieldSchema) -> Self {
        self.fields.push(field);
        self
    }

    /// Keeps rows together that are alike in these partition key columns.
    pub fn routing_fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let setting = self.setting.get_or_insert_default();
        setting.routing_fields = names.into_iter().map(Into::into).collect();
        self
    }

    /// Keeps rows in this order.
    pub fn sort(mut self, sort: impl Into<Sort>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// When a field has no name, one that is given twice on its level, or an option that doesn't go
    /// with its type.
    pub fn to_message(&self) -> Result<messages::IndexSchema, SearchError> {
        Ok(messages::IndexSchema {
            field_schemas: fields_to_messages(&self.fields)?,
            index_setting: self.setting.as_ref().map(IndexSetting::to_message),
            index_sort: self.sort.as_ref().map(Sort::to_message),
        })
    }

    /// What a message describes. Numbers of the service's enums that this version doesn't know are
    /// kept ([`Open`]), except in the sort, which is refused then.
    ///
    /// # Errors
    /// When a field is incomplete or damaged, or fields are nested deeper than 16 levels.
    pub fn from_message(message: &messages::IndexSchema) -> Result<Self, SearchError> {
        let setting = message.index_setting.as_ref();
        let sort = message.index_sort.as_ref();
        Ok(Self {
            fields: fields_from_messages(&message.field_schemas, 0)?,
            setting: setting.map(IndexSetting::from_message).transpose()?,
            sort: sort.map(Sort::from_message).transpose()?,
        })
    }
}

impl IndexSetting {
    fn to_message(&self) -> messages::IndexSetting {
        messages::IndexSetting {
            number_of_shards: self.number_of_shards.map(int32),
            routing_fields: self.routing_fields.clone(),
            routing_partition_size: self.routing_partition_size.map(int32),
            enable_custom_column_version: self.enable_custom_column_version,
        }
    }

    fn from_message(message: &messages::IndexSetting) -> Result<Self, SearchError> {
        let partition_size = message.routing_partition_size;
        Ok(Self {
            number_of_shards: count32("number_of_shards", message.number_of_shards)?,
            routing_fields: message.routing_fields.clone(),
            routing_partition_size: count32("routing_partition_size", partition_size)?,
            enable_custom_column_version: message.enable_custom_column_version,
        })
    }
}

fn fields_to_messages(fields: &[FieldSchema]) -> Result<Vec<messages::FieldSchema>, SearchError> {
    check::names(fields)?;
    fields.iter().map(FieldSchema::to_message).collect()
}

fn fields_from_messages(
    messages: &[messages::FieldSchema],
    depth: usize,
) -> Result<Vec<FieldSchema>, SearchError> {
    let fields = messages.iter();
    bounded::collect(fields.map(|message| FieldSchema::from_message_at(message, depth)))
}
