//! A field of an index: where its values lie in a row, and what they are.

use std::sync::atomic::{AtomicUsize, Ordering};

use ots_proto::messages::FieldSchema;
use ots_proto::{ColumnName, ColumnValueRef, PrimaryKeyValue};
use serde_json::Value;

use super::array;
use super::doc::{Doc, InnerRow, walk};
use super::kind::json_element;
pub(crate) use super::kind::{Kind, Scalar};
use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::names;
use crate::stored::{StoredColumn, StoredRow};

/// A field of an index.
#[derive(Debug)]
pub(crate) struct Field {
    /// With the names of the fields it lies in: `n.k`.
    pub(crate) name: ColumnName,
    pub(crate) kind: Kind,
    /// Whether the column holds a JSON array of values.
    pub(crate) is_array: bool,
    /// Whether queries may ask for it.
    pub(crate) indexed: bool,
    /// Whether results may be sorted by it, and counted.
    pub(crate) sortable: bool,
    /// Whether the index can return it.
    stored: bool,
    /// Whether the words found in it can be marked.
    pub(crate) highlighting: bool,
    /// The innermost NESTED field it lies in.
    pub(crate) nested_in: Option<String>,
    /// Whether its values are made from those of a column of another type.
    is_virtual: bool,
    /// The column that holds it.
    column: ColumnName,
    /// The names that lead to it inside the JSON of the column.
    inside: Vec<String>,
    /// Its place in the primary key, if it is a key column.
    key_position: Option<usize>,
    /// Where the column was found last. Rows of a table mostly have the same columns, so the next row
    /// has it at the same place, and a query over millions of rows needs no search in each.
    last_position: AtomicUsize,
}

impl Field {
    /// A field, and after it those that lie in it.
    pub(crate) fn parse(
        schema: &FieldSchema,
        table: &TableMeta,
    ) -> Result<Vec<Self>, ServiceError> {
        let name = schema.field_name.as_deref().unwrap_or_default();
        names::column(name)?;
        let mut fields = Vec::new();
        Self::parse_into(&mut fields, schema, table, None)?;
        Ok(fields)
    }

    fn parse_into(
        fields: &mut Vec<Self>,
        schema: &FieldSchema,
        table: &TableMeta,
        outer: Option<&Self>,
    ) -> Result<(), ServiceError> {
        let field = Self::parse_one(schema, table, outer)?;
        let refused = |what: &str| {
            Err(ServiceError::parameter(format!(
                "field [{}] {what}",
                field.name
            )))
        };
        match schema.field_schemas.len() {
            0 if field.kind.has_parts() => return refused("needs fields inside"),
            0 => {}
            _ if !field.kind.has_parts() => {
                return refused("has fields inside, which are for NESTED and JSON");
            }
            1..=MAX_SUB_FIELDS => {}
            _ => return refused("has too many fields inside"),
        }
        if field.inside.len() > MAX_DEPTH {
            return refused("is nested too deeply");
        }
        let mut inner = Vec::new();
        for schema in &schema.field_schemas {
            Self::parse_into(&mut inner, schema, table, Some(&field))?;
        }
        fields.push(field);
        fields.append(&mut inner);
        Ok(())
    }

