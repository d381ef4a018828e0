//! The samples that the service's documentation gives for ParallelScan, by hand and with this crate:
//! once while all is well, and once while a session is lost in the middle.
//!
//! ```sh
//! cargo run -p ots-scan --example samples
//! ```

mod by_hand;
mod ours;

#[path = "../support/orders.rs"]
mod orders;

use std::error::Error;
use std::fmt::Display;

use ots_emulator::{Emulator, FaultAction, FaultRule};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Emulator::builder().splits(4).build();
    let client = orders::client_with_orders(service.clone()).await?;

    for is_lost in [false, true] {
        println!(
            "{}",
            if is_lost {
                "a session is lost"
            } else {
                "all is well"
            }
        );
        // The fifth page of every sample finds no session any more.
        let next = || {
            service.faults().clear();
            if is_lost {
                let lost = FaultRule::new(FaultAction::ExpireSession);
                service.faults().add(lost.operation("ParallelScan").nth(5));
            }
        };
        next();
        say("single, by hand", by_hand::single(&client).await);
        next();
        say("single", ours::single(&client).await);
        next();
        say("multi, by hand", by_hand::multi(&client, 2).await);
        next();
        say("multi", ours::multi(&client, 2).await);
        next();
        let rows = by_hand::iterator(&client).await;
        say("iterator, by hand", rows.map(|rows| rows.len() as u64));
        next();
        let rows = ours::iterator(&client).await;
        say("iterator", rows.map(|rows| rows.len() as u64));
    }
    Ok(())
}

fn say(sample: &str, outcome: Result<u64, impl Display>) {
    match outcome {
        Ok(rows) => println!("  {sample}: {rows} rows"),
        Err(error) => println!("  {sample}: {error}"),
    }
}
