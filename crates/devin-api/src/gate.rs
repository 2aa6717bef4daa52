//! How many requests are in flight at once.
//!
//! Lists of people and the vendor's totals, which have only seconds, are asked for
//! before or after the walk, so that they never wait here for its requests.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The one bound on requests in flight; all clones of a configuration share it.
#[derive(Clone, Debug)]
pub struct Gate {
    width: usize,
    permits: Arc<Semaphore>,
}

impl Gate {
    /// A gate for so many requests at once, at least 1.
    pub fn new(width: usize) -> Self {
        let width = width.clamp(1, Semaphore::MAX_PERMITS);
        Self { width, permits: Arc::new(Semaphore::new(width)) }
    }

    /// How many requests it lets through at once.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Waits for a place, which is held until the permit is dropped.
    pub(super) async fn enter(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("the gate is never closed")
    }

    /// The results of futures in the order of the futures, which run as many at once as
    /// requests may be in flight.
    pub(super) async fn run_all<F: Future>(&self, futures: Vec<F>) -> Vec<F::Output> {
        let numbered = (0..).zip(futures).map(|(number, future)| async move { (number, future.await) });
        let mut done: Vec<(usize, F::Output)> =
            stream::iter(numbered).buffer_unordered(self.width).collect().await;
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, output)| output).collect()
    }
}
