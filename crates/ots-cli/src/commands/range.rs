//! `ots range`: rows of a table in the order of their keys, as JSON lines.

use std::fmt;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::time::Instant;

use ots_core::request::{Consumed, DescribeTable, Direction, GetRange};
use ots_core::{Client, PrimaryKey, Row};
use ots_paging::{OffsetPager, PagePlace, PageTokens, Pages, RangeCursor, RangeExt as _};

use crate::args::Range;
use crate::connect::{Connected, Connection};
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::{Bytes, Of, Seconds};
use crate::interrupt::Interrupt;
use crate::table_export::bound;
use crate::tally::{Counted, Tally};
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
        page_size,
        page_token,
        start_pk,
        end_pk,
        columns,
        total,
    } = arguments;
    let start = Instant::now();
    let doing = format!("range of table {table:?}");
    let Connected { first, client, .. } = connection.connect()?;
    let describe = async {
        let described = first.send(DescribeTable::new(&table)).await;
        described.map_err(|error| Failure::of_call(&*doing, error))
    };
    let interrupted = || format!("{doing} stopped before the first row");
    let described = interrupt.or(describe, interrupted).await?;
    let given = |text: &Option<String>| {
        let key = text
            .as_ref()
            .map(|text| bound(text, &described.primary_key));
        key.transpose()
            .map_err(|error| Failure::new(Exit::Usage, &*doing).because(error))
    };
    let (start_pk, end_pk) = (given(&start_pk)?, given(&end_pk)?);
    let names = described.primary_key.iter();
    let names: Vec<&str> = names.map(|column| column.name.as_str()).collect();
    let (first, last) = (PrimaryKey::min(names.clone()), PrimaryKey::max(names));
    let mut request = if reverse {
        // Columns left out are the largest: a start then takes all rows that begin with it, and an end
        // none of them, as the other way round.
        let filled = |key: Option<PrimaryKey>, otherwise| match key {
            Some(key) => filled_up(key, &last),
            None => otherwise,
        };
        let (start, end) = (filled(start_pk, last.clone()), filled(end_pk, first));
        GetRange::new(&table, start, end).direction(Direction::Backward)
    } else {
        let filled = |key: Option<PrimaryKey>, otherwise| match key {
            Some(key) => filled_up(key, &first),
            None => otherwise,
        };
        let (start, end) = (filled(start_pk, first.clone()), filled(end_pk, last));
        GetRange::new(&table, start, end)
    };
    if let Some(columns) = &columns {
        request = request.columns(columns.clone());
    }

    let page_rows = limit.map_or(MAX_PAGE_ROWS, |limit| {
        u32::try_from(limit).unwrap_or(u32::MAX).min(MAX_PAGE_ROWS)
    });
    let page_rows = page_size.map_or(page_rows, |size| size.get().min(page_rows));
    let page_rows = NonZeroU32::new(page_rows).unwrap_or(NonZeroU32::MIN);
    let from_start = offset == 0 && limit.is_none_or(|limit| limit > u64::from(page_rows.get()));
    if from_start {
        request = request.limit(page_rows.get());
    }
    let cursor = request.cursor();
    let cursor = cursor.map_err(|error| of_paging(&doing, 0, error))?;
    let tokens = PageTokens::plain();
    let start_place = cursor.resume_point();
    let mut place = start_place.clone();
    let whole = cursor.clone();
    let counted = Counted::new(client);
    let mut said = Said::default();
    let mut cursor = match page_token
        .map(|token| tokens.read_place(&token))
        .transpose()
    {
        Err(error) => return Err(of_token(&doing, error)),
        Ok(None) => cursor,
        Ok(Some(PagePlace::From(point))) => {
            let resumed = cursor.resume(&point);
            place = point;
            resumed.map_err(|error| of_token(&doing, error))?
        }
        Ok(Some(before @ PagePlace::Before(_))) => {
            let rows = limit.and_then(|limit| NonZeroU32::new(u32::try_from(limit).ok()?));
            let (Some(rows), 0) = (rows, offset) else {
                let problem = "the token of a previous page needs --limit, and no --offset";
                return Err(Failure::new(Exit::Usage, format!("{doing}: {problem}")));
            };
            let _ = cursor
                .clone()
                .resume(before.point())
                .map_err(|error| of_token(&doing, error))?;
            let read = async {
                let page = cursor.page_at(&counted, &before, rows).await;
                page.map_err(|error| of_paging(&doing, 0, error))
            };
            let interrupted = || format!("{doing} {}", stopped(0));
            let page = interrupt.or(read, interrupted).await?;
            said.printed = page.rows.len() as u64;
            said.consumed = page.consumed;
            said.previous = page.previous;
            said.next = page.next;
            if let Err(error) = print(&page.rows) {
                return end_of_output(&doing, error);
            }
            let total = total.then_some(whole);
            return finish(
                said,
                &doing,
                start,
                &counted,
                total,
                &mut interrupt,
                &tokens,
            )
            .await;
        }
    };
    if let Some(limit) = limit {
        // The last page is then no larger than it must be.
        cursor = cursor.take_rows(offset.saturating_add(limit));
    }
    if place != start_place {
        said.previous = Some(PagePlace::Before(place.clone()));
    }
    let mut pages = if from_start {
        Reading::FromStart(cursor.pages(&counted))
    } else {
        Reading::FromRow(Box::new(cursor.offset_pages(&counted, offset, page_rows)))
    };
    let mut left = limit.unwrap_or(u64::MAX);
    let interrupted = |exit, printed| Failure::new(exit, &*doing).stopped(stopped(printed));
    let mut next = match left {
        0 => Ok(None),
        _ => tokio::select! {
            page = pages.next() => page,
            exit = interrupt.wait() => return Err(interrupted(exit, 0)),
        },
    };
    while let Some(page) = next.map_err(|error| of_paging(&doing, said.printed, error))? {
        if said.printed == 0 && offset > 0 {
            said.previous = page.previous;
        }
        said.consumed += page.consumed;
        said.next = page.next;
        let rows = page.rows.len() as u64;
        left = left.saturating_sub(rows);
        // Who wants more wants the next page while this one is printed.
        let reading = async {
            match left {
                0 => Ok(None),
                _ => pages.next().await,
            }
        };
        let mut reading = pin!(reading);
        let (printed, early) = print_while(page.rows, reading.as_mut()).await;
        if let Err(error) = printed {
            return end_of_output(&doing, error);
        }
        said.printed += rows;
        if let Some(exit) = interrupt.signal() {
            return Err(interrupted(exit, said.printed));
        }
        next = match early {
            Some(page) => page,
            None => tokio::select! {
                page = reading => page,
                exit = interrupt.wait() => return Err(interrupted(exit, said.printed)),
            },
        };
    }
    if limit.is_none() {
        (said.previous, said.next) = (None, None);
    }
    let printed = said.printed;
    let total = total.then_some(whole);
    finish(
        said,
        &doing,
        start,
        &counted,
        total,
        &mut interrupt,
        &tokens,
    )
    .await?;
    if let Some(columns) = columns.filter(|_| printed == 0) {
        say(format_args!(
            "note: only rows that have one of the columns {} are printed: are the names right?",
            columns.join(", ")
        ));
    }
    Ok(())
}

