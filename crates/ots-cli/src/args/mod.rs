//! The command line.

mod export;

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::connect::Connection;

pub(crate) use export::RESTARTS;
pub use export::{Export, Format, ReadBy};

/// Load, read and export tables of Alibaba Cloud Tablestore.
///
/// Data goes to standard output or files, everything else to standard error.
#[derive(Debug, Parser)]
#[command(name = "ots", version, max_term_width = 100, after_help = CREDENTIALS)]
pub struct Arguments {
    /// Where the service is
    #[command(flatten)]
    pub connection: Connection,

    /// How to show progress
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        value_name = "HOW",
        help_heading = "Options of every command"
    )]
    pub progress: ProgressStyle,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const CREDENTIALS: &str = "\
Credentials come from the environment: TABLESTORE_ACCESS_KEY_ID, TABLESTORE_ACCESS_KEY_SECRET and,
if temporary, TABLESTORE_SESSION_TOKEN; else ALIBABA_CLOUD_ACCESS_KEY_ID,
ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN. An emulator on this computer needs
none.";

/// How to show progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "part of the command line")]
pub enum ProgressStyle {
    /// Bars on a terminal that can draw them, lines elsewhere
    #[default]
    #[value(alias = "bar")]
    Auto,
    /// A line every few seconds
    Plain,
    /// Nothing
    None,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(clippy::exhaustive_enums, reason = "part of the command line")]
pub enum Command {
    /// Show the whole road on this computer: an embedded Tablestore, a table, an index, an export
    Quickstart(Quickstart),
    /// Run an emulator of Tablestore on this computer
    Emulator(EmulatorArguments),
    /// Write the rows of a CSV or Parquet file into a table
    Load(Load),
    /// Export a table, or what an index finds, to Parquet, CSV or JSON lines
    Export(Box<Export>),
    /// Print rows of a table in the order of their keys, as JSON lines
    Range(Range),
    /// Print rows that a query finds in an index, as JSON lines
    Search(Search),
}

/// Arguments of `ots quickstart`.
#[derive(Args, Debug)]
#[expect(clippy::exhaustive_structs, reason = "part of the command line")]
pub struct Quickstart {
    /// Directory for the exported files
    #[arg(long, value_name = "DIR", default_value = "./ots-quickstart")]
    pub out: PathBuf,
}

/// Arguments of `ots emulator`.
#[derive(Args, Debug)]
#[expect(clippy::exhaustive_structs, reason = "part of the command line")]
pub struct EmulatorArguments {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8087", value_parser = listen)]
    pub listen: String,

    /// Write the port here once it is listening
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,

    /// How many splits a parallel scan may have
    #[arg(long, value_name = "N", default_value = "8", value_parser = splits)]
    pub splits: NonZeroU32,

    /// Whether the service's waits and rates are enforced, besides its limits
    #[arg(long, value_enum, default_value_t)]
    pub profile: Profile,

    /// Milliseconds that search indexes are behind their tables; that of the profile when absent
    #[arg(long, value_name = "MS")]
    pub index_delay: Option<u64>,

    /// Keep all data in this directory; in memory when absent
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Begin with what this snapshot holds: a directory that one was written to, or its file
    #[arg(long, value_name = "PATH")]
    pub restore: Option<PathBuf>,

    /// Access keys that may come in, as JSON: [{"id": "..", "secret": ".."}]
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// Let other computers connect, where --listen does; needs access keys of your own
    #[arg(long)]
    pub allow_remote: bool,

    /// What goes wrong on purpose: fault rules as JSON, as the admin API takes them
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,

    /// Draw what comes by chance from this number
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// How much an emulator makes its clients wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "part of the command line")]
pub enum Profile {
    /// Not at all: what suits tests
    #[default]
    Lenient,
    /// As the service does: two minutes between updates of a table, ten scans at once
    Strict,
}

/// Arguments of `ots load`.
#[derive(Args, Debug)]
#[expect(clippy::exhaustive_structs, reason = "part of the command line")]
pub struct Load {
    /// Table to write to
    #[arg(long, value_name = "NAME")]
    pub table: String,

    /// Columns of the primary key, in order
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    pub key: Vec<String>,

    /// Add a column with a running number, from 0; it can serve as key
    #[arg(long, value_name = "NAME")]
    pub row_number: Option<String>,

    /// Create the table first
    #[arg(long)]
    pub create: bool,

    /// Create a search index over the columns of the file, unless the table has it
    #[arg(long, value_name = "NAME")]
    pub index: Option<String>,

    /// Requests in flight
    #[arg(long, value_name = "N", default_value = "4", value_parser = requests)]
    pub parallel: NonZeroU32,

