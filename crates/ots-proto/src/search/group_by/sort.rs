//! The order of groups.

use super::super::error::SearchError;
use super::super::wire::{known, only_one, required};
use crate::bounded;
use crate::messages::{self, SortOrder};

/// What the order of groups depends on.
///
/// Where the order is absent, the service has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum GroupBySorter {
    /// The key of the group.
    Key(Option<SortOrder>),
    /// How many rows are in the group.
    RowCount(Option<SortOrder>),
    /// The result of an aggregation in the group.
    SubAggregation {
        /// The name of the aggregation.
        name: String,
        /// The direction.
        order: Option<SortOrder>,
    },
}

impl GroupBySorter {
    /// By the key of the group.
    pub const fn key(order: SortOrder) -> Self {
        Self::Key(Some(order))
    }

    /// By how many rows are in the group.
    pub const fn row_count(order: SortOrder) -> Self {
        Self::RowCount(Some(order))
    }

    /// By the result of the aggregation called `name` in the group.
    pub fn sub_aggregation(name: impl Into<String>, order: SortOrder) -> Self {
        Self::SubAggregation {
            name: name.into(),
            order: Some(order),
        }
    }

    fn to_message(&self) -> messages::GroupBySorter {
        let number = |order: &Option<SortOrder>| order.map(Into::into);
        let mut message = messages::GroupBySorter::default();
        match self {
            Self::Key(order) => {
                let order = number(order);
                message.group_key_sort = Some(messages::GroupKeySort { order });
            }
            Self::RowCount(order) => {
                let order = number(order);
                message.row_count_sort = Some(messages::RowCountSort { order });
            }
            Self::SubAggregation { name, order } => {
                message.sub_agg_sort = Some(messages::SubAggSort {
                    sub_agg_name: Some(name.clone()),
                    order: number(order),
                });
            }
        }
        message
    }

    fn from_message(message: &messages::GroupBySorter) -> Result<Self, SearchError> {
        let order = |number| known("order", number);
        let sub_aggregation = |sort: &messages::SubAggSort| {
            Ok(Self::SubAggregation {
                name: required("sub_agg_name", sort.sub_agg_name.clone())?,
                order: order(sort.order)?,
            })
        };
        only_one(
            "kind of sorter",
            [
                (message.group_key_sort.as_ref()).map(|sort| order(sort.order).map(Self::Key)),
                (message.row_count_sort.as_ref()).map(|sort| order(sort.order).map(Self::RowCount)),
                (message.sub_agg_sort.as_ref()).map(sub_aggregation),
            ],
        )
    }
}

/// No sorters are no message.
pub(super) fn to_message(sorters: &[GroupBySorter]) -> Option<messages::GroupBySort> {
    let sorters: Vec<_> = sorters.iter().map(GroupBySorter::to_message).collect();
    (!sorters.is_empty()).then_some(messages::GroupBySort { sorters })
}

pub(super) fn from_message(
    message: Option<&messages::GroupBySort>,
) -> Result<Vec<GroupBySorter>, SearchError> {
    let sorters = message.map_or(&[][..], |sort| &sort.sorters).iter();
    let sorters = sorters.map(GroupBySorter::from_message);
    bounded::collect(sorters).map_err(|error: SearchError| error.within("sort"))
}
