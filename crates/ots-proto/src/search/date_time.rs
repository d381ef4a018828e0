//! A span of the calendar.

use super::error::SearchError;
use super::wire::{known, required};
use crate::messages::{self, DateTimeUnit};

/// A span of the calendar, as a month, which has no length in seconds.
///
/// ```
/// use ots_proto::search::{DateTimeUnit, DateTimeValue};
///
/// let fortnight = DateTimeValue::new(2, DateTimeUnit::Week);
/// assert_eq!(DateTimeValue::from_message(&fortnight.to_message())?, fortnight);
/// # Ok::<(), ots_proto::search::SearchError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "complete: a number and its unit")]
pub struct DateTimeValue {
    /// How many; negative only where the service takes a shift.
    pub value: i32,
    /// Of what.
    pub unit: DateTimeUnit,
}

impl DateTimeValue {
    /// So many of this unit.
    #[must_use]
    pub const fn new(value: i32, unit: DateTimeUnit) -> Self {
        Self { value, unit }
    }

    /// The message that says the same.
    #[must_use]
    pub fn to_message(self) -> messages::DateTimeValue {
        messages::DateTimeValue {
            value: Some(self.value),
            unit: Some(self.unit.into()),
        }
    }

    /// The span that a message says.
    ///
    /// # Errors
    /// When the number or the unit is missing, or the unit isn't known.
    pub fn from_message(message: &messages::DateTimeValue) -> Result<Self, SearchError> {
        Ok(Self {
            value: required("value", message.value)?,
            unit: required("unit", known("unit", message.unit)?)?,
        })
    }
}
