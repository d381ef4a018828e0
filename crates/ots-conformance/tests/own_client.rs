#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]
//! Our own client does what it should: on the emulator, in this process and over HTTP, and on a real
//! instance when one is configured.

#[path = "support/proxy.rs"]
mod proxy;
mod support;
#[path = "support/tls.rs"]
mod tls;

use std::future::pending;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use ots_conformance::for_each_check;
use ots_conformance::suite::{self, Check, Place};
use ots_core::transport::{Faults, HyperTransport, InProcess, Observed, Proxy, Recorder, Replay};
use ots_core::{Client, Credentials};
use ots_emulator::{Emulator, LimitCounts, Settings};

/// URL of a real instance. Its credentials are those that the client itself looks for.
const ENDPOINT_VARIABLE: &str = "OTS_CONFORMANCE_ENDPOINT";
/// Name of the instance, where the endpoint doesn't say it.
const INSTANCE_VARIABLE: &str = "OTS_CONFORMANCE_INSTANCE";

/// More than one, so that a scan has shares to unite.
const SPLITS: u32 = 3;

macro_rules! tests {
    ($($module:ident { $($check:ident)+ })+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::hold(|place| Box::pin(super::suite::$module::$check(place))).await;
            })+
        })+
    };
}

mod in_process {
    use super::*;

    async fn hold(check: Check) {
        suite::hold(
            support::client(Emulator::builder().splits(SPLITS).build()),
            check,
        )
        .await;
    }

    for_each_check!(tests);
}

/// The service may end a page anywhere, and count a limit before or after the filter: nothing may
/// depend on either.
mod in_small_pages {
    use super::*;

    async fn hold(check: Check) {
        let mut settings = Settings::default();
        settings.splits = SPLITS;
        settings.range_page_rows = 3;
        settings.scan_page_rows = 2;
        settings.limit_counts = LimitCounts::Scanned;
        let emulator = Emulator::builder().settings(settings).build();
        suite::hold(support::client(emulator), check).await;
    }

    for_each_check!(tests);
}

/// The emulator checks signatures, and signs its answers, with code of its own: two readings of the
/// protocol have to agree on every one.
mod signed_by_v4 {
    use super::*;

    async fn hold(check: Check) {
        let emulator = Emulator::builder().splits(SPLITS).build();
        let client = support::builder(emulator).region("cn-hangzhou").build();
        suite::hold(client.unwrap(), check).await;
    }

    for_each_check!(tests);
}

mod over_http {
    use super::*;

    async fn hold(check: Check) {
        let emulator = Emulator::builder().splits(SPLITS).build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { emulator.serve(listener, pending()).await });
        let client = Client::builder(endpoint)
            .instance("own")
            .credentials(support::credentials())
            .build()
            .unwrap();
        suite::hold(client, check).await;
        server.abort();
    }

    for_each_check!(tests);
}

/// By the certificates that the client is told to trust, and through all that TLS does to a stream.
mod over_tls {
    use super::*;

    async fn hold(check: Check) {
        let emulator = Emulator::builder().splits(SPLITS).build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls = tls::start(listener.local_addr().unwrap()).await;
        let server = tokio::spawn(async move { emulator.serve(listener, pending()).await });
        let transport = HyperTransport::builder()
            .root_certificates_pem(&tls.pem)
            .build()
            .unwrap();
        let client = Client::builder(format!("https://localhost:{}", tls.port))
            .instance("own")
            .credentials(support::credentials())
            .transport(transport)
            .build()
            .unwrap();
        suite::hold(client, check).await;
        assert!(
            tls.accepted.load(Ordering::SeqCst) > 0,
            "nothing went over TLS"
        );
        server.abort();
    }

    for_each_check!(tests);
}

/// Under wrappers that have nothing to do: they must not be felt.
mod wrapped {
    use super::*;

    async fn hold(check: Check) {
        let emulator = Emulator::builder().splits(SPLITS).build();
        let service = InProcess::new(move |request| emulator.handle(request));
        let faults = Arc::new(Faults::new(Observed::new(service)));
        let client = Client::builder("http://in-process")
            .instance("own")
            .credentials(support::credentials())
            .transport(Arc::clone(&faults));
        suite::hold(client.build().unwrap(), check).await;
        assert!(faults.reached() > 0, "nothing went through the wrappers");
    }

    for_each_check!(tests);
}

/// Through a proxy that sees and forwards every request.
mod through_a_proxy {
    use super::*;

