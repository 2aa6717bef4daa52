//! One walk through all pages, and the proof that nothing is missing.

use std::cell::OnceCell;
use std::collections::VecDeque;

use super::ask::Asker;
use super::client::Answer;
use super::flight::Flight;
use super::page::judge;
use super::proof::Tally;
use super::{Delivery, FetchError, Ledger, Limits, Progress, Question};

/// Whom the walk tells what it finds.
pub(super) struct Listeners<'q> {
    /// Takes the rows.
    pub deliver: &'q mut (dyn FnMut(Delivery<'_>) + Send),
    /// Takes the news.
    pub progress: &'q (dyn Fn(Progress) + Send + Sync),
}

/// From this many rows outside the question a single page tells that it was ignored.
const TELLING: u64 = 10;

/// Walks until a walk is proved complete, or often enough.
///
/// # Errors
///
/// Any failure to ask; broken promises of the API; [`FetchError::Incomplete`]
/// unless that is allowed.
pub(super) async fn proved(
    asker: &Asker<'_>,
    question: &Question,
    limits: &Limits,
    listeners: &mut Listeners<'_>,
) -> Result<Ledger, FetchError> {
    let mut number = 1;
    loop {
        let mut walk = Walk::new(question, limits, asker);
        walk.all(listeners).await?;
        if let Some((outside, rows)) = walk.tally.mostly_outside() {
            return Err(FetchError::FilterIgnored { outside, rows });
        }
        if let Some(rejected) = walk.tally.too_many_rejected() {
            let received = walk.tally.received();
            return Err(asker.contract(format!(
                "{rejected} of {received} sessions have no id or no readable creation time"
            )));
        }
        let (expected, received) = (walk.last_total, walk.tally.distinct());
        let drifted = walk.first_total != Some(expected);
        let complete = !drifted && received == expected;
        if complete || (number >= limits.walks && question.allow_partial) {
            return Ok(walk.tally.ledger(asker.requests(), complete));
        }
        if number >= limits.walks {
            return Err(FetchError::Incomplete { expected, received });
        }
        let reason = if drifted {
            let first = walk.first_total.unwrap_or_default();
            format!("the server counted {first} sessions at first and {expected} in the end")
        } else {
            format!("the server counts {expected} sessions, {received} different ones came")
        };
        number += 1;
        (listeners.progress)(Progress::Again { walk: number, reason });
        (listeners.deliver)(Delivery::Restart);
    }
}

/// A stretch of the server's order that is still to be asked for.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    skip: u64,
    /// Where another stretch takes over; without it, the end signal ends it.
    end: Option<u64>,
    /// It was empty once although more was promised.
    again: bool,
}

/// The state of one walk.
struct Walk<'w, 'q> {
    question: &'w Question,
    limits: &'w Limits,
    asker: &'w Asker<'q>,
    tally: Tally,
    first_total: Option<u64>,
    last_total: u64,
    /// Place and end signal of the answer that reaches farthest.
    farthest: (u64, bool),
    /// Where that answer stops.
    reached: u64,
}

impl<'w, 'q> Walk<'w, 'q> {
    fn new(question: &'w Question, limits: &'w Limits, asker: &'w Asker<'q>) -> Self {
        let tally = Tally::default();
        let (first_total, last_total) = (None, 0);
        Self { question, limits, asker, tally, first_total, last_total, farthest: (0, true), reached: 0 }
    }

    /// Walks from the first page to the end signal.
    async fn all(&mut self, listeners: &mut Listeners<'_>) -> Result<(), FetchError> {
        let size = u64::from(self.question.page_size.max(1));
        if self.question.concurrency > 1 {
            let first = Stretch { skip: 0, end: Some(1), again: false };
            self.drive([first].into_iter(), size, listeners).await?;
            // The server may have clamped the page: what it gave is the length to count on.
            let (length, total) = (self.reached, self.last_total);
            if self.farthest.1 && length > 0 {
                self.check_pages(total / length)?;
                let starts = (1..).map_while(move |k: u64| k.checked_mul(length).filter(|at| *at < total));
                let stretches = starts.map(move |at| Stretch {
                    skip: at,
                    end: Some(at.saturating_add(length)),
                    again: false,
                });
                self.drive(stretches, size, listeners).await?;
            }
        }
        // All of a serial walk, or what a parallel one has left.
        if self.farthest.1 {
            let rest = Stretch { skip: self.reached, end: None, again: false };
            self.drive([rest].into_iter(), size, listeners).await?;
        }
        Ok(())
    }

