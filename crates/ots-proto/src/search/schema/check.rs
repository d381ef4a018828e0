//! Which options of a field go together.

use std::collections::HashSet;

use super::super::error::{SearchError, SearchErrorKind};
use super::field::FieldSchema;
use super::open::Open;
use crate::messages::FieldType;

/// Refuses options that don't go with the type of the field. Of a type that this version doesn't
/// know, it can't judge.
pub(super) fn options(field: &FieldSchema) -> Result<(), SearchError> {
    let Open::Known(kind) = field.field_type else {
        return Ok(());
    };
    let is = |wanted| kind == wanted;
    let has_parts = is(FieldType::Nested) || is(FieldType::Json);
    let is_virtual = field.is_virtual_field == Some(true);
    let vector = field.vector_options.as_ref();
    let dimension = vector.and_then(|options| options.dimension).unwrap_or(0);
    let broken = [
        (
            field.analyzer.is_some() && !is(FieldType::Text),
            "an analyzer is for TEXT",
        ),
        (
            field.enable_highlighting == Some(true) && !is(FieldType::Text),
            "highlighting is for TEXT",
        ),
        (
            field.text_similarity.is_some() && !is(FieldType::Text),
            "a text similarity is for TEXT",
        ),
        (
            !field.date_formats.is_empty() && !is(FieldType::Date),
            "date formats are for DATE",
        ),
        (
            vector.is_some() && !is(FieldType::Vector),
            "vector options are for VECTOR",
        ),
        (
            is(FieldType::Vector) && dimension == 0,
            "a VECTOR needs a dimension of at least 1",
        ),
        (
            !field.fields.is_empty() && !has_parts,
            "fields inside are for NESTED and JSON",
        ),
        (
            is(FieldType::Nested) && field.fields.is_empty(),
            "a NESTED needs fields inside",
        ),
        (
            is(FieldType::Nested) && field.is_array == Some(true),
            "a NESTED is an array of itself, and not marked as one",
        ),
        (
            field.json_type.is_some() && !is(FieldType::Json),
            "a JSON type is for JSON",
        ),
        (
            is_virtual && field.source_field_names.is_empty(),
            "a virtual field needs columns it is made from",
        ),
        (
            !is_virtual && !field.source_field_names.is_empty(),
            "only a virtual field is made from other columns",
        ),
    ];
    match broken.into_iter().find(|(broken, _)| *broken) {
        Some((_, rule)) => Err(SearchError::invalid(rule)),
        None => Ok(()),
    }
}

/// Refuses a level of fields with a name that is empty or given twice.
pub(super) fn names(fields: &[FieldSchema]) -> Result<(), SearchError> {
    let mut seen = HashSet::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        if field.name.is_empty() {
            let part = format!("field {index}");
            return Err(SearchError::new(SearchErrorKind::EmptyName).within(part));
        }
        if !seen.insert(field.name.as_str()) {
            let part = format!("field {:?}", field.name);
            return Err(SearchError::new(SearchErrorKind::DuplicateName).within(part));
        }
    }
    Ok(())
}
