//! What a rule may ask of a request: the names it carries.

use bytes::Bytes;
use ots_proto::operation::{self, Idempotency, Operation};

use super::FaultMatch;

/// The names in a request.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    operation: String,
    tables: Vec<String>,
    index: Option<String>,
    split: Option<i32>,
    only_reads: bool,
}

impl Facts {
    /// Reads a request. One that can't be read has no names but its operation's.
    pub(crate) fn of(name: &str, body: &Bytes) -> Self {
        let mut facts = Self::names(name, body.clone()).unwrap_or_default();
        name.clone_into(&mut facts.operation);
        let reads = |(known, idempotency): &(_, _)| {
            *known == name && *idempotency == Idempotency::NoSideEffects
        };
        facts.only_reads = operation::ALL.iter().any(reads);
        facts
    }

    /// Whether the operation changes nothing.
    pub(crate) const fn only_reads(&self) -> bool {
        self.only_reads
    }

    /// The search index, with its table.
    pub(crate) fn index(&self) -> Option<(&str, &str)> {
        Some((self.tables.first()?, self.index.as_deref()?))
    }

    /// Whether the request fits everything the rule names, its counters aside.
    pub(crate) fn fit(&self, wanted: &FaultMatch) -> bool {
        let operation = wanted.operation.as_ref();
        let table = wanted.table.as_ref();
        operation.is_none_or(|name| *name == self.operation)
            && table.is_none_or(|name| self.tables.contains(name))
            && (wanted.index.is_none() || wanted.index == self.index)
            && (wanted.split.is_none() || wanted.split == self.split)
    }

    fn names(name: &str, body: Bytes) -> Option<Self> {
        macro_rules! only_table {
            ($($operation:ident),*) => {
                match name {
                    $(operation::$operation::NAME => {
                        table_of::<operation::$operation>(body)
                    })*
                    _ => None,
                }
            };
        }
        match name {
            operation::BatchGetRow::NAME => {
                let request = decode::<operation::BatchGetRow>(body)?;
                let tables = request.tables.into_iter();
                Some(Self::tables(tables.map(|table| table.table_name)))
            }
            operation::BatchWriteRow::NAME => {
                let request = decode::<operation::BatchWriteRow>(body)?;
                let tables = request.tables.into_iter();
                Some(Self::tables(tables.map(|table| table.table_name)))
            }
            operation::Search::NAME => {
                let request = decode::<operation::Search>(body)?;
                Some(Self::of_index(request.table_name, request.index_name))
            }
            operation::ComputeSplits::NAME => {
                let request = decode::<operation::ComputeSplits>(body)?;
                let options = request.search_index_splits_options;
                let index = options.and_then(|options| options.index_name);
                Some(Self::of_index(request.table_name, index))
            }
            operation::ParallelScan::NAME => {
                let request = decode::<operation::ParallelScan>(body)?;
                let query = request.scan_query.unwrap_or_default();
                Some(Self {
                    split: Some(query.current_parallel_id.unwrap_or(0)),
                    ..Self::of_index(request.table_name, request.index_name)
                })
            }
            operation::CreateSearchIndex::NAME => {
                let request = decode::<operation::CreateSearchIndex>(body)?;
                let index = Some(request.index_name);
                Some(Self::of_index(Some(request.table_name), index))
            }
            operation::UpdateSearchIndex::NAME => {
                let request = decode::<operation::UpdateSearchIndex>(body)?;
                Some(Self::of_index(request.table_name, request.index_name))
            }
            operation::DeleteSearchIndex::NAME => {
                let request = decode::<operation::DeleteSearchIndex>(body)?;
                Some(Self::of_index(request.table_name, request.index_name))
            }
            operation::DescribeSearchIndex::NAME => {
                let request = decode::<operation::DescribeSearchIndex>(body)?;
                Some(Self::of_index(request.table_name, request.index_name))
            }
            _ => only_table!(
                CreateTable,
                DescribeTable,
                UpdateTable,
                DeleteTable,
                AddDefinedColumn,
                DeleteDefinedColumn,
                CreateIndex,
                DropIndex,
                GetRow,
                PutRow,
                UpdateRow,
                DeleteRow,
                GetRange,
                BulkImport,
                BulkExport,
                ComputeSplitPointsBySize,
                StartLocalTransaction,
                ListSearchIndex
            ),
        }
    }

    fn tables(names: impl Iterator<Item = String>) -> Self {
        Self {
            tables: names.collect(),
            ..Self::default()
        }
    }

    fn of_index(table: Option<String>, index: Option<String>) -> Self {
        Self {
            index,
            ..Self::tables(table.into_iter())
        }
    }
}

fn table_of<O: Operation>(body: Bytes) -> Option<Facts> {
    let request = decode::<O>(body)?;
    let table = O::table(&request).map(str::to_owned);
    Some(Facts::tables(table.into_iter()))
}

fn decode<O: Operation>(body: Bytes) -> Option<O::Request> {
    O::decode_request(body).ok()
}
