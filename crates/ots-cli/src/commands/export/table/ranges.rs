//! Which ranges of a table are read, and about what that costs.

use std::num::NonZeroU64;

use ots_core::Client;
use ots_scan::{ReadBy, TableRoad, TableScanBuilder, TableScanPlan, table_scan};

use super::Job;
use super::columns::Looked;
use super::failure::of_scan;
use crate::args;
use crate::failure::{Exit, Failure};
use crate::figures::{Bytes, Count, Of};
use crate::table_export::Wanted;

impl Job {
    /// The scan of the whole range, with the columns pushed down.
    pub(super) fn scan(&self) -> TableScanBuilder<Client> {
        let scan = self.whole();
        let Wanted::These(wanted) = &self.wanted else {
            return scan;
        };
        let names = wanted.iter().map(|(name, _)| name.as_str());
        // A row without any of the columns isn't there for the service. With a key column among them
        // every row is.
        let key = self
            .description
            .primary_key
            .first()
            .map(|key| key.name.as_str());
        scan.columns(names.chain(key))
    }

    fn whole(&self) -> TableScanBuilder<Client> {
        let (client, table) = (self.connected.client.clone(), &self.description.name);
        let mut scan = table_scan(client, table)
            .concurrency(self.parallel)
            .read_by(match self.read_by {
                args::ReadBy::GetRange => ReadBy::GetRange,
                args::ReadBy::BulkExport => ReadBy::BulkExport,
                args::ReadBy::Auto => ReadBy::Auto,
            });
        if let Some(start) = &self.start {
            scan = scan.start(start.clone());
        }
        if let Some(end) = &self.end {
            scan = scan.end(end.clone());
        }
        scan
    }

    /// The plan of the scan, in ranges small enough that as many as wanted are read at once, and what
    /// it took to find them.
    pub(super) async fn in_parts(&self) -> Result<(TableScanPlan, Looked), Failure> {
        let failed = |error| {
            let failure = of_scan(self.to_string(), error);
            match self.start.is_some() && self.end.is_some() && failure.exit() == Exit::Usage {
                true => {
                    failure.advise("--start-pk is the smaller key, and that of --end-pk stays out")
                }
                false => failure,
            }
        };
        let scan = self.scan();
        let plan = scan.plan().await.map_err(failed)?;
        let mut looked = Looked::default();
        looked.add(plan.consumed);
        let enough = self.parallel.saturating_mul(2);
        if plan.ranges >= enough {
            return Ok((plan, looked));
        }
        let part_bytes = plan.stored_bytes.end() / u64::from(enough);
        let part_bytes = NonZeroU64::new(part_bytes.max(LEAST_PART_BYTES));
        let scan = scan.part_bytes(part_bytes.unwrap_or(NonZeroU64::MIN));
        let plan = scan.plan().await.map_err(failed)?;
        looked.add(plan.consumed);
        Ok((plan, looked))
    }

    pub(super) async fn describe_plan(&self) -> Result<String, Failure> {
        let (plan, _) = self.in_parts().await?;
        let at_once = match plan.road {
            TableRoad::SideBySide { ranges } => format!(", {ranges} at a time"),
            _ => String::new(),
        };
        let (stored, units) = (&plan.stored_bytes, &plan.read_units);
        let cost = match plan.read_by {
            ReadBy::BulkExport => "charged by the byte".to_owned(),
            _ => format!(
                "about {} to {}",
                Count(*units.start()),
                Of(*units.end(), "read capacity unit")
            ),
        };
        Ok(format!(
            "{self}: by {}, {}{at_once}: {} to {} stored, at least {}, {cost}",
            plan.read_by,
            Of(plan.ranges.into(), "range"),
            Bytes(*stored.start()),
            Bytes(*stored.end()),
            Of(plan.least_requests, "request"),
        ))
    }
}

/// The service makes no smaller ranges.
const LEAST_PART_BYTES: u64 = 1 << 20;
