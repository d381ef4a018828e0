//! A request that has come in is performed, or meets a fault.

use std::time::Duration;

use bytes::Bytes;
use ots_proto::operation::{self, Idempotency, Operation};

use crate::answer::{Answer, Reply};
use crate::auth::Signer;
use crate::database::lock;
use crate::dispatch::{self, Performed};
use crate::emulator::Emulator;
use crate::error::ServiceError;
use crate::fault::{self, Decision, Facts, FaultAction};
use crate::pace;
use crate::service::Draft;
use crate::settings::Context;

impl Emulator {
    /// Performs the operation, unless a fault refuses it, and does to its answer what the fault says.
    pub(crate) fn perform(
        &self,
        name: &str,
        instance: &str,
        body: Bytes,
        signer: Option<&Signer>,
    ) -> Answer {
        let now_ms = self.now_ms();
        let Decision { action, meters } = self.faults().decide(now_ms, || Facts::of(name, &body));
        let run = |body, empty_page| {
            let draft = self.run(name, instance, body, now_ms, empty_page);
            self.faults().charge(&meters, now_ms, draft.units);
            draft
        };
        let mut delay = Duration::ZERO;
        let mut cut_at = None;
        let draft = match action {
            None => run(body, false),
            Some(FaultAction::Error {
                status,
                code,
                message,
            }) if message.is_empty() => refused_by_fault(status, &code),
            Some(FaultAction::Error {
                status,
                code,
                message,
            }) => Draft::error(status, code, message),
            Some(FaultAction::Throttle | FaultAction::LimitUnits { .. }) => {
                refused_by_fault(403, "OTSNotEnoughCapacityUnit")
            }
            Some(FaultAction::DropBefore) => return Answer::lost(),
            Some(FaultAction::DropAfter) => {
                run(body, false);
                return Answer::lost();
            }
            Some(FaultAction::Delay { ms }) => {
                delay = Duration::from_millis(ms);
                run(body, false)
            }
            Some(FaultAction::Truncate { bytes }) => {
                cut_at = Some(bytes);
                run(body, false)
            }
            Some(FaultAction::BadMd5) => Draft {
                bad_md5: true,
                ..run(body, false)
            },
            Some(FaultAction::BadSignature) => Draft {
                bad_signature: true,
                ..run(body, false)
            },
            Some(FaultAction::SkewDate { seconds }) => Draft {
                skew_s: seconds,
                ..run(body, false)
            },
            Some(FaultAction::CorruptChecksum) => {
                let mut draft = run(body, false);
                if draft.status == 200 {
                    draft.body = fault::corrupt_rows(name, draft.body);
                }
                draft
            }
            Some(FaultAction::ExpireSession) => {
                self.expire_session(instance, name, &body);
                run(body, false)
            }
            Some(FaultAction::MoveSplit { splits }) => {
                if let Some(splits) = splits {
                    self.set_splits(splits.get());
                }
                if MOVED.contains(&name) {
                    refused_by_fault(503, "OTSPartitionUnavailable")
                } else {
                    self.close_sessions(instance, &Facts::of(name, &body));
                    run(body, false)
                }
            }
            Some(FaultAction::DelayIndexSync { ms }) => {
                self.set_index_delay(Duration::from_millis(ms));
                run(body, false)
            }
            Some(FaultAction::EmptyPage) => run(body, true),
        };
        let whole_bytes = draft.body.len();
        let mut response = self.respond(name, signer, &draft);
        let reply = match cut_at {
            Some(bytes) if bytes < whole_bytes => {
                *response.body_mut() = fault::cut(response.body(), bytes);
                Reply::Cut {
                    response,
                    whole_bytes,
                }
            }
            _ => Reply::Whole(response),
        };
        Answer { delay, reply }
    }

    fn run(&self, name: &str, instance: &str, body: Bytes, now_ms: i64, empty_page: bool) -> Draft {
        let settings = self.settings_now();
        let context = Context {
            empty_page,
            journal: self.journal(instance),
            ..Context::new(&settings, self.random(), now_ms)
        };
        let database = self.database(instance);
        let ran = self
            .check_storage(name)
            .and_then(|()| pace::admit(&settings, &database, name, now_ms))
            .and_then(|()| dispatch::run(&context, &database, name, body));
        match ran {
            Ok(Performed { body, units }) => Draft::new(body, units),
            Err(error) => Draft::refused(&error),
        }
    }

    /// Once the disk has failed no change is begun. Nobody need try again: a 5xx would be repeated for
    /// minutes.
    fn check_storage(&self, name: &str) -> Result<(), ServiceError> {
        let Some(error) = self.storage_failure() else {
            return Ok(());
        };
        let reads = |(known, idempotency): &(_, _)| {
            *known == name && *idempotency == Idempotency::NoSideEffects
        };
        if operation::ALL.iter().any(reads) {
            return Ok(());
        }
        let message = format!(
            "{}. It takes no changes until it is started again.",
            error.failure()
        );
        Err(ServiceError::parameter(message))
    }

    /// Ends all sessions of the index that a request names.
    fn close_sessions(&self, instance: &str, facts: &Facts) {
        let database = self.database(instance);
        let mut database = lock(&database);
        let index = facts.index().and_then(|(table, index)| {
            let index = database.tables.get(table)?.indexes.get(index)?;
            Some(index.identity)
        });
        let closed = index.map(|index| database.sessions.close_index(index));
        // Snapshots are freed without the lock.
        drop(database);
        drop(closed);
    }

    /// Ends the session that a request names.
    fn expire_session(&self, instance: &str, name: &str, body: &Bytes) {
        if name != operation::ParallelScan::NAME {
            return;
        }
        let request = operation::ParallelScan::decode_request(body.clone());
        if let Ok(Some(id)) = request.map(|request| request.session_id) {
            let closed = lock(&self.database(instance)).sessions.close(&id);
            drop(closed);
        }
    }
}

fn refused_by_fault(status: u16, code: &str) -> Draft {
    Draft::error(status, code.to_owned(), fault::sentence_of(code).to_owned())
}

/// What a partition that moves can't answer. Everything else goes on.
const MOVED: [&str; 8] = [
    operation::GetRow::NAME,
    operation::PutRow::NAME,
    operation::UpdateRow::NAME,
    operation::DeleteRow::NAME,
    operation::BatchGetRow::NAME,
    operation::BatchWriteRow::NAME,
    operation::GetRange::NAME,
    operation::BulkExport::NAME,
];
