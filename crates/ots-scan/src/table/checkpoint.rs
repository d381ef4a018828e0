//! Where the ranges of a table scan stand, as bytes.

use std::fmt;

use ots_paging::{NextPage, ResumePoint};
use ots_proto::PrimaryKey;
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};

use super::error::{TableScanError, TableScanErrorKind};
use super::spec::Spec;
use crate::checkpoint::{fnv, put};

/// Where a scan of a table stands: how far each of its ranges was handed over.
///
/// It can be kept as [bytes](Self::to_bytes) for as long as one likes, and
/// [resumed](crate::TableScanBuilder::resume) by any process: there is no session that could expire.
/// It is bound to table, key range, columns, filter and versions; anything else is refused. The keys
/// inside can be read by whoever has the bytes.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct TableCheckpoint {
    /// The beginning of it all.
    whole: ResumePoint,
    positions: Vec<RangePosition>,
}

/// What is still to be read of a range.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RangePosition {
    /// The key to go on from, inclusive; or that the range is read.
    pub next: NextPage,
    /// The key that the range ends before.
    pub end: PrimaryKey,
}

impl TableCheckpoint {
    pub(super) const fn new(whole: ResumePoint, positions: Vec<RangePosition>) -> Self {
        Self { whole, positions }
    }

    /// The ranges, in the order of keys.
    #[must_use]
    pub fn positions(&self) -> &[RangePosition] {
        &self.positions
    }

    /// Whether nothing is left to be read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.positions
            .iter()
            .all(|position| position.next.is_done())
    }

    /// A range goes on here instead.
    pub(super) fn back_to(&mut self, range: u32, key: PrimaryKey) {
        let range = usize::try_from(range).ok();
        if let Some(position) = range.and_then(|range| self.positions.get_mut(range)) {
            position.next = NextPage::From(key);
        }
    }

    /// What it takes to go on, if it is one of a scan like this.
    pub(super) fn for_scan(
        &self,
        spec: &Spec,
    ) -> Result<(ResumePoint, Vec<RangePosition>), TableScanError> {
        let unfit = || TableScanError::new(TableScanErrorKind::Checkpoint(UNFIT));
        let end = self.positions.last().map(|last| &last.end);
        spec.check_range(&self.whole, end.ok_or_else(unfit)?)?;
        Ok((self.whole.clone(), self.positions.clone()))
    }

    /// As bytes: a version, the content, a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        put(&mut bytes, &self.whole.to_bytes());
        for RangePosition { next, end } in &self.positions {
            match next {
                NextPage::Done => bytes.push(0),
                NextPage::From(key) => {
                    bytes.push(1);
                    put(&mut bytes, &write_primary_key(key));
                }
            }
            put(&mut bytes, &write_primary_key(end));
        }
        bytes.extend(fnv(&bytes).to_le_bytes());
        bytes
    }

    /// The checkpoint that was written so.
    ///
    /// # Errors
    /// [`TableScanErrorKind::Checkpoint`] when the bytes are of something else, of another version, or
    /// were changed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TableScanError> {
        let refused = |problem| TableScanError::new(TableScanErrorKind::Checkpoint(problem));
        let (kind, version) = MAGIC.split_at(MAGIC.len() - 1);
        match bytes.strip_prefix(kind) {
            None => return Err(refused("it begins otherwise")),
            Some(rest) if !rest.starts_with(version) => {
                return Err(refused("it was written by another version"));
            }
            Some(_) => {}
        }
        let checked = bytes.split_last_chunk();
        let content = checked.filter(|(content, sum)| fnv(content).to_le_bytes() == **sum);
        let (content, _) = content.ok_or_else(|| refused("its checksum doesn't fit"))?;
        let content = content.get(MAGIC.len()..).unwrap_or_default();
        Reader(content).checkpoint().ok_or_else(|| refused(UNFIT))
    }
}

/// Keys are data: they stay out of logs.
impl fmt::Debug for TableCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = self
            .positions
            .iter()
            .filter(|position| position.next.is_done());
        f.debug_struct("TableCheckpoint")
            .field("ranges", &self.positions.len())
            .field("ranges_done", &done.count())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RangePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangePosition")
            .field("is_done", &self.next.is_done())
            .finish_non_exhaustive()
    }
}

/// What is left of the content.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Nothing but ranges that follow each other without a gap, each with its place inside.
    fn checkpoint(&mut self) -> Option<TableCheckpoint> {
        let whole = ResumePoint::from_bytes(self.bytes()?).ok()?;
        let mut start = whole.next().key()?.clone();
        let mut positions = Vec::new();
        while let Some((kind, rest)) = self.0.split_first() {
            self.0 = rest;
            let next = match kind {
                0 => NextPage::Done,
                1 => NextPage::From(self.key()?),
                _ => return None,
            };
            let end = self.key()?;
            let names = |key: &PrimaryKey| {
                let mut columns = key.columns().iter().zip(start.columns());
                key.len() == start.len() && columns.all(|(one, other)| one.name == other.name)
            };
            let fits = next
                .key()
                .is_none_or(|key| names(key) && start <= *key && *key < end);
            if !fits || !names(&end) || end <= start {
                return None;
            }
            start = end.clone();
            positions.push(RangePosition { next, end });
        }
        let is_whole = !positions.is_empty();
        is_whole.then_some(TableCheckpoint { whole, positions })
    }

    fn key(&mut self) -> Option<PrimaryKey> {
        read_primary_key(self.bytes()?).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (taken, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

const UNFIT: &str = "its content doesn't fit";

/// What it is, and the version of the form.
const MAGIC: &[u8] = b"ots table scan 1";
