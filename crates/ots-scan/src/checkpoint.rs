//! Where the splits of a session stand, as bytes.

use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::error::{ScanError, ScanErrorKind};
use crate::framing::{Content, Frame, put};
use crate::plan::Position;
use crate::session::ScanSession;
use crate::split::Split;

/// Where a scan stands: its session, and how far each of its splits was handed over.
///
/// It can be kept as [bytes](Self::to_bytes), and [resumed](crate::ScanBuilder::resume) by any
/// process with the same credentials, query and columns, while the session lives. Taken
/// [apart](Self::into_splits) it is the splits of a session to be handed to others:
///
/// ```
/// # async fn example<C>(scan: ots_scan::ScanBuilder<C>) -> Result<(), ots_scan::ScanError>
/// # where C: ots_core::Call<ots_proto::operation::ComputeSplits>
/// #     + ots_core::Call<ots_proto::operation::ParallelScan> + 'static {
/// use ots_scan::Checkpoint;
///
/// let mut descriptors = Vec::new();
/// for split in scan.splits().await? {
///     descriptors.extend(split.checkpoint().map(|split| split.to_bytes()));
/// }
/// // Elsewhere, with the same table, index, query and columns:
/// let split = Checkpoint::from_bytes(&descriptors[0])?;
/// let pages = scan.resume(&split)?;
/// # Ok(())
/// # }
/// ```
///
/// Whoever has it and a key of the account can read on in the session: it has no place in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    session: Bytes,
    splits_size: NonZeroU32,
    /// Of table, index, query and columns.
    fingerprint: u64,
    /// In whole milliseconds.
    expires_at: SystemTime,
    splits: Vec<(Split, Position)>,
}

impl Checkpoint {
    pub(crate) fn new(
        session: &ScanSession,
        fingerprint: u64,
        expires_at: SystemTime,
        splits: Vec<(Split, Position)>,
    ) -> Self {
        Self {
            session: session.id().clone(),
            splits_size: session.splits_size(),
            fingerprint,
            expires_at: of_milliseconds(milliseconds(expires_at)).unwrap_or(UNIX_EPOCH),
            splits,
        }
    }

    /// The splits that it is about, with what is still to be read of each.
    pub fn positions(&self) -> impl Iterator<Item = (Split, Position)> {
        self.splits.iter().cloned()
    }

