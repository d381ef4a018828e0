//! Which columns a row is returned with, and the row as bytes.

use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use bytes::Bytes;
use ots_proto::messages::{self, ColumnReturnType};
use ots_proto::plainbuffer::{RowWriter, Writer};
use ots_proto::search::GeoPoint;
use ots_proto::{ColumnName, ColumnValueRef};

use super::field::{Field, Kind, Scalar};
use super::schema::Schema;
use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// Which columns a row is returned with, besides its whole primary key.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    KeyOnly,
    /// Every column of the table.
    Table,
    /// These columns of the table, by rising name.
    Named(Vec<ColumnName>),
    /// What the index holds, by rising name, as it was written.
    Raw(Vec<Arc<Field>>),
    /// What the index holds, by rising name, arrays and points in a form of the index's own.
    Formatted(Vec<Arc<Field>>),
}

impl Columns {
    /// What Search may return.
    pub(crate) fn for_search(
        schema: &Schema,
        columns: Option<&messages::ColumnsToGet>,
    ) -> Result<Self, ServiceError> {
        match return_type(columns)? {
            ColumnReturnType::None => Ok(Self::KeyOnly),
            ColumnReturnType::All => Ok(Self::Table),
            ColumnReturnType::AllFromIndex => Ok(Self::Raw(stored_fields(schema, |_| true))),
            ColumnReturnType::Specified => {
                let names = attribute_names(schema, columns);
                let fields: Option<Vec<_>> = names
                    .iter()
                    .map(|name| {
                        schema
                            .field(name)
                            .ok()
                            .filter(|field| field.is_column())
                            .cloned()
                    })
                    .collect();
                Ok(match fields {
                    Some(fields) => Self::Raw(fields),
                    None => Self::Named(names.into_iter().map(ColumnName::from).collect()),
                })
            }
        }
    }

    /// What the top rows of a group have: the key alone where the index has fields that are no single
    /// values, as an official suite saw it.
    pub(crate) fn for_top_rows(schema: &Schema) -> Self {
        let is_scalar = |field: &Arc<Field>| field.has_one_value() && field.kind != Kind::GeoPoint;
        if schema.fields.iter().all(is_scalar) {
            Self::Raw(stored_fields(schema, |_| true))
        } else {
            Self::KeyOnly
        }
    }

    /// What ParallelScan may return: only what the index holds, but no dates and no rows within rows.
    pub(crate) fn for_scan(
        schema: &Schema,
        columns: Option<&messages::ColumnsToGet>,
    ) -> Result<Self, ServiceError> {
        match return_type(columns)? {
            ColumnReturnType::None => Ok(Self::KeyOnly),
            ColumnReturnType::All => Err(ServiceError::parameter(
                "ParallelScan can't return all columns of the table (RETURN_ALL), only those of the \
                 search index (RETURN_ALL_FROM_INDEX or RETURN_SPECIFIED)",
            )),
            ColumnReturnType::AllFromIndex => Ok(Self::Formatted(stored_fields(schema, |field| {
                is_scannable(&field.kind)
            }))),
            ColumnReturnType::Specified => {
                let fields = attribute_names(schema, columns)
                    .into_iter()
                    .map(|name| scannable(schema, name))
                    .collect::<Result<_, _>>()?;
                Ok(Self::Formatted(fields))
            }
        }
    }

    /// Whether the index alone suffices, so that a search may return more rows at once.
    pub(crate) const fn index_suffices(&self) -> bool {
        match self {
            Self::KeyOnly | Self::Raw(_) | Self::Formatted(_) => true,
            Self::Table | Self::Named(_) => false,
        }
    }

    /// Each row as a PlainBuffer of its own: that is how the search operations send rows.
    pub(crate) fn encode_all(&self, table: &TableMeta, rows: &[Arc<StoredRow>]) -> Vec<Bytes> {
        // Rows of a page are of a size: the last one tells how much room the next one needs.
        let mut room = 0;
        let encode = |row: &Arc<StoredRow>| {
            let buffer = self.encode(table, row, room + room / 8);
            room = buffer.len();
            buffer
        };
        rows.iter().map(encode).collect()
    }

    fn encode(&self, table: &TableMeta, row: &StoredRow, room_bytes: usize) -> Bytes {
        let mut buffer = Writer::with_capacity(room_bytes);
        let mut writer = buffer.begin_row();
        for (column, value) in table.primary_key.iter().zip(row.key.iter()) {
            writer.key(&column.name, value.as_ref());
        }
        match self {
            Self::KeyOnly => {}
            Self::Table => {
                for column in &row.columns {
                    table_cell(&mut writer, row, &column.name);
                }
            }
            Self::Named(names) => {
                for name in names {
                    table_cell(&mut writer, row, name);
                }
            }
            Self::Raw(fields) => {
                for field in fields {
                    raw_cell(&mut writer, row, field);
                }
            }
            Self::Formatted(fields) => {
                for field in fields {
                    formatted_cell(&mut writer, row, field);
                }
            }
        }
        writer.end();
        buffer.finish()
    }
}

