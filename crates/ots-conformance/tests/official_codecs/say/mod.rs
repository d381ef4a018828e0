//! Requests in the words of the Python SDK: the calls that build the same with its classes.
//!
//! The words come from our values, not from our messages, so an error in how we write a message is not
//! said to the SDK too. What the SDK has no word for is first taken out of the value, so that both
//! sides write the same thing; each such place has a comment with the reason.

mod filter;
mod group_by;
mod query;
mod schema;
mod sort;

use bytes::Bytes;
use ots_conformance::canonical::Value;
use ots_proto::ColumnValue;
use ots_proto::search::{GeoPoint, Named, ScanQuery, SearchQuery, TotalCount};
use serde_json::{Value as Json, json};

/// Something the SDK has words for.
pub(crate) trait Say {
    /// The words. Takes out what there is no word for.
    fn say(&mut self) -> Json;
}

/// A call of a class of the SDK with named arguments.
macro_rules! new {
    ($class:expr, $($name:ident: $value:expr),* $(,)?) => {
        ::serde_json::json!({ "new": $class, "with": { $((stringify!($name)): $value.say()),* } })
    };
}
use new;

/// The names of an enum of the SDK.
macro_rules! words {
    ($($type:ty: $class:literal { $($ours:ident = $theirs:ident),* $(,)? })*) => {$(
        impl $crate::say::Say for $type {
            fn say(&mut self) -> ::serde_json::Value {
                // Some of the enums may grow.
                #[allow(unreachable_patterns, reason = "some of the enums may grow")]
                let name = match self {
                    $(Self::$ours => stringify!($theirs),)*
                    newer => panic!("no word for {newer:?}"),
                };
                ::serde_json::json!({ "enum": format!("{}.{name}", $class) })
            }
        }
    )*};
}
use words;

impl Say for SearchQuery {
    fn say(&mut self) -> Json {
        // No class for a filter after the search, none for counting up to a number.
        self.filter = None;
        let mut total = match self.total {
            Some(TotalCount::Flag(flag)) => Some(flag),
            _ => None,
        };
        self.total = total.map(TotalCount::Flag);
        // A search must have a query.
        self.query.get_or_insert(ots_proto::search::Query::MatchAll);
        sort::drop_empty(&mut self.sort);
        query::drop_empty(&mut self.highlight);
        let mut collapse = self.collapse.as_mut().map(Collapse);
        new!("SearchQuery",
            query: self.query,
            sort: self.sort,
            get_total_count: total,
            next_token: self.token,
            offset: self.offset,
            limit: self.limit,
            aggs: self.aggregations,
            group_bys: self.group_bys,
            collapse_field: collapse,
            highlight: self.highlight,
        )
    }
}

struct Collapse<'a>(&'a mut String);

impl Say for Collapse<'_> {
    fn say(&mut self) -> Json {
        new!("Collapse", field_name: self.0)
    }
}

impl Say for ScanQuery {
    fn say(&mut self) -> Json {
        self.query.get_or_insert(ots_proto::search::Query::MatchAll);
        // Required, and the time must not be 0.
        let seconds = self.alive_time.map_or(0, |time| time.as_secs()).max(1);
        self.alive_time = Some(std::time::Duration::from_secs(seconds));
        self.current_parallel_id.get_or_insert(0);
        self.max_parallel.get_or_insert(1);
        new!("ScanQuery",
            query: self.query,
            limit: self.limit,
            next_token: self.token,
            current_parallel_id: self.current_parallel_id,
            max_parallel: self.max_parallel,
            alive_time: { seconds },
        )
    }
}

impl<T: Say> Say for &mut T {
    fn say(&mut self) -> Json {
        (**self).say()
    }
}

impl<T: Say> Say for Option<T> {
    fn say(&mut self) -> Json {
        self.as_mut().map_or(Json::Null, Say::say)
    }
}

impl<T: Say> Say for Box<T> {
    fn say(&mut self) -> Json {
        (**self).say()
    }
}

impl<T: Say> Say for Vec<T> {
    fn say(&mut self) -> Json {
        self.iter_mut().map(Say::say).collect()
    }
}

/// A part with the name that tells it from others.
pub(crate) trait SayNamed {
    fn say_named(&mut self, name: &str) -> Json;
}

impl<T: SayNamed> Say for Named<T> {
    fn say(&mut self) -> Json {
        let mut said = Vec::new();
        let parts = std::mem::replace(self, Self::new());
        for (name, mut part) in parts {
            said.push(part.say_named(&name));
            self.push(name, part);
        }
        Json::Array(said)
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Say for $type {
            fn say(&mut self) -> Json {
                json!(self)
            }
        }
    )*};
}
plain!(String, str, bool, i32, u32, i64, u64);

impl Say for f64 {
    fn say(&mut self) -> Json {
        json!(Value::double(*self))
    }
}

impl Say for f32 {
    fn say(&mut self) -> Json {
        f64::from(*self).say()
    }
}

impl Say for Bytes {
    fn say(&mut self) -> Json {
        json!({ "bytes": hex::encode(self) })
    }
}

impl Say for ColumnValue {
    fn say(&mut self) -> Json {
        json!(canonical(self))
    }
}

impl Say for GeoPoint {
    fn say(&mut self) -> Json {
        json!(self.to_string())
    }
}

/// A value in the form that every driver takes.
pub(crate) fn canonical(value: &ColumnValue) -> Value {
    match value {
        ColumnValue::Integer(value) => Value::Integer(*value),
        ColumnValue::Double(value) => Value::double(*value),
        ColumnValue::Boolean(value) => Value::Boolean(*value),
        ColumnValue::String(value) => Value::String(value.clone()),
        ColumnValue::Binary(value) => Value::Binary(value.to_vec()),
    }
}
