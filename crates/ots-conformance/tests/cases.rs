#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]
//! Every case of `cases/`, with every SDK: our own client in this process and over HTTP, the official
//! ones over HTTP, and all of them on a real instance when one is configured.
//!
//! `OTS_CONFORMANCE_CASES=part_of_a_name` runs some of them.

mod support;

use std::collections::BTreeSet;
use std::future::pending;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ots_conformance::SKIP_VARIABLE;
use ots_conformance::cases::{self, CaseFile, Exceptions, Outcome, Runner, Tally, Venue};
use ots_conformance::driver::{Driver, Service, Variant};
use ots_conformance::sdk::{OwnClient, Program, Sdk};
use ots_conformance::workspace::Workspace;
use ots_core::{Client, Credentials};
use ots_emulator::Emulator;

/// URL of a real instance, and its name where the URL doesn't say it.
const ENDPOINT_VARIABLE: &str = "OTS_CONFORMANCE_ENDPOINT";
const INSTANCE_VARIABLE: &str = "OTS_CONFORMANCE_INSTANCE";
/// A part of the names of the cases to run, or the name of a file.
const CASES_VARIABLE: &str = "OTS_CONFORMANCE_CASES";
/// More than one, so that a scan has shares to unite.
const SPLITS: u32 = 3;

#[test]
fn there_are_three_hundred_cases() {
    let cases: usize = files().iter().map(|file| file.cases.len()).sum();
    assert!(cases >= 300, "{cases}");
}

#[test]
fn an_exception_names_a_case_and_a_reason() {
    let files = files();
    let cases = files.iter().flat_map(|file| &file.cases);
    let names: BTreeSet<&str> = cases.map(|case| case.name.as_str()).collect();
    for driver in Driver::all(&Workspace::locate().unwrap()).unwrap() {
        let exceptions = driver.exceptions().unwrap();
        for case in exceptions.cases() {
            assert!(names.contains(case), "{}: {case} is no case", driver.name());
        }
    }
    for case in own_exceptions().and(emulator_gaps()).cases() {
        assert!(names.contains(case), "{case} is no case");
    }
}

