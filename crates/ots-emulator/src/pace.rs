//! How often tables may be operated on, where the settings say so.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ots_proto::operation::{self, Operation};

use crate::database::{Database, lock};
use crate::error::ServiceError;
use crate::settings::Settings;

/// What was done to the tables of an instance lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    second: i64,
    /// Operations in that second.
    operations: u32,
    /// When tables were last updated.
    updated_ms: BTreeMap<String, i64>,
}

/// Counts an operation on tables; others are let through.
pub(crate) fn admit(
    settings: &Settings,
    database: &Mutex<Database>,
    name: &str,
    now_ms: i64,
) -> Result<(), ServiceError> {
    match settings.table_operations_per_s {
        Some(limit) if ON_TABLES.contains(&name) => lock(database).pace.count(limit, now_ms),
        _ => Ok(()),
    }
}

impl Pace {
    fn count(&mut self, limit: u32, now_ms: i64) -> Result<(), ServiceError> {
        let second = now_ms.div_euclid(1000);
        if self.second != second {
            (self.second, self.operations) = (second, 0);
        }
        if self.operations >= limit {
            let message = "Too frequent table operations.";
            return Err(ServiceError::new(403, "OTSQuotaExhausted", message));
        }
        self.operations += 1;
        Ok(())
    }

    /// Whether a table may be updated again.
    pub(crate) fn check_update(
        &self,
        settings: &Settings,
        table: &str,
        now_ms: i64,
    ) -> Result<(), ServiceError> {
        let pause = settings.table_update_pause;
        let is_too_soon = self.updated_ms.get(table).is_some_and(|updated_ms| {
            let since = u128::from(now_ms.saturating_sub(*updated_ms).max(0).unsigned_abs());
            since < pause.as_millis()
        });
        if is_too_soon {
            let code = "OTSTooFrequentReservedThroughputAdjustment";
            let message = "Capacity unit adjustment is too frequent.";
            return Err(ServiceError::new(403, code, message));
        }
        Ok(())
    }

    /// Notes that a table was updated.
    pub(crate) fn updated(&mut self, table: &str, now_ms: i64) {
        self.updated_ms.insert(table.to_owned(), now_ms);
    }

    /// Notes that a table is new: an earlier one of its name doesn't count.
    pub(crate) fn created(&mut self, table: &str) {
        self.updated_ms.remove(table);
    }
}

const ON_TABLES: [&str; 5] = [
    operation::CreateTable::NAME,
    operation::ListTable::NAME,
    operation::DescribeTable::NAME,
    operation::UpdateTable::NAME,
    operation::DeleteTable::NAME,
];
