//! The words of JSON for the enums of the messages: their own names, in small letters.

use serde_json::Value;

use super::JsonError;
use super::object::unknown;
use crate::messages::{
    DateTimeUnit, DecayMathFunction, FunctionCombineMode, FunctionModifier, FunctionScoreMode,
    GeoDistanceType, HighlightEncoder, HighlightFragmentOrder, MultiValueMode, QueryOperator,
    ScoreMode, SortMode, SortOrder,
};
use crate::search::query::place::Place;

/// An enum of the messages.
pub(super) trait Word: Copy + TryFrom<i32> {
    /// What the names of its values begin with.
    const PREFIX: &'static str;

    /// The name of a value, as `QUERY_OPERATOR_AND`.
    fn full_name(self) -> &'static str;
}

macro_rules! words {
    ($($name:ident: $prefix:literal,)+) => {
        $(impl Word for $name {
            const PREFIX: &'static str = $prefix;

            fn full_name(self) -> &'static str {
                self.as_str_name()
            }
        })+

        /// The words of each enum.
        #[cfg(test)]
        pub(super) fn all() -> Vec<(&'static str, Vec<String>)> {
            vec![$((stringify!($name), values::<$name>().map(word).collect()),)+]
        }
    };
}

words! {
    DateTimeUnit: "DATE_TIME_UNIT_",
    DecayMathFunction: "DECAY_MATH_FUNCTION_",
    FunctionCombineMode: "FUNCTION_COMBINE_MODE_",
    FunctionModifier: "FUNCTION_MODIFIER_",
    FunctionScoreMode: "FUNCTION_SCORE_MODE_",
    GeoDistanceType: "GEO_DISTANCE_TYPE_",
    HighlightEncoder: "HIGHLIGHT_ENCODER_",
    HighlightFragmentOrder: "HIGHLIGHT_FRAGMENT_ORDER_",
    MultiValueMode: "MULTI_VALUE_MODE_",
    QueryOperator: "QUERY_OPERATOR_",
    ScoreMode: "SCORE_MODE_",
    SortMode: "SORT_MODE_",
    SortOrder: "SORT_ORDER_",
}

pub(super) fn word<W: Word>(value: W) -> String {
    let name = value.full_name();
    let bare = name.strip_prefix(W::PREFIX).unwrap_or(name);
    bare.to_ascii_lowercase()
}

pub(super) fn read<W: Word>(json: &Value, place: &Place<'_>) -> Result<W, JsonError> {
    let found = json.as_str();
    let value = values::<W>().find(|value| Some(word(*value).as_str()) == found);
    value.ok_or_else(|| {
        let words: Vec<String> = values::<W>().map(word).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        JsonError::new(place, unknown("word", found.unwrap_or_default(), &words))
    })
}

/// Every value; their numbers are small.
fn values<W: Word>() -> impl Iterator<Item = W> {
    (0..64).filter_map(|number| W::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_word_without_its_prefix() {
        for (name, words) in all() {
            assert!(words.len() >= 2, "{name}");
            for word in words {
                let short = word.len() <= "text_sequence".len() && !word.starts_with('_');
                assert!(short, "{name}: {word}");
            }
        }
        assert_eq!(word(FunctionModifier::Log1p), "log1p");
        assert_eq!(word(DateTimeUnit::QuarterYear), "quarter_year");
        assert_eq!(word(GeoDistanceType::Arc), "arc");
    }
}
