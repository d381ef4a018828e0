//! The table of operations: what each is called, what travels, and whether it may be repeated.

use bytes::Bytes;
use prost::Message;

pub use crate::bounded::MessageError;

pub use crate::generated::operations::*;
use crate::messages::ConsumedCapacity;

/// One operation of the service: `POST /NAME`, a request message in, a response message out.
///
/// The implementations are generated from `proto/ots_service.proto`, the one place where
/// operations are listed.
pub trait Operation: Send + Sync + 'static {
    /// The name in the URL, as in `GetRange`.
    const NAME: &'static str;
    /// Whether the service may see the same request twice without harm.
    const IDEMPOTENCY: Idempotency;
    /// The body of the request.
    type Request: Message + Default + Clone;
    /// The body of a successful response.
    type Response: Message + Default;

    /// Decodes the body of a request, sharing its buffer.
    ///
    /// # Errors
    /// When it isn't the message, or would take much more memory than it has bytes: see
    /// [`MessageError`].
    fn decode_request(body: Bytes) -> Result<Self::Request, MessageError>;

    /// Decodes the body of a successful response, sharing its buffer.
    ///
    /// # Errors
    /// As [`decode_request`](Self::decode_request).
    fn decode_response(body: Bytes) -> Result<Self::Response, MessageError>;

    /// The table that a request names, if it is about one.
    fn table(_: &Self::Request) -> Option<&str> {
        None
    }

    /// Shows `visit` every statement of capacity units in a response: one, one a row, or none.
    fn consumed(_: &Self::Response, _visit: &mut dyn FnMut(&ConsumedCapacity)) {}
}

/// Whether a request whose fate is unknown may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three levels of the protobuf option"
)]
pub enum Idempotency {
    /// It reads, or opens something that costs nothing when abandoned.
    NoSideEffects,
    /// It writes, and writing twice is writing once.
    Idempotent,
    /// A repetition might act twice: only send it again if it surely did not run.
    NotIdempotent,
}

impl Idempotency {
    /// Whether a request may be repeated although the service might have run it.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        matches!(self, Self::NoSideEffects | Self::Idempotent)
    }
}
