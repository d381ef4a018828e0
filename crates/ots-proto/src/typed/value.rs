//! Single values of attribute columns, in and out of the types of fields.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::error::ValueError;
use crate::value::{ColumnValue, ColumnValueRef};

/// A type that a column's value can be read as; `'row` is the life of the value.
///
/// ```
/// use ots_proto::ColumnValueRef;
/// use ots_proto::typed::{FromColumnValue, ValueError};
///
/// struct Percent(u8);
///
/// impl<'row> FromColumnValue<'row> for Percent {
///     fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
///         match u8::from_column_value(value)? {
///             percent @ 0..=100 => Ok(Self(percent)),
///             _ => Err(ValueError::refused("a percentage is at most 100")),
///         }
///     }
/// }
///
/// let percent = Percent::from_column_value(ColumnValueRef::Integer(42))?;
/// assert_eq!(percent.0, 42);
/// # Ok::<(), ValueError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a column",
    note = "implement `FromColumnValue` for it, or give the field `#[ots(json)]`, or `#[ots(timestamp = \"ms\")]` if it is a point in time"
)]
pub trait FromColumnValue<'row>: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// When the value has another type, or doesn't fit.
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError>;

    /// What stands for a missing column; none when the column is needed.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// A type that can be written as a column's value.
///
/// ```
/// use ots_proto::ColumnValue;
/// use ots_proto::typed::{IntoColumnValue, ValueError};
///
/// struct Percent(u8);
///
/// impl IntoColumnValue for Percent {
///     fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
///         self.0.into_column_value()
///     }
/// }
///
/// assert_eq!(Percent(42).into_column_value()?, Some(ColumnValue::Integer(42)));
/// # Ok::<(), ValueError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written to a column",
    note = "implement `IntoColumnValue` for it, or give the field `#[ots(json)]`, or `#[ots(timestamp = \"ms\")]` if it is a point in time"
)]
pub trait IntoColumnValue {
    /// The value; none leaves the column out.
    ///
    /// # Errors
    /// When it has no form in a column, as an integer beyond `i64`.
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError>;
}

impl<'row, T: FromColumnValue<'row>> FromColumnValue<'row> for Option<T> {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        T::from_column_value(value).map(Some)
    }

    #[inline]
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: IntoColumnValue> IntoColumnValue for Option<T> {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        self.map_or(Ok(None), T::into_column_value)
    }
}

/// The variant of a value, or an error that names both types.
macro_rules! expect {
    ($value:expr, $variant:ident, $type_name:literal) => {
        match $value {
            ColumnValueRef::$variant(value) => Ok(value),
            other => Err(ValueError::wrong_type($type_name, other.type_name())),
        }
    };
}

macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl<'row> FromColumnValue<'row> for $integer {
            #[inline]
            fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
                let value: i64 = expect!(value, Integer, "INTEGER")?;
                Self::try_from(value).map_err(|_| ValueError::out_of_range(stringify!($integer)))
            }
        }

        impl IntoColumnValue for $integer {
            #[inline]
            fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
                let value = i64::try_from(self).map_err(|_| ValueError::out_of_range("i64"))?;
                Ok(Some(ColumnValue::Integer(value)))
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl<'row> FromColumnValue<'row> for f64 {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        expect!(value, Double, "DOUBLE")
    }
}

impl IntoColumnValue for f64 {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        Ok(Some(ColumnValue::Double(self)))
    }
}

/// Rounded to the nearest; a finite number too large for an `f32` is refused.
impl<'row> FromColumnValue<'row> for f32 {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        let wide = expect!(value, Double, "DOUBLE")?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is lost but digits, is checked below"
        )]
        let narrow = wide as Self;
        if wide.is_finite() && narrow.is_infinite() {
            return Err(ValueError::out_of_range("f32"));
        }
        Ok(narrow)
    }
}

impl IntoColumnValue for f32 {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        f64::from(self).into_column_value()
    }
}

impl<'row> FromColumnValue<'row> for bool {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        expect!(value, Boolean, "BOOLEAN")
    }
}

impl IntoColumnValue for bool {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        Ok(Some(ColumnValue::Boolean(self)))
    }
}

impl<'row: 'a, 'a> FromColumnValue<'row> for &'a str {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        expect!(value, String, "STRING")
    }
}

impl<'row: 'a, 'a> FromColumnValue<'row> for &'a [u8] {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        expect!(value, Binary, "BINARY")
    }
}

/// Types that are made from borrowed text or bytes, and turned into owned ones.
macro_rules! of_borrowed {
    ($([$($life:lifetime)?] $target:ty, $borrowed:ty, $variant:ident, $value:ident => $from:expr, $into:expr;)*) => {$(
        impl<'row $(: $life, $life)?> FromColumnValue<'row> for $target {
            #[inline]
            fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
                let $value = <$borrowed>::from_column_value(value)?;
                Ok($from)
            }
        }

        impl $(<$life>)? IntoColumnValue for $target {
            #[inline]
            fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
                let $value = self;
                Ok(Some(ColumnValue::$variant($into)))
            }
        }
    )*};
}

