//! An export that ended while its files got their names.

use std::path::{Path, PathBuf};

use super::of_sink;
use crate::asked::Asked;
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::Of;
use crate::sink::{self, Recovered, Staging};

/// That an export was done before, but for the names of some of its files.
#[derive(Debug)]
pub(super) struct Earlier {
    doing: String,
    rows: u64,
    files: usize,
    out: PathBuf,
}

/// Gives the files of such an export their names, whatever it was of. It is given back if it was what
/// is asked for now: its rows were read and its end was decided, so to read them again would only cost.
pub(super) async fn finish_earlier(
    doing: &(impl std::fmt::Display + Sync),
    out: &Path,
    asked: &Asked,
) -> Result<Option<Earlier>, Failure> {
    let directory = out.to_owned();
    // Every file is read to the end.
    let recovered = tokio::task::spawn_blocking(move || Staging::recover(&directory)).await;
    let recovered = recovered
        .map_err(|error| Failure::new(Exit::Other, doing.to_string()).because(error))?
        .map_err(|error| of_recovery(doing, error))?;
    let Some(Recovered {
        parts, asked: of, ..
    }) = recovered
    else {
        return Ok(None);
    };
    if *asked.json() == of {
        return Ok(Some(Earlier {
            doing: doing.to_string(),
            rows: parts.iter().map(|part| part.rows).sum(),
            files: parts.len(),
            out: out.to_owned(),
        }));
    }
    say(format_args!(
        "note: {} had an export of something else, which ended while its files got their names; they \
         have them now",
        out.display()
    ));
    Ok(None)
}

fn of_recovery(doing: &impl std::fmt::Display, error: sink::Error) -> Failure {
    let doing =
        format!("{doing}: an earlier export there, which ended while its files got their names");
    match error.kind() {
        sink::ErrorKind::DiskFull { .. } | sink::ErrorKind::Io { .. } => {
            let failure = Failure::new(Exit::Output, doing).because(error);
            failure.advise("put that right and run the same command again, or choose another --out")
        }
        _ => of_sink(doing, error),
    }
}

impl std::fmt::Display for Earlier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rows, files) = (Of(self.rows, "row"), Of(self.files as u64, "file"));
        let Self { doing, out, .. } = self;
        write!(
            f,
            "{doing} had read all of its {rows} when it ended, and only names were missing: {files} in {}, \
             nothing was read again",
            out.display()
        )
    }
}
