//! The short roads from a search to its rows.

use std::num::NonZeroU32;

use ots_core::Call;
use ots_core::request::{Request as _, Search};
use ots_proto::messages::ColumnReturnType;
use ots_proto::operation;
use ots_proto::search::SearchQuery;

use super::{SearchPager, SearchRows, unpaged};
use crate::error::Error;

/// The road from a search to all its pages.
pub trait SearchExt: sealed::Sealed {
    /// A pager before the first page: the search's own offset is where it begins, its limit is replaced
    /// by `page_rows`. The service takes 100 rows a page at most, or 1,000 where
    /// [all columns asked for](ots_core::request::Search::columns) come from the index.
    ///
    /// # Errors
    /// [`ErrorKind::Call`](crate::ErrorKind::Call) when the search is wrong in a way that needs no service
    /// to tell.
    fn pager<C: Call<operation::Search>>(
        self,
        call: C,
        page_rows: NonZeroU32,
    ) -> Result<SearchPager<C>, Error>;

    /// All rows that match, one after another. The search's limit is the size of its pages. Without one it
    /// is the most that the service surely gives at once: 1,000 rows with
    /// [the key alone or all columns of the index](ots_core::request::Columns), else 100.
    ///
    /// # Errors
    /// As [`pager`](Self::pager).
    fn search_rows<'c, C: Call<operation::Search> + 'c>(
        self,
        call: C,
    ) -> Result<SearchRows<'c, C>, Error>;
}

impl SearchExt for Search {
    fn pager<C: Call<operation::Search>>(
        self,
        call: C,
        page_rows: NonZeroU32,
    ) -> Result<SearchPager<C>, Error> {
        SearchPager::new(self, call, page_rows)
    }

    fn search_rows<'c, C: Call<operation::Search> + 'c>(
        self,
        call: C,
    ) -> Result<SearchRows<'c, C>, Error> {
        let message = self.clone().into_message().map_err(Error::call)?;
        let bytes = message.search_query.unwrap_or_default();
        let query = SearchQuery::from_bytes(&bytes).map_err(|error| unpaged(&error))?;
        let columns = message.columns_to_get.unwrap_or_default();
        let most = match columns.return_type() {
            ColumnReturnType::None | ColumnReturnType::AllFromIndex => INDEX_PAGE_ROWS,
            ColumnReturnType::All | ColumnReturnType::Specified => TABLE_PAGE_ROWS,
        };
        let limit = query.limit.and_then(NonZeroU32::new).unwrap_or(most);
        Ok(SearchRows::new(self.pager(call, limit)?))
    }
}

/// The most the service returns at once of rows whose columns may come from the table.
const TABLE_PAGE_ROWS: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

/// The same of rows whose columns surely come from the index.
const INDEX_PAGE_ROWS: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

mod sealed {
    /// Keeps the trait free to grow.
    #[expect(unnameable_types, reason = "nobody else shall implement it")]
    pub trait Sealed {}

    impl Sealed for ots_core::request::Search {}
}