    /// A .csv file with a header, or a .parquet file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// The name of the host is looked up later.
fn listen(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    let is_one = parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_one {
        Ok(text.to_owned())
    } else {
        Err("expected HOST:PORT, as in 127.0.0.1:8087 or localhost:8087".to_owned())
    }
}

fn requests(text: &str) -> Result<NonZeroU32, String> {
    number_to(text, MAX_REQUESTS)
}

/// Each holds up to 3 MB, and more don't make one table faster.
const MAX_REQUESTS: u32 = 64;

fn splits(text: &str) -> Result<NonZeroU32, String> {
    number_to(text, MAX_SPLITS)
}

/// An export opens a file for each split: more than a process may open would help nobody.
const MAX_SPLITS: u32 = 256;

fn number_to(text: &str, max: u32) -> Result<NonZeroU32, String> {
    match text.parse::<NonZeroU32>() {
        Ok(number) if number.get() <= max => Ok(number),
        _ => Err(format!("expected a number from 1 to {max}")),
    }
}

/// Arguments of `ots range`.
#[derive(Args, Debug)]
#[expect(clippy::exhaustive_structs, reason = "part of the command line")]
pub struct Range {
    /// Table to read
    #[arg(long, value_name = "NAME")]
    pub table: String,

    /// By falling key
    #[arg(long)]
    pub reverse: bool,

    /// Rows to skip; of them only the keys are read, unless columns are chosen
    #[arg(long, value_name = "N", default_value = "0")]
    pub offset: u64,

    /// Rows to print; all when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Rows to ask for in a request; fewer come where the service allows no more
    #[arg(long, value_name = "N")]
    pub page_size: Option<NonZeroU32>,

    /// Go on where an earlier command with the same arguments and a limit ended
    #[arg(long, value_name = "TOKEN")]
    pub page_token: Option<String>,

    /// First key to print, as JSON: {"zone": "cn", "id": 7}; its leading columns are enough
    #[arg(long, value_name = "KEY")]
    pub start_pk: Option<String>,

    /// Key to stop before, as JSON; its leading columns are enough
    #[arg(long, value_name = "KEY")]
    pub end_pk: Option<String>,

    /// Columns to print besides the primary key; rows that have none of them are left out
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,

    /// Also count all rows, by their keys; takes time and capacity units for all of them
    #[arg(long)]
    pub total: bool,
}

/// Arguments of `ots search`.
#[derive(Args, Debug)]
#[expect(clippy::exhaustive_structs, reason = "part of the command line")]
pub struct Search {
    /// Table that the index belongs to
    #[arg(long, value_name = "NAME")]
    pub table: String,

    /// Search index to ask
    #[arg(long, value_name = "NAME")]
    pub index: String,

    /// File with a query as JSON, as in {"term": {"city": "Hangzhou"}}; every row when absent
    #[arg(long, value_name = "FILE")]
    pub query_json: Option<PathBuf>,

    /// Columns to print besides the primary key; all when absent
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,

    /// Field to sort by; the primary key when absent
    #[arg(long, value_name = "FIELD")]
    pub sort: Option<String>,

    /// In falling order
    #[arg(long)]
    pub reverse: bool,

    /// Rows to skip, however many
    #[arg(long, value_name = "N", default_value = "0")]
    pub offset: u64,

    /// Rows to print; all when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Rows to ask for in a request; the service allows 100, or 1000 if the index has all columns
    #[arg(long, value_name = "N")]
    pub page_size: Option<NonZeroU32>,

    /// Go on where an earlier command with the same arguments and a limit ended
    #[arg(long, value_name = "TOKEN")]
    pub page_token: Option<String>,

    /// Also count all rows that match
    #[arg(long)]
    pub total: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn arguments_out_of_range_are_refused() {
        let cases: [&[&str]; 7] = [
            &[
                "ots",
                "export",
                "--table",
                "t",
                "--index",
                "i",
                "--out",
                "d",
                "--parallel",
                "0",
            ],
            &[
                "ots",
                "export",
                "--table",
                "t",
                "--index",
                "i",
                "--out",
                "d",
                "--parallel",
                "11",
            ],
            &["ots", "range", "--table", "t", "--limit", "0"],
            &["ots", "range", "--table", "t", "--offset", "-1"],
            &["ots", "emulator", "--splits", "0"],
            &["ots", "emulator", "--splits", "257"],
            &[
                "ots",
                "load",
                "--table",
                "t",
                "--key",
                "k",
                "--parallel",
                "65",
                "f.csv",
            ],
        ];
        for case in cases {
            let error = Arguments::try_parse_from(case).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{case:?}");
        }
    }
}
