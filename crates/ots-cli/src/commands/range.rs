//! `ots range`: rows of a table in the order of their keys, as JSON lines.

use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroU32;

use ots_core::PrimaryKey;
use ots_core::request::{Consumed, DescribeTable, Direction, GetRange};
use ots_paging::RangeExt as _;

use crate::args::Range;
use crate::connect::Connection;
use crate::failure::{Exit, Failure};
use crate::figures::{Count, Seconds};
use crate::interrupt::Interrupt;
use crate::value_json;

/// Prints the rows, then says on standard error what they cost.
pub async fn run(
    connection: &Connection,
    arguments: Range,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let Range {
        table,
        reverse,
        offset,
        limit,
        columns,
    } = arguments;
    let doing = format!("range of table {table:?}");
    let client = connection.client()?;
    let described = client.send(DescribeTable::new(&table)).await;
    let described = described.map_err(|error| Failure::of_call(&*doing, error))?;
    let names: Vec<&str> = described
        .primary_key
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let (first, last) = (PrimaryKey::min(names.clone()), PrimaryKey::max(names));
    let mut request = if reverse {
        GetRange::new(&table, last, first).direction(Direction::Backward)
    } else {
        GetRange::new(&table, first, last)
    };
    if let Some(columns) = columns {
        request = request.columns(columns);
    }

    let start = std::time::Instant::now();
    let page_rows = limit.map_or(MAX_PAGE_ROWS, |limit| {
        u32::try_from(limit).unwrap_or(u32::MAX).min(MAX_PAGE_ROWS)
    });
    let page_rows = NonZeroU32::new(page_rows).unwrap_or(NonZeroU32::MIN);
    let mut pages = request.offset_pages(&client, offset, page_rows);
    let mut output = BufWriter::new(io::stdout().lock());
    let mut line = String::new();
    let (mut printed, mut left) = (0, limit.unwrap_or(u64::MAX));
    let mut consumed = Consumed::default();
    while left > 0 {
        let page = tokio::select! {
            page = pages.next_page() => page,
            exit = interrupt.wait() => {
                let rows = Count(printed);
                return Err(Failure::new(exit, format!("{doing} stopped after {rows} rows")));
            }
        };
        let Some(page) = page.map_err(|error| of_paging(&doing, printed, error))? else {
            break;
        };
        consumed += page.consumed;
        for row in page
            .rows
            .iter()
            .take(usize::try_from(left).unwrap_or(usize::MAX))
        {
            line.clear();
            value_json::write_row(&mut line, row);
            line.push('\n');
            if let Err(error) = output.write_all(line.as_bytes()) {
                return end_of_output(&doing, error);
            }
            printed += 1;
            left -= 1;
        }
        // Whoever reads along sees whole pages.
        if let Err(error) = output.flush() {
            return end_of_output(&doing, error);
        }
    }
    eprintln!(
        "{} rows in {}, {} read capacity units",
        Count(printed),
        Seconds(start.elapsed()),
        Count(consumed.read),
    );
    Ok(())
}

/// The service stops there anyway.
const MAX_PAGE_ROWS: u32 = 5_000;

/// A reader that has seen enough, such as `head`, isn't a failure.
fn end_of_output(doing: &str, error: io::Error) -> Result<(), Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Output,
        format!("{doing}: standard output can't be written"),
    )
    .because(error))
}

fn of_paging(doing: &str, printed: u64, error: ots_paging::Error) -> Failure {
    let doing = format!("{doing} stopped after {} rows", Count(printed));
    let failure = match error.as_call() {
        Some(call) => Failure::like_call(doing, call),
        None => Failure::new(Exit::Mismatch, doing),
    };
    failure.because(error)
}
