//! Sorts of rows.

use ots_proto::search::{GeoDistanceType, NestedFilter, Sort, SortMode, SortOrder, Sorter};
use serde_json::Value as Json;

use super::{Say, new, words};

impl Say for Sort {
    fn say(&mut self) -> Json {
        // Not an option of the class.
        self.disable_default_pk_sorter = None;
        new!("Sort", sorters: self.sorters)
    }
}

impl Say for Sorter {
    fn say(&mut self) -> Json {
        match self {
            Self::Field(sort) => {
                // Not options of the class.
                sort.missing_value = None;
                sort.missing_field = None;
                new!("FieldSort",
                    field_name: sort.field,
                    sort_order: sort.order,
                    sort_mode: sort.mode,
                    nested_filter: sort.nested_filter,
                )
            }
            Self::GeoDistance(sort) => new!("GeoDistanceSort",
                field_name: sort.field,
                points: sort.points,
                sort_order: sort.order,
                sort_mode: sort.mode,
                geo_distance_type: sort.distance_type,
                nested_filter: sort.nested_filter,
            ),
            Self::Score(order) => new!("ScoreSort", sort_order: required(order)),
            Self::PrimaryKey(order) => new!("PrimaryKeySort", sort_order: required(order)),
            Self::Doc(order) => new!("DocSort", sort_order: required(order)),
            newer => panic!("no word for {newer:?}"),
        }
    }
}

impl Say for NestedFilter {
    fn say(&mut self) -> Json {
        new!("NestedFilter", path: self.path, query_filter: self.filter)
    }
}

/// These sorts always send an order.
pub(super) fn required(order: &mut Option<SortOrder>) -> &mut SortOrder {
    order.get_or_insert(SortOrder::Asc)
}

/// The SDK sends no sort without sorters.
pub(super) fn drop_empty(sort: &mut Option<Sort>) {
    if sort.as_ref().is_some_and(|sort| sort.sorters.is_empty()) {
        *sort = None;
    }
}

words! {
    SortOrder: "SortOrder" { Asc = ASC, Desc = DESC }
    SortMode: "SortMode" { Min = MIN, Max = MAX, Avg = AVG }
    GeoDistanceType: "GeoDistanceType" { Arc = ARC, Plane = PLANE }
}
