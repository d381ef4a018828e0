//! Every way to read a page against the yardstick, by turns in one process: a neighbour on the machine
//! then slows all of them alike, and the least of many rounds is what the machine can do.
//!
//! ```sh
//! cargo run --release -p ots-benches --example by_turns [shape | matrix]
//! ```
//!
//! `arrow` is a page's share of a batch that `ots export` would make of several, finished, its memory
//! taken back; `arrow, fresh memory` is a page that becomes a batch of its own in a new builder.
//! Prints a line of a table for each shape and form: the yardstick in nanoseconds a row, the others as
//! multiples of it; and what writing the same rows takes. Then the same rows as a matrix, as multiples of
//! lent rows out of PlainBuffer.

use std::hint::black_box;
use std::time::Instant;

use ots_benches::Shape;
use ots_benches::decode::{Batches, Form, Page};
use ots_benches::matrix::Both;
use ots_proto::plainbuffer::{Checksums, Writer};

const ROUNDS: usize = 60;

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!("| | yardstick, ns a row | lent | visitor | arrow | arrow, fresh memory | shared |");
    println!("|---|---|---|---|---|---|---|");
    let shapes = Shape::ALL.into_iter();
    for shape in shapes.filter(|shape| shape.name().contains(&wanted)) {
        for form in Form::ALL {
            decode(shape, form);
        }
        write(shape);
    }
    if "matrix".contains(&wanted) {
        println!(
            "| | PlainBuffer, lent, ns a row | visitor | matrix, lent | values | visitor | bytes |"
        );
        println!("|---|---|---|---|---|---|---|");
        Shape::ALL.into_iter().for_each(matrix);
    }
}

fn decode(shape: Shape, form: Form) {
    let page = Page::new(shape, form);
    let mut batches = page.batches();
    let pages = batches.batch(&page);
    let pages = f64::from(u32::try_from(pages).unwrap_or(u32::MAX));
    let mut least = [f64::INFINITY; 6];
    for _ in 0..ROUNDS {
        let turn = [
            time(|| page.reference()),
            time(|| page.lent(Checksums::Verify)),
            time(|| page.visited()),
            time(|| batches.batch(&page)) / pages,
            time(|| Batches::alone(&page)),
            time_given(|| page.buffers(), |buffers| page.shared(buffers)),
        ];
        for (least, time) in least.iter_mut().zip(turn) {
            *least = least.min(time);
        }
    }
    let rows = ns_a_row(shape);
    let [reference, others @ ..] = least;
    let ratios = others
        .map(|time| format!("{:.2}", time / reference))
        .join(" | ");
    let (shape, form) = (shape.name(), form.name());
    println!("| {shape}, {form} | {:.0} | {ratios} |", reference * rows);
}

fn matrix(shape: Shape) {
    let both = Both::new(shape);
    let mut least = [f64::INFINITY; 5];
    for _ in 0..ROUNDS {
        let turn = [
            time(|| both.plainbuffer_lent()),
            time(|| both.plainbuffer_visited()),
            time(|| both.matrix_lent()),
            time(|| both.matrix_values()),
            time(|| both.matrix_visited()),
        ];
        for (least, time) in least.iter_mut().zip(turn) {
            *least = least.min(time);
        }
    }
    let [lent, others @ ..] = least;
    let ratios = others.map(|time| format!("{:.2}", time / lent)).join(" | ");
    let bytes = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    println!(
        "| {} | {:.0} | {ratios} | {:.2} |",
        shape.name(),
        lent * ns_a_row(shape),
        bytes(both.matrix_bytes()) / bytes(both.plainbuffer_bytes())
    );
}

fn write(shape: Shape) {
    let rows = shape.rows(shape.page_rows());
    let page = || {
        let mut writer = Writer::new();
        rows.iter().for_each(|row| writer.row(row));
        writer.finish()
    };
    let least = (0..ROUNDS)
        .map(|_| time(page))
        .fold(f64::INFINITY, f64::min);
    let bytes = f64::from(u32::try_from(page().len()).unwrap_or(u32::MAX));
    let (name, ns) = (shape.name(), least * ns_a_row(shape));
    println!(
        "{name}, written: {ns:.0} ns a row, {:.2} GB/s",
        bytes / least / 1e9
    );
}

/// The second of two runs, in seconds: the first one warms the caches after the others. What a run
/// gives is dropped within the time.
fn time<T>(mut work: impl FnMut() -> T) -> f64 {
    time_given(|| (), |()| work())
}

/// As [`time`], of work that consumes something; that is made beforehand.
fn time_given<I, T>(make: impl Fn() -> I, mut work: impl FnMut(I) -> T) -> f64 {
    drop(black_box(work(make())));
    let given = make();
    let start = Instant::now();
    drop(black_box(work(given)));
    start.elapsed().as_secs_f64()
}

/// From seconds a page to nanoseconds a row.
fn ns_a_row(shape: Shape) -> f64 {
    1e9 / f64::from(u32::try_from(shape.page_rows()).unwrap_or(u32::MAX))
}
