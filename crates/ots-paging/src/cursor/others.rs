//! Cursors made of one: other parts of its range, or other columns of its rows.

use ots_core::request::Direction;
use ots_proto::PrimaryKey;
use ots_proto::messages::GetRangeRequest;
use ots_proto::plainbuffer::write_primary_key;

use super::RangeCursor;
use crate::error::Error;
use crate::keys;
use crate::page::{NextPage, whole_key};
use crate::resume::fingerprint;

impl RangeCursor {
    /// The rest of the range in parts, in its order, cut at those of the keys that lie inside it: for
    /// reading them side by side. Keys come from `ComputeSplitPointsBySize`, for one.
    ///
    /// Each part is a range of its own, places to resume from too. A total limit isn't divided: no part
    /// has one.
    pub fn split_at(&self, keys: impl IntoIterator<Item = PrimaryKey>) -> Vec<Self> {
        if self.finished {
            return Vec::new();
        }
        let keys = keys
            .into_iter()
            .filter_map(|key| whole_key(&key, &self.start));
        let mut keys: Vec<PrimaryKey> = keys
            .filter(|key| self.precedes(&self.start, key) && self.precedes(key, &self.end))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if self.direction == Direction::Backward {
            keys.reverse();
        }
        let mut parts = Vec::with_capacity(keys.len() + 1);
        let mut rest = self.clone();
        rest.limits.left = None;
        for key in keys {
            let mut part = rest.clone();
            rest.go_on_from(key.clone());
            part.message.exclusive_end_primary_key = write_primary_key(&key);
            part.end = key;
            part.fingerprint = fingerprint(&part.message);
            parts.push(part);
        }
        parts.push(rest);
        parts
    }

    /// The same range, rows in the parts they come in; without a total limit, which counts rows.
    pub(crate) const fn in_parts(mut self) -> Self {
        self.limits.left = None;
        self.in_parts = true;
        self
    }

    /// The same range from another place, and without a total limit.
    pub(crate) fn at(&self, next: &NextPage) -> Self {
        let mut cursor = self.clone();
        cursor.limits.left = None;
        match next {
            NextPage::From(key) => {
                cursor.finished = false;
                cursor.go_on_from(key.clone());
            }
            NextPage::Done => cursor.finished = true,
        }
        cursor
    }

    /// The same rows, with no more columns than it takes to know which they are.
    pub(crate) fn keys_only(mut self) -> Self {
        self.message = keys::keys_only(&self.message, &self.start);
        self.fingerprint = fingerprint(&self.message);
        self.limits.may_probe = keys::leaves_rows_out(&self.message, &self.start);
        self
    }

    /// Another range, with the same bounds of memory and without a total limit.
    pub(crate) fn with_message(&self, message: GetRangeRequest) -> Result<Self, Error> {
        let mut cursor = Self::from_message(message)?;
        cursor.limits.by_bytes_as(&self.limits);
        cursor.row_bytes = self.row_bytes;
        Ok(cursor)
    }
}
