//! From what a scan shall be to a scan: what can be wrong, the session, and the first plan.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use ots_core::limiter::Limiter;
use ots_core::request::{ParallelScan, ScanColumns, Search, send};
use ots_core::{Call, Error};
use ots_proto::operation;
use tokio::runtime::Handle;

use crate::budget::Budget;
use crate::builder::{DEFAULT_CONCURRENCY, ScanBuilder};
use crate::checkpoint::Checkpoint;
use crate::columns;
use crate::decode::Decoder;
use crate::delivered::Delivered;
use crate::engine::Engine;
use crate::error::{ScanError, ScanErrorKind};
use crate::events::ScanEvents;
use crate::keep_alive::KeepAlive;
use crate::launch::Launcher;
use crate::page::ScanPage;
use crate::places::Places;
use crate::plan::{Position, ScanPlan};
use crate::request::PageRequest;
use crate::scan::Scan;
use crate::session::ScanSession;
use crate::session_life::SessionLife;
use crate::session_loss::OnSessionLoss;
use crate::setup::Setup;
use crate::split::Split;
use crate::worker::{Shared, SharedPlan};

impl<C> ScanBuilder<C>
where
    C: Call<operation::ComputeSplits> + Call<operation::ParallelScan> + 'static,
{
    /// Opens a session and begins to read. Opened again, it reads everything again, in a session of
    /// its own.
    ///
    /// # Cost
    /// One ComputeSplits request. Then at least two ParallelScan requests for each split: the service
    /// ends a split with a page of its own.
    ///
    /// # Cancel safety
    /// Safe: a session that nobody reads costs nothing and ends by itself.
    ///
    /// # Errors
    /// [`Columns`](ScanErrorKind::Columns), [`Policy`](ScanErrorKind::Policy),
    /// [`Request`](ScanErrorKind::Request) or [`NoRuntime`](ScanErrorKind::NoRuntime), with nothing
    /// sent; [`Open`](ScanErrorKind::Open)
    /// when there is no session to be had: no such table or index, no permission, no answer.
    pub async fn open(&self) -> Result<Scan, ScanError> {
        let opened = self.try_open(View::Pages).await;
        opened.map(Scan::new).map_err(|error| self.place(error))
    }

    /// As [`open`](Self::open), for a stream that also says when the scan begins anew: the only view
    /// under [`OnSessionLoss::Restart`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn events(&self) -> Result<ScanEvents, ScanError> {
        let opened = self.try_open(View::Events).await;
        opened
            .map(ScanEvents::new)
            .map_err(|error| self.place(error))
    }

    /// Opens a session, and gives each of its splits as a scan of its own: for callers with workers of
    /// their own, in this process or, by its [`checkpoint`](Scan::checkpoint), in another. The session
    /// is divided as [`open`](Self::open) divides it. They share the bound on requests in flight, and
    /// the bound on bytes in equal parts.
    ///
    /// Every split is to be read: what is left out is missing from the whole. A split that
    /// nobody has polled asks nothing: by itself it keeps the session no longer than
    /// [`alive_time`](Self::alive_time).
    ///
    /// # Errors
    /// As [`open`](Self::open); and [`Policy`](ScanErrorKind::Policy) with any policy but
    /// [`Fail`](crate::OnSessionLoss::Fail): a split can't begin anew without the others.
    pub async fn splits(&self) -> Result<Vec<Scan>, ScanError> {
        let opened = async {
            let checked = self.check(View::Part)?;
            let session = self.session().await?;
            let plan = ScanPlan::new(session.splits_size(), checked.concurrency);
            let splits: Vec<_> = plan.positions().map(|(split, _)| split).collect();
            let limiter = self.in_flight(&checked);
            let bytes = self.buffered_bytes / splits.len().max(1);
            let opened = self.opened(Some(session));
            let scans = splits.into_iter().map(|split| {
                let plan = ScanPlan::of([(split, Position::Start)]);
                Scan::new(self.start(&checked, opened.clone(), plan, &limiter, bytes))
            });
            Ok(scans.collect())
        };
        opened.await.map_err(|error| self.place(error))
    }

    /// Goes on where a [`Checkpoint`] was taken, in the same session: of all its splits, or of the one
    /// that it is about.
    ///
    /// Rows handed over before it don't come again. Nothing is sent before the scan is polled, and
    /// whether the service still has the session shows then.
    ///
    /// # Cost
    /// One request for one row of each split that was begun and isn't at its end, before each of its
    /// pages until a row came; then as [`open`](Self::open).
    ///
    /// # Tokens that can't be asked twice
    /// A scan asks for pages ahead. Those that were on their way, or lay ready, when it was dropped
    /// are asked for again by the one that goes on, which rests on tokens that name places, as every
    /// retry of a lost answer does. The service's documentation doesn't say that they do. A service
    /// whose tokens name a cursor instead, which moves with each request, would have read those pages
    /// to nobody. So a row is asked for first, and must come again with its page; if it doesn't, the
    /// scan ends with [`TokenMoved`](ScanErrorKind::TokenMoved), before it has given a row of that split.
    ///
    /// With such a service, and no other, these losses can't be found out:
    /// - of a split of which no row was left, because the pages asked for ahead, two at most, were
    ///   its last: what the service says is what it says of any split that ends there;
    /// - of a split that goes on with empty pages, rows that came after the first of them and before a
    ///   row that came twice;
    /// - of a split before its first page, if the service has its cursor for the split, and moves it
    ///   also for a request without a token.
    ///
    /// # Errors
    /// [`CheckpointOfOtherScan`](ScanErrorKind::CheckpointOfOtherScan) when table, index, query or
    /// columns are others; [`CheckpointExpired`](ScanErrorKind::CheckpointExpired) when nothing was
    /// asked for longer than its session lives; [`Policy`](ScanErrorKind::Policy) with any policy but
    /// [`Fail`](crate::OnSessionLoss::Fail), because what was given before it isn't known. And those
    /// of [`open`](Self::open) that come before a request.
    pub fn resume(&self, checkpoint: &Checkpoint) -> Result<Scan, ScanError> {
        let resumed = || {
            let checked = self.check(View::Part)?;
            checkpoint.check(checked.request.fingerprint(), std::time::SystemTime::now())?;
            let resumed = Opened {
                session: Some(checkpoint.session(&self.table, &self.index)),
                life: SessionLife::until(checkpoint.expires_at(), self.alive_time).into(),
                resumed: true,
            };
            let plan = ScanPlan::of(checkpoint.positions());
            let limiter = self.in_flight(&checked);
            Ok(self.start(&checked, resumed, plan, &limiter, self.buffered_bytes))
        };
        let resumed: Result<_, ScanError> = resumed();
        resumed.map(Scan::new).map_err(|error| self.place(error))
    }

    /// Reads these splits of a session that is open already, each from a place in it: with the session
    /// id, `max_parallel`, `current_parallel_id` and token of the caller's own, as another program may
    /// have left them.
    ///
    /// As many splits are read at once as [`concurrency`](Self::concurrency) says, and the next begins
    /// when one has ended, in no particular order; the tokens of those that wait are kept alive as the
    /// session is.
    ///
    /// Query and columns must be those of the tokens, or the service refuses them; what
    /// [`resume`](Self::resume) makes sure of by itself, nobody does here: neither that, nor whether a
    /// token that was asked before leads on by itself. A program that asked for a page and lost the
    /// answer has lost the page, on a service with [such
    /// tokens](Self::resume).
    ///
    /// ```
    /// # fn example<C>(scan: ots_scan::ScanBuilder<C>, session: &ots_scan::ScanSession)
    /// # -> Result<(), ots_scan::ScanError>
    /// # where C: ots_core::Call<ots_proto::operation::ComputeSplits>
    /// #     + ots_core::Call<ots_proto::operation::ParallelScan> + 'static {
    /// use ots_scan::{Position, Split};
    ///
    /// let third_of_sixteen = Split::new(3, 16).expect("below sixteen");
    /// let pages = scan.in_session(session, [(third_of_sixteen, Position::Start)])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`open`](Self::open) that come before a request;
    /// [`Request`](ScanErrorKind::Request) when the session is of another table or index or has no id,
    /// when the splits aren't different ones of one division that the session allows, when there are none, and
    /// when the token of one is empty; and
    /// [`Policy`](ScanErrorKind::Policy) with any policy but [`Fail`](crate::OnSessionLoss::Fail).
    pub fn in_session(
        &self,
        session: &ScanSession,
        splits: impl IntoIterator<Item = (Split, Position)>,
    ) -> Result<Scan, ScanError> {
        let opened = || {
            let checked = self.check(View::Part)?;
            let splits: Vec<_> = splits.into_iter().collect();
            if let Some(problem) = self.not_of(session, &splits) {
                let problem = Error::request(problem);
                return Err(ScanError::new(ScanErrorKind::Request).with_source(problem));
            }
            let limiter = self.in_flight(&checked);
            let (opened, plan) = (self.opened(Some(session.clone())), ScanPlan::of(splits));
            Ok(self.start(&checked, opened, plan, &limiter, self.buffered_bytes))
        };
        let opened: Result<_, ScanError> = opened();
        opened.map(Scan::new).map_err(|error| self.place(error))
    }

    /// Begins to read without a session, in one split.
    ///
    /// There is no snapshot then: rows that are written meanwhile may come or not, **and rows may come
    /// twice**. It saves the ComputeSplits request, which pays for a handful of rows and for nothing
    /// else. Nor is anything kept alive over a pause.
    ///
    /// # Errors
    /// As [`open`](Self::open), without those of the service; and
    /// [`Policy`](ScanErrorKind::Policy) with any policy but [`Fail`](crate::OnSessionLoss::Fail).
    pub fn without_session(&self) -> Result<Scan, ScanError> {
        let opened = || {
            let checked = self.check(View::Part)?;
            let whole = Split::new(0, 1).map(|split| (split, Position::Start));
            let plan = ScanPlan::of(whole);
            let limiter = self.in_flight(&checked);
            Ok(self.start(
                &checked,
                self.opened(None),
                plan,
                &limiter,
                self.buffered_bytes,
            ))
        };
        let opened: Result<_, ScanError> = opened();
        opened.map(Scan::new).map_err(|error| self.place(error))
    }

    async fn try_open(&self, view: View) -> Result<Engine<ScanPage>, ScanError> {
        let checked = self.check(view)?;
        let session = self.session().await?;
        let plan = ScanPlan::new(session.splits_size(), checked.concurrency);
        let limiter = self.in_flight(&checked);
        let opened = self.opened(Some(session));
        Ok(self.start(&checked, opened, plan, &limiter, self.buffered_bytes))
    }

    async fn session(&self) -> Result<ScanSession, ScanError> {
        ScanSession::open(&self.call, &self.table, &self.index)
            .await
            .map_err(|error| ScanError::new(ScanErrorKind::Open).with_source(error))
    }

    /// Everything that can be wrong without asking the service.
    fn check(&self, view: View) -> Result<Checked, ScanError> {
        let runtime = Handle::try_current()
            .map_err(|error| ScanError::new(ScanErrorKind::NoRuntime).with_source(error))?;
        columns::check(&self.columns, &self.fields)?;
        if let Some(problem) = view.problem(self.on_session_loss) {
            return Err(ScanError::new(ScanErrorKind::Policy(problem)));
        }
        let wrong = |error: Error| ScanError::new(ScanErrorKind::Request).with_source(error);
        let concurrency = self.checked_concurrency().map_err(wrong)?;
        let request = ParallelScan::new(&self.table, &self.index, self.query.clone())
            .columns(self.columns.clone())
            .limit(self.limit)
            .alive_time(self.alive_time);
        Ok(Checked {
            runtime,
            concurrency,
            request: PageRequest::new(request).map_err(wrong)?,
        })
    }

    /// A session that was just opened, or of which nobody knows when it was asked last.
    fn opened(&self, session: Option<ScanSession>) -> Opened {
        Opened {
            session,
            life: SessionLife::new(self.alive_time).into(),
            resumed: false,
        }
    }

    fn in_flight(&self, checked: &Checked) -> Limiter {
        let most = usize::try_from(checked.concurrency.get()).unwrap_or(usize::MAX);
        let limiter = self.limiter.clone();
        // At once as many as anybody may ask by default: finding out takes rounds in which splits wait.
        let start = usize::try_from(DEFAULT_CONCURRENCY).unwrap_or(usize::MAX);
        limiter.unwrap_or_else(|| Limiter::adaptive_from(start, most))
    }

    fn start(
        &self,
        checked: &Checked,
        opened: Opened,
        plan: ScanPlan,
        limiter: &Limiter,
        buffered_bytes: usize,
    ) -> Engine<ScanPage> {
        let Opened {
            session,
            life,
            resumed,
        } = opened;
        let splits = u32::try_from(plan.positions().count()).unwrap_or(u32::MAX);
        let plan = Arc::new(SharedPlan::new(plan));
        let table: Arc<str> = self.table.as_str().into();
        let index: Arc<str> = self.index.as_str().into();
        let launcher = Launcher {
            shared: Arc::new(Shared {
                call: Arc::clone(&self.call),
                plan: Arc::clone(&plan),
                limiter: limiter.clone(),
                budget: Budget::new(buffered_bytes, splits.min(checked.concurrency.get())),
                places: Places::new(splits, checked.concurrency),
                keep_alive: match session {
                    Some(_) => KeepAlive::new(self.alive_time, self.keep_alive),
                    None => KeepAlive::NEVER,
                },
                life: Arc::clone(&life),
                resumed,
                refetches: self.refetches,
            }),
            table: Arc::clone(&table),
            index: Arc::clone(&index),
            request: checked.request.clone(),
        };
        let bytes = self.delivered_keys_bytes;
        let delivered = self.on_session_loss.is_exactly_once();
        let setup = Setup {
            runtime: checked.runtime.clone(),
            launcher: Arc::new(launcher),
            table,
            index,
            session,
            fingerprint: checked.request.fingerprint(),
            life,
            plan,
            concurrency: checked.concurrency,
            limiter: limiter.clone(),
            on_session_loss: self.on_session_loss,
            delivered: delivered.then(|| Delivered::new(bytes, self.spill_keys_to.clone())),
            started: None,
            ended: None,
        };
        Engine::new(setup, Decoder::pages(self.verify_pages))
    }

    fn checked_concurrency(&self) -> Result<NonZeroU32, Error> {
        let (splits, limit) = (self.concurrency, self.task_limit);
        match NonZeroU32::new(splits) {
            Some(splits) if splits.get() <= limit => Ok(splits),
            _ => Err(Error::request(format!(
                "concurrency must be between 1 and {limit}, got {splits}"
            ))),
        }
    }
}

