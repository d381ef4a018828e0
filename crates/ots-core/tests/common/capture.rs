//! A subscriber that keeps everything it is shown: spans with their fields, and events.
//!
//! There is one for the whole process, and it hands what it is shown to the capture of the thread.
//! One subscriber per test would do the same until two tests of one process run at once: whether a
//! span is of interest to anybody is remembered for all threads, and the first to ask may be one
//! that nobody listens to.
#![allow(dead_code, reason = "each test uses a part")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

pub(crate) type Fields = BTreeMap<String, String>;

/// Clones share what was kept.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Kept>);

#[derive(Default)]
struct Kept {
    spans: Mutex<BTreeMap<u64, (String, Fields)>>,
    events: Mutex<Vec<(Level, Fields)>>,
}

impl Capture {
    /// Keeps what this thread does until the guard is dropped.
    pub(crate) fn start() -> (Self, Guard) {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            tracing::subscriber::set_global_default(OfThread).unwrap();
        });
        let capture = Self::default();
        CAPTURE.replace(Some(capture.clone()));
        (capture, Guard)
    }

    /// The spans called so, in the order they began.
    pub(crate) fn spans(&self, name: &str) -> Vec<Fields> {
        let spans = self.0.spans.lock().unwrap();
        let named = spans.values().filter(|(own, _)| own == name);
        named.map(|(_, fields)| fields.clone()).collect()
    }

    /// The events of the crate itself.
    pub(crate) fn events(&self) -> Vec<(Level, Fields)> {
        let events = self.0.events.lock().unwrap();
        let own = events
            .iter()
            .filter(|(_, fields)| fields["target"].starts_with("ots_core"));
        own.cloned().collect()
    }

    /// Everything, as text.
    pub(crate) fn text(&self) -> String {
        let spans = self.0.spans.lock().unwrap();
        let events = self.0.events.lock().unwrap();
        format!("{spans:?} {events:?}")
    }
}

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = format!("{value} | {value:?}");
        let mut source = value.source();
        while let Some(error) = source {
            text += &format!(" <- {error}");
            source = error.source();
        }
        self.0.insert(field.name().to_owned(), text);
    }
}

thread_local! {
    static CAPTURE: RefCell<Option<Capture>> = const { RefCell::new(None) };
}

/// Ends the capture of its thread.
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        CAPTURE.take();
    }
}

/// Shows what happens on a thread to that thread's capture, if it has one.
struct OfThread;

impl OfThread {
    fn show<T>(&self, to: impl FnOnce(&Kept) -> T) -> Option<T> {
        CAPTURE.with_borrow(|capture| capture.as_ref().map(|capture| to(&capture.0)))
    }
}

impl Subscriber for OfThread {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        // An id is needed even where nobody listens.
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        self.show(|kept| {
            let mut fields = Fields::new();
            attributes.record(&mut Collect(&mut fields));
            let name = attributes.metadata().name().to_owned();
            kept.spans.lock().unwrap().insert(id, (name, fields));
        });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.show(|kept| {
            let mut spans = kept.spans.lock().unwrap();
            if let Some((_, fields)) = spans.get_mut(&span.into_u64()) {
                values.record(&mut Collect(fields));
            }
        });
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.show(|kept| {
            let mut fields = Fields::new();
            fields.insert("target".to_owned(), event.metadata().target().to_owned());
            event.record(&mut Collect(&mut fields));
            let level = *event.metadata().level();
            kept.events.lock().unwrap().push((level, fields));
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
