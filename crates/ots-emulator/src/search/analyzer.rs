//! How a text becomes tokens.

use std::borrow::Cow;
use std::ops::Range;

use ots_proto::messages::{
    FieldSchema, FuzzyAnalyzerParameter, SingleWordAnalyzerParameter, SplitAnalyzerParameter,
};
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
    /// As few CJK words as there may be. The service looks them up in a dictionary; without one, a run
    /// of CJK characters is cut into pairs from its end. What isn't CJK is as in `single_word`.
    MinWord,
    /// As many CJK words as there are, overlapping. Without a dictionary these are all pairs.
    MaxWord,
    /// Every run of so many characters, whatever they are. Only the first 1,024 are indexed.
    Fuzzy {
        min_chars: usize,
        max_chars: usize,
        case_sensitive: bool,
    },
}

/// A token, and where in the text it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub(crate) text: Cow<'t, str>,
    pub(crate) bytes: Range<usize>,
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
            Some("fuzzy") => {
                let parameter = FuzzyAnalyzerParameter::decode(parameter).map_err(damaged)?;
                Self::fuzzy(name, &parameter)
            }
            Some("min_word") => Ok(Self::MinWord),
            Some("max_word") => Ok(Self::MaxWord),
            Some(other) => Err(ServiceError::parameter(format!(
                "the analyzer [{other}] of field [{name}] is not supported by the emulator"
            ))),
        }
    }

    fn fuzzy(name: &str, parameter: &FuzzyAnalyzerParameter) -> Result<Self, ServiceError> {
        let min = parameter.min_chars.unwrap_or(DEFAULT_MIN_CHARS);
        let max = parameter.max_chars.unwrap_or(DEFAULT_MAX_CHARS.max(min));
        match (usize::try_from(min), usize::try_from(max)) {
            (Ok(min_chars @ 1..), Ok(max_chars))
                if min_chars <= max_chars && max_chars - min_chars <= MAX_CHARS_DIFFERENCE =>
            {
                Ok(Self::Fuzzy {
                    min_chars,
                    max_chars,
                    case_sensitive: parameter.case_sensitive.unwrap_or(false),
                })
            }
            _ => Err(ServiceError::parameter(format!(
                "the fuzzy analyzer of field [{name}] has runs of {min} to {max} characters, not of \
                 at least 1 and of lengths at most {MAX_CHARS_DIFFERENCE} apart"
            ))),
        }
    }

    /// Whether some token of `text` passes the test.
    pub(crate) fn any_token(&self, text: &str, mut test: impl FnMut(&str) -> bool) -> bool {
        self.any(text, &mut |token| test(&token.text))
    }

    /// All tokens of a text, in its order. A fuzzy analyzer's overlap and are many: see
    /// [`fuzzy_text`] for what asks less.
    pub(crate) fn tokens<'t>(&self, text: &'t str) -> Vec<Token<'t>> {
        let mut tokens = Vec::new();
        self.any(text, &mut |token| {
            tokens.push(token);
            false
        });
        tokens
    }

    fn any<'t>(&self, text: &'t str, test: &mut dyn FnMut(Token<'t>) -> bool) -> bool {
        match self {
            Self::SingleWord {
                case_sensitive,
                delimit_word,
            } => words(text, *delimit_word)
                .any(|(at, word)| test(Token::new(at, word, *case_sensitive))),
            Self::Split {
                delimiter,
                case_sensitive,
            } => {
                let mut at = 0;
                let mut check = |piece: &'t str, gap: usize| {
                    let start = at;
                    at += piece.len() + gap;
                    !piece.is_empty() && test(Token::new(start, piece, *case_sensitive))
                };
                match delimiter {
                    Some(delimiter) => text
                        .split(delimiter.as_str())
                        .any(|piece| check(piece, delimiter.len())),
                    None => text.split_inclusive(char::is_whitespace).any(|piece| {
                        let word = piece.trim_end_matches(char::is_whitespace);
                        check(word, piece.len() - word.len())
                    }),
                }
            }
            Self::MinWord => min_words(text).any(|(at, word)| test(Token::new(at, word, false))),
            Self::MaxWord => max_words(text).any(|(at, word)| test(Token::new(at, word, false))),
            Self::Fuzzy {
                min_chars,
                max_chars,
                case_sensitive,
            } => {
                let bounds: Vec<_> = text
                    .char_indices()
                    .map(|(at, _)| at)
                    .chain([text.len()])
                    .take(FUZZY_INDEXED_CHARS + 1)
                    .collect();
                (*min_chars..=*max_chars).any(|length| {
                    let ends = bounds.iter().skip(length);
                    bounds.iter().zip(ends).any(|(&start, &end)| {
                        let run = text.get(start..end).unwrap_or_default();
                        test(Token::new(start, run, *case_sensitive))
                    })
                })
            }
        }
    }
}

impl<'t> Token<'t> {
    fn new(start: usize, text: &'t str, case_sensitive: bool) -> Self {
        Self {
            text: folded(text, case_sensitive),
            bytes: start..start + text.len(),
        }
    }
}

/// What a fuzzy analyzer has indexed of a text: its beginning.
pub(crate) fn fuzzy_text(text: &str, case_sensitive: bool) -> Cow<'_, str> {
    let end = text.char_indices().nth(FUZZY_INDEXED_CHARS);
    let (indexed, _) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    folded(indexed, case_sensitive)
}

