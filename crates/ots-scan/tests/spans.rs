//! What a scan tells `tracing`: a span for each split or range, each loss of a session, and that a table
//! is read by another operation than wished.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod fake;

use std::num::NonZeroU64;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fake::{Answered, Fake};
use futures::TryStreamExt as _;
use ots_core::request::{CreateTable, PutRow};
use ots_core::transport::InProcess;
use ots_core::{Client, Credentials, ErrorCode, PrimaryKey, Row};
use ots_emulator::{Emulator, FaultRule, Settings};
use ots_proto::messages::PrimaryKeyType;
use ots_scan::{OnSessionLoss, ReadBy, parallel_scan, table_scan};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The one subscriber of this process, in which there is one test.
struct Kept;

static SPANS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(1);

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("ots_scan")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(span.metadata().name().to_owned());
        span.record(&mut text);
        SPANS.lock().unwrap().push(text.0);
        Id::from_u64(NEXT.fetch_add(1, Ordering::SeqCst))
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        EVENTS.lock().unwrap().push(text.0);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn every_split_and_range_has_a_span_and_what_changes_the_road_an_event() {
    tracing::subscriber::set_global_default(Kept).unwrap();
    a_session_is_lost().await;
    SPANS.lock().unwrap().clear();
    EVENTS.lock().unwrap().clear();
    bulk_export_is_refused().await;
}

async fn a_session_is_lost() {
    let expired = AtomicBool::new(false);
    let fake = Fake::new(100, 2).shape(|_| 7).answer(move |asked| {
        let expires = asked.page == 3 && !expired.swap(true, Ordering::SeqCst);
        expires.then_some(Answered::Error(ErrorCode::SessionExpired))
    });
    let mut scan = parallel_scan(fake, "orders", "orders_index")
        .on_session_loss(OnSessionLoss::ExactlyOnce { max: 1 })
        .open()
        .await
        .unwrap();
    while scan.try_next().await.unwrap().is_some() {}

    let split = |id, generation| {
        format!(
            "split table=\"orders\" index=\"orders_index\" split={id} max_parallel=2 \
             generation={generation}"
        )
    };
    let spans = [split(0, 0), split(1, 0), split(0, 1), split(1, 1)];
    assert_eq!(*SPANS.lock().unwrap(), spans);
    let events = EVENTS.lock().unwrap();
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(event.contains("began anew table=\"orders\""), "{event}");
    assert!(event.contains("generation=1"), "{event}");
}

async fn bulk_export_is_refused() {
    let mut settings = Settings::default();
    settings.min_split_unit_bytes = 1;
    let emulator = Emulator::builder().settings(settings).build();
    let refusal = FaultRule::error(403, "OTSNoPermissionAccess").operation("BulkExport");
    emulator.faults().add(refusal);
    let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
    let client = Client::builder("http://embedded")
        .instance("scan")
        .credentials(Credentials::new(id, secret))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .unwrap();
    let table = CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await.unwrap();
    for id in 0..3 {
        let row = Row::new(PrimaryKey::new().column("id", id));
        client.send(PutRow::new("orders", row)).await.unwrap();
    }
    let scan = table_scan(client, "orders").part_bytes(NonZeroU64::MIN);
    let mut scan = scan.read_by(ReadBy::Auto).open().await.unwrap();
    while scan.try_next().await.unwrap().is_some() {}

    let mut spans = SPANS.lock().unwrap();
    spans.sort();
    let ranges = (0..3).map(|range| format!("range table=\"orders\" range={range}"));
    assert_eq!(*spans, ranges.collect::<Vec<_>>());
    let events = EVENTS.lock().unwrap();
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(event.contains("BulkExport is refused"), "{event}");
    assert!(
        event.contains("table=\"orders\" code=OTSNoPermissionAccess"),
        "{event}"
    );
}
