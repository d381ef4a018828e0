//! A web service that pages: next and previous by tokens in the address, any page by its number, and
//! a search that knows how many pages there are. All state is in the address; the service keeps
//! anchors, which only save it work.
//!
//! ```sh
//! cargo run -p ots-paging --example airports_web -- --listen 127.0.0.1:8080
//! ```
//!
//! Without an address it takes a free port, and says which.

mod airports;
mod html;
mod list;
mod search;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ots_core::Client;
use ots_paging::{Anchors, ErrorKind, PageTokens};

/// What all requests share.
#[derive(Clone)]
struct App {
    client: Client,
    tokens: PageTokens,
    /// Keys on the way to pages asked for by number: the next jump is shorter.
    anchors: Arc<Mutex<Option<Anchors>>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App {
        client: airports::client().await?,
        // From the configuration, in earnest: then addresses outlive the process, and nobody else can
        // make one.
        tokens: PageTokens::keyed(b"not a secret"),
        anchors: Arc::default(),
    };
    let service = Router::new()
        .route("/", get(list::show))
        .route("/search", get(search::show))
        .with_state(app);
    let mut arguments = std::env::args().skip(1);
    let address = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => "127.0.0.1:0".to_owned(),
        (Some("--listen"), Some(address)) => address,
        _ => return Err("usage: airports_web [--listen HOST:PORT]".into()),
    };
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, service).await?;
    Ok(())
}

/// Rows of a page, whatever an address says.
const MOST_ROWS: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

/// The same of a search: the service gives no more at once of rows whose columns come from the table.
const MOST_FOUND_ROWS: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Rows before a page that is asked for by its number. The way there is read, so that a visitor who types
/// any number he likes would have the whole table read.
const MOST_ROWS_BEFORE: u64 = 1_000_000;

/// How many rows lie before the page of this number, counted from one.
fn rows_before(number: NonZeroU32, rows: NonZeroU32) -> Result<u64, Problem> {
    let before = u64::from(number.get() - 1) * u64::from(rows.get());
    if before > MOST_ROWS_BEFORE {
        return Err(Problem::no_page());
    }
    Ok(before)
}

/// Rows of a page, if an address says nothing.
const fn rows_of_a_page() -> NonZeroU32 {
    const ROWS: NonZeroU32 = NonZeroU32::new(20).unwrap();
    ROWS
}

/// An address of this service.
fn url(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut url = form_urlencoded::Serializer::new(format!("{path}?"));
    url.extend_pairs(parameters);
    url.finish()
}

/// Why there is no page.
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    text: String,
}

impl Problem {
    fn no_page() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            text: "This address leads to no page. It may have been cut off or changed.".to_owned(),
        }
    }

    fn of_the_table(error: impl std::error::Error) -> Self {
        // What happened is for those who run the service.
        eprintln!("{error}: {:?}", error.source());
        Self {
            status: StatusCode::BAD_GATEWAY,
            text: "The table doesn't answer as it should. Please try again later.".to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        html::problem(self.status, &self.text)
    }
}

impl From<ots_paging::Error> for Problem {
    fn from(error: ots_paging::Error) -> Self {
        match error.kind() {
            // Not an address that we gave, or not of this list.
            ErrorKind::PageToken
            | ErrorKind::ResumePointDamaged
            | ErrorKind::ResumePointVersion
            | ErrorKind::ResumePointOfOtherRange => Self::no_page(),
            _ => Self::of_the_table(error),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(_: QueryRejection) -> Self {
        Self::no_page()
    }
}

impl From<ots_proto::plainbuffer::Error> for Problem {
    fn from(error: ots_proto::plainbuffer::Error) -> Self {
        Self::of_the_table(error)
    }
}

impl From<ots_proto::typed::Error> for Problem {
    fn from(error: ots_proto::typed::Error) -> Self {
        Self::of_the_table(error)
    }
}
