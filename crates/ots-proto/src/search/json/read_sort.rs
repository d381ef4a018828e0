//! JSON becomes inner hits: their order, and what to highlight in them.

use serde_json::Value;

use super::object::{Options, array, boolean, count, only_entry, point, scalar, text, unknown};
use super::read::query;
use super::{JsonError, word};
use crate::search::query::place::Place;
use crate::search::{
    FieldSort, GeoDistanceSort, Highlight, HighlightParameter, InnerHits, MissingValue,
    NestedFilter, Sort, SortOrder, Sorter,
};

pub(super) fn inner_hits(json: &Value, place: &Place<'_>) -> Result<InnerHits, JsonError> {
    let options = Options::of(json, place, &["sort", "offset", "limit", "highlight"])?;
    Ok(InnerHits {
        sort: options.optional("sort", sort)?,
        offset: options.optional("offset", count)?,
        limit: options.optional("limit", count)?,
        highlight: options.optional("highlight", highlight)?,
    })
}

fn sort(json: &Value, place: &Place<'_>) -> Result<Sort, JsonError> {
    let sorters = |json: &Value, place: &Place<'_>| array(json, place, sorter);
    if json.is_array() {
        return Ok(Sort {
            sorters: sorters(json, place)?,
            disable_default_pk_sorter: None,
        });
    }
    let options = Options::of(json, place, &["sorters", "disable_default_pk_sorter"])?;
    Ok(Sort {
        sorters: options.required("sorters", sorters)?,
        disable_default_pk_sorter: options.optional("disable_default_pk_sorter", boolean)?,
    })
}

fn sorter(json: &Value, place: &Place<'_>) -> Result<Sorter, JsonError> {
    let (kind, body) = only_entry(json, place, "the kind of sorter, as in {\"field\": ...}")?;
    let place = &place.key(kind);
    let order = || -> Result<Option<SortOrder>, JsonError> {
        Options::of(body, place, &["order"])?.optional("order", word::read)
    };
    match kind {
        "field" => field_sort(body, place).map(Sorter::Field),
        "geo_distance" => geo_distance_sort(body, place).map(Sorter::GeoDistance),
        "score" => order().map(Sorter::Score),
        "primary_key" => order().map(Sorter::PrimaryKey),
        "doc" => order().map(Sorter::Doc),
        other => {
            let known = ["field", "geo_distance", "score", "primary_key", "doc"];
            Err(JsonError::new(
                place,
                unknown("kind of sorter", other, &known),
            ))
        }
    }
}

fn field_sort(json: &Value, place: &Place<'_>) -> Result<FieldSort, JsonError> {
    let (field, body) = only_entry(json, place, "the field, as in {\"price\": {}}")?;
    let place = &place.key(field);
    let known = [
        "order",
        "mode",
        "missing_value",
        "missing_field",
        "nested_filter",
    ];
    let options = Options::of(body, place, &known)?;
    let mut sort = FieldSort::new(field);
    sort.order = options.optional("order", word::read)?;
    sort.mode = options.optional("mode", word::read)?;
    sort.missing_value = options.optional("missing_value", missing_value)?;
    sort.missing_field = options.optional("missing_field", text)?;
    sort.nested_filter = options.optional("nested_filter", nested_filter)?;
    Ok(sort)
}

fn missing_value(json: &Value, place: &Place<'_>) -> Result<MissingValue, JsonError> {
    if !json.is_object() {
        return scalar(json, place).map(MissingValue::Value);
    }
    match only_entry(json, place, "\"first\" or \"last\"")? {
        ("first", Value::Bool(true)) => Ok(MissingValue::First),
        ("last", Value::Bool(true)) => Ok(MissingValue::Last),
        _ => Err(JsonError::new(
            place,
            "expected a value, {\"first\": true} or {\"last\": true}",
        )),
    }
}

fn geo_distance_sort(json: &Value, place: &Place<'_>) -> Result<GeoDistanceSort, JsonError> {
    let (field, body) = only_entry(json, place, "the field, as in {\"place\": ...}")?;
    let place = &place.key(field);
    let known = ["points", "order", "mode", "distance_type", "nested_filter"];
    let options = Options::of(body, place, &known)?;
    let points = options.required("points", |json, place| array(json, place, point))?;
    let mut sort = GeoDistanceSort::new(field, points);
    sort.order = options.optional("order", word::read)?;
    sort.mode = options.optional("mode", word::read)?;
    sort.distance_type = options.optional("distance_type", word::read)?;
    sort.nested_filter = options.optional("nested_filter", nested_filter)?;
    Ok(sort)
}

fn nested_filter(json: &Value, place: &Place<'_>) -> Result<Box<NestedFilter>, JsonError> {
    let options = Options::of(json, place, &["path", "filter"])?;
    let path = options.required("path", text)?;
    let filter = NestedFilter::new(path, options.required("filter", query)?);
    Ok(Box::new(filter))
}

fn highlight(json: &Value, place: &Place<'_>) -> Result<Highlight, JsonError> {
    let options = Options::of(json, place, &["parameters", "encoder"])?;
    Ok(Highlight {
        parameters: options.required("parameters", |json, place| {
            array(json, place, highlight_parameter)
        })?,
        encoder: options.optional("encoder", word::read)?,
    })
}

fn highlight_parameter(json: &Value, place: &Place<'_>) -> Result<HighlightParameter, JsonError> {
    let known = [
        "field",
        "number_of_fragments",
        "fragment_size",
        "pre_tag",
        "post_tag",
        "fragments_order",
    ];
    let options = Options::of(json, place, &known)?;
    let mut parameter = HighlightParameter::new(options.required("field", text)?);
    parameter.number_of_fragments = options.optional("number_of_fragments", count)?;
    parameter.fragment_size = options.optional("fragment_size", count)?;
    parameter.pre_tag = options.optional("pre_tag", text)?;
    parameter.post_tag = options.optional("post_tag", text)?;
    parameter.fragments_order = options.optional("fragments_order", word::read)?;
    Ok(parameter)
}
