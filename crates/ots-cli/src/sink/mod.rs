//! Record batches as files of an export.
//!
//! An export is staged as a whole. Each part is written under a hidden temporary name in the output
//! directory and reaches the disk before it counts as finished; [`OutputDir::commit_all`] gives all
//! parts their names at the end. Until then no file of the export has its final name, so a reader of
//! the directory sees a finished export or none, and dropping anything takes its files away.
//!
//! An export that can be gone on with is staged in a folder of its own, [`Staging`], whose finished
//! parts stay.
//!
//! | | |
//! |---|---|
//! | names | `part-{split:05}-{seq:05}.{parquet,csv,jsonl}` |
//! | Parquet | snappy, row groups of at most 65,536 rows and about 6 MiB of memory |
//! | CSV | one line of names, also without any row; null and empty text are both an empty field |
//! | JSON lines | one object a row; null values are left out |
//! | binary | base64 with padding in CSV and JSON lines, as it is in Parquet |

mod encode;
mod error;
mod output;
mod part;
mod staged;
mod staging;

pub use encode::Format;
pub use error::{Error, ErrorKind};
pub use output::{CommittedPart, OutputDir};
pub use part::{FinishedPart, PartWriter};
pub use staging::{KeptPart, Parts, Staging};
