//! What is read of a table, apart from where.

use ots_core::filter::ReadFilter;
use ots_core::request::GetRange;
use ots_paging::{ErrorKind, NextPage, RangeCursor, ResumePoint};
use ots_proto::{ColumnName, PrimaryKey, PrimaryKeyColumn, PrimaryKeyValue};

use super::error::{TableScanError, TableScanErrorKind};
use super::source::ReadBy;

/// Everything that a page's request has, but for its keys.
#[derive(Clone)]
pub(super) struct Spec {
    pub(super) table: String,
    /// Leading columns; empty for the beginning of the table.
    pub(super) start: PrimaryKey,
    /// Leading columns; none for the end of the table.
    pub(super) end: Option<PrimaryKey>,
    pub(super) columns: Vec<String>,
    pub(super) filter: Option<ReadFilter>,
    pub(super) max_versions: Option<u32>,
    pub(super) limit: Option<u32>,
}

impl Spec {
    pub(super) fn request(&self, start: PrimaryKey, end: PrimaryKey) -> GetRange {
        // A scan would push out of the service's cache what others need.
        let request = GetRange::new(&self.table, start, end).without_cache();
        let mut request = request.columns(&self.columns);
        if let Some(filter) = &self.filter {
            request = request.filter(filter.clone());
        }
        if let Some(versions) = self.max_versions {
            request = request.max_versions(versions);
        }
        if let Some(rows) = self.limit {
            request = request.limit(rows);
        }
        request
    }

    pub(super) fn cursor(
        &self,
        start: PrimaryKey,
        end: PrimaryKey,
    ) -> Result<RangeCursor, ots_paging::Error> {
        RangeCursor::new(self.request(start, end))
    }

    /// What the scan asks for that BulkExport doesn't have; none when it has everything.
    pub(super) fn beyond_bulk_export(&self) -> Option<&'static str> {
        if self.max_versions.is_some_and(|versions| versions > 1) {
            return Some("BulkExport gives the newest version only");
        }
        if self.limit.is_some() {
            return Some("BulkExport has no limit of rows in a page");
        }
        match &self.filter {
            Some(ReadFilter::Columns(_)) => Some("BulkExport has no window of columns"),
            _ => None,
        }
    }

    /// Whether these columns are among those that are asked for by name.
    pub(super) fn names_all<'key>(
        &self,
        mut names: impl Iterator<Item = &'key ColumnName>,
    ) -> bool {
        let is_named = |name: &ColumnName| self.columns.iter().any(|column| **column == **name);
        !self.columns.is_empty() && names.all(is_named)
    }

    /// By what to read a table with these key columns; and why not by BulkExport, where that was to be
    /// tried.
    pub(super) fn read_by(
        &self,
        wanted: ReadBy,
        names: &[ColumnName],
    ) -> (ReadBy, Option<&'static str>) {
        if wanted != ReadBy::Auto {
            return (wanted, None);
        }
        let is_key = |column: &String| names.iter().any(|name| **name == **column);
        let rows_may_differ = !self.columns.is_empty() && !self.columns.iter().any(is_key);
        let why_not = self.beyond_bulk_export().or_else(|| {
            rows_may_differ.then_some(
                "no column of the key is named, and BulkExport may not leave out rows without the others",
            )
        });
        match why_not {
            Some(_) => (ReadBy::GetRange, why_not),
            None => (ReadBy::Auto, None),
        }
    }

    /// What can be found wrong before the first request.
    pub(super) fn check(&self) -> Result<(), TableScanError> {
        // The key's columns aren't known yet, and don't matter to the rest.
        let any = self.cursor(PrimaryKey::min(["key"]), PrimaryKey::max(["key"]));
        any.map(drop)
            .map_err(|error| TableScanError::new(TableScanErrorKind::Request).with_source(error))
    }

    /// All that is to be read, of a table with these key columns.
    pub(super) fn whole(
        &self,
        names: &[ColumnName],
    ) -> Result<(RangeCursor, PrimaryKey), TableScanError> {
        let other_columns = || TableScanError::new(TableScanErrorKind::Bounds);
        let start = padded(&self.start, names).ok_or_else(other_columns)?;
        let end = match &self.end {
            Some(end) => padded(end, names).ok_or_else(other_columns)?,
            None => PrimaryKey::max(names),
        };
        let cursor = self
            .cursor(start, end.clone())
            .map_err(|error| TableScanError::new(TableScanErrorKind::Request).with_source(error))?;
        Ok((cursor, end))
    }

    /// Whether a range of an earlier scan is what this one reads.
    pub(super) fn check_range(
        &self,
        start: &ResumePoint,
        end: &PrimaryKey,
    ) -> Result<(), TableScanError> {
        let other = || TableScanError::new(TableScanErrorKind::CheckpointOfOtherScan);
        let NextPage::From(from) = start.next() else {
            return Err(other());
        };
        let names = end.columns().iter().map(|column| column.name.clone());
        let names: Vec<ColumnName> = names.collect();
        let (whole, _) = self.whole(&names).map_err(|error| match error.kind() {
            TableScanErrorKind::Bounds => other(),
            _ => error,
        })?;
        if whole.position() != NextPage::From(from.clone()) {
            return Err(other());
        }
        // Bound to everything else by its hash: table, end, columns, filter, versions.
        match whole.resume(start) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::ResumePointOfOtherRange => Err(other()),
            Err(error) => Err(TableScanError::new(TableScanErrorKind::Request).with_source(error)),
        }
    }
}

/// A bound with every column of the key: those left out begin at `INF_MIN`. None when it isn't one
/// of a table with these columns.
fn padded(bound: &PrimaryKey, names: &[ColumnName]) -> Option<PrimaryKey> {
    let columns = bound.columns();
    let fits = columns.len() <= names.len()
        && columns
            .iter()
            .zip(names)
            .all(|(column, name)| column.name == *name);
    let values = columns
        .iter()
        .map(|PrimaryKeyColumn { value, .. }| value.clone());
    let values = values.chain(std::iter::repeat(PrimaryKeyValue::InfMin));
    fits.then(|| names.iter().zip(values).collect())
}
