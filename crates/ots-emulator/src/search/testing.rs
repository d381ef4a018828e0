//! Small tables and schemas for the tests of this module.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ots_proto::messages::{self, FieldSchema, FieldType, PrimaryKeySchema, PrimaryKeyType};
use ots_proto::plainbuffer::{Accept, read_row};
use ots_proto::{ColumnName, ColumnValue, NameCache};
use prost::Message;

use super::handlers;
use super::schema::Schema;
use crate::clock::{Clock, ManualClock};
use crate::database::{Database, Table, TableMeta, TableOptions, Throughput, lock};
use crate::error::ServiceError;
use crate::random::Random;
use crate::recent::Recent;
use crate::settings::{Context, Settings};
use crate::stored::{StoredColumn, StoredRow, Version};

/// A table `t` whose key is one integer, `id`.
pub(crate) fn table_meta() -> TableMeta {
    TableMeta {
        name: "t".to_owned(),
        primary_key: vec![PrimaryKeySchema {
            name: "id".to_owned(),
            r#type: PrimaryKeyType::Integer.into(),
            option: None,
        }],
    }
}

pub(crate) fn field(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema {
        field_name: Some(name.to_owned()),
        field_type: Some(kind.into()),
        ..FieldSchema::default()
    }
}

pub(crate) fn array(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema {
        is_array: Some(true),
        ..field(name, kind)
    }
}

/// One field of each kind, and arrays: `l d b k x g t`, `la ka`; `off` isn't indexed.
pub(crate) fn fields() -> Vec<FieldSchema> {
    vec![
        field("l", FieldType::Long),
        field("d", FieldType::Double),
        field("b", FieldType::Boolean),
        field("k", FieldType::Keyword),
        field("x", FieldType::Text),
        field("g", FieldType::GeoPoint),
        FieldSchema {
            date_formats: vec!["epoch_second".to_owned()],
            ..field("t", FieldType::Date)
        },
        array("la", FieldType::Long),
        array("ka", FieldType::Keyword),
        array("ga", FieldType::GeoPoint),
        FieldSchema {
            index: Some(false),
            ..field("off", FieldType::Long)
        },
        FieldSchema {
            analyzer: Some("fuzzy".to_owned()),
            analyzer_parameter: Some(
                messages::FuzzyAnalyzerParameter {
                    min_chars: Some(2),
                    max_chars: Some(7),
                    case_sensitive: None,
                }
                .encode_to_vec()
                .into(),
            ),
            ..field("z", FieldType::Text)
        },
        field("fk", FieldType::FuzzyKeyword),
        FieldSchema {
            enable_highlighting: Some(true),
            ..field("h", FieldType::Text)
        },
        FieldSchema {
            vector_options: Some(messages::VectorOptions {
                data_type: None,
                dimension: Some(2),
                metric_type: Some(messages::VectorMetricType::Euclidean.into()),
            }),
            ..field("v", FieldType::Vector)
        },
        field("ip", FieldType::Ip),
    ]
}

/// A NESTED field `n` of `k`, `l` and a highlighted `x`.
pub(crate) fn nested_field() -> FieldSchema {
    FieldSchema {
        field_schemas: vec![
            field("k", FieldType::Keyword),
            field("l", FieldType::Long),
            FieldSchema {
                enable_highlighting: Some(true),
                ..field("x", FieldType::Text)
            },
        ],
        ..field("n", FieldType::Nested)
    }
}

pub(crate) fn index_schema() -> messages::IndexSchema {
    messages::IndexSchema {
        field_schemas: fields(),
        ..messages::IndexSchema::default()
    }
}

pub(crate) fn schema() -> Schema {
    Schema::parse(&index_schema(), Arc::new(table_meta())).unwrap()
}

pub(crate) fn row(id: i64, cells: &[(&str, ColumnValue)]) -> StoredRow {
    let mut columns: Vec<_> = cells
        .iter()
        .map(|(name, value)| StoredColumn {
            name: ColumnName::from(*name),
            versions: Version {
                timestamp_ms: 1000,
                value: value.clone(),
            }
            .into(),
        })
        .collect();
    columns.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    StoredRow {
        key: [id.into()].into(),
        columns,
    }
}

