//! Work that keeps all cores busy, away from the threads of the async runtime.

use std::future::Future;

use polars_core::runtime::THREAD_POOL;

use crate::error::Error;

/// Starts `work` in the thread pool of Polars, so that `rayon` in it and Polars share one thread per core, and
/// gives its result. Meanwhile the runtime stays free for signals.
///
/// # Errors
/// [`Error::Panicked`] where it panics.
pub fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, Error>> {
    let working = tokio::task::spawn_blocking(move || THREAD_POOL.install(work));
    async { working.await.map_err(|_| Error::Panicked) }
}
