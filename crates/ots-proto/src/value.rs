//! Values of attribute columns, owned and borrowed.

use std::fmt;

use bytes::Bytes;

/// The value of an attribute column.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the five types a stored column can have"
)]
pub enum ColumnValue {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float. NaN and the infinities can be encoded, but the service refuses to store them.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// UTF-8 text.
    String(String),
    /// Any bytes.
    Binary(Bytes),
}

/// A [`ColumnValue`] whose text and bytes lie in the buffer of a response.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the five types a stored column can have"
)]
pub enum ColumnValueRef<'a> {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// UTF-8 text.
    String(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
}

impl ColumnValue {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ColumnValueRef<'_> {
        match self {
            Self::Integer(value) => ColumnValueRef::Integer(*value),
            Self::Double(value) => ColumnValueRef::Double(*value),
            Self::Boolean(value) => ColumnValueRef::Boolean(*value),
            Self::String(value) => ColumnValueRef::String(value),
            Self::Binary(value) => ColumnValueRef::Binary(value),
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

    /// The float, if it is one.
    #[must_use]
    pub const fn as_double(&self) -> Option<f64> {
        if let Self::Double(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub const fn as_boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self {
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

    /// The bytes, if it is binary.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Binary(value) = self {
            Some(value)
        } else {
            None
        }
    }

    /// The name of its type, as the service spells it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.as_ref().type_name()
    }
}

impl ColumnValueRef<'_> {
    /// A copy that owns its text and bytes.
    #[must_use]
    pub fn to_owned(self) -> ColumnValue {
        match self {
            Self::Integer(value) => ColumnValue::Integer(value),
            Self::Double(value) => ColumnValue::Double(value),
            Self::Boolean(value) => ColumnValue::Boolean(value),
            Self::String(value) => ColumnValue::String(value.to_owned()),
            // Copied, not sliced: one small value must not keep a whole page alive.
            Self::Binary(value) => ColumnValue::Binary(Bytes::copy_from_slice(value)),
        }
    }

    /// The name of its type, as the service spells it.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Integer(_) => "INTEGER",
            Self::Double(_) => "DOUBLE",
            Self::Boolean(_) => "BOOLEAN",
            Self::String(_) => "STRING",
            Self::Binary(_) => "BINARY",
        }
    }
}

impl From<i64> for ColumnValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for ColumnValue {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for ColumnValue {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<bool> for ColumnValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for ColumnValue {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for ColumnValue {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Bytes> for ColumnValue {
    fn from(value: Bytes) -> Self {
        Self::Binary(value)
    }
}

impl From<Vec<u8>> for ColumnValue {
    fn from(value: Vec<u8>) -> Self {
        Self::Binary(value.into())
    }
}

impl fmt::Display for ColumnValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Double(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::String(value) => f.write_str(value),
            Self::Binary(value) => write!(f, "{} bytes", value.len()),
        }
    }
}

impl fmt::Display for ColumnValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
