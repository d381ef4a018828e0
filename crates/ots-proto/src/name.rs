//! Names of columns, shared instead of copied.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The name of a column: text that is cheap to clone, because a page of thousands of rows has only
/// a handful of distinct names.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnName(Arc<str>);

impl ColumnName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ColumnName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ColumnName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ColumnName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ColumnName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for ColumnName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<&Self> for ColumnName {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

impl PartialEq<str> for ColumnName {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for ColumnName {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Debug for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The distinct names of a page, so that every row of it shares one allocation per name.
///
/// Cells come in the same order in row after row, so the name wanted next is nearly always the one
/// after the name found last: a lookup is one comparison, with no hashing.
#[derive(Debug, Default)]
pub struct NameCache {
    names: Vec<ColumnName>,
    expected: usize,
}

impl NameCache {
    /// The shared form of `name`.
    pub fn get(&mut self, name: &str) -> ColumnName {
        let position = match self.names.get(self.expected) {
            Some(candidate) if **candidate == *name => Some(self.expected),
            _ => self.names.iter().position(|candidate| **candidate == *name),
        };
        if let Some(index) = position
            && let Some(found) = self.names.get(index)
        {
            let next = index + 1;
            self.expected = if next < self.names.len() { next } else { 0 };
            return found.clone();
        }
        let new = ColumnName::from(name);
        // A page whose every cell has a name of its own must not make lookups quadratic.
        if self.names.len() < Self::LIMIT {
            self.names.push(new.clone());
        }
        self.expected = 0;
        new
    }

    const LIMIT: usize = 256;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: &ColumnName, b: &ColumnName) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    #[test]
    fn rows_with_the_same_columns_share_their_names() {
        let mut names = NameCache::default();
        let first = ["id", "city", "age"].map(|name| names.get(name));
        let second = ["id", "city", "age"].map(|name| names.get(name));
        for (a, b) in first.iter().zip(&second) {
            assert!(shared(a, b), "{a}");
        }
    }

    #[test]
    fn missing_and_reordered_columns_share_their_names_too() {
        let mut names = NameCache::default();
        let [id, city, age] = ["id", "city", "age"].map(|name| names.get(name));
        assert!(shared(&age, &names.get("age")));
        assert!(shared(&id, &names.get("id")));
        assert!(shared(&age, &names.get("age")));
        assert!(shared(&city, &names.get("city")));
        assert_eq!(names.names.len(), 3);
    }

    #[test]
    fn a_page_of_ever_new_names_does_not_grow_the_cache_without_end() {
        let mut names = NameCache::default();
        for index in 0..10 * NameCache::LIMIT {
            let name = format!("column{index}");
            assert_eq!(names.get(&name), name.as_str());
        }
        assert_eq!(names.names.len(), NameCache::LIMIT);
        // Those that came first are still shared.
        assert!(shared(&names.get("column7"), &names.get("column7")));
    }

    #[test]
    fn a_name_prints_as_its_text() {
        let name = ColumnName::from("城市");
        assert_eq!(name.to_string(), "城市");
        assert_eq!(format!("{name:?}"), "\"城市\"");
    }
}
