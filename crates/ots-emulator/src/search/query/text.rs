//! Words that a text should hold.

use std::sync::Arc;

use super::super::analyzer::{Analyzer, fuzzy_text, fuzzy_words};
use super::super::doc::Doc;
use super::super::field::{Field, Kind, Scalar};
use super::phrase::Phrase;

/// Words that a TEXT field should hold.
#[derive(Clone, Debug)]
pub(crate) struct TextQuery {
    pub(crate) field: Arc<Field>,
    pub(crate) wanted: Wanted,
    weight: f64,
}

/// How the words should stand in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// So many of these, without repetitions.
    Words { words: Vec<String>, minimum: usize },
    /// All of these, one after another.
    Phrase(Phrase),
    /// So many of these anywhere, also in the middle of a word. A fuzzy analyzer cuts a text into every
    /// run of its lengths, so a word of that length is one of them, and a longer one is where all runs
    /// of it are, which is nearly always where it is itself.
    Parts { parts: Vec<String>, minimum: usize },
}

impl TextQuery {
    /// At least `minimum` of the words of `text`; all of them if that is none.
    pub(crate) fn words(
        field: &Arc<Field>,
        analyzer: &Analyzer,
        text: &str,
        minimum: Option<usize>,
        weight: f64,
    ) -> Self {
        let deduplicated = |mut words: Vec<String>| {
            words.sort_unstable();
            words.dedup();
            words
        };
        let count = |words: &[String]| minimum.unwrap_or(words.len()).max(1);
        let wanted = match analyzer {
            Analyzer::Fuzzy {
                min_chars,
                case_sensitive,
                ..
            } => {
                let mut parts = fuzzy_words(text, *case_sensitive);
                parts.retain(|part| part.chars().count() >= *min_chars);
                let parts = deduplicated(parts);
                let minimum = count(&parts);
                Wanted::Parts { parts, minimum }
            }
            analyzer => {
                let words = deduplicated(tokens(analyzer, text));
                let minimum = count(&words);
                Wanted::Words { words, minimum }
            }
        };
        Self {
            field: Arc::clone(field),
            wanted,
            weight,
        }
    }

    /// The words of `text`, one after another, or moved by no more than `slop`. A fuzzy analyzer takes
    /// it as it is.
    pub(crate) fn phrase(
        field: &Arc<Field>,
        analyzer: &Analyzer,
        text: &str,
        slop: usize,
        weight: f64,
    ) -> Self {
        let wanted = match analyzer {
            Analyzer::Fuzzy {
                min_chars,
                case_sensitive,
                ..
            } => {
                let text = fuzzy_text(text, *case_sensitive).into_owned();
                let long_enough = text.chars().count() >= *min_chars;
                Wanted::Parts {
                    parts: Vec::from_iter(long_enough.then_some(text)),
                    minimum: 1,
                }
            }
            analyzer => Wanted::Phrase(Phrase::new(tokens(analyzer, text), slop)),
        };
        Self {
            field: Arc::clone(field),
            wanted,
            weight,
        }
    }

    pub(crate) fn matches(&self, doc: Doc<'_>) -> bool {
        self.score(doc).is_some()
    }

    /// A word that stands `n` times in the text has the score `2.2 n / (n + 1.2)`: that of BM25, if
    /// every word were equally rare and every text equally long. A phrase counts as one word.
    pub(crate) fn score(&self, doc: Doc<'_>) -> Option<f64> {
        let Kind::Text(analyzer) = &self.field.kind else {
            return None;
        };
        let (terms, minimum) = match &self.wanted {
            Wanted::Words { words, minimum } => (words.len(), *minimum),
            Wanted::Parts { parts, minimum } => (parts.len(), *minimum),
            Wanted::Phrase(phrase) => (usize::from(!phrase.is_empty()), 1),
        };
        let mut counts = vec![0_u32; terms];
        let fits = self.field.all(doc, |value| {
            if let Scalar::Text(text) = value {
                self.wanted.count(analyzer, text, &mut counts);
            }
        });
        let found = counts.iter().filter(|count| **count > 0).count();
        if !fits || found < minimum {
            return None;
        }
        let score = |count: &u32| 2.2 * f64::from(*count) / (f64::from(*count) + 1.2);
        Some(counts.iter().map(score).sum::<f64>() * self.weight)
    }
}

impl Wanted {
    /// Adds how often each stands in the text.
    fn count(&self, analyzer: &Analyzer, text: &str, counts: &mut [u32]) {
        match self {
            Self::Words { words, .. } => {
                analyzer.any_token(text, |token| {
                    let place = words.binary_search_by(|word| word.as_str().cmp(token));
                    if let Ok(place) = place
                        && let Some(count) = counts.get_mut(place)
                    {
                        *count += 1;
                    }
                    false
                });
            }
            Self::Phrase(phrase) => {
                let places = phrase.places(&tokens(analyzer, text)).len();
                if let Some(count) = counts.first_mut() {
                    *count += u32::try_from(places).unwrap_or(u32::MAX);
                }
            }
            Self::Parts { parts, .. } => {
                let case_sensitive = matches!(
                    analyzer,
                    Analyzer::Fuzzy {
                        case_sensitive: true,
                        ..
                    }
                );
                let text = fuzzy_text(text, case_sensitive);
                for (part, count) in parts.iter().zip(counts) {
                    let places = text.matches(part.as_str()).count();
                    *count += u32::try_from(places).unwrap_or(u32::MAX);
                }
            }
        }
    }
}

fn tokens(analyzer: &Analyzer, text: &str) -> Vec<String> {
    let tokens = analyzer.tokens(text).into_iter();
    tokens.map(|token| token.text.into_owned()).collect()
}
