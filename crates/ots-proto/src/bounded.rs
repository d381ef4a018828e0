//! Messages decoded in memory that is in proportion to their bytes.
//!
//! An element of a list may be two bytes on the wire and a struct of two hundred in memory. So before a
//! message is decoded, its bytes are walked and what it would take is added up: exactly as prost will
//! allocate it, from the table of fields in `generated/fields.rs`. The walk allocates nothing, and steps
//! over the rows of a page at once.

use std::fmt;

use bytes::{Buf as _, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};

use crate::fields::{Described, Field, Fields, Memory};

/// Why bytes don't become a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MessageError {
    /// They aren't the message they should be.
    Damaged(DecodeError),
    /// The message would take too much memory: more than 64 KiB and 16 times its bytes. None that
    /// means something does: it would have to be made of elements that say nothing.
    TooLarge {
        /// How many bytes the message has.
        wire_bytes: usize,
        /// How many it would take.
        decoded_bytes: usize,
    },
}

/// The message that these bytes are, sharing their buffer.
///
/// # Memory
/// At most 16 times the bytes and 64 KiB; half as much again while a list grows.
pub(crate) fn decode<M: Message + Default + Described>(bytes: Bytes) -> Result<M, MessageError> {
    check(M::fields(), &bytes)?;
    M::decode(bytes).map_err(MessageError::Damaged)
}

/// As `collect`, into a list that never grows: one that grows by doubling holds up to three times its
/// final size while it moves.
pub(crate) fn collect<T, E>(
    elements: impl ExactSizeIterator<Item = Result<T, E>>,
) -> Result<Vec<T>, E> {
    let mut list = Vec::with_capacity(elements.len());
    for element in elements {
        list.push(element?);
    }
    Ok(list)
}

/// Refuses bytes that would take too much memory as a message with these fields. Damage is left for
/// decoding to find: nothing is allocated behind it.
pub(crate) fn check(fields: Fields, bytes: &[u8]) -> Result<(), MessageError> {
    let wire_bytes = bytes.len();
    let decoded_bytes = weigh(fields, bytes, MAX_DEPTH);
    if decoded_bytes > wire_bytes.saturating_mul(TIMES).saturating_add(SPARE_BYTES) {
        return Err(MessageError::TooLarge {
            wire_bytes,
            decoded_bytes,
        });
    }
    Ok(())
}

/// What a message takes once it is decoded, besides its own struct.
fn weigh(fields: Fields, mut message: &[u8], depth: usize) -> usize {
    let mut lengths = [0_usize; MAX_FIELDS];
    let mut bytes = 0;
    while message.has_remaining() {
        let Ok((number, wire_type)) = decode_key(&mut message) else {
            break;
        };
        let mut known = fields.iter().zip(&mut lengths);
        let field = known.find(|(field, _)| field.number == number);
        if wire_type != WireType::LengthDelimited {
            if let Some((field, length)) = field
                && matches!(field.memory, Memory::Numbers(..))
            {
                *length += 1;
            }
            let context = DecodeContext::default();
            if skip_field(wire_type, number, &mut message, context).is_err() {
                break;
            }
            continue;
        }
        let Some(inside) = split_delimited(&mut message) else {
            break;
        };
        if let Some((field, length)) = field {
            bytes += weigh_delimited(field, length, inside, depth);
        }
    }
    let lists = fields.iter().zip(lengths);
    bytes
        + lists
            .map(|(field, length)| list_bytes(field, length))
            .sum::<usize>()
}

/// What a field with these bytes takes, except for the list whose `length` it adds to.
fn weigh_delimited(field: &Field, length: &mut usize, inside: &[u8], depth: usize) -> usize {
    let itself = match field.memory {
        Memory::None => 0,
        Memory::Boxed(bytes) => bytes,
        Memory::Text => text_bytes(inside),
        Memory::List(_) => {
            *length += 1;
            0
        }
        Memory::Texts => {
            *length += 1;
            text_bytes(inside)
        }
        Memory::Numbers(_, Some(wire_bytes)) => {
            *length += inside.len().div_ceil(wire_bytes.max(1));
            0
        }
        Memory::Numbers(_, None) => {
            *length += inside.iter().filter(|byte| **byte < 0x80).count();
            0
        }
    };
    let inner = field.message.filter(|_| depth > 0);
    itself + inner.map_or(0, |fields| weigh(fields, inside, depth.saturating_sub(1)))
}

