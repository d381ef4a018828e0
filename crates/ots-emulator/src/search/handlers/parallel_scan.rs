//! ComputeSplits and ParallelScan.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
    ScanQuery,
};
use ots_proto::plainbuffer::VariantRef;
use ots_proto::{PrimaryKeyValue, PrimaryKeyValueRef};
use prost::Message;

use super::super::columns::Columns;
use super::super::order::Direction;
use super::super::query::CompiledQuery;
use super::super::scan::{Share, Task};
use super::super::schema::Schema;
use super::super::session::{self, DEFAULT_ALIVE_S, MAX_ALIVE_S, TaskKey, TaskState};
use super::super::source::Source;
use super::super::token::{self, KeyToken, SessionToken};
use super::super::view::IndexView;
use super::{check_columns, index, named, no_index, sweep, table};
use crate::database::{Database, lock};
use crate::error::ServiceError;
use crate::settings::{Context, Settings};
use crate::stored::StoredRow;

pub(crate) fn compute_splits(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: ComputeSplitsRequest,
) -> Result<ComputeSplitsResponse, ServiceError> {
    let options = request.search_index_splits_options.as_ref();
    let (table_name, index_name) = named(
        &request.table_name,
        &options.and_then(|options| options.index_name.clone()),
    )?;
    if options.is_none() {
        return Err(ServiceError::parameter(
            "[search index splits options] must not be null",
        ));
    }
    sweep(context, database);
    let session_id = {
        let mut database = lock(database);
        let identity = index(table(&database, &table_name)?, &index_name)?.identity;
        let sessions = &mut database.sessions;
        sessions.open(context.random, identity, context.now_ms)
    };
    Ok(ComputeSplitsResponse {
        session_id: Some(session_id),
        splits_size: Some(splits(context.settings)),
    })
}

pub(crate) fn parallel_scan(
    context: &Context<'_>,
    database: &Mutex<Database>,
    request: ParallelScanRequest,
) -> Result<ParallelScanResponse, ServiceError> {
    let (table_name, index_name) = named(&request.table_name, &request.index_name)?;
    check_columns(request.columns_to_get.as_ref())?;
    let scan = Scan::parse(&request, context.settings)?;
    sweep(context, database);
    match request.session_id.filter(|id| !id.is_empty()) {
        Some(session_id) => {
            let session = InSession {
                id: session_id,
                table_name,
                index_name,
                columns: request.columns_to_get.as_ref(),
            };
            session.page(context, database, scan)
        }
        None => {
            let (meta, view, schema, identity) = {
                let database = lock(database);
                let table = table(&database, &table_name)?;
                let index = index(table, &index_name)?;
                let (meta, schema) = (Arc::clone(&table.meta), Arc::clone(&index.schema));
                let view = IndexView::of(context, table, index);
                (meta, view, schema, index.identity)
            };
            let columns = Columns::for_scan(&schema, request.columns_to_get.as_ref())?;
            let source = Source {
                database,
                table: &meta,
                view,
            };
            let (rows, next_token) =
                scan.page_of_current_rows(context, source, &schema, identity)?;
            Ok(ParallelScanResponse {
                rows: columns.encode_all(&schema.table, &rows),
                next_token,
            })
        }
    }
}

/// What a request asks for, apart from where.
struct Scan {
    query: ScanQuery,
    /// The query's message, which names the task.
    query_bytes: Bytes,
    share: Share,
    limit: usize,
    alive_s: i32,
}

impl Scan {
    fn parse(request: &ParallelScanRequest, settings: &Settings) -> Result<Self, ServiceError> {
        let query = request
            .scan_query
            .clone()
            .ok_or_else(|| ServiceError::parameter("the request has no scan_query"))?;
        let positive = |name: &str, value: Option<i32>, default: i32| match value {
            Some(value) if value <= 0 => Err(ServiceError::parameter(format!(
                "{name} must be positive, it is {value}"
            ))),
            value => Ok(value.unwrap_or(default)),
        };
        let limit = positive("limit", query.limit, i32::MAX)?;
        let alive_s = positive("alive_time", query.alive_time, DEFAULT_ALIVE_S)?;
        if alive_s > MAX_ALIVE_S {
            return Err(ServiceError::parameter(format!(
                "alive_time must be at most {MAX_ALIVE_S} seconds, it is {alive_s}"
            )));
        }
        Ok(Self {
            share: parse_share(&query, settings)?,
            // More than the page holds is no error, it just gains nothing.
            limit: usize::try_from(limit)
                .unwrap_or(usize::MAX)
                .min(settings.scan_page_rows)
                .max(1),
            alive_s,
            query_bytes: query
                .query
                .as_ref()
                .map(|query| query.encode_to_vec().into())
                .unwrap_or_default(),
            query,
        })
    }

