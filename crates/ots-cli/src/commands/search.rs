//! `ots search`: rows that a query finds in an index, as JSON lines.

use std::io::{self, Write as _};
use std::num::NonZeroU32;

use ots_core::Query;
use ots_core::request::{Columns, Search as SearchRequest};
use ots_paging::{PageTokens, SearchExt as _};
use ots_proto::search::{FieldSort, SortOrder, Sorter};

use super::export::read_query;
use super::range::{end_of_output, of_paging, of_token, stopped, summarize};
use crate::args::Search;
use crate::connect::{Connected, Connection};
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::Of;
use crate::interrupt::Interrupt;
use crate::tally::Counted;
use crate::value_json;

/// Prints the rows, then says on standard error what they took.
pub async fn run(
    connection: &Connection,
    arguments: Search,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let Search {
        table,
        index,
        query_json,
        columns,
        sort,
        reverse,
        offset,
        limit,
        page_size,
        page_token,
        total,
    } = arguments;
    let start = std::time::Instant::now();
    let doing = format!("search in index {index:?} of table {table:?}");
    let query = match &query_json {
        Some(path) => read_query(path)?,
        None => Query::MatchAll,
    };
    let mut search = SearchRequest::new(&table, &index, query);
    if let Some(columns) = columns {
        search = search.columns(Columns::Specified(columns));
    }
    search = match (sort, reverse) {
        (Some(field), false) => search.sort(FieldSort::asc(field)),
        (Some(field), true) => search.sort(FieldSort::desc(field)),
        (None, true) => search.sort(Sorter::primary_key(SortOrder::Desc)),
        (None, false) => search,
    };
    if total {
        search = search.count_all();
    }

    let Connected { client, .. } = connection.connect()?;
    let counted = Counted::new(client);
    let size = page_size.map_or(MAX_PAGE_ROWS, NonZeroU32::get);
    let size = limit.map_or(size, |limit| size.min(u32::try_from(limit).unwrap_or(size)));
    let pager = search.pager(&counted, NonZeroU32::new(size).unwrap_or(NonZeroU32::MIN));
    let mut pages = pager.map_err(|error| of_paging(&doing, 0, error))?;
    let tokens = PageTokens::plain();
    match &page_token {
        Some(token) => {
            let point = tokens.read_search(token);
            let point = point.map_err(|error| of_token(&doing, error))?;
            pages = pages
                .resume(&point)
                .map_err(|error| of_token(&doing, error))?;
            if offset > 0 {
                pages.seek(point.row().saturating_add(offset));
            }
        }
        None => pages.seek(offset),
    }
    if let Some(limit) = limit {
        pages = pages.take_rows(limit);
    }
    let (mut printed, mut first, mut next) = (0, None, None);
    let mut lines = String::new();
    loop {
        let page = tokio::select! {
            page = pages.next_page() => page,
            exit = interrupt.wait() => {
                return Err(Failure::new(exit, doing).stopped(stopped(printed)));
            }
        };
        let Some(page) = page.map_err(|error| of_paging(&doing, printed, error))? else {
            break;
        };
        lines.clear();
        let mut rows = page.reply.row_refs();
        let wrong = |error| {
            let failure = Failure::new(Exit::Mismatch, &*doing);
            failure.stopped(stopped(printed)).because(error)
        };
        let mut count = 0;
        while let Some(row) = rows.next_row().map_err(wrong)? {
            value_json::write_row_ref(&mut lines, row);
            count += 1;
        }
        first.get_or_insert(page.offset);
        let mut output = io::stdout().lock();
        let written = output.write_all(lines.as_bytes());
        if let Err(error) = written.and_then(|()| output.flush()) {
            return end_of_output(&doing, error);
        }
        printed += count;
        next = page.next;
    }
    if total && let Some(rows) = pages.total() {
        let pages = pages.total_pages().unwrap_or_default();
        say(format_args!(
            "{} in all, {}",
            Of(rows, "row"),
            Of(pages, "page")
        ));
    }
    let (limit, consumed) = (limit.unwrap_or_default(), pages.consumed());
    // As many rows before as are printed, however many requests that takes.
    let previous = first.filter(|row| *row > 0).map(|row| {
        pages.seek(row.saturating_sub(limit));
        pages.resume_point()
    });
    for (which, place) in [("previous", previous), ("next", next)] {
        if let Some(place) = place.filter(|_| limit > 0) {
            let token = tokens.write_search(&place);
            say(format_args!("{which} page: --page-token {token}"));
        }
    }
    summarize(printed, start, &counted.tally(), consumed);
    Ok(())
}

/// The service's limit where columns come from the table.
const MAX_PAGE_ROWS: u32 = 100;
