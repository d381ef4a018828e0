//! Errors as the service reports them: a status, a code, a sentence.

use bytes::Bytes;
use ots_proto::messages;
use prost::Message;

/// What the service answers when it refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ServiceError {
    /// The code of a request whose sender isn't who he claims to be.
    pub(crate) const AUTH_FAILED: &'static str = "OTSAuthFailed";

    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400 `OTSParameterInvalid`: by far the most common refusal.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, "OTSParameterInvalid", message)
    }

    /// 400 `OTSParameterInvalid` for a part of a request that can't be read, with the cause behind it.
    pub(crate) fn caused(error: &dyn std::error::Error) -> Self {
        Self::parameter(match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
    }

    /// A request that asks for something only the service itself can do.
    pub(crate) fn unimplemented(feature: &str) -> Self {
        Self::parameter(format!("The emulator does not implement {feature}."))
    }

    /// As a message: the body of a response, or a part of one where a single row failed.
    pub(crate) fn to_message(&self) -> messages::Error {
        messages::Error {
            code: self.code.to_owned(),
            message: Some(self.message.clone()),
            access_denied_detail: None,
        }
    }

    /// As the body of a response.
    pub(crate) fn to_body(&self) -> Bytes {
        self.to_message().encode_to_vec().into()
    }
}
