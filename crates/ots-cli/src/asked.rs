//! What an export was asked for, to tell whether it is the one that was interrupted.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// Every option that changes which rows and columns come, and in which form.
///
/// How they are read, such as how many ranges at once, may be another way when the export goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(Map<String, Value>);

impl Asked {
    /// What was asked, by the names of the options, in the order given.
    pub fn new<'a>(options: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let options = options.into_iter();
        Self(
            options
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    /// When the table was created, as far as it is known.
    #[must_use]
    pub fn created(created: Option<SystemTime>) -> (&'static str, Value) {
        let created = created.and_then(|created| created.duration_since(UNIX_EPOCH).ok());
        let micros = created.map(|created| created.as_micros().to_string());
        (CREATED, json!(micros))
    }

    /// The options that were given otherwise before, each as it was: `--format csv`.
    #[must_use]
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let names = self
            .0
            .keys()
            .chain(before.0.keys().filter(|name| !self.0.contains_key(*name)));
        let null = Value::Null;
        let differing = names.filter_map(|name| {
            let was = before.0.get(name).unwrap_or(&null);
            let is = self.0.get(name).unwrap_or(&null);
            (was != is).then(|| describe(name, was))
        });
        differing.collect()
    }

    pub(crate) const fn of_json(options: Map<String, Value>) -> Self {
        Self(options)
    }

    pub(crate) fn into_json(self) -> Map<String, Value> {
        self.0
    }

    pub(crate) const fn json(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// When the table was created, which is no option: one of the same name may be another table.
const CREATED: &str = "created";

fn describe(name: &str, value: &Value) -> String {
    if name == CREATED {
        return "a table of this name that was deleted since".to_owned();
    }
    match value {
        Value::Null => format!("no --{name}"),
        Value::String(text) => format!("--{name} {text}"),
        Value::Array(values) => {
            let values = values
                .iter()
                .map(|value| value.as_str().unwrap_or_default());
            format!("--{name} {}", values.collect::<Vec<_>>().join(","))
        }
        other => format!("--{name} {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_otherwise_is_named_as_it_was() {
        let before = Asked::new([
            ("table", json!("t")),
            ("format", json!("csv")),
            ("columns", json!(["a", "b:STRING"])),
            ("start-pk", Value::Null),
        ]);
        assert_eq!(before.differences(&before), [""; 0]);
        let now = Asked::new([
            ("table", json!("t")),
            ("format", json!("parquet")),
            ("columns", Value::Null),
            ("start-pk", json!("{\"id\":7}")),
        ]);
        let expected = ["--columns a,b:STRING", "--format csv", "no --start-pk"];
        assert_eq!(now.differences(&before), expected);

        let created = |second: u64| Asked::new([(CREATED, json!(second))]);
        let expected = ["a table of this name that was deleted since"];
        assert_eq!(created(2).differences(&created(1)), expected);
    }
}
