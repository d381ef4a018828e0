//! Where a check runs: a client, and the fixture's tables under names that nobody else uses.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt as _;
use ots_core::request::{
    BatchWriteRow, CreateSearchIndex, CreateTable, DeleteSearchIndex, DeleteTable, GetRange,
    GetRow, ListSearchIndex, ListTable, Search, TableWrites,
};
use ots_core::{Client, ColumnValue, Error, ErrorCode, PrimaryKey, PrimaryKeyValue, Query};
use ots_paging::RangeExt as _;
use ots_proto::messages::{FieldType, PrimaryKeyType};
use ots_scan::{Limiter, ScanBuilder};

use crate::canonical::{Row, Value};
use crate::fixture::{Fixture, KeyColumnSchema, Table};

pub(crate) use crate::own_client::bounds;

/// The index on the table `bulk`.
pub const INDEX: &str = "bulk_index";

/// A client, and names that no other check uses.
#[derive(Clone, Debug)]
pub struct Place {
    client: Client,
    prefix: String,
    fixture: Fixture,
}

impl Place {
    /// A place on the client's instance.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let prefix = format!("own_{:016x}", fastrand::u64(..));
        let fixture = Fixture::new(&prefix);
        Self {
            client,
            prefix,
            fixture,
        }
    }

    /// The same names and values, reached by another client.
    #[must_use]
    pub fn reached_by(&self, client: Client) -> Self {
        let mut place = self.clone();
        place.client = client;
        place
    }

    /// The client.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// A name for a table or an index of one's own.
    #[must_use]
    pub fn name(&self, role: &str) -> String {
        format!("{}_{role}", self.prefix)
    }

    /// When explicit versions begin: an hour ago, so that the service takes them.
    #[must_use]
    pub const fn base_version_ms(&self) -> i64 {
        self.fixture.base_version_ms
    }

    /// A table of the fixture, whether it was created or not.
    #[must_use]
    pub fn table(&self, role: &str) -> &Table {
        self.fixture.table(role).expect("a role of the fixture")
    }

    /// Creates a table, and waits until it can be used.
    pub async fn create(&self, create: CreateTable, key: PrimaryKey, table: &str) {
        self.client.send(create).await.unwrap();
        let deadline = Instant::now() + PATIENCE;
        // A new table of the real service takes a while; the emulator's is there at once.
        while let Err(error) = self.client.send(GetRow::new(table, key.clone())).await {
            let is_new = matches!(
                error.code(),
                Some(ErrorCode::TableNotReady | ErrorCode::ObjectNotExist)
            );
            assert!(is_new && Instant::now() < deadline, "{error:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Creates a table with an integer key `id` that keeps some versions, and returns its name.
    pub async fn numbered(&self, role: &str, max_versions: u32) -> String {
        let table = self.name(role);
        let create = CreateTable::new(&table)
            .primary_key("id", PrimaryKeyType::Integer)
            .max_versions(max_versions);
        self.create(create, key(0), &table).await;
        table
    }

    /// Creates a table of the fixture and writes its rows, last row first, so that the order they
    /// come back in is the service's. Returns the rows in key order.
    pub async fn load(&self, role: &str) -> &[Row] {
        let table = self.table(role);
        let key = table.primary_key.iter();
        let create = key.clone().fold(
            CreateTable::new(&table.name).max_versions(table.max_versions),
            |create, column| create.primary_key(column.name, key_type(column)),
        );
        let zero = key.map(|column| {
            let zero = match key_type(column) {
                PrimaryKeyType::Integer => 0.into(),
                PrimaryKeyType::String => "".into(),
                PrimaryKeyType::Binary | PrimaryKeyType::Boolean => Bytes::new().into(),
            };
            (column.name, zero)
        });
        let zero: PrimaryKey = zero
            .collect::<Vec<(_, PrimaryKeyValue)>>()
            .into_iter()
            .collect();
        self.create(create, zero, &table.name).await;
        let rows: Vec<_> = table.rows.iter().rev().map(to_row).collect();
        insert(&self.client, &table.name, &rows).await;
        &table.rows
    }

    /// Loads the table `bulk`, creates its index and waits until the index has every row. Returns
    /// the rows in key order.
    pub async fn load_index(&self) -> &[Row] {
        let rows = self.load("bulk").await;
        let table = &self.table("bulk").name;
        let fields = self.fixture.index.fields.iter();
        let create = fields.fold(CreateSearchIndex::new(table, INDEX), |create, field| {
            create.field(field.name, field_type(field.field_type))
        });
        self.client.send(create).await.unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = Search::new(table, INDEX, Query::MatchAll)
                .limit(0)
                .count_all();
            let found = self.client.send(all).await;
            let total = found.as_ref().ok().and_then(|reply| reply.total());
            if total == u64::try_from(rows.len()).ok() {
                return rows;
            }
            assert!(Instant::now() < deadline, "the index has {found:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The row with the columns of the index only, as a scan returns it.
    #[must_use]
    pub fn indexed(&self, row: &Row) -> Row {
        let fields = self.fixture.index.fields.iter();
        let names: Vec<&str> = fields.map(|field| field.name).collect();
        row.clone().with_columns(&names)
    }

    /// Removes every table of this place, its indexes first.
    ///
    /// # Errors
    /// When one of them can't be removed.
    pub async fn remove_tables(&self) -> Result<(), Error> {
        let own = |name: &String| name.starts_with(&self.prefix);
        let tables = self.client.send(ListTable::new()).await?;
        for table in tables.into_iter().filter(own) {
            for name in self
                .client
                .send(ListSearchIndex::new().table(&table))
                .await?
            {
                let delete = DeleteSearchIndex::new(&table, name.index);
                self.client.send(delete).await?;
            }
            self.client.send(DeleteTable::new(&table)).await?;
        }
        Ok(())
    }
}

/// The key of a table made by [`Place::numbered`].
#[must_use]
pub fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

/// Changes that put rows, as one request.
pub fn insert_request(table: &str, rows: &[ots_core::Row]) -> BatchWriteRow {
    let changes = rows.iter().cloned().map(ots_core::RowChange::Put);
    BatchWriteRow::new().table(TableWrites::new(table).changes(changes))
}

async fn insert(client: &Client, table: &str, rows: &[ots_core::Row]) {
    for rows in rows.chunks(BATCH_ROWS) {
        let results = client.send(insert_request(table, rows)).await.unwrap();
        for result in results.into_iter().flatten() {
            result.unwrap();
        }
    }
}

/// All rows of a range, without the versions that the service chose.
pub async fn read_range(client: &Client, range: GetRange) -> Vec<Row> {
    let rows: Vec<ots_core::Row> = range.rows(client).try_collect().await.unwrap();
    rows.iter().map(canonical).collect()
}

/// All rows of a scan in key order, which the scan itself doesn't promise.
pub async fn scan_rows(scan: ScanBuilder<Client>) -> Vec<Row> {
    let rows = scan.open().await.unwrap().rows();
    let rows: Vec<ots_core::Row> = rows.try_collect().await.unwrap();
    in_key_order(rows.iter().map(canonical))
}

/// Waits until nobody holds a permit. A task given up while it runs in another thread lets go of its
/// permit when it next waits, not at once.
///
/// # Panics
/// When a permit is still held after all this time: it is lost.
pub async fn released(limiter: &Limiter) {
    let released = async {
        while limiter.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let released = tokio::time::timeout(PATIENCE, released).await;
    assert!(released.is_ok(), "{} permits are lost", limiter.in_flight());
}

/// Rows in key order.
#[must_use]
pub fn in_key_order(rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.into_iter().collect();
    rows.sort_by(Row::key_order);
    rows
}

/// A row as the fixture has it: doubles by their bits, without the version that the service chose.
#[must_use]
pub fn canonical(row: &ots_core::Row) -> Row {
    crate::own_client::canonical(row)
        .unwrap()
        .without_timestamps()
}

fn to_row(row: &Row) -> ots_core::Row {
    let key = row.primary_key.iter().map(|column| {
        let value: PrimaryKeyValue = match &column.value {
            Value::Integer(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::Binary(value) => Bytes::copy_from_slice(value).into(),
            other => panic!("{other:?} in a key"),
        };
        (column.name.as_str(), value)
    });
    let new = ots_core::Row::new(key.collect());
    row.columns.iter().fold(new, |row, cell| {
        let value: ColumnValue = match &cell.value {
            Value::Integer(value) => (*value).into(),
            Value::Double(bits) => f64::from_bits(*bits).into(),
            Value::Boolean(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::Binary(value) => value.clone().into(),
        };
        row.cell(cell.name.as_str(), value)
    })
}

fn key_type(column: &KeyColumnSchema) -> PrimaryKeyType {
    match column.key_type {
        "integer" => PrimaryKeyType::Integer,
        "string" => PrimaryKeyType::String,
        "binary" => PrimaryKeyType::Binary,
        other => panic!("no key has the type {other}"),
    }
}

fn field_type(name: &str) -> FieldType {
    match name {
        "long" => FieldType::Long,
        "double" => FieldType::Double,
        "boolean" => FieldType::Boolean,
        "keyword" => FieldType::Keyword,
        "text" => FieldType::Text,
        other => panic!("no field of the fixture has the type {other}"),
    }
}

const BATCH_ROWS: usize = 200;
/// How long a real instance may take for a table or an index, and a busy machine for anything.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(500);
