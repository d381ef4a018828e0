//! One typed value: a type byte and data.
//!
//! Inside a cell it follows its length; standing alone (filters, search terms, partition ranges) it
//! has none.

use bytes::{BufMut, Bytes};

use super::cursor::Cursor;
use super::error::{Error, ErrorKind};
use super::tag;
use crate::primary_key::{PrimaryKeyValue, PrimaryKeyValueRef};
use crate::value::{ColumnValue, ColumnValueRef};

/// A value of any type the format knows, borrowed from a buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "complete: the types of the format")]
pub enum VariantRef<'a> {
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
    /// Nothing.
    Null,
    /// Before every value.
    InfMin,
    /// After every value.
    InfMax,
    /// A placeholder: the service picks an integer.
    AutoIncrement,
}

/// A value of any type the format knows.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a column value, or one of the marks"
)]
pub enum Variant {
    /// A value that a column can hold.
    Value(ColumnValue),
    /// Nothing.
    Null,
    /// Before every value.
    InfMin,
    /// After every value.
    InfMax,
    /// A placeholder: the service picks an integer.
    AutoIncrement,
}

impl VariantRef<'_> {
    /// Reads a value that stands alone and must fill `buffer`.
    ///
    /// # Errors
    /// When the type is unknown, the buffer ends too early or goes on, or text isn't UTF-8.
    pub fn decode(buffer: &[u8]) -> Result<VariantRef<'_>, Error> {
        let mut cursor = Cursor::new(buffer);
        let value = read(&mut cursor)?;
        match cursor.left() {
            0 => Ok(value),
            left_bytes => Err(Error::new(
                ErrorKind::TrailingBytes { left_bytes },
                cursor.position(),
            )),
        }
    }

    /// Writes the value so that it stands alone.
    #[must_use]
    pub fn encode(self) -> Bytes {
        let mut buffer = Vec::with_capacity(self.encoded_len());
        write(&mut buffer, self);
        buffer.into()
    }

    /// A copy that owns its text and bytes.
    #[must_use]
    pub fn to_owned(self) -> Variant {
        match self {
            Self::Integer(value) => Variant::Value(ColumnValue::Integer(value)),
            Self::Double(value) => Variant::Value(ColumnValue::Double(value)),
            Self::Boolean(value) => Variant::Value(ColumnValue::Boolean(value)),
            Self::String(value) => Variant::Value(ColumnValue::String(value.to_owned())),
            Self::Binary(value) => {
                Variant::Value(ColumnValue::Binary(Bytes::copy_from_slice(value)))
            }
            Self::Null => Variant::Null,
            Self::InfMin => Variant::InfMin,
            Self::InfMax => Variant::InfMax,
            Self::AutoIncrement => Variant::AutoIncrement,
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
            Self::Null => "NULL",
            Self::InfMin => "INF_MIN",
            Self::InfMax => "INF_MAX",
            Self::AutoIncrement => "AUTO_INCREMENT",
        }
    }

    /// Bytes it takes, the type byte included.
    pub(super) const fn encoded_len(self) -> usize {
        match self {
            Self::Integer(_) | Self::Double(_) => 9,
            Self::Boolean(_) => 2,
            Self::String(text) => 5 + text.len(),
            Self::Binary(bytes) => 5 + bytes.len(),
            Self::Null | Self::InfMin | Self::InfMax | Self::AutoIncrement => 1,
        }
    }
}

impl Variant {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> VariantRef<'_> {
        match self {
            Self::Value(value) => value.as_ref().into(),
            Self::Null => VariantRef::Null,
            Self::InfMin => VariantRef::InfMin,
            Self::InfMax => VariantRef::InfMax,
            Self::AutoIncrement => VariantRef::AutoIncrement,
        }
    }
}

impl<'a> From<ColumnValueRef<'a>> for VariantRef<'a> {
    fn from(value: ColumnValueRef<'a>) -> Self {
        match value {
            ColumnValueRef::Integer(value) => Self::Integer(value),
            ColumnValueRef::Double(value) => Self::Double(value),
            ColumnValueRef::Boolean(value) => Self::Boolean(value),
            ColumnValueRef::String(value) => Self::String(value),
            ColumnValueRef::Binary(value) => Self::Binary(value),
        }
    }
}

impl<'a> From<PrimaryKeyValueRef<'a>> for VariantRef<'a> {
    fn from(value: PrimaryKeyValueRef<'a>) -> Self {
        match value {
            PrimaryKeyValueRef::InfMin => Self::InfMin,
            PrimaryKeyValueRef::Integer(value) => Self::Integer(value),
            PrimaryKeyValueRef::String(value) => Self::String(value),
            PrimaryKeyValueRef::Binary(value) => Self::Binary(value),
            PrimaryKeyValueRef::AutoIncrement => Self::AutoIncrement,
            PrimaryKeyValueRef::InfMax => Self::InfMax,
        }
    }
}

impl<'a> TryFrom<VariantRef<'a>> for ColumnValueRef<'a> {
    type Error = VariantRef<'a>;

    fn try_from(value: VariantRef<'a>) -> Result<Self, VariantRef<'a>> {
        match value {
            VariantRef::Integer(value) => Ok(Self::Integer(value)),
            VariantRef::Double(value) => Ok(Self::Double(value)),
            VariantRef::Boolean(value) => Ok(Self::Boolean(value)),
            VariantRef::String(value) => Ok(Self::String(value)),
            VariantRef::Binary(value) => Ok(Self::Binary(value)),
            other => Err(other),
        }
    }
}

