//! `ots search`: rows that a query finds in an index, as JSON lines.

use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::Path;

use ots_core::request::{Columns, DescribeSearchIndex, Search as SearchRequest, send};
use ots_core::{Call, ErrorCode, Query};
use ots_paging::{PageTokens, SearchExt as _};
use ots_proto::operation;
use ots_proto::search::{FieldSort, SortOrder, Sorter};

use super::export::{check_query, field_names, read_query};
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
    let mut search = SearchRequest::new(&table, &index, query.clone());
    if let Some(columns) = columns {
        search = search.columns(Columns::Specified(columns));
    }
    search = match (sort.clone(), reverse) {
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
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                let asked = (&*table, &*index, sort.as_deref());
                let query = query_json.as_deref().zip(Some(&query));
                explain(&counted, &error, asked, query).await?;
                return Err(of_paging(&doing, printed, error));
            }
        };
        let Some(page) = page else { break };
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

/// Fails with the field that the index doesn't have, where that is why a search was refused: the service's
/// own words name neither what asked for it nor the fields there are.
async fn explain<C: Call<operation::DescribeSearchIndex>>(
    client: &C,
    error: &ots_paging::Error,
    (table, index, sort): (&str, &str, Option<&str>),
    query: Option<(&Path, &Query)>,
) -> Result<(), Failure> {
    let code = error.as_call().and_then(ots_core::Error::code);
    if code != Some(&ErrorCode::ParameterInvalid) {
        return Ok(());
    }
    let described = send(client, DescribeSearchIndex::new(table, index)).await;
    let schema = described.ok().and_then(|reply| reply.into_inner().schema);
    let Some(schema) = schema.and_then(|schema| schema.to_message().ok()) else {
        // The first failure says more than this one.
        return Ok(());
    };
    if let Some((path, query)) = query {
        check_query(path, query, (table, index), &schema)?;
    }
    let fields = field_names(&schema);
    match sort.filter(|field| !fields.iter().any(|known| known == field)) {
        Some(field) => {
            let doing = format!("--sort {field} can't be used");
            let problem = format!("index {index:?} of table {table:?} has no field {field:?}");
            let failure = Failure::new(Exit::Usage, doing).because(problem);
            Err(failure.advise(format!("its fields are {}", fields.join(", "))))
        }
        None => Ok(()),
    }
}

/// The service's limit where columns come from the table.
const MAX_PAGE_ROWS: u32 = 100;