    /// Walks through stretches side by side, each to its end.
    async fn drive(
        &mut self,
        mut stretches: impl Iterator<Item = Stretch> + Send,
        size: u64,
        listeners: &mut Listeners<'_>,
    ) -> Result<(), FetchError> {
        let asker = self.asker;
        let mut flight = Flight::new();
        let mut waiting: VecDeque<Stretch> = VecDeque::new();
        loop {
            while flight.len() < self.question.concurrency.max(1) {
                let Some(next) = waiting.pop_front().or_else(|| stretches.next()) else { break };
                let left = next.end.map_or(u64::MAX, |end| end.saturating_sub(next.skip));
                // The first page has a stretch of one, yet is asked for whole.
                let limit = if next.skip == 0 { size } else { size.min(left) };
                flight.launch(async move { (next, asker.ask(next.skip, limit).await) });
            }
            let Some((stretch, answer)) = flight.land().await else { return Ok(()) };
            waiting.extend(self.take(stretch, &answer?, listeners)?);
        }
    }

    /// Takes an answer in: what is left of its stretch, if anything.
    fn take(
        &mut self,
        stretch: Stretch,
        answer: &Answer,
        listeners: &mut Listeners<'_>,
    ) -> Result<Option<Stretch>, FetchError> {
        let envelope = answer.envelope;
        let reached = stretch.skip.saturating_add(envelope.count);
        if self.first_total.is_none() {
            self.first_total = Some(envelope.total);
            (listeners.progress)(Progress::Total(envelope.total));
        }
        self.last_total = envelope.total;
        if stretch.skip >= self.farthest.0 {
            self.farthest = (stretch.skip, envelope.more);
            self.reached = reached;
        }
        let fresh = self.hand_on(stretch.skip, &answer.body, listeners)?;
        self.check_pages(self.tally.pages())?;
        if !envelope.more {
            return Ok(None);
        }
        if envelope.count == 0 {
            return if stretch.again {
                Err(self.stuck(stretch.skip, "an empty page, twice,"))
            } else {
                Ok(Some(Stretch { again: true, ..stretch }))
            };
        }
        // Copies may fill a page; only past the server's own count can it be a loop.
        if stretch.end.is_none() && fresh == 0 && reached > envelope.total {
            return Err(self.stuck(stretch.skip, "only sessions that came before"));
        }
        let done = stretch.end.is_some_and(|end| reached >= end);
        Ok((!done).then_some(Stretch { skip: reached, again: false, ..stretch }))
    }

    /// Judges, counts and delivers a page; gives the number of rows never met before.
    fn hand_on(&mut self, skip: u64, body: &str, listeners: &mut Listeners<'_>) -> Result<u64, FetchError> {
        let spare = OnceCell::new();
        let verdicts = judge(body, &spare, skip, self.question)
            .map_err(|error| self.asker.contract(format!("its records cannot be read: {error}")))?;
        let rows = u64::try_from(verdicts.len()).unwrap_or(u64::MAX);
        let brought = self.tally.count(verdicts);
        // On a short page a few rows on the window's edge are no sign of anything.
        if brought.outside >= TELLING && brought.outside.saturating_mul(2) > rows {
            return Err(FetchError::FilterIgnored { outside: brought.outside, rows });
        }
        if !brought.rows.is_empty() {
            (listeners.deliver)(Delivery::Page(&brought.rows));
        }
        (listeners.progress)(Progress::Page {
            pages: self.tally.pages(),
            sessions: self.tally.distinct(),
            total: self.last_total,
        });
        Ok(brought.fresh)
    }

    fn check_pages(&self, pages: u64) -> Result<(), FetchError> {
        if pages <= self.limits.pages {
            return Ok(());
        }
        Err(self.asker.contract(format!("more than {} pages", self.limits.pages)))
    }

    fn stuck(&self, skip: u64, what: &str) -> FetchError {
        self.asker.contract(format!("{what} at skip={skip}, although more is promised"))
    }
}
