//! Primary keys, their total order, and the two infinities that bound a range.

use std::cmp::Ordering;
use std::fmt;

use bytes::Bytes;

use crate::name::ColumnName;

/// The value of one primary key column.
///
/// The order is the service's: `INF_MIN` < every value < `INF_MAX`; integers by number, strings and
/// binaries by byte. Values of different types never meet in one column of a table; so that the
/// order is total all the same, integers come before strings, strings before binaries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: the types a key column can have or stand for"
)]
pub enum PrimaryKeyValue {
    /// Before every value. Only in the bounds of a range.
    InfMin,
    /// A 64-bit signed integer.
    Integer(i64),
    /// UTF-8 text of at most 1,024 bytes.
    String(String),
    /// At most 1,024 bytes.
    Binary(Bytes),
    /// A placeholder in PutRow and UpdateRow: the service picks an integer.
    AutoIncrement,
    /// After every value. Only in the bounds of a range.
    InfMax,
}

/// A [`PrimaryKeyValue`] whose text and bytes lie in the buffer of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: the types a key column can have or stand for"
)]
pub enum PrimaryKeyValueRef<'a> {
    /// Before every value.
    InfMin,
    /// A 64-bit signed integer.
    Integer(i64),
    /// UTF-8 text.
    String(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
    /// A placeholder: the service picks an integer.
    AutoIncrement,
    /// After every value.
    InfMax,
}

impl PrimaryKeyValue {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> PrimaryKeyValueRef<'_> {
        match self {
            Self::InfMin => PrimaryKeyValueRef::InfMin,
            Self::Integer(value) => PrimaryKeyValueRef::Integer(*value),
            Self::String(value) => PrimaryKeyValueRef::String(value),
            Self::Binary(value) => PrimaryKeyValueRef::Binary(value),
            Self::AutoIncrement => PrimaryKeyValueRef::AutoIncrement,
            Self::InfMax => PrimaryKeyValueRef::InfMax,
        }
    }

    /// The integer, if it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self {
            Some(value)
        } else {
            None
        }
    }
}

impl PrimaryKeyValueRef<'_> {
    /// A copy that owns its text and bytes.
    #[must_use]
    pub fn to_owned(self) -> PrimaryKeyValue {
        match self {
            Self::InfMin => PrimaryKeyValue::InfMin,
            Self::Integer(value) => PrimaryKeyValue::Integer(value),
            Self::String(value) => PrimaryKeyValue::String(value.to_owned()),
            Self::Binary(value) => PrimaryKeyValue::Binary(Bytes::copy_from_slice(value)),
            Self::AutoIncrement => PrimaryKeyValue::AutoIncrement,
            Self::InfMax => PrimaryKeyValue::InfMax,
        }
    }

    /// The name of its type, as the service spells it.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::InfMin => "INF_MIN",
            Self::Integer(_) => "INTEGER",
            Self::String(_) => "STRING",
            Self::Binary(_) => "BINARY",
            Self::AutoIncrement => "AUTO_INCREMENT",
            Self::InfMax => "INF_MAX",
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::InfMin => 0,
            Self::Integer(_) => 1,
            Self::String(_) => 2,
            Self::Binary(_) => 3,
            Self::AutoIncrement => 4,
            Self::InfMax => 5,
        }
    }
}

impl Ord for PrimaryKeyValueRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Binary(a), Self::Binary(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl PartialOrd for PrimaryKeyValueRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PrimaryKeyValue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl PartialOrd for PrimaryKeyValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for PrimaryKeyValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for PrimaryKeyValue {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<&str> for PrimaryKeyValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for PrimaryKeyValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Bytes> for PrimaryKeyValue {
    fn from(value: Bytes) -> Self {
        Self::Binary(value)
    }
}

impl fmt::Display for PrimaryKeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InfMin => f.write_str("INF_MIN"),
            Self::Integer(value) => value.fmt(f),
            Self::String(value) => fmt::Debug::fmt(value, f),
            Self::Binary(value) => write!(f, "{} bytes", value.len()),
            Self::AutoIncrement => f.write_str("AUTO_INCREMENT"),
            Self::InfMax => f.write_str("INF_MAX"),
        }
    }
}

/// One column of a primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a name and a value, nothing more"
)]
pub struct PrimaryKeyColumn {
    /// The column's name.
    pub name: ColumnName,
    /// The column's value.
    pub value: PrimaryKeyValue,
}

/// A primary key: one to four columns, in the order of the table's schema.
///
/// Keys of one table compare as the service orders its rows, column by column.
///
/// ```
/// use ots_proto::PrimaryKey;
///
/// let first = PrimaryKey::new().column("city", "Hangzhou").column("id", 7);
/// let second = PrimaryKey::new().column("city", "Hangzhou").column("id", 12);
/// assert!(first < second);
/// assert!(first > PrimaryKey::min(["city", "id"]));
/// assert!(first < PrimaryKey::max(["city", "id"]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrimaryKey {
    columns: Vec<PrimaryKeyColumn>,
}

impl PrimaryKey {
    /// A key without columns, to be filled by [`column`](Self::column).
    #[must_use]
    pub const fn new() -> Self {
        Self {
            columns: Vec::new(),
        }
    }

    pub(crate) const fn from_columns(columns: Vec<PrimaryKeyColumn>) -> Self {
        Self { columns }
    }

    /// Adds a column. Columns must come in the order of the table's schema.
    #[must_use]
    pub fn column(
        mut self,
        name: impl Into<ColumnName>,
        value: impl Into<PrimaryKeyValue>,
    ) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a column in place.
    pub fn push(&mut self, name: impl Into<ColumnName>, value: impl Into<PrimaryKeyValue>) {
        self.columns.push(PrimaryKeyColumn {
            name: name.into(),
            value: value.into(),
        });
    }

    /// The key before every row: each column `INF_MIN`.
    #[must_use]
    pub fn min<N: Into<ColumnName>>(names: impl IntoIterator<Item = N>) -> Self {
        names
            .into_iter()
            .map(|name| (name, PrimaryKeyValue::InfMin))
            .collect()
    }

    /// The key after every row: each column `INF_MAX`.
    #[must_use]
    pub fn max<N: Into<ColumnName>>(names: impl IntoIterator<Item = N>) -> Self {
        names
            .into_iter()
            .map(|name| (name, PrimaryKeyValue::InfMax))
            .collect()
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[PrimaryKeyColumn] {
        &self.columns
    }

    /// The value of the column called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&PrimaryKeyValue> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .map(|column| &column.value)
    }

    /// Whether it has no columns at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The number of columns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }
}

impl Ord for PrimaryKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let values = other.columns.iter().map(|column| &column.value);
        // Names only matter between keys of different tables, where any order will do.
        self.columns
            .iter()
            .map(|column| &column.value)
            .cmp(values)
            .then_with(|| {
                let names = other.columns.iter().map(|column| &column.name);
                self.columns.iter().map(|column| &column.name).cmp(names)
            })
    }
}

impl PartialOrd for PrimaryKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<N: Into<ColumnName>, V: Into<PrimaryKeyValue>> FromIterator<(N, V)> for PrimaryKey {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(columns: I) -> Self {
        let columns = columns
            .into_iter()
            .map(|(name, value)| PrimaryKeyColumn {
                name: name.into(),
                value: value.into(),
            })
            .collect();
        Self { columns }
    }
}

impl fmt::Display for PrimaryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (index, column) in self.columns.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} = {}", column.name, column.value)?;
        }
        f.write_str(")")
    }
}
