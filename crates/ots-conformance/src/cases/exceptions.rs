//! What an SDK cannot do, and why.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::process;

/// Cases that an SDK cannot do, each with its reason.
///
/// They are run all the same, and one that goes well is a failure: the list can't say more than is true.
#[derive(Clone, Debug, Default)]
pub struct Exceptions(BTreeMap<String, String>);

impl Exceptions {
    /// Reads a file: reasons, and the cases that each is for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Cases`] when the file is no such list or has a case twice, [`ErrorKind::Io`] when it
    /// cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = process::read(path)?;
        let reasons: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).map_err(|e| {
            let message = format!("{} is no list of exceptions", path.display());
            Error::because(ErrorKind::Cases, message, e)
        })?;
        let mut cases = BTreeMap::new();
        for (reason, names) in reasons {
            for name in names {
                if cases.insert(name.clone(), reason.clone()).is_some() {
                    let message = format!("{} has {name:?} twice", path.display());
                    return Err(Error::new(ErrorKind::Cases, message));
                }
            }
        }
        Ok(Self(cases))
    }

    /// These, and those of another list.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Why a case is in the list.
    #[must_use]
    pub fn reason(&self, case: &str) -> Option<&str> {
        self.0.get(case).map(String::as_str)
    }

    /// The cases of the list.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
