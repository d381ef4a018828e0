//! What a write asks of the row it changes.

use ots_proto::messages::{self, RowExistenceExpectation};

use crate::database::TableMeta;
use crate::error::ServiceError;
use crate::filter::{Filter, Found};
use crate::stored::StoredRow;
use crate::versions::Visibility;

/// The condition of a write.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) existence: RowExistenceExpectation,
    pub(crate) filter: Option<Filter>,
}

impl Condition {
    pub(crate) fn parse(message: &messages::Condition) -> Result<Self, ServiceError> {
        let existence = RowExistenceExpectation::try_from(message.row_existence).map_err(|_| {
            ServiceError::parameter(format!(
                "Invalid row existence expectation: {}.",
                message.row_existence
            ))
        })?;
        let filter = message
            .column_condition
            .as_deref()
            .filter(|bytes| !bytes.is_empty())
            .map(Filter::parse)
            .transpose()?;
        Ok(Self { existence, filter })
    }

    /// Whether the write goes ahead without looking at the row.
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self.existence, RowExistenceExpectation::Ignore) && self.filter.is_none()
    }

    /// Checks the row as it is; `row` must be visible.
    pub(crate) fn check(
        &self,
        meta: &TableMeta,
        row: Option<&StoredRow>,
        visibility: &Visibility,
    ) -> Result<(), ServiceError> {
        let exists_as_expected = match self.existence {
            RowExistenceExpectation::Ignore => true,
            RowExistenceExpectation::ExpectExist => row.is_some(),
            RowExistenceExpectation::ExpectNotExist => row.is_none(),
        };
        let columns_pass = || {
            self.filter.as_ref().is_none_or(|filter| {
                filter.passes(&|name: &str| match row {
                    // An absent row is one whose columns are all missing.
                    None => Found::Versions(&[]),
                    Some(row) => meta.key_value(row, name).map_or_else(
                        || Found::Versions(visibility.of(row.versions(name))),
                        |value| Found::Key(value.as_ref()),
                    ),
                })
            })
        };
        if exists_as_expected && columns_pass() {
            Ok(())
        } else {
            let message = "Condition check failed.";
            Err(ServiceError::new(403, "OTSConditionCheckFail", message))
        }
    }

    /// The name of the existence expectation, as messages spell it.
    pub(crate) const fn existence_name(&self) -> &'static str {
        match self.existence {
            RowExistenceExpectation::Ignore => "IGNORE",
            RowExistenceExpectation::ExpectExist => "EXPECT_EXIST",
            RowExistenceExpectation::ExpectNotExist => "EXPECT_NOT_EXIST",
        }
    }
}
