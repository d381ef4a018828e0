//! A field of an index: where its values lie in a row, and what they are.

use std::sync::atomic::{AtomicUsize, Ordering};

use ots_proto::messages::{FieldSchema, FieldType};
use ots_proto::{ColumnName, ColumnValueRef, PrimaryKeyValue};

use super::analyzer::Analyzer;
use super::array::{self, Element};
use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::names;
use crate::stored::{StoredColumn, StoredRow};

/// A field of an index.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: ColumnName,
    pub(crate) kind: Kind,
    /// Whether the column holds a JSON array of values.
    pub(crate) is_array: bool,
    /// Whether queries may ask for it.
    pub(crate) indexed: bool,
    /// Whether results may be sorted by it.
    pub(crate) sortable: bool,
    /// Whether the index can return it.
    pub(crate) stored: bool,
    /// Its place in the primary key, if it is a key column.
    key_position: Option<usize>,
    /// Where the column was found last. Rows of a table mostly have the same columns, so the next row
    /// has it at the same place, and a query over millions of rows needs no search in each.
    last_position: AtomicUsize,
}

/// What a field's values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Long,
    Double,
    Boolean,
    Keyword,
    Text(Analyzer),
    GeoPoint,
    Date(EpochUnit),
}

/// What an integer in a DATE field counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EpochUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Long(i64),
    Double(f64),
    Boolean(bool),
    /// Of a KEYWORD, or a whole TEXT.
    Text(&'a str),
    Point {
        lat: f64,
        lon: f64,
    },
    /// Nanoseconds since 1970, never negative.
    Date(i64),
}

impl Field {
    pub(crate) fn parse(schema: &FieldSchema, table: &TableMeta) -> Result<Self, ServiceError> {
        let name = schema.field_name.as_deref().unwrap_or_default();
        names::column(name)?;
        refuse_features(name, schema)?;
        let kind = Kind::parse(name, schema)?;
        let text = matches!(kind, Kind::Text(_));
        if !text && schema.analyzer.is_some() {
            return Err(ServiceError::parameter(format!(
                "field [{name}] has an analyzer, but its type is {}, not TEXT",
                kind.name()
            )));
        }
        Ok(Self {
            name: name.into(),
            is_array: schema.is_array.unwrap_or(false),
            indexed: schema.index.unwrap_or(true),
            // Unset means true except for TEXT: official tests sort by such fields.
            sortable: schema.sort_and_agg.unwrap_or(true) && !text,
            stored: schema.store.unwrap_or(true),
            key_position: table
                .primary_key
                .iter()
                .position(|column| column.name == name),
            last_position: AtomicUsize::new(0),
            kind,
        })
    }

    /// Whether it is a column of the primary key.
    pub(crate) const fn is_key(&self) -> bool {
        self.key_position.is_some()
    }

