//! Inner hits: how they are sorted, and what is highlighted in them.

use ots_proto::ColumnValue;
use ots_proto::search::{
    Highlight, InnerHits, MissingValue, NestedFilter, Sort, SortOrder, Sorter,
};
use serde_json::{Value as Json, json};

use super::{not_zero, object, points, say as say_query, value};

pub(super) fn say(hits: &mut InnerHits) -> Json {
    not_zero(&mut hits.offset);
    not_zero(&mut hits.limit);
    object([
        ("sort", hits.sort.as_mut().map_or(Json::Null, sort)),
        ("offset", json!(hits.offset)),
        ("limit", json!(hits.limit)),
        (
            "highlight",
            hits.highlight.as_ref().map_or(Json::Null, highlight),
        ),
    ])
}

fn highlight(of: &Highlight) -> Json {
    let parameters = of.parameters.iter().map(|part| {
        let order = part.fragments_order;
        let prefix = "HIGHLIGHT_FRAGMENT_ORDER_";
        let order = order.map_or(Json::Null, |order| {
            let name = order.as_str_name().strip_prefix(prefix).unwrap();
            json!({ "enum": format!("HighlightFragmentOrder.{name}") })
        });
        object([
            ("fieldName", json!(part.field)),
            ("numberOfFragments", json!(part.number_of_fragments)),
            ("fragmentSize", json!(part.fragment_size)),
            ("preTag", json!(part.pre_tag)),
            ("postTag", json!(part.post_tag)),
            ("fragmentsOrder", order),
        ])
    });
    let encoder = of.encoder.map_or(Json::Null, |encoder| {
        let name = encoder
            .as_str_name()
            .strip_prefix("HIGHLIGHT_ENCODER_")
            .unwrap();
        json!({ "enum": format!("HighlightEncoder.{name}_MODE") })
    });
    object([
        ("highlightParameters", parameters.collect()),
        ("highlightEncoder", encoder),
    ])
}

fn order(of: Option<SortOrder>) -> Json {
    word!(of, "SortOrder", "", "")
}

fn sort(of: &mut Sort) -> Json {
    // Not an option.
    of.disable_default_pk_sorter = None;
    json!({ "sorters": of.sorters.iter_mut().map(sorter).collect::<Json>() })
}

fn sorter(of: &mut Sorter) -> Json {
    match of {
        Sorter::Field(sort) => {
            // What its language takes for nothing, and rows that come first or last.
            let is_something = match &sort.missing_value {
                Some(MissingValue::Value(value)) => match value {
                    ColumnValue::Boolean(is) => *is,
                    ColumnValue::String(text) => !text.is_empty(),
                    ColumnValue::Double(double) => *double != 0.0,
                    _ => true,
                },
                _ => false,
            };
            if !is_something {
                sort.missing_value = None;
            }
            not_zero(&mut sort.missing_field);
            let missing = match &sort.missing_value {
                Some(MissingValue::Value(missing)) => value(missing),
                _ => Json::Null,
            };
            let body = [
                ("fieldName", json!(sort.field)),
                ("order", order(sort.order)),
                ("mode", word!(sort.mode, "SortMode", "", "")),
                ("missingValue", missing),
                ("missingField", json!(sort.missing_field)),
                (
                    "nestedFilter",
                    nested_filter(sort.nested_filter.as_deref_mut()),
                ),
            ];
            json!({ "fieldSort": object(body) })
        }
        Sorter::GeoDistance(sort) => {
            let distance = sort.distance_type;
            let distance = word!(
                distance,
                "GeoDistanceType",
                "GEO_DISTANCE_TYPE_",
                "GEO_DISTANCE_"
            );
            let body = [
                ("fieldName", json!(sort.field)),
                ("points", points(&sort.points)),
                ("order", order(sort.order)),
                ("mode", word!(sort.mode, "SortMode", "", "")),
                ("distanceType", distance),
                (
                    "nestedFilter",
                    nested_filter(sort.nested_filter.as_deref_mut()),
                ),
            ];
            json!({ "geoDistanceSort": object(body) })
        }
        Sorter::Score(by) => json!({ "scoreSort": object([("order", order(*by))]) }),
        Sorter::PrimaryKey(by) => json!({ "primaryKeySort": object([("order", order(*by))]) }),
        Sorter::Doc(by) => json!({ "docSort": object([("order", order(*by))]) }),
        newer => panic!("no word for {newer:?}"),
    }
}

fn nested_filter(of: Option<&mut NestedFilter>) -> Json {
    of.map_or(
        Json::Null,
        |of| json!({ "path": of.path, "filter": say_query(&mut of.filter) }),
    )
}
