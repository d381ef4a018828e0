//! One page of a range: its rows as they came, and where the next page starts.

use bytes::Bytes;
use ots_core::request::Consumed;
use ots_proto::plainbuffer::{Accept, Checksums, Position, Reader};
use ots_proto::{NameCache, PrimaryKey, Row};

use crate::error::Error;
use crate::resume::ResumePoint;

/// One page of a range.
///
/// Its rows lie in the buffer of the response; [`reader`](Self::reader) lends them one by one without
/// copying. A page without rows is an ordinary page: only [`NextPage::Done`] ends a range.
///
/// The checksums of the rows are verified while they are read, not before.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Page {
    pub(crate) start: PrimaryKey,
    pub(crate) buffer: Bytes,
    pub(crate) resume: ResumePoint,
    pub(crate) consumed: Consumed,
}

/// Where a range goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum NextPage {
    /// At this key, inclusive.
    From(PrimaryKey),
    /// Nowhere: the range is read.
    Done,
}

impl NextPage {
    /// The key to go on from, unless the range is read.
    #[must_use]
    pub const fn key(&self) -> Option<&PrimaryKey> {
        if let Self::From(key) = self {
            Some(key)
        } else {
            None
        }
    }

    /// Whether the range is read.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

impl Page {
    /// A reader that lends the rows one after another.
    ///
    /// # Errors
    /// When the buffer doesn't start like one; the reader itself tells of damaged rows.
    pub fn reader(&self) -> Result<Reader<'_>, Error> {
        Ok(Reader::new(&self.buffer, Accept::Rows)?)
    }

    /// Owned copies of all rows.
    ///
    /// # Errors
    /// When a row can't be decoded; the rows before it are lost then. [`reader`](Self::reader) gives
    /// them.
    pub fn rows(&self) -> Result<Vec<Row>, Error> {
        let mut reader = self.reader()?;
        let mut names = NameCache::default();
        let mut rows = Vec::new();
        while let Some(row) = reader.next_owned(&mut names)? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// The rows as one PlainBuffer, its header included also when there are none.
    #[must_use]
    pub const fn buffer(&self) -> &Bytes {
        &self.buffer
    }

    /// The key that the page was asked for from, inclusive: a bound, not always a row.
    #[must_use]
    pub const fn start(&self) -> &PrimaryKey {
        &self.start
    }

    /// Where the range goes on after this page.
    #[must_use]
    pub const fn next(&self) -> &NextPage {
        self.resume.next()
    }

    /// What the page cost.
    #[must_use]
    pub const fn consumed(&self) -> Consumed {
        self.consumed
    }

    /// The place after this page.
    pub const fn resume_point(&self) -> &ResumePoint {
        &self.resume
    }
}

/// The first rows of a buffer, counted.
#[derive(Debug, PartialEq)]
pub(crate) struct Counted {
    /// Rows up to the limit, or up to a damaged one.
    pub(crate) rows: u64,
    /// What lies beyond the limit.
    pub(crate) rest: Option<Rest>,
}

/// The rows of a buffer that are too many.
#[derive(Debug, PartialEq)]
pub(crate) struct Rest {
    /// Where the first of them begins, in bytes.
    pub(crate) offset: usize,
    /// Its key, unless columns of it are missing.
    pub(crate) key: Option<PrimaryKey>,
}

/// Counts rows, at most `most`; `start` has the columns of a whole key.
///
/// Checksums are left to who reads the page: framing alone decides where rows begin, the same for both,
/// so that a damaged row is found there before anything behind it. Only the key of the first row beyond,
/// which nobody else reads, is verified here.
pub(crate) fn count(buffer: &[u8], most: u64, start: &PrimaryKey) -> Counted {
    let mut counted = Counted {
        rows: 0,
        rest: None,
    };
    let Ok(reader) = Reader::new(buffer, Accept::Rows) else {
        return counted;
    };
    let mut reader = reader.checksums(Checksums::Trust);
    loop {
        let position = reader.position();
        match reader.next_row() {
            Ok(Some(_)) if counted.rows == most => {
                let key = verified_key(buffer, position).and_then(|key| whole_key(&key, start));
                let offset = position.offset();
                counted.rest = Some(Rest { offset, key });
                return counted;
            }
            Ok(Some(_)) => counted.rows += 1,
            Ok(None) => {
                return counted;
            }
            Err(_) => return counted,
        }
    }
}

/// The key of a row, unless the row is damaged.
fn verified_key(buffer: &[u8], position: Position) -> Option<PrimaryKey> {
    let mut reader = Reader::resume(buffer, Accept::Rows, position).ok()?;
    let row = reader.next_row().ok()??;
    Some(row.to_primary_key(&mut NameCache::default()))
}

/// `key` with its columns in the order of `start`; none when the columns aren't the same.
///
/// The service doesn't promise that they come in the table's order.
pub(crate) fn whole_key(key: &PrimaryKey, start: &PrimaryKey) -> Option<PrimaryKey> {
    if key.len() != start.len() {
        return None;
    }
    let mut ordered = PrimaryKey::new();
    for column in start.columns() {
        ordered.push(&column.name, key.get(&column.name)?.clone());
    }
    Some(ordered)
}

#[cfg(test)]
mod tests {
    use ots_proto::plainbuffer::Writer;

    use super::*;

    fn buffer(ids: impl IntoIterator<Item = i64>) -> Bytes {
        let mut writer = Writer::new();
        for id in ids {
            writer.row(&Row::new(PrimaryKey::new().column("id", id)).cell("a", id));
        }
        writer.finish()
    }

    #[test]
    fn counting_stops_at_the_limit_and_names_the_first_row_beyond() {
        let buffer = buffer(0..5);
        let start = PrimaryKey::min(["id"]);
        let count = |most| count(&buffer, most, &start);
        assert_eq!(
            count(9),
            Counted {
                rows: 5,
                rest: None
            }
        );
        assert_eq!(
            count(5),
            Counted {
                rows: 5,
                rest: None
            }
        );
        let counted = count(3);
        assert_eq!(counted.rows, 3);
        let rest = counted.rest.unwrap();
        assert_eq!(rest.key, Some(PrimaryKey::new().column("id", 3)));
        let cut = buffer.slice(..rest.offset);
        assert_eq!(super::count(&cut, 9, &start).rows, 3);
    }

    #[test]
    fn counting_leaves_damage_to_the_reader_but_for_the_key_it_takes() {
        let whole = buffer(0..5);
        let start = PrimaryKey::min(["id"]);
        let mut damaged = whole.to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        let counted = count(&damaged, 9, &start);
        assert_eq!((counted.rows, counted.rest), (5, None));
        let rest = count(&damaged, 4, &start).rest.unwrap();
        assert_eq!(rest.key, None);
        assert!(count(&whole, 4, &start).rest.unwrap().key.is_some());
    }

    #[test]
    fn a_key_is_whole_in_any_order_and_not_with_a_column_missing() {
        let start = PrimaryKey::min(["city", "id"]);
        let expected = PrimaryKey::new().column("city", "h").column("id", 7);
        let swapped = PrimaryKey::new().column("id", 7).column("city", "h");
        assert_eq!(whole_key(&swapped, &start), Some(expected));
        assert_eq!(whole_key(&PrimaryKey::new().column("id", 7), &start), None);
        assert_eq!(whole_key(&PrimaryKey::min(["id", "other"]), &start), None);
    }
}
