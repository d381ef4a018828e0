//! The options of a table: what a request may say of them, and what a response shows.

use ots_proto::messages;

use crate::database::TableOptions;
use crate::error::ServiceError;

impl TableOptions {
    /// The options of a new table. Time to live and versions must be given.
    pub(crate) fn create(message: Option<&messages::TableOptions>) -> Result<Self, ServiceError> {
        let message = message.copied().unwrap_or_default();
        let missing = |what: &str| {
            ServiceError::parameter(format!("{what} is missing while creating table."))
        };
        let time_to_live_s = message
            .time_to_live
            .ok_or_else(|| missing("Time-to-live"))?;
        let max_versions = message.max_versions.ok_or_else(|| missing("MaxVersions"))?;
        if message.update_full_row == Some(true) {
            return Err(ServiceError::unimplemented(
                "tables whose updates must rewrite the full row",
            ));
        }
        Self {
            time_to_live_s,
            max_versions,
            max_deviation_s: message.deviation_cell_version_in_sec.unwrap_or_default(),
            allow_update: message.allow_update.unwrap_or(true),
        }
        .checked()
    }

    /// These options with the changes of an UpdateTable; what it doesn't mention stays.
    pub(crate) fn update(self, message: &messages::TableOptions) -> Result<Self, ServiceError> {
        if message.update_full_row.is_some() {
            return Err(ServiceError::parameter(
                "The table options of UpdateTable cannot contain updateFullRow.",
            ));
        }
        if *message == messages::TableOptions::default() {
            let message = "No parameter is specified in table options.";
            return Err(ServiceError::parameter(message));
        }
        Self {
            time_to_live_s: message.time_to_live.unwrap_or(self.time_to_live_s),
            max_versions: message.max_versions.unwrap_or(self.max_versions),
            max_deviation_s: message
                .deviation_cell_version_in_sec
                .unwrap_or(self.max_deviation_s),
            allow_update: message.allow_update.unwrap_or(self.allow_update),
        }
        .checked()
    }

    /// Every field is there: clients read them unchecked.
    pub(crate) fn to_message(self) -> messages::TableOptions {
        messages::TableOptions {
            time_to_live: Some(self.time_to_live_s),
            max_versions: Some(self.max_versions),
            deviation_cell_version_in_sec: Some(self.max_deviation_s),
            allow_update: Some(self.allow_update),
            update_full_row: Some(false),
            ..messages::TableOptions::default()
        }
    }

    fn checked(mut self) -> Result<Self, ServiceError> {
        // Public documentation wants at least a day, but official SDKs' tests use less.
        if self.time_to_live_s != -1 && self.time_to_live_s <= 0 {
            return Err(ServiceError::parameter(
                "TimeToLive cannot be 0 or less than -1.",
            ));
        }
        if self.max_versions <= 0 {
            // Without a dot, as the tests compare it.
            return Err(ServiceError::parameter(
                "The maximum versions cannot be less than or equal to 0",
            ));
        }
        if !(0..=i64::MAX / 1_000_000).contains(&self.max_deviation_s) {
            return Err(ServiceError::parameter(
                "The maximum deviation must be in range [0, INT64_MAX/1000000].",
            ));
        }
        if self.max_deviation_s == 0 {
            self.max_deviation_s = DEFAULT_DEVIATION_S;
        }
        Ok(self)
    }
}

const DEFAULT_DEVIATION_S: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(time_to_live: Option<i32>, max_versions: Option<i32>) -> messages::TableOptions {
        messages::TableOptions {
            time_to_live,
            max_versions,
            ..messages::TableOptions::default()
        }
    }

    fn refusal(message: messages::TableOptions) -> String {
        TableOptions::create(Some(&message)).unwrap_err().message
    }

    #[test]
    fn a_new_table_needs_time_to_live_and_versions() {
        let text = "Time-to-live is missing while creating table.";
        assert_eq!(TableOptions::create(None).unwrap_err().message, text);
        assert_eq!(refusal(message(None, Some(1))), text);
        let text = "MaxVersions is missing while creating table.";
        assert_eq!(refusal(message(Some(-1), None)), text);

        let options = TableOptions::create(Some(&message(Some(-1), Some(1)))).unwrap();
        assert_eq!(options.max_deviation_s, 86_400);
        assert!(options.allow_update);
    }

    #[test]
    fn bounds() {
        for ttl in [0, -2] {
            let text = "TimeToLive cannot be 0 or less than -1.";
            assert_eq!(refusal(message(Some(ttl), Some(1))), text);
        }
        for versions in [0, -1] {
            let text = "The maximum versions cannot be less than or equal to 0";
            assert_eq!(refusal(message(Some(-1), Some(versions))), text);
        }
        for (deviation, fits) in [
            (-1, false),
            (0, true),
            (i64::MAX / 1_000_000, true),
            (i64::MAX / 1_000_000 + 1, false),
        ] {
            let options = messages::TableOptions {
                deviation_cell_version_in_sec: Some(deviation),
                ..message(Some(i32::MAX), Some(i32::MAX))
            };
            assert_eq!(
                TableOptions::create(Some(&options)).is_ok(),
                fits,
                "{deviation}"
            );
        }
    }

    #[test]
    fn an_update_keeps_what_it_does_not_mention() {
        let options = TableOptions::create(Some(&message(Some(172_800), Some(3)))).unwrap();
        let changed = options.update(&message(None, Some(5))).unwrap();
        assert_eq!(
            changed,
            TableOptions {
                max_versions: 5,
                ..options
            }
        );

        let empty = messages::TableOptions::default();
        assert_eq!(
            options.update(&empty).unwrap_err().message,
            "No parameter is specified in table options."
        );
        let full_row = messages::TableOptions {
            update_full_row: Some(true),
            ..empty
        };
        let refusal = options.update(&full_row).unwrap_err().message;
        assert!(refusal.contains("contain updateFullRow"), "{refusal}");
    }
}
