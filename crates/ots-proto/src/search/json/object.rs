//! The parts of JSON that queries are made of, each read at its place.

use serde_json::{Map, Value};

use super::JsonError;
use crate::search::geo::GeoPoint;
use crate::search::query::place::Place;
use crate::value::ColumnValue;

/// An object whose names are all known.
#[derive(Clone, Copy)]
pub(super) struct Options<'a> {
    entries: &'a Map<String, Value>,
    place: &'a Place<'a>,
}

impl<'a> Options<'a> {
    /// The object, if it is one, without a name that isn't among these.
    pub(super) fn of(
        json: &'a Value,
        place: &'a Place<'a>,
        known: &[&str],
    ) -> Result<Self, JsonError> {
        let entries = json.as_object().ok_or_else(|| {
            JsonError::new(place, format!("expected an object of {}", options(known)))
        })?;
        match entries.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self { entries, place }),
            Some(name) => Err(JsonError::new(
                &place.key(name),
                unknown("option", name, known),
            )),
        }
    }

    pub(super) fn optional<T>(
        self,
        name: &str,
        read: impl FnOnce(&Value, &Place<'_>) -> Result<T, JsonError>,
    ) -> Result<Option<T>, JsonError> {
        let value = self.entries.get(name);
        value
            .map(|value| read(value, &self.place.key(name)))
            .transpose()
    }

    pub(super) fn required<T>(
        self,
        name: &str,
        read: impl FnOnce(&Value, &Place<'_>) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        self.optional(name, read)?
            .ok_or_else(|| JsonError::new(self.place, format!("{name:?} is missing")))
    }

    /// The one of these that is there, if one is.
    pub(super) fn at_most_one<'n>(self, names: &[&'n str]) -> Result<Option<&'n str>, JsonError> {
        let mut present = names
            .iter()
            .filter(|name| self.entries.contains_key(**name));
        match (present.next(), present.next()) {
            (one, None) => Ok(one.copied()),
            (_, Some(other)) => Err(JsonError::new(
                &self.place.key(other),
                format!("only one of {} may be given", names.join(", ")),
            )),
        }
    }
}

fn options(known: &[&str]) -> String {
    if known.is_empty() {
        "no entries".to_owned()
    } else {
        known.join(", ")
    }
}

/// The one entry of an object.
pub(super) fn only_entry<'a>(
    json: &'a Value,
    place: &Place<'_>,
    wanted: &str,
) -> Result<(&'a str, &'a Value), JsonError> {
    let mut entries = json.as_object().into_iter().flatten();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(JsonError::new(
            place,
            format!("expected an object with one entry: {wanted}"),
        )),
    }
}

pub(super) fn array<T>(
    json: &Value,
    place: &Place<'_>,
    mut read: impl FnMut(&Value, &Place<'_>) -> Result<T, JsonError>,
) -> Result<Vec<T>, JsonError> {
    let elements = json
        .as_array()
        .ok_or_else(|| JsonError::new(place, "expected an array"))?;
    let elements = elements.iter().enumerate();
    elements
        .map(|(index, element)| read(element, &place.index(index)))
        .collect()
}

pub(super) fn text(json: &Value, place: &Place<'_>) -> Result<String, JsonError> {
    let text = json.as_str().map(str::to_owned);
    text.ok_or_else(|| JsonError::new(place, "expected text"))
}

pub(super) fn boolean(json: &Value, place: &Place<'_>) -> Result<bool, JsonError> {
    json.as_bool()
        .ok_or_else(|| JsonError::new(place, "expected true or false"))
}

pub(super) fn int32(json: &Value, place: &Place<'_>) -> Result<i32, JsonError> {
    let number = json.as_i64().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| JsonError::new(place, "expected a whole number of 32 bits"))
}

/// A count: what a message can hold of one.
pub(super) fn count(json: &Value, place: &Place<'_>) -> Result<u32, JsonError> {
    let number = int32(json, place).ok();
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| JsonError::new(place, "expected a whole number from 0 to 2147483647"))
}

pub(super) fn double(json: &Value, place: &Place<'_>) -> Result<f64, JsonError> {
    json.as_f64()
        .ok_or_else(|| JsonError::new(place, "expected a number"))
}

