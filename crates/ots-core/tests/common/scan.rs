//! Looks for secrets in everything that a run has shown.
#![allow(dead_code, reason = "each test uses a part")]

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ots_core::Error;

/// What must show nowhere, in any of the forms in which it might.
pub(crate) struct Scan(Vec<(String, String)>);

impl Scan {
    /// Secrets, each by a name that may be told.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let forms = secrets.into_iter().flat_map(|(name, secret)| {
            [
                ("as it is", secret.to_owned()),
                ("in base64", STANDARD_NO_PAD.encode(secret)),
                ("in base64 for URLs", URL_SAFE_NO_PAD.encode(secret)),
                ("in hex", hex::encode(secret)),
                ("in HEX", hex::encode_upper(secret)),
                // As a `Vec<u8>` or `Bytes` prints it.
                ("as a list of bytes", list(secret.as_bytes())),
            ]
            .map(|(form, text)| (format!("{name} {form}"), text))
        });
        Self(forms.collect())
    }

    /// The names of the secrets that the text shows, with their form.
    pub(crate) fn found(&self, text: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, secret)| text.contains(secret));
        found.map(|(name, _)| name.as_str()).collect()
    }

    /// Fails if the text shows a secret.
    #[track_caller]
    pub(crate) fn assert_quiet(&self, what: &str, text: &str) {
        let found = self.found(text);
        assert!(found.is_empty(), "{what} shows {found:?}: {text}");
    }
}

fn list(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
    bytes.join(", ")
}

/// All that an error says, by all its sources.
pub(crate) fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text += &format!(" {error} {error:?} {error:#?}");
        source = error.source();
    }
    text
}

/// All that a value prints of itself.
pub(crate) fn printed(value: &impl Debug) -> String {
    format!("{value:?} {value:#?} {:?}", Some(value))
}

/// What a proxy is told of a user.
pub(crate) fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}
