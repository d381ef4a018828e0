//! Rows as they are read, and changes of rows as they are written.

use crate::name::{ColumnName, NameCache};
use crate::primary_key::{PrimaryKey, PrimaryKeyColumn, PrimaryKeyValueRef};
use crate::value::{ColumnValue, ColumnValueRef};

/// A row that owns its values.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a key and cells, nothing more")]
pub struct Row {
    /// The primary key. Empty only where a response holds attribute columns alone.
    pub primary_key: PrimaryKey,
    /// The attribute cells. Versions of one column stand next to each other, newest first.
    pub cells: Vec<Cell>,
}

/// One version of one attribute column.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "complete by nature")]
pub struct Cell {
    /// The column's name.
    pub name: ColumnName,
    /// The value of this version.
    pub value: ColumnValue,
    /// The version, in milliseconds since 1970. Reads from a table carry it; a search index and
    /// writes that leave the choice to the service don't.
    pub timestamp_ms: Option<i64>,
}

impl Row {
    /// The newest value of the attribute column called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ColumnValue> {
        self.cells
            .iter()
            .find(|cell| cell.name == name)
            .map(|cell| &cell.value)
    }
}

impl Cell {
    /// A cell whose version the service will choose.
    #[must_use]
    pub fn new(name: impl Into<ColumnName>, value: impl Into<ColumnValue>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            timestamp_ms: None,
        }
    }

    /// The same cell with a version of its own.
    #[must_use]
    pub fn at(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }
}

/// A row whose names and values lie in the buffer of a response.
///
/// `'row` is the life of the list of cells, which the next row reuses; `'buf` that of the buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowRef<'row, 'buf> {
    pub(crate) key: &'row [KeyCellRef<'buf>],
    pub(crate) cells: &'row [CellRef<'buf>],
    pub(crate) delete_marker: bool,
}

/// One column of the primary key of a [`RowRef`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a name and a value, nothing more"
)]
pub struct KeyCellRef<'buf> {
    /// The column's name.
    pub name: &'buf str,
    /// The column's value.
    pub value: PrimaryKeyValueRef<'buf>,
}

/// One attribute cell of a [`RowRef`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CellRef<'buf> {
    /// The column's name.
    pub name: &'buf str,
    /// The value; absent only in deletions.
    pub value: Option<ColumnValueRef<'buf>>,
    /// What a row change does to the cell; absent means put.
    pub operation: Option<CellOperation>,
    /// The version, in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
}

/// What an update does to a cell, where it isn't a plain put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three operations of the format"
)]
pub enum CellOperation {
    /// Remove every version of the column.
    DeleteAllVersions,
    /// Remove the version with the cell's timestamp.
    DeleteOneVersion,
    /// Add the cell's integer to the newest version.
    Increment,
}

impl<'row, 'buf> RowRef<'row, 'buf> {
    /// The columns of the primary key, in the table's order.
    #[must_use]
    pub const fn primary_key(&self) -> &'row [KeyCellRef<'buf>] {
        self.key
    }

    /// The attribute cells, in the order of the buffer.
    #[must_use]
    pub const fn cells(&self) -> &'row [CellRef<'buf>] {
        self.cells
    }

    /// Whether the row is marked as deleted. Only changes of rows can be.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.delete_marker
    }

    /// The newest value of the attribute column called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ColumnValueRef<'buf>> {
        self.cells
            .iter()
            .find(|cell| cell.name == name)
            .and_then(|cell| cell.value)
    }

    /// A copy that owns its values; `names` lets the rows of a page share their names.
    #[must_use]
    pub fn to_row(&self, names: &mut NameCache) -> Row {
        let primary_key = self.to_primary_key(names);
        // At once for all cells: only deletions have no value, and they are no rows.
        let mut cells = Vec::with_capacity(self.cells.len());
        cells.extend(self.cells.iter().filter_map(|cell| {
            let value = cell.value?.to_owned();
            Some(Cell {
                name: names.get(cell.name),
                value,
                timestamp_ms: cell.timestamp_ms,
            })
        }));
        Row { primary_key, cells }
    }

    /// A copy of the primary key that owns its values.
    #[must_use]
    pub fn to_primary_key(&self, names: &mut NameCache) -> PrimaryKey {
        self.key
            .iter()
            .map(|cell| (names.get(cell.name), cell.value.to_owned()))
            .collect()
    }
}

