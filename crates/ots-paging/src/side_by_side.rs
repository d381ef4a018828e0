//! Several jobs at once, on the caller's own task.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use crate::error::Error;

pub(crate) type Job<'j, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'j>>;

/// Runs jobs, so many at once, and hands over what each gives; the first error ends it, and what is
/// under way then is dropped. Nothing is spawned. Every wake looks at all that are running: they are few.
pub(crate) async fn side_by_side<'j, T>(
    mut jobs: impl Iterator<Item = Job<'j, T>> + Send,
    at_once: usize,
    mut each: impl FnMut(T) + Send,
) -> Result<(), Error> {
    let mut running: Vec<Job<'j, T>> = Vec::new();
    poll_fn(|cx| {
        loop {
            let free = at_once.max(1).saturating_sub(running.len());
            running.extend(jobs.by_ref().take(free));
            if running.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let before = running.len();
            let mut failed = None;
            running.retain_mut(|job| {
                if failed.is_some() {
                    return true;
                }
                match job.as_mut().poll(cx) {
                    Poll::Pending => return true,
                    Poll::Ready(Ok(result)) => each(result),
                    Poll::Ready(Err(error)) => failed = Some(error),
                }
                false
            });
            if let Some(error) = failed {
                return Poll::Ready(Err(error));
            }
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await
}
