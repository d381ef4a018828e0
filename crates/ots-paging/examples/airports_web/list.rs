//! All airports, in the order of their keys: page after page by tokens, or any page by its number.

use std::num::NonZeroU32;
use std::sync::PoisonError;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use ots_core::request::GetRange;
use ots_paging::{PagePlace, RangeExt as _};
use ots_proto::PrimaryKey;

use crate::airports::{Airport, TABLE};
use crate::html::Listing;
use crate::{App, MOST_ROWS, Problem, rows_before, url};

#[derive(serde::Deserialize)]
pub(crate) struct Asked {
    #[serde(default = "crate::rows_of_a_page")]
    rows: NonZeroU32,
    /// Where the page lies, in a token of ours.
    page: Option<String>,
    /// Or which page it is, counted from one.
    number: Option<NonZeroU32>,
}

pub(crate) async fn show(
    State(app): State<App>,
    asked: Result<Parameters<Asked>, QueryRejection>,
) -> Result<Listing, Problem> {
    let Parameters(Asked { rows, page, number }) = asked?;
    let rows = rows.min(MOST_ROWS);
    match number {
        Some(number) => numbered(&app, number, rows).await,
        None => linked(&app, page.as_deref(), rows).await,
    }
}

fn airports() -> GetRange {
    GetRange::new(TABLE, PrimaryKey::min(["iata"]), PrimaryKey::max(["iata"]))
}

/// The page that a link leads to. It costs the same wherever it lies.
async fn linked(app: &App, token: Option<&str>, rows: NonZeroU32) -> Result<Listing, Problem> {
    let page = match token {
        Some(token) => {
            let place = app.tokens.read_place(token)?;
            airports().page_at(&app.client, &place, rows).await?
        }
        None => airports().first_page(&app.client, rows).await?,
    };
    let link = |place: PagePlace| {
        let token = app.tokens.write_place(&place);
        url("/", &[("rows", &rows.to_string()), ("page", &token)])
    };
    Ok(Listing {
        title: "Airports".to_owned(),
        summary: format!("{} read capacity units", page.consumed.read),
        text: String::new(),
        rows,
        airports: read(&page.rows)?,
        previous: page.previous.map(link),
        next: page.next.map(link),
    })
}

/// The page of this number. The way to it is counted, the first time; later visitors find anchors.
async fn numbered(app: &App, number: NonZeroU32, rows: NonZeroU32) -> Result<Listing, Problem> {
    let offset = rows_before(number, rows)?;
    let mut pages = airports().offset_pages(&app.client, offset, rows);
    let anchors = app
        .anchors
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    if let Some(anchors) = anchors {
        pages = pages.with_anchors(anchors)?;
    }
    let page = pages.next_page().await?.ok_or_else(Problem::no_page)?;
    let mut known = app.anchors.lock().unwrap_or_else(PoisonError::into_inner);
    *known = pages.anchors().cloned();
    drop(known);

    let cost = pages.cost();
    let to = |number: u32| {
        let number = number.to_string();
        url("/", &[("rows", &rows.to_string()), ("number", &number)])
    };
    Ok(Listing {
        title: "Airports".to_owned(),
        summary: format!(
            "Page {number}, {} read capacity units, {} rows skipped",
            cost.consumed.read, cost.skipped_rows
        ),
        text: String::new(),
        rows,
        airports: read(&page.rows)?,
        previous: number
            .get()
            .checked_sub(1)
            .filter(|number| *number > 0)
            .map(to),
        next: (!page.next.is_done())
            .then(|| number.saturating_add(1).get())
            .map(to),
    })
}

fn read(rows: &[ots_proto::Row]) -> Result<Vec<Airport>, Problem> {
    Ok(rows
        .iter()
        .map(ots_proto::Row::parse)
        .collect::<Result<_, _>>()?)
}