    fn parse_one(
        schema: &FieldSchema,
        table: &TableMeta,
        outer: Option<&Self>,
    ) -> Result<Self, ServiceError> {
        let own_name = schema.field_name.as_deref().unwrap_or_default();
        let name = match outer {
            Some(outer) if own_name.is_empty() => {
                return Err(ServiceError::parameter(format!(
                    "a field inside of field [{}] has no name",
                    outer.name
                )));
            }
            Some(outer) => format!("{}.{own_name}", outer.name),
            None => own_name.to_owned(),
        };
        let kind = Kind::parse(&name, schema)?;
        let is_array = schema.is_array.unwrap_or(false);
        check_options(&name, &kind, schema, outer.is_some())?;
        let mut inside = outer.map(|outer| outer.inside.clone()).unwrap_or_default();
        if outer.is_some() {
            inside.push(own_name.to_owned());
        }
        let nested_in = outer.and_then(|outer| match outer.kind {
            Kind::Nested => Some(outer.name.to_string()),
            _ => outer.nested_in.clone(),
        });
        let source = schema.source_field_names.first();
        let column = match (outer, source) {
            (Some(outer), _) => outer.column.clone(),
            (None, Some(source)) => ColumnName::from(source.as_str()),
            (None, None) => ColumnName::from(name.as_str()),
        };
        let is_virtual = schema.is_virtual_field.unwrap_or(false);
        Ok(Self {
            is_array,
            indexed: schema.index.unwrap_or(true),
            // Unset means true, but for types without an order: official tests sort by such fields.
            sortable: schema.sort_and_agg.unwrap_or(true) && kind.has_order(),
            stored: schema.store.unwrap_or(true) && !is_virtual,
            highlighting: schema.enable_highlighting.unwrap_or(false),
            nested_in,
            is_virtual,
            key_position: table.primary_key.iter().position(|key| column == *key.name),
            inside,
            last_position: AtomicUsize::new(0),
            name: name.as_str().into(),
            column,
            kind,
        })
    }

    /// Whether it is a column of the primary key.
    pub(crate) const fn is_key(&self) -> bool {
        self.key_position.is_some()
    }

    /// Whether the index returns it: what lies inside of a column is returned with the column.
    pub(crate) const fn is_column(&self) -> bool {
        self.stored && self.inside.is_empty()
    }

    /// Whether a row has at most one value of it, which lies in a column as it is.
    const fn is_plain(&self) -> bool {
        !self.is_array && !self.is_virtual && self.inside.is_empty()
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
            && column.name == self.column
        {
            return Some(column);
        }
        let position = columns
            .binary_search_by(|column| column.name.as_bytes().cmp(self.column.as_bytes()))
            .ok()?;
        self.last_position.store(position, Ordering::Relaxed);
        columns.get(position)
    }

