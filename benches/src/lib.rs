//! Inputs shared by the benchmarks: rows in the shapes that people have, the same in every run.

mod embedded;

pub use embedded::{Embedded, INDEX, TABLE};

use fastrand::Rng;
use ots_proto::{Cell, ColumnValue, PrimaryKey, Row};

/// What the rows of a table look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: the shapes there are")]
pub enum Shape {
    /// One string key of 16 bytes; an integer, a double, a boolean and a string of 16 bytes.
    Narrow,
    /// Two keys; twenty columns of mixed types.
    Wide,
    /// One key; two strings of a kilobyte.
    Text,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Text];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Wide => "wide",
            Self::Text => "text",
        }
    }

    /// Rows in one page of a range: the service stops at 5,000 rows or 4 MB.
    #[must_use]
    pub const fn page_rows(self) -> usize {
        match self {
            Self::Narrow => 5_000,
            Self::Wide => 2_000,
            Self::Text => 1_000,
        }
    }

    /// The first `count` rows of a table of this shape, in the order of their keys.
    #[must_use]
    pub fn rows(self, count: usize) -> Vec<Row> {
        let mut random = Rng::with_seed(0x5eed);
        (0..count)
            .map(|index| self.row(index, &mut random))
            .collect()
    }

    fn row(self, index: usize, random: &mut Rng) -> Row {
        match self {
            Self::Narrow => Row {
                primary_key: PrimaryKey::new().column("id", format!("user-{index:011}")),
                cells: vec![
                    cell("age", random.i64(0..100)),
                    cell("score", random.f64() * 100.0),
                    cell("active", random.bool()),
                    cell("city", text(random, 16)),
                ],
            },
            Self::Wide => {
                let number = i64::try_from(index).unwrap_or(i64::MAX);
                let primary_key = PrimaryKey::new()
                    .column("tenant", format!("tenant-{:04}", index / 100))
                    .column("order", number);
                let cells = (0..20).map(|column| {
                    let name = format!("column_{column:02}");
                    match column % 5 {
                        0 => cell(&name, random.i64(..)),
                        1 => cell(&name, random.f64()),
                        2 => cell(&name, random.bool()),
                        3 => cell(&name, text(random, 24)),
                        _ => {
                            let mut bytes = vec![0; 16];
                            random.fill(&mut bytes);
                            cell(&name, bytes)
                        }
                    }
                });
                Row {
                    primary_key,
                    cells: cells.collect(),
                }
            }
            Self::Text => Row {
                primary_key: PrimaryKey::new().column("id", format!("page-{index:011}")),
                cells: vec![
                    cell("title", text(random, 1_024)),
                    cell("body", text(random, 1_024)),
                ],
            },
        }
    }
}

/// A cell as a table returns it: with its version.
fn cell(name: &str, value: impl Into<ColumnValue>) -> Cell {
    Cell::new(name, value).at(1_700_000_000_000)
}

fn text(random: &mut Rng, bytes: usize) -> String {
    (0..bytes).map(|_| random.alphanumeric()).collect()
}