/// A key with the columns that it lacks, from one that has all.
fn filled_up(key: PrimaryKey, whole: &PrimaryKey) -> PrimaryKey {
    let missing = whole.columns().iter().skip(key.len());
    let columns = key.columns().iter().chain(missing);
    columns
        .map(|column| (column.name.clone(), column.value.clone()))
        .collect()
}

/// The pages to print, one way or the other.
enum Reading<'c> {
    FromStart(Pages<'c>),
    /// What is asked for is known page by page.
    FromRow(Box<OffsetPager<'c>>),
}

/// A page to print.
struct Printable {
    rows: Vec<Row>,
    consumed: Consumed,
    previous: Option<PagePlace>,
    next: Option<PagePlace>,
}

impl Reading<'_> {
    /// The next page, or none at the end.
    async fn next(&mut self) -> Result<Option<Printable>, ots_paging::Error> {
        let page = match self {
            Self::FromStart(pages) => match pages.next().await.transpose()? {
                None => None,
                Some(page) => Some(Printable {
                    rows: page.rows()?,
                    consumed: page.consumed(),
                    previous: None,
                    next: (!page.next().is_done())
                        .then(|| PagePlace::From(page.resume_point().clone())),
                }),
            },
            Self::FromRow(pages) => pages.next_page().await?.map(|page| Printable {
                previous: page.previous_place(),
                next: page.next_place(),
                consumed: page.consumed,
                rows: page.rows,
            }),
        };
        Ok(page)
    }
}

