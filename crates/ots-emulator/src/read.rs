//! GetRow: one row as a selection shows it, written straight from where it is stored.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ots_proto::KeyCellRef;
use ots_proto::messages::{GetRowRequest, GetRowResponse};
use ots_proto::plainbuffer::{RowWriter, Writer};

use crate::capacity::{self, Units};
use crate::database::{Database, Table, TableMeta, TableOptions, lock};
use crate::error::ServiceError;
use crate::filter::Found;
use crate::names;
use crate::page::key_buffer;
use crate::schema::{self, Role};
use crate::selection::{Selection, SelectionFields};
use crate::settings::Context;
use crate::stored::{StoredColumn, StoredRow, Version};
use crate::versions::Visibility;
use crate::wide_row::CellPlace;

/// Reads one row.
pub(crate) fn get_row(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: GetRowRequest,
) -> Result<GetRowResponse, ServiceError> {
    names::table(&request.table_name)?;
    if request.transaction_id.is_some() {
        return Err(ServiceError::unimplemented("local transactions"));
    }
    let selection = Selection::parse(&SelectionFields {
        columns_to_get: &request.columns_to_get,
        time_range: request.time_range.as_ref(),
        max_versions: request.max_versions,
        filter: request.filter.as_deref(),
        start_column: request.start_column.as_deref(),
        end_column: request.end_column.as_deref(),
        no_version_text: NO_VERSION,
    })?;
    let key = schema::parse_key(&request.primary_key, Role::Read)?;
    let from = CellPlace::parse(request.token.as_deref(), &request.table_name, &key)?;
    let (source, row) = {
        let database = lock(database);
        let table = database.table(&request.table_name)?;
        (Source::of(table), find(table, &key)?)
    };
    let read = source.write(context, &selection, row.as_deref(), from.as_ref());
    Ok(GetRowResponse {
        consumed: read.units.to_message(),
        row: read.row,
        next_token: read.next_token,
    })
}

/// The stored row with this key. Only the pointer is taken under the lock.
pub(crate) fn find(
    table: &Table,
    key: &[KeyCellRef<'_>],
) -> Result<Option<Arc<StoredRow>>, ServiceError> {
    schema::check_schema(&table.meta, key)?;
    Ok(table.rows.get(&schema::row_key(key)).map(Arc::clone))
}

/// What must be known of a table to write its rows after the lock is gone.
#[derive(Debug)]
pub(crate) struct Source {
    meta: Arc<TableMeta>,
    options: TableOptions,
}

impl Source {
    pub(crate) fn of(table: &Table) -> Self {
        Self {
            meta: Arc::clone(&table.meta),
            options: table.options,
        }
    }

    /// A row that was found, as it is shown, from the cell `from` on if there is one.
    pub(crate) fn write(
        &self,
        context: &Context<'_>,
        selection: &Selection,
        row: Option<&StoredRow>,
        from: Option<&CellPlace>,
    ) -> ReadRow {
        let view = View::new(&self.meta, &self.options, selection, context.now_ms);
        let Some(row) = row else {
            return ReadRow::absent(0);
        };
        let seen = view.look(row);
        if !seen.is_shown {
            return ReadRow::absent(seen.bytes);
        }
        let most_bytes = context.settings.wide_row_bytes;
        let mut writer = Writer::new();
        if from.is_none() && seen.bytes <= most_bytes {
            view.write(row, &mut writer);
            return ReadRow {
                units: Units::read(seen.bytes),
                row: writer.finish(),
                next_token: None,
            };
        }
        let part = view.write_part(row, from, most_bytes, &mut writer);
        let to_token = |place: CellPlace| {
            let key = key_buffer(&self.meta, &row.key);
            place.to_token(&self.meta.name, &key)
        };
        ReadRow {
            units: Units::read(part.bytes),
            row: writer.finish(),
            next_token: part.next.map(to_token),
        }
    }
}

/// One row as a response has it.
#[derive(Debug)]
pub(crate) struct ReadRow {
    pub(crate) units: Units,
    /// No bytes where there is nothing to show.
    pub(crate) row: Bytes,
    /// Leads to the rest of a row that was cut.
    pub(crate) next_token: Option<Bytes>,
}

impl ReadRow {
    fn absent(bytes: usize) -> Self {
        Self {
            units: Units::read(bytes),
            row: Bytes::new(),
            next_token: None,
        }
    }
}

/// What GetRow and GetRange say when no version is asked for.
pub(crate) const NO_VERSION: &str = "No version condition is specified.";

/// A table seen through a selection at one moment.
#[derive(Debug)]
pub(crate) struct View<'a> {
    meta: &'a TableMeta,
    selection: &'a Selection,
    visibility: Visibility,
    timestamp_bytes: usize,
    /// Whether `columns_to_get` names a key column: every row has that.
    names_key: bool,
    /// Whether rows carry their whole key, or only the key columns that are named.
    whole_key: bool,
}

/// What was written of a row that doesn't fit in one response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) bytes: usize,
    /// The first cell that wasn't written.
    pub(crate) next: Option<CellPlace>,
}