    /// The value, if the field has one and can't have several.
    pub(crate) fn scalar<'r>(&self, doc: Doc<'r>) -> Option<Scalar<'r>> {
        match doc {
            Doc::Row(row) if self.is_plain() => self.kind.scalar(self.raw(row)?),
            _ => None,
        }
    }

    /// Whether [`scalar`](Self::scalar) says all there is to say.
    pub(crate) const fn has_one_value(&self) -> bool {
        self.is_plain() && !matches!(self.kind, Kind::Vector(_) | Kind::Nested | Kind::Json)
    }

    /// Whether some value passes the test.
    ///
    /// A column whose content doesn't fit the type of the field counts as missing, as a whole: the
    /// documentation says that such a row is discarded, but in official tests it stays and lacks the
    /// field.
    #[inline]
    pub(crate) fn any<'r>(
        &self,
        doc: impl Into<Doc<'r>>,
        mut test: impl FnMut(Scalar<'_>) -> bool,
    ) -> bool {
        let mut found = false;
        let fits = self.all(doc, |value| found |= test(value));
        fits && found
    }

    /// Calls `each` with every value; false if the column is absent or doesn't fit.
    ///
    /// Whether it fits is known only at the end: what `each` was told counts for nothing then.
    #[inline]
    pub(crate) fn all<'r>(
        &self,
        doc: impl Into<Doc<'r>>,
        mut each: impl FnMut(Scalar<'_>),
    ) -> bool {
        match doc.into() {
            Doc::Row(row) if self.inside.is_empty() => match self.raw(row) {
                None => false,
                Some(raw) if self.has_one_value() => self.kind.scalar(raw).map(each).is_some(),
                Some(raw) => self.all_of(raw, &mut each),
            },
            doc => self.all_inside(doc, &mut each),
        }
    }

    fn all_of(&self, raw: ColumnValueRef<'_>, each: &mut dyn FnMut(Scalar<'_>)) -> bool {
        match (&self.kind, raw) {
            (_, ColumnValueRef::String(text)) if self.is_array => {
                array::all_elements(text, |element| {
                    if self.is_virtual {
                        let raw = match element {
                            array::Element::Integer(value) => ColumnValueRef::Integer(value),
                            array::Element::Double(value) => ColumnValueRef::Double(value),
                            array::Element::Boolean(value) => ColumnValueRef::Boolean(value),
                            array::Element::Text(value) => ColumnValueRef::String(value),
                        };
                        return self.kind.convert(raw, each);
                    }
                    self.kind.element(element).map(&mut *each).is_some()
                })
            }
            _ if self.is_array => false,
            (Kind::Vector(vector), raw) => vector
                .read(raw)
                .map(|vector| each(Scalar::Vector(&vector)))
                .is_some(),
            (Kind::Nested | Kind::Json, ColumnValueRef::String(text)) => {
                match serde_json::from_str(text) {
                    Ok(value) => objects(&value, &mut |_, _| each(Scalar::Object)),
                    Err(_) => false,
                }
            }
            (kind, raw) if self.is_virtual => kind.convert(raw, each),
            (kind, raw) => kind.scalar(raw).map(each).is_some(),
        }
    }

    /// The values inside the JSON of a column, or of one of its objects. One that doesn't fit is left
    /// out alone.
    fn all_inside(&self, doc: Doc<'_>, each: &mut dyn FnMut(Scalar<'_>)) -> bool {
        let mut found = false;
        let mut deliver = |value: &Value| {
            let mut each = |scalar: Scalar<'_>| {
                found = true;
                each(scalar);
            };
            match value {
                Value::String(text) if self.is_array => {
                    let fits = |each: &mut dyn FnMut(Scalar<'_>)| {
                        array::all_elements(text, |element| {
                            self.kind.element(element).map(&mut *each).is_some()
                        })
                    };
                    if fits(&mut |_| ()) {
                        fits(&mut each);
                    }
                }
                value if self.kind.has_parts() => {
                    objects(value, &mut |_, _| each(Scalar::Object));
                }
                Value::Array(values) => {
                    let scalars = || {
                        let elements = values.iter().map(json_element);
                        elements.map(|element| element.and_then(|value| self.kind.element(value)))
                    };
                    // One bad element spoils an array, as it does in a column.
                    if !self.is_array || scalars().all(|scalar| scalar.is_some()) {
                        scalars().flatten().for_each(each);
                    }
                }
                value => {
                    let scalar = json_element(value).and_then(|value| self.kind.element(value));
                    scalar.into_iter().for_each(each);
                }
            }
        };
        self.walk_to(doc, &mut deliver);
        found
    }

    /// Calls `each` with every inner row of a NESTED field.
    pub(crate) fn inner_rows(&self, doc: Doc<'_>, each: &mut dyn FnMut(Doc<'_>)) {
        let depth = self.inside.len();
        let mut offset = 0;
        self.walk_to(doc, &mut |value| {
            objects(value, &mut |_, object| {
                each(Doc::Inner(InnerRow {
                    object,
                    depth,
                    offset,
                }));
                offset += 1;
            });
        });
    }

    fn walk_to(&self, doc: Doc<'_>, each: &mut dyn FnMut(&Value)) {
        match doc {
            Doc::Row(row) => {
                let Some(ColumnValueRef::String(text)) = self.raw(row) else {
                    return;
                };
                if let Ok(value) = serde_json::from_str(text) {
                    walk(&value, &self.inside, &mut |value| each(value));
                }
            }
            Doc::Inner(inner) => {
                let rest = self.inside.get(inner.depth..).unwrap_or_default();
                walk(inner.object, rest, &mut |value| each(value));
            }
        }
    }
}

/// Calls `each` with the objects of an array of objects, or with the only one. False if it is neither.
fn objects<'v>(value: &'v Value, each: &mut dyn FnMut(usize, &'v Value)) -> bool {
    match value {
        Value::Object(_) => each(0, value),
        Value::Array(values) if values.iter().all(Value::is_object) => {
            for (offset, value) in values.iter().enumerate() {
                each(offset, value);
            }
        }
        _ => return false,
    }
    true
}