    /// What the column holds, newest version, of whatever type.
    #[inline]
    pub(crate) fn raw<'r>(&self, row: &'r StoredRow) -> Option<ColumnValueRef<'r>> {
        let Some(position) = self.key_position else {
            return Some(self.column(row)?.versions.first()?.value.as_ref());
        };
        match row.key.get(position)? {
            PrimaryKeyValue::Integer(value) => Some(ColumnValueRef::Integer(*value)),
            PrimaryKeyValue::String(value) => Some(ColumnValueRef::String(value)),
            PrimaryKeyValue::Binary(value) => Some(ColumnValueRef::Binary(value)),
            PrimaryKeyValue::InfMin | PrimaryKeyValue::InfMax | PrimaryKeyValue::AutoIncrement => {
                None
            }
        }
    }

    #[inline]
    fn column<'r>(&self, row: &'r StoredRow) -> Option<&'r StoredColumn> {
        let columns = &row.columns;
        if let Some(column) = columns.get(self.last_position.load(Ordering::Relaxed))
            && column.name == self.name
        {
            return Some(column);
        }
        let position = columns
            .binary_search_by(|column| column.name.as_bytes().cmp(self.name.as_bytes()))
            .ok()?;
        self.last_position.store(position, Ordering::Relaxed);
        columns.get(position)
    }

    /// The value, if the field has one and isn't an array.
    pub(crate) fn scalar<'r>(&self, row: &'r StoredRow) -> Option<Scalar<'r>> {
        if self.is_array {
            return None;
        }
        self.kind.scalar(self.raw(row)?)
    }

    /// Whether some value passes the test.
    ///
    /// A column whose content doesn't fit the type of the field counts as missing, as a whole: the
    /// documentation says that such a row is discarded, but in official tests it stays and lacks the
    /// field.
    #[inline]
    pub(crate) fn any(&self, row: &StoredRow, mut test: impl FnMut(Scalar<'_>) -> bool) -> bool {
        let mut found = false;
        let fits = self.all(row, |value| found |= test(value));
        fits && found
    }

    /// Calls `each` with every value; false if the column is absent or doesn't fit.
    ///
    /// Whether it fits is known only at the end: what `each` was told counts for nothing then.
    #[inline]
    pub(crate) fn all(&self, row: &StoredRow, mut each: impl FnMut(Scalar<'_>)) -> bool {
        match self.raw(row) {
            None => false,
            Some(raw) if !self.is_array => self.kind.scalar(raw).map(each).is_some(),
            Some(ColumnValueRef::String(text)) => array::all_elements(text, |element| {
                self.kind.element(element).map(&mut each).is_some()
            }),
            Some(_) => false,
        }
    }
}

impl Kind {
    fn parse(name: &str, schema: &FieldSchema) -> Result<Self, ServiceError> {
        let number = schema.field_type.unwrap_or_default();
        let field_type = FieldType::try_from(number).map_err(|_| {
            ServiceError::parameter(format!("field [{name}] has no known type: {number}"))
        })?;
        match field_type {
            FieldType::Long => Ok(Self::Long),
            FieldType::Double => Ok(Self::Double),
            FieldType::Boolean => Ok(Self::Boolean),
            FieldType::Keyword => Ok(Self::Keyword),
            FieldType::Text => Analyzer::parse(name, schema).map(Self::Text),
            FieldType::GeoPoint => Ok(Self::GeoPoint),
            FieldType::Date => EpochUnit::parse(name, schema).map(Self::Date),
            other => Err(ServiceError::parameter(format!(
                "the type {} of field [{name}] is not supported by the emulator",
                other.as_str_name().trim_start_matches("FIELD_TYPE_")
            ))),
        }
    }

    /// The name of the type, as the service spells it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::Boolean => "BOOLEAN",
            Self::Keyword => "KEYWORD",
            Self::Text(_) => "TEXT",
            Self::GeoPoint => "GEO_POINT",
            Self::Date(_) => "DATE",
        }
    }

    /// The value as this type, if the column's type is the one that belongs to it.
    #[inline]
    fn scalar<'a>(&self, raw: ColumnValueRef<'a>) -> Option<Scalar<'a>> {
        match (self, raw) {
            (Self::Long, ColumnValueRef::Integer(value)) => Some(Scalar::Long(value)),
            // An integer in a DOUBLE field is dirty, seen in official tests.
            (Self::Double, ColumnValueRef::Double(value)) => Some(Scalar::Double(value)),
            (Self::Boolean, ColumnValueRef::Boolean(value)) => Some(Scalar::Boolean(value)),
            (Self::Keyword | Self::Text(_), ColumnValueRef::String(value)) => {
                Some(Scalar::Text(value))
            }
            (Self::GeoPoint, ColumnValueRef::String(value)) => point(value),
            (Self::Date(unit), ColumnValueRef::Integer(value)) => unit.date(value),
            _ => None,
        }
    }

    fn element<'a>(&self, element: Element<'a>) -> Option<Scalar<'a>> {
        let raw = match element {
            // JSON knows one kind of number: `[1, 2.5]` holds two doubles.
            Element::Integer(value) if *self == Self::Double => {
                ColumnValueRef::Double(value as f64)
            }
            Element::Integer(value) => ColumnValueRef::Integer(value),
            Element::Double(value) => ColumnValueRef::Double(value),
            Element::Boolean(value) => ColumnValueRef::Boolean(value),
            Element::Text(value) => ColumnValueRef::String(value),
        };
        self.scalar(raw)
    }
}

impl EpochUnit {
    fn parse(name: &str, schema: &FieldSchema) -> Result<Self, ServiceError> {
        match schema.date_formats.as_slice() {
            [only] => match only.as_str() {
                "epoch_second" => Ok(Self::Seconds),
                "epoch_millis" => Ok(Self::Millis),
                "epoch_micros" => Ok(Self::Micros),
                "epoch_nanos" => Ok(Self::Nanos),
                other => Err(ServiceError::parameter(format!(
                    "the date format [{other}] of field [{name}] is not supported by the emulator, \
                     only epoch_second, epoch_millis, epoch_micros and epoch_nanos are"
                ))),
            },
            formats => Err(ServiceError::parameter(format!(
                "field [{name}] has {} date formats, the emulator supports exactly one",
                formats.len()
            ))),
        }
    }

    /// Nanoseconds of one unit.
    pub(crate) const fn nanos(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    /// A date, if it lies in the service's range: from 1970 as far as an i64 of nanoseconds goes.
    fn date(self, value: i64) -> Option<Scalar<'static>> {
        let nanos = value.checked_mul(self.nanos())?;
        (nanos >= 0).then_some(Scalar::Date(nanos))
    }
}

/// `"lat,lon"` in degrees.
fn point(text: &str) -> Option<Scalar<'static>> {
    let (lat, lon) = text.split_once(',')?;
    let lat: f64 = lat.trim().parse().ok()?;
    let lon: f64 = lon.trim().parse().ok()?;
    let valid = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
    valid.then_some(Scalar::Point { lat, lon })
}

