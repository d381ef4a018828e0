//! What people see. Nothing from outside comes into a page unescaped.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::airports::Airport;

/// A page of airports.
pub(crate) struct Listing {
    pub(crate) title: String,
    /// Above the table: what is shown, what it cost.
    pub(crate) summary: String,
    /// The text searched for.
    pub(crate) text: String,
    /// Rows of a page.
    pub(crate) rows: NonZeroU32,
    pub(crate) airports: Vec<Airport>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

impl IntoResponse for Listing {
    fn into_response(self) -> Response {
        let mut table = String::new();
        for airport in &self.airports {
            let Airport {
                iata,
                name,
                city,
                state,
                latitude,
                longitude,
                ..
            } = airport;
            let city = city.as_deref().unwrap_or("");
            let state = state.as_deref().unwrap_or("");
            let cells = [iata, name, city, state].map(|cell| format!("<td>{}</td>", escape(cell)));
            let cells = cells.concat();
            // Writing to a string doesn't fail.
            let _ = writeln!(
                table,
                "<tr>{cells}<td>{latitude:.3}</td><td>{longitude:.3}</td></tr>"
            );
        }
        let link = |id: &str, text: &str, target: &Option<String>| match target {
            Some(target) => format!(r#"<a id="{id}" href="{}">{text}</a>"#, escape(target)),
            None => format!(r#"<span id="{id}">{text}</span>"#),
        };
        let body = format!(
            r#"<p id="summary">{summary}</p>
<nav>{previous} {next}
<form action="{place}"><input type="hidden" name="q" value="{text}"><input type="hidden" name="rows" value="{rows}">
<label>page <input id="number" name="number" type="number" min="1" required></label> <button id="jump">Jump</button></form></nav>
<table><thead><tr><th>IATA<th>name<th>city<th>state<th>latitude<th>longitude</tr></thead>
<tbody>
{table}</tbody></table>"#,
            summary = escape(&self.summary),
            previous = link("previous", "← Previous", &self.previous),
            next = link("next", "Next →", &self.next),
            place = if self.text.is_empty() { "/" } else { "/search" },
            text = escape(&self.text),
            rows = self.rows,
        );
        document(&self.title, &self.text, &body).into_response()
    }
}

/// What went wrong, and the way back.
pub(crate) fn problem(status: StatusCode, text: &str) -> Response {
    let body = format!(
        r#"<p id="problem">{}</p><p><a id="start" href="/">All airports</a></p>"#,
        escape(text)
    );
    (status, document("That didn't work", "", &body)).into_response()
}

fn document(title: &str, text: &str, body: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #ddd }}
nav, header {{ display: flex; gap: 1rem; align-items: center; margin: 1rem 0 }}
nav form {{ margin-left: auto }}
input[type=number] {{ width: 6rem }}
nav span {{ color: #999 }}
</style>
<header><h1>{title}</h1><form action="/search"><input id="q" name="q" value="{text}" placeholder="name, city or state">
<button id="search">Search</button></form></header>
{body}
</html>"#,
        title = escape(title),
        text = escape(text),
    ))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
