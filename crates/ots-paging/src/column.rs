//! The columns of one row, page after page.

use std::fmt;
use std::num::NonZeroU32;

use ots_core::request::{Consumed, GetRow, Request as _};
use ots_core::{Call, Error as CallError};
use ots_proto::filter::{ColumnPagination, FilterError, ReadFilter};
use ots_proto::messages::GetRowRequest;
use ots_proto::{Cell, PrimaryKey, operation};

use crate::error::{Asked, Error, ErrorKind};

/// Reads a row of any width a part at a time: no more of it lies in memory than one answer.
///
/// Columns come by name, all versions of a column that were asked for next to each other; but where
/// an answer is full, the versions of one column may be spread over two pages.
///
/// ```
/// use ots_core::request::GetRow;
/// use ots_paging::ColumnPager;
/// use ots_proto::PrimaryKey;
///
/// # async fn example(client: ots_core::Client) -> Result<(), ots_paging::Error> {
/// let request = GetRow::new("readings", PrimaryKey::new().column("sensor", 7));
/// let mut pages = ColumnPager::new(request, &client)?.page_columns(500.try_into().unwrap())?;
/// while let Some(page) = pages.next_page().await? {
///     println!("{} cells", page.cells.len());
/// }
/// # Ok(())
/// # }
/// ```
///
/// To go on in another process, keep the name of the last column and begin there, with
/// [`column_range`](GetRow::column_range): that column comes again, which makes up for versions of it that
/// were still to come.
///
/// # Errors
/// [`ErrorKind::Call`] when the request is wrong or a call fails, and [`ErrorKind::NotAdvancing`] when
/// the service answers the same for ever. After an error the pager is where it was: the next call asks
/// again.
///
/// # Cost
/// One request a page. With [`page_columns`](Self::page_columns), each page but the first reads one
/// column again, so that none is missed when that column is deleted meanwhile.
#[must_use]
pub struct ColumnPager<C> {
    call: C,
    message: GetRowRequest,
    page_columns: Option<u32>,
    /// The column that the request starts at because it was the last of the page before.
    repeated: Option<String>,
    /// Columns that answers to the same request have had.
    seen: u32,
    last: Option<String>,
    consumed: Consumed,
    began: bool,
    finished: bool,
}

/// Some columns of a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ColumnPage {
    /// The key of the row.
    pub primary_key: PrimaryKey,
    /// The cells, by name; it may be none.
    pub cells: Vec<Cell>,
    /// What the page cost.
    pub consumed: Consumed,
}

impl<C: Call<operation::GetRow>> ColumnPager<C> {
    /// The columns of the row that `request` reads, as many in a page as fit in an answer.
    ///
    /// # Errors
    /// [`ErrorKind::Call`] when the request is wrong in a way that needs no service to tell.
    pub fn new(request: GetRow, call: C) -> Result<Self, Error> {
        Ok(Self {
            call,
            message: request.into_message().map_err(Error::call)?,
            page_columns: None,
            repeated: None,
            seen: 0,
            last: None,
            consumed: Consumed::default(),
            began: false,
            finished: false,
        })
    }

    /// So many columns in a page at most; one more where a column was deleted between two pages.
    ///
    /// # Errors
    /// [`ErrorKind::Call`] when the request has a filter, which the service takes in place of such a
    /// limit.
    pub fn page_columns(mut self, columns: NonZeroU32) -> Result<Self, Error> {
        if self.message.filter.is_some() {
            let problem = "a page of columns is a filter to the service, which takes only one";
            return Err(Error::call(CallError::request(problem)));
        }
        self.page_columns = Some(columns.get());
        Ok(self)
    }

    /// What the pages so far cost.
    #[must_use]
    pub const fn consumed(&self) -> Consumed {
        self.consumed
    }

    /// The next columns; none at the end, and none at all when there is no such row.
    ///
    /// # Errors
    /// See [`ColumnPager`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next one asks again.
    pub async fn next_page(&mut self) -> Result<Option<ColumnPage>, Error> {
        if self.finished {
            return Ok(None);
        }
        let outcome = self.read_page().await;
        outcome.map_err(|error| {
            let table = self.message.table_name.clone();
            let text = format!("GetRow on table {table:?}");
            error.asked(Asked { table, text })
        })
    }

    async fn read_page(&mut self) -> Result<Option<ColumnPage>, Error> {
        let before = self.consumed;
        while !self.finished {
            let reply = self.call.call(self.message()?).await.map_err(Error::call)?;
            let reply = GetRow::read(reply).map_err(Error::call)?;
            self.consumed += reply.consumed;
            let token = reply.next_token;
            if token.is_some() && token == self.message.token {
                return Err(Error::new(ErrorKind::NotAdvancing));
            }
            let Some(mut row) = reply.row else {
                self.finished = token.is_none();
                self.message.token = token;
                continue;
            };
            for cell in &row.cells {
                if self.last.as_deref() != Some(cell.name.as_str()) {
                    self.last = Some(cell.name.to_string());
                    self.seen += 1;
                }
            }
            if let Some(repeated) = &self.repeated {
                row.cells.retain(|cell| cell.name != repeated.as_str());
            }
            self.step(token);
            // A row may have no columns, but that was told by the first page.
            if row.cells.is_empty() && self.began {
                continue;
            }
            self.began = true;
            let mut consumed = self.consumed;
            consumed.read = consumed.read.saturating_sub(before.read);
            consumed.write = consumed.write.saturating_sub(before.write);
            return Ok(Some(ColumnPage {
                primary_key: row.primary_key,
                cells: row.cells,
                consumed,
            }));
        }
        Ok(None)
    }

    /// What to ask next.
    fn message(&self) -> Result<GetRowRequest, Error> {
        let mut message = self.message.clone();
        if let Some(columns) = self.asked() {
            let filter = ReadFilter::from(ColumnPagination::new(0, columns)).encode();
            let refused = |error: FilterError| Error::call(CallError::request(error.to_string()));
            message.filter = Some(filter.map_err(refused)?);
        }
        Ok(message)
    }

    /// Columns to ask for: one more than wanted when the first came before.
    fn asked(&self) -> Option<u32> {
        let columns = self.page_columns?;
        Some(columns.saturating_add(u32::from(self.repeated.is_some())))
    }

    /// Prepares the next request: the rest of the answer, else the columns behind the last one.
    fn step(&mut self, token: Option<bytes::Bytes>) {
        self.message.token = token;
        if self.message.token.is_some() {
            return;
        }
        match (self.asked(), self.last.clone()) {
            (Some(asked), Some(last)) if self.seen >= asked => {
                self.message.start_column = Some(last.clone());
                self.repeated = Some(last);
                self.seen = 0;
                // Counted again when it comes again.
                self.last = None;
            }
            _ => self.finished = true,
        }
    }
}

impl<C> fmt::Debug for ColumnPager<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys are data.
        f.debug_struct("ColumnPager")
            .field("table", &self.message.table_name)
            .field("page_columns", &self.page_columns)
            .field("last", &self.last)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}
