//! Enums of a service that may know more than this version.

/// A value of one of the service's enums in the description of an index: one that this version
/// knows, or the number of a newer one, which is kept and written back as it came.
///
/// Searches are stricter: they refuse what they don't know, because a search half understood finds
/// other rows. A description half understood still describes.
///
/// ```
/// use ots_proto::search::{FieldType, Open};
///
/// assert_eq!(Open::<FieldType>::from_number(5), FieldType::Text);
/// assert_eq!(Open::<FieldType>::from_number(99), Open::Unknown(99));
/// assert_eq!(Open::<FieldType>::from_number(99).number(), 99);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: known or not")]
pub enum Open<E> {
    /// One that this version knows.
    Known(E),
    /// The number of one that it doesn't.
    Unknown(i32),
}

impl<E: TryFrom<i32>> Open<E> {
    /// The value of this number.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        E::try_from(number).map_or(Self::Unknown(number), Self::Known)
    }
}

impl<E: Into<i32>> Open<E> {
    /// The number of the value.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Known(value) => value.into(),
            Self::Unknown(number) => number,
        }
    }
}

impl<E> From<E> for Open<E> {
    fn from(value: E) -> Self {
        Self::Known(value)
    }
}

impl<E: PartialEq> PartialEq<E> for Open<E> {
    fn eq(&self, other: &E) -> bool {
        matches!(self, Self::Known(value) if value == other)
    }
}
