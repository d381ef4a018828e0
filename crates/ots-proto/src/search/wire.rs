//! Small steps that every part of a search takes between its values and its message.

use bytes::Bytes;
use prost::Message;

use super::error::{SearchError, SearchErrorKind};
use crate::bounded;
use crate::fields::{Described, first_unknown};
use crate::plainbuffer::VariantRef;
use crate::value::{ColumnValue, ColumnValueRef};

/// A count of the API in the protocol's signed integer. One that doesn't fit is sent as the largest
/// there is, which the service refuses just the same.
pub(super) fn int32(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// As [`int32`], of 64 bits.
pub(super) fn int64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn count32(
    field: &'static str,
    number: Option<i32>,
) -> Result<Option<u32>, SearchError> {
    number
        .map(|number| {
            u32::try_from(number).map_err(|_| {
                let found = number.into();
                SearchError::new(SearchErrorKind::OutOfRange { field, found })
            })
        })
        .transpose()
}

pub(super) fn count64(
    field: &'static str,
    number: Option<i64>,
) -> Result<Option<u64>, SearchError> {
    number
        .map(|found| {
            u64::try_from(found)
                .map_err(|_| SearchError::new(SearchErrorKind::OutOfRange { field, found }))
        })
        .transpose()
}

/// A value of a closed enum: a number that this version doesn't know is refused.
pub(super) fn known<E: TryFrom<i32>>(
    field: &'static str,
    number: Option<i32>,
) -> Result<Option<E>, SearchError> {
    number
        .map(|number| {
            E::try_from(number)
                .map_err(|_| SearchError::new(SearchErrorKind::UnknownNumber { field, number }))
        })
        .transpose()
}

pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, SearchError> {
    value.ok_or_else(|| SearchError::missing(field))
}

pub(super) fn variant(value: &ColumnValue) -> Bytes {
    VariantRef::from(value.as_ref()).encode()
}

pub(super) fn read_variant(bytes: &[u8]) -> Result<VariantRef<'_>, SearchError> {
    VariantRef::decode(bytes).map_err(|source| SearchError::new(SearchErrorKind::Value(source)))
}

pub(super) fn value(
    field: &'static str,
    bytes: Option<&Bytes>,
) -> Result<Option<ColumnValue>, SearchError> {
    bytes
        .map(|bytes| column_value(field, read_variant(bytes)?))
        .transpose()
}

/// A value that a column can hold, and none of the marks that may stand in its place elsewhere.
pub(super) fn column_value(
    field: &'static str,
    variant: VariantRef<'_>,
) -> Result<ColumnValue, SearchError> {
    ColumnValueRef::try_from(variant)
        .map(ColumnValueRef::to_owned)
        .map_err(|other| {
            let found = other.type_name();
            SearchError::new(SearchErrorKind::ValueType { field, found })
        })
}

/// The one that is there, of several that exclude each other.
pub(super) fn only_one<T, const N: usize>(
    of: &'static str,
    candidates: [Option<Result<T, SearchError>>; N],
) -> Result<T, SearchError> {
    let mut present: Vec<_> = candidates.into_iter().flatten().collect();
    match (present.pop(), present.len()) {
        (Some(only), 0) => only,
        (last, others) => {
            let found = others + usize::from(last.is_some());
            Err(SearchError::new(SearchErrorKind::NotOne { of, found }))
        }
    }
}

/// The message in a `bytes` field, which shares the buffer, with no field left unread: in what a caller
/// asks, a field that this version doesn't know is an option that must not be lost.
pub(super) fn decode_all<M: Message + Default + Described>(
    bytes: Option<&Bytes>,
) -> Result<M, SearchError> {
    let message = decode(bytes)?;
    let bytes = bytes.cloned().unwrap_or_default();
    let unknown = first_unknown(M::fields(), bytes)
        .map_err(|source| SearchError::new(SearchErrorKind::Message(source.into())))?;
    let Some(unknown) = unknown else {
        return Ok(message);
    };
    let number = unknown.number;
    let error = SearchError::new(SearchErrorKind::UnknownField { number });
    let path = unknown.path.into_iter().rev();
    Err(path.fold(error, SearchError::within))
}

/// The message in a `bytes` field, which shares the buffer. Fields that this version doesn't know are
/// skipped, as protobuf wants it for responses.
pub(super) fn decode<M: Message + Default + Described>(
    bytes: Option<&Bytes>,
) -> Result<M, SearchError> {
    bounded::decode(bytes.cloned().unwrap_or_default())
        .map_err(|source| SearchError::new(SearchErrorKind::Message(source)))
}
