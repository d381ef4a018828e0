//! Groups by the value of a field.

use super::super::error::SearchError;
use super::super::wire::{count32, count64, int32, int64, required};
use super::sort::{self, GroupBySorter};
use crate::messages;

/// A group for each value of a field, the largest groups first unless sorted otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct GroupByField {
    /// The field: LONG, KEYWORD, BOOLEAN or DATE.
    pub field: String,
    /// Groups wanted; the service takes 10 when absent, and at most 2,000.
    pub size: Option<u32>,
    /// The order of the groups: by the first sorter, where that leaves groups alike by the second.
    pub sorters: Vec<GroupBySorter>,
    /// Groups of fewer rows are left out.
    pub min_doc_count: Option<u64>,
}

impl GroupByField {
    pub(super) fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            size: None,
            sorters: Vec::new(),
            min_doc_count: None,
        }
    }

    /// At most so many groups.
    pub const fn size(mut self, groups: u32) -> Self {
        self.size = Some(groups);
        self
    }

    /// In this order, after the sorters given before.
    pub fn sort(mut self, sorter: GroupBySorter) -> Self {
        self.sorters.push(sorter);
        self
    }

    /// Without groups of fewer rows.
    pub const fn min_doc_count(mut self, rows: u64) -> Self {
        self.min_doc_count = Some(rows);
        self
    }

    pub(super) fn to_message(&self) -> messages::GroupByField {
        messages::GroupByField {
            field_name: Some(self.field.clone()),
            size: self.size.map(int32),
            sort: sort::to_message(&self.sorters),
            sub_aggs: None,
            sub_group_bys: None,
            min_doc_count: self.min_doc_count.map(int64),
        }
    }

    pub(super) fn from_message(message: &messages::GroupByField) -> Result<Self, SearchError> {
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            size: count32("size", message.size)?,
            sorters: sort::from_message(message.sort.as_ref())?,
            min_doc_count: count64("min_doc_count", message.min_doc_count)?,
        })
    }
}
