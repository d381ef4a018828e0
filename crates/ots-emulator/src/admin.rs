//! The admin API: what a test does to the emulator that no client could do to the service.
//!
//! JSON under `/admin/`, unsigned. The server answers it to programs on the same computer alone, and
//! not to web pages: see `connection.rs`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::database::{Database, lock};
use crate::emulator::Emulator;
use crate::fault::FaultRule;
use crate::split_points::{next_rows, row_bytes};
use crate::stats::OperationStats;
use crate::storage::StorageError;
use crate::stored::StoredRow;

/// Where the admin API lives.
pub(crate) const PREFIX: &str = "/admin/";

/// A refusal: a status and a sentence.
type Refusal = (StatusCode, String);

impl Emulator {
    /// Answers a request of the admin API.
    pub(crate) fn admin(&self, method: &Method, path: &str, body: &Bytes) -> Response<Bytes> {
        let path = path.strip_prefix(PREFIX).unwrap_or(path);
        match self.perform_admin(method, path, body) {
            Ok(value) => json_response(StatusCode::OK, &value),
            Err((status, sentence)) => json_response(status, &json!({ "error": sentence })),
        }
    }

    fn perform_admin(&self, method: &Method, path: &str, body: &Bytes) -> Result<Value, Refusal> {
        match (method.as_str(), path) {
            ("GET", "tables") => Ok(self.admin_tables()),
            ("GET", "stats") => Ok(self.admin_stats()),
            ("POST", "sessions/expire") => Ok(json!({ "expired": self.expire_sessions() })),
            ("POST", "reset") => {
                self.reset().map_err(failed)?;
                Ok(json!({}))
            }
            ("POST", "snapshot") => {
                let directory = self.named_directory(body)?;
                self.snapshot(&directory).map_err(failed)?;
                Ok(json!({ "directory": directory }))
            }
            ("POST", "restore") => {
                let directory = self.named_directory(body)?;
                self.restore(&directory).map_err(failed)?;
                Ok(json!({ "directory": directory }))
            }
            ("GET", "clock") => Ok(self.admin_clock()),
            ("POST", "clock/advance") => {
                let Advance { ms } = parse(body)?;
                self.advance(Duration::from_millis(ms));
                Ok(self.admin_clock())
            }
            ("GET", "faults") => Ok(json!({ "faults": self.faults().list() })),
            ("POST", "faults") => {
                let rules = FaultRule::list_from_json(body)
                    .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
                let ids = rules.into_iter().map(|rule| self.faults().add(rule));
                Ok(json!({ "ids": ids.collect::<Vec<_>>() }))
            }
            ("DELETE", "faults") => {
                self.faults().clear();
                Ok(json!({}))
            }
            ("DELETE", path) if path.starts_with("faults/") => {
                let id = path.trim_start_matches("faults/").parse();
                match id {
                    Ok(id) if self.faults().remove(id) => Ok(json!({})),
                    _ => Err(not_found("there is no such fault".to_owned())),
                }
            }
            (_, known) if KNOWN.contains(&known) => Err((
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{PREFIX}{known} doesn't take {method}"),
            )),
            _ => Err(not_found(format!(
                "the admin API has {PREFIX}{{{}}}",
                KNOWN.join(",")
            ))),
        }
    }

    /// The directory of the snapshot that a request names. Names, no paths: whoever reaches the port
    /// must not reach the whole disk.
    fn named_directory(&self, body: &Bytes) -> Result<PathBuf, Refusal> {
        let Named { name } = parse(body)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            let sentence = "a snapshot's name has 1 to 64 letters, digits, '-' and '_'";
            return Err((StatusCode::BAD_REQUEST, sentence.to_owned()));
        }
        self.snapshot_directory(&name).ok_or_else(|| {
            let sentence = "there is no data directory to keep snapshots in";
            (StatusCode::CONFLICT, sentence.to_owned())
        })
    }

    fn admin_clock(&self) -> Value {
        json!({ "now_ms": self.now_ms(), "advanced_ms": self.advanced_ms() })
    }

    /// Instances, their tables with their sizes, their indexes.
    fn admin_tables(&self) -> Value {
        let instances = self.instances().into_iter().map(|(instance, database)| {
            let names: Vec<_> = lock(&database).tables.keys().cloned().collect();
            let tables = names.into_iter().filter_map(|name| {
                let size = TableSize::measure(&database, &name)?;
                let database = lock(&database);
                let indexes: Vec<_> = database.tables.get(&name)?.indexes.keys().collect();
                Some(json!({
                    "name": name,
                    "rows": size.rows,
                    "bytes": size.bytes,
                    "indexes": indexes,
                }))
            });
            (instance, Value::from(tables.collect::<Vec<_>>()))
        });
        json!({ "instances": Value::Object(instances.collect()) })
    }

    /// What was asked, what it has cost, and what there is.
    fn admin_stats(&self) -> Value {
        let operations = self.operation_stats();
        let sum = |of: fn(&OperationStats) -> u64| operations.values().map(of).sum::<u64>();
        let databases = self.instances().into_iter().map(|(_, database)| database);
        let (tables, rows) = databases.fold((0, 0), |(tables, rows), database| {
            let database = lock(&database);
            let rows_here: usize = database.tables.values().map(|table| table.rows.len()).sum();
            (tables + database.tables.len(), rows + rows_here)
        });
        json!({
            "requests": sum(|stats| stats.requests),
            "refused": sum(|stats| stats.refused),
            "read_units": sum(|stats| stats.read_units),
            "write_units": sum(|stats| stats.write_units),
            "tables": tables,
            "rows": rows,
            "sessions": self.sessions(),
            "operations": operations,
        })
    }
}

/// How large a table is.
#[derive(Debug, Default)]
struct TableSize {
    rows: u64,
    /// Names and values, all versions included.
    bytes: u64,
}

impl TableSize {
    /// Walks over the rows, without holding up those who write them; none if there is no such table.
    fn measure(database: &Mutex<Database>, table: &str) -> Option<Self> {
        let mut size = Self::default();
        let mut last: Option<Arc<StoredRow>> = None;
        loop {
            let (meta, rows) = {
                let database = lock(database);
                let meta = Arc::clone(&database.tables.get(table)?.meta);
                (meta, next_rows(&database, table, last.as_deref()).ok()?)
            };
            for row in &rows {
                size.rows += 1;
                size.bytes += row_bytes(&meta, row);
            }
            match rows.into_iter().next_back() {
                None => return Some(size),
                row => last = row,
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let sentence = format!("the body isn't the JSON it should be: {error}");
        (StatusCode::BAD_REQUEST, sentence)
    })
}

fn failed(error: StorageError) -> Refusal {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    (StatusCode::CONFLICT, format!("{error}: {cause}"))
}

fn not_found(sentence: String) -> Refusal {
    (StatusCode::NOT_FOUND, sentence)
}

/// Whether a request may come from a web page instead of a program: pages name their origin, or
/// reach the loopback by a name of their own.
pub(crate) fn from_a_page(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let is_local = name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    headers.contains_key(header::ORIGIN) || !is_local
}

/// The answer to whoever may not use the admin API.
pub(crate) fn forbidden() -> Response<Bytes> {
    let sentence = "the admin API answers programs on the same computer, by http://127.0.0.1, \
                    http://[::1] or http://localhost";
    json_response(StatusCode::FORBIDDEN, &json!({ "error": sentence }))
}

fn json_response(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{value}\n")));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

const KNOWN: [&str; 9] = [
    "tables",
    "stats",
    "reset",
    "sessions/expire",
    "snapshot",
    "restore",
    "clock",
    "clock/advance",
    "faults",
];
