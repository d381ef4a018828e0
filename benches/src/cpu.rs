//! Processor time: work is the same on a busy machine, or nearly.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What this thread has taken so far, in the kernel too.
#[must_use]
pub fn cpu_of_thread() -> Duration {
    duration(clock_gettime(ClockId::ThreadCPUTime))
}

/// What all threads of this process have taken so far, in the kernel too.
#[must_use]
pub fn cpu_of_process() -> Duration {
    duration(clock_gettime(ClockId::ProcessCPUTime))
}

/// Never negative: it counts from the beginning of the thread or the process.
fn duration(time: Timespec) -> Duration {
    let seconds = time.tv_sec.try_into().unwrap_or_default();
    Duration::new(seconds, time.tv_nsec.try_into().unwrap_or_default())
}
