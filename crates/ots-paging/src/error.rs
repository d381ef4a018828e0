//! What can stop a range, and where it stopped.

use std::error::Error as StdError;
use std::fmt;

use ots_core::ErrorCode;
use ots_proto::{PrimaryKey, plainbuffer};

/// Why reading a range stopped.
///
/// Branch on [`kind`](Self::kind), [`code`](Self::code) and [`is_retryable`](Self::is_retryable), never
/// on the text. The text tells the table, the page and the rows read so far; the cause, where there
/// is one, is in [`source`](StdError::source). Keys are data: they are in
/// [`stopped_at`](Self::stopped_at), not in the text.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    place: Option<Place>,
    /// Outside of ranges.
    asked: Option<Asked>,
    rows: Option<u64>,
    source: Option<Source>,
}

/// Where in a range it happened.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) table: String,
    /// Counted from one.
    pub(crate) page: u64,
    /// Where that page starts.
    pub(crate) start: PrimaryKey,
}

/// What a search, or a reader of one row, asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) table: String,
    /// The beginning of the message.
    pub(crate) text: String,
}

#[derive(Debug)]
enum Source {
    Call(ots_core::Error),
    Buffer(plainbuffer::Error),
}

/// What stopped the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong, or its call failed: see [`Error::as_call`].
    Call,
    /// The rows of a page can't be decoded: see [`Error::as_plain_buffer`].
    Rows,
    /// The next key isn't past the start of the page just read: its rows would come again, or nothing for
    /// ever, where a hundred such pages without rows came in a row. So with the token of a search.
    NotAdvancing,
    /// The key to go on from doesn't have the key columns of the range.
    NextKey,
    /// The page ends inside a row and doesn't say inside which; or the request was to begin inside
    /// one, without the parts that came before.
    WideRow,
    /// A row that came in parts is larger than allowed.
    RowTooLarge,
    /// A page was handed to a cursor that wanted none.
    NotAsked,
    /// These bytes are no resume point, or a damaged one.
    ResumePointDamaged,
    /// The resume point was made by a version of this library that this one doesn't know.
    ResumePointVersion,
    /// The resume point belongs to another range: another table, direction, end, filter, or other
    /// columns or versions; or it lies before the start.
    ResumePointOfOtherRange,
    /// These bytes are no anchors, or damaged ones, or of a version that this one doesn't know.
    AnchorsDamaged,
    /// The anchors belong to another range, or one that starts elsewhere.
    AnchorsOfOtherRange,
    /// The text is no page token of this kind, was changed, or was made with another secret.
    PageToken,
    /// The resume point belongs to another search: another table, index, query, order, or other columns.
    ResumePointOfOtherSearch,
    /// A search may have more rows, but the service gave no token to them and the window for offsets
    /// ends here: an index with NESTED fields gives tokens only to a search with a sort.
    SearchToken,
    /// A search that collapses rows has no pages beyond the window for offsets.
    SearchWindow,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            place: None,
            asked: None,
            rows: None,
            source: None,
        }))
    }

    pub(crate) fn call(error: ots_core::Error) -> Self {
        let mut this = Self::new(ErrorKind::Call);
        this.0.source = Some(Source::Call(error));
        this
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    pub(crate) fn asked(mut self, asked: Asked) -> Self {
        self.0.asked = Some(asked);
        self
    }

    pub(crate) fn after_rows(mut self, rows: u64) -> Self {
        self.0.rows = Some(rows);
        self
    }

    /// What stopped the range.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The table, if the request got as far as having one.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        let place = self.0.place.as_ref().map(|place| place.table.as_str());
        place.or_else(|| self.0.asked.as_ref().map(|asked| asked.table.as_str()))
    }

    /// The page of a range that failed, counted from one.
    #[must_use]
    pub fn page(&self) -> Option<u64> {
        self.0.place.as_ref().map(|place| place.page)
    }

    /// The start of the page of a range that failed: every row before it was delivered.
    #[must_use]
    pub fn stopped_at(&self) -> Option<&PrimaryKey> {
        self.0.place.as_ref().map(|place| &place.start)
    }

    /// Rows delivered before it, where rows were delivered one by one.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.0.rows
    }

    /// The failure of the call.
    #[must_use]
    pub fn as_call(&self) -> Option<&ots_core::Error> {
        if let Some(Source::Call(error)) = &self.0.source {
            Some(error)
        } else {
            None
        }
    }

    /// What is wrong with the rows: which row of the page, at which byte.
    #[must_use]
    pub fn as_plain_buffer(&self) -> Option<&plainbuffer::Error> {
        if let Some(Source::Buffer(error)) = &self.0.source {
            Some(error)
        } else {
            None
        }
    }

    /// The service's code, if the service refused a call.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.as_call()?.code()
    }

    /// Whether resuming from where it stopped may succeed later. The client has already retried what
    /// it may.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.as_call().is_some_and(ots_core::Error::is_retryable)
    }
}

