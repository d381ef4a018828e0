//! The command line of `ots export`.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::number_to;

/// Arguments of `ots export`.
#[derive(Args, Debug)]
#[expect(clippy::exhaustive_structs, reason = "part of the command line")]
#[command(after_help = ROADS)]
pub struct Export {
    /// Table to export, or that the index belongs to
    #[arg(long, value_name = "NAME")]
    pub table: String,

    /// Search index to scan; the table itself is read when absent
    #[arg(long, value_name = "NAME")]
    pub index: Option<String>,

    /// Columns besides the key, of a table also with types: city,price:DOUBLE; all when absent
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,

    /// Format of the files
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Splits of an index, or ranges of a table, to read at once; the service allows ten
    #[arg(long, value_name = "N", default_value = "8", value_parser = parallel)]
    pub parallel: NonZeroU32,

    /// Directory for the files; must not hold the files of another export
    #[arg(long, value_name = "DIR", required_unless_present = "plan")]
    pub out: Option<PathBuf>,

    /// Say what would be read and about what that costs, and read nothing
    #[arg(long)]
    pub plan: bool,

    /// File with a query as JSON, as in {"term": {"city": "Hangzhou"}}; every row when absent
    #[arg(long, value_name = "FILE", help_heading = "With an index")]
    pub query_json: Option<PathBuf>,

    /// How often to begin anew when the service gives up the session; 3 when absent
    #[arg(long, value_name = "N", help_heading = "With an index")]
    pub restarts: Option<u32>,

    /// First key to export, as JSON: {"zone": "cn", "id": 7}; its leading columns are enough
    #[arg(long, value_name = "KEY", help_heading = "Without an index")]
    pub start_pk: Option<String>,

    /// Key to stop before, as JSON; its leading columns are enough
    #[arg(long, value_name = "KEY", help_heading = "Without an index")]
    pub end_pk: Option<String>,

    /// Operation that reads the pages
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "OPERATION",
        help_heading = "Without an index"
    )]
    pub read_by: ReadBy,

    /// Go on with an export into the same directory that was interrupted
    #[arg(long, help_heading = "Without an index")]
    pub resume: bool,

    /// Rows, or 256 MB, after which files are finished and kept; 1,000,000 when absent
    #[arg(long, value_name = "N", help_heading = "Without an index")]
    pub checkpoint_rows: Option<NonZeroU64>,
}

/// Which road is taken, for whoever reads the help.
const ROADS: &str = "\
With --index: what a query finds, by parallel scan, as it was at one moment. Such a scan lives in a \
session, so what was interrupted begins anew.

Without: every row of the table, by ranges of keys, each page as it was when it was read. What was \
interrupted goes on with --resume; a kill costs about two times --checkpoint-rows at most.";

/// A session is lost when an index changes or a node fails: rarely, and hardly ever thrice in a row.
pub(crate) const RESTARTS: u32 = 3;

fn parallel(text: &str) -> Result<NonZeroU32, String> {
    number_to(text, MAX_PARALLEL)
}

/// The service runs ten scan tasks at once; more splits would only wait.
const MAX_PARALLEL: u32 = 10;

/// What reads the pages of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "part of the command line")]
pub enum ReadBy {
    /// GetRange, which every instance has, for read capacity units
    #[default]
    GetRange,
    /// BulkExport, which is charged by the byte
    BulkExport,
    /// BulkExport, or GetRange where the service refuses that
    Auto,
}

/// Format of exported files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "part of the command line")]
pub enum Format {
    /// Parquet, compressed by Snappy
    #[default]
    Parquet,
    /// CSV with a header
    Csv,
    /// One JSON object a line
    Jsonl,
}
