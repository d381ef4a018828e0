//! Rows in the shapes that people have, the same in every run.

use fastrand::Rng;
use ots_proto::{Cell, ColumnValue, PrimaryKey, Row};

/// What the rows of a table look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: the shapes there are")]
pub enum Shape {
    /// One string key of 16 bytes; an integer, a double, a boolean and a string of 16 bytes.
    Narrow,
    /// Two keys; twenty columns of mixed types, strings of 64 bytes among them.
    Wide,
    /// One key; two strings of a kilobyte.
    Text,
    /// One key; three columns with Chinese names, two of them Chinese text.
    Chinese,
    /// One key; about ten of a hundred columns, others in every row.
    Sparse,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 5] = [
        Self::Narrow,
        Self::Wide,
        Self::Text,
        Self::Chinese,
        Self::Sparse,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Wide => "wide",
            Self::Text => "text",
            Self::Chinese => "chinese",
            Self::Sparse => "sparse",
        }
    }

    /// Rows in one page: the most that a ParallelScan sends.
    #[must_use]
    pub const fn page_rows(self) -> usize {
        2_000
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
                        3 => cell(&name, text(random, 64)),
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
            Self::Chinese => Row {
                primary_key: PrimaryKey::new().column("编号", format!("客户-{index:08}")),
                cells: vec![
                    cell("城市", chinese(random, 4)),
                    cell("备注", chinese(random, 100)),
                    cell("数量", random.i64(0..100)),
                ],
            },
            Self::Sparse => {
                let number = i64::try_from(index).unwrap_or(i64::MAX);
                let mut cells = Vec::new();
                for column in 0..100 {
                    if random.u8(0..10) == 0 {
                        cells.push(cell(&format!("feature_{column:03}"), random.f64()));
                    }
                }
                Row {
                    primary_key: PrimaryKey::new().column("id", number),
                    cells,
                }
            }
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

/// Common characters, three bytes each.
fn chinese(random: &mut Rng, characters: usize) -> String {
    (0..characters)
        .filter_map(|_| char::from_u32(random.u32(0x4e00..0x6000)))
        .collect()
}
