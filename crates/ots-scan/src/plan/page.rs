//! What a plan is told of pages, and what it says of them.

use std::fmt;

use bytes::Bytes;

use super::split::Reading;
use crate::split::Split;

/// The next page to ask for.
#[must_use = "a split goes no further while its ask is open"]
pub struct Ask {
    pub(super) split: Split,
    pub(super) generation: u32,
    pub(super) page: u64,
    pub(super) token: Option<Bytes>,
}

/// Where a split stood before a page, to go back to when that page turns out to be damaged.
#[derive(Clone, Debug)]
#[must_use]
pub struct Before {
    pub(super) split: Split,
    pub(super) generation: u32,
    pub(super) reading: Reading,
}

/// Between two pages of a split.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Position {
    /// Before the first page.
    Start,
    /// Before the page that begins with this token.
    At(Bytes),
    /// Behind the last page.
    Done,
}

/// What the plan needs to know of a page.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// Rows in the page.
    pub rows: u64,
    /// Size of the page, in bytes.
    pub bytes: u64,
    /// Where the next page begins. Empty means the same as absent.
    pub token: Option<Bytes>,
    /// How often the request was sent.
    pub attempts: u32,
    /// How many of the attempts the service throttled.
    pub throttled: u32,
}

/// A page that is given to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handed {
    /// The split.
    pub split: Split,
    /// Which session of the scan it is of: see [`Ask::generation`].
    pub generation: u32,
    /// Rows that the caller is given.
    pub rows: u64,
    /// Rows of the page that the caller isn't given, because an earlier generation gave them.
    pub suppressed_rows: u64,
    /// Size of the page, in bytes.
    pub bytes: u64,
    /// Where the split goes on behind it.
    pub position: Position,
}

/// How a split goes on.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Next {
    /// With another page.
    Ask(Ask),
    /// Not at all: it was read to its end.
    SplitDone,
}

impl Ask {
    /// The split.
    #[must_use]
    pub const fn split(&self) -> Split {
        self.split
    }

    /// The session it belongs to, from 0.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Which page of the split it is, from 0.
    #[must_use]
    pub const fn page(&self) -> u64 {
        self.page
    }

    /// Where the page begins; absent for the first.
    #[must_use]
    pub const fn token(&self) -> Option<&Bytes> {
        self.token.as_ref()
    }
}

impl Next {
    /// Where the split goes on.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Ask(ask) => ask.token.clone().map_or(Position::Start, Position::At),
            Self::SplitDone => Position::Done,
        }
    }
}

impl Arrival {
    /// A page that came at the first attempt.
    #[must_use]
    pub const fn new(rows: u64, bytes: u64, token: Option<Bytes>) -> Self {
        Self {
            rows,
            bytes,
            token,
            attempts: 1,
            throttled: 0,
        }
    }

    /// The same page after this many attempts, of which the service throttled some.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32, throttled: u32) -> Self {
        self.attempts = attempts;
        self.throttled = throttled;
        self
    }
}

impl Handed {
    /// A page of which the caller is given every row.
    #[must_use]
    pub const fn new(
        split: Split,
        generation: u32,
        rows: u64,
        bytes: u64,
        position: Position,
    ) -> Self {
        Self {
            split,
            generation,
            rows,
            suppressed_rows: 0,
            bytes,
            position,
        }
    }

    /// The same page, of which so many rows fewer are given.
    #[must_use]
    pub const fn suppressing(mut self, rows: u64) -> Self {
        self.rows = self.rows.saturating_sub(rows);
        self.suppressed_rows = rows;
        self
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token, as below.
        f.debug_struct("Ask")
            .field("split", &self.split)
            .field("generation", &self.generation)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("rows", &self.rows)
            .field("bytes", &self.bytes)
            .field("attempts", &self.attempts)
            .field("throttled", &self.throttled)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token, which admits to the data.
        f.write_str(match self {
            Self::Start => "Start",
            Self::At(_) => "At(..)",
            Self::Done => "Done",
        })
    }
}

/// The service leads a split back to where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAdvancing {
    /// The split.
    pub split: Split,
    /// Pages in a row that led back to where the first of them began.
    pub pages: u32,
    /// Whether rows came with them, and then came again.
    pub has_rows: bool,
}

impl std::error::Error for NotAdvancing {}

impl fmt::Display for NotAdvancing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            split,
            pages,
            has_rows,
        } = self;
        let came = if *has_rows {
            "whose rows came again"
        } else {
            "all without rows"
        };
        write!(
            f,
            "{split} was led back to where it was {pages} pages before, {came}"
        )
    }
}
