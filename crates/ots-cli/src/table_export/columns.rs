//! The columns of the files, for a table whose attribute columns nobody has declared.
//!
//! A table knows the types of its key, and of the columns that were defined for a secondary index.
//! All others have whatever type was written. So types are given on the command line, or taken from
//! rows here and there; a row that doesn't fit fails the export later, and never becomes null.

use std::collections::BTreeMap;
use std::fmt;

use ots_arrow::ColumnType;
use ots_proto::{ColumnValueRef, RowRef};

use crate::figures::Of;

/// The attribute columns that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Wanted {
    /// Whatever there is.
    All,
    /// These, some with their type.
    These(Vec<(String, Option<ColumnType>)>),
}

/// What some rows of a table have.
#[derive(Clone, Debug, Default)]
pub struct Sampled {
    rows: u64,
    columns: BTreeMap<String, Vec<ColumnType>>,
}

/// Why columns have no types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum ColumnsError {
    /// Some rows have a value of one type, others of another.
    Mixed {
        /// The column.
        column: String,
        /// The types.
        types: Vec<ColumnType>,
    },
    /// None of the rows that were looked at has it.
    Unseen {
        /// The column.
        column: String,
        /// Rows that were looked at.
        rows: u64,
    },
    /// It was asked for twice.
    Twice {
        /// The column.
        column: String,
    },
}

impl Wanted {
    /// What `--columns` says: names, each with `:TYPE` behind it or without. Those of the key come
    /// anyway.
    ///
    /// # Errors
    /// A name that is there twice.
    pub fn new<'k>(
        columns: Option<&[String]>,
        keys: impl IntoIterator<Item = &'k str> + Clone,
    ) -> Result<Self, ColumnsError> {
        let Some(columns) = columns else {
            return Ok(Self::All);
        };
        let mut wanted: Vec<(String, Option<ColumnType>)> = Vec::new();
        for text in columns {
            let typed = text.rsplit_once(':');
            // A name may have a colon too.
            let typed = typed.and_then(|(name, column)| Some((name, type_named(column)?)));
            let (name, column) = match typed {
                Some((name, column)) => (name, Some(column)),
                None => (text.as_str(), None),
            };
            if wanted.iter().any(|(other, _)| other == name) {
                let column = name.to_owned();
                return Err(ColumnsError::Twice { column });
            }
            if !keys.clone().into_iter().any(|key| key == name) {
                wanted.push((name.to_owned(), column));
            }
        }
        Ok(Self::These(wanted))
    }

    /// A column that was given with its type.
    #[must_use]
    pub fn typed_one(&self) -> Option<&str> {
        let Self::These(columns) = self else {
            return None;
        };
        let mut typed = columns.iter().filter(|(_, column)| column.is_some());
        typed.next().map(|(name, _)| name.as_str())
    }

    /// Whether rows must be looked at to know the types.
    #[must_use]
    pub fn needs_sample(&self, defined: &[(String, ColumnType)]) -> bool {
        match self {
            Self::All => true,
            Self::These(columns) => columns
                .iter()
                .any(|(name, column)| column.is_none() && defined_type(defined, name).is_none()),
        }
    }

    /// The columns with their types.
    ///
    /// # Errors
    /// A column of several types, or of none.
    pub fn typed(
        &self,
        defined: &[(String, ColumnType)],
        sampled: &Sampled,
    ) -> Result<Vec<(String, ColumnType)>, ColumnsError> {
        let column = |name: &str, given: Option<ColumnType>| {
            let column = name.to_owned();
            if let Some(given) = given {
                return Ok((column, given));
            }
            let mut types: Vec<_> = defined_type(defined, name).into_iter().collect();
            for seen in sampled.columns.get(name).into_iter().flatten() {
                if !types.contains(seen) {
                    types.push(*seen);
                }
            }
            match types.as_slice() {
                [] => {
                    let rows = sampled.rows;
                    Err(ColumnsError::Unseen { column, rows })
                }
                [one] => Ok((column, *one)),
                _ => Err(ColumnsError::Mixed { column, types }),
            }
        };
        match self {
            Self::These(columns) => {
                let columns = columns.iter();
                columns.map(|(name, given)| column(name, *given)).collect()
            }
            Self::All => {
                let named = defined.iter().map(|(name, _)| name);
                let others = sampled.columns.keys();
                let others = others.filter(|name| defined_type(defined, name).is_none());
                named.chain(others).map(|name| column(name, None)).collect()
            }
        }
    }
}

impl Sampled {
    /// Looks at a row.
    pub fn see(&mut self, row: RowRef<'_, '_>) {
        self.rows += 1;
        for cell in row.cells() {
            let Some(seen) = cell.value.map(type_of) else {
                continue;
            };
            match self.columns.get_mut(cell.name) {
                Some(types) if types.contains(&seen) => {}
                Some(types) => types.push(seen),
                None => {
                    self.columns.insert(cell.name.to_owned(), vec![seen]);
                }
            }
        }
    }
}

fn defined_type(defined: &[(String, ColumnType)], name: &str) -> Option<ColumnType> {
    let mut found = defined.iter().filter(|(other, _)| other == name);
    found.next().map(|(_, column)| *column)
}

const fn type_of(value: ColumnValueRef<'_>) -> ColumnType {
    match value {
        ColumnValueRef::Integer(_) => ColumnType::Integer,
        ColumnValueRef::Double(_) => ColumnType::Double,
        ColumnValueRef::Boolean(_) => ColumnType::Boolean,
        ColumnValueRef::String(_) => ColumnType::String,
        ColumnValueRef::Binary(_) => ColumnType::Binary,
    }
}

