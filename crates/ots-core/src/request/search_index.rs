//! CreateSearchIndex, UpdateSearchIndex, ListSearchIndex, DescribeSearchIndex, DeleteSearchIndex.

use ots_proto::search::{
    FieldSchema, FieldType, IndexSchema, QueryFlowWeight, SearchIndexDescription, Sort, TimeToLive,
};
use ots_proto::{messages, operation};

use super::Request;
use crate::call::Reply;
use crate::error::Error;

/// Creates a search index.
///
/// Rows are in it some seconds after they are written, those of before after a while.
///
/// # Errors
/// `OTSObjectAlreadyExist` when there is an index of that name, `OTSParameterInvalid` for fields that
/// can't be.
///
/// # Cost
/// By the size of the index; a table with a time to live needs `allow_update` off for an index with
/// one.
///
/// Source: the service's documentation of CreateSearchIndex.
///
/// ```no_run
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::CreateSearchIndex;
/// use ots_proto::search::{Analyzer, FieldSchema, FieldType};
///
/// let index = CreateSearchIndex::new("orders", "by_city")
///     .field("city", FieldType::Keyword)
///     .field("price", FieldType::Double)
///     .field_schema(FieldSchema::text("note").analyzer(Analyzer::single_word()));
/// client.send(index).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct CreateSearchIndex {
    table: String,
    index: String,
    schema: IndexSchema,
    source_index: Option<String>,
    time_to_live: TimeToLive,
}

impl CreateSearchIndex {
    /// An index without fields yet, whose rows stay as long as in the table.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
            schema: IndexSchema::new([]),
            source_index: None,
            time_to_live: TimeToLive::Never,
        }
    }

    /// The whole schema, in place of what was given before.
    pub fn schema(mut self, schema: IndexSchema) -> Self {
        self.schema = schema;
        self
    }

    /// Adds a column as a field that can be searched, and returned by a scan. All but TEXT can also
    /// be sorted by.
    pub fn field(self, column: impl Into<String>, kind: FieldType) -> Self {
        let mut field = FieldSchema::new(column, kind);
        field.index = Some(true);
        field.sort_and_agg = Some(kind != FieldType::Text);
        field.store = Some(true);
        self.field_schema(field)
    }

    /// Adds a field with all its options.
    pub fn field_schema(mut self, field: FieldSchema) -> Self {
        self.schema.fields.push(field);
        self
    }

    /// The order in which the index keeps its rows: by primary key when never called.
    pub fn sort(mut self, sort: impl Into<Sort>) -> Self {
        self.schema.sort = Some(sort.into());
        self
    }

    /// How long rows stay in the index.
    pub const fn time_to_live(mut self, time: TimeToLive) -> Self {
        self.time_to_live = time;
        self
    }

    /// Makes this the new schema of another index: it is filled beside it, and takes its place by
    /// [`UpdateSearchIndex::switch_to`].
    pub fn new_schema_of(mut self, index: impl Into<String>) -> Self {
        self.source_index = Some(index.into());
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
        let schema = self.schema.to_message().map_err(|error| {
            Error::request(format!(
                "CreateSearchIndex on table {:?}: {error}",
                self.table
            ))
        })?;
        Ok(messages::CreateSearchIndexRequest {
            table_name: self.table,
            index_name: self.index,
            schema: Some(schema),
            source_index_name: self.source_index,
            time_to_live: Some(self.time_to_live.to_number()),
        })
    }

    fn read(_: Reply<messages::CreateSearchIndexResponse>) -> Result<(), Error> {
        Ok(())
    }
}

/// Changes a search index: its time to live, its fields, or which schema answers.
///
/// A schema is changed by filling an index with the [new one](CreateSearchIndex::new_schema_of), trying
/// it with a share of the [queries](Self::query_flow_weights), and [switching](Self::switch_to).
///
/// # Errors
/// `OTSMetaNotMatch` or `OTSObjectNotExist` without the index, `OTSParameterInvalid` for a change that
/// isn't possible.
///
/// Source: the service's documentation of UpdateSearchIndex.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct UpdateSearchIndex {
    table: String,
    index: String,
    switch_to: Option<String>,
    weights: Vec<QueryFlowWeight>,
    time_to_live: Option<TimeToLive>,
    added_fields: Vec<FieldSchema>,
}

impl UpdateSearchIndex {
    /// The index called `index` of `table`, without a change yet.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
            switch_to: None,
            weights: Vec::new(),
            time_to_live: None,
            added_fields: Vec::new(),
        }
    }

    /// Lets the index and its new schema change places.
    pub fn switch_to(mut self, index: impl Into<String>) -> Self {
        self.switch_to = Some(index.into());
        self
    }

    /// How queries are shared out between the index and its new schema: weights of 0 to 100 that add
    /// up to 100. Not together with a [switch](Self::switch_to).
    pub fn query_flow_weights(
        mut self,
        weights: impl IntoIterator<Item = QueryFlowWeight>,
    ) -> Self {
        self.weights = weights.into_iter().collect();
        self
    }

    /// How long rows stay in the index.
    pub const fn time_to_live(mut self, time: TimeToLive) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// Adds a field. Rows that are in the index get it when they are written again.
    pub fn add_field(mut self, field: FieldSchema) -> Self {
        self.added_fields.push(field);
        self
    }
}

impl Request for UpdateSearchIndex {
    type Operation = operation::UpdateSearchIndex;
    type Output = ();

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn into_message(self) -> Result<messages::UpdateSearchIndexRequest, Error> {
        let table = &self.table;
        let refused =
            |problem| Error::request(format!("UpdateSearchIndex on table {table:?}: {problem}"));
        if self.switch_to.is_some() && !self.weights.is_empty() {
            return Err(refused(
                "a switch and weights can't be given together".to_owned(),
            ));
        }
        let fields = self.added_fields.iter().map(FieldSchema::to_message);
        let added_field_schemas = fields
            .collect::<Result<_, _>>()
            .map_err(|error| refused(error.to_string()))?;
        Ok(messages::UpdateSearchIndexRequest {
            table_name: Some(self.table),
            index_name: Some(self.index),
            switch_index_name: self.switch_to,
            query_flow_weight: self
                .weights
                .iter()
                .map(QueryFlowWeight::to_message)
                .collect(),
            time_to_live: self.time_to_live.map(TimeToLive::to_number),
            added_field_schemas,
        })
    }

    fn read(_: Reply<messages::UpdateSearchIndexResponse>) -> Result<(), Error> {
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

/// Describes a search index: its schema, how far it is, and what it holds.
///
/// Source: the service's documentation of DescribeSearchIndex.
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
    type Output = SearchIndexDescription;

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

    fn read(
        reply: Reply<messages::DescribeSearchIndexResponse>,
    ) -> Result<SearchIndexDescription, Error> {
        SearchIndexDescription::from_message(&reply.response).map_err(Error::body)
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
