//! What a search finds: pages by number, and how many there are.

use std::num::NonZeroU32;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::response::Redirect;
use axum::response::{IntoResponse as _, Response};
use ots_core::Query;
use ots_core::request::Search;
use ots_paging::SearchExt as _;
use ots_proto::search::{FieldSort, Sort};

use crate::airports::{Airport, INDEX, TABLE};
use crate::html::Listing;
use crate::{App, MOST_FOUND_ROWS, Problem, rows_before, url};

#[derive(serde::Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default = "crate::rows_of_a_page")]
    rows: NonZeroU32,
    /// Counted from one, as people do.
    #[serde(default = "first")]
    number: NonZeroU32,
}

const fn first() -> NonZeroU32 {
    NonZeroU32::MIN
}

pub(crate) async fn show(
    State(app): State<App>,
    asked: Result<Parameters<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Parameters(Asked { q, rows, number }) = asked?;
    let rows = rows.min(MOST_FOUND_ROWS);
    if q.is_empty() {
        return Ok(Redirect::to("/").into_response());
    }
    let query = Query::match_text("name", &q)
        .or(Query::match_text("city", &q))
        .or(Query::term("state", q.to_uppercase()));
    let search = Search::new(TABLE, INDEX, query)
        .sort(Sort::by(FieldSort::asc("iata")))
        .count_all();
    let mut pages = search.pager(&app.client, rows)?;
    pages.seek(rows_before(number, rows)?);

    let page = pages.next_page().await?;
    let mut airports = Vec::new();
    if let Some(page) = &page {
        let mut reader = page.reply.row_refs();
        while let Some(row) = reader.next_row()? {
            airports.push(row.parse::<Airport>()?);
        }
    }
    let total = pages.total().unwrap_or_default();
    let total_pages = pages.total_pages().unwrap_or_default();
    let to = |number: u32| {
        let number = number.to_string();
        url(
            "/search",
            &[("q", &q), ("rows", &rows.to_string()), ("number", &number)],
        )
    };
    Ok(Listing {
        title: format!("Airports: {q}"),
        summary: format!("Page {number} of {total_pages}, {total} airports"),
        previous: (number.get() > 1).then(|| to(number.get() - 1)),
        next: (u64::from(number.get()) < total_pages).then(|| to(number.get() + 1)),
        text: q,
        rows,
        airports,
    }
    .into_response())
}
