//! One page of a search, and what lies beside it.

use ots_core::request::{Consumed, SearchReply};

use crate::search_point::SearchPoint;

/// One page of a search.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchPage {
    /// What the service said: rows, aggregations, highlights.
    pub reply: SearchReply,
    /// The number of the first row among all matches, counted from zero.
    pub offset: u64,
    /// This page, for a link that stays.
    pub place: SearchPoint,
    /// The place of the page before this one, so many rows before it as a page has; none before the
    /// first row. Beyond the window it is reached by walking there.
    pub previous: Option<SearchPoint>,
    /// The place after this page; none after the last.
    pub next: Option<SearchPoint>,
    /// What it cost, with the way to it.
    pub consumed: Consumed,
}