fn refuse_features(name: &str, schema: &FieldSchema) -> Result<(), ServiceError> {
    let virtual_field =
        schema.is_virtual_field.unwrap_or(false) || !schema.source_field_names.is_empty();
    for (present, feature) in [
        (virtual_field, "a virtual field"),
        (!schema.field_schemas.is_empty(), "a field with sub-fields"),
        (schema.vector_options.is_some(), "a VECTOR"),
        (schema.json_type.is_some(), "a JSON field"),
    ] {
        if present {
            return Err(ServiceError::parameter(format!(
                "field [{name}] is {feature}, which is not supported by the emulator"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, field};
    use super::*;

    fn values(
        schema: FieldSchema,
        value: impl Into<ots_proto::ColumnValue>,
    ) -> Option<Vec<String>> {
        let field = Field::parse(&schema, &testing::table_meta()).unwrap();
        let row = testing::row(1, &[("f", value.into())]);
        let mut seen = Vec::new();
        field
            .all(&row, |value| seen.push(format!("{value:?}")))
            .then_some(seen)
    }

    fn array(kind: FieldType) -> FieldSchema {
        FieldSchema {
            is_array: Some(true),
            ..field("f", kind)
        }
    }

    #[test]
    fn values_follow_the_type_of_the_field() {
        assert_eq!(values(field("f", FieldType::Long), 7).unwrap(), ["Long(7)"]);
        assert_eq!(
            values(field("f", FieldType::Double), 0.5).unwrap(),
            ["Double(0.5)"]
        );
        assert_eq!(
            values(field("f", FieldType::Boolean), true).unwrap(),
            ["Boolean(true)"]
        );
        assert_eq!(
            values(field("f", FieldType::Keyword), "a").unwrap(),
            [r#"Text("a")"#]
        );
        assert_eq!(
            values(field("f", FieldType::GeoPoint), "10,-50.5").unwrap(),
            ["Point { lat: 10.0, lon: -50.5 }"]
        );
        let date = FieldSchema {
            date_formats: vec!["epoch_second".to_owned()],
            ..field("f", FieldType::Date)
        };
        assert_eq!(values(date.clone(), 3).unwrap(), ["Date(3000000000)"]);
        assert_eq!(values(date.clone(), -1), None);
        assert_eq!(values(date, i64::MAX), None);
    }

    #[test]
    fn a_value_of_another_type_is_missing() {
        assert_eq!(values(field("f", FieldType::Long), "7"), None);
        assert_eq!(values(field("f", FieldType::Double), 7), None);
        assert_eq!(values(field("f", FieldType::Keyword), 7), None);
        for text in ["", "1", "1;2", "91,0", "0,181", "NaN,0", "a,b", "1,2,3"] {
            assert_eq!(
                values(field("f", FieldType::GeoPoint), text),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn one_bad_element_spoils_an_array() {
        assert_eq!(
            values(array(FieldType::Long), "[1, 2]").unwrap(),
            ["Long(1)", "Long(2)"]
        );
        assert_eq!(
            values(array(FieldType::Double), "[1, 2.5]").unwrap(),
            ["Double(1.0)", "Double(2.5)"]
        );
        assert_eq!(values(array(FieldType::Long), r#"[1, "2"]"#), None);
        assert_eq!(values(array(FieldType::Long), "[1, 2.5]"), None);
        assert_eq!(values(array(FieldType::Long), "7"), None);
        assert_eq!(values(array(FieldType::Long), 7), None);
        let spoilt = Field::parse(&array(FieldType::Long), &testing::table_meta()).unwrap();
        let row = testing::row(1, &[("f", "[1, true]".into())]);
        assert!(!spoilt.any(&row, |_| true));
    }

    #[test]
    fn key_columns_are_fields_like_any_other() {
        let key = Field::parse(&field("id", FieldType::Long), &testing::table_meta()).unwrap();
        assert!(key.is_key());
        assert_eq!(key.scalar(&testing::row(5, &[])), Some(Scalar::Long(5)));
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let virtual_field = FieldSchema {
            is_virtual_field: Some(true),
            ..field("f", FieldType::Keyword)
        };
        let pattern = FieldSchema {
            date_formats: vec!["yyyy-MM-dd".to_owned()],
            ..field("f", FieldType::Date)
        };
        for (schema, expected) in [
            (
                field("f", FieldType::Nested),
                "the type NESTED of field [f] is not supported by the emulator",
            ),
            (
                field("f", FieldType::Vector),
                "the type VECTOR of field [f] is not supported by the emulator",
            ),
            (
                virtual_field,
                "field [f] is a virtual field, which is not supported by the emulator",
            ),
            (
                pattern,
                "the date format [yyyy-MM-dd] of field [f] is not supported by the emulator, only \
                 epoch_second, epoch_millis, epoch_micros and epoch_nanos are",
            ),
            (
                field("f", FieldType::Date),
                "field [f] has 0 date formats, the emulator supports exactly one",
            ),
            (field("#f", FieldType::Long), "Invalid column name: '#f'."),
            (
                FieldSchema::default(),
                "invalid name of column: empty name.",
            ),
        ] {
            let error = Field::parse(&schema, &testing::table_meta()).unwrap_err();
            assert_eq!(error.status, 400);
            assert_eq!(error.code, "OTSParameterInvalid");
            assert_eq!(error.message, expected);
        }
    }
}
