#![allow(missing_docs, reason = "a test")]
//! Every driver runs all steps against the emulator and reports what the fixture demands.

use ots_conformance::driver::{Driver, Variant};
use ots_conformance::emulator::{self, Emulator};
use ots_conformance::error::Error;
use ots_conformance::fixture::Fixture;
use ots_conformance::workspace::Workspace;
use ots_conformance::{SKIP_VARIABLE, expectation, own_client};

/// More than one, so that a scan has shares to unite.
const SPLITS: u32 = 3;

#[test]
fn official_sdks_read_what_was_written() {
    let workspace = Workspace::locate().unwrap();
    let program = emulator::program(&workspace).unwrap_or_else(|e| panic!("{}", chain(&e)));
    let drivers = Driver::all(&workspace).unwrap();
    assert!(
        !drivers.is_empty(),
        "no driver in {:?}",
        workspace.drivers()
    );

    let skipped = std::env::var(SKIP_VARIABLE).unwrap_or_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut faults = Vec::new();
    for driver in &drivers {
        if skipped.split(',').any(|name| name.trim() == driver.name()) {
            eprintln!("{} is left out, as {SKIP_VARIABLE} says", driver.title());
            continue;
        }
        if let Err(error) = driver.install() {
            faults.push(format!("{}: {}", driver.name(), chain(&error)));
            continue;
        }
        for variant in driver.variants() {
            let found =
                run(&runtime, &program, driver, &variant).unwrap_or_else(|e| vec![chain(&e)]);
            eprintln!(
                "{} ({}): {} faults",
                driver.title(),
                variant.name(),
                found.len()
            );
            let who = format!("{} ({})", driver.name(), variant.name());
            faults.extend(found.into_iter().map(|fault| format!("{who}: {fault}")));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// One variant on an emulator of its own; the faults that were found.
fn run(
    runtime: &tokio::runtime::Runtime,
    program: &std::path::Path,
    driver: &Driver,
    variant: &Variant,
) -> Result<Vec<String>, Error> {
    let emulator = Emulator::start(program, &driver.run_folder(variant), SPLITS)?;
    let fixture = Fixture::new(driver.name());
    let run = driver.run(variant, emulator.endpoint(), &fixture)?;
    let mut faults = expectation::check(&fixture, SPLITS, &run.report);
    let ours = own_client::compare(emulator.endpoint(), &fixture, &run.report);
    faults.extend(runtime.block_on(ours).unwrap_or_else(|e| vec![chain(&e)]));
    if !run.success && faults.is_empty() {
        faults.push(format!(
            "the driver failed for no reported reason:\n{}",
            run.last_words
        ));
    }
    Ok(faults)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
