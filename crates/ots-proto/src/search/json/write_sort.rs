//! Inner hits become JSON: their order, and what to highlight in them.

use serde_json::Value;

use super::write::{Object, array, name, point, query, scalar};
use crate::search::{
    FieldSort, GeoDistanceSort, Highlight, HighlightParameter, InnerHits, MissingValue,
    NestedFilter, Sort, SortOrder, Sorter,
};

pub(super) fn inner_hits(hits: &InnerHits) -> Value {
    Object::new()
        .optional("sort", hits.sort.as_ref().map(sort))
        .optional("offset", hits.offset)
        .optional("limit", hits.limit)
        .optional("highlight", hits.highlight.as_ref().map(highlight))
        .into()
}

fn sort(sort: &Sort) -> Value {
    let sorters = array(&sort.sorters, sorter);
    match sort.disable_default_pk_sorter {
        None => sorters,
        Some(disabled) => Object::new()
            .with("sorters", sorters)
            .with("disable_default_pk_sorter", disabled)
            .into(),
    }
}

fn sorter(sorter: &Sorter) -> Value {
    let ordered = |order: Option<SortOrder>| Object::new().optional("order", order.map(name));
    let (kind, body) = match sorter {
        Sorter::Field(sort) => ("field", Object::new().with(&sort.field, field_sort(sort))),
        Sorter::GeoDistance(sort) => {
            let body = Object::new().with(&sort.field, geo_distance_sort(sort));
            ("geo_distance", body)
        }
        Sorter::Score(order) => ("score", ordered(*order)),
        Sorter::PrimaryKey(order) => ("primary_key", ordered(*order)),
        Sorter::Doc(order) => ("doc", ordered(*order)),
    };
    Object::new().with(kind, body).into()
}

fn field_sort(sort: &FieldSort) -> Object {
    Object::new()
        .optional("order", sort.order.map(name))
        .optional("mode", sort.mode.map(name))
        .optional(
            "missing_value",
            sort.missing_value.as_ref().map(missing_value),
        )
        .optional("missing_field", sort.missing_field.as_deref())
        .optional(
            "nested_filter",
            sort.nested_filter.as_deref().map(nested_filter),
        )
}

fn missing_value(missing: &MissingValue) -> Value {
    match missing {
        MissingValue::First => Object::new().with("first", true).into(),
        MissingValue::Last => Object::new().with("last", true).into(),
        MissingValue::Value(value) => scalar(value),
    }
}

fn geo_distance_sort(sort: &GeoDistanceSort) -> Object {
    Object::new()
        .with("points", array(&sort.points, point))
        .optional("order", sort.order.map(name))
        .optional("mode", sort.mode.map(name))
        .optional("distance_type", sort.distance_type.map(name))
        .optional(
            "nested_filter",
            sort.nested_filter.as_deref().map(nested_filter),
        )
}

fn nested_filter(filter: &NestedFilter) -> Object {
    Object::new()
        .with("path", filter.path.as_str())
        .with("filter", query(&filter.filter))
}

fn highlight(highlight: &Highlight) -> Value {
    Object::new()
        .with(
            "parameters",
            array(&highlight.parameters, highlight_parameter),
        )
        .optional("encoder", highlight.encoder.map(name))
        .into()
}

fn highlight_parameter(parameter: &HighlightParameter) -> Value {
    Object::new()
        .with("field", parameter.field.as_str())
        .optional("number_of_fragments", parameter.number_of_fragments)
        .optional("fragment_size", parameter.fragment_size)
        .optional("pre_tag", parameter.pre_tag.as_deref())
        .optional("post_tag", parameter.post_tag.as_deref())
        .optional("fragments_order", parameter.fragments_order.map(name))
        .into()
}