/// An emulator's inside with the table `t` and its index `i`, called without HTTP.
pub(crate) struct Bench {
    pub(crate) database: Mutex<Database>,
    pub(crate) settings: Settings,
    random: Random,
    pub(crate) clock: ManualClock,
}

impl Bench {
    /// With these rows and an index on the fields of [`fields`].
    pub(crate) fn with_rows(rows: impl IntoIterator<Item = StoredRow>) -> Self {
        let bench = Self {
            database: Mutex::new(Database::default()),
            settings: Settings::default(),
            random: Random::new(0),
            clock: ManualClock::at_ms(1_000_000),
        };
        lock(&bench.database)
            .tables
            .insert("t".to_owned(), table(rows));
        bench
            .locked(handlers::create_search_index, create_index("i"))
            .unwrap();
        bench
    }

    /// With these rows and an index that has the NESTED field of [`nested_field`], too.
    pub(crate) fn with_nested_rows(rows: impl IntoIterator<Item = StoredRow>) -> Self {
        let bench = Self::with_rows(rows);
        let request = messages::DeleteSearchIndexRequest {
            table_name: Some("t".to_owned()),
            index_name: Some("i".to_owned()),
        };
        bench
            .unlocked(handlers::delete_search_index, request)
            .unwrap();
        let mut create = create_index("i");
        create
            .schema
            .get_or_insert_default()
            .field_schemas
            .push(nested_field());
        bench.locked(handlers::create_search_index, create).unwrap();
        bench
    }

    /// With rows whose `id` and `l` count up from 0.
    pub(crate) fn counting(rows: i64) -> Self {
        Self::with_rows((0..rows).map(|n| row(n, &[("l", n.into())])))
    }

    pub(crate) fn put(&self, row: StoredRow) {
        let mut database = lock(&self.database);
        let table = database.tables.get_mut("t").unwrap();
        table.rows.insert(Arc::clone(&row.key), Arc::new(row));
    }

    pub(crate) fn clear(&self) {
        let mut database = lock(&self.database);
        database.tables.get_mut("t").unwrap().rows.clear();
    }

    /// Calls a handler that is given the locked database.
    pub(crate) fn locked<Q, R>(
        &self,
        handler: fn(&Context<'_>, &mut Database, Q) -> Result<R, ServiceError>,
        request: Q,
    ) -> Result<R, ServiceError> {
        handler(&self.context(), &mut lock(&self.database), request)
    }

    /// Calls a handler that locks the database itself.
    pub(crate) fn unlocked<Q, R>(
        &self,
        handler: fn(&Context<'_>, &Mutex<Database>, Q) -> Result<R, ServiceError>,
        request: Q,
    ) -> Result<R, ServiceError> {
        handler(&self.context(), &self.database, request)
    }

    fn context(&self) -> Context<'_> {
        Context::new(&self.settings, &self.random, self.clock.now_ms())
    }
}

pub(crate) fn create_index(name: &str) -> messages::CreateSearchIndexRequest {
    messages::CreateSearchIndexRequest {
        table_name: "t".to_owned(),
        index_name: name.to_owned(),
        schema: Some(index_schema()),
        source_index_name: None,
        time_to_live: Some(-1),
    }
}

/// The `id` of each row of a response.
pub(crate) fn ids(rows: &[Bytes]) -> Vec<i64> {
    rows.iter()
        .map(|row| {
            let row = read_row(row, Accept::Rows).unwrap();
            row.primary_key.get("id").unwrap().as_integer().unwrap()
        })
        .collect()
}

fn table(rows: impl IntoIterator<Item = StoredRow>) -> Table {
    Table {
        defined_columns: Vec::new(),
        meta: Arc::new(table_meta()),
        options: TableOptions {
            time_to_live_s: -1,
            max_versions: 1,
            max_deviation_s: 86400,
            allow_update: true,
        },
        throughput: Throughput::default(),
        stream: None,
        encryption: None,
        split_points: Vec::new(),
        created_us: 0,
        rows: rows
            .into_iter()
            .map(|row| (Arc::clone(&row.key), Arc::new(row)))
            .collect(),
        indexes: BTreeMap::new(),
        recent: Recent::default(),
        names: NameCache::default(),
        last_generated: 0,
        last_version_ms: 0,
    }
}
