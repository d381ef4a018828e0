//! How a text becomes tokens.

use std::borrow::Cow;

use ots_proto::messages::{FieldSchema, SingleWordAnalyzerParameter, SplitAnalyzerParameter};
use prost::Message;

use crate::error::ServiceError;

/// How a TEXT field becomes tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Analyzer {
    /// Each CJK character is a token, and so is each run of other letters and digits.
    SingleWord {
        case_sensitive: bool,
        /// Whether letters and digits part company: `Gravida999` is two tokens then.
        delimit_word: bool,
    },
    /// Whatever lies between delimiters.
    Split {
        /// White space if there is none.
        delimiter: Option<String>,
        case_sensitive: bool,
    },
}

impl Analyzer {
    /// The analyzer that a schema names; `single_word` if it names none.
    pub(crate) fn parse(name: &str, schema: &FieldSchema) -> Result<Self, ServiceError> {
        let parameter = schema.analyzer_parameter.clone().unwrap_or_default();
        let damaged = |_| {
            ServiceError::parameter(format!(
                "the analyzer_parameter of field [{name}] can't be decoded"
            ))
        };
        match schema.analyzer.as_deref() {
            None | Some("" | "single_word") => {
                let parameter = SingleWordAnalyzerParameter::decode(parameter).map_err(damaged)?;
                Ok(Self::SingleWord {
                    case_sensitive: parameter.case_sensitive.unwrap_or(false),
                    delimit_word: parameter.delimit_word.unwrap_or(false),
                })
            }
            Some("split") => {
                let parameter = SplitAnalyzerParameter::decode(parameter).map_err(damaged)?;
                Ok(Self::Split {
                    delimiter: parameter.delimiter.filter(|text| !text.is_empty()),
                    case_sensitive: parameter.case_sensitive.unwrap_or(false),
                })
            }
            Some(other) => Err(ServiceError::parameter(format!(
                "the analyzer [{other}] of field [{name}] is not supported by the emulator"
            ))),
        }
    }

    /// Whether some token of `text` passes the test.
    pub(crate) fn any_token(&self, text: &str, mut test: impl FnMut(&str) -> bool) -> bool {
        match self {
            Self::SingleWord {
                case_sensitive,
                delimit_word,
            } => words(text, *delimit_word).any(|token| test(&folded(token, *case_sensitive))),
            Self::Split {
                delimiter,
                case_sensitive,
            } => {
                let mut check =
                    |token: &str| !token.is_empty() && test(&folded(token, *case_sensitive));
                match delimiter {
                    Some(delimiter) => text.split(delimiter.as_str()).any(check),
                    None => text.split_whitespace().any(&mut check),
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A token of its own.
    Single,
    Letter,
    Digit,
    Gap,
}

/// The tokens of `single_word`, as they stand in the text.
fn words(text: &str, delimit_word: bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|c| class(c) != Class::Gap)?;
        let (_, from) = rest.split_at(start);
        let mut characters = from.char_indices().map(|(at, c)| (at, class(c)));
        let (_, first) = characters.next()?;
        let end = characters
            .find(|&(_, next)| {
                first == Class::Single
                    || next == Class::Gap
                    || next == Class::Single
                    || (delimit_word && next != first)
            })
            .map_or(from.len(), |(at, _)| at);
        let (token, after) = from.split_at(end);
        rest = after;
        Some(token)
    })
}

fn class(c: char) -> Class {
    match c {
        // Kana, bopomofo, Hangul, the Han blocks and their extensions.
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30fa}'
        | '\u{30fc}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Class::Single,
        c if c.is_alphabetic() => Class::Letter,
        c if c.is_numeric() => Class::Digit,
        _ => Class::Gap,
    }
}

fn folded(token: &str, case_sensitive: bool) -> Cow<'_, str> {
    if case_sensitive || token.chars().all(|c| !c.is_uppercase()) {
        Cow::Borrowed(token)
    } else {
        Cow::Owned(token.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(analyzer: &Analyzer, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        analyzer.any_token(text, |token| {
            all.push(token.to_owned());
            false
        });
        all
    }

    #[test]
    fn single_word_cuts_at_gaps_and_round_cjk_characters() {
        let analyzer = |case_sensitive, delimit_word| Analyzer::SingleWord {
            case_sensitive,
            delimit_word,
        };
        for (case_sensitive, delimit_word, text, expected) in [
            (false, false, "", vec![]),
            (false, false, " .,; ", vec![]),
            (false, false, "Hello, World!", vec!["hello", "world"]),
            (false, false, "梨花茶", vec!["梨", "花", "茶"]),
            (false, false, "喝tea吧1", vec!["喝", "tea", "吧", "1"]),
            (false, false, "loBortis111", vec!["lobortis111"]),
            (true, true, "Gravida999", vec!["Gravida", "999"]),
            (true, false, "Pulvinar", vec!["Pulvinar"]),
            (false, true, "a1b2", vec!["a", "1", "b", "2"]),
        ] {
            assert_eq!(
                tokens(&analyzer(case_sensitive, delimit_word), text),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn split_cuts_at_the_delimiter_alone() {
        let split = |delimiter: Option<&str>| Analyzer::Split {
            delimiter: delimiter.map(str::to_owned),
            case_sensitive: false,
        };
        assert_eq!(tokens(&split(None), " A b\tC "), ["a", "b", "c"]);
        assert_eq!(tokens(&split(Some(":")), "a b:C::d"), ["a b", "c", "d"]);
    }

    #[test]
    fn an_unknown_analyzer_is_named_in_the_error() {
        let schema = FieldSchema {
            analyzer: Some("max_word".to_owned()),
            ..FieldSchema::default()
        };
        let error = Analyzer::parse("t", &schema).unwrap_err();
        assert_eq!(error.code, "OTSParameterInvalid");
        assert_eq!(
            error.message,
            "the analyzer [max_word] of field [t] is not supported by the emulator"
        );
    }
}
