//! `ots export`: a table, or what an index finds, to files.

mod earlier;
mod index;
mod resume;
mod table;

use std::io::{self, Write as _};

use super::range::end_of_output;
use crate::args::{Export, Format, ProgressStyle, ReadBy};
use crate::connect::Connection;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::sink;

pub(super) use index::{Job, check_query, field_names, read_query};

/// Exports and says so.
pub async fn run(
    connection: &Connection,
    arguments: Export,
    style: ProgressStyle,
    interrupt: Interrupt,
) -> Result<(), Failure> {
    check(&arguments)?;
    match arguments.index.clone() {
        Some(index) => index::run(connection, arguments, index, style, interrupt).await,
        None => table::run(connection, arguments, style, interrupt).await,
    }
}

/// Options of the other road are refused, with the reason.
fn check(arguments: &Export) -> Result<(), Failure> {
    let Export {
        table,
        index,
        columns,
        plan,
        query_json,
        restarts,
        start_pk,
        end_pk,
        resume,
        read_by,
        checkpoint_rows,
        out,
        ..
    } = arguments;
    let refused = |problem: String, advice: String| {
        let failure = Failure::new(Exit::Usage, format!("export of table {table:?}: {problem}"));
        Err(failure.advise(advice))
    };
    if out.as_ref().is_some_and(|out| out.as_os_str() == "-") {
        let problem = "the files go into a directory, and - is none";
        let advice = "name one with --out; `ots range` and `ots search` print rows";
        return refused(problem.into(), advice.into());
    }
    if *plan && *resume {
        let problem = "--plan says what an export would read from its beginning";
        return refused(problem.into(), "leave --resume out".into());
    }
    let Some(index) = index else {
        let with_index = [
            ("--query-json", query_json.is_some()),
            ("--restarts", restarts.is_some()),
        ];
        return match with_index.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => refused(
                format!("{option} is for the scan of a search index"),
                "name the index with --index".into(),
            ),
            None => Ok(()),
        };
    };
    if *resume {
        return refused(
            format!(
                "a scan of index {index:?} can't be gone on with: it lives in a session, which ends \
                 with the scan"
            ),
            "leave --resume out to begin anew, or leave --index out to read the table itself"
                .into(),
        );
    }
    let without_index = [
        ("--start-pk", start_pk.is_some()),
        ("--end-pk", end_pk.is_some()),
        ("--read-by", *read_by != ReadBy::GetRange),
        ("--checkpoint-rows", checkpoint_rows.is_some()),
    ];
    if let Some((option, _)) = without_index.into_iter().find(|(_, given)| *given) {
        return refused(
            format!("{option} is for reading the table itself, not index {index:?}"),
            "leave --index out, or choose rows with --query-json".into(),
        );
    }
    let types = ["INTEGER", "DOUBLE", "BOOLEAN", "STRING", "BINARY"];
    let typed = columns.iter().flatten().find(|column| {
        let suffix = column.rsplit_once(':').map_or("", |(_, suffix)| suffix);
        types.iter().any(|name| name.eq_ignore_ascii_case(suffix))
    });
    match typed {
        Some(column) => refused(
            format!("index {index:?} knows the types of its columns, which {column:?} says again"),
            "leave the type out".into(),
        ),
        None => Ok(()),
    }
}

/// The plan is what was asked for: it goes to standard output.
fn print_plan(plan: &str) -> Result<(), Failure> {
    let written = writeln!(io::stdout().lock(), "{plan}");
    written.or_else(|error| end_of_output("plan of an export", error))
}

const fn sink_format(format: Format) -> sink::Format {
    match format {
        Format::Parquet => sink::Format::Parquet,
        Format::Csv => sink::Format::Csv,
        Format::Jsonl => sink::Format::Jsonl,
    }
}

fn of_sink(doing: String, error: sink::Error) -> Failure {
    let (exit, advice) = match error.kind() {
        sink::ErrorKind::DiskFull { .. } => (
            Exit::Output,
            Some("free some space or choose another --out"),
        ),
        // They say themselves what to do.
        sink::ErrorKind::AlreadyThere { .. }
        | sink::ErrorKind::Unfinished { .. }
        | sink::ErrorKind::Undecided { .. } => (Exit::Output, None),
        sink::ErrorKind::NothingStaged {
            has_finished: true, ..
        } => (Exit::Usage, Some("choose another --out")),
        sink::ErrorKind::InUse { .. } => {
            (Exit::Output, Some("wait for it, or choose another --out"))
        }
        sink::ErrorKind::NothingStaged { .. } => (
            Exit::Usage,
            Some("check --out, or leave --resume out to begin one"),
        ),
        sink::ErrorKind::Changed { .. } | sink::ErrorKind::Damaged { .. } => (
            Exit::Mismatch,
            Some("remove the hidden folder .ots-export there, and begin anew"),
        ),
        _ => (Exit::Output, Some("choose another --out")),
    };
    let failure = Failure::new(exit, doing).because(error);
    match advice {
        Some(advice) => failure.advise(advice),
        None => failure,
    }
}

/// As [`of_sink`], of an export that can go on only there.
fn of_sink_there(doing: String, error: sink::Error) -> Failure {
    let is_full = matches!(error.kind(), sink::ErrorKind::DiskFull { .. });
    let failure = Failure::new(Exit::Output, doing).because(error);
    match is_full {
        true => failure.advise("free some space"),
        false => failure,
    }
}
