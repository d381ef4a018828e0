//! Errors as the service reports them: a status, a code, a sentence.

/// What the service answers when it refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ServiceError {
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
}
