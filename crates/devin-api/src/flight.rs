//! Futures side by side on one task: they may borrow, and end with whoever waits for them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Futures under way.
pub(super) struct Flight<'a, T> {
    running: Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>,
}

impl<'a, T> Flight<'a, T> {
    pub(super) fn new() -> Self {
        Self { running: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Adds a future; it starts with the next wait.
    pub(super) fn launch(&mut self, future: impl Future<Output = T> + Send + 'a) {
        self.running.push(Box::pin(future));
    }

    /// Waits for whichever is done first; `None` when none is left.
    pub(super) async fn land(&mut self) -> Option<T> {
        // All are polled at each wake: they are few, and each waits for a network.
        poll_fn(|context| {
            if self.running.is_empty() {
                return Poll::Ready(None);
            }
            for (index, future) in self.running.iter_mut().enumerate() {
                if let Poll::Ready(value) = future.as_mut().poll(context) {
                    drop(self.running.swap_remove(index));
                    return Poll::Ready(Some(value));
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn the_first_done_lands_first() {
        let (first, first_done) = oneshot::channel::<u8>();
        let (second, second_done) = oneshot::channel::<u8>();
        let mut flight = Flight::new();
        flight.launch(first_done);
        flight.launch(second_done);
        assert_eq!(flight.len(), 2);
        second.send(2).unwrap();
        assert_eq!(flight.land().await.unwrap(), Ok(2));
        first.send(1).unwrap();
        assert_eq!(flight.land().await.unwrap(), Ok(1));
        assert!(flight.land().await.is_none());
    }
}
