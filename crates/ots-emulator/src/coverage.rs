//! What the emulator answers, operation by operation, for people to read before they are surprised.

/// How much of an operation is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// All that the public documentation tells of.
    Implemented,
    /// Parts are refused, with a sentence that names the emulator.
    Partial,
    /// Refused, with a sentence that names the emulator.
    Refused,
}

/// What there is to say of an operation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OperationCoverage {
    /// Its name.
    pub operation: &'static str,
    /// How much of it is there.
    pub coverage: Coverage,
    /// What is there, or isn't.
    pub sentence: &'static str,
}

/// Every operation of the service, in the order of `proto/ots_service.proto`.
///
/// A test holds it against what the emulator answers.
///
/// ```
/// use ots_emulator::{Coverage, coverage};
///
/// let scan = coverage().iter().find(|entry| entry.operation == "ParallelScan");
/// assert!(scan.is_some_and(|entry| entry.coverage != Coverage::Refused));
/// ```
#[must_use]
pub const fn coverage() -> &'static [OperationCoverage] {
    OPERATIONS
}

const fn entry(
    operation: &'static str,
    coverage: Coverage,
    sentence: &'static str,
) -> OperationCoverage {
    OperationCoverage {
        operation,
        coverage,
        sentence,
    }
}

use Coverage::{Implemented, Partial, Refused};

#[rustfmt::skip]
const OPERATIONS: &[OperationCoverage] = &[
    entry("CreateTable", Partial, "Keys, options, stream and encryption settings; no secondary indexes, no local transactions, no updates that must rewrite full rows."),
    entry("ListTable", Implemented, "Sorted bytewise."),
    entry("DescribeTable", Implemented, "Tables are ready at once; throughput, stream and encryption are shown and change nothing."),
    entry("UpdateTable", Implemented, "As often as one likes, or every two minutes with the strict settings, as the service wants."),
    entry("DeleteTable", Implemented, "Refused while the table has a search index, as the service does."),
    entry("AddDefinedColumn", Implemented, "Up to 32; they bind no value, as there are no secondary indexes."),
    entry("DeleteDefinedColumn", Implemented, "Rows keep what they have of them."),
    entry("CreateIndex", Refused, "There are no secondary indexes."),
    entry("DropIndex", Refused, "There are no secondary indexes."),
    entry("GetRow", Partial, "Versions, time ranges, filters, columns by name and by range; rows are cut from a size that the settings name, which by default is never; no transactions."),
    entry("PutRow", Partial, "Conditions, versions, generated keys; no transactions."),
    entry("UpdateRow", Partial, "Conditions, versions, atomic counters; no transactions."),
    entry("DeleteRow", Partial, "Conditions; no transactions."),
    entry("BatchGetRow", Partial, "As GetRow."),
    entry("BatchWriteRow", Partial, "Each row for itself or all or none; no transactions."),
    entry("GetRange", Partial, "Both directions, filters, both readings of `limit`, PlainBuffer and SimpleRowMatrix, cut rows as GetRow; no transactions."),
    entry("BulkImport", Refused, "BatchWriteRow does the same in smaller pieces."),
    entry("BulkExport", Implemented, "Both blocks, in pages as large as those of GetRange."),
    entry("ComputeSplitPointsBySize", Implemented, "By the bytes of names and values; all splits lie in one place."),
    entry("StartLocalTransaction", Refused, "There are no transactions; an atomic BatchWriteRow is the nearest."),
    entry("CommitTransaction", Refused, "There are no transactions."),
    entry("AbortTransaction", Refused, "There are no transactions."),
    entry("CreateSearchIndex", Partial, "Ready at once, and behind the table by as much as the settings say, by default not at all; every type of field but FLATTENED; time to live."),
    entry("UpdateSearchIndex", Implemented, "Switches an index with its new one, shares searches, changes the time to live."),
    entry("DeleteSearchIndex", Implemented, "Its sessions end with it."),
    entry("ListSearchIndex", Implemented, "Of one table or of all."),
    entry("DescribeSearchIndex", Implemented, "Always in its incremental phase."),
    entry("Search", Implemented, "Exact; scores and Chinese words are approximations, see the module docs."),
    entry("ComputeSplits", Implemented, "As many splits as the settings say."),
    entry("ParallelScan", Implemented, "The snapshot of a session is that of its first scan; rows once, whatever is written meanwhile."),
    entry("SQLQuery", Refused, "There is no SQL."),
];