fn check_options(
    name: &str,
    kind: &Kind,
    schema: &FieldSchema,
    is_inner: bool,
) -> Result<(), ServiceError> {
    let is_virtual = schema.is_virtual_field.unwrap_or(false);
    let text = matches!(kind, Kind::Text(_));
    let has_parts = kind.has_parts();
    let is_array = schema.is_array.unwrap_or(false);
    let broken = [
        (
            schema.analyzer.is_some() && !text,
            format!("has an analyzer, but its type is {}, not TEXT", kind.name()),
        ),
        (
            schema.enable_highlighting.unwrap_or(false) && !text,
            format!(
                "has highlighting, but its type is {}, not TEXT",
                kind.name()
            ),
        ),
        (
            is_array && (has_parts || matches!(kind, Kind::Vector(_))),
            format!("is an array, which its type {} can't be", kind.name()),
        ),
        (
            is_virtual && schema.source_field_names.len() != 1,
            format!(
                "is a virtual field of {} columns, the emulator supports exactly one",
                schema.source_field_names.len()
            ),
        ),
        (
            !is_virtual && !schema.source_field_names.is_empty(),
            "has source_field_names, but is no virtual field".to_owned(),
        ),
        (
            is_virtual
                && (has_parts || is_inner || matches!(kind, Kind::Boolean | Kind::Vector(_))),
            format!(
                "is virtual, which its type {} or place can't be",
                kind.name()
            ),
        ),
        (
            is_inner && matches!(kind, Kind::Vector(_)),
            "is a VECTOR inside of another field, which is not supported".to_owned(),
        ),
    ];
    match broken.into_iter().find(|(broken, _)| *broken) {
        Some((_, what)) => Err(ServiceError::parameter(format!("field [{name}] {what}"))),
        None => Ok(()),
    }
}

// From the public documentation.
const MAX_DEPTH: usize = 5;
const MAX_SUB_FIELDS: usize = 100;

#[cfg(test)]
mod tests {
    use ots_proto::messages::FieldType;

    use super::super::testing::{self, field};
    use super::*;

    fn values(
        schema: FieldSchema,
        value: impl Into<ots_proto::ColumnValue>,
    ) -> Option<Vec<String>> {
        let field = only(&schema);
        let row = testing::row(1, &[("f", value.into())]);
        let mut seen = Vec::new();
        field
            .all(&row, |value| seen.push(format!("{value:?}")))
            .then_some(seen)
    }

    fn only(schema: &FieldSchema) -> Field {
        let mut fields = Field::parse(schema, &testing::table_meta()).unwrap();
        assert_eq!(fields.len(), 1);
        fields.remove(0)
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
            ["Point(GeoPoint { latitude: 10.0, longitude: -50.5 })"]
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
        let spoilt = only(&array(FieldType::Long));
        let row = testing::row(1, &[("f", "[1, true]".into())]);
        assert!(!spoilt.any(&row, |_| true));
    }

    #[test]
    fn key_columns_are_fields_like_any_other() {
        let key = only(&field("id", FieldType::Long));
        assert!(key.is_key());
        assert_eq!(
            key.scalar((&testing::row(5, &[])).into()),
            Some(Scalar::Long(5))
        );
    }

    #[test]
    fn vectors_addresses_and_patterns_are_read() {
        let vector = |dimension| FieldSchema {
            vector_options: Some(ots_proto::messages::VectorOptions {
                data_type: None,
                dimension: Some(dimension),
                metric_type: None,
            }),
            ..field("f", FieldType::Vector)
        };
        assert_eq!(
            values(vector(2), "[1, 5.5]").unwrap(),
            ["Vector([1.0, 5.5])"]
        );
        assert_eq!(values(vector(3), "[1, 5.5]"), None);
        assert_eq!(values(vector(1), "[1e39]"), None);
        let bytes: Vec<u8> = [1.0_f32, -2.0]
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect();
        assert_eq!(values(vector(2), bytes).unwrap(), ["Vector([1.0, -2.0])"]);
        let one = u128::from(u32::from_be_bytes([1, 2, 3, 4])) | 0xffff_0000_0000;
        assert_eq!(
            values(field("f", FieldType::Ip), "1.2.3.4").unwrap(),
            [format!("Ip({one})")]
        );
        assert_eq!(values(field("f", FieldType::Ip), "1.2.3"), None);
        let date = FieldSchema {
            date_formats: vec!["yyyy-MM-dd".to_owned(), "epoch_second".to_owned()],
            ..field("f", FieldType::Date)
        };
        assert_eq!(values(date.clone(), "1970-01-01").unwrap(), ["Date(0)"]);
        assert_eq!(values(date.clone(), 1).unwrap(), ["Date(1000000000)"]);
        assert_eq!(values(date.clone(), "2022-05-1"), None);
        assert_eq!(values(date, "1969-12-31"), None);
    }

