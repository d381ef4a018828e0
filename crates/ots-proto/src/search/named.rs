//! Parts of a search that are told apart by their names.

use std::collections::HashSet;

use super::error::{SearchError, SearchErrorKind};
use crate::bounded;

/// Parts of a search with their names, in the order they were given: aggregations, group-bys, or
/// their results.
///
/// Names must be distinct and not empty. That is checked when they are written to a message or read
/// from one, and the error says which name breaks the rule.
///
/// ```
/// use ots_proto::search::{Aggregation, Aggregations};
///
/// let twice = Aggregations::new()
///     .with("total", Aggregation::sum("price"))
///     .with("total", Aggregation::sum("weight"));
/// let error = twice.to_message().unwrap_err();
/// assert_eq!(error.to_string(), "aggregation \"total\": the name is given twice");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Named<T> {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// With one more.
    pub fn with(mut self, name: impl Into<String>, part: impl Into<T>) -> Self {
        self.push(name, part);
        self
    }

    /// Adds one in place.
    pub fn push(&mut self, name: impl Into<String>, part: impl Into<T>) {
        self.0.push((name.into(), part.into()));
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, part)| part)
    }

    /// Their names, and themselves.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &T)> + ExactSizeIterator {
        self.0.iter().map(|(name, part)| (name.as_str(), part))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each turned into a message, once all names are known to be good. `what` they are, for errors.
    pub(super) fn write<M>(
        &self,
        what: &str,
        write: impl Fn(&str, &T) -> Result<M, SearchError>,
    ) -> Result<Vec<M>, SearchError> {
        self.check_names(what)?;
        let parts = self.iter().map(|(name, part)| {
            write(name, part).map_err(|error| error.within(format!("{what} {name:?}")))
        });
        parts.collect()
    }

    /// Each read from a message, and the names checked.
    pub(super) fn read<'m, M>(
        what: &str,
        messages: &'m [M],
        name: impl Fn(&M) -> Option<String>,
        read: impl Fn(&'m M) -> Result<T, SearchError>,
    ) -> Result<Self, SearchError> {
        let parts = messages.iter().enumerate().map(|(index, message)| {
            let Some(name) = name(message) else {
                let part = format!("{what} {index}");
                return Err(SearchError::missing("name").within(part));
            };
            let part = read(message).map_err(|error| error.within(format!("{what} {name:?}")))?;
            Ok((name, part))
        });
        let parts = Self(bounded::collect(parts)?);
        parts.check_names(what)?;
        Ok(parts)
    }

    fn check_names(&self, what: &str) -> Result<(), SearchError> {
        let mut seen = HashSet::with_capacity(self.len());
        for (index, (name, _)) in self.0.iter().enumerate() {
            if name.is_empty() {
                let part = format!("{what} {index}");
                return Err(SearchError::new(SearchErrorKind::EmptyName).within(part));
            }
            if !seen.insert(name.as_str()) {
                let part = format!("{what} {name:?}");
                return Err(SearchError::new(SearchErrorKind::DuplicateName).within(part));
            }
        }
        Ok(())
    }
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Into<String>, T> FromIterator<(N, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(parts: I) -> Self {
        let parts = parts.into_iter().map(|(name, part)| (name.into(), part));
        Self(parts.collect())
    }
}

impl<T> IntoIterator for Named<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
