//! Record batches as files of an export.
//!
//! An export is staged as a whole, in a hidden folder of the output directory that is locked while the
//! process is at it: [`Staging`]. Each part reaches the disk there before it counts as finished;
//! [`Staging::commit`] gives all parts their names at the end, and then an empty file [`MARK`] its own.
//! Until then no file of the export has its final name. A process that ends while names are given out
//! leaves a record of what it was at, and [`Staging::recover`] gives the others theirs; an error then
//! takes back the names that were given. So a reader who waits for the mark sees an export or none, and
//! dropping anything takes its files away, or leaves those that an export goes on with.
//!
//! | | |
//! |---|---|
//! | names | `part-{split:05}-{seq:05}.{parquet,csv,jsonl}` |
//! | Parquet | snappy, row groups of at most 65,536 rows and about 6 MiB of memory |
//! | CSV | one line of names, also without any row; null and empty text are both an empty field |
//! | JSON lines | one object a row; null values are left out |
//! | binary | base64 with padding in CSV and JSON lines, as it is in Parquet |

mod checksum;
mod commit;
mod directory;
mod encode;
mod error;
mod kept;
mod lock;
mod part;
mod sealed;
mod staged;
mod staging;

pub use checksum::Checksum;
pub use directory::{CommittedPart, MARK};
pub use encode::Format;
pub use error::{Change, Error, ErrorKind};
pub use kept::KeptPart;
pub use part::{FinishedPart, PartWriter};
pub use sealed::{UNFIT, seal, unseal};
pub use staging::{Parts, Recovered, Staging};