    #[test]
    fn a_virtual_field_is_made_from_a_column_of_another_type() {
        let made = |kind: FieldType, is_array, value: ots_proto::ColumnValue| {
            let schema = FieldSchema {
                is_virtual_field: Some(true),
                source_field_names: vec!["s".to_owned()],
                is_array: Some(is_array),
                ..field("f", kind)
            };
            let row = testing::row(1, &[("s", value)]);
            let mut seen = Vec::new();
            only(&schema)
                .all(&row, |value| seen.push(format!("{value:?}")))
                .then_some(seen)
        };
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(
            made(FieldType::Long, false, "28".into()),
            texts(&["Long(28)"])
        );
        assert_eq!(made(FieldType::Long, false, "x".into()), None);
        assert_eq!(
            made(FieldType::Double, false, "1.5".into()),
            texts(&["Double(1.5)"])
        );
        assert_eq!(
            made(FieldType::Keyword, false, 28.into()),
            texts(&[r#"Text("28")"#])
        );
        assert_eq!(
            made(FieldType::Text, false, 0.5.into()),
            texts(&[r#"Text("0.5")"#])
        );
        assert_eq!(
            made(FieldType::Long, true, r#"["1", "2"]"#.into()),
            texts(&["Long(1)", "Long(2)"])
        );
    }

    #[test]
    fn fields_inside_are_found_under_their_path() {
        let schema = FieldSchema {
            field_schemas: vec![
                field("k", FieldType::Keyword),
                testing::array("la", FieldType::Long),
                FieldSchema {
                    field_schemas: vec![field("l", FieldType::Long)],
                    ..field("n", FieldType::Nested)
                },
            ],
            ..field("n", FieldType::Nested)
        };
        let fields = Field::parse(&schema, &testing::table_meta()).unwrap();
        let text =
            r#"[{"k":"a","la":[1,2],"n":{"l":1}},{"k":7,"la":[1,"x"],"n":[{"l":2},{"l":3}]}]"#;
        let row = testing::row(1, &[("n", text.into())]);
        let found: Vec<_> = fields
            .iter()
            .map(|field| {
                let mut seen = Vec::new();
                field.all(&row, |value| seen.push(format!("{value:?}")));
                (&*field.name, field.nested_in.as_deref(), seen.join(" "))
            })
            .collect();
        assert_eq!(
            found,
            [
                ("n", None, "Object Object".to_owned()),
                ("n.k", Some("n"), r#"Text("a")"#.to_owned()),
                ("n.la", Some("n"), "Long(1) Long(2)".to_owned()),
                ("n.n", Some("n"), "Object Object Object".to_owned()),
                ("n.n.l", Some("n.n"), "Long(1) Long(2) Long(3)".to_owned()),
            ]
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        let virtual_field = FieldSchema {
            is_virtual_field: Some(true),
            ..field("f", FieldType::Keyword)
        };
        let pattern = FieldSchema {
            date_formats: vec!["week E".to_owned()],
            ..field("f", FieldType::Date)
        };
        for (schema, expected) in [
            (
                field("f", FieldType::Flattened),
                "the type FLATTENED of field [f] is not supported by the emulator",
            ),
            (
                field("f", FieldType::Nested),
                "field [f] needs fields inside",
            ),
            (
                field("f", FieldType::Vector),
                "field [f]: a VECTOR needs vector_options",
            ),
            (
                virtual_field,
                "field [f] is a virtual field of 0 columns, the emulator supports exactly one",
            ),
            (
                pattern,
                "the date format [week E] of field [f] is not supported: the letter w",
            ),
            (
                field("f", FieldType::Date),
                "field [f] of type DATE has no date formats",
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
