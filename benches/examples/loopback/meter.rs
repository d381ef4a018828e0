//! What a run takes: processor time of the whole process, and how far its memory grows.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ots_benches::cpu_of_process;

use crate::work::Outcome;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) elapsed: Duration,
    /// Of all threads of this process, in the kernel too; the service is another process.
    pub(crate) cpu: Duration,
}

/// Runs, and measures.
pub(crate) async fn cost<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<(T, Cost)> {
    let (start, cpu) = (Instant::now(), cpu_of_process());
    let value = work.await?;
    let elapsed = start.elapsed();
    let cpu = cpu_of_process().saturating_sub(cpu);
    Ok((value, Cost { elapsed, cpu }))
}

/// Forgets how much memory the process once had.
pub(crate) fn reset_peak() -> Outcome<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

/// Memory of the process in bytes: the most since [`reset_peak`], and now.
pub(crate) fn memory() -> Outcome<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> Outcome<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.ok_or("no such line")?.trim_end_matches("kB").trim();
        Ok(kilobytes.parse::<u64>()? * 1_024)
    };
    Ok((field("VmHWM:")?, field("VmRSS:")?))
}

/// This program again, in a process of its own.
pub(crate) fn again(arguments: &[String]) -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::piped());
    Ok(command.stdout(Stdio::piped()).spawn()?)
}
