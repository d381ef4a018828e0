//! One field of an index.

use super::super::error::{SearchError, SearchErrorKind};
use super::super::wire::required;
use super::analyzer::Analyzer;
use super::open::Open;
use super::vector::VectorOptions;
use super::{check, fields_from_messages, fields_to_messages};
use crate::messages::{self, FieldType, IndexOptions, JsonType, TextSimilarity};

/// One field of an index: a column of the table, or a part of one.
///
/// ```
/// use ots_proto::search::{Analyzer, FieldSchema, VectorMetricType};
///
/// let fields = [
///     FieldSchema::long("price").sort_and_agg(true),
///     FieldSchema::keyword("tags").array(),
///     FieldSchema::text("body").analyzer(Analyzer::split("|")).highlighting(),
///     FieldSchema::date("at", ["yyyy-MM-dd HH:mm:ss", "epoch_millis"]),
///     FieldSchema::vector("embedding", 512, VectorMetricType::Cosine),
///     FieldSchema::nested("comments", [FieldSchema::keyword("by"), FieldSchema::text("text")]),
///     FieldSchema::keyword("price_text").virtual_of(["price"]),
/// ];
/// for field in fields {
///     assert_eq!(FieldSchema::from_message(&field.to_message()?)?, field);
/// }
///
/// let odd = FieldSchema::long("price").analyzer(Analyzer::MaxWord);
/// let error = odd.to_message().unwrap_err();
/// assert_eq!(error.to_string(), "field \"price\": an analyzer is for TEXT");
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
///
/// Source: the service's documentation of CreateSearchIndex.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct FieldSchema {
    /// The name: that of the column, or of the part.
    pub name: String,
    /// The type.
    pub field_type: Open<FieldType>,
    /// What the index keeps about each word.
    pub index_options: Option<Open<IndexOptions>>,
    /// How text is cut into words. Only for TEXT.
    pub analyzer: Option<Analyzer>,
    /// Whether the field can be searched; the service takes yes when absent.
    pub index: Option<bool>,
    /// Whether the field can be sorted by and aggregated.
    pub sort_and_agg: Option<bool>,
    /// Whether the index can return the value without the table.
    pub store: Option<bool>,
    /// The parts. Only for NESTED and JSON.
    pub fields: Vec<Self>,
    /// Whether the column holds a JSON array of such values.
    pub is_array: Option<bool>,
    /// Whether the field is made from other columns.
    pub is_virtual_field: Option<bool>,
    /// The columns that a virtual field is made from.
    pub source_field_names: Vec<String>,
    /// How dates are written. Only for DATE.
    pub date_formats: Vec<String>,
    /// Whether the field can be highlighted. Only for TEXT.
    pub enable_highlighting: Option<bool>,
    /// What the vectors look like. Only for VECTOR, which needs it.
    pub vector_options: Option<VectorOptions>,
    /// Whether a JSON field's objects are searched one by one. Only for JSON.
    pub json_type: Option<Open<JsonType>>,
    /// How texts are scored. Only for TEXT.
    pub text_similarity: Option<Open<TextSimilarity>>,
}

