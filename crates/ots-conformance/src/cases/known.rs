//! What names in `${..}` stand for.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

/// Names and what they stand for, while one case runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    names: BTreeMap<String, Json>,
    /// What begins the name of a table that a case makes itself.
    prefix: String,
}

impl Known {
    pub(super) fn new(prefix: impl Into<String>) -> Self {
        Self {
            names: BTreeMap::new(),
            prefix: prefix.into(),
        }
    }

    /// The same names, for tables that begin with something else.
    pub(super) fn within(&self, prefix: impl Into<String>) -> Self {
        Self {
            names: self.names.clone(),
            prefix: prefix.into(),
        }
    }

    pub(super) fn learn(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        self.names.insert(name.into(), value.into());
    }

    /// JSON with what the names stand for. Text that is one name alone becomes that value, whatever its
    /// type.
    pub(super) fn fill(&self, json: &Json) -> Result<Json, String> {
        Ok(match json {
            Json::String(text) => self.fill_text(text)?,
            Json::Array(items) => self.fill_array(items)?.into(),
            Json::Object(object) => Json::Object(self.fill_object(object)?),
            _ => json.clone(),
        })
    }

    /// `{"repeat": [a, b], "of": X}` in an array is X for each `${i}` from a to b, b excluded.
    fn fill_array(&self, items: &[Json]) -> Result<Vec<Json>, String> {
        let mut filled = Vec::new();
        for item in items {
            let Some(repeated) = item.get("of").filter(|_| item.get("repeat").is_some()) else {
                filled.push(self.fill(item)?);
                continue;
            };
            let number = |place| item.pointer(place).and_then(Json::as_i64);
            let (first, end) = number("/repeat/0")
                .zip(number("/repeat/1"))
                .ok_or_else(|| format!("{item} is not repeated from a number to another"))?;
            let mut known = self.clone();
            for number in first..end {
                known.learn("i", number);
                filled.push(known.fill(repeated)?);
            }
        }
        Ok(filled)
    }

    pub(super) fn fill_object(
        &self,
        object: &Map<String, Json>,
    ) -> Result<Map<String, Json>, String> {
        let filled = object.iter().map(|(name, value)| {
            let name = match self.fill_text(name)? {
                Json::String(name) => name,
                other => other.to_string(),
            };
            Ok((name, self.fill(value)?))
        });
        filled.collect()
    }

    fn fill_text(&self, text: &str) -> Result<Json, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| format!("a name without an end in {text:?}"))?;
            let value = self.value(name)?;
            if before.is_empty() && after.is_empty() && filled.is_empty() {
                return Ok(value);
            }
            filled.push_str(before);
            match value {
                Json::String(value) => filled.push_str(&value),
                other => filled.push_str(&other.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(Json::String(filled))
    }

    /// `name`, or `name+1`, `name-1`, `name%7`, `name/7`, `name*7` of an integer, or `'a'*300` for long
    /// text. A name that nobody gave is a table of the case's own.
    fn value(&self, name: &str) -> Result<Json, String> {
        if let Some(value) = self.names.get(name) {
            return Ok(value.clone());
        }
        let operator = name.find(['+', '-', '%', '/', '*']);
        let Some((left, right)) = operator.map(|at| name.split_at(at)) else {
            return Ok(json!(format!("{}_{name}", self.prefix)));
        };
        let (operator, right) = right.split_at(1);
        let right: i64 = right
            .parse()
            .map_err(|_| format!("{right:?} in {name:?} is no number"))?;
        if let Some(text) = left.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
            let times = usize::try_from(right).map_err(|e| e.to_string())?;
            return Ok(json!(text.repeat(times)));
        }
        let left = self.names.get(left).and_then(Json::as_i64);
        let left = left.ok_or_else(|| format!("{name:?} begins with no known integer"))?;
        let result = match operator {
            "+" => left.checked_add(right),
            "-" => left.checked_sub(right),
            "%" => left.checked_rem_euclid(right),
            "/" => left.checked_div_euclid(right),
            _ => left.checked_mul(right),
        };
        let result = result.ok_or_else(|| format!("{name:?} is no 64-bit integer"))?;
        Ok(json!(result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_values_of_any_type() {
        let mut known = Known::new("p");
        known.learn("i", 17);
        known.learn("t", "p_t");
        let filled = known.fill(&json!({
            "table": "${t}",
            "text": "table [${t}] and ${i%10}",
            "number": "${i+1}",
            "own": "${mine}",
            "long": "${'ab'*3}",
            "many": [0, { "repeat": [1, 3], "of": { "n": "${i*10}" } }],
        }));
        let expected = json!({
            "table": "p_t",
            "text": "table [p_t] and 7",
            "number": 18,
            "own": "p_mine",
            "long": "ababab",
            "many": [0, { "n": 10 }, { "n": 20 }],
        });
        assert_eq!(filled, Ok(expected));
        assert!(known.fill(&json!("${t+1}")).is_err());
    }
}
