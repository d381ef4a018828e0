//! The parts of the `ots` program, as a library, so that they can be tested one by one.
//!
//! Nothing here is a stable interface: the program is.

#![warn(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic when nobody reads; see `console`"
)]

pub mod args;
pub mod asked;
pub mod bulk_write;
pub mod commands;
pub mod connect;
pub mod console;
pub mod export_writers;
pub mod failure;
pub mod figures;
pub mod first_contact;
pub mod interrupt;
pub mod progress;
pub mod quickstart_data;
pub mod sink;
pub mod source;
pub mod table_export;
pub mod tally;
pub mod value_json;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use failure::{Exit, Failure};
use interrupt::Interrupt;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let performed = runtime().and_then(|runtime| {
        let performed = runtime.block_on(perform(arguments));
        // A thread may still read a large file that nobody wants any more. What must be waited for,
        // such as files to be removed, the commands have waited for.
        runtime.shutdown_background();
        performed
    });
    match performed {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::say(format_args!("ots: {}", failure.line()));
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
    let performed = match command {
        Command::Quickstart(arguments) => {
            return commands::quickstart::run(arguments, progress, interrupt).await;
        }
        Command::Emulator(arguments) => return commands::emulator::run(arguments, interrupt).await,
        Command::Load(arguments) => {
            commands::load::run(&connection, arguments, progress, interrupt).await
        }
        Command::Export(arguments) => {
            commands::export::run(&connection, *arguments, progress, interrupt).await
        }
        Command::Range(arguments) => commands::range::run(&connection, arguments, interrupt).await,
        Command::Search(arguments) => {
            commands::search::run(&connection, arguments, interrupt).await
        }
    };
    performed.map_err(|failure| failure.at(connection.endpoint()))
}

/// The examples of the documentation, compiled.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/guides/cli.md")]
    struct CommandLine;
    #[doc = include_str!("../../../docs/architecture.md")]
    struct Architecture;
}
