//! Tokens: where the next page starts, in bytes that say nothing to a client.
//!
//! A token begins with a checksum, so that bytes from elsewhere are noticed, and holds the hash of the
//! request it belongs to, so that a token of another table, index or query is, too.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use bytes::{BufMut, Bytes};
use ots_proto::messages;
use prost::Message;

use crate::error::ServiceError;

/// Where the next page of a Search starts.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchToken {
    #[prost(fixed64, tag = "1")]
    pub(crate) binding: u64,
    /// The order asked for on the first page: later requests don't repeat it.
    #[prost(message, optional, tag = "2")]
    pub(crate) sort: Option<messages::Sort>,
    /// The position of the last row returned.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub(crate) after: Vec<Bytes>,
}

/// Where the next page of a scan within a session starts.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct SessionToken {
    #[prost(fixed64, tag = "11")]
    pub(crate) binding: u64,
    /// Which snapshot it counts in.
    #[prost(fixed64, tag = "12")]
    pub(crate) task: u64,
    /// Rows of the share already returned.
    #[prost(uint64, tag = "13")]
    pub(crate) rows: u64,
}

/// Where the next page of a scan without a session starts.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct KeyToken {
    #[prost(fixed64, tag = "21")]
    pub(crate) binding: u64,
    /// The key of the last row returned, one variant for each column.
    #[prost(bytes = "bytes", repeated, tag = "22")]
    pub(crate) after: Vec<Bytes>,
    #[prost(int64, tag = "23")]
    pub(crate) expires_ms: i64,
}

/// A token that knows the request it belongs to.
pub(crate) trait Bound: Message + Default {
    fn binding(&self) -> u64;
}

impl Bound for SearchToken {
    fn binding(&self) -> u64 {
        self.binding
    }
}

impl Bound for SessionToken {
    fn binding(&self) -> u64 {
        self.binding
    }
}

impl Bound for KeyToken {
    fn binding(&self) -> u64 {
        self.binding
    }
}

/// The hash of everything a token belongs to.
pub(crate) fn binding(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The token as a client sees it.
pub(crate) fn encode(token: &impl Bound) -> Bytes {
    let body = token.encode_to_vec();
    let mut bytes = Vec::with_capacity(CHECKSUM_BYTES + body.len());
    bytes.put_u64(binding(&body));
    bytes.extend(body);
    bytes.into()
}

/// The token that a request carries, if it belongs to `expected`.
pub(crate) fn decode<T: Bound>(bytes: &Bytes, expected: u64) -> Result<T, ServiceError> {
    if bytes.len() < CHECKSUM_BYTES {
        return Err(not_ours());
    }
    let mut bytes = bytes.clone();
    let checksum = bytes.split_to(CHECKSUM_BYTES);
    if *checksum != binding(&bytes.to_vec()).to_be_bytes() {
        return Err(not_ours());
    }
    let token = T::decode(bytes).map_err(|_| not_ours())?;
    if token.binding() == expected {
        Ok(token)
    } else {
        Err(not_ours())
    }
}

pub(crate) fn not_ours() -> ServiceError {
    ServiceError::parameter("the token is invalid: it belongs to no earlier page of this request")
}

const CHECKSUM_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_only_for_its_own_request() {
        let token = SessionToken {
            binding: 7,
            task: 1,
            rows: 70,
        };
        let bytes = encode(&token);
        assert_eq!(decode::<SessionToken>(&bytes, 7).unwrap(), token);
        assert_eq!(decode::<SessionToken>(&bytes, 8).unwrap_err(), not_ours());
        // Kinds of tokens don't share fields, so one is never taken for another.
        assert_eq!(decode::<KeyToken>(&bytes, 7).unwrap_err(), not_ours());
    }

    #[test]
    fn garbage_is_no_token() {
        let bytes = encode(&SessionToken {
            binding: 7,
            task: 1,
            rows: 70,
        });
        for end in 0..bytes.len() {
            assert!(decode::<SessionToken>(&bytes.slice(..end), 7).is_err());
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1;
            assert!(decode::<SessionToken>(&damaged.into(), 7).is_err());
        }
    }
}
