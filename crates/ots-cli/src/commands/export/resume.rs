//! What is kept of an export of a table while it runs, and how to go on with it.

use std::path::Path;

use ots_arrow::ColumnType;
use ots_scan::TableCheckpoint;

use super::of_sink;
use crate::asked::Asked;
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::figures::Bytes;
use crate::sink::{self, CommittedPart, Staging};
use crate::table_export::{Journal, Round};

/// The finished files of an export, and the journal that names them.
#[derive(Debug)]
pub(super) struct Kept {
    staging: Staging,
    journal: Journal,
    /// Whether the journal is on the disk as it is here.
    is_written: bool,
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
        let mut kept = Self {
            staging,
            journal,
            is_written: false,
        };
        kept.write()?;
        Ok(kept)
    }

    /// What an export to this directory left that asked for the same.
    pub(super) async fn reopen(
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
        let kept_bytes: u64 = journal.parts.iter().map(|part| part.size_bytes).sum();
        if kept_bytes > LONG_TO_READ_BYTES {
            let kept_bytes = Bytes(kept_bytes);
            say(format_args!(
                "note: reads the {kept_bytes} that were finished, to see that they are as they were"
            ));
        }
        // Every file is read to the end. A thread that nobody waits for any more takes nothing away
        // that the journal names.
        let checked = tokio::task::spawn_blocking(move || {
            let checked = staging.check(&journal.parts);
            checked.map(|()| (staging, journal))
        });
        let (staging, journal) = checked
            .await
            .map_err(|error| Failure::new(Exit::Other, doing()).because(error))?
            .map_err(|error| of_sink(doing(), error))?;
        Ok(Self {
            staging,
            journal,
            is_written: true,
        })
    }

    /// Keeps the files of a round, and the place behind them.
    pub(super) fn add(&mut self, round: Round) -> Result<(), sink::Error> {
        self.take(round);
        self.write()
    }

    /// Keeps the last rounds, and those before that no journal names yet: one that had no room on the
    /// disk may have it now, as the files that weren't complete are gone.
    pub(super) fn catch_up(&mut self, rounds: Vec<Round>) -> Result<(), sink::Error> {
        let has_more = !rounds.is_empty();
        for round in rounds {
            self.take(round);
        }
        if has_more || !self.is_written {
            return self.write();
        }
        Ok(())
    }

    fn take(&mut self, round: Round) {
        let Round { checkpoint, parts } = round;
        self.journal.parts.extend(self.staging.keep(parts));
        self.journal.checkpoint = checkpoint;
        self.journal.round += 1;
        self.is_written = false;
    }

    fn write(&mut self) -> Result<(), sink::Error> {
        let worth_keeping = !self.journal.parts.is_empty();
        let bytes = self.journal.to_bytes();
        self.staging.write_journal(&bytes, worth_keeping)?;
        self.is_written = true;
        Ok(())
    }

    pub(super) const fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) const fn staging(&self) -> &Staging {
        &self.staging
    }

    /// Whether there is something to go on with.
    pub(super) const fn is_worth_keeping(&self) -> bool {
        self.staging.is_worth_keeping()
    }

    /// The rows of files that are there to go on with.
    pub(super) fn rows(&self) -> u64 {
        match self.is_worth_keeping() {
            true => self.journal.rows(),
            false => 0,
        }
    }

    /// Gives the files their names.
    pub(super) fn commit(self) -> Result<Vec<CommittedPart>, sink::Error> {
        let Journal { parts, asked, .. } = self.journal;
        self.staging.commit(parts, asked.into_json())
    }

    /// What to do after a failure: the command to go on, after these words; or nothing more than to
    /// begin anew.
    pub(super) fn advice(&self, out: &Path, before: &str) -> String {
        self.advice_with(out, before, |word| word)
    }

    /// As [`advice`](Self::advice), by the other operation.
    pub(super) fn advice_by_get_range(&self, out: &Path) -> String {
        self.advice_with(out, "", |word| match word.as_str() {
            "bulk-export" => "get-range".to_owned(),
            "--read-by=bulk-export" => "--read-by=get-range".to_owned(),
            _ => word,
        })
    }

    fn advice_with(&self, out: &Path, before: &str, change: fn(String) -> String) -> String {
        if !self.is_worth_keeping() {
            return format!("no file was left in {}", out.display());
        }
        // What isn't text can't be shown as it is.
        let words = std::env::args_os().map(|word| change(word.to_string_lossy().into_owned()));
        format!("{before}go on with: {}", command_to_go_on(words))
    }
}

/// What takes long enough to read for someone to wonder.
const LONG_TO_READ_BYTES: u64 = 2_000_000_000;

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
    use crate::table_export::checkpoint;

    #[tokio::test]
    async fn a_round_that_found_no_room_for_the_journal_is_in_the_next_one() {
        let place = tempfile::tempdir().unwrap();
        let staging = Staging::begin(place.path(), sink::Format::Jsonl).unwrap();
        let asked = Asked::new([]);
        let mut kept = Kept::begin(staging, asked.clone(), None, checkpoint().await).unwrap();
        let mut part = kept.staging().parts().open(0, 0, None).unwrap();
        part.write_lines("{}\n", 1).unwrap();
        let round = Round {
            checkpoint: checkpoint().await,
            parts: vec![part.finish().unwrap()],
        };
        // Nothing can be written where this is.
        let in_the_way = kept.staging().path().join("journal.new");
        std::fs::create_dir(&in_the_way).unwrap();
        kept.add(round).unwrap_err();
        assert_eq!(kept.rows(), 0);
        std::fs::remove_dir(in_the_way).unwrap();
        kept.catch_up(Vec::new()).unwrap();
        assert_eq!(kept.rows(), 1);
        drop(kept);
        let kept = Kept::reopen("export", place.path(), sink::Format::Jsonl, &asked).await;
        let kept = kept.unwrap();
        assert_eq!((kept.rows(), kept.journal().round), (1, 1));
    }

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
