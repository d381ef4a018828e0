//! Values of an SQL answer.

use std::fmt;

/// The type of a column of an SQL answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlType {
    /// No type: every value is NULL.
    Null,
    /// BIGINT.
    Integer,
    /// BOOL.
    Boolean,
    /// DOUBLE.
    Double,
    /// VARCHAR or MEDIUMTEXT.
    String,
    /// VARBINARY or MEDIUMBLOB.
    Binary,
    /// DATETIME.
    DateTime,
    /// DATE.
    Date,
    /// TIME.
    Time,
}

/// A value of an SQL answer, whose text and bytes lie in the buffer of the response.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SqlValueRef<'a> {
    /// A 64-bit signed integer.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A 64-bit float.
    Double(f64),
    /// UTF-8 text.
    String(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
    /// A moment.
    DateTime {
        /// Microseconds since 1970, UTC.
        micros: i64,
    },
    /// A day.
    Date {
        /// Seconds since 1970, UTC, of which only the day counts.
        seconds: i64,
    },
    /// A span of time.
    Time {
        /// Its length in nanoseconds.
        nanos: i64,
    },
}

impl SqlType {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer => "INTEGER",
            Self::Boolean => "BOOLEAN",
            Self::Double => "DOUBLE",
            Self::String => "STRING",
            Self::Binary => "BINARY",
            Self::DateTime => "DATETIME",
            Self::Date => "DATE",
            Self::Time => "TIME",
        }
    }
}

impl SqlValueRef<'_> {
    /// The type of a column that could hold it.
    #[must_use]
    pub const fn sql_type(self) -> SqlType {
        match self {
            Self::Integer(_) => SqlType::Integer,
            Self::Boolean(_) => SqlType::Boolean,
            Self::Double(_) => SqlType::Double,
            Self::String(_) => SqlType::String,
            Self::Binary(_) => SqlType::Binary,
            Self::DateTime { .. } => SqlType::DateTime,
            Self::Date { .. } => SqlType::Date,
            Self::Time { .. } => SqlType::Time,
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
