//! What a scan tells `tracing`: a span for each split, and each loss of a session.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod fake;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fake::{Answered, Fake};
use futures::TryStreamExt as _;
use ots_core::ErrorCode;
use ots_scan::{OnSessionLoss, parallel_scan};
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
async fn every_split_has_a_span_and_every_lost_session_an_event() {
    tracing::subscriber::set_global_default(Kept).unwrap();
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
