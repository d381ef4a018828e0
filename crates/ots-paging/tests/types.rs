//! What programs do with the types: keep them in their own, send them between threads, print them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::fmt::Debug;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use ots_core::request::{GetRow, Search};
use ots_core::{Call, Error, Query, Reply};
use ots_paging::testing::FakeTable;
use ots_paging::{ColumnPager, PagePlace, RangeExt as _, SearchExt as _};
use ots_proto::messages::{
    GetRangeRequest, GetRangeResponse, GetRowRequest, GetRowResponse, SearchRequest, SearchResponse,
};
use ots_proto::{PrimaryKey, Row, operation};

use support::whole_range;

/// A call that can't be printed.
struct Plain(FakeTable);

impl Call<operation::GetRange> for Plain {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        Call::<operation::GetRange>::call(&self.0, request).await
    }
}

impl Call<operation::GetRow> for Plain {
    async fn call(&self, request: GetRowRequest) -> Result<Reply<GetRowResponse>, Error> {
        Call::<operation::GetRow>::call(&self.0, request).await
    }
}

impl Call<operation::Search> for Plain {
    async fn call(&self, _: SearchRequest) -> Result<Reply<SearchResponse>, Error> {
        Err(Error::request("the index of \"orders\" is not there"))
    }
}

fn call() -> Arc<Plain> {
    let key = PrimaryKey::new().column("city", "139").column("id", 1);
    Arc::new(Plain(FakeTable::new([Row::new(key)])))
}

fn kept<T: Debug + Send + 'static>(value: T) -> T {
    value
}

fn sent<T: Send>(future: T) -> T {
    future
}

const ROWS: NonZeroU32 = NonZeroU32::MIN;

fn search() -> Search {
    Search::new("orders", "by_phone", Query::term("phone", "139"))
}

#[test]
fn all_that_goes_through_pages_can_be_kept_sent_and_printed() {
    let key = PrimaryKey::new().column("city", "139").column("id", 1);
    let _ = kept(whole_range().rows(call()));
    let _ = kept(whole_range().pages(call()));
    let _ = kept(whole_range().row_parts(call()));
    let mut offset = kept(whole_range().offset_pages(call(), 3, ROWS));
    let mut search_pages = kept(search().pager(call(), ROWS).unwrap());
    let _ = kept(search().search_rows(call()).unwrap());
    let mut columns = kept(ColumnPager::new(GetRow::new("orders", key), call()).unwrap());
    drop(sent(offset.next_page()));
    drop(sent(offset.previous_page()));
    drop(sent(search_pages.next_page()));
    drop(sent(columns.next_page()));

    let place = PagePlace::From(whole_range().cursor().unwrap().resume_point());
    drop(sent(whole_range().first_page(call(), ROWS)));
    drop(sent(whole_range().last_page(call(), ROWS)));
    drop(sent(whole_range().page_at(call(), &place, ROWS)));
    drop(sent(whole_range().first_row(call())));
    drop(sent(whole_range().last_row(call())));
    drop(sent(whole_range().count_rows(call())));
    drop(sent(whole_range().count_rows_by_parts(
        call(),
        [],
        NonZeroUsize::MIN,
    )));

    // What is searched for, and which row is read, is data.
    for text in [format!("{search_pages:?}"), format!("{columns:?}")] {
        assert!(text.contains("orders") && !text.contains("139"), "{text}");
    }
}

#[test]
fn an_error_of_a_search_says_of_which() {
    let mut pages = search().pager(call(), ROWS).unwrap();
    pages.seek(40);
    for _ in 0..2 {
        let error = futures::executor::block_on(pages.next_page()).unwrap_err();
        let text = "Search on table \"orders\", index \"by_phone\", from row 40: the call failed";
        assert_eq!(error.to_string(), text);
        assert_eq!((error.table(), error.page()), (Some("orders"), None));
    }
    let mut rows = search().search_rows(call()).unwrap();
    let error = futures::executor::block_on(rows.next())
        .unwrap()
        .unwrap_err();
    let text =
        "Search on table \"orders\", index \"by_phone\", from row 0, after 0 rows: the call failed";
    assert_eq!(error.to_string(), text);
}
