//! Whether an answer is the one that was demanded.

use serde_json::{Map, Value as Json};

/// Compares what was found with what is expected; an error says where they differ.
///
/// Objects may have more members than expected, arrays must be the same to their ends. `null` is also
/// what is absent. Columns of a row may be expected as an object, where their order and their versions
/// are of no interest. Some objects are tests:
///
/// | test | holds for |
/// |---|---|
/// | `{"$some": true}` | anything but null |
/// | `{"$contains": X}` | text with this in it, an array with such an element |
/// | `{"$unordered": [..]}` | an array with these elements in any order |
/// | `{"$length": n}` | an array or text of this length |
/// | `{"$range": [a, b]}` | the integers from a to b, b excluded, in this order; backwards if a is larger |
/// | `{"$near": [x, d]}` | a number at most d away from x |
/// | `{"$above": x}` | a number larger than x |
/// | `{"$one_of": [..]}` | what equals one of these |
/// | `{"$rising": true}` | an array of numbers, each larger than the one before |
pub(super) fn differs(expected: &Json, found: &Json, at: &str) -> Result<(), String> {
    match (expected, found) {
        (Json::Object(wanted), _) if wanted.keys().any(|name| name.starts_with('$')) => {
            test(wanted, found, at)
        }
        (Json::Object(wanted), Json::Array(columns)) if at.ends_with(".columns") => {
            let mut found = Map::new();
            for column in columns {
                let (Some(Json::String(name)), Some(value)) = (column.get(0), column.get(1)) else {
                    return Err(format!("{at}: {column} is no column"));
                };
                if found.insert(name.clone(), value.clone()).is_some() {
                    return Err(format!("{at}: more than one version of {name}"));
                }
            }
            same_names(wanted, &found, at)?;
            members(wanted, &found, at)
        }
        (Json::Object(wanted), Json::Object(found)) => members(wanted, found, at),
        (Json::Array(wanted), Json::Array(found)) => {
            for (index, pair) in wanted.iter().zip(found).enumerate() {
                differs(pair.0, pair.1, &format!("{at}[{index}]"))?;
            }
            if wanted.len() == found.len() {
                return Ok(());
            }
            let (wanted, all) = (wanted.len(), found.len());
            Err(format!(
                "{at}: {all} elements instead of {wanted}: {}",
                show(found)
            ))
        }
        _ if expected == found => Ok(()),
        _ => Err(format!(
            "{at}: {} instead of {}",
            show(found),
            show(expected)
        )),
    }
}

fn members(wanted: &Map<String, Json>, found: &Map<String, Json>, at: &str) -> Result<(), String> {
    for (name, wanted) in wanted {
        let found = found.get(name).unwrap_or(&Json::Null);
        differs(wanted, found, &format!("{at}.{name}"))?;
    }
    Ok(())
}

fn same_names(
    wanted: &Map<String, Json>,
    found: &Map<String, Json>,
    at: &str,
) -> Result<(), String> {
    match found.keys().find(|name| !wanted.contains_key(*name)) {
        Some(name) => Err(format!("{at}: there is {name} too")),
        None => Ok(()),
    }
}

fn test(tests: &Map<String, Json>, found: &Json, at: &str) -> Result<(), String> {
    for (name, wanted) in tests {
        let holds = holds(name, wanted, found, at)?;
        if !holds {
            let wanted = show(wanted);
            return Err(format!("{at}: {} is not {name} {wanted}", show(found)));
        }
    }
    Ok(())
}