/// A column read from the table carries its version. What an index returns doesn't: seen in an
/// official SDK's tests of ParallelScan.
fn table_cell(writer: &mut RowWriter<'_>, row: &StoredRow, name: &str) {
    if let Some(newest) = row.versions(name).first() {
        writer.cell(name, newest.value.as_ref(), Some(newest.timestamp_ms));
    }
}

/// A value as it was written, if it fits its field.
fn raw_cell(writer: &mut RowWriter<'_>, row: &StoredRow, field: &Field) {
    if let Some(value) = field.raw(row)
        && field.all(row, |_| ())
    {
        writer.cell(&field.name, value, None);
    }
}

fn formatted_cell(writer: &mut RowWriter<'_>, row: &StoredRow, field: &Field) {
    if field.is_array {
        let mut text = String::from("[");
        let fits = field.all(row, |value| {
            if text.len() > 1 {
                text.push(',');
            }
            format_element(&mut text, value);
        });
        text.push(']');
        if fits {
            writer.cell(&field.name, ColumnValueRef::String(&text), None);
        }
        return;
    }
    if matches!(field.kind, Kind::Ip | Kind::Vector(_) | Kind::Json) {
        raw_cell(writer, row, field);
        return;
    }
    let Some(value) = field.scalar(row.into()) else {
        return;
    };
    let formatted;
    let value = match value {
        Scalar::Long(value) | Scalar::Date(value) => ColumnValueRef::Integer(value),
        Scalar::Double(value) => ColumnValueRef::Double(value),
        Scalar::Boolean(value) => ColumnValueRef::Boolean(value),
        Scalar::Text(value) => ColumnValueRef::String(value),
        Scalar::Point(point) => {
            formatted = point_text(point);
            ColumnValueRef::String(&formatted)
        }
        // As it was written: these are no single values.
        Scalar::Ip(_) | Scalar::Vector(_) | Scalar::Object => return,
    };
    writer.cell(&field.name, value, None);
}

/// `[1,2, 3, 4]` is returned as `[1,2,3,4]`, and the point `10,50` as `10.0,50.0`: the examples of the
/// public documentation.
fn format_element(text: &mut String, value: Scalar<'_>) {
    // Writing to a String can't fail.
    let _ = match value {
        Scalar::Long(value) | Scalar::Date(value) => write!(text, "{value}"),
        Scalar::Double(value) => write!(text, "{value:?}"),
        Scalar::Boolean(value) => write!(text, "{value}"),
        Scalar::Text(value) => write!(text, "{}", serde_json::Value::from(value)),
        Scalar::Point(point) => write!(text, "\"{}\"", point_text(point)),
        Scalar::Ip(value) => write!(text, "\"{}\"", ip_text(value)),
        Scalar::Vector(_) | Scalar::Object => Ok(()),
    };
}

fn point_text(point: GeoPoint) -> String {
    format!("{:?},{:?}", point.latitude(), point.longitude())
}

fn ip_text(address: u128) -> IpAddr {
    IpAddr::from(Ipv6Addr::from_bits(address)).to_canonical()
}

/// Without a type, names alone say that they are wanted, and nothing says the key alone.
fn return_type(columns: Option<&messages::ColumnsToGet>) -> Result<ColumnReturnType, ServiceError> {
    let Some(columns) = columns else {
        return Ok(ColumnReturnType::None);
    };
    match columns.return_type {
        Some(number) => ColumnReturnType::try_from(number).map_err(|_| {
            ServiceError::parameter(format!(
                "the return_type of columns_to_get is unknown: {number}"
            ))
        }),
        None if columns.column_names.is_empty() => Ok(ColumnReturnType::None),
        None => Ok(ColumnReturnType::Specified),
    }
}

