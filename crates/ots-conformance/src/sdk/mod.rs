//! SDKs, each asked in the same neutral words.

mod own;
mod program;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::Error;

pub use own::OwnClient;
pub use program::Program;

/// Something that can do a request and say what came of it.
pub trait Sdk: Send {
    /// What it is, for people.
    fn name(&self) -> &str;

    /// Does one request, which is a JSON object with the name of the operation as `do`.
    ///
    /// # Errors
    /// When the SDK itself cannot be asked any more; what the service refuses is an answer.
    fn ask<'a>(&'a mut self, request: &'a Json) -> BoxFuture<'a, Result<Said, Error>>;
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Said {
    /// It went well, and this was answered.
    Answer(Json),
    /// The service refused it.
    Error(Refusal),
    /// The SDK has no word for it.
    Unsupported(String),
    /// The SDK failed: it refused to send it, or could not read the answer.
    Failed(String),
}

/// What the service says when it refuses a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The code, as in `OTSParameterInvalid`.
    pub code: String,
    /// The sentence.
    pub message: String,
}
