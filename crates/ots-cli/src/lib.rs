//! The parts of the `ots` program, as a library, so that they can be tested one by one.
//!
//! Nothing here is a stable interface: the program is.

pub mod args;
pub mod commands;
pub mod connect;
pub mod export_writers;
pub mod failure;
pub mod figures;
pub mod interrupt;
pub mod progress;
pub mod quickstart_data;
pub mod sink;
pub mod source;
pub mod value_json;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use failure::{Exit, Failure};
use interrupt::Interrupt;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match runtime().and_then(|runtime| runtime.block_on(perform(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ots: {failure}");
            failure.exit().into()
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    built.map_err(|error| Failure::new(Exit::Other, "the runtime can't be started").because(error))
}

async fn perform(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        connection,
        progress,
        command,
    } = arguments;
    let interrupt = Interrupt::listen();
    match command {
        Command::Quickstart(arguments) => {
            commands::quickstart::run(arguments, progress, interrupt).await
        }
        Command::Emulator(arguments) => commands::emulator::run(arguments, interrupt).await,
        Command::Load(arguments) => {
            commands::load::run(&connection, arguments, progress, interrupt).await
        }
        Command::Export(arguments) => {
            commands::export::run(&connection, arguments, progress, interrupt).await
        }
        Command::Range(arguments) => commands::range::run(&connection, arguments, interrupt).await,
    }
}
