//! `ots`: Alibaba Cloud Tablestore from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    ots_cli::run()
}
