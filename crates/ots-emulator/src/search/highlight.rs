//! The pieces of a text with the words marked that were found.

use std::ops::Range;
use std::sync::Arc;

use ots_proto::search::{
    Highlight, HighlightEncoder, HighlightFragmentOrder, HighlightParameter, HighlightedField,
};

use super::analyzer::{Analyzer, Token, fuzzy_text};
use super::doc::Doc;
use super::field::{Field, Kind, Scalar};
use super::predicate::Predicate;
use super::query::Node;
use super::query::Wanted;
use super::schema::Schema;
use crate::error::ServiceError;

/// What to mark, and how.
#[derive(Clone, Debug)]
pub(crate) struct Highlighter {
    fields: Vec<Marking>,
    encoder: HighlightEncoder,
}

#[derive(Clone, Debug)]
struct Marking {
    field: Arc<Field>,
    analyzer: Analyzer,
    fragments: usize,
    fragment_chars: usize,
    pre_tag: String,
    post_tag: String,
    order: HighlightFragmentOrder,
}

impl Highlighter {
    pub(crate) fn parse(schema: &Schema, highlight: &Highlight) -> Result<Self, ServiceError> {
        let count = highlight.parameters.len();
        if count == 0 || count > MAX_FIELDS {
            return Err(ServiceError::parameter(format!(
                "a highlight has 1 to {MAX_FIELDS} fields, not {count}"
            )));
        }
        let parameters = highlight.parameters.iter();
        Ok(Self {
            fields: parameters
                .map(|parameter| Marking::parse(schema, parameter))
                .collect::<Result<_, _>>()?,
            encoder: highlight.encoder.unwrap_or(HighlightEncoder::Plain),
        })
    }

    /// The marked pieces of the fields in which the query found words.
    pub(crate) fn highlight(&self, query: &Node, doc: Doc<'_>) -> Vec<HighlightedField> {
        let pieces = self.fields.iter().map(|marking| {
            let fragments = marking.fragments(query, doc, self.encoder);
            HighlightedField::new(&*marking.field.name, fragments)
        });
        pieces.filter(|field| !field.fragments.is_empty()).collect()
    }
}

impl Marking {
    fn parse(schema: &Schema, parameter: &HighlightParameter) -> Result<Self, ServiceError> {
        let field = schema.field(&parameter.field)?;
        let Kind::Text(analyzer) = &field.kind else {
            return Err(not_supported(field));
        };
        if !field.highlighting {
            return Err(not_supported(field));
        }
        let number = |name: &str, value: Option<u32>, default: usize, max: usize| {
            let value = value.map_or(default, |value| {
                usize::try_from(value).unwrap_or(usize::MAX)
            });
            if (1..=max).contains(&value) {
                Ok(value)
            } else {
                Err(ServiceError::parameter(format!(
                    "{name} of a highlight is from 1 to {max}, not {value}"
                )))
            }
        };
        let (fragments, size) = (parameter.number_of_fragments, parameter.fragment_size);
        let tag =
            |tag: &Option<String>, default: &str| tag.clone().unwrap_or_else(|| default.to_owned());
        Ok(Self {
            field: Arc::clone(field),
            analyzer: analyzer.clone(),
            fragments: number("number_of_fragments", fragments, DEFAULT_FRAGMENTS, 500)?,
            fragment_chars: number("fragment_size", size, DEFAULT_CHARS, 100_000)?,
            pre_tag: tag(&parameter.pre_tag, "<em>"),
            post_tag: tag(&parameter.post_tag, "</em>"),
            order: parameter
                .fragments_order
                .unwrap_or(HighlightFragmentOrder::TextSequence),
        })
    }

    fn fragments(&self, query: &Node, doc: Doc<'_>, encoder: HighlightEncoder) -> Vec<String> {
        // How many marks each has, and itself.
        let mut fragments: Vec<(usize, String)> = Vec::new();
        let fits = self.field.all(doc, |value| {
            if let Scalar::Text(text) = value {
                let marks = self.marks(query, text);
                fragments.extend(self.cut(text, &marks, encoder));
            }
        });
        if !fits {
            return Vec::new();
        }
        if self.order == HighlightFragmentOrder::Score {
            fragments.sort_by_key(|(marks, _)| std::cmp::Reverse(*marks));
        }
        let fragments = fragments.into_iter().take(self.fragments);
        fragments.map(|(_, fragment)| fragment).collect()
    }

