//! What can be wrong with the columns of a scan before the service is asked.

use std::collections::HashSet;

use ots_core::request::ScanColumns;
use ots_proto::messages::FieldType;
use ots_proto::search::{FieldSchema, Open};

use crate::error::{ScanError, ScanErrorKind};

/// `fields` are those of the index, where the caller knows them.
pub(crate) fn check(columns: &ScanColumns, fields: &[FieldSchema]) -> Result<(), ScanError> {
    let ScanColumns::Specified(names) = columns else {
        return Ok(());
    };
    let problem = if names.is_empty() {
        "none is named; for the primary key alone, ask for ScanColumns::PrimaryKey".to_owned()
    } else if names.iter().any(String::is_empty) {
        "one of the names is empty".to_owned()
    } else if let Some(name) = repeated(names) {
        format!("{name:?} is named twice")
    } else if let Some(problem) = names.iter().find_map(|name| unreturnable(name, fields)) {
        problem
    } else {
        return Ok(());
    };
    Err(ScanError::new(ScanErrorKind::Columns(problem)))
}

fn repeated(names: &[String]) -> Option<&String> {
    let mut seen = HashSet::with_capacity(names.len());
    names.iter().find(|name| !seen.insert(name.as_str()))
}

/// Why a scan never returns this column. Nothing is said of one that isn't a field: it may be of the
/// primary key.
fn unreturnable(name: &str, fields: &[FieldSchema]) -> Option<String> {
    let field = fields.iter().find(|field| field.name == name)?;
    let kind = match field.field_type {
        Open::Known(FieldType::Date) => "DATE",
        Open::Known(FieldType::Nested) => "NESTED",
        // Of a field that says nothing, the service's default is to store it.
        _ if field.store == Some(false) => {
            return Some(format!(
                "{name:?} is not stored in the index, and a scan reads nothing else: leave it out, or \
                 read it from the table"
            ));
        }
        _ => return None,
    };
    Some(format!(
        "{name:?} is of type {kind}, which no scan returns: leave it out, or read it from the table"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<const N: usize>(names: [&str; N]) -> ScanColumns {
        ScanColumns::Specified(names.map(str::to_owned).into())
    }

    #[test]
    fn what_a_scan_never_returns_is_refused_where_the_fields_are_known() {
        let fields = [
            FieldSchema::keyword("city"),
            FieldSchema::date("when", ["epoch_millis"]),
            FieldSchema::nested("items", [FieldSchema::keyword("name")]),
            FieldSchema::long("price").store(true),
            FieldSchema::text("text").store(false),
        ];
        for (name, kind) in [("when", "DATE"), ("items", "NESTED")] {
            let columns = named(["city", name]);
            let error = check(&columns, &fields).unwrap_err();
            let message = format!(
                "these columns can't be scanned: {name:?} is of type {kind}, which no scan returns: \
                 leave it out, or read it from the table"
            );
            assert_eq!(error.to_string(), message);
            assert!(check(&columns, &[]).is_ok());
        }
        let error = check(&named(["city", "text"]), &fields).unwrap_err();
        assert_eq!(
            error.to_string(),
            "these columns can't be scanned: \"text\" is not stored in the index, and a scan reads \
             nothing else: leave it out, or read it from the table"
        );
        assert!(check(&named(["city", "id", "price"]), &fields).is_ok());
        assert!(check(&ScanColumns::AllFromIndex, &fields).is_ok());
    }
}