/// As the service spells it, in any case.
pub(super) fn type_named(name: &str) -> Option<ColumnType> {
    let mut types = TYPES.into_iter();
    types.find(|column| column.name().eq_ignore_ascii_case(name))
}

pub(super) const fn type_name(column: ColumnType) -> &'static str {
    column.name()
}

const TYPES: [ColumnType; 5] = [
    ColumnType::Integer,
    ColumnType::Double,
    ColumnType::Boolean,
    ColumnType::String,
    ColumnType::Binary,
];

impl fmt::Display for ColumnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mixed { column, types } => {
                let types: Vec<_> = types.iter().map(|column| column.name()).collect();
                write!(
                    f,
                    "column {column:?} is {} in different rows, and a column of a file has one type; \
                     choose others with --columns, or take --format jsonl, which needs no types",
                    types.join(" and ")
                )
            }
            Self::Unseen { column, rows } => {
                let rows = Of(*rows, "row");
                write!(f, "none of {rows} here and there has a column {column:?}: ")?;
                // A name may have a colon; more likely it stands before a type that there isn't.
                match column.rsplit_once(':') {
                    Some((name, _)) => {
                        let types = TYPES.map(ColumnType::name).join(", ");
                        write!(f, "the types are {types}, as in --columns {name}:STRING")
                    }
                    None => write!(
                        f,
                        "if the name is right, say its type, as in --columns {column}:STRING"
                    ),
                }
            }
            Self::Twice { column } => write!(f, "column {column:?} is named twice"),
        }
    }
}

impl std::error::Error for ColumnsError {}

#[cfg(test)]
mod tests {
    use ots_proto::plainbuffer::{Accept, Reader, write_row};
    use ots_proto::{PrimaryKey, Row};

    use super::*;

    fn wanted(columns: &[&str]) -> Result<Wanted, ColumnsError> {
        let columns: Vec<_> = columns.iter().map(ToString::to_string).collect();
        Wanted::new(Some(&columns), ["id"])
    }

    fn sampled(rows: impl IntoIterator<Item = Row>) -> Sampled {
        let mut sampled = Sampled::default();
        for row in rows {
            let buffer = write_row(&row);
            let mut reader = Reader::new(&buffer, Accept::Rows).unwrap();
            sampled.see(reader.next_row().unwrap().unwrap());
        }
        sampled
    }

    fn row() -> Row {
        Row::new(PrimaryKey::new().column("id", 1))
    }

    fn typed(columns: &[(&str, ColumnType)]) -> Vec<(String, ColumnType)> {
        let columns = columns.iter();
        columns
            .map(|(name, column)| ((*name).to_owned(), *column))
            .collect()
    }

    #[test]
    fn a_name_may_have_a_colon_and_a_type_may_be_written_small() {
        let columns = wanted(&["a:b", "c:double", "d:BINARY:string", "id"]).unwrap();
        let expected = [
            ("a:b", None),
            ("c", Some(ColumnType::Double)),
            ("d:BINARY", Some(ColumnType::String)),
        ];
        let expected = expected.map(|(name, column)| (name.to_owned(), column));
        assert_eq!(columns, Wanted::These(expected.to_vec()));
        let twice = ColumnsError::Twice { column: "a".into() };
        assert_eq!(wanted(&["a", "a:STRING"]), Err(twice));
    }

    #[test]
    fn types_are_given_or_defined_or_seen() {
        let defined = typed(&[("price", ColumnType::Double), ("none", ColumnType::Binary)]);
        let rows = [
            row().cell("city", "Ulm").cell("price", 1.5),
            row().cell("on", true).cell("age", 7),
        ];
        let sampled = sampled(rows);
        assert_eq!(
            Wanted::All.typed(&defined, &sampled).unwrap(),
            typed(&[
                ("price", ColumnType::Double),
                ("none", ColumnType::Binary),
                ("age", ColumnType::Integer),
                ("city", ColumnType::String),
                ("on", ColumnType::Boolean),
            ])
        );
        let some = wanted(&["age", "city:BINARY", "none"]).unwrap();
        assert!(some.needs_sample(&defined));
        assert!(
            !wanted(&["none", "age:STRING"])
                .unwrap()
                .needs_sample(&defined)
        );
        assert_eq!(
            some.typed(&defined, &sampled).unwrap(),
            typed(&[
                ("age", ColumnType::Integer),
                ("city", ColumnType::Binary),
                ("none", ColumnType::Binary),
            ])
        );
        let unseen = wanted(&["nope"]).unwrap().typed(&defined, &sampled);
        let (column, rows) = ("nope".to_owned(), 2);
        assert_eq!(unseen, Err(ColumnsError::Unseen { column, rows }));
    }

    #[test]
    fn two_types_are_no_type_unless_one_is_given() {
        let rows = [row().cell("a", 1), row().cell("a", 1.0), row().cell("a", 2)];
        let sampled = sampled(rows);
        let mixed = ColumnsError::Mixed {
            column: "a".to_owned(),
            types: vec![ColumnType::Integer, ColumnType::Double],
        };
        assert_eq!(Wanted::All.typed(&[], &sampled), Err(mixed));
        let given = wanted(&["a:DOUBLE"]).unwrap().typed(&[], &sampled);
        assert_eq!(given.unwrap(), typed(&[("a", ColumnType::Double)]));
        // A definition says what is meant, and a row that has another type shows that it isn't so.
        let defined = typed(&[("a", ColumnType::String)]);
        assert!(Wanted::All.typed(&defined, &sampled).is_err());
    }
}
