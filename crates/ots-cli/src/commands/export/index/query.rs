//! The query of a file, held against the index that it asks.

use std::path::Path;

use ots_core::Query;
use ots_proto::messages::{FieldSchema, IndexSchema};

use super::Job;
use crate::failure::{Exit, Failure};

pub(in crate::commands) fn read_query(path: &Path) -> Result<Query, Failure> {
    let wrong = || wrong_query(path);
    let text = std::fs::read_to_string(path).map_err(|error| {
        let failure = wrong().because(error);
        match path.to_string_lossy().trim_start().starts_with('{') {
            true => failure.advise("--query-json takes the name of a file"),
            false => failure,
        }
    })?;
    let json = serde_json::from_str(&text).map_err(|error| wrong().because(error))?;
    Query::from_json(&json).map_err(|error| wrong().because(error))
}

fn wrong_query(path: &Path) -> Failure {
    let doing = format!("the query in {} can't be used", path.display());
    Failure::new(Exit::Usage, doing)
}

impl Job {
    pub(super) fn check_query(&self, index: &IndexSchema) -> Result<(), Failure> {
        match &self.query_file {
            Some(path) => check_query(path, &self.query, (&self.table, &self.index), index),
            None => Ok(()),
        }
    }
}

/// The service's own words about a field that isn't there name neither the file nor the fields.
pub(in crate::commands) fn check_query(
    path: &Path,
    query: &Query,
    (table, index): (&str, &str),
    schema: &IndexSchema,
) -> Result<(), Failure> {
    let fields = field_names(schema);
    let Some(unknown) = unknown_field(query, &fields) else {
        return Ok(());
    };
    let problem = format!("index {index:?} of table {table:?} has no field {unknown:?}");
    let advice = format!("its fields are {}", fields.join(", "));
    Err(wrong_query(path).because(problem).advise(advice))
}

/// The fields of an index, those inside others by their path.
pub(in crate::commands) fn field_names(schema: &IndexSchema) -> Vec<String> {
    let mut fields = Vec::new();
    name_fields("", &schema.field_schemas, &mut fields);
    fields
}

fn name_fields(around: &str, fields: &[FieldSchema], names: &mut Vec<String>) {
    for field in fields {
        let name = format!("{around}{}", field.field_name());
        name_fields(&format!("{name}."), &field.field_schemas, names);
        names.push(name);
    }
}

/// The first field of a query that isn't one of these.
fn unknown_field<'q>(query: &'q Query, fields: &[String]) -> Option<&'q str> {
    let unknown = |field: &&str| !fields.iter().any(|known| known == field);
    let mut children = query.children().into_iter();
    query
        .field()
        .filter(unknown)
        .or_else(|| children.find_map(|child| unknown_field(child, fields)))
}
