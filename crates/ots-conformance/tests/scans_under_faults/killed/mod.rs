//! The emulator in a process of its own, killed in the middle of a scan and started again on the data
//! that it left: at a page that was handed over, never at a time.
//!
//! Its clients know the address of a gateway, which leads to the process that runs.

mod gateway;
mod process;
mod sessions;
mod tables;

use ots_core::Client;
use tempfile::TempDir;

use self::gateway::Gateway;
use self::process::Process;
use crate::place;

/// How many splits it has.
const SPLITS: u32 = 3;

/// A service whose process comes and goes.
pub(crate) struct Service {
    directory: TempDir,
    /// The operation that is disturbed besides.
    disturbed: &'static str,
    gateway: Gateway,
    process: Option<Process>,
    starts: u64,
}

impl Service {
    /// A service with the rows, of which three answers in ten to this operation go wrong.
    async fn start(disturbed: &'static str) -> Self {
        let mut service = Self {
            directory: tempfile::tempdir().unwrap(),
            disturbed,
            gateway: Gateway::start().await,
            process: None,
            starts: 0,
        };
        service.start_process();
        place::fill(&service.patient_client()).await;
        service
    }

    /// Ends the process without a warning, and all its connections with it.
    fn kill(&mut self) {
        self.gateway.lead_nowhere();
        // Killed when dropped.
        self.process.take().unwrap();
    }

    /// A new process on the data of the last one. What goes wrong there follows from its number.
    fn start_process(&mut self) {
        assert!(self.process.is_none(), "it runs");
        self.starts += 1;
        let process = Process::start(self.directory.path(), self.starts, self.disturbed);
        self.gateway.lead_to(process.address());
        self.process = Some(process);
    }

    fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_process();
    }

    /// A client that never gives up hope: the service will be there again.
    fn patient_client(&self) -> Client {
        place::client(self.gateway.endpoint(), u32::MAX)
    }

    /// A client that fails when the service stays away.
    fn usual_client(&self) -> Client {
        place::usual_client(self.gateway.endpoint())
    }
}
