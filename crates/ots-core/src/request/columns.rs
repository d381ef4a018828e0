//! Which columns of a row a search or a scan returns.

use ots_proto::messages::{self, ColumnReturnType};

/// Which columns a search returns besides the primary key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Columns {
    /// Every column of the table's row, read from the table.
    #[default]
    All,
    /// Every column the index can return, without reading the table.
    AllFromIndex,
    /// These columns.
    Specified(Vec<String>),
    /// None: the primary key alone.
    PrimaryKey,
}

/// Which columns a parallel scan returns besides the primary key.
///
/// A scan reads the index, so the service's "all columns of the table" is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanColumns {
    /// Every column the index can return.
    #[default]
    AllFromIndex,
    /// These columns.
    Specified(Vec<String>),
    /// None: the primary key alone.
    PrimaryKey,
}

impl From<ScanColumns> for Columns {
    fn from(columns: ScanColumns) -> Self {
        match columns {
            ScanColumns::AllFromIndex => Self::AllFromIndex,
            ScanColumns::Specified(names) => Self::Specified(names),
            ScanColumns::PrimaryKey => Self::PrimaryKey,
        }
    }
}

impl Columns {
    pub(super) fn into_message(self) -> messages::ColumnsToGet {
        let (return_type, column_names) = match self {
            Self::All => (ColumnReturnType::All, Vec::new()),
            Self::AllFromIndex => (ColumnReturnType::AllFromIndex, Vec::new()),
            Self::Specified(names) => (ColumnReturnType::Specified, names),
            Self::PrimaryKey => (ColumnReturnType::None, Vec::new()),
        };
        messages::ColumnsToGet {
            return_type: Some(return_type.into()),
            column_names,
        }
    }
}

impl ScanColumns {
    pub(super) fn into_message(self) -> messages::ColumnsToGet {
        Columns::from(self).into_message()
    }
}