    async fn hold(check: Check) {
        let emulator = Emulator::builder().splits(SPLITS).build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { emulator.serve(listener, pending()).await });
        let (proxy, forwarded) = proxy::start().await;
        let proxy = Proxy::new(&format!("http://{proxy}")).unwrap();
        let client = Client::builder(endpoint)
            .instance("own")
            .credentials(support::credentials())
            .transport(HyperTransport::builder().proxy(proxy).build().unwrap())
            .build()
            .unwrap();
        suite::hold(client, check).await;
        assert!(
            forwarded.load(Ordering::SeqCst) > 0,
            "nothing went through the proxy"
        );
        server.abort();
    }

    for_each_check!(tests);
}

/// Recorded from the emulator, then answered from the recording alone, to another access key.
mod replayed {
    use super::*;

    /// Which pages a scan has asked for when it is dropped or fails is a matter of time, and one that
    /// nobody waits for any more may never be sent: the replay may ask for what the recording doesn't
    /// have, or leave some of it.
    const NOT_REPLAYED: [&str; 2] = [
        "a_column_that_is_not_in_the_index_fails_the_scan",
        "a_dropped_scan_leaves_the_client_usable",
    ];

    async fn hold(name: &str, check: Check) {
        if NOT_REPLAYED.contains(&name) {
            say(&format!("{name}: not replayed"));
            return;
        }
        let emulator = Emulator::builder().splits(SPLITS).build();
        let service = InProcess::new(move |request| emulator.handle(request));
        let file = Memory::default();
        let recorder = Arc::new(Recorder::new(service, file.clone()));
        let client = |credentials: Credentials| {
            let client = Client::builder("http://in-process").instance("own");
            client.credentials(credentials)
        };
        let recorded = client(support::credentials()).transport(Arc::clone(&recorder));
        let place = Place::new(recorded.build().unwrap());
        suite::hold_at(place.clone(), check).await;
        recorder.finish().unwrap();

        let recording = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
        assert!(!recording.contains(Emulator::ACCESS_KEY_SECRET));
        let another = Credentials::new("another-id", "another-secret");
        let replay = Arc::new(Replay::parse(&recording, another.clone()).unwrap());
        let replayed = client(another).transport(Arc::clone(&replay));
        suite::hold_at(place.reached_by(replayed.build().unwrap()), check).await;
        assert_eq!(replay.exchanges_left(), 0);
    }

    /// A file in memory.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Memory {
        fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(buffer)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    // On one thread, where nothing that is asked for depends on who comes first.
    macro_rules! named_tests {
        ($($module:ident { $($check:ident)+ })+) => {
            $(mod $module {
                $(#[tokio::test]
                async fn $check() {
                    let check: super::Check = |place| Box::pin(super::suite::$module::$check(place));
                    super::hold(stringify!($check), check).await;
                })+
            })+
        };
    }

    for_each_check!(named_tests);
}

/// One after another, in one test: an instance has few tables, and one failure must not hide others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_holds_on_a_real_instance() {
    macro_rules! list {
        ($($module:ident { $($check:ident)+ })+) => {
            [$($((
                concat!(stringify!($module), "::", stringify!($check)),
                |place| Box::pin(suite::$module::$check(place)),
            )),+),+]
        };
    }
    let Some(endpoint) = variable(ENDPOINT_VARIABLE) else {
        say(&format!(
            "skipped, no real instance: set {ENDPOINT_VARIABLE}, {INSTANCE_VARIABLE} unless the \
             endpoint names it, and TABLESTORE_ACCESS_KEY_ID with TABLESTORE_ACCESS_KEY_SECRET"
        ));
        return;
    };
    let mut builder = Client::builder(endpoint).credentials(Credentials::from_env().unwrap());
    if let Some(instance) = variable(INSTANCE_VARIABLE) {
        builder = builder.instance(instance);
    }
    let client = builder.build().unwrap();
    let checks: &[(&str, Check)] = &for_each_check!(list);
    let mut failed = Vec::new();
    for (name, check) in checks {
        let outcome = tokio::spawn(suite::hold(client.clone(), *check)).await;
        say(&format!(
            "{name}: {}",
            if outcome.is_ok() { "ok" } else { "FAILED" }
        ));
        if outcome.is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// To the terminal: what `eprintln!` says is kept back when a test goes well, and a skipped one must
/// not look like one that ran.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