/// What a row looks like, before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whether the row is returned at all.
    pub(crate) is_shown: bool,
    /// What reading it costs. A filter doesn't lower it.
    pub(crate) bytes: usize,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        meta: &'a TableMeta,
        options: &TableOptions,
        selection: &'a Selection,
        now_ms: i64,
    ) -> Self {
        let names_key = selection
            .columns
            .as_ref()
            .is_some_and(|columns| columns.iter().any(|name| meta.key_index(name).is_some()));
        Self {
            meta,
            selection,
            visibility: Visibility::at(now_ms, options),
            timestamp_bytes: capacity::timestamp_bytes(options),
            names_key,
            whole_key: true,
        }
    }

    /// Leaves out the key columns that `columns_to_get` doesn't name.
    pub(crate) fn with_named_key_columns_only(mut self) -> Self {
        self.whole_key = false;
        self
    }

    /// Counts no bytes for timestamps, whatever the table is.
    pub(crate) const fn with_timestamps_for_free(mut self) -> Self {
        self.timestamp_bytes = 0;
        self
    }

    /// Measures a row and decides whether it is returned.
    pub(crate) fn look(&self, row: &StoredRow) -> Seen {
        const NOTHING: Seen = Seen {
            is_shown: false,
            bytes: 0,
        };
        if !self.visibility.shows(row) {
            return NOTHING;
        }
        let mut cells = 0;
        let mut bytes = 0;
        self.each_column(row, |name, versions| {
            for version in versions {
                cells += 1;
                bytes += self.cell_bytes(name, version);
            }
        });
        // Seen in official SDKs' tests: a row without any of the columns asked for is absent, one
        // whose cells are all outside the time range is not, if no columns were asked for.
        if self.selection.columns.is_some() && cells == 0 && !self.names_key {
            return NOTHING;
        }
        Seen {
            is_shown: self.passes(row),
            bytes: self.key_bytes(row) + bytes,
        }
    }

    fn key_bytes(&self, row: &StoredRow) -> usize {
        capacity::key_bytes(self.meta, row.key.iter().map(|value| value.as_ref()))
    }

    fn cell_bytes(&self, name: &str, version: &Version) -> usize {
        name.len() + capacity::value_bytes(version.value.as_ref()) + self.timestamp_bytes
    }

    /// Writes a row that is returned: its key, then its columns by name, newest version first.
    pub(crate) fn write(&self, row: &StoredRow, writer: &mut Writer) {
        let mut out = writer.begin_row();
        self.write_key(row, &mut out);
        self.each_column(row, |name, versions| {
            for version in versions {
                out.cell(name, version.value.as_ref(), Some(version.timestamp_ms));
            }
        });
        out.end();
    }

    /// Writes the key of a row that is returned, and its cells from `from` on, until they have
    /// `most_bytes`; one cell at least, if there is one.
    pub(crate) fn write_part(
        &self,
        row: &StoredRow,
        from: Option<&CellPlace>,
        most_bytes: usize,
        writer: &mut Writer,
    ) -> Part {
        let mut out = writer.begin_row();
        self.write_key(row, &mut out);
        let key_bytes = self.key_bytes(row);
        let mut bytes = key_bytes;
        let mut next = None;
        self.each_column(row, |name, versions| {
            for version in versions {
                let is_due = from.is_none_or(|from| from.is_reached_by(name, version));
                if !is_due || next.is_some() {
                    continue;
                }
                let cell_bytes = self.cell_bytes(name, version);
                if bytes > key_bytes && bytes + cell_bytes > most_bytes {
                    next = Some(CellPlace::new(name, version));
                    continue;
                }
                bytes += cell_bytes;
                out.cell(name, version.value.as_ref(), Some(version.timestamp_ms));
            }
        });
        out.end();
        Part { bytes, next }
    }

    fn write_key(&self, row: &StoredRow, out: &mut RowWriter<'_>) {
        for (column, value) in self.meta.primary_key.iter().zip(row.key.iter()) {
            let named = || {
                let columns = self.selection.columns.as_ref();
                columns.is_none_or(|columns| columns.contains(&column.name))
            };
            if self.whole_key || named() {
                out.key(&column.name, value.as_ref());
            }
        }
    }

    /// Every column to return, with the versions to return; none of them empty.
    pub(crate) fn each_column<'r>(
        &self,
        row: &'r StoredRow,
        mut visit: impl FnMut(&'r str, &'r [Version]),
    ) {
        let mut skip = self.selection.pagination.map_or(0, |page| page.offset);
        let mut left = self
            .selection
            .pagination
            .map_or(usize::MAX, |page| page.limit);
        let mut column = |column: &'r StoredColumn| {
            if !self.selection.in_window(&column.name) {
                return;
            }
            let versions = self.wanted(&column.versions);
            if versions.is_empty() {
                return;
            }
            if skip > 0 {
                skip -= 1;
            } else if left > 0 {
                left -= 1;
                visit(&column.name, versions);
            }
        };
        match &self.selection.columns {
            None => row.columns.iter().for_each(column),
            Some(names) => names
                .iter()
                .filter_map(|name| row.column(name))
                .for_each(&mut column),
        }
    }

    fn wanted<'r>(&self, versions: &'r [Version]) -> &'r [Version] {
        self.selection.versions.of(self.visibility.of(versions))
    }

    /// The filter sees what the selection leaves: a column that isn't wanted counts as missing. Key
    /// columns are always there.
    fn passes(&self, row: &StoredRow) -> bool {
        let Some(filter) = &self.selection.filter else {
            return true;
        };
        filter.passes(&|name: &str| match self.meta.key_value(row, name) {
            Some(value) => Found::Key(value.as_ref()),
            None if self.selection.wants(name) => Found::Versions(self.wanted(row.versions(name))),
            None => Found::Versions(&[]),
        })
    }
}
