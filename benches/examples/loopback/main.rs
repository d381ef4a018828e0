//! Scans over loopback HTTP against a client that does as little as can be done, by turns in one process;
//! the service is another process, whose time doesn't count.
//!
//! ```sh
//! cargo run --release -p ots-benches --example loopback [cpu | latency | memory] [shape]
//! ```
//!
//! Prints tables for `docs/benchmarks.md`: processor time of the client as multiples of the bare one's,
//! with the MD5 of every body compared by both or by none; how far the memory of a process grows that does
//! nothing else; and how much of the speed that a latency of 20 ms allows is reached. The least of several
//! rounds each, in about a minute. On Linux: what is measured is read in `/proc`.

mod bare;
mod meter;
mod ours;
mod server;
mod work;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Child;
use std::time::Duration;

use ots_core::Client;

use crate::meter::{Cost, again, cost, memory, reset_peak};
use crate::work::{Outcome, Work};

const LATENCY_MS: u64 = 20;
/// Shapes, and pages of each split: so many that a run takes about a tenth of a second.
const SHAPES: [(&str, u32); 3] = [("narrow", 12), ("wide", 6), ("text", 4)];
const SPLITS: [u32; 2] = [8, 16];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |place: usize| arguments.get(place).map_or("", String::as_str);
    match argument(0) {
        "serve" => server::run(),
        "peak" => {
            let work = Work::from_table(argument(2)).ok_or("no such table")?;
            let growth = peak(Way::named(argument(1))?, &work, argument(3).parse()?)?;
            println!("{growth}");
            Ok(())
        }
        wanted => report(wanted, argument(1)),
    }
}

/// How the pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Bare,
    /// With as many requests in flight as splits, from the start.
    Fixed,
    /// As by default: the scan finds out what the service bears.
    Scan,
    Rows,
    Batches,
    BareRange,
    /// Pages as they come, which the scan has walked.
    Table,
    /// Pages walked once more by the caller.
    TableTwice,
}

impl Way {
    fn named(name: &str) -> Outcome<Self> {
        let all = [
            Self::Bare,
            Self::Fixed,
            Self::Scan,
            Self::Rows,
            Self::Batches,
            Self::BareRange,
            Self::Table,
            Self::TableTwice,
        ];
        let way = all.into_iter().find(|way| format!("{way:?}") == name);
        way.ok_or_else(|| format!("no such way: {name}").into())
    }
}

/// Both clients, ready.
struct Clients {
    server: SocketAddr,
    digests: bool,
    ours: Client,
}

impl Clients {
    fn new(port: u16, digests: bool) -> Outcome<Self> {
        Ok(Self {
            server: (Ipv4Addr::LOCALHOST, port).into(),
            digests,
            ours: ours::client(port, digests)?,
        })
    }

    const fn digests(&self) -> &'static str {
        if self.digests { "on" } else { "off" }
    }

    /// Reads all of it, and says how many rows there were.
    async fn read(&self, way: Way, work: &Work) -> Outcome<usize> {
        let (server, digests, client) = (self.server, self.digests, &self.ours);
        let all = usize::try_from(work.splits).ok();
        match way {
            Way::Bare => bare::scan(server, work, digests).await,
            Way::Fixed => ours::pages(client, work, all).await,
            Way::Scan => ours::pages(client, work, None).await,
            Way::Rows => ours::rows(client, work).await,
            Way::Batches => ours::batches(client, work).await,
            Way::BareRange => bare::range(server, work, digests).await,
            Way::Table => ours::table_counts(client, work).await,
            Way::TableTwice => ours::table_pages(client, work).await,
        }
    }

    /// The least that each way takes, by turns.
    async fn least<const N: usize>(
        &self,
        rounds: u32,
        ways: [Way; N],
        work: &Work,
    ) -> Outcome<[Cost; N]> {
        let mut least = [Cost {
            elapsed: Duration::MAX,
            cpu: Duration::MAX,
        }; N];
        for _ in 0..rounds {
            for (way, least) in ways.into_iter().zip(&mut least) {
                let (read, cost) = cost(self.read(way, work)).await?;
                // A client that misses rows would be a fast one.
                if read != work.rows() {
                    return Err(format!("{way:?} read {read} rows of {}", work.rows()).into());
                }
                least.cpu = least.cpu.min(cost.cpu);
                least.elapsed = least.elapsed.min(cost.elapsed);
            }
        }
        Ok(least)
    }
}

/// The service, until it is dropped.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // It ends with us in any case.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn report(wanted: &str, shape: &str) -> Outcome<()> {
    let mut service = Service(again(&["serve".to_owned()])?);
    let output = service.0.stdout.take().ok_or("no output")?;
    let mut port = String::new();
    BufReader::new(output).read_line(&mut port)?;
    let port = port.trim().parse()?;

    let runtime = tokio::runtime::Runtime::new()?;
    let shapes = || SHAPES.into_iter().filter(|(name, _)| name.contains(shape));
    if "cpu".contains(wanted) {
        runtime.block_on(cpu(port, shapes()))?;
    }
    if "memory".contains(wanted) {
        peaks(port, shapes())?;
    }
    if "latency".contains(wanted) {
        runtime.block_on(latency(port, shapes()))?;
    }
    Ok(())
}