    fn binding(&self, index: u64, session: &Bytes) -> u64 {
        token::binding(&(index, &self.query_bytes, self.share, session))
    }

    fn token(&self) -> Option<&Bytes> {
        self.query.token.as_ref().filter(|token| !token.is_empty())
    }

    /// A page without a session: of the rows as they are now, from the key where the last one ended.
    fn page_of_current_rows(
        &self,
        context: &Context<'_>,
        source: Source<'_>,
        schema: &Schema,
        index: u64,
    ) -> Result<(Vec<Arc<StoredRow>>, Option<Bytes>), ServiceError> {
        let query = CompiledQuery::compile_for_scan(schema, self.query.query.as_ref())?;
        let binding = self.binding(index, &Bytes::new());
        let after = match self.token() {
            Some(bytes) => {
                let token: KeyToken = token::decode(bytes, binding)?;
                if token.expires_ms <= context.now_ms {
                    return Err(session::expired());
                }
                Some(decode_key(&token.after).ok_or_else(token::not_ours)?)
            }
            None => None,
        };
        let mut rows = Vec::new();
        source.visit(after.as_deref(), Direction::Ascending, |row| {
            if self.share.owns(&row.key) && query.matches(row) {
                rows.push(Arc::clone(row));
            }
            rows.len() < self.limit
        })?;
        let next_token = rows.last().map(|last| {
            token::encode(&KeyToken {
                binding,
                after: encode_key(&last.key),
                expires_ms: session::expiry(context.now_ms, self.alive_s),
            })
        });
        Ok((rows, next_token))
    }
}

/// A request within a session.
struct InSession<'r> {
    id: Bytes,
    table_name: String,
    index_name: String,
    columns: Option<&'r ots_proto::messages::ColumnsToGet>,
}

/// What a request within a session reads, found under the lock.
struct Found {
    schema: Arc<Schema>,
    columns: Columns,
    binding: u64,
    state: FoundTask,
    /// Rows of the share that were returned before.
    position: usize,
}

enum FoundTask {
    Running(Arc<Task>),
    /// The share is at its end and the task is gone.
    Ended,
}

