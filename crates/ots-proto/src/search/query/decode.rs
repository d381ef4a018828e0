//! Reading the parts of a message, each of which knows its place.

use bytes::Bytes;
use prost::Message;

use super::error::{QueryError, QueryErrorKind};
use super::place::Place;
use crate::bounded::{self, MessageError};
use crate::fields::{Described, first_unknown};
use crate::plainbuffer::VariantRef;
use crate::search::error::SearchError;
use crate::search::geo::GeoPoint;
use crate::value::{ColumnValue, ColumnValueRef};

/// The message that these bytes are, with no field left unread. Without bytes it is the empty one, as
/// a query of all rows travels in some SDKs.
pub(crate) fn message<M: Message + Default + Described>(
    bytes: Option<&Bytes>,
    place: &Place<'_>,
) -> Result<M, QueryError> {
    let Some(bytes) = bytes else {
        return Ok(M::default());
    };
    let damaged = |source| QueryError::new(place, QueryErrorKind::Message(source));
    let message = bounded::decode(bytes.clone()).map_err(damaged)?;
    let unknown = first_unknown(M::fields(), bytes.clone()).map_err(MessageError::from);
    match unknown.map_err(damaged)? {
        None => Ok(message),
        Some(unknown) => {
            let kind = QueryErrorKind::UnknownField {
                number: unknown.number,
            };
            let path = unknown.path.join(".");
            if path.is_empty() {
                return Err(QueryError::new(place, kind));
            }
            Err(QueryError::new(&place.key(&path), kind))
        }
    }
}

/// What must be there.
pub(crate) fn required<T>(part: Option<T>, place: &Place<'_>) -> Result<T, QueryError> {
    part.ok_or_else(|| QueryError::missing(place))
}

/// A count, which the messages allow to be negative.
pub(crate) fn count(number: i32, place: &Place<'_>) -> Result<u32, QueryError> {
    u32::try_from(number)
        .map_err(|_| QueryError::new(place, QueryErrorKind::Negative { found: number }))
}

/// A count that may be absent.
pub(crate) fn optional_count(
    number: Option<i32>,
    place: &Place<'_>,
) -> Result<Option<u32>, QueryError> {
    number.map(|number| count(number, place)).transpose()
}

/// One of a few words, if this version knows it.
pub(crate) fn word<E: TryFrom<i32>>(
    number: Option<i32>,
    place: &Place<'_>,
) -> Result<Option<E>, QueryError> {
    let unknown = |number| QueryError::new(place, QueryErrorKind::UnknownWord { number });
    number
        .map(|number| E::try_from(number).map_err(|_| unknown(number)))
        .transpose()
}

/// A part that isn't a query, and knows its own errors.
pub(crate) fn part<T>(part: Result<T, SearchError>, place: &Place<'_>) -> Result<T, QueryError> {
    part.map_err(|source| QueryError::new(place, QueryErrorKind::Part(source)))
}

/// A point.
pub(crate) fn point(text: &str, place: &Place<'_>) -> Result<GeoPoint, QueryError> {
    text.parse()
        .map_err(|source| QueryError::new(place, QueryErrorKind::Point(source)))
}

/// A point that must be there.
pub(crate) fn required_point(
    text: Option<String>,
    place: &Place<'_>,
) -> Result<GeoPoint, QueryError> {
    point(&required(text, place)?, place)
}

/// A value standing alone.
pub(crate) fn value(bytes: &[u8], place: &Place<'_>) -> Result<ColumnValue, QueryError> {
    let variant = VariantRef::decode(bytes)
        .map_err(|source| QueryError::new(place, QueryErrorKind::Value(source)))?;
    match ColumnValueRef::try_from(variant) {
        Ok(value) => Ok(value.to_owned()),
        Err(other) => {
            let found = other.type_name();
            Err(QueryError::new(place, QueryErrorKind::ValueType { found }))
        }
    }
}

/// The bytes of a value standing alone.
pub(crate) fn value_to_message(value: &ColumnValue) -> Bytes {
    VariantRef::from(value.as_ref()).encode()
}