    /// The bytes of the text that the query found, in its order, none of them twice.
    fn marks(&self, query: &Node, text: &str) -> Vec<Range<usize>> {
        let tokens = match self.analyzer {
            // Their runs overlap, and only those asked for are marked.
            Analyzer::Fuzzy { .. } => Vec::new(),
            _ => self.analyzer.tokens(text),
        };
        let mut marks = Vec::new();
        query.visit(&mut |node| match node {
            Node::Text(query) if query.field.name == self.field.name => match &query.wanted {
                Wanted::Words { words, .. } => {
                    mark(&tokens, &mut marks, &|token| {
                        words.iter().any(|word| word == token)
                    });
                }
                Wanted::Phrase(phrase) => {
                    let texts: Vec<_> = tokens.iter().map(|token| &*token.text).collect();
                    let places = phrase.places(&texts).into_iter().flatten();
                    let found = places.filter_map(|place| tokens.get(place));
                    marks.extend(found.map(|token| token.bytes.clone()));
                }
                Wanted::Parts { parts, .. } => {
                    let folded = fuzzy_text(text, true);
                    let lower = fuzzy_text(text, false);
                    // Places in a folded text are those of the text unless folding changed lengths.
                    if lower.len() == folded.len() {
                        for part in parts {
                            let found = lower.match_indices(part.as_str());
                            marks.extend(found.map(|(at, part)| at..at + part.len()));
                        }
                    }
                }
            },
            Node::Leaf {
                field, predicate, ..
            } if field.name == self.field.name && *predicate != Predicate::Present => {
                mark(&tokens, &mut marks, &|token| predicate.holds_token(token));
            }
            _ => {}
        });
        marks.sort_unstable_by_key(|mark| (mark.start, mark.end));
        let mut end = 0;
        marks.retain(|mark| {
            let apart = mark.start >= end && text.get(mark.clone()).is_some();
            if apart {
                end = mark.end;
            }
            apart
        });
        marks
    }

    /// The pieces of the text that hold a mark. A piece ends where the next word would make it too
    /// long; a mark is never cut.
    fn cut(
        &self,
        text: &str,
        marks: &[Range<usize>],
        encoder: HighlightEncoder,
    ) -> Vec<(usize, String)> {
        let mut pieces = Vec::new();
        let mut marks = marks.iter().peekable();
        let mut start = 0;
        while start < text.len() && marks.peek().is_some() {
            let rest = text.get(start..).unwrap_or_default();
            let length = rest.char_indices().nth(self.fragment_chars);
            let mut end = start + length.map_or(rest.len(), |(at, _)| at);
            let (mut piece, mut count, mut at) = (String::new(), 0, start);
            while let Some(mark) = marks.next_if(|mark| mark.start < end) {
                piece.push_str(&encoded(text.get(at..mark.start), encoder));
                piece.push_str(&self.pre_tag);
                piece.push_str(&encoded(text.get(mark.clone()), encoder));
                piece.push_str(&self.post_tag);
                at = mark.end;
                end = end.max(at);
                count += 1;
            }
            if count > 0 {
                piece.push_str(&encoded(text.get(at..end), encoder));
                pieces.push((count, piece));
            }
            start = end;
        }
        pieces
    }
}

fn mark(tokens: &[Token<'_>], marks: &mut Vec<Range<usize>>, found: &dyn Fn(&str) -> bool) {
    let found = tokens.iter().filter(|token| found(&token.text));
    marks.extend(found.map(|token| token.bytes.clone()));
}

fn encoded(text: Option<&str>, encoder: HighlightEncoder) -> String {
    let text = text.unwrap_or_default();
    match encoder {
        HighlightEncoder::Plain => text.to_owned(),
        HighlightEncoder::Html => {
            let mut encoded = String::with_capacity(text.len());
            for c in text.chars() {
                match c {
                    '<' => encoded.push_str("&lt;"),
                    '>' => encoded.push_str("&gt;"),
                    '"' => encoded.push_str("&quot;"),
                    '\'' => encoded.push_str("&#x27;"),
                    '/' => encoded.push_str("&#x2F;"),
                    '&' => encoded.push_str("&amp;"),
                    c => encoded.push(c),
                }
            }
            encoded
        }
    }
}

fn not_supported(field: &Field) -> ServiceError {
    ServiceError::parameter(format!(
        "highlighting is not supported for field[{}]",
        field.name
    ))
}

// From the public documentation, but for the number of fragments, which it doesn't say.
const MAX_FIELDS: usize = 10;
const DEFAULT_FRAGMENTS: usize = 5;
const DEFAULT_CHARS: usize = 100;