async fn cpu(port: u16, shapes: impl Iterator<Item = (&str, u32)>) -> Outcome<()> {
    println!(
        "Processor time: the bare client's in microseconds a page, others as multiples of it.\n"
    );
    println!("| | MD5 | bare | scan | rows | batches | bare range | table scan | walked again |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let clients = [Clients::new(port, false)?, Clients::new(port, true)?];
    for (shape, pages) in shapes {
        for splits in SPLITS {
            let work = Work::new(shape, splits, pages, 0);
            for clients in &clients {
                let ways = [
                    Way::Bare,
                    Way::Scan,
                    Way::Rows,
                    Way::Batches,
                    Way::BareRange,
                    Way::Table,
                    Way::TableTwice,
                ];
                let costs = clients.least(5, ways, &work).await?;
                let cpu = costs.map(|cost| cost.cpu.as_secs_f64());
                let [bare, scan, rows, batches, range, table, twice] = cpu;
                let page = |cpu: f64| cpu * 1e6 / f64::from(work.all_pages());
                println!(
                    "| {shape}, {splits} splits | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} |",
                    clients.digests(),
                    page(bare),
                    scan / bare,
                    rows / bare,
                    batches / bare,
                    page(range),
                    table / range,
                    twice / range,
                );
            }
        }
    }
    Ok(())
}

/// In this process, which does nothing else: how far its memory grows, in bytes.
fn peak(way: Way, work: &Work, port: u16) -> Outcome<u64> {
    let runtime = tokio::runtime::Runtime::new()?;
    let clients = Clients::new(port, true)?;
    // Connections, code, and what a runtime needs.
    runtime.block_on(clients.read(way, &Work::new("empty", work.splits, 3, 0)))?;
    reset_peak()?;
    let (_, before) = memory()?;
    runtime.block_on(clients.read(way, work))?;
    Ok(memory()?.0.saturating_sub(before))
}

fn peaks(port: u16, shapes: impl Iterator<Item = (&'static str, u32)>) -> Outcome<()> {
    println!("\nGrowth of memory, median of three processes:\n");
    println!("| | bare, MB | scan | bare range, MB | table scan |");
    println!("|---|---|---|---|---|");
    for (shape, pages) in shapes {
        for splits in SPLITS {
            let work = Work::new(shape, splits, pages, 0);
            let growth = |way: Way| -> Outcome<f64> {
                let mut growths = [0; 3];
                for growth in &mut growths {
                    let arguments = [
                        "peak".into(),
                        format!("{way:?}"),
                        work.table(),
                        port.to_string(),
                    ];
                    let mut child = again(&arguments)?;
                    let mut output = String::new();
                    let stdout = child.stdout.as_mut().ok_or("no output")?;
                    stdout.read_to_string(&mut output)?;
                    child.wait()?;
                    *growth = output.trim().parse()?;
                }
                growths.sort_unstable();
                let [_, median, _] = growths;
                Ok(f64::from(u32::try_from(median)?) / 1e6)
            };
            let (bare, scan) = (growth(Way::Bare)?, growth(Way::Scan)?);
            let (range, table) = (growth(Way::BareRange)?, growth(Way::Table)?);
            println!(
                "| {shape}, {splits} splits | {bare:.1} | {:.2} | {range:.1} | {:.2} |",
                scan / bare,
                table / range
            );
        }
    }
    Ok(())
}

async fn latency(port: u16, shapes: impl Iterator<Item = (&str, u32)>) -> Outcome<()> {
    let clients = [Clients::new(port, false)?, Clients::new(port, true)?];
    // What the bound is made of: a round trip of a page without rows.
    let empty = Work::new("empty", 1, 20, LATENCY_MS);
    let [clients_off, _] = &clients;
    let [alone] = clients_off.least(2, [Way::Bare], &empty).await?;
    let round_trip = alone.elapsed.as_secs_f64() / f64::from(empty.pages);
    println!(
        "\nA service that thinks for {LATENCY_MS} ms about a page; one without rows takes {:.1} ms. Share of the \
         speed that this allows:\n",
        round_trip * 1e3
    );
    println!("| | MD5 | pages a split | bare | scan, fixed | scan, default | table scan |");
    println!("|---|---|---|---|---|---|---|");
    for (shape, pages) in shapes {
        // So many that the first round, in which all splits want the processor at once, hardly counts.
        let pages = if shape == "narrow" { 40 } else { 4 * pages };
        for splits in SPLITS {
            let work = Work::new(shape, splits, pages, LATENCY_MS);
            for clients in &clients {
                let ways = [Way::Bare, Way::Fixed, Way::Scan, Way::Table];
                let costs = clients.least(2, ways, &work).await?;
                let bound = round_trip * f64::from(pages);
                let [bare, fixed, scan, table] =
                    costs.map(|cost| bound / cost.elapsed.as_secs_f64());
                println!(
                    "| {shape}, {splits} splits | {} | {pages} | {bare:.3} | {fixed:.3} | {scan:.3} | {table:.3} |",
                    clients.digests(),
                );
            }
        }
    }
    Ok(())
}