/// What a query for a fuzzy field asks for: its text is cut at blanks and punctuation.
pub(crate) fn fuzzy_words(text: &str, case_sensitive: bool) -> Vec<String> {
    text.split(|c: char| class(c) == Class::Gap)
        .filter(|word| !word.is_empty())
        .map(|word| folded(word, case_sensitive).into_owned())
        .collect()
}

const DEFAULT_MIN_CHARS: i32 = 1;
const DEFAULT_MAX_CHARS: i32 = 3;
/// From the public documentation.
const MAX_CHARS_DIFFERENCE: usize = 6;
const FUZZY_INDEXED_CHARS: usize = 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A token of its own.
    Single,
    Letter,
    Digit,
    Gap,
}

/// The tokens of `single_word`, as they stand in the text.
fn words(text: &str, delimit_word: bool) -> impl Iterator<Item = (usize, &str)> {
    runs(text, move |first, next| {
        first == Class::Single || next == Class::Single || (delimit_word && next != first)
    })
    .map(|(at, run, _)| (at, run))
}

/// Runs that end at gaps, and between characters of two classes that `parted` tells apart.
fn runs(
    text: &str,
    parted: impl Fn(Class, Class) -> bool,
) -> impl Iterator<Item = (usize, &str, Class)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = rest.find(|c| class(c) != Class::Gap)?;
        let (_, from) = rest.split_at(start);
        let mut characters = from.char_indices().map(|(at, c)| (at, class(c)));
        let (_, first) = characters.next()?;
        let end = characters
            .find(|&(_, next)| next == Class::Gap || parted(first, next))
            .map_or(from.len(), |(at, _)| at);
        let (token, _) = from.split_at(end);
        let token_at = at + start;
        at = token_at + end;
        Some((token_at, token, first))
    })
}

fn cjk_runs(text: &str) -> impl Iterator<Item = (usize, &str, Class)> {
    runs(text, |first, next| {
        (first == Class::Single) != (next == Class::Single)
    })
}

/// Pairs of CJK characters, counted from the end of their run.
fn min_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    cjk_runs(text).flat_map(|(at, run, class)| {
        if class != Class::Single {
            return vec![(at, run)];
        }
        let starts: Vec<_> = run.char_indices().map(|(start, _)| start).collect();
        let mut cuts: Vec<_> = starts.rchunks(2).filter_map(|pair| pair.first()).collect();
        cuts.reverse();
        let ends = cuts.iter().skip(1).map(|&&end| end).chain([run.len()]);
        cuts.iter()
            .zip(ends)
            .filter_map(|(&&start, end)| Some((at + start, run.get(start..end)?)))
            .collect()
    })
}

/// All pairs of neighbouring CJK characters, or the only one.
fn max_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    cjk_runs(text).flat_map(|(at, run, class)| {
        let bounds: Vec<_> = run
            .char_indices()
            .map(|(start, _)| start)
            .chain([run.len()])
            .collect();
        if class != Class::Single || bounds.len() <= 2 {
            return vec![(at, run)];
        }
        bounds
            .iter()
            .zip(bounds.iter().skip(2))
            .filter_map(|(&start, &end)| Some((at + start, run.get(start..end)?)))
            .collect()
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
            analyzer: Some("ik".to_owned()),
            ..FieldSchema::default()
        };
        let error = Analyzer::parse("t", &schema).unwrap_err();
        assert_eq!(error.code, "OTSParameterInvalid");
        assert_eq!(
            error.message,
            "the analyzer [ik] of field [t] is not supported by the emulator"
        );
    }

    #[test]
    fn words_of_several_characters_are_approximated_by_pairs() {
        for (text, min, max) in [
            ("梨花茶", vec!["梨", "花茶"], vec!["梨花", "花茶"]),
            ("梨花", vec!["梨花"], vec!["梨花"]),
            ("梨", vec!["梨"], vec!["梨"]),
            (
                "喝Tea吧 12",
                vec!["喝", "tea", "吧", "12"],
                vec!["喝", "tea", "吧", "12"],
            ),
        ] {
            assert_eq!(tokens(&Analyzer::MinWord, text), min, "{text}");
            assert_eq!(tokens(&Analyzer::MaxWord, text), max, "{text}");
        }
    }

    #[test]
    fn fuzzy_has_every_run_of_its_lengths() {
        let fuzzy = Analyzer::Fuzzy {
            min_chars: 2,
            max_chars: 3,
            case_sensitive: false,
        };
        assert_eq!(
            tokens(&fuzzy, "aB梨 "),
            ["ab", "b梨", "梨 ", "ab梨", "b梨 "]
        );
        assert_eq!(tokens(&fuzzy, "a"), [""; 0]);
        // Only the beginning is indexed, however long the text is.
        assert_eq!(tokens(&fuzzy, &"x".repeat(5000)).len(), 1023 + 1022);
    }

    #[test]
    fn tokens_know_their_place() {
        let single_word = Analyzer::SingleWord {
            case_sensitive: false,
            delimit_word: false,
        };
        let split = |delimiter: Option<&str>| Analyzer::Split {
            delimiter: delimiter.map(str::to_owned),
            case_sensitive: false,
        };
        let text = " 喝 Tea, 梨花茶 x::Y ";
        for analyzer in [
            single_word,
            split(None),
            split(Some("::")),
            Analyzer::MinWord,
            Analyzer::MaxWord,
        ] {
            for token in analyzer.tokens(text) {
                assert_eq!(text[token.bytes].to_lowercase(), token.text);
            }
        }
    }
}