/// A change of one row: what PutRow, UpdateRow, DeleteRow and BatchWriteRow carry.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the three ways to change a row")]
pub enum RowChange {
    /// Replace the whole row.
    Put(Row),
    /// Change single cells, creating the row if need be.
    Update(RowUpdate),
    /// Remove the row.
    Delete(PrimaryKey),
}

/// Changes of single cells of a row.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a key and cells, nothing more")]
pub struct RowUpdate {
    /// The row to change.
    pub primary_key: PrimaryKey,
    /// The changes, applied in order.
    pub cells: Vec<CellUpdate>,
}

/// A change of one cell.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the four operations of the format")]
pub enum CellUpdate {
    /// Write a version.
    Put(Cell),
    /// Remove the version of `name` with this timestamp.
    DeleteOneVersion {
        /// The column's name.
        name: ColumnName,
        /// The version, in milliseconds since 1970.
        timestamp_ms: i64,
    },
    /// Remove every version of the column.
    DeleteAllVersions {
        /// The column's name.
        name: ColumnName,
    },
    /// Add to the newest version; an absent column counts as zero.
    Increment {
        /// The column's name.
        name: ColumnName,
        /// What to add; may be negative.
        by: i64,
    },
}

impl RowUpdate {
    /// An update of the row with this key, to be filled by the other methods.
    #[must_use]
    pub const fn new(primary_key: PrimaryKey) -> Self {
        Self {
            primary_key,
            cells: Vec::new(),
        }
    }

    /// Writes a value.
    #[must_use]
    pub fn put(mut self, name: impl Into<ColumnName>, value: impl Into<ColumnValue>) -> Self {
        self.cells.push(CellUpdate::Put(Cell::new(name, value)));
        self
    }

    /// Removes one version.
    #[must_use]
    pub fn delete_one_version(mut self, name: impl Into<ColumnName>, timestamp_ms: i64) -> Self {
        self.cells.push(CellUpdate::DeleteOneVersion {
            name: name.into(),
            timestamp_ms,
        });
        self
    }

    /// Removes a column.
    #[must_use]
    pub fn delete_all_versions(mut self, name: impl Into<ColumnName>) -> Self {
        self.cells
            .push(CellUpdate::DeleteAllVersions { name: name.into() });
        self
    }

    /// Adds to an integer column.
    #[must_use]
    pub fn increment(mut self, name: impl Into<ColumnName>, by: i64) -> Self {
        self.cells.push(CellUpdate::Increment {
            name: name.into(),
            by,
        });
        self
    }
}

impl RowChange {
    /// The key of the row that is changed.
    #[must_use]
    pub const fn primary_key(&self) -> &PrimaryKey {
        match self {
            Self::Put(row) => &row.primary_key,
            Self::Update(update) => &update.primary_key,
            Self::Delete(primary_key) => primary_key,
        }
    }

    /// The key alone.
    #[must_use]
    pub fn into_primary_key(self) -> PrimaryKey {
        match self {
            Self::Put(row) => row.primary_key,
            Self::Update(update) => update.primary_key,
            Self::Delete(primary_key) => primary_key,
        }
    }
}

impl Row {
    /// A row with this key and no cells yet.
    #[must_use]
    pub const fn new(primary_key: PrimaryKey) -> Self {
        Self {
            primary_key,
            cells: Vec::new(),
        }
    }

    /// Adds a cell whose version the service will choose.
    #[must_use]
    pub fn cell(mut self, name: impl Into<ColumnName>, value: impl Into<ColumnValue>) -> Self {
        self.cells.push(Cell::new(name, value));
        self
    }

    /// The key columns, in the table's order.
    #[must_use]
    pub fn key_columns(&self) -> &[PrimaryKeyColumn] {
        self.primary_key.columns()
    }
}
