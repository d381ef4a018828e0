//! A change that a writer doesn't take.

use std::fmt;

use crate::error::Error;

/// A change that was not accepted, and why. What was given with it comes back.
///
/// It turns into its [`Error`], so that `?` works where the tag doesn't matter.
#[non_exhaustive]
pub struct Rejected<T> {
    /// Why.
    pub error: Error,
    /// What was given with the change.
    pub tag: T,
}

impl<T> From<Rejected<T>> for Error {
    fn from(rejected: Rejected<T>) -> Self {
        rejected.error
    }
}

impl<T> std::error::Error for Rejected<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Tags need not be printable.
impl<T> fmt::Debug for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