/// The names asked for, without repetitions and key columns, in rising order: the order of cells.
fn attribute_names<'c>(
    schema: &Schema,
    columns: Option<&'c messages::ColumnsToGet>,
) -> Vec<&'c str> {
    let mut names: Vec<_> = columns
        .into_iter()
        .flat_map(|columns| &columns.column_names)
        .map(String::as_str)
        .filter(|name| !schema.is_key(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn stored_fields(schema: &Schema, wanted: impl Fn(&Field) -> bool) -> Vec<Arc<Field>> {
    let mut fields: Vec<_> = schema
        .fields
        .iter()
        .filter(|field| field.is_column() && !field.is_key() && wanted(field))
        .cloned()
        .collect();
    fields.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    fields
}

/// Dates and rows within rows are what a scan doesn't return, says the public documentation.
const fn is_scannable(kind: &Kind) -> bool {
    !matches!(kind, Kind::Date(_) | Kind::Nested)
}

fn scannable(schema: &Schema, name: &str) -> Result<Arc<Field>, ServiceError> {
    let field = schema.field(name)?;
    if !is_scannable(&field.kind) {
        return Err(ServiceError::parameter(format!(
            "ParallelScan can't return field [{name}] of type {}",
            field.kind.name()
        )));
    }
    if !field.is_column() {
        return Err(ServiceError::parameter(format!(
            "ParallelScan can't return field [{name}]: store is false in its schema"
        )));
    }
    Ok(Arc::clone(field))
}

#[cfg(test)]
mod tests {
    use ots_proto::ColumnValue;
    use ots_proto::plainbuffer::{Accept, read_row};

    use super::super::testing;
    use super::*;

    fn request(kind: ColumnReturnType, names: &[&str]) -> messages::ColumnsToGet {
        messages::ColumnsToGet {
            return_type: Some(kind.into()),
            column_names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn cells(
        columns: &Columns,
        row: &[(&str, ColumnValue)],
    ) -> Vec<(String, ColumnValue, Option<i64>)> {
        let row = testing::row(1, row);
        let bytes = columns.encode(&testing::table_meta(), &row, 0);
        let row = read_row(&bytes, Accept::Rows).unwrap();
        assert_eq!(row.primary_key.get("id"), Some(&1.into()));
        row.cells
            .into_iter()
            .map(|cell| (cell.name.to_string(), cell.value, cell.timestamp_ms))
            .collect()
    }

    fn sample() -> Vec<(&'static str, ColumnValue)> {
        vec![
            ("other", 9.into()),
            ("l", 1.into()),
            ("d", 2.into()),
            ("la", "[1,2, 3, 4]".into()),
            ("ka", r#"["a", "b\"" ]"#.into()),
            ("g", "10,50".into()),
            ("ga", r#"["1,2"]"#.into()),
            ("t", 5.into()),
        ]
    }

    #[test]
    fn a_scan_formats_arrays_and_points_and_leaves_dates_out() {
        let columns = request(ColumnReturnType::AllFromIndex, &[]);
        let columns = Columns::for_scan(&testing::schema(), Some(&columns)).unwrap();
        let expected: Vec<(&str, ColumnValue)> = vec![
            ("g", "10.0,50.0".into()),
            ("ga", r#"["1.0,2.0"]"#.into()),
            ("ka", r#"["a","b\""]"#.into()),
            ("l", 1.into()),
            ("la", "[1,2,3,4]".into()),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value, None))
            .collect();
        assert_eq!(cells(&columns, &sample()), expected);
    }

    #[test]
    fn a_scan_refuses_what_the_index_cannot_give() {
        let refusal = |kind, names: &[&str]| {
            let columns = request(kind, names);
            Columns::for_scan(&testing::schema(), Some(&columns))
                .unwrap_err()
                .message
        };
        assert_eq!(
            refusal(ColumnReturnType::Specified, &["l", "t"]),
            "ParallelScan can't return field [t] of type DATE"
        );
        assert_eq!(
            refusal(ColumnReturnType::Specified, &["other"]),
            "field [other] does not exist in the search index"
        );
        assert!(refusal(ColumnReturnType::All, &[]).contains("RETURN_ALL"));
    }

    #[test]
    fn a_scan_does_not_return_rows_within_rows() {
        let mut message = testing::index_schema();
        message.field_schemas.push(testing::nested_field());
        let table = Arc::clone(&testing::schema().table);
        let schema = Schema::parse(&message, table).unwrap();
        let scan = |kind, names: &[&str]| Columns::for_scan(&schema, Some(&request(kind, names)));
        assert_eq!(
            scan(ColumnReturnType::Specified, &["n"])
                .unwrap_err()
                .message,
            "ParallelScan can't return field [n] of type NESTED"
        );
        let Ok(Columns::Formatted(fields)) = scan(ColumnReturnType::AllFromIndex, &[]) else {
            panic!("not what the index holds");
        };
        assert!(fields.iter().all(|field| &*field.name != "n"));
    }

    #[test]
    fn a_search_returns_what_was_written() {
        let schema = testing::schema();
        let search = |kind, names: &[&str]| {
            let columns = request(kind, names);
            Columns::for_search(&schema, Some(&columns)).unwrap()
        };
        let index = search(ColumnReturnType::Specified, &["la", "id", "l", "la"]);
        assert!(index.index_suffices());
        assert_eq!(
            cells(&index, &sample()),
            [
                ("l".to_owned(), 1.into(), None),
                ("la".to_owned(), "[1,2, 3, 4]".into(), None)
            ]
        );
        let table = search(ColumnReturnType::Specified, &["other", "none"]);
        assert!(!table.index_suffices());
        assert_eq!(
            cells(&table, &sample()),
            [("other".to_owned(), 9.into(), Some(1000))]
        );
        let all = search(ColumnReturnType::All, &[]);
        let names: Vec<_> = cells(&all, &sample())
            .into_iter()
            .map(|cell| cell.0)
            .collect();
        assert_eq!(names, ["d", "g", "ga", "ka", "l", "la", "other", "t"]);
        let none = Columns::for_search(&schema, None).unwrap();
        assert!(cells(&none, &sample()).is_empty());
    }
}
