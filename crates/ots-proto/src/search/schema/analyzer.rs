//! How the text of a field is cut into words.

use bytes::Bytes;
use prost::Message;

use super::super::error::{SearchError, SearchErrorKind};
use super::super::wire::{count32, decode, int32};
use crate::fields::{Described, first_unknown};
use crate::messages;

/// How the text of a TEXT field is cut into words. The service takes `single_word` when none is given.
///
/// Source: the service's documentation of tokenization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Analyzer {
    /// Each Chinese character is a word; letters and digits are cut at blanks and punctuation.
    SingleWord(SingleWordAnalyzer),
    /// As many Chinese words as there are, even where they overlap.
    MaxWord,
    /// As few Chinese words as there may be.
    MinWord,
    /// Cut at a delimiter.
    Split(SplitAnalyzer),
    /// Every run of a few characters is a word.
    Fuzzy(FuzzyAnalyzer),
    /// Another, or one with a parameter that this version doesn't know; kept as it came.
    Other {
        /// Its name.
        name: String,
        /// The message of its parameter.
        parameter: Option<Bytes>,
    },
}

/// The options of [`Analyzer::SingleWord`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SingleWordAnalyzer {
    /// Whether `A` and `a` are different; the service takes no when absent.
    pub case_sensitive: Option<bool>,
    /// Whether letters are cut from digits; the service takes no when absent.
    pub delimit_word: Option<bool>,
}

/// The options of [`Analyzer::Split`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SplitAnalyzer {
    /// Where to cut; the service takes blanks when absent.
    pub delimiter: Option<String>,
    /// Whether `A` and `a` are different; the service takes no when absent.
    pub case_sensitive: Option<bool>,
}

/// The options of [`Analyzer::Fuzzy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FuzzyAnalyzer {
    /// The shortest run, in characters; the service takes 1 when absent.
    pub min_chars: Option<u32>,
    /// The longest run, in characters; the service takes 3 when absent.
    pub max_chars: Option<u32>,
    /// Whether `A` and `a` are different; the service takes no when absent.
    pub case_sensitive: Option<bool>,
}

impl Analyzer {
    /// Each Chinese character is a word; letters and digits are cut at blanks and punctuation.
    #[must_use]
    pub fn single_word() -> SingleWordAnalyzer {
        SingleWordAnalyzer::default()
    }

    /// Cut at this delimiter.
    #[must_use]
    pub fn split(delimiter: impl Into<String>) -> SplitAnalyzer {
        SplitAnalyzer {
            delimiter: Some(delimiter.into()),
            case_sensitive: None,
        }
    }

    /// Every run of at least and at most so many characters is a word.
    #[must_use]
    pub const fn fuzzy(min_chars: u32, max_chars: u32) -> FuzzyAnalyzer {
        FuzzyAnalyzer {
            min_chars: Some(min_chars),
            max_chars: Some(max_chars),
            case_sensitive: None,
        }
    }

    /// Its name, as the service has it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::SingleWord(_) => SINGLE_WORD,
            Self::MaxWord => MAX_WORD,
            Self::MinWord => MIN_WORD,
            Self::Split(_) => SPLIT,
            Self::Fuzzy(_) => FUZZY,
            Self::Other { name, .. } => name,
        }
    }

    /// The message of its options; none when it has none.
    pub(super) fn parameter(&self) -> Option<Bytes> {
        match self {
            Self::SingleWord(options) => bytes_of(&messages::SingleWordAnalyzerParameter {
                case_sensitive: options.case_sensitive,
                delimit_word: options.delimit_word,
            }),
            Self::Split(options) => bytes_of(&messages::SplitAnalyzerParameter {
                delimiter: options.delimiter.clone(),
                case_sensitive: options.case_sensitive,
            }),
            Self::Fuzzy(options) => bytes_of(&messages::FuzzyAnalyzerParameter {
                min_chars: options.min_chars.map(int32),
                max_chars: options.max_chars.map(int32),
                case_sensitive: options.case_sensitive,
            }),
            Self::MaxWord | Self::MinWord => None,
            Self::Other { parameter, .. } => parameter.clone(),
        }
    }

    pub(super) fn from_parts(
        name: Option<&String>,
        parameter: Option<&Bytes>,
    ) -> Result<Option<Self>, SearchError> {
        let Some(name) = name else {
            return match parameter {
                Some(_) => Err(SearchError::missing("analyzer")),
                None => Ok(None),
            };
        };
        let read = match name.as_str() {
            SINGLE_WORD => known_options(parameter)?.map(single_word),
            SPLIT => known_options(parameter)?.map(split),
            FUZZY => known_options(parameter)?.map(fuzzy).transpose()?,
            MAX_WORD if parameter.is_none() => Some(Self::MaxWord),
            MIN_WORD if parameter.is_none() => Some(Self::MinWord),
            _ => None,
        };
        let read = read.unwrap_or_else(|| Self::Other {
            name: name.clone(),
            parameter: parameter.cloned(),
        });
        Ok(Some(read))
    }
}

