//! What is asked of the service: agreed between both processes by the name of the table.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use ots_benches::Shape;
use ots_core::{Clock, ManualClock};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) const KEY_ID: &str = "LTAI4FzCEcUDRgN1YYbGZjtC";
pub(crate) const SECRET: &str = "not-a-secret-but-as-long-as-one";
/// When all of it happens: pages are signed for a date.
pub(crate) const DATE: &str = "2024-01-02T03:04:05.000000Z";

/// The clock of a client of such a service.
pub(crate) fn clock() -> impl Clock + 'static {
    ManualClock::new(UNIX_EPOCH + Duration::from_secs(1_704_164_645))
}

/// A table, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// Of the rows, or `empty`.
    pub(crate) shape: String,
    /// Read at once, each over a connection of its own.
    pub(crate) splits: u32,
    /// Of each split.
    pub(crate) pages: u32,
    /// How long the service thinks about a page.
    pub(crate) latency: Duration,
}

impl Work {
    pub(crate) fn new(shape: &str, splits: u32, pages: u32, latency_ms: u64) -> Self {
        Self {
            shape: shape.to_owned(),
            splits,
            pages,
            latency: Duration::from_millis(latency_ms),
        }
    }

    pub(crate) fn table(&self) -> String {
        let latency = self.latency.as_millis();
        format!("{}_{}_{}_{latency}", self.shape, self.splits, self.pages)
    }

    pub(crate) fn from_table(name: &str) -> Option<Self> {
        let mut parts = name.split('_');
        let shape = parts.next()?;
        let mut number = || parts.next()?.parse().ok();
        Some(Self::new(shape, number()?, number()?, number()?.into()))
    }

    pub(crate) const fn all_pages(&self) -> u32 {
        self.splits * self.pages
    }

    /// In all pages.
    pub(crate) fn rows(&self) -> usize {
        let shape = Shape::ALL.into_iter().find(|it| it.name() == self.shape);
        let of_a_page = shape.map_or(0, Shape::page_rows);
        usize::try_from(self.all_pages()).unwrap_or(usize::MAX) * of_a_page
    }
}