impl<'a> TryFrom<VariantRef<'a>> for PrimaryKeyValueRef<'a> {
    type Error = VariantRef<'a>;

    fn try_from(value: VariantRef<'a>) -> Result<Self, VariantRef<'a>> {
        match value {
            VariantRef::InfMin => Ok(Self::InfMin),
            VariantRef::Integer(value) => Ok(Self::Integer(value)),
            VariantRef::String(value) => Ok(Self::String(value)),
            VariantRef::Binary(value) => Ok(Self::Binary(value)),
            VariantRef::AutoIncrement => Ok(Self::AutoIncrement),
            VariantRef::InfMax => Ok(Self::InfMax),
            other => Err(other),
        }
    }
}

impl From<ColumnValue> for Variant {
    fn from(value: ColumnValue) -> Self {
        Self::Value(value)
    }
}

impl From<PrimaryKeyValue> for Variant {
    fn from(value: PrimaryKeyValue) -> Self {
        match value {
            PrimaryKeyValue::InfMin => Self::InfMin,
            PrimaryKeyValue::Integer(value) => Self::Value(ColumnValue::Integer(value)),
            PrimaryKeyValue::String(value) => Self::Value(ColumnValue::String(value)),
            PrimaryKeyValue::Binary(value) => Self::Value(ColumnValue::Binary(value)),
            PrimaryKeyValue::AutoIncrement => Self::AutoIncrement,
            PrimaryKeyValue::InfMax => Self::InfMax,
        }
    }
}

#[inline]
pub(super) fn read<'buf>(cursor: &mut Cursor<'buf>) -> Result<VariantRef<'buf>, Error> {
    let start = cursor.position();
    let found = cursor.byte("a value's type")?;
    Ok(match found {
        tag::VARIANT_INTEGER => {
            VariantRef::Integer(i64::from_le_bytes(cursor.array("an integer")?))
        }
        tag::VARIANT_DOUBLE => VariantRef::Double(f64::from_le_bytes(cursor.array("a double")?)),
        tag::VARIANT_BOOLEAN => match cursor.byte("a boolean")? {
            0 => VariantRef::Boolean(false),
            1 => VariantRef::Boolean(true),
            found => {
                return Err(Error::new(
                    ErrorKind::Boolean { found },
                    cursor.position() - 1,
                ));
            }
        },
        tag::VARIANT_STRING => {
            let length = cursor.length("a string")?;
            let position = cursor.position();
            VariantRef::String(text(
                cursor.bytes(length, "a string")?,
                "a string",
                position,
            )?)
        }
        tag::VARIANT_BLOB => {
            let length = cursor.length("a binary value")?;
            VariantRef::Binary(cursor.bytes(length, "a binary value")?)
        }
        tag::VARIANT_NULL => VariantRef::Null,
        tag::VARIANT_INF_MIN => VariantRef::InfMin,
        tag::VARIANT_INF_MAX => VariantRef::InfMax,
        tag::VARIANT_AUTO_INCREMENT => VariantRef::AutoIncrement,
        found => return Err(Error::new(ErrorKind::UnknownValueType { found }, start)),
    })
}

/// Bytes as text; `position` is theirs in the buffer.
#[inline]
pub(super) fn text<'buf>(
    bytes: &'buf [u8],
    reading: &'static str,
    position: usize,
) -> Result<&'buf str, Error> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| not_utf8(bytes, reading, position))
}

/// The fast check doesn't say where; the standard one does.
#[cold]
fn not_utf8(bytes: &[u8], reading: &'static str, position: usize) -> Error {
    let valid_up_to = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    Error::new(ErrorKind::NotUtf8 { reading }, position + valid_up_to)
}

pub(super) fn write(buffer: &mut Vec<u8>, value: VariantRef<'_>) {
    match value {
        VariantRef::Integer(value) => {
            buffer.put_u8(tag::VARIANT_INTEGER);
            buffer.put_i64_le(value);
        }
        VariantRef::Double(value) => {
            buffer.put_u8(tag::VARIANT_DOUBLE);
            buffer.put_f64_le(value);
        }
        VariantRef::Boolean(value) => {
            buffer.put_u8(tag::VARIANT_BOOLEAN);
            buffer.put_u8(value.into());
        }
        VariantRef::String(value) => {
            buffer.put_u8(tag::VARIANT_STRING);
            put_length(buffer, value.len());
            buffer.put_slice(value.as_bytes());
        }
        VariantRef::Binary(value) => {
            buffer.put_u8(tag::VARIANT_BLOB);
            put_length(buffer, value.len());
            buffer.put_slice(value);
        }
        VariantRef::Null => buffer.put_u8(tag::VARIANT_NULL),
        VariantRef::InfMin => buffer.put_u8(tag::VARIANT_INF_MIN),
        VariantRef::InfMax => buffer.put_u8(tag::VARIANT_INF_MAX),
        VariantRef::AutoIncrement => buffer.put_u8(tag::VARIANT_AUTO_INCREMENT),
    }
}

/// Writes a length of four bytes.
///
/// A value longer than two gigabytes can't be sent at all (the service takes two megabytes); its
/// length is written as the largest there is, which every decoder refuses.
pub(super) fn put_length(buffer: &mut Vec<u8>, length: usize) {
    buffer.put_i32_le(i32::try_from(length).unwrap_or(i32::MAX));
}