/// What is known when the rows are printed.
#[derive(Debug, Default)]
struct Said {
    printed: u64,
    consumed: Consumed,
    previous: Option<PagePlace>,
    next: Option<PagePlace>,
}

/// Prints rows in a thread of its own, as nobody knows when a pipe is read, while something else goes on:
/// what that came to, if it came before the rows were printed.
///
/// The printing is waited for whatever happens: it would keep the process from ending.
async fn print_while<F: Future>(
    rows: Vec<Row>,
    mut work: Pin<&mut F>,
) -> (io::Result<()>, Option<F::Output>) {
    let mut printing = tokio::task::spawn_blocking(move || print(&rows));
    let mut done = None;
    let printed = loop {
        tokio::select! {
            printed = &mut printing => break printed,
            output = work.as_mut(), if done.is_none() => done = Some(output),
        }
    };
    (printed.unwrap_or_else(|error| Err(error.into())), done)
}

/// Prints rows. Whoever reads along sees whole pages.
fn print(rows: &[Row]) -> io::Result<()> {
    let mut lines = String::new();
    for row in rows {
        value_json::write_row(&mut lines, row);
    }
    let mut output = io::stdout().lock();
    output.write_all(lines.as_bytes())?;
    output.flush()
}

/// What follows the rows: their number in all, the pages beside, the summary.
async fn finish(
    mut said: Said,
    doing: &str,
    start: Instant,
    counted: &Counted<Client>,
    total: Option<RangeCursor>,
    interrupt: &mut Interrupt,
    tokens: &PageTokens,
) -> Result<(), Failure> {
    if let Some(whole) = total {
        let count = whole.count_rows(counted);
        let interrupted = || format!("{doing} stopped while counting");
        let count = interrupt
            .or(
                async {
                    count
                        .await
                        .map_err(|error| of_paging(doing, said.printed, error))
                },
                interrupted,
            )
            .await?;
        said.consumed += count.consumed;
        say(format_args!("{} in all", Of(count.rows, "row")));
    }
    for (which, place) in [("previous", &said.previous), ("next", &said.next)] {
        if let Some(place) = place {
            let token = tokens.write_place(place);
            say(format_args!("{which} page: --page-token {token}"));
        }
    }
    summarize(said.printed, start, &counted.tally(), said.consumed);
    Ok(())
}

pub(super) fn stopped(printed: u64) -> String {
    format!("stopped after {}", Of(printed, "row"))
}

/// The last line: what was printed, and what that took.
pub(super) fn summarize(printed: u64, start: Instant, tally: &Tally, consumed: Consumed) {
    say(format_args!(
        "{} in {}, {} read, {}, {}, {}",
        Of(printed, "row"),
        Seconds(start.elapsed()),
        Bytes(tally.received_bytes),
        Of(tally.requests, "request"),
        Of(tally.retries, "retry"),
        Of(consumed.read, "read capacity unit"),
    ));
}

/// The service stops there anyway.
const MAX_PAGE_ROWS: u32 = 5_000;

/// A reader that has seen enough, such as `head`, isn't a failure.
pub(super) fn end_of_output(doing: &str, error: io::Error) -> Result<(), Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Output,
        format!("{doing}: standard output can't be written"),
    )
    .because(error))
}

/// A token that is none, or of another list, is a mistake on the command line.
pub(super) fn of_token(doing: &str, error: ots_paging::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{doing}: the page token can't be used"),
    )
    .because(error)
}

pub(super) fn of_paging(doing: &str, printed: u64, error: ots_paging::Error) -> Failure {
    let failure = match error.as_call() {
        Some(call) => Failure::like_call(doing, call).because(OfCall(error)),
        None => Failure::new(Exit::Mismatch, doing).because(error),
    };
    failure.stopped(stopped(printed))
}

/// A failed call of a pager, without what the pager says of itself: the command has said that.
#[derive(Debug)]
struct OfCall(ots_paging::Error);

impl fmt::Display for OfCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_call() {
            Some(call) => call.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

impl std::error::Error for OfCall {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.0.as_call() {
            Some(call) => call.source(),
            None => self.0.source(),
        }
    }
}
