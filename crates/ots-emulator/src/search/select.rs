//! The rows of one page of a Search, picked out of the table.

use std::collections::HashSet;
use std::sync::Arc;

use super::field::{Field, Scalar};
use super::order::{Direction, Position, RowOrder};
use super::query::CompiledQuery;
use super::source::Source;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// What a page of a Search asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'s> {
    pub(crate) query: &'s CompiledQuery,
    /// What a row must match besides to be returned and counted.
    pub(crate) filter: Option<&'s CompiledQuery>,
    /// Of rows with the same value of this field only the first is returned. No page follows then.
    pub(crate) collapse: Option<&'s Field>,
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
    /// Their scores, if they are ordered by them; otherwise none.
    pub(crate) scores: Vec<f64>,
    /// Whether rows remain after them.
    pub(crate) more: bool,
    /// Every match, if they were to be counted.
    pub(crate) total: Option<usize>,
}

impl Selection<'_> {
    pub(crate) fn run(mut self, source: Source<'_>) -> Result<Selected, ServiceError> {
        let known = if self.count && self.query.is_match_all() && self.filter.is_none() {
            Some(source.len()?)
        } else {
            None
        };
        self.count &= known.is_none();
        let mut selected = match (self.order.by_primary_key(), self.collapse) {
            (Some(direction), None) => self.in_key_order(source, direction)?,
            _ => self.sorted(&source.all()?),
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
        source.visit(after, direction, |row| !self.matches(row) || page.add(row))?;
        Ok(page.finish())
    }

    fn matches(&self, row: &StoredRow) -> bool {
        self.query.matches(row) && self.filter.is_none_or(|filter| filter.matches(row))
    }

    fn sorted(&self, rows: &[Arc<StoredRow>]) -> Selected {
        let wanted = self.offset.saturating_add(self.limit);
        let needs_score = self.order.needs_score();
        let mut total = 0;
        let mut seen = 0;
        let mut best: Vec<Ranked<'_>> = Vec::new();
        let compare = |a: &Ranked<'_>, b: &Ranked<'_>| self.order.compare(&a.position, &b.position);
        for row in rows.iter().filter(|row| self.matches(row)) {
            total += 1;
            let score = if needs_score {
                self.query.score(row).unwrap_or(0.0)
            } else {
                0.0
            };
            let position = self.order.position(row, score);
            if self.is_before(&position) {
                continue;
            }
            seen += 1;
            best.push(Ranked {
                position,
                score,
                row,
            });
            // Now and then all but the best are thrown away: memory for a page, not for a result.
            if self.collapse.is_none()
                && wanted > 0
                && best.len() >= wanted.saturating_mul(2).max(1024)
            {
                best.select_nth_unstable_by(wanted - 1, compare);
                best.truncate(wanted);
            }
        }
        // Stable, and rows came in the order of their keys: equal rows keep it.
        best.sort_by(compare);
        if let Some(field) = self.collapse {
            let mut values = HashSet::new();
            best.retain(|ranked| values.insert(collapse_value(field, ranked.row)));
        }
        let (mut page, mut scores) = (Vec::new(), Vec::new());
        for ranked in best.into_iter().skip(self.offset).take(self.limit) {
            page.push(Arc::clone(ranked.row));
            if needs_score {
                scores.push(ranked.score);
            }
        }
        Selected {
            rows: page,
            scores,
            more: self.collapse.is_none() && seen > wanted,
            total: self.count.then_some(total),
        }
    }

    /// Whether a row isn't after the position, and so was returned by an earlier page.
    fn is_before(&self, position: &Position<'_>) -> bool {
        self.after
            .is_some_and(|after| self.order.compare(position, after).is_le())
    }
}

struct Ranked<'r> {
    position: Position<'r>,
    score: f64,
    row: &'r Arc<StoredRow>,
}

/// A value that rows are collapsed by. Rows without one are alike.
#[derive(PartialEq, Eq, Hash)]
enum CollapseValue {
    Missing,
    Long(i64),
    /// The bits of a DOUBLE.
    Double(u64),
    Text(String),
}

fn collapse_value(field: &Field, row: &StoredRow) -> CollapseValue {
    match field.scalar(row.into()) {
        Some(Scalar::Long(value)) => CollapseValue::Long(value),
        // Both zeros are one value.
        Some(Scalar::Double(value)) => CollapseValue::Double((value + 0.0).to_bits()),
        Some(Scalar::Text(value)) => CollapseValue::Text(value.to_owned()),
        _ => CollapseValue::Missing,
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
        if selection.count && selection.is_before(&selection.order.position(row, 0.0)) {
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
            scores: Vec::new(),
            total: self.selection.count.then_some(self.total),
        }
    }
}
