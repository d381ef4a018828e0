//! Why a row was found.

use super::super::error::{SearchError, SearchErrorKind};
use super::super::wire::{count32, int32, required};
use crate::bounded;
use crate::messages;

/// What a search says about a row it found, or about an inner row of it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SearchHit {
    /// How well the row matches; larger is better.
    pub score: Option<f64>,
    /// The pieces of its text with the matched words marked.
    pub highlights: Vec<HighlightedField>,
    /// The inner rows that nested queries matched.
    pub inner_hits: Vec<NestedHits>,
    /// Of an inner row, its place in the nested column, counted from 0.
    pub nested_doc_offset: Option<u32>,
}

/// The pieces of one field's text with the matched words marked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HighlightedField {
    /// The field.
    pub field: String,
    /// The pieces.
    pub fragments: Vec<String>,
}

/// The inner rows of one NESTED field that were matched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NestedHits {
    /// The field.
    pub path: String,
    /// What the search says about each.
    pub hits: Vec<SearchHit>,
}

impl HighlightedField {
    /// These pieces of `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, fragments: Vec<String>) -> Self {
        Self {
            field: field.into(),
            fragments,
        }
    }
}

impl NestedHits {
    /// These inner rows of `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, hits: Vec<SearchHit>) -> Self {
        Self {
            path: path.into(),
            hits,
        }
    }
}

impl SearchHit {
    /// The pieces of `field`; none when it has no highlights.
    #[must_use]
    pub fn highlights(&self, field: &str) -> &[String] {
        let found = self.highlights.iter().find(|other| other.field == field);
        found.map_or(&[], |found| &found.fragments)
    }

    /// The matched inner rows of `path`; none when it has none.
    #[must_use]
    pub fn inner_hits(&self, path: &str) -> &[Self] {
        let found = self.inner_hits.iter().find(|other| other.path == path);
        found.map_or(&[], |found| &found.hits)
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::SearchHit {
        let fields = self
            .highlights
            .iter()
            .map(|field| messages::HighlightField {
                field_name: Some(field.field.clone()),
                field_fragments: field.fragments.clone(),
            });
        let highlight_fields: Vec<_> = fields.collect();
        let inner_hits = self
            .inner_hits
            .iter()
            .map(|inner| messages::SearchInnerHit {
                path: Some(inner.path.clone()),
                search_hits: inner.hits.iter().map(Self::to_message).collect(),
            });
        messages::SearchHit {
            score: self.score,
            highlight_result: (!highlight_fields.is_empty())
                .then_some(messages::HighlightResult { highlight_fields }),
            search_inner_hits: inner_hits.collect(),
            nested_doc_offset: self.nested_doc_offset.map(int32),
        }
    }

    /// What a message says.
    ///
    /// # Errors
    /// When a highlight has no field, inner hits have no path or are nested deeper than 16 levels, or
    /// an offset is negative.
    pub fn from_message(message: &messages::SearchHit) -> Result<Self, SearchError> {
        Self::from_message_at(message, 0)
    }

    fn from_message_at(message: &messages::SearchHit, depth: usize) -> Result<Self, SearchError> {
        let max_depth = Self::MAX_DEPTH;
        if depth > max_depth {
            return Err(SearchError::new(SearchErrorKind::TooDeep { max_depth }));
        }
        let highlights = message.highlight_result.as_ref();
        let highlights = highlights
            .map_or(&[][..], |result| &result.highlight_fields)
            .iter();
        let highlights = highlights.map(|field| {
            Ok(HighlightedField {
                field: required("field_name", field.field_name.clone())?,
                fragments: field.field_fragments.clone(),
            })
        });
        let inner_hits = message.search_inner_hits.iter().map(|inner| {
            let hits = inner.search_hits.iter();
            let hits = hits.map(|hit| Self::from_message_at(hit, depth + 1));
            Ok(NestedHits {
                path: required("path", inner.path.clone())?,
                hits: bounded::collect(hits)?,
            })
        });
        let within = |part: &'static str| move |error: SearchError| error.within(part);
        Ok(Self {
            score: message.score,
            highlights: bounded::collect(highlights).map_err(within("highlight_result"))?,
            inner_hits: bounded::collect(inner_hits).map_err(within("search_inner_hits"))?,
            nested_doc_offset: count32("nested_doc_offset", message.nested_doc_offset)?,
        })
    }

    /// The service stops at 5 levels of nested fields.
    const MAX_DEPTH: usize = 16;
}