    /// Whether nothing is left to be read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let mut splits = self.splits.iter();
        splits.all(|(_, position)| *position == Position::Done)
    }

    /// When the session may be gone, if nobody asks anything in it until then: an alive time after the
    /// last request that the scan had sent. By the clock of the computer that took the checkpoint.
    #[must_use]
    pub const fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// A checkpoint for each of its splits.
    pub fn into_splits(self) -> impl Iterator<Item = Self> {
        let splits = self.splits.clone().into_iter();
        splits.map(move |split| Self {
            splits: vec![split],
            ..self.clone()
        })
    }

    /// Whether it can be resumed by the scan with this fingerprint.
    pub(crate) fn check(&self, fingerprint: u64, now: SystemTime) -> Result<(), ScanError> {
        if self.fingerprint != fingerprint {
            return Err(ScanError::new(ScanErrorKind::CheckpointOfOtherScan));
        }
        match now.duration_since(self.expires_at) {
            Ok(ago) if !self.is_done() => {
                Err(ScanError::new(ScanErrorKind::CheckpointExpired { ago }))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn session(&self, table: &str, index: &str) -> ScanSession {
        ScanSession::known(table, index, self.session.clone(), self.splits_size)
    }

    /// As bytes: a version, the content, a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FRAME.begin();
        bytes.extend(self.fingerprint.to_le_bytes());
        bytes.extend(milliseconds(self.expires_at).to_le_bytes());
        bytes.extend(self.splits_size.get().to_le_bytes());
        put(&mut bytes, &self.session);
        for (split, position) in &self.splits {
            bytes.extend(split.id().to_le_bytes());
            bytes.extend(split.of().to_le_bytes());
            match position {
                Position::Start => bytes.push(0),
                Position::At(token) => {
                    bytes.push(1);
                    put(&mut bytes, token);
                }
                Position::Done => bytes.push(2),
            }
        }
        FRAME.seal(bytes)
    }

    /// The checkpoint that was written so.
    ///
    /// # Errors
    /// [`ScanErrorKind::Checkpoint`] when the bytes are of something else, of another version, or
    /// were changed; and when no scan can stand so, whoever wrote them: without a session or a split,
    /// with splits that aren't different ones of one division, or that the session doesn't allow, or at
    /// an empty token, which would be a split's beginning or its end.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ScanError> {
        let refused = |problem| ScanError::new(ScanErrorKind::Checkpoint(problem));
        let content = FRAME.open(bytes).map_err(refused)?;
        let read = read(content).ok_or("its content doesn't fit");
        read.and_then(Self::checked).map_err(refused)
    }

    /// The same, if a scan can stand so.
    fn checked(self) -> Result<Self, &'static str> {
        let mut before: Option<Split> = None;
        if self.session.is_empty() || self.splits.is_empty() {
            return Err("it is of no session, or of no split");
        }
        for (split, position) in &self.splits {
            if matches!(position, Position::At(token) if token.is_empty()) {
                return Err("the token of a split is empty");
            }
            if split.of() > self.splits_size.get() {
                return Err("a split is of more than its session allows");
            }
            // They are written by id.
            if before.is_some_and(|it| it.of() != split.of() || it.id() >= split.id()) {
                return Err("its splits aren't different ones of one division");
            }
            before = Some(*split);
        }
        Ok(self)
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("splits", &self.splits)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Nothing but what [`Checkpoint::to_bytes`] writes.
fn read(mut content: Content<'_>) -> Option<Checkpoint> {
    let fingerprint = u64::from_le_bytes(content.take()?);
    let expires_at = of_milliseconds(u64::from_le_bytes(content.take()?))?;
    let splits_size = NonZeroU32::new(content.number()?)?;
    let session = Bytes::copy_from_slice(content.part()?);
    let mut splits = Vec::new();
    while !content.is_empty() {
        let split = Split::new(content.number()?, content.number()?)?;
        let position = match content.take()? {
            [0] => Position::Start,
            [1] => Position::At(Bytes::copy_from_slice(content.part()?)),
            [2] => Position::Done,
            _ => return None,
        };
        splits.push((split, position));
    }
    Some(Checkpoint {
        session,
        splits_size,
        fingerprint,
        expires_at,
        splits,
    })
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn of_milliseconds(since: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(since))
}

const FRAME: Frame = Frame::new(b"ots scan 1");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checkpoint(positions: &[Position]) -> Checkpoint {
        let of = u32::try_from(positions.len()).unwrap();
        let splits = (0..of).filter_map(|id| Split::new(id, of));
        in_session(b"a session", splits.zip(positions.iter().cloned()))
    }

    fn in_session(
        id: &'static [u8],
        splits: impl IntoIterator<Item = (Split, Position)>,
    ) -> Checkpoint {
        let sixteen = NonZeroU32::new(16).unwrap();
        let session = ScanSession::known("orders", "orders_index", Bytes::from_static(id), sixteen);
        let expires_at = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        Checkpoint::new(&session, 7, expires_at, splits.into_iter().collect())
    }

    fn kind(error: &ScanError) -> &ScanErrorKind {
        error.kind()
    }

    #[test]
    fn it_is_refused_for_another_scan_and_after_its_time() {
        let half = checkpoint(&[Position::Done, Position::At("a".into())]);
        let at = half.expires_at();
        let second = Duration::from_secs(1);
        assert!(half.check(7, at - second).is_ok());
        let other = half.check(8, at - second).unwrap_err();
        assert_eq!(*kind(&other), ScanErrorKind::CheckpointOfOtherScan);
        let late = half.check(7, at + second).unwrap_err();
        assert_eq!(
            *kind(&late),
            ScanErrorKind::CheckpointExpired { ago: second }
        );
        assert_eq!(
            late.to_string(),
            "the session of the checkpoint expired 1 s ago; open the scan again to restart from the \
             beginning"
        );
        // Of one that has nothing left to read the session isn't needed.
        let done = checkpoint(&[Position::Done]);
        assert!(done.is_done() && done.check(7, at + second).is_ok());
    }

    #[test]
    fn it_comes_apart_into_splits() {
        let whole = checkpoint(&[Position::Start, Position::Done, Position::At("a".into())]);
        let splits: Vec<_> = whole.clone().into_splits().collect();
        let positions: Vec<_> = splits.iter().flat_map(Checkpoint::positions).collect();
        assert_eq!(positions, Vec::from_iter(whole.positions()));
        assert!(splits.iter().all(|split| split.positions().count() == 1));
        let debug = format!("{whole:?}");
        assert!(
            !debug.contains("a session") && !debug.contains("b\"a\""),
            "{debug}"
        );
    }

    #[test]
    fn bytes_of_something_else_are_refused() {
        let mut newer = checkpoint(&[Position::Start]).to_bytes();
        newer[FRAME.begin().len() - 1] = b'2';
        for (bytes, problem) in [
            (Vec::new(), "it begins otherwise"),
            (newer, "it was written by another version"),
            (FRAME.begin(), "its checksum doesn't fit"),
        ] {
            let error = Checkpoint::from_bytes(&bytes).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "this is no checkpoint: {problem}; open the scan again to restart from the beginning"
                )
            );
        }
    }

    /// With a checksum that fits: no accident, but a program that is wrong.
    #[test]
    fn where_no_scan_can_stand_is_refused() {
        let split = |id, of| Split::new(id, of).unwrap();
        let at = |id, of| (split(id, of), Position::At("a".into()));
        let no_token = (split(1, 4), Position::At(Bytes::new()));
        let none = "it is of no session, or of no split";
        let division = "its splits aren't different ones of one division";
        for (written, problem) in [
            (in_session(b"", [at(0, 4)]), none),
            (in_session(b"a session", []), none),
            (
                in_session(b"a session", [at(0, 4), no_token]),
                "the token of a split is empty",
            ),
            (
                in_session(b"a session", [at(3, 17)]),
                "a split is of more than its session allows",
            ),
            (in_session(b"a session", [at(0, 4), at(1, 5)]), division),
            (in_session(b"a session", [at(1, 4), at(1, 4)]), division),
            (
                in_session(b"a session", [at(1, 4), (split(1, 4), Position::Done)]),
                division,
            ),
        ] {
            let error = Checkpoint::from_bytes(&written.to_bytes()).unwrap_err();
            assert_eq!(*kind(&error), ScanErrorKind::Checkpoint(problem));
        }
        let splits = [at(0, 16), at(7, 16), (split(15, 16), Position::Done)];
        let written = in_session(b"a session", splits);
        assert_eq!(
            Checkpoint::from_bytes(&written.to_bytes()).unwrap(),
            written
        );
    }

    #[test]
    fn a_split_that_does_not_exist_is_refused() {
        let written = checkpoint(&[Position::Start]).to_bytes();
        // Behind the split come what it is one of, its position, and the checksum.
        let split = written.len() - (4 + 4 + 1 + 8);
        for (id, of) in [(0_u32, 0_u32), (1, 1), (16, 16), (u32::MAX, u32::MAX)] {
            let mut bytes = written[..split].to_vec();
            bytes.extend([id.to_le_bytes(), of.to_le_bytes()].concat());
            bytes.push(0);
            let error = Checkpoint::from_bytes(&FRAME.seal(bytes)).unwrap_err();
            let problem = ScanErrorKind::Checkpoint("its content doesn't fit");
            assert_eq!(*error.kind(), problem);
        }
    }

    #[test]
    fn any_other_byte_anywhere_is_noticed() {
        let positions = [Position::Start, Position::At("a".into()), Position::Done];
        let bytes = checkpoint(&positions).to_bytes();
        for at in 0..bytes.len() {
            for change in 1..=u8::MAX {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                assert!(
                    Checkpoint::from_bytes(&damaged).is_err(),
                    "byte {at}, {change}"
                );
            }
        }
    }

    fn position() -> impl Strategy<Value = Position> {
        let token = proptest::collection::vec(any::<u8>(), 1..20);
        prop_oneof![
            Just(Position::Start),
            token.prop_map(|token| Position::At(token.into())),
            Just(Position::Done),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_damage_is_noticed(
            positions in proptest::collection::vec(position(), 1..=16),
            at in any::<proptest::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let written = checkpoint(&positions);
            let mut bytes = written.to_bytes();
            prop_assert_eq!(&Checkpoint::from_bytes(&bytes).unwrap(), &written);
            let at = at.index(bytes.len());
            prop_assert!(Checkpoint::from_bytes(&bytes[..at]).is_err());
            bytes[at] ^= 1 << bit;
            prop_assert!(Checkpoint::from_bytes(&bytes).is_err());
        }

        /// With a checksum that fits, whatever the content.
        #[test]
        fn any_content_is_read_or_refused(content in proptest::collection::vec(any::<u8>(), 0..90)) {
            let bytes = FRAME.seal([FRAME.begin(), content].concat());
            if let Ok(read) = Checkpoint::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }

        /// Whatever numbers it has: those that are read can be resumed.
        #[test]
        fn splits_of_any_numbers_are_read_only_as_a_division(
            splits in proptest::collection::vec((0_u32..20, 1_u32..20, position()), 0..5),
            empty in any::<bool>(),
        ) {
            let splits = splits.into_iter().filter_map(|(id, of, at)| Some((Split::new(id, of)?, at)));
            let mut splits: Vec<_> = splits.collect();
            if let (true, Some((_, last))) = (empty, splits.last_mut()) {
                *last = Position::At(Bytes::new());
            }
            let written = in_session(b"a session", splits.clone());
            let ids: std::collections::BTreeSet<_> = splits.iter().map(|(it, _)| it.id()).collect();
            let is_division = ids.into_iter().eq(splits.iter().map(|(it, _)| it.id()))
                && splits.iter().all(|(it, _)| it.of() == splits[0].0.of() && it.of() <= 16)
                && splits.iter().all(|(_, at)| *at != Position::At(Bytes::new()))
                && !splits.is_empty();
            match Checkpoint::from_bytes(&written.to_bytes()) {
                Ok(read) => prop_assert!(is_division && read == written),
                Err(_) => prop_assert!(!is_division),
            }
        }
    }
}
