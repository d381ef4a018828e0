//! The samples that the service's documentation gives for ParallelScan, by hand and with this crate:
//! once while all is well, and once while a session is lost in the middle. Ours are shorter, and right
//! both times, or this example fails.
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
        let theirs = by_hand::go_single::scan(&client).await;
        next();
        let ours = ours::go_single::scan(&client).await;
        GO_SINGLE.say(theirs, ours)?;

        next();
        let theirs = by_hand::go_multi::scan(&client).await;
        next();
        let ours = ours::go_multi::scan(&client).await;
        GO_MULTI.say(theirs, ours)?;

        next();
        let theirs = by_hand::java_iterator::scan(&client).await;
        next();
        let ours = ours::java_iterator::scan(&client).await;
        let count = |rows: Vec<_>| rows.len() as u64;
        JAVA_ITERATOR.say(theirs.map(count), ours.map(count))?;

        next();
        let theirs = by_hand::java_semaphore::scan(&client, 2).await;
        next();
        let ours = ours::java_semaphore::scan(&client, 2).await;
        JAVA_SEMAPHORE.say(theirs, ours)?;
    }
    Ok(())
}

/// A sample, twice.
struct Sample {
    name: &'static str,
    /// What it should find.
    rows: u64,
    by_hand: &'static str,
    ours: &'static str,
}

const GO_SINGLE: Sample = Sample {
    name: "Go, single",
    rows: 10_000,
    by_hand: include_str!("by_hand/go_single.rs"),
    ours: include_str!("ours/go_single.rs"),
};
const GO_MULTI: Sample = Sample {
    name: "Go, multi",
    rows: 10_000,
    by_hand: include_str!("by_hand/go_multi.rs"),
    ours: include_str!("ours/go_multi.rs"),
};
const JAVA_ITERATOR: Sample = Sample {
    name: "Java, iterator",
    rows: 10_000,
    by_hand: include_str!("by_hand/java_iterator.rs"),
    ours: include_str!("ours/java_iterator.rs"),
};
const JAVA_SEMAPHORE: Sample = Sample {
    name: "Java, semaphore",
    rows: 9_000,
    by_hand: include_str!("by_hand/java_semaphore.rs"),
    ours: include_str!("ours/java_semaphore.rs"),
};

impl Sample {
    /// Says what came of both, and fails unless ours is right and has fewer lines.
    fn say(
        &self,
        by_hand: Result<u64, impl Display>,
        ours: Result<u64, impl Error + 'static>,
    ) -> Result<(), Box<dyn Error>> {
        let lines = [self.by_hand, self.ours].map(lines);
        let by_hand = by_hand.map_or_else(|error| error.to_string(), |rows| format!("{rows} rows"));
        println!("  {}, by hand, {} lines: {by_hand}", self.name, lines[0]);
        let rows = ours?;
        println!("  {}, {} lines: {rows} rows", self.name, lines[1]);
        if rows != self.rows || lines[0] <= lines[1] {
            return Err(format!("{} should be right, and shorter", self.name).into());
        }
        Ok(())
    }
}

/// Lines of code: without imports, comments and empty lines.
fn lines(source: &str) -> usize {
    let code = source.lines().skip_while(|line| !line.starts_with("pub"));
    let code = code.map(str::trim_start);
    code.filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}
