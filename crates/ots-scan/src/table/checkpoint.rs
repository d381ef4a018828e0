//! Where the ranges of a table scan stand, as bytes.

use std::fmt;

use ots_paging::{NextPage, ResumePoint};
use ots_proto::PrimaryKey;
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};

use super::error::{TableScanError, TableScanErrorKind};
use super::spec::Spec;
use crate::framing::{Content, Frame, put};

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
        if let Some(position) = self.position_mut(range) {
            position.next = NextPage::From(key);
        }
    }

    pub(super) fn position_mut(&mut self, range: u32) -> Option<&mut RangePosition> {
        self.positions.get_mut(usize::try_from(range).ok()?)
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
        let mut bytes = FRAME.begin();
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
        FRAME.seal(bytes)
    }

    /// The checkpoint that was written so.
    ///
    /// # Errors
    /// [`TableScanErrorKind::Checkpoint`] when the bytes are of something else, of another version, or
    /// were changed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TableScanError> {
        let refused = |problem| TableScanError::new(TableScanErrorKind::Checkpoint(problem));
        let content = FRAME.open(bytes).map_err(refused)?;
        read(content).ok_or_else(|| refused(UNFIT))
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

/// Nothing but ranges that follow each other without a gap, each with its place inside.
fn read(mut content: Content<'_>) -> Option<TableCheckpoint> {
    let whole = ResumePoint::from_bytes(content.part()?).ok()?;
    let mut start = whole.next().key()?.clone();
    let mut positions = Vec::new();
    while !content.is_empty() {
        let next = match content.take()? {
            [0] => NextPage::Done,
            [1] => NextPage::From(key(&mut content)?),
            _ => return None,
        };
        let end = key(&mut content)?;
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

fn key(content: &mut Content<'_>) -> Option<PrimaryKey> {
    read_primary_key(content.part()?).ok()
}

const UNFIT: &str = "its content doesn't fit";

const FRAME: Frame = Frame::new(b"ots table scan 1");