/// The bytes after a length, if they are there.
fn split_delimited<'a>(message: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(decode_varint(message).ok()?).ok()?;
    let (inside, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(inside)
}

/// A text that isn't empty has room for eight bytes.
fn text_bytes(text: &[u8]) -> usize {
    if text.is_empty() {
        0
    } else {
        text.len().max(8)
    }
}

/// A list that grew to this length by doubling.
fn list_bytes(field: &Field, length: usize) -> usize {
    let element_bytes = match field.memory {
        Memory::List(bytes) | Memory::Numbers(bytes, _) => bytes,
        Memory::Texts => size_of::<String>(),
        Memory::None | Memory::Text | Memory::Boxed(_) => return 0,
    };
    if length == 0 {
        return 0;
    }
    let least = if element_bytes == 1 { 8 } else { 4 };
    length
        .next_power_of_two()
        .max(least)
        .saturating_mul(element_bytes)
}

impl std::error::Error for MessageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Damaged(source) => Some(source),
            Self::TooLarge { .. } => None,
        }
    }
}

impl From<DecodeError> for MessageError {
    fn from(source: DecodeError) -> Self {
        Self::Damaged(source)
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(_) => f.write_str("the bytes aren't the message they should be"),
            Self::TooLarge {
                wire_bytes,
                decoded_bytes,
            } => write!(
                f,
                "a message of {wire_bytes} bytes would take {decoded_bytes} in memory: more than {TIMES} \
                 times its bytes and {} KiB",
                SPARE_BYTES / 1024
            ),
        }
    }
}

/// The fields of a message, at most.
pub(crate) const MAX_FIELDS: usize = 32;
/// prost goes no deeper.
const MAX_DEPTH: usize = 100;
/// How many times its own bytes a message may take.
const TIMES: usize = 16;
/// What any message may take.
const SPARE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::messages::{GetRangeResponse, ListTableResponse, SearchResponse};

    /// So many tables without a name: two bytes each on the wire.
    fn nameless(count: usize) -> Bytes {
        [0x0a, 0].repeat(count).into()
    }

    #[test]
    fn elements_that_say_nothing_are_refused_when_they_are_many() {
        let few = decode::<ListTableResponse>(nameless(1_000)).unwrap();
        assert_eq!(few.table_names.len(), 1_000);
        let error = decode::<ListTableResponse>(nameless(10_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a message of 20000 bytes would take 393216 in memory: more than 16 times its bytes and 64 KiB"
        );
        assert!(error.source().is_none());
    }

    #[test]
    fn what_stays_a_slice_of_the_body_weighs_nothing() {
        let page = GetRangeResponse {
            rows: vec![0; 1 << 20].into(),
            ..GetRangeResponse::default()
        };
        let body = page.encode_to_vec();
        assert_eq!(weigh(GetRangeResponse::fields(), &body, MAX_DEPTH), 0);
    }

    #[test]
    fn a_text_weighs_its_bytes_and_a_list_its_room() {
        let names = ["a", "orders", "a name of some length"].map(str::to_owned);
        let body = ListTableResponse {
            table_names: names.to_vec(),
        };
        let weight = weigh(
            ListTableResponse::fields(),
            &body.encode_to_vec(),
            MAX_DEPTH,
        );
        assert_eq!(weight, 4 * size_of::<String>() + 8 + 8 + 21);
    }

    #[test]
    fn damage_is_left_for_decoding_to_find() {
        for bytes in [&b"\x0a\x05ab"[..], b"\xff", b"\x0b", b"\x0d\0"] {
            let error = decode::<ListTableResponse>(Bytes::copy_from_slice(bytes)).unwrap_err();
            assert!(
                matches!(error, MessageError::Damaged(_)),
                "{bytes:?}: {error}"
            );
            assert!(error.source().is_some());
        }
    }

    #[test]
    fn messages_inside_themselves_are_followed_as_far_as_decoding_goes() {
        // A hit with inner hits, which have hits, and so on: too deep for prost.
        let mut body = Vec::new();
        for level in 0..401 {
            // SearchInnerHit.search_hits, SearchHit.search_inner_hits; outermost
            // SearchResponse.search_hits.
            let key = if level % 2 == 0 && level < 400 {
                0x12
            } else {
                0x2a
            };
            let mut outer = vec![key];
            prost::encoding::encode_varint(body.len() as u64, &mut outer);
            outer.extend(body);
            body = outer;
        }
        let error = decode::<SearchResponse>(body.into()).unwrap_err();
        assert!(matches!(error, MessageError::Damaged(_)), "{error}");
    }
}