impl<C: Call<operation::Search>> ScanBuilder<C> {
    /// Counts the rows that the query finds now, by a search: for a bar of progress, and for
    /// [`ScanProgress::check_count`](crate::ScanProgress::check_count) at the end.
    ///
    /// # Cost
    /// One Search request without rows.
    ///
    /// # Errors
    /// [`Counting`](ScanErrorKind::Counting).
    pub async fn count(&self) -> Result<u64, ScanError> {
        let search = Search::new(&self.table, &self.index, self.query.clone())
            .limit(0)
            .count_all()
            .columns(ScanColumns::PrimaryKey);
        let counted = match send(&*self.call, search).await {
            Ok(reply) => reply
                .total()
                .ok_or_else(|| Error::body("a search counted nothing")),
            Err(error) => Err(error),
        };
        counted.map_err(|error| self.place_of(ScanErrorKind::Counting, error))
    }
}

impl<C> ScanBuilder<C> {
    /// Why these can't be splits of this session, as far as one can tell.
    fn not_of(&self, session: &ScanSession, splits: &[(Split, Position)]) -> Option<String> {
        if (session.table(), session.index()) != (&*self.table, &*self.index) {
            return Some(format!(
                "the session is one of index {:?} of table {:?}",
                session.index(),
                session.table()
            ));
        }
        if session.id().is_empty() {
            return Some(
                "the session has no id: for a scan without one, see without_session".to_owned(),
            );
        }
        if splits.is_empty() {
            return Some("no split is named, which would be a scan of nothing".to_owned());
        }
        let mut seen = HashSet::new();
        let mut of = None;
        for (split, position) in splits {
            if matches!(position, Position::At(token) if token.is_empty()) {
                return Some(format!(
                    "{split}: the token is empty. A split whose last page has none, or an empty one, is \
                     Position::Done, and one of which no page was read Position::Start"
                ));
            }
            if split.of() > session.splits_size().get() {
                let most = session.splits_size();
                return Some(format!("{split}: the session allows {most}"));
            }
            if !seen.insert(split) || *of.get_or_insert(split.of()) != split.of() {
                return Some(format!("{split} is there twice, or of another division"));
            }
        }
        None
    }

