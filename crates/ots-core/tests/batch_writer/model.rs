//! Whatever the service does, each change is reported once with what became of it.

use std::collections::HashMap;

use ots_core::PrimaryKey;
use ots_core::limiter::Limiter;
use ots_core::writer::{Outcome, Settled};
use proptest::prelude::*;

use crate::service::{Faulty, builder, increment, put, reports};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_change_is_reported_once_with_what_became_of_it(
        seed in any::<u64>(),
        fails in prop_oneof![Just(0.0), 0.0..0.6],
        changes in proptest::collection::vec((0_i64..12, any::<bool>()), 0..120),
        rows in 1_usize..9,
        requests in 1_usize..5,
        max_bytes in prop_oneof![Just(1_usize), 300_usize..5_000],
        flushes in any::<bool>(),
        together in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let service = Faulty::new(seed, fails);
        let (reports, report) = reports();
        let totals = runtime.block_on(async {
            let writer = builder(service.clone())
                .max_batch_rows(rows)
                .max_bytes(max_bytes)
                .limiter(Limiter::adaptive(requests))
                .start(report)
                .unwrap();
            let numbered = (0..).zip(&changes).map(|(number, (id, repeats))| {
                let change = if *repeats { put(*id, number) } else { increment(*id, number) };
                (change, number)
            });
            if together {
                writer.write_all(numbered.clone()).await;
            }
            for (change, number) in numbered.filter(|_| !together) {
                writer.write(change, number).await.unwrap();
                if flushes && number % 50 == 49 {
                    writer.flush().await;
                    let reported = reports.lock().unwrap().len();
                    assert_eq!(reported, usize::try_from(number).unwrap() + 1);
                }
            }
            writer.close().await
        });
        let reports = reports.lock().unwrap();
        let reported: HashMap<i64, &Settled<i64>> =
            reports.iter().map(|settled| (settled.tag, settled)).collect();
        prop_assert_eq!(reports.len(), changes.len(), "reported twice, or not at all");
        prop_assert_eq!(reported.len(), changes.len());
        service.with(|service| {
            prop_assert!(service.largest_batch <= rows);
            prop_assert!(service.most_requests <= rows * requests);
            for (number, (id, repeats)) in (0..).zip(&changes) {
                let settled = reported[&number];
                prop_assert_eq!(settled.key.get("id").unwrap().as_integer(), Some(*id));
                let done = service.done.get(id).into_iter().flatten();
                let times = done.filter(|done| **done == number).count();
                match &settled.outcome {
                    Outcome::Written(_) => prop_assert!(times >= 1),
                    Outcome::Failed { may_have_run: false, .. } => prop_assert_eq!(times, 0),
                    Outcome::Failed { .. } => {}
                    other => prop_assert!(false, "{:?}", other),
                }
                prop_assert!(*repeats || times <= 1, "change {} was done {} times", number, times);
            }
            for done in service.done.values() {
                prop_assert!(done.is_sorted(), "{:?} out of order", done);
            }
            Ok(())
        })?;
        let mut last: HashMap<&PrimaryKey, i64> = HashMap::new();
        for settled in reports.iter() {
            let before = last.insert(&settled.key, settled.tag);
            prop_assert!(before.is_none_or(|before| before < settled.tag), "reported out of order");
        }
        let sums = [totals.written_rows, totals.failed_rows, totals.unknown_rows];
        prop_assert_eq!(sums.iter().sum::<u64>(), changes.len() as u64);
        prop_assert_eq!(totals.accepted_rows, changes.len() as u64);
        prop_assert_eq!(totals.requests, service.with(|service| service.requests) as u64);
    }
}
