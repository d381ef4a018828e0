//! A subscriber that keeps everything it is shown: spans with their fields, and events.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

pub(crate) type Fields = BTreeMap<String, String>;

/// Clones share what was kept.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Kept>);

#[derive(Default)]
struct Kept {
    next_id: AtomicU64,
    spans: Mutex<BTreeMap<u64, (String, Fields)>>,
    events: Mutex<Vec<(Level, Fields)>>,
}

impl Capture {
    /// Keeps what this thread does until the guard is dropped.
    pub(crate) fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let capture = Self::default();
        let guard = tracing::subscriber::set_default(capture.clone());
        (capture, guard)
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

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.0.next_id.fetch_add(1, Ordering::SeqCst) + 1;
        let mut fields = Fields::new();
        attributes.record(&mut Collect(&mut fields));
        let name = attributes.metadata().name().to_owned();
        self.0.spans.lock().unwrap().insert(id, (name, fields));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.0.spans.lock().unwrap();
        let (_, fields) = spans.get_mut(&span.into_u64()).unwrap();
        values.record(&mut Collect(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        fields.insert("target".to_owned(), event.metadata().target().to_owned());
        event.record(&mut Collect(&mut fields));
        let level = *event.metadata().level();
        self.0.events.lock().unwrap().push((level, fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