    fn place(&self, error: ScanError) -> ScanError {
        error.of(&self.table, &self.index)
    }

    fn place_of(&self, kind: ScanErrorKind, source: Error) -> ScanError {
        self.place(ScanError::new(kind).with_source(source))
    }
}

/// How a scan is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Pages,
    Events,
    /// One of several scans that are the whole together.
    Part,
}

impl View {
    /// Why it can't be had under this policy.
    const fn problem(self, policy: OnSessionLoss) -> Option<&'static str> {
        match (self, policy) {
            (Self::Pages | Self::Part, OnSessionLoss::Restart { .. }) => Some(
                "a scan that restarts gives rows again, and only its events say so: call \
                 events(), or choose another policy for the loss of a session",
            ),
            (Self::Part, OnSessionLoss::ExactlyOnce { .. }) => Some(
                "a part of a scan can't begin anew without the others: choose to fail when the \
                 session is lost",
            ),
            _ => None,
        }
    }
}

/// The session of a scan, or none.
#[derive(Clone)]
struct Opened {
    session: Option<ScanSession>,
    life: Arc<SessionLife>,
    /// Whether another scan has read in it, up to where this one begins.
    resumed: bool,
}

/// What was found right.
struct Checked {
    runtime: Handle,
    concurrency: NonZeroU32,
    request: PageRequest,
}
