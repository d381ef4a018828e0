//! Which fields a serialized message has that this version doesn't know.
//!
//! prost steps over them, as protobuf wants it for responses. In a query an unknown field is an option
//! of a newer writer, and to search without it would be to find other rows: it must be noticed.

use bytes::{Buf as _, Bytes};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// A message whose fields are listed in `generated/fields.rs`.
pub(crate) trait Described {
    /// Its fields.
    fn fields() -> Fields;
}

/// The fields of a message, at most [`MAX_FIELDS`](crate::bounded::MAX_FIELDS).
pub(crate) type Fields = &'static [Field];

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    /// The fields of the message it holds, if it holds one. Messages refer to each other in circles.
    pub(crate) message: Option<&'static Fields>,
    /// What it takes in memory.
    pub(crate) memory: Memory,
}

/// What a field takes in memory, besides its place in the struct of its message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Memory {
    /// Nothing: numbers, slices of the buffer, messages that lie in place.
    None,
    /// Its text.
    Text,
    /// So many bytes, in a box.
    Boxed(usize),
    /// A list whose elements take so many bytes each.
    List(usize),
    /// A list of texts.
    Texts,
    /// A list of numbers that may come packed: what one takes in memory, and on the wire unless that
    /// varies.
    Numbers(usize, Option<usize>),
}

impl Field {
    const fn new(number: u32, name: &'static str, memory: Memory) -> Self {
        Self {
            number,
            name,
            message: None,
            memory,
        }
    }

    const fn holding(mut self, fields: &'static Fields) -> Self {
        self.message = Some(fields);
        self
    }

    pub(crate) const fn plain(number: u32, name: &'static str) -> Self {
        Self::new(number, name, Memory::None)
    }

    pub(crate) const fn text(number: u32, name: &'static str) -> Self {
        Self::new(number, name, Memory::Text)
    }

    pub(crate) const fn texts(number: u32, name: &'static str) -> Self {
        Self::new(number, name, Memory::Texts)
    }

    pub(crate) const fn slices(number: u32, name: &'static str) -> Self {
        Self::new(number, name, Memory::List(size_of::<Bytes>()))
    }

    pub(crate) const fn numbers(
        number: u32,
        name: &'static str,
        bytes: usize,
        wire_bytes: Option<usize>,
    ) -> Self {
        Self::new(number, name, Memory::Numbers(bytes, wire_bytes))
    }

    pub(crate) const fn message(number: u32, name: &'static str, fields: &'static Fields) -> Self {
        Self::new(number, name, Memory::None).holding(fields)
    }

    pub(crate) const fn boxed(
        number: u32,
        name: &'static str,
        fields: &'static Fields,
        bytes: usize,
    ) -> Self {
        Self::new(number, name, Memory::Boxed(bytes)).holding(fields)
    }

    pub(crate) const fn messages(
        number: u32,
        name: &'static str,
        fields: &'static Fields,
        bytes: usize,
    ) -> Self {
        Self::new(number, name, Memory::List(bytes)).holding(fields)
    }
}

/// A field that nobody described, and how to get to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The names of the fields around it, from outside to inside.
    pub(crate) path: Vec<&'static str>,
    pub(crate) number: u32,
}

/// The first field of `message` that isn't among `fields`, looking into the messages inside.
///
/// What prost has decoded is never too deep here: it stops at 100 levels.
pub(crate) fn first_unknown(
    fields: Fields,
    mut message: Bytes,
) -> Result<Option<Unknown>, DecodeError> {
    while message.has_remaining() {
        let (number, wire_type) = decode_key(&mut message)?;
        let Some(field) = fields.iter().find(|field| field.number == number) else {
            let path = Vec::new();
            return Ok(Some(Unknown { path, number }));
        };
        match field.message {
            Some(inner) if wire_type == WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut message)?).unwrap_or(usize::MAX);
                let inside = message.split_to(length.min(message.len()));
                if let Some(mut unknown) = first_unknown(inner, inside)? {
                    unknown.path.insert(0, field.name);
                    return Ok(Some(unknown));
                }
            }
            _ => skip_field(wire_type, number, &mut message, DecodeContext::default())?,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::messages;

    /// Field 99, the text `abc`.
    const STRANGER: &[u8] = b"\x9a\x06\x03abc";

    fn unknown<M: Described>(message: Vec<u8>) -> Option<Unknown> {
        first_unknown(M::fields(), message.into()).unwrap()
    }

    #[test]
    fn a_message_of_known_fields_has_no_unknown_one() {
        let query = messages::KnnVectorQuery {
            field_name: Some("v".to_owned()),
            top_k: Some(-1),
            float32_query_vector: vec![1.0, 2.0],
            filter: Some(messages::Query::default()),
            weight: Some(0.5),
            min_score: None,
            num_candidates: Some(7),
        };
        assert_eq!(
            unknown::<messages::KnnVectorQuery>(query.encode_to_vec()),
            None
        );
        // Packed, as newer writers do it.
        assert_eq!(
            unknown::<messages::KnnVectorQuery>(vec![0x22, 4, 0, 0, 0, 0]),
            None
        );
    }

    #[test]
    fn an_unknown_field_is_found_wherever_it_is() {
        assert_eq!(
            unknown::<messages::TermQuery>(STRANGER.to_vec()),
            Some(Unknown {
                path: vec![],
                number: 99
            })
        );
        // NestedQuery.inner_hits.sort.sorter, each holding nothing but the next.
        let mut bytes = STRANGER.to_vec();
        for tag in [0x0a, 0x0a, 0x2a] {
            bytes = [&[tag, u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat();
        }
        assert_eq!(
            unknown::<messages::NestedQuery>(bytes),
            Some(Unknown {
                path: vec!["inner_hits", "sort", "sorter"],
                number: 99
            })
        );
    }

    #[test]
    fn damage_is_an_error_and_not_a_panic() {
        for bytes in [&b"\x9a"[..], b"\x0a\x05ab", b"\x15\x00", b"\x07"] {
            let bytes = Bytes::copy_from_slice(bytes);
            assert!(first_unknown(messages::TermQuery::fields(), bytes).is_err());
        }
    }
}
