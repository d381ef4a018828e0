//! The journal of an export of a table: which parts are finished, and the place behind them.
//!
//! Three lines: what it is, one JSON object, a checksum over both. It is written anew for every round:
//! some tens of bytes for each range and each part, a few megabytes for a table of a terabyte, which is
//! little beside what a round reads.

use std::fmt;

use arrow_cast::base64::{BASE64_STANDARD, Engine as _};
use ots_arrow::ColumnType;
use ots_scan::TableCheckpoint;
use serde_json::{Value, json};

use super::columns::{type_name, type_named};
use crate::asked::Asked;
use crate::sink::{KeptPart, UNFIT, seal, unseal};

/// Where an export of a table stands.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "its form is that of the file")]
pub struct Journal {
    /// What was asked for.
    pub asked: Asked,
    /// The attribute columns of the files; none where they hold lines of JSON.
    pub columns: Option<Vec<(String, ColumnType)>>,
    /// The next round of files.
    pub round: u32,
    /// The place behind all rows of the parts, and of no other row.
    pub checkpoint: TableCheckpoint,
    /// The finished parts.
    pub parts: Vec<KeptPart>,
}

/// Why bytes aren't a journal.
#[derive(Debug)]
pub struct JournalError {
    problem: &'static str,
    source: Option<ots_scan::TableScanError>,
}

impl Journal {
    /// The rows of all parts.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// As the bytes of a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let columns = self.columns.as_ref().map(|columns| {
            let columns = columns.iter();
            let columns = columns.map(|(name, column)| json!([name, type_name(*column)]));
            columns.collect::<Vec<_>>()
        });
        let parts: Vec<Value> = self.parts.iter().map(KeptPart::to_json).collect();
        let content = json!({
            "asked": self.asked.json(),
            "columns": columns,
            "round": self.round,
            "checkpoint": BASE64_STANDARD.encode(self.checkpoint.to_bytes()),
            "parts": parts,
        });
        seal(TITLE, &content)
    }

    /// The journal of a file.
    ///
    /// # Errors
    /// A file that is none, that was cut or changed, or that another version wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, JournalError> {
        let refused = |problem| JournalError {
            problem,
            source: None,
        };
        let mut content = unseal(TITLE, bytes).map_err(refused)?;
        let unfit = || refused(UNFIT);
        let Some(Value::Object(asked)) = content.remove("asked") else {
            return Err(unfit());
        };
        let checkpoint = content.get("checkpoint").and_then(Value::as_str);
        let checkpoint = checkpoint.and_then(|text| BASE64_STANDARD.decode(text).ok());
        let checkpoint = TableCheckpoint::from_bytes(&checkpoint.ok_or_else(unfit)?);
        let columns = match content.get("columns") {
            Some(Value::Null) => None,
            Some(Value::Array(columns)) => {
                let columns: Option<Vec<_>> = columns.iter().map(column).collect();
                Some(columns.ok_or_else(unfit)?)
            }
            _ => return Err(unfit()),
        };
        let parts = content.get("parts").and_then(Value::as_array);
        let parts = parts.and_then(|parts| parts.iter().map(KeptPart::from_json).collect());
        let round = content.get("round").and_then(Value::as_u64);
        Ok(Self {
            asked: Asked::of_json(asked),
            columns,
            round: round
                .and_then(|round| round.try_into().ok())
                .ok_or_else(unfit)?,
            checkpoint: checkpoint.map_err(|source| JournalError {
                problem: "its place can't be read",
                source: Some(source),
            })?,
            parts: parts.ok_or_else(unfit)?,
        })
    }
}

fn column(value: &Value) -> Option<(String, ColumnType)> {
    match value.as_array()?.as_slice() {
        [name, column] => Some((name.as_str()?.to_owned(), type_named(column.as_str()?)?)),
        _ => None,
    }
}

const TITLE: &str = "ots export journal 2";

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is no journal of an export: {}", self.problem)
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use ots_core::request::CreateTable;
    use ots_core::{Client, Credentials, transport::InProcess};
    use ots_emulator::Emulator;
    use ots_proto::messages::PrimaryKeyType;
    use proptest::prelude::*;

    use super::*;
    use crate::sink::Checksum;

    /// The place before the first row of a table.
    pub(crate) async fn checkpoint() -> TableCheckpoint {
        let service = Emulator::builder().build();
        let client = Client::builder("http://embedded").instance("local");
        let client = client
            .credentials(Credentials::new(
                Emulator::ACCESS_KEY_ID,
                Emulator::ACCESS_KEY_SECRET,
            ))
            .transport(InProcess::new(move |request| service.handle(request)))
            .build()
            .unwrap();
        let table = CreateTable::new("t").primary_key("id", PrimaryKeyType::Integer);
        client.send(table).await.unwrap();
        let scan = ots_scan::table_scan(client, "t").open().await.unwrap();
        scan.checkpoint()
    }

    async fn journal() -> Journal {
        Journal {
            asked: Asked::new([("table", json!("t")), ("created", Value::Null)]),
            columns: Some(vec![("a\n\"b".to_owned(), ColumnType::Double)]),
            round: 7,
            checkpoint: checkpoint().await,
            parts: vec![KeptPart::new(
                "part-00000-00006.csv".to_owned(),
                12,
                345,
                Checksum::of(b""),
            )],
        }
    }

    #[tokio::test]
    async fn a_journal_reads_back_and_nothing_else_does() {
        let journal = journal().await;
        let bytes = journal.to_bytes();
        assert_eq!(Journal::from_bytes(&bytes).unwrap(), journal);
        for cut in 0..bytes.len() {
            assert!(Journal::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        for (place, bit) in (0..bytes.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            // The digits of the checksum are written one way only.
            assert!(Journal::from_bytes(&flipped).is_err(), "{place}, {bit}");
        }
    }

    #[tokio::test]
    async fn a_part_is_a_plain_name_in_the_folder() {
        for name in [
            "../part-1",
            "part-/../../x",
            "part-\\x",
            "/part-1",
            "journal",
        ] {
            let mut journal = journal().await;
            journal.parts = vec![KeptPart::new(name.to_owned(), 1, 1, Checksum::of(b""))];
            let error = Journal::from_bytes(&journal.to_bytes()).unwrap_err();
            let text = "this is no journal of an export: its content doesn't fit";
            assert_eq!(error.to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in any::<Vec<u8>>(), titled in any::<bool>()) {
            let title = if titled { TITLE.as_bytes() } else { b"" };
            let bytes = [title, b"\n", &bytes].concat();
            prop_assert!(Journal::from_bytes(&bytes).is_err());
        }
    }
}
