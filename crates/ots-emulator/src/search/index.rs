//! A search index: its schema as given, and as it is used.

use std::sync::Arc;

use ots_proto::messages::{self, PrimaryKeySort, SortOrder, Sorter};

use super::order::RowOrder;
use super::schema::Schema;
use crate::database::{TableMeta, TableOptions};
use crate::error::ServiceError;

/// A search index.
#[derive(Debug)]
pub(crate) struct SearchIndex {
    /// As given, with the defaults that Describe shows.
    pub(crate) message: messages::IndexSchema,
    pub(crate) schema: Arc<Schema>,
    /// The same for no other index, and not for a later one of the same name either.
    pub(crate) identity: u64,
    /// Microseconds since 1970.
    pub(crate) created_us: i64,
    /// Seconds that rows stay in it, -1 for ever; none if as long as in the table.
    pub(crate) time_to_live_s: Option<i32>,
    /// Of which index this is a new one, while the two stand side by side.
    pub(crate) source: Option<String>,
    /// How searches are shared between an index and its new one; kept with the former.
    pub(crate) weights: Vec<messages::QueryFlowWeight>,
}

impl SearchIndex {
    pub(crate) fn new(
        mut message: messages::IndexSchema,
        table: Arc<TableMeta>,
        created_us: i64,
        identity: u64,
    ) -> Result<Self, ServiceError> {
        let schema = Schema::parse(&message, table)?;
        if schema.has_nested() {
            // The service keeps the rows of such an index in no order.
            if message.index_sort.is_some() {
                return Err(ServiceError::parameter(
                    "a search index with a field of type NESTED has no index_sort",
                ));
            }
        } else {
            let sort = message.index_sort.get_or_insert_with(by_primary_key);
            RowOrder::parse(&schema, sort)?;
        }
        let setting = message.index_setting.get_or_insert_default();
        // Official SDKs always send 1.
        setting.number_of_shards.get_or_insert(1);
        Ok(Self {
            message,
            schema: Arc::new(schema),
            identity,
            created_us,
            time_to_live_s: None,
            source: None,
            weights: Vec::new(),
        })
    }

    /// Seconds that rows of the table stay in it, -1 for ever.
    pub(crate) fn time_to_live_s(&self, table: &TableOptions) -> i32 {
        self.time_to_live_s.unwrap_or(table.time_to_live_s)
    }

    /// The order of a search that asks for none.
    pub(crate) fn sort(&self) -> messages::Sort {
        self.message.index_sort.clone().unwrap_or_default()
    }
}

fn by_primary_key() -> messages::Sort {
    messages::Sort {
        sorter: vec![Sorter {
            pk_sort: Some(PrimaryKeySort {
                order: Some(SortOrder::Asc.into()),
            }),
            ..Sorter::default()
        }],
        disable_default_pk_sorter: None,
    }
}