pub(super) fn float(json: &Value, place: &Place<'_>) -> Result<f32, JsonError> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the nearest float; one too far away is refused"
    )]
    let float = double(json, place)? as f32;
    if float.is_finite() {
        Ok(float)
    } else {
        Err(JsonError::new(place, "a number out of range"))
    }
}

/// A value to search for.
pub(super) fn scalar(json: &Value, place: &Place<'_>) -> Result<ColumnValue, JsonError> {
    match json {
        Value::Bool(value) => Ok(ColumnValue::Boolean(*value)),
        Value::String(value) => Ok(ColumnValue::String(value.clone())),
        Value::Number(number) => {
            let integer = number.as_i64().map(ColumnValue::Integer);
            // An integer beyond 64 signed bits must not turn into a double nearby.
            let double = || number.as_f64().filter(|_| !number.is_u64());
            integer
                .or_else(|| double().map(ColumnValue::Double))
                .ok_or_else(|| JsonError::new(place, "a number out of range"))
        }
        _ => Err(JsonError::new(
            place,
            "expected text, a number, true or false",
        )),
    }
}

pub(super) fn point(json: &Value, place: &Place<'_>) -> Result<GeoPoint, JsonError> {
    let point = match json {
        Value::String(text) => text.parse(),
        Value::Object(_) => {
            let degrees = Options::of(json, place, &["lat", "lon"])?;
            GeoPoint::new(
                degrees.required("lat", double)?,
                degrees.required("lon", double)?,
            )
        }
        _ => {
            let wanted =
                "expected a point, as in \"30.25,120.14\" or {\"lat\": 30.25, \"lon\": 120.14}";
            return Err(JsonError::new(place, wanted));
        }
    };
    point.map_err(|error| JsonError::new(place, error.to_string()))
}

/// What to say of a name that isn't among those known.
pub(super) fn unknown(what: &str, found: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("unknown {what}; there are none");
    }
    let list = known.join(", ");
    match nearest(found, known) {
        Some(near) => format!("unknown {what}; did you mean {near:?}? Known are {list}"),
        None => format!("unknown {what}; known are {list}"),
    }
}

/// The known name that was probably meant.
fn nearest<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    // A slip of the hand is shorter than this; the work grows with the square of it.
    if found.len() > 64 {
        return None;
    }
    let found = found.to_lowercase();
    let elsewhere = ELSEWHERE.iter().filter(|(other, _)| *other == found);
    let mut elsewhere = elsewhere.filter_map(|(_, ours)| known.iter().find(|name| *name == ours));
    elsewhere.next().copied().or_else(|| {
        let by_distance = known.iter().map(|name| (distance(&found, name), *name));
        let (distance, name) = by_distance.min_by_key(|(distance, _)| *distance)?;
        (distance <= name.len().div_ceil(3)).then_some(name)
    })
}

/// What other search engines call it.
const ELSEWHERE: &[(&str, &str)] = &[
    ("boost", "weight"),
    ("boost_mode", "combine_mode"),
    ("constant_score", "const_score"),
    ("distance", "distance_metres"),
    ("k", "top_k"),
    ("knn", "knn_vector"),
    ("location", "center_point"),
    ("max_boost", "max_score"),
    ("query", "text"),
    ("query", "value"),
    ("vector", "query_vector"),
];

/// How many letters to add, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (row_index, letter) in a.chars().enumerate() {
        let mut corner = row_index;
        let mut left = row_index + 1;
        for (above, other) in row.iter_mut().skip(1).zip(&b) {
            let changed = corner + usize::from(letter != *other);
            corner = *above;
            left = changed.min(left + 1).min(corner + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = row_index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_letters_added_dropped_or_changed() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("weight", "weight", 0),
            ("wieght", "weight", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn a_name_is_suggested_only_if_it_is_near_or_known_elsewhere() {
        let known = ["text", "operator", "weight"];
        assert_eq!(nearest("opreator", &known), Some("operator"));
        assert_eq!(nearest("Weight", &known), Some("weight"));
        assert_eq!(nearest("boost", &known), Some("weight"));
        assert_eq!(nearest("query", &known), Some("text"));
        assert_eq!(nearest("query", &["value", "weight"]), Some("value"));
        assert_eq!(nearest("analyzer", &known), None);
        assert_eq!(nearest(&"weight".repeat(20), &known), None);
    }
}
