//! A table scan while everything goes wrong that can, stopped and gone on with from bytes: every row
//! once.

use std::num::NonZeroU64;

use futures::TryStreamExt as _;
use ots_emulator::{FaultAction, FaultRule};
use ots_scan::{TableCheckpoint, table_scan};

use crate::given::Given;
use crate::place;

const WORLDS: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_comes_once_whatever_goes_wrong_and_wherever_it_is_stopped() {
    for world in 0..WORLDS {
        let emulator = place::emulator(1, world).build();
        let client = place::usual_client(place::serve(&emulator).await);
        place::fill(&client).await;
        if world == 0 {
            // For certain, in the one world that isn't stopped.
            let rule = FaultRule::new(FaultAction::CorruptChecksum).operation("GetRange");
            emulator.faults().add(rule.nth(3));
        } else {
            place::disturb(&emulator, "GetRange");
        }
        // Of about 24 bytes a row: one range to some dozens.
        let part_bytes = NonZeroU64::new((24 * 600) >> world).unwrap();
        let scan = table_scan(client, "t").part_bytes(part_bytes).refetches(10);
        let mut under_way = scan.open().await.unwrap();
        let mut given = Given::default();
        let mut pages = 0;
        while let Some(page) = under_way.try_next().await.unwrap() {
            given.take(&page.rows().unwrap());
            pages += 1;
            if world > 0 && pages % (5 + world) == 0 {
                let kept = under_way.checkpoint().to_bytes();
                let kept = TableCheckpoint::from_bytes(&kept).unwrap();
                under_way = scan.resume(&kept).unwrap();
            }
        }
        given.assert_whole(world);
        if world == 0 {
            assert_eq!(under_way.progress().refetched, 1);
        }
    }
}
