//! The fields of an index.

use std::collections::HashMap;
use std::sync::Arc;

use ots_proto::messages;

use super::field::{Field, Kind};
use crate::database::TableMeta;
use crate::error::ServiceError;

/// The fields of an index, checked and ready to be asked.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) table: Arc<TableMeta>,
    /// In the order given, each followed by those inside of it.
    pub(crate) fields: Vec<Arc<Field>>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    pub(crate) fn parse(
        message: &messages::IndexSchema,
        table: Arc<TableMeta>,
    ) -> Result<Self, ServiceError> {
        let count = message.field_schemas.len();
        if count == 0 || count > MAX_FIELDS {
            return Err(ServiceError::parameter(format!(
                "a search index has 1 to {MAX_FIELDS} fields, not {count}"
            )));
        }
        if let Some(setting) = &message.index_setting {
            check_setting(setting, &table)?;
        }
        let mut fields = Vec::with_capacity(count);
        let mut by_name = HashMap::with_capacity(count);
        for schema in &message.field_schemas {
            for field in Field::parse(schema, &table)? {
                if by_name
                    .insert(field.name.to_string(), fields.len())
                    .is_some()
                {
                    return Err(ServiceError::parameter(format!(
                        "duplicated field [{}] in the schema of the search index",
                        field.name
                    )));
                }
                fields.push(Arc::new(field));
            }
        }
        let vectors = fields
            .iter()
            .filter(|field| matches!(field.kind, Kind::Vector(_)))
            .count();
        if vectors > MAX_VECTORS {
            return Err(ServiceError::parameter(format!(
                "a search index has at most {MAX_VECTORS} fields of type VECTOR, not {vectors}"
            )));
        }
        Ok(Self {
            table,
            fields,
            by_name,
        })
    }

    pub(crate) fn field(&self, name: &str) -> Result<&Arc<Field>, ServiceError> {
        self.by_name
            .get(name)
            .and_then(|position| self.fields.get(*position))
            .ok_or_else(|| {
                ServiceError::parameter(format!(
                    "field [{name}] does not exist in the search index"
                ))
            })
    }

    /// A field that a query may ask for.
    pub(crate) fn queryable(&self, name: &str) -> Result<&Arc<Field>, ServiceError> {
        let field = self.field(name)?;
        if field.indexed {
            Ok(field)
        } else {
            Err(ServiceError::parameter(format!(
                "field [{name}] can't be queried: index is false in its schema"
            )))
        }
    }

    /// A field that a query may ask for where the inner rows of `scope` are searched, or whole rows if
    /// that is none.
    pub(crate) fn queryable_in(
        &self,
        scope: Option<&str>,
        name: &str,
    ) -> Result<&Arc<Field>, ServiceError> {
        let field = self.queryable(name)?;
        match (field.nested_in.as_deref(), scope) {
            (home, scope) if home == scope => Ok(field),
            (Some(home), _) => Err(ServiceError::parameter(format!(
                "field [{name}] lies in the NESTED field [{home}]: ask for it in a nested query"
            ))),
            (None, _) => Err(ServiceError::parameter(format!(
                "field [{name}] can't be asked for in a nested query: it isn't in a NESTED field"
            ))),
        }
    }

    /// The NESTED field at the path of a nested query.
    pub(crate) fn nested(&self, path: &str) -> Result<&Arc<Field>, ServiceError> {
        let field = self.field(path)?;
        if field.kind == Kind::Nested {
            Ok(field)
        } else {
            Err(ServiceError::parameter(format!(
                "field [{path}] is of type {}, not NESTED",
                field.kind.name()
            )))
        }
    }

    /// Whether some field is NESTED: such an index has no order of its own.
    pub(crate) fn has_nested(&self) -> bool {
        self.fields.iter().any(|field| field.kind == Kind::Nested)
    }

    /// Whether `name` is a column of the primary key.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.table
            .primary_key
            .iter()
            .any(|column| column.name == name)
    }
}

fn check_setting(setting: &messages::IndexSetting, table: &TableMeta) -> Result<(), ServiceError> {
    if setting.enable_custom_column_version.unwrap_or(false) {
        return Err(ServiceError::parameter(
            "enable_custom_column_version is not supported by the emulator",
        ));
    }
    for name in &setting.routing_fields {
        if !table.primary_key.iter().any(|column| column.name == *name) {
            return Err(ServiceError::parameter(format!(
                "the routing field [{name}] is not a primary key column of the table"
            )));
        }
    }
    Ok(())
}

// From the public documentation.
const MAX_FIELDS: usize = 1000;
const MAX_VECTORS: usize = 5;