/// Fields that need nothing but a name.
macro_rules! plain {
    ($($(#[$doc:meta])* $constructor:ident => $field_type:ident,)*) => {$(
        $(#[$doc])*
        pub fn $constructor(name: impl Into<String>) -> Self {
            Self::new(name, FieldType::$field_type)
        }
    )*};
}

impl FieldSchema {
    /// A field of a type, without options. The types that need more have constructors of their own.
    pub fn new(name: impl Into<String>, field_type: impl Into<Open<FieldType>>) -> Self {
        Self {
            name: name.into(),
            field_type: field_type.into(),
            index_options: None,
            analyzer: None,
            index: None,
            sort_and_agg: None,
            store: None,
            fields: Vec::new(),
            is_array: None,
            is_virtual_field: None,
            source_field_names: Vec::new(),
            date_formats: Vec::new(),
            enable_highlighting: None,
            vector_options: None,
            json_type: None,
            text_similarity: None,
        }
    }

    plain! {
        /// Integers.
        long => Long,
        /// Floats.
        double => Double,
        /// True or false.
        boolean => Boolean,
        /// Text that is one word, as it stands.
        keyword => Keyword,
        /// Text that is cut into words.
        text => Text,
        /// Points on the globe, as text: `latitude,longitude`.
        geo_point => GeoPoint,
        /// Text that can be searched by any part of it.
        fuzzy_keyword => FuzzyKeyword,
        /// Addresses of the Internet Protocol, as text.
        ip => Ip,
        /// JSON objects whose every part is a keyword.
        flattened => Flattened,
    }

    /// Dates, written in one of these formats: a pattern as `yyyy-MM-dd`, or `epoch_millis` and its
    /// kin.
    pub fn date<F: Into<String>>(
        name: impl Into<String>,
        formats: impl IntoIterator<Item = F>,
    ) -> Self {
        let mut field = Self::new(name, FieldType::Date);
        field.date_formats = formats.into_iter().map(Into::into).collect();
        field
    }

    /// Vectors of so many 32-bit floats, compared this way.
    pub fn vector(
        name: impl Into<String>,
        dimension: u32,
        metric_type: messages::VectorMetricType,
    ) -> Self {
        let mut field = Self::new(name, FieldType::Vector);
        field.vector_options = Some(VectorOptions::new(dimension, metric_type));
        field
    }

    /// A JSON array of objects of these parts, each searched on its own.
    pub fn nested(name: impl Into<String>, fields: impl IntoIterator<Item = Self>) -> Self {
        let mut field = Self::new(name, FieldType::Nested);
        field.fields = fields.into_iter().collect();
        field
    }

    /// JSON of these parts, whose objects are searched one by one or mixed.
    pub fn json(
        name: impl Into<String>,
        json_type: JsonType,
        fields: impl IntoIterator<Item = Self>,
    ) -> Self {
        let mut field = Self::new(name, FieldType::Json);
        field.json_type = Some(json_type.into());
        field.fields = fields.into_iter().collect();
        field
    }

    /// Whether the field can be searched.
    pub const fn index(mut self, index: bool) -> Self {
        self.index = Some(index);
        self
    }

    /// Whether the field can be sorted by and aggregated.
    pub const fn sort_and_agg(mut self, sort_and_agg: bool) -> Self {
        self.sort_and_agg = Some(sort_and_agg);
        self
    }

    /// Whether the index can return the value without the table.
    pub const fn store(mut self, store: bool) -> Self {
        self.store = Some(store);
        self
    }

    /// The column holds a JSON array of such values.
    pub const fn array(mut self) -> Self {
        self.is_array = Some(true);
        self
    }

    /// Made from these columns, which have other types.
    pub fn virtual_of<N: Into<String>>(mut self, sources: impl IntoIterator<Item = N>) -> Self {
        self.is_virtual_field = Some(true);
        self.source_field_names = sources.into_iter().map(Into::into).collect();
        self
    }

    /// How text is cut into words.
    pub fn analyzer(mut self, analyzer: impl Into<Analyzer>) -> Self {
        self.analyzer = Some(analyzer.into());
        self
    }

    /// The field can be highlighted.
    pub const fn highlighting(mut self) -> Self {
        self.enable_highlighting = Some(true);
        self
    }

    /// What the index keeps about each word.
    pub const fn index_options(mut self, options: IndexOptions) -> Self {
        self.index_options = Some(Open::Known(options));
        self
    }

    /// How texts are scored.
    pub const fn text_similarity(mut self, similarity: TextSimilarity) -> Self {
        self.text_similarity = Some(Open::Known(similarity));
        self
    }

    /// The message that says the same.
    ///
    /// # Errors
    /// When the field, or a part of it, has no name, one that is given twice, or an option that
    /// doesn't go with its type.
    pub fn to_message(&self) -> Result<messages::FieldSchema, SearchError> {
        self.to_unnamed_message()
            .map_err(|error| self.within(error))
    }

    fn to_unnamed_message(&self) -> Result<messages::FieldSchema, SearchError> {
        check::options(self)?;
        Ok(messages::FieldSchema {
            field_name: Some(self.name.clone()),
            field_type: Some(self.field_type.number()),
            index_options: self.index_options.map(Open::number),
            analyzer: self
                .analyzer
                .as_ref()
                .map(|analyzer| analyzer.name().to_owned()),
            index: self.index,
            sort_and_agg: self.sort_and_agg,
            store: self.store,
            field_schemas: fields_to_messages(&self.fields)?,
            is_array: self.is_array,
            analyzer_parameter: self.analyzer.as_ref().and_then(Analyzer::parameter),
            is_virtual_field: self.is_virtual_field,
            source_field_names: self.source_field_names.clone(),
            date_formats: self.date_formats.clone(),
            enable_highlighting: self.enable_highlighting,
            vector_options: self.vector_options.map(VectorOptions::to_message),
            json_type: self.json_type.map(Open::number),
            text_similarity: self.text_similarity.map(Open::number),
        })
    }

    /// The field that a message describes. Options that don't go with the type are read all the same:
    /// what the service describes is as it is.
    ///
    /// # Errors
    /// When the name or the type is missing, the parameter of an analyzer can't be decoded, or parts
    /// are nested deeper than 16 levels.
    pub fn from_message(message: &messages::FieldSchema) -> Result<Self, SearchError> {
        Self::from_message_at(message, 0)
    }

    pub(super) fn from_message_at(
        message: &messages::FieldSchema,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let max_depth = Self::MAX_DEPTH;
        if depth > max_depth {
            return Err(SearchError::new(SearchErrorKind::TooDeep { max_depth }));
        }
        let name = required("field_name", message.field_name.clone())?;
        let read = || {
            let number = required("field_type", message.field_type)?;
            let mut field = Self::new(String::new(), Open::from_number(number));
            field.index_options = message.index_options.map(Open::from_number);
            let parameter = message.analyzer_parameter.as_ref();
            field.analyzer = Analyzer::from_parts(message.analyzer.as_ref(), parameter)?;
            field.index = message.index;
            field.sort_and_agg = message.sort_and_agg;
            field.store = message.store;
            field.fields = fields_from_messages(&message.field_schemas, depth + 1)?;
            field.is_array = message.is_array;
            field.is_virtual_field = message.is_virtual_field;
            field
                .source_field_names
                .clone_from(&message.source_field_names);
            field.date_formats.clone_from(&message.date_formats);
            field.enable_highlighting = message.enable_highlighting;
            let vector_options = message.vector_options.as_ref();
            field.vector_options = vector_options
                .map(VectorOptions::from_message)
                .transpose()?;
            field.json_type = message.json_type.map(Open::from_number);
            field.text_similarity = message.text_similarity.map(Open::from_number);
            Ok(field)
        };
        match read() {
            Ok(field) => Ok(Self { name, ..field }),
            Err(error) => Err(SearchError::within(error, format!("field {name:?}"))),
        }
    }

    fn within(&self, error: SearchError) -> SearchError {
        error.within(format!("field {:?}", self.name))
    }

    /// The service stops at 5 levels.
    const MAX_DEPTH: usize = 16;
}
