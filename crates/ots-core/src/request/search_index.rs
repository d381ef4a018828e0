//! CreateSearchIndex, ListSearchIndex, DescribeSearchIndex, DeleteSearchIndex.

use ots_proto::messages::{self, FieldType};
use ots_proto::operation;

use super::Request;
use crate::call::Reply;
use crate::error::Error;

/// Creates a search index.
///
/// Source: the service's documentation of CreateSearchIndex.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CreateSearchIndex {
    table: String,
    index: String,
    fields: Vec<messages::FieldSchema>,
}

impl CreateSearchIndex {
    /// An index without fields yet.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
            fields: Vec::new(),
        }
    }

    /// Adds a column as a field that can be searched, and returned by a scan. All but TEXT can also
    /// be sorted by.
    pub fn field(self, column: impl Into<String>, kind: FieldType) -> Self {
        self.field_schema(messages::FieldSchema {
            field_name: Some(column.into()),
            field_type: Some(kind.into()),
            index: Some(true),
            sort_and_agg: Some(kind != FieldType::Text),
            store: Some(true),
            ..messages::FieldSchema::default()
        })
    }

    /// Adds a field with all its options.
    pub fn field_schema(mut self, field: messages::FieldSchema) -> Self {
        self.fields.push(field);
        self
    }
}

impl Request for CreateSearchIndex {
    type Operation = operation::CreateSearchIndex;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::CreateSearchIndexRequest, Error> {
        let schema = messages::IndexSchema {
            field_schemas: self.fields,
            index_setting: Some(messages::IndexSetting {
                number_of_shards: Some(1),
                ..messages::IndexSetting::default()
            }),
            index_sort: None,
        };
        Ok(messages::CreateSearchIndexRequest {
            table_name: self.table,
            index_name: self.index,
            schema: Some(schema),
            source_index_name: None,
            time_to_live: Some(-1),
        })
    }

    fn read(_: Reply<messages::CreateSearchIndexResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// Names the search indexes of a table, or of the whole instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ListSearchIndex {
    table: Option<String>,
}

impl ListSearchIndex {
    /// Every index of the instance.
    pub const fn new() -> Self {
        Self { table: None }
    }

    /// Only those of one table.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }
}

/// The name of a search index, with its table's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SearchIndexName {
    /// The table.
    pub table: String,
    /// The index.
    pub index: String,
}

impl Request for ListSearchIndex {
    type Operation = operation::ListSearchIndex;
    type Output = Vec<SearchIndexName>;

    fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    fn into_message(self) -> Result<messages::ListSearchIndexRequest, Error> {
        Ok(messages::ListSearchIndexRequest {
            table_name: self.table,
        })
    }

    fn read(reply: Reply<messages::ListSearchIndexResponse>) -> Result<Self::Output, Error> {
        let names = reply
            .response
            .indices
            .into_iter()
            .map(|info| SearchIndexName {
                table: info.table_name.unwrap_or_default(),
                index: info.index_name.unwrap_or_default(),
            });
        Ok(names.collect())
    }
}

/// Describes a search index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DescribeSearchIndex {
    table: String,
    index: String,
}

impl DescribeSearchIndex {
    /// The index called `index` of `table`.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
        }
    }
}

impl Request for DescribeSearchIndex {
    type Operation = operation::DescribeSearchIndex;
    type Output = messages::DescribeSearchIndexResponse;

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::DescribeSearchIndexRequest, Error> {
        Ok(messages::DescribeSearchIndexRequest {
            table_name: Some(self.table),
            index_name: Some(self.index),
            include_sync_stat: Some(true),
        })
    }

    fn read(reply: Reply<messages::DescribeSearchIndexResponse>) -> Result<Self::Output, Error> {
        Ok(reply.response)
    }
}

/// Deletes a search index. Scans of it lose their session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DeleteSearchIndex {
    table: String,
    index: String,
}

impl DeleteSearchIndex {
    /// The index called `index` of `table`.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
        }
    }
}

impl Request for DeleteSearchIndex {
    type Operation = operation::DeleteSearchIndex;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::DeleteSearchIndexRequest, Error> {
        Ok(messages::DeleteSearchIndexRequest {
            table_name: Some(self.table),
            index_name: Some(self.index),
        })
    }

    fn read(_: Reply<messages::DeleteSearchIndexResponse>) -> Result<(), Error> {
        Ok(())
    }
}
