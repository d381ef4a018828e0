//! Which matched words to mark in the text of a row.

use super::error::SearchError;
use super::wire::{count32, int32, known, required};
use crate::bounded;
use crate::messages::{self, HighlightEncoder, HighlightFragmentOrder};

/// Which fields to highlight: the service returns pieces of their text with the matched words marked.
///
/// The fields must be TEXT fields with highlighting enabled. The service takes at most 10.
///
/// ```
/// use ots_proto::search::{Highlight, HighlightEncoder, HighlightParameter};
///
/// let highlight = Highlight::field(HighlightParameter::new("body").tags("<b>", "</b>"))
///     .and("title")
///     .encoder(HighlightEncoder::Html);
/// assert_eq!(Highlight::from_message(&highlight.to_message())?, highlight);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Highlight {
    /// The fields, each with its options.
    pub parameters: Vec<HighlightParameter>,
    /// Whether the text around the tags is escaped; the service takes `Plain` when absent.
    pub encoder: Option<HighlightEncoder>,
}

/// How to highlight one field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct HighlightParameter {
    /// The field.
    pub field: String,
    /// Fragments wanted.
    pub number_of_fragments: Option<u32>,
    /// Length of a fragment, in characters; the service takes 100 when absent.
    pub fragment_size: Option<u32>,
    /// What stands before a matched word; the service takes `<em>` when absent.
    pub pre_tag: Option<String>,
    /// What stands after a matched word; the service takes `</em>` when absent.
    pub post_tag: Option<String>,
    /// The order of the fragments; the service takes that of the text when absent.
    pub fragments_order: Option<HighlightFragmentOrder>,
}

impl Highlight {
    /// Highlights a field: a name, or a [`HighlightParameter`].
    pub fn field(parameter: impl Into<HighlightParameter>) -> Self {
        Self::default().and(parameter)
    }

    /// Highlights another field too.
    pub fn and(mut self, parameter: impl Into<HighlightParameter>) -> Self {
        self.parameters.push(parameter.into());
        self
    }

    /// Escapes the text around the tags, or doesn't.
    pub const fn encoder(mut self, encoder: HighlightEncoder) -> Self {
        self.encoder = Some(encoder);
        self
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(&self) -> messages::Highlight {
        let parameters = self.parameters.iter().map(HighlightParameter::to_message);
        messages::Highlight {
            highlight_parameters: parameters.collect(),
            highlight_encoder: self.encoder.map(Into::into),
        }
    }

    /// What a message says.
    ///
    /// # Errors
    /// When a field has no name, a number is negative, or an encoder or an order isn't known.
    pub fn from_message(message: &messages::Highlight) -> Result<Self, SearchError> {
        let read = || {
            let parameters = message.highlight_parameters.iter();
            Ok(Self {
                parameters: bounded::collect(parameters.map(HighlightParameter::from_message))?,
                encoder: known("highlight_encoder", message.highlight_encoder)?,
            })
        };
        read().map_err(|error: SearchError| error.within("highlight"))
    }
}

impl HighlightParameter {
    /// Highlights `field` as the service does of itself.
    pub fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            number_of_fragments: None,
            fragment_size: None,
            pre_tag: None,
            post_tag: None,
            fragments_order: None,
        }
    }

    /// At most so many fragments.
    pub const fn number_of_fragments(mut self, fragments: u32) -> Self {
        self.number_of_fragments = Some(fragments);
        self
    }

    /// Fragments of so many characters.
    pub const fn fragment_size(mut self, characters: u32) -> Self {
        self.fragment_size = Some(characters);
        self
    }

    /// What stands before and after a matched word.
    pub fn tags(mut self, pre: impl Into<String>, post: impl Into<String>) -> Self {
        self.pre_tag = Some(pre.into());
        self.post_tag = Some(post.into());
        self
    }

    /// The order of the fragments.
    pub const fn fragments_order(mut self, order: HighlightFragmentOrder) -> Self {
        self.fragments_order = Some(order);
        self
    }

    fn to_message(&self) -> messages::HighlightParameter {
        messages::HighlightParameter {
            field_name: Some(self.field.clone()),
            number_of_fragments: self.number_of_fragments.map(int32),
            fragment_size: self.fragment_size.map(int32),
            pre_tag: self.pre_tag.clone(),
            post_tag: self.post_tag.clone(),
            fragments_order: self.fragments_order.map(Into::into),
        }
    }

    fn from_message(message: &messages::HighlightParameter) -> Result<Self, SearchError> {
        Ok(Self {
            field: required("field_name", message.field_name.clone())?,
            number_of_fragments: count32("number_of_fragments", message.number_of_fragments)?,
            fragment_size: count32("fragment_size", message.fragment_size)?,
            pre_tag: message.pre_tag.clone(),
            post_tag: message.post_tag.clone(),
            fragments_order: known("fragments_order", message.fragments_order)?,
        })
    }
}

impl<T: Into<String>> From<T> for HighlightParameter {
    fn from(field: T) -> Self {
        Self::new(field)
    }
}
