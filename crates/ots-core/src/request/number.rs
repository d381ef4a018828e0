//! Numbers of requests: unsigned here, signed and of 32 bits on the wire.

use std::time::Duration;

use crate::error::Error;

/// A number that must be at least 1.
pub(super) fn positive(operation: &str, table: &str, name: &str, value: u32) -> Result<i32, Error> {
    match i32::try_from(value) {
        Ok(value) if value > 0 => Ok(value),
        _ => Err(out_of_range(operation, table, name, 1, value)),
    }
}

/// A number that may be 0.
pub(super) fn count(operation: &str, table: &str, name: &str, value: u32) -> Result<i32, Error> {
    i32::try_from(value).map_err(|_| out_of_range(operation, table, name, 0, value))
}

/// A time of at least a second, in seconds, rounded up.
pub(super) fn seconds(
    operation: &str,
    table: &str,
    name: &str,
    time: Duration,
) -> Result<i32, Error> {
    positive(operation, table, name, whole_seconds(time))
}

/// A time in seconds, rounded up.
#[expect(clippy::cast_possible_truncation, reason = "checked to fit")]
pub(super) const fn whole_seconds(time: Duration) -> u32 {
    let seconds = if time.subsec_nanos() > 0 {
        time.as_secs().saturating_add(1)
    } else {
        time.as_secs()
    };
    if seconds > u32::MAX as u64 {
        u32::MAX
    } else {
        seconds as u32
    }
}

fn out_of_range(operation: &str, table: &str, name: &str, least: u32, value: u32) -> Error {
    Error::request(format!(
        "{operation} on table {table:?}: {name} must be between {least} and {}, got {value}",
        i32::MAX
    ))
}

/// A count that the service sent; negative ones mean nothing.
pub(super) fn received(count: Option<i64>) -> Option<u64> {
    count.and_then(|count| u64::try_from(count).ok())
}