impl SingleWordAnalyzer {
    /// Cuts letters from digits.
    #[must_use]
    pub const fn delimit_word(mut self) -> Self {
        self.delimit_word = Some(true);
        self
    }
}

/// What three of the analyzers have alike.
macro_rules! with_options {
    ($($variant:ident($options:ident),)*) => {$(
        impl $options {
            /// Tells `A` from `a`.
            #[must_use]
            pub const fn case_sensitive(mut self) -> Self {
                self.case_sensitive = Some(true);
                self
            }
        }

        impl From<$options> for Analyzer {
            fn from(options: $options) -> Self {
                Self::$variant(options)
            }
        }
    )*};
}

with_options! {
    SingleWord(SingleWordAnalyzer),
    Split(SplitAnalyzer),
    Fuzzy(FuzzyAnalyzer),
}

/// The options in a parameter, unless there is one among them that this version doesn't know.
fn known_options<M: Message + Default + Described>(
    parameter: Option<&Bytes>,
) -> Result<Option<M>, SearchError> {
    let options = decode(parameter)?;
    let bytes = parameter.cloned().unwrap_or_default();
    let unknown = first_unknown(M::fields(), bytes)
        .map_err(|source| SearchError::new(SearchErrorKind::Message(source.into())))?;
    Ok(unknown.is_none().then_some(options))
}

fn single_word(options: messages::SingleWordAnalyzerParameter) -> Analyzer {
    Analyzer::SingleWord(SingleWordAnalyzer {
        case_sensitive: options.case_sensitive,
        delimit_word: options.delimit_word,
    })
}

fn split(options: messages::SplitAnalyzerParameter) -> Analyzer {
    Analyzer::Split(SplitAnalyzer {
        delimiter: options.delimiter,
        case_sensitive: options.case_sensitive,
    })
}

fn fuzzy(options: messages::FuzzyAnalyzerParameter) -> Result<Analyzer, SearchError> {
    Ok(Analyzer::Fuzzy(FuzzyAnalyzer {
        min_chars: count32("min_chars", options.min_chars)?,
        max_chars: count32("max_chars", options.max_chars)?,
        case_sensitive: options.case_sensitive,
    }))
}

fn bytes_of(message: &impl Message) -> Option<Bytes> {
    (message.encoded_len() > 0).then(|| message.encode_to_vec().into())
}

const SINGLE_WORD: &str = "single_word";
const MAX_WORD: &str = "max_word";
const MIN_WORD: &str = "min_word";
const SPLIT: &str = "split";
const FUZZY: &str = "fuzzy";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_of_a_newer_service_is_kept_with_its_analyzer() {
        // Field 2 of a split is its case; 9 is nothing yet.
        for (parameter, known) in [(&[0x10, 1][..], true), (&[0x10, 1, 0x48, 1], false)] {
            let parameter = Bytes::copy_from_slice(parameter);
            for name in [SPLIT, SINGLE_WORD, FUZZY] {
                let name = name.to_owned();
                let read = Analyzer::from_parts(Some(&name), Some(&parameter)).unwrap();
                let read = read.unwrap();
                assert_eq!(!matches!(read, Analyzer::Other { .. }), known, "{name}");
                assert_eq!(read.name(), name);
                assert_eq!(read.parameter(), Some(parameter.clone()), "{name}");
            }
        }
    }

    #[test]
    fn a_damaged_parameter_is_refused() {
        let parameter = Bytes::from_static(&[0x10]);
        let name = SPLIT.to_owned();
        assert!(Analyzer::from_parts(Some(&name), Some(&parameter)).is_err());
    }
}
