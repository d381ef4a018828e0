//! Progress of long work, on standard error: bars on a terminal, a line now and then elsewhere.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle as BarStyle};

use crate::args::ProgressStyle;
use crate::console::say;
use crate::figures::{Bytes, Count, Seconds};

/// How far some work is.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Rows done.
    pub rows: u64,
    /// Bytes moved.
    pub bytes: u64,
    /// Rows that there will be, as far as known.
    pub expected_rows: Option<u64>,
    /// The parts of the work, if it has parts.
    pub parts: Vec<Part>,
    /// Of work with more parts than anyone would read: how many are done, and how many there are.
    pub ranges: Option<(usize, usize)>,
}

/// How far a part of the work is.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Rows done.
    pub rows: u64,
    /// Whether there is no more.
    pub done: bool,
}

/// Shows how far some work is.
#[derive(Debug)]
pub struct Progress {
    title: &'static str,
    start: Instant,
    display: Display,
}

#[derive(Debug)]
enum Display {
    None,
    Plain {
        last: Instant,
    },
    Bars {
        all: MultiProgress,
        total: ProgressBar,
        parts: Vec<ProgressBar>,
    },
}

impl Progress {
    /// Begins to show.
    pub fn start(style: ProgressStyle, title: &'static str) -> Self {
        let start = Instant::now();
        let plain = Display::Plain { last: start };
        let display = match style {
            ProgressStyle::None => Display::None,
            ProgressStyle::Plain => plain,
            ProgressStyle::Auto => Display::bars(title).unwrap_or(plain),
        };
        Self {
            title,
            start,
            display,
        }
    }

    /// Shows how far it is. Cheap enough to call for every page.
    pub fn report(&mut self, snapshot: impl FnOnce() -> Snapshot) {
        match &mut self.display {
            Display::None => {}
            Display::Plain { last } => {
                if last.elapsed() >= EVERY {
                    *last = Instant::now();
                    say(line(self.title, &snapshot(), self.start.elapsed()));
                }
            }
            Display::Bars { all, total, parts } => {
                let Snapshot {
                    rows,
                    bytes,
                    expected_rows,
                    parts: now,
                    ranges,
                } = snapshot();
                if let Some(expected) = expected_rows {
                    total.set_length(expected);
                    total.set_style(bar_style(TOTAL_KNOWN));
                }
                total.set_position(rows);
                let mut message = String::new();
                if bytes > 0 {
                    message = Bytes(bytes).to_string();
                }
                if let Some((done, of)) = ranges {
                    // Writing to a String can't fail.
                    write!(message, "  {done} of {of} ranges").ok();
                }
                if !message.is_empty() {
                    total.set_message(message);
                }
                while parts.len() < now.len() {
                    let bar = ProgressBar::no_length().with_style(bar_style(PART));
                    let bar = bar.with_prefix(format!("  split {}", parts.len()));
                    parts.push(all.insert_before(total, bar));
                }
                // Work that begins anew may have fewer parts.
                for bar in parts.drain(now.len()..) {
                    bar.finish_and_clear();
                }
                for (bar, part) in parts.iter().zip(now) {
                    if bar.is_finished() && !part.done {
                        bar.reset();
                        bar.set_message("");
                    }
                    bar.set_position(part.rows);
                    if part.done && !bar.is_finished() {
                        bar.finish_with_message("done");
                    }
                }
            }
        }
    }

    /// Stops showing, so that what follows stands on lines of its own.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Display::Bars { all, total, parts } = &self.display {
            for bar in parts {
                bar.finish_and_clear();
            }
            total.finish_and_clear();
            // The bars are drawn over each other; a terminal that is gone needs no clearing.
            all.clear().ok();
        }
    }
}

impl Display {
    /// None where nothing can be drawn: standard error is no terminal, or one that can't move its
    /// cursor.
    fn bars(title: &'static str) -> Option<Self> {
        let all = MultiProgress::new();
        if all.is_hidden() {
            return None;
        }
        let total = ProgressBar::no_length()
            .with_style(bar_style(TOTAL))
            .with_prefix(title);
        let total = all.add(total);
        total.enable_steady_tick(Duration::from_millis(200));
        Some(Self::Bars {
            all,
            total,
            parts: Vec::new(),
        })
    }
}

fn bar_style(template: &str) -> BarStyle {
    BarStyle::with_template(template).unwrap_or_else(|_| BarStyle::default_bar())
}

const TOTAL: &str = "{prefix:10} {spinner} {human_pos} rows  {msg}  {elapsed}";
const TOTAL_KNOWN: &str =
    "{prefix:10} {bar:30} {human_pos}/{human_len} rows  {msg}  {elapsed}, {eta} left";
const PART: &str = "{prefix:10} {human_pos} rows  {msg}";

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

fn line(title: &str, snapshot: &Snapshot, elapsed: Duration) -> String {
    let mut line = format!("{title}: {}", Count(snapshot.rows));
    // Writing to a String can't fail.
    if let Some(expected) = snapshot.expected_rows {
        write!(line, " of {}", Count(expected)).ok();
    }
    line.push_str(" rows");
    // Not every kind of work counts bytes.
    if snapshot.bytes > 0 {
        write!(line, ", {}", Bytes(snapshot.bytes)).ok();
    }
    if let Some((done, of)) = snapshot.ranges {
        write!(line, ", {done} of {of} ranges").ok();
    }
    write!(line, ", {}", Seconds(elapsed)).ok();
    for (index, part) in snapshot.parts.iter().enumerate() {
        let separator = if index == 0 { "; splits " } else { ", " };
        let done = if part.done { " done" } else { "" };
        write!(line, "{separator}{index}: {}{done}", Count(part.rows)).ok();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leaves_out_what_nobody_counts() {
        let snapshot = Snapshot {
            rows: 7,
            ..Snapshot::default()
        };
        let text = line("load", &snapshot, Duration::from_secs(5));
        assert_eq!(text, "load: 7 rows, 5.00 s");
        let snapshot = Snapshot {
            ranges: Some((3, 40)),
            ..snapshot
        };
        let text = line("export", &snapshot, Duration::from_secs(5));
        assert_eq!(text, "export: 7 rows, 3 of 40 ranges, 5.00 s");
    }

    #[test]
    fn a_line_names_the_total_and_every_split() {
        let snapshot = Snapshot {
            rows: 41_200,
            bytes: 3_400_000,
            expected_rows: Some(50_000),
            parts: vec![
                Part {
                    rows: 20_000,
                    done: true,
                },
                Part {
                    rows: 21_200,
                    done: false,
                },
            ],
            ranges: None,
        };
        assert_eq!(
            line("export", &snapshot, Duration::from_millis(1500)),
            "export: 41,200 of 50,000 rows, 3.4 MB, 1.50 s; splits 0: 20,000 done, 1: 21,200"
        );
    }
}