/// What the others are worth: a claim that doesn't hold fails, and so does an exception that is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_claim_fails_and_so_does_an_exception_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let cases = r#"{ "topic": "none", "tables": [{ "name": "t", "key": [["id", "integer"]], "rows": [[1, { "n": 1 }]] }],
        "cases": [
          { "name": "true", "steps": [{ "do": "get_row", "table": "${t}", "key": 1, "answer": { "row": { "columns": { "n": 1 } } } }] },
          { "name": "false", "steps": [{ "do": "get_row", "table": "${t}", "key": 1, "answer": { "row": { "columns": { "n": 1.0 } } } }] },
          { "name": "no_error", "steps": [{ "do": "get_row", "table": "${t}", "key": 1, "error": { "status": 400 } }] },
          { "name": "an_error", "steps": [{ "do": "get_row", "table": "${absent}", "key": [["id", 1]] }] },
          { "name": "excepted", "steps": [{ "do": "get_row", "table": "${t}", "key": 2, "answer": { "row": { "$some": true } } }] },
          { "name": "excepted_in_vain", "steps": [{ "do": "get_row", "table": "${t}", "key": 2, "answer": { "row": null } }] }
        ] }"#;
    std::fs::write(folder.path().join("claims.json"), cases).unwrap();
    let exceptions = folder.path().join("exceptions");
    std::fs::write(
        &exceptions,
        r#"{ "a reason": ["excepted", "excepted_in_vain"] }"#,
    )
    .unwrap();

    let emulator = emulator();
    let client = support::client(emulator.clone());
    let mut own = OwnClient::new("our client", client.clone());
    let exceptions = Exceptions::read(&exceptions).unwrap();
    let mut runner = Runner::new(venue(client.clone(), emulator), &mut own, exceptions);
    let tally = runner.run(&cases::load(folder.path()).unwrap(), "").await;
    let went: Vec<_> = tally
        .outcomes
        .iter()
        .map(|(_, case, outcome)| (case.as_str(), outcome))
        .collect();
    assert_eq!(went[0], ("true", &Outcome::Passed));
    for (place, case) in [
        (1, "false"),
        (2, "no_error"),
        (3, "an_error"),
        (5, "excepted_in_vain"),
    ] {
        assert!(
            matches!(went[place], (name, Outcome::Failed(_)) if name == case),
            "{went:?}"
        );
    }
    assert_eq!(
        went[4],
        ("excepted", &Outcome::Unsupported("a reason".to_owned()))
    );
    let tables = client
        .send(ots_core::request::ListTable::new())
        .await
        .unwrap();
    assert_eq!(*tables, Vec::<String>::new(), "every table is removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_in_process() {
    let emulator = emulator();
    let client = support::client(emulator.clone());
    let mut own = OwnClient::new("our client in process", client.clone());
    let exceptions = own_exceptions().and(emulator_gaps());
    let tally = run(venue(client, emulator), &mut own, exceptions).await;
    hold(&tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_over_http() {
    let emulator = emulator();
    let (service, server) = serve(emulator.clone()).await;
    let client = client(&service);
    let mut own = OwnClient::new("our client over HTTP", client.clone());
    let exceptions = own_exceptions().and(emulator_gaps());
    let tally = run(venue(client, emulator), &mut own, exceptions).await;
    server.abort();
    hold(&tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_python_sdk() {
    official("python").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_node_sdk() {
    official("node").await;
}

/// One SDK after another, in one test: an instance has few tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sdk_on_a_real_instance() {
    let Some(endpoint) = variable(ENDPOINT_VARIABLE) else {
        say(&format!(
            "skipped, no real instance: set {ENDPOINT_VARIABLE}, {INSTANCE_VARIABLE} unless the \
             endpoint names it, and TABLESTORE_ACCESS_KEY_ID with TABLESTORE_ACCESS_KEY_SECRET"
        ));
        return;
    };
    let host = endpoint.split("//").last().unwrap_or_default();
    let first = host.split('.').next().unwrap_or_default().to_owned();
    let service = Service {
        instance: variable(INSTANCE_VARIABLE).unwrap_or(first),
        access_key_id: variable("TABLESTORE_ACCESS_KEY_ID").unwrap(),
        access_key_secret: variable("TABLESTORE_ACCESS_KEY_SECRET").unwrap(),
        endpoint,
    };
    let venue = || Venue {
        own: OwnClient::new("set-up", client(&service)),
        advance: None,
    };
    let mut own = OwnClient::new("our client", client(&service));
    let mut tallies = vec![run(venue(), &mut own, own_exceptions()).await];
    for driver in Driver::all(&Workspace::locate().unwrap()).unwrap() {
        let Some(variant) = first_variant(&driver) else {
            continue;
        };
        let mut program = Program::start(&driver, &variant, &service).unwrap();
        tallies.push(run(venue(), &mut program, driver.exceptions().unwrap()).await);
    }
    tallies.iter().for_each(hold);
}

/// The SDK of one driver, on an emulator of its own.
async fn official(name: &str) {
    let drivers = Driver::all(&Workspace::locate().unwrap()).unwrap();
    let driver = drivers.iter().find(|driver| driver.name() == name).unwrap();
    let Some(variant) = first_variant(driver) else {
        return;
    };
    let emulator = emulator();
    let (service, server) = serve(emulator.clone()).await;
    let mut program = Program::start(driver, &variant, &service).unwrap();
    let venue = venue(client(&service), emulator);
    let exceptions = driver.exceptions().unwrap().and(emulator_gaps());
    let tally = run(venue, &mut program, exceptions).await;
    server.abort();
    hold(&tally);
}

/// The first way of running a driver, its SDK installed; nothing when it is to be left out.
fn first_variant(driver: &Driver) -> Option<Variant> {
    let skipped = variable(SKIP_VARIABLE).unwrap_or_default();
    if skipped.split(',').any(|name| name.trim() == driver.name()) {
        say(&format!(
            "{} is left out, as {SKIP_VARIABLE} says",
            driver.title()
        ));
        return None;
    }
    tokio::task::block_in_place(|| driver.install()).unwrap_or_else(|e| panic!("{e:?}"));
    driver.variants().into_iter().next()
}

async fn run(venue: Venue, sdk: &mut dyn Sdk, exceptions: Exceptions) -> Tally {
    let only = variable(CASES_VARIABLE).unwrap_or_default();
    let tally = Runner::new(venue, sdk, exceptions)
        .run(&files(), &only)
        .await;
    say(&tally.to_string());
    tally
}

fn hold(tally: &Tally) {
    let failures = tally.failures();
    assert!(
        failures.is_empty(),
        "{}: {} of {} cases failed:\n{}",
        tally.sdk,
        failures.len(),
        tally.outcomes.len(),
        failures.join("\n")
    );
}

fn files() -> Vec<CaseFile> {
    cases::load(&folder("cases")).unwrap_or_else(|e| panic!("{e:?}"))
}

fn own_exceptions() -> Exceptions {
    Exceptions::read(&folder("src/sdk/own/unsupported.json")).unwrap()
}

/// What the emulator is known to lack.
fn emulator_gaps() -> Exceptions {
    Exceptions::read(&folder("emulator_gaps.json")).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn emulator() -> Emulator {
    Emulator::builder().splits(SPLITS).build()
}

fn venue(client: Client, emulator: Emulator) -> Venue {
    Venue {
        own: OwnClient::new("set-up", client),
        advance: Some(Box::new(move |time| emulator.advance(time))),
    }
}

async fn serve(emulator: Emulator) -> (Service, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service {
        endpoint: format!("http://{}", listener.local_addr().unwrap()),
        instance: "conformance".to_owned(),
        access_key_id: Emulator::ACCESS_KEY_ID.to_owned(),
        access_key_secret: Emulator::ACCESS_KEY_SECRET.to_owned(),
    };
    let server = tokio::spawn(async move {
        let _ended = emulator.serve(listener, pending()).await;
    });
    (service, server)
}

fn client(service: &Service) -> Client {
    let credentials = Credentials::new(&service.access_key_id, &service.access_key_secret);
    Client::builder(&service.endpoint)
        .instance(&service.instance)
        .credentials(credentials)
        .build()
        .unwrap()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// To the terminal: what `eprintln!` says is kept back when a test goes well, and how many cases ran is
/// what this is for.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
