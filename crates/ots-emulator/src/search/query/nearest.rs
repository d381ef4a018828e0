//! The rows whose vectors are nearest to one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::doc::Doc;
use super::super::field::{Field, Scalar};
use super::super::kind::VectorKind;
use super::Node;
use crate::stored::{RowKey, StoredRow};

/// The rows whose vectors are nearest to one: exactly these, found by looking at all of them. The
/// service looks at some, and finds `top_k` in each of its partitions; there is one partition here.
#[derive(Clone, Debug)]
pub(crate) struct Nearest {
    pub(crate) field: Arc<Field>,
    pub(crate) kind: VectorKind,
    pub(crate) vector: Vec<f32>,
    pub(crate) top_k: usize,
    pub(crate) filter: Option<Node>,
    pub(crate) min_score: Option<f64>,
    pub(crate) weight: f64,
    /// Their scores. Rows written since aren't among them.
    pub(crate) found: BTreeMap<RowKey, f64>,
}

impl Nearest {
    pub(super) fn find(&mut self, rows: &[Arc<StoredRow>]) {
        if let Some(filter) = &mut self.filter {
            filter.find_nearest(rows);
        }
        let mut best: Vec<(f64, &Arc<StoredRow>)> = Vec::new();
        for row in rows {
            let doc = Doc::Row(row);
            if self
                .filter
                .as_ref()
                .is_some_and(|filter| !filter.matches(doc))
            {
                continue;
            }
            let mut score = None;
            self.field.all(doc, |value| {
                if let Scalar::Vector(vector) = value {
                    score = Some(self.kind.score(&self.vector, vector));
                }
            });
            let enough = |score: &f64| self.min_score.is_none_or(|min| *score >= min);
            if let Some(score) = score.filter(enough) {
                best.push((score, row));
            }
            // Memory for the nearest, not for all.
            if best.len() >= self.top_k.saturating_mul(2).max(1024) {
                self.keep_best(&mut best);
            }
        }
        self.keep_best(&mut best);
        self.found = best
            .into_iter()
            .map(|(score, row)| (Arc::clone(&row.key), score * self.weight))
            .collect();
    }

    /// Of rows equally near, those with the smaller keys.
    fn keep_best(&self, best: &mut Vec<(f64, &Arc<StoredRow>)>) {
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.key.cmp(&b.1.key)));
        best.truncate(self.top_k);
    }

    pub(super) fn score(&self, doc: Doc<'_>) -> Option<f64> {
        match doc {
            Doc::Row(row) => self.found.get(&row.key).copied(),
            Doc::Inner(_) => None,
        }
    }
}