fn holds(test: &str, wanted: &Json, found: &Json, at: &str) -> Result<bool, String> {
    let equal = |wanted: &Json, found: &Json| differs(wanted, found, at).is_ok();
    let malformed = || format!("{at}: the test {test} can't have {wanted}");
    Ok(match test {
        "$some" => !found.is_null(),
        "$contains" => match found {
            Json::String(text) => text.contains(wanted.as_str().ok_or_else(malformed)?),
            Json::Array(items) => items.iter().any(|item| equal(wanted, item)),
            _ => false,
        },
        "$unordered" => {
            let wanted = wanted.as_array().ok_or_else(malformed)?;
            let Json::Array(items) = found else {
                return Ok(false);
            };
            let mut left: Vec<&Json> = items.iter().collect();
            let all = wanted.iter().all(|wanted| {
                let place = left.iter().position(|item| equal(wanted, item));
                place.map(|place| left.swap_remove(place)).is_some()
            });
            all && left.is_empty()
        }
        "$length" => {
            let length = match found {
                Json::Array(items) => items.len(),
                Json::String(text) => text.len(),
                _ => return Ok(false),
            };
            u64::try_from(length).ok() == wanted.as_u64()
        }
        "$range" => {
            let (first, end) = pair(wanted, Json::as_i64).ok_or_else(malformed)?;
            let numbers: Json = match first <= end {
                true => (first..end).collect(),
                false => (end + 1..=first).rev().collect(),
            };
            differs(&numbers, found, at)?;
            true
        }
        "$near" => {
            let (value, most) = pair(wanted, Json::as_f64).ok_or_else(malformed)?;
            found
                .as_f64()
                .is_some_and(|found| (found - value).abs() <= most)
        }
        "$above" => {
            let least = wanted.as_f64().ok_or_else(malformed)?;
            found.as_f64().is_some_and(|found| found > least)
        }
        "$one_of" => {
            let wanted = wanted.as_array().ok_or_else(malformed)?;
            wanted.iter().any(|wanted| equal(wanted, found))
        }
        "$rising" => {
            let Json::Array(items) = found else {
                return Ok(false);
            };
            let numbers: Option<Vec<i64>> = items.iter().map(Json::as_i64).collect();
            numbers.is_some_and(|numbers| numbers.is_sorted_by(|a, b| a < b))
        }
        _ => return Err(format!("{at}: there is no test {test}")),
    })
}

fn pair<T>(json: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<(T, T)> {
    Some((read(json.get(0)?)?, read(json.get(1)?)?))
}

/// JSON for a message, cut where it is long.
fn show(json: &(impl serde::Serialize + ?Sized)) -> String {
    let text = serde_json::to_string(json).unwrap_or_default();
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}..", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

const LONGEST_SHOWN: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn more_members_are_no_difference_and_more_elements_are() {
        let found = json!({ "a": 1, "b": [1, 2] });
        for (expected, holds) in [
            (json!({ "a": 1 }), true),
            (json!({ "a": 1.0 }), false),
            (json!({ "c": null }), true),
            (json!({ "a": null }), false),
            (json!({ "b": [1] }), false),
            (json!({ "b": [1, 2] }), true),
            (json!({ "b": { "$unordered": [2, 1] } }), true),
            (json!({ "b": { "$unordered": [2] } }), false),
            (json!({ "b": { "$contains": 2 } }), true),
            (json!({ "b": { "$length": 2 } }), true),
            (json!({ "b": { "$range": [1, 3] } }), true),
            (json!({ "b": { "$rising": true } }), true),
            (json!({ "a": { "$near": [1.2, 0.1] } }), false),
            (json!({ "a": { "$above": 0 } }), true),
            (json!({ "a": { "$one_of": [2, 1] } }), true),
            (json!({ "a": { "$nothing": 1 } }), false),
        ] {
            assert_eq!(
                differs(&expected, &found, "answer").is_ok(),
                holds,
                "{expected}"
            );
        }
    }

    #[test]
    fn columns_are_compared_whole() {
        let found = json!({ "columns": [["a", 1], ["b", 2]] });
        let differs = |expected: Json| differs(&expected, &found, "row");
        assert_eq!(differs(json!({ "columns": { "b": 2, "a": 1 } })), Ok(()));
        let error = differs(json!({ "columns": { "a": 1 } }));
        assert_eq!(error, Err("row.columns: there is b too".to_owned()));
    }
}
