//! The signals that end a run.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Ended;
use crate::error::Error;
use crate::exit::Exit;

/// SIGINT and SIGTERM. One that arrives while files are written counts afterwards.
pub struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Takes both from the system; where it refuses, a signal ends the process as ever.
    pub fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()))
    }

    /// The next signal, in a word, and how a run ends with it.
    pub(super) async fn next(&mut self) -> (&'static str, Exit) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => ("interrupted", Exit::Interrupted),
            _ = terminate.recv() => ("terminated", Exit::Terminated),
        }
    }

    /// Ends with the work or with the first signal, whichever comes first.
    ///
    /// # Errors
    /// The work's own, its panic, or the signal.
    pub(super) async fn until<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Ended> {
        // A task of its own, so that work that keeps a core busy does not hold up the signal; a
        // panic in it is an error with a hint.
        let work = tokio::spawn(work);
        tokio::select! {
            // A signal that came before the end of the work counts.
            biased;
            (word, exit) = self.next() => Err(Ended::Signal { word, exit, left: None }),
            done = work => done.unwrap_or_else(|_| Err(Error::Panicked)).map_err(Ended::from),
        }
    }
}
