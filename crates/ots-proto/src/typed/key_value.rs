//! Single values of key columns: integers, text and bytes.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::error::ValueError;
use crate::primary_key::{PrimaryKeyValue, PrimaryKeyValueRef};

/// A type that the value of a key column can be read as; `'row` is the life of the value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the value of a primary key column",
    label = "a key column holds an integer, text or bytes",
    note = "implement `FromKeyValue` for it, or give the field `#[ots(timestamp = \"ms\")]` if it is a point in time"
)]
pub trait FromKeyValue<'row>: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// When the value has another type, or doesn't fit.
    fn from_key_value(value: PrimaryKeyValueRef<'row>) -> Result<Self, ValueError>;
}

/// A type that can be the value of a key column.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the value of a primary key column",
    label = "a key column holds an integer, text or bytes",
    note = "implement `IntoKeyValue` for it, or give the field `#[ots(timestamp = \"ms\")]` if it is a point in time"
)]
pub trait IntoKeyValue {
    /// The value.
    ///
    /// # Errors
    /// When it has no form in a key column, as an integer beyond `i64`.
    fn into_key_value(self) -> Result<PrimaryKeyValue, ValueError>;
}

/// The variant of a value, or an error that names both types.
macro_rules! expect {
    ($value:expr, $variant:ident, $type_name:literal) => {
        match $value {
            PrimaryKeyValueRef::$variant(value) => Ok(value),
            other => Err(ValueError::wrong_type($type_name, other.type_name())),
        }
    };
}

macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl<'row> FromKeyValue<'row> for $integer {
            #[inline]
            fn from_key_value(value: PrimaryKeyValueRef<'row>) -> Result<Self, ValueError> {
                let value: i64 = expect!(value, Integer, "INTEGER")?;
                Self::try_from(value).map_err(|_| ValueError::out_of_range(stringify!($integer)))
            }
        }

        impl IntoKeyValue for $integer {
            #[inline]
            fn into_key_value(self) -> Result<PrimaryKeyValue, ValueError> {
                let value = i64::try_from(self).map_err(|_| ValueError::out_of_range("i64"))?;
                Ok(PrimaryKeyValue::Integer(value))
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl<'row: 'a, 'a> FromKeyValue<'row> for &'a str {
    #[inline]
    fn from_key_value(value: PrimaryKeyValueRef<'row>) -> Result<Self, ValueError> {
        expect!(value, String, "STRING")
    }
}

impl<'row: 'a, 'a> FromKeyValue<'row> for &'a [u8] {
    #[inline]
    fn from_key_value(value: PrimaryKeyValueRef<'row>) -> Result<Self, ValueError> {
        expect!(value, Binary, "BINARY")
    }
}

/// Types that are made from borrowed text or bytes, and turned into owned ones.
macro_rules! of_borrowed {
    ($([$($life:lifetime)?] $target:ty, $borrowed:ty, $variant:ident, $value:ident => $from:expr, $into:expr;)*) => {$(
        impl<'row $(: $life, $life)?> FromKeyValue<'row> for $target {
            #[inline]
            fn from_key_value(value: PrimaryKeyValueRef<'row>) -> Result<Self, ValueError> {
                let $value = <$borrowed>::from_key_value(value)?;
                Ok($from)
            }
        }

        impl $(<$life>)? IntoKeyValue for $target {
            #[inline]
            fn into_key_value(self) -> Result<PrimaryKeyValue, ValueError> {
                let $value = self;
                Ok(PrimaryKeyValue::$variant($into))
            }
        }
    )*};
}

of_borrowed! {
    [] String, &str, String, value => value.to_owned(), value;
    [] Box<str>, &str, String, value => value.into(), value.into_string();
    [] Arc<str>, &str, String, value => value.into(), value.as_ref().to_owned();
    ['a] Cow<'a, str>, &str, String, value => Cow::Borrowed(value), value.into_owned();
    [] Bytes, &[u8], Binary, value => Self::copy_from_slice(value), value;
    [] Vec<u8>, &[u8], Binary, value => value.to_owned(), value.into();
    ['a] Cow<'a, [u8]>, &[u8], Binary, value => Cow::Borrowed(value), value.into_owned().into();
}

impl IntoKeyValue for &str {
    #[inline]
    fn into_key_value(self) -> Result<PrimaryKeyValue, ValueError> {
        Ok(PrimaryKeyValue::String(self.to_owned()))
    }
}

impl IntoKeyValue for &[u8] {
    #[inline]
    fn into_key_value(self) -> Result<PrimaryKeyValue, ValueError> {
        Ok(PrimaryKeyValue::Binary(Bytes::copy_from_slice(self)))
    }
}

/// Any value, the infinities and the placeholder of an auto-increment column included.
impl<'row> FromKeyValue<'row> for PrimaryKeyValue {
    #[inline]
    fn from_key_value(value: PrimaryKeyValueRef<'row>) -> Result<Self, ValueError> {
        Ok(value.to_owned())
    }
}

impl IntoKeyValue for PrimaryKeyValue {
    #[inline]
    fn into_key_value(self) -> Result<PrimaryKeyValue, ValueError> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_infinities_are_no_value_of_a_type() {
        let infinities = [
            (PrimaryKeyValueRef::InfMin, "INF_MIN"),
            (PrimaryKeyValueRef::InfMax, "INF_MAX"),
            (PrimaryKeyValueRef::AutoIncrement, "AUTO_INCREMENT"),
        ];
        for (value, name) in infinities {
            let error = i64::from_key_value(value).unwrap_err();
            assert_eq!(error.to_string(), format!("expected INTEGER, found {name}"));
            let error = String::from_key_value(value).unwrap_err();
            assert_eq!(error.to_string(), format!("expected STRING, found {name}"));
        }
    }

    #[test]
    fn integers_of_a_key_are_checked_both_ways() {
        let error = u8::from_key_value(PrimaryKeyValueRef::Integer(256)).unwrap_err();
        assert_eq!(error.to_string(), "the value is out of range for u8");
        let error = u64::MAX.into_key_value().unwrap_err();
        assert_eq!(error.to_string(), "the value is out of range for i64");
    }
}
