//! The rows of one page of a Search, picked out of the table.

use std::sync::Arc;

use super::order::{Direction, Position, RowOrder};
use super::query::CompiledQuery;
use super::source::Source;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// What a page of a Search asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'s> {
    pub(crate) query: &'s CompiledQuery,
    pub(crate) order: &'s RowOrder,
    /// Only rows after this position count.
    pub(crate) after: Option<&'s Position<'s>>,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    /// Whether every match must be counted, wherever it stands.
    pub(crate) count: bool,
}

/// The rows of a page.
#[derive(Debug)]
pub(crate) struct Selected {
    /// In the order asked for.
    pub(crate) rows: Vec<Arc<StoredRow>>,
    /// Whether rows remain after them.
    pub(crate) more: bool,
    /// Every match, if they were to be counted.
    pub(crate) total: Option<usize>,
}

impl Selection<'_> {
    pub(crate) fn run(mut self, source: Source<'_>) -> Result<Selected, ServiceError> {
        let known = if self.count && self.query.is_match_all() {
            Some(source.len()?)
        } else {
            None
        };
        self.count &= known.is_none();
        let mut selected = match self.order.by_primary_key() {
            Some(direction) => self.in_key_order(source, direction)?,
            None => self.sorted(&source.all()?),
        };
        if known.is_some() {
            selected.total = known;
        }
        Ok(selected)
    }

    /// Rows lie in this order already, so the end of the page ends the search.
    fn in_key_order(
        &self,
        source: Source<'_>,
        direction: Direction,
    ) -> Result<Selected, ServiceError> {
        let mut page = Page::new(self);
        let after = self.after.and_then(Position::primary_key);
        // If matches are counted, those before the position are, too.
        let after = after.filter(|_| !self.count);
        source.visit(after, direction, |row| {
            !self.query.matches(row) || page.add(row)
        })?;
        Ok(page.finish())
    }

    fn sorted(&self, rows: &[Arc<StoredRow>]) -> Selected {
        let wanted = self.offset.saturating_add(self.limit);
        let mut total = 0;
        let mut seen = 0;
        let mut best = Vec::new();
        let compare = |a: &(Position<'_>, _), b: &(Position<'_>, _)| self.order.compare(&a.0, &b.0);
        for row in rows.iter().filter(|row| self.query.matches(row)) {
            total += 1;
            let position = self.order.position(row);
            if self.is_before(&position) {
                continue;
            }
            seen += 1;
            best.push((position, row));
            // Now and then all but the best are thrown away: memory for a page, not for a result.
            if wanted > 0 && best.len() >= wanted.saturating_mul(2).max(1024) {
                best.select_nth_unstable_by(wanted - 1, compare);
                best.truncate(wanted);
            }
        }
        // Stable, and rows came in the order of their keys: equal rows keep it.
        best.sort_by(compare);
        Selected {
            rows: best
                .into_iter()
                .skip(self.offset)
                .take(self.limit)
                .map(|(_, row)| Arc::clone(row))
                .collect(),
            more: seen > wanted,
            total: self.count.then_some(total),
        }
    }

    /// Whether a row isn't after the position, and so was returned by an earlier page.
    fn is_before(&self, position: &Position<'_>) -> bool {
        self.after
            .is_some_and(|after| self.order.compare(position, after).is_le())
    }
}

struct Page<'p, 's> {
    selection: &'p Selection<'s>,
    rows: Vec<Arc<StoredRow>>,
    seen: usize,
    total: usize,
}

impl<'p, 's> Page<'p, 's> {
    fn new(selection: &'p Selection<'s>) -> Self {
        Self {
            selection,
            rows: Vec::new(),
            seen: 0,
            total: 0,
        }
    }

    /// Takes a match; says whether more are wanted.
    fn add(&mut self, row: &Arc<StoredRow>) -> bool {
        let selection = self.selection;
        self.total += 1;
        // Without a count, the rows before the position weren't even looked at.
        if selection.count && selection.is_before(&selection.order.position(row)) {
            return true;
        }
        self.seen += 1;
        if self.seen > selection.offset && self.rows.len() < selection.limit {
            self.rows.push(Arc::clone(row));
        }
        selection.count || !self.is_over()
    }

    fn is_over(&self) -> bool {
        let selection = self.selection;
        self.seen > selection.offset.saturating_add(selection.limit)
    }

    fn finish(self) -> Selected {
        Selected {
            more: self.is_over(),
            rows: self.rows,
            total: self.selection.count.then_some(self.total),
        }
    }
}