impl InSession<'_> {
    fn page(
        self,
        context: &Context<'_>,
        database: &Mutex<Database>,
        scan: Scan,
    ) -> Result<ParallelScanResponse, ServiceError> {
        let key = TaskKey {
            query: scan.query_bytes.clone(),
            max_parallel: scan.share.max_parallel,
        };
        let found = self.find(context, &mut lock(database), &scan, &key);
        let Found {
            schema,
            columns,
            binding,
            state,
            position,
        } = found?;
        let FoundTask::Running(task) = state else {
            return Ok(ParallelScanResponse::default());
        };

        let matches = task.matches();
        let share = matches
            .get(scan.share.of(matches.len()))
            .unwrap_or_default();
        let rest = share.get(position..).ok_or_else(token::not_ours)?;
        if rest.is_empty() {
            // The share's end. A token that is absent says so, never an empty one.
            let ended =
                lock(database)
                    .sessions
                    .end_share(&self.id, &key, task.identity, scan.share);
            drop(ended);
            return Ok(ParallelScanResponse::default());
        }
        let limit = if context.empty_page { 0 } else { scan.limit };
        let rows = rest.get(..limit).unwrap_or(rest);
        let next_token = token::encode(&SessionToken {
            binding,
            task: task.identity,
            rows: u64::try_from(position + rows.len()).unwrap_or(u64::MAX),
        });
        Ok(ParallelScanResponse {
            rows: columns.encode_all(&schema.table, rows),
            next_token: Some(next_token),
        })
    }

    fn find(
        &self,
        context: &Context<'_>,
        database: &mut Database,
        scan: &Scan,
        key: &TaskKey,
    ) -> Result<Found, ServiceError> {
        let table = database
            .tables
            .get(&self.table_name)
            .ok_or_else(|| super::no_table(&self.table_name))?;
        let index = table.indexes.get(&self.index_name);
        let running = database.sessions.running();
        // A deleted index takes its sessions along, and that is what a client must hear of.
        let session = database.sessions.refresh(
            &self.id,
            index.map(|index| index.identity),
            context.now_ms,
            scan.alive_s,
        )?;
        let index = index.ok_or_else(|| no_index(&self.index_name))?;
        let columns = Columns::for_scan(&index.schema, self.columns)?;
        let query = CompiledQuery::compile_for_scan(&index.schema, scan.query.query.as_ref())?;
        let binding = scan.binding(index.identity, &self.id);
        let token = match scan.token() {
            Some(bytes) => Some(token::decode::<SessionToken>(bytes, binding)?),
            None => None,
        };
        let position = match &token {
            Some(token) => usize::try_from(token.rows).map_err(|_| token::not_ours())?,
            None => 0,
        };
        let wanted = token.map(|token| token.task);
        let is_wanted = |identity| wanted.is_none_or(|wanted| wanted == identity);
        let state = match session.task(key) {
            Some(TaskState::Running { task, .. }) if is_wanted(task.identity) => {
                FoundTask::Running(Arc::clone(task))
            }
            Some(TaskState::Finished { identity, rows })
                if is_wanted(*identity) && position >= scan.share.of(*rows).len() =>
            {
                FoundTask::Ended
            }
            // The rows this token counts are gone: the task ended, or was started again.
            _ if wanted.is_some() => return Err(session::expired()),
            _ => {
                // The first request, or the first after the end of an earlier task.
                let most = context.settings.max_scan_tasks;
                if running >= most {
                    return Err(ServiceError::parameter(format!(
                        "{running} scans are running already, the most that the emulator's settings \
                         allow is {most}; read them to their end or let their sessions expire"
                    )));
                }
                let snapshot = IndexView::of(context, table, index).all(table);
                let task = Arc::new(Task::new(context.random.u64(), query, snapshot));
                session.begin(key.clone(), Arc::clone(&task));
                FoundTask::Running(task)
            }
        };
        Ok(Found {
            schema: Arc::clone(&index.schema),
            columns,
            binding,
            state,
            position,
        })
    }
}

/// Both numbers may be absent: one share, the first. Texts as in an official SDK's tests, where the
/// blank stands before the comma.
fn parse_share(query: &ScanQuery, settings: &Settings) -> Result<Share, ServiceError> {
    let splits = splits(settings);
    let max_parallel = query.max_parallel.unwrap_or(1);
    let current = query.current_parallel_id.unwrap_or(0);
    if !(1..=splits).contains(&max_parallel) {
        return Err(ServiceError::parameter(format!(
            "[parallel_scan.max_parallel_id] must in (0 ,{splits}], current max_parallel_id is \
             {max_parallel}"
        )));
    }
    match (u32::try_from(max_parallel), u32::try_from(current)) {
        (Ok(max_parallel), Ok(current)) if current < max_parallel => Ok(Share {
            max_parallel,
            current,
        }),
        _ => Err(ServiceError::parameter(format!(
            "[parallel_scan.current_parallel_id] must in [0, max_parallel), current max_parallel is \
             {max_parallel}, current_parallel_id is {current}"
        ))),
    }
}

fn splits(settings: &Settings) -> i32 {
    i32::try_from(settings.splits.max(1)).unwrap_or(i32::MAX)
}

fn encode_key(key: &[PrimaryKeyValue]) -> Vec<Bytes> {
    key.iter()
        .map(|value| VariantRef::from(value.as_ref()).encode())
        .collect()
}

fn decode_key(values: &[Bytes]) -> Option<Vec<PrimaryKeyValue>> {
    values
        .iter()
        .map(|value| {
            let value = VariantRef::decode(value).ok()?;
            Some(PrimaryKeyValueRef::try_from(value).ok()?.to_owned())
        })
        .collect()
}
