//! What is kept of an export of a table while it runs, and how to go on with it.

use std::path::Path;

use ots_arrow::ColumnType;
use ots_scan::TableCheckpoint;

use super::of_sink;
use crate::failure::{Exit, Failure};
use crate::sink::{self, CommittedPart, KeptPart, Staging};
use crate::table_export::{Asked, Journal, Round};

/// The finished files of an export, and the journal that names them.
#[derive(Debug)]
pub(super) struct Kept {
    staging: Staging,
    journal: Journal,
}

impl Kept {
    /// Nothing yet: the journal says where to begin.
    pub(super) fn begin(
        staging: Staging,
        asked: Asked,
        columns: Option<Vec<(String, ColumnType)>>,
        checkpoint: TableCheckpoint,
    ) -> Result<Self, sink::Error> {
        let journal = Journal {
            asked,
            columns,
            round: 0,
            checkpoint,
            parts: Vec::new(),
        };
        let mut kept = Self { staging, journal };
        kept.write()?;
        Ok(kept)
    }

    /// What an export to this directory left that asked for the same.
    pub(super) fn reopen(
        doing: &str,
        out: &Path,
        format: sink::Format,
        asked: &Asked,
    ) -> Result<Self, Failure> {
        let doing = || format!("{doing} can't be gone on with");
        let (staging, journal) =
            Staging::reopen(out, format).map_err(|error| of_sink(doing(), error))?;
        let folder = staging.path().display().to_string();
        let journal = Journal::from_bytes(&journal).map_err(|error| {
            let doing = format!("{}: {folder}/journal", doing());
            let failure = Failure::new(Exit::Mismatch, doing).because(error);
            failure.advise(format!("remove {folder} and begin anew"))
        })?;
        let differences = asked.differences(&journal.asked);
        if !differences.is_empty() {
            let doing = format!("{}: it was begun with {}", doing(), differences.join(", "));
            let failure = Failure::new(Exit::Usage, doing);
            let advice = format!("give the same options, or remove {folder} and begin anew");
            return Err(failure.advise(advice));
        }
        staging
            .check(&journal.parts)
            .map_err(|error| of_sink(doing(), error))?;
        Ok(Self { staging, journal })
    }

    /// Keeps the files of a round, and the place behind them.
    pub(super) fn add(&mut self, round: Round) -> Result<(), sink::Error> {
        let Round { checkpoint, parts } = round;
        self.journal.parts.extend(self.staging.keep(parts));
        self.journal.checkpoint = checkpoint;
        self.journal.round += 1;
        self.write()
    }

    fn write(&mut self) -> Result<(), sink::Error> {
        let worth_keeping = !self.journal.parts.is_empty();
        let bytes = self.journal.to_bytes();
        self.staging.write_journal(&bytes, worth_keeping)
    }

    pub(super) const fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) const fn staging(&self) -> &Staging {
        &self.staging
    }

    /// Gives the files their names.
    pub(super) fn commit(self) -> Result<Vec<CommittedPart>, sink::Error> {
        let parts: Vec<KeptPart> = self.journal.parts;
        self.staging.commit(&parts)
    }

    /// What to do after a failure: the command to go on, after these words; or nothing more than to
    /// begin anew.
    pub(super) fn advice(&self, out: &Path, before: &str) -> String {
        if !self.staging.is_worth_keeping() {
            return format!("no file was left in {}", out.display());
        }
        let command = command_to_go_on(std::env::args_os().map(|word| {
            // What isn't text can't be shown as it is.
            word.to_string_lossy().into_owned()
        }));
        format!("{before}go on with: {command}")
    }
}

/// The command that is running, with `--resume`, as a shell takes it. Secrets are never on it.
fn command_to_go_on(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.map(|word| quoted(&word)).collect();
    if !words.iter().any(|word| word == "--resume") {
        words.push("--resume".to_owned());
    }
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |character: char| {
        character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '/' | ':' | ',' | '=')
    };
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_go_on_is_one_that_a_shell_takes() {
        let command = |words: &[&str]| command_to_go_on(words.iter().map(ToString::to_string));
        assert_eq!(
            command(&[
                "ots",
                "export",
                "--start-pk",
                r#"{"id": "it's"}"#,
                "--out",
                "./o"
            ]),
            r#"ots export --start-pk '{"id": "it'\''s"}' --out ./o --resume"#
        );
        assert_eq!(
            command(&["/bin/ots", "export", "--resume", ""]),
            "/bin/ots export --resume ''"
        );
    }
}