impl From<plainbuffer::Error> for Error {
    fn from(error: plainbuffer::Error) -> Self {
        let mut this = Self::new(ErrorKind::Rows);
        this.0.source = Some(Source::Buffer(error));
        this
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.0.source.as_ref()? {
            Source::Call(error) => Some(error),
            Source::Buffer(error) => Some(error),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The start of the page is left out: it is data, and errors end up in logs.
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("table", &self.table())
            .field("page", &self.page())
            .field("rows", &self.0.rows)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { table, page, .. }) = &self.0.place {
            write!(f, "GetRange on table {table:?}, page {page}")?;
        } else if let Some(Asked { text, .. }) = &self.0.asked {
            f.write_str(text)?;
        } else {
            return self.0.kind.fmt(f);
        }
        match self.0.rows {
            Some(1) => f.write_str(", after 1 row")?,
            Some(rows) => write!(f, ", after {rows} rows")?,
            None => {}
        }
        f.write_str(": ")?;
        self.0.kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "the call failed",
            Self::Rows => "the rows of a page can't be decoded",
            Self::NotAdvancing => {
                "the service says to go on at or before the place where the page began; reading on would \
                 repeat rows or never end"
            }
            Self::NextKey => "the key to go on from doesn't have the key columns of the range",
            Self::WideRow => {
                "a range can't begin inside a row, nor go on inside one that the service doesn't name"
            }
            Self::RowTooLarge => {
                "a row is larger than allowed; allow more with row_bytes, ask for fewer columns, or \
                 read it in parts with row_parts or ColumnPager"
            }
            Self::NotAsked => "a page was handed to a cursor that wanted none",
            Self::ResumePointDamaged => "these bytes are no resume point, or a damaged one",
            Self::ResumePointVersion => {
                "the resume point was made by a version of this library that this one doesn't know"
            }
            Self::ResumePointOfOtherRange => "the resume point belongs to another range",
            Self::AnchorsDamaged => "these bytes are no anchors that this version of the library wrote",
            Self::PageToken => {
                "this is no page token of this list, or it was changed on the way, or another secret \
                 made it"
            }
            Self::ResumePointOfOtherSearch => "the resume point belongs to another search",
            Self::SearchToken => {
                "there may be more rows, but the service gave no token to them; an index with NESTED \
                 fields does so only for a search with a sort: add one, such as by primary key"
            }
            Self::SearchWindow => {
                "a search that collapses rows pages by offset alone, and the window for offsets ends \
                 here; raise it with window if the service allows more"
            }
            Self::AnchorsOfOtherRange => "the anchors belong to another range, or to another start",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        let start = PrimaryKey::new().column("phone", "139");
        Place {
            table: "orders".to_owned(),
            page: 4,
            start,
        }
    }

    #[test]
    fn a_message_says_table_page_and_rows_and_leaves_the_cause_to_source() {
        let error = Error::call(ots_core::Error::request("no"))
            .at(place())
            .after_rows(2_000);
        let text = error.to_string();
        assert_eq!(
            text,
            "GetRange on table \"orders\", page 4, after 2000 rows: the call failed"
        );
        assert_eq!(error.source().unwrap().to_string(), "no");
        assert!(!error.is_retryable());
        let error = Error::new(ErrorKind::NextKey).at(place()).after_rows(1);
        assert!(
            error
                .to_string()
                .starts_with("GetRange on table \"orders\", page 4, after 1 row: ")
        );
        let error = Error::new(ErrorKind::ResumePointOfOtherRange).after_rows(0);
        assert_eq!(
            error.to_string(),
            "the resume point belongs to another range"
        );
        let asked = Asked {
            table: "orders".to_owned(),
            text: "GetRow on table \"orders\"".to_owned(),
        };
        let error = Error::new(ErrorKind::Call).asked(asked).after_rows(7);
        assert_eq!(
            error.to_string(),
            "GetRow on table \"orders\", after 7 rows: the call failed"
        );
        assert_eq!(error.table(), Some("orders"));
    }

    #[test]
    fn keys_stay_out_of_text_and_debug() {
        let error = Error::new(ErrorKind::NotAdvancing).at(place());
        assert!(!error.to_string().contains("139"));
        assert!(!format!("{error:?}").contains("139"));
        assert_eq!(error.stopped_at(), Some(&place().start));
    }
}