of_borrowed! {
    [] String, &str, String, value => value.to_owned(), value;
    [] Box<str>, &str, String, value => value.into(), value.into_string();
    [] Arc<str>, &str, String, value => value.into(), value.as_ref().to_owned();
    ['a] Cow<'a, str>, &str, String, value => Cow::Borrowed(value), value.into_owned();
    // Copied, not sliced: one small value must not keep a whole page alive.
    [] Bytes, &[u8], Binary, value => Self::copy_from_slice(value), value;
    [] Vec<u8>, &[u8], Binary, value => value.to_owned(), value.into();
    ['a] Cow<'a, [u8]>, &[u8], Binary, value => Cow::Borrowed(value), value.into_owned().into();
}

impl IntoColumnValue for &str {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        Ok(Some(ColumnValue::String(self.to_owned())))
    }
}

impl IntoColumnValue for &[u8] {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        Ok(Some(ColumnValue::Binary(Bytes::copy_from_slice(self))))
    }
}

impl<'row> FromColumnValue<'row> for ColumnValue {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        Ok(value.to_owned())
    }
}

impl IntoColumnValue for ColumnValue {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        Ok(Some(self))
    }
}

impl<'row: 'a, 'a> FromColumnValue<'row> for ColumnValueRef<'a> {
    #[inline]
    fn from_column_value(value: ColumnValueRef<'row>) -> Result<Self, ValueError> {
        Ok(value)
    }
}

impl IntoColumnValue for ColumnValueRef<'_> {
    #[inline]
    fn into_column_value(self) -> Result<Option<ColumnValue>, ValueError> {
        Ok(Some(self.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<'row, T: FromColumnValue<'row>>(value: ColumnValueRef<'row>) -> String {
        T::from_column_value(value).err().unwrap().to_string()
    }

    #[test]
    fn an_integer_beyond_its_type_is_refused_and_not_shown() {
        let integer = ColumnValueRef::Integer;
        assert_eq!(i8::from_column_value(integer(-128)).unwrap(), -128);
        assert_eq!(u8::from_column_value(integer(255)).unwrap(), 255);
        assert_eq!(
            u64::from_column_value(integer(i64::MAX)).unwrap(),
            u64::MAX / 2
        );
        let beyond = [
            (message::<i8>(integer(128)), "i8"),
            (message::<u8>(integer(256)), "u8"),
            (message::<u8>(integer(-1)), "u8"),
            (message::<i16>(integer(-40_000)), "i16"),
            (message::<u16>(integer(65_536)), "u16"),
            (message::<i32>(integer(1 << 31)), "i32"),
            (message::<u32>(integer(1 << 32)), "u32"),
            (message::<u64>(integer(-1)), "u64"),
            (message::<usize>(integer(-1)), "usize"),
        ];
        for (found, name) in beyond {
            assert_eq!(found, format!("the value is out of range for {name}"));
        }
    }

    #[test]
    fn an_unsigned_integer_beyond_the_wire_is_refused() {
        let error = u64::MAX.into_column_value().unwrap_err();
        assert_eq!(error.to_string(), "the value is out of range for i64");
        let most = u64::try_from(i64::MAX).unwrap();
        assert_eq!(
            most.into_column_value().unwrap(),
            Some(ColumnValue::Integer(i64::MAX))
        );
    }

    #[test]
    fn a_float_narrows_by_rounding_but_never_to_infinity() {
        let double = ColumnValueRef::Double;
        assert_eq!(f32::from_column_value(double(0.1)).unwrap(), 0.1_f32);
        assert_eq!(
            message::<f32>(double(1e300)),
            "the value is out of range for f32"
        );
        assert!(f32::from_column_value(double(f64::NAN)).unwrap().is_nan());
        assert!(
            f32::from_column_value(double(f64::INFINITY))
                .unwrap()
                .is_infinite()
        );
    }

    #[test]
    fn types_are_not_guessed() {
        let cases = [
            (
                message::<f64>(ColumnValueRef::Integer(1)),
                "DOUBLE, found INTEGER",
            ),
            (
                message::<i64>(ColumnValueRef::Double(1.0)),
                "INTEGER, found DOUBLE",
            ),
            (
                message::<bool>(ColumnValueRef::Integer(1)),
                "BOOLEAN, found INTEGER",
            ),
            (
                message::<String>(ColumnValueRef::Binary(b"x")),
                "STRING, found BINARY",
            ),
            (
                message::<Vec<u8>>(ColumnValueRef::String("x")),
                "BINARY, found STRING",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, format!("expected {expected}"));
        }
    }
}
