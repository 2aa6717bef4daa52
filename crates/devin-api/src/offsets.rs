//! The walk of v2: pages by offset, side by side once their length is known.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::completeness::Counted;
use super::page::Page;
use super::walk::{EMPTY_TWICE, NOTHING_NEW, Novelty, Walk};
use super::{FetchError, address};

/// Walks from the first page to the end signal.
///
/// # Errors
///
/// Any failure to ask; a page that breaks the API's promises.
pub(super) async fn walk(walk: &Walk<'_, '_>) -> Result<Counted, FetchError> {
    let reach = Mutex::new(Reach::default());
    let reached = || *reach.lock().unwrap_or_else(PoisonError::into_inner);
    if walk.client.config.gate.width() > 1 {
        let first = Stretch { skip: 0, end: Some(1), again: false };
        drive(walk, &reach, [first].into_iter()).await?;
        // The server may have clamped the page: what it gave is the length to count on.
        let Reach { end: length, more, counted, .. } = reached();
        let total = counted.last.expect("the first page was counted");
        if more && length > 0 {
            walk.check_pages(total / length)?;
            let starts = (1..).map_while(move |k: u64| k.checked_mul(length).filter(|at| *at < total));
            let stretches = starts.map(move |at| Stretch { skip: at, end: Some(at + length), again: false });
            drive(walk, &reach, stretches).await?;
        }
    }
    // All of a serial walk, or what a parallel one has left.
    let Reach { end, more, .. } = reached();
    if more {
        drive(walk, &reach, [Stretch { skip: end, end: None, again: false }].into_iter()).await?;
    }
    Ok(reached().counted)
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

/// How far the walk has come.
#[derive(Clone, Copy, Debug)]
struct Reach {
    counted: Counted,
    /// Where the answer that reaches farthest begins …
    start: u64,
    /// … and ends, and its end signal.
    end: u64,
    more: bool,
}

impl Default for Reach {
    fn default() -> Self {
        Self { counted: Counted::default(), start: 0, end: 0, more: true }
    }
}

/// Walks through stretches side by side, each to its end.
async fn drive(
    walk: &Walk<'_, '_>,
    reach: &Mutex<Reach>,
    mut stretches: impl Iterator<Item = Stretch> + Send,
) -> Result<(), FetchError> {
    let size = u64::from(walk.client.config.page_size.max(1));
    let mut running = FuturesUnordered::new();
    let mut waiting: VecDeque<Stretch> = VecDeque::new();
    loop {
        while running.len() < walk.client.config.gate.width() {
            let Some(next) = waiting.pop_front().or_else(|| stretches.next()) else { break };
            let left = next.end.map_or(u64::MAX, |end| end - next.skip);
            // The first page has a stretch of one, yet is asked for whole.
            let limit = if next.skip == 0 { size } else { size.min(left) };
            let url =
                address::by_offset(walk.client.sessions(), &walk.client.query.window(), next.skip, limit);
            running.push(walk.ask(url, move |page| take(walk, reach, next, page)));
        }
        let Some(rest) = running.next().await else { return Ok(()) };
        waiting.extend(rest?);
    }
}

/// Takes a page in: what is left of its stretch, if anything.
fn take(
    walk: &Walk<'_, '_>,
    reach: &Mutex<Reach>,
    stretch: Stretch,
    page: Page<'_>,
) -> Result<Option<Stretch>, FetchError> {
    let total = page.envelope.total.expect("an answer of v2 has a total");
    let end = stretch.skip + page.envelope.count;
    {
        let mut reach = reach.lock().unwrap_or_else(PoisonError::into_inner);
        walk.note_total(Some(total), reach.counted.first.is_none());
        reach.counted.note(Some(total));
        if stretch.skip >= reach.start {
            *reach = Reach { start: stretch.skip, end, more: page.envelope.more, ..*reach };
        }
    }
    let at = (stretch.skip, u64::from(stretch.again));
    let (envelope, novelty) =
        walk.take(page, at, &walk.client.query.window(), |index, _| stretch.skip + index)?;
    let place = || format!("the page at skip={}", stretch.skip);
    if !envelope.more {
        return Ok(None);
    }
    if envelope.count == 0 {
        return match stretch.again {
            true => Err(walk.stuck(&place(), EMPTY_TWICE)),
            false => Ok(Some(Stretch { again: true, ..stretch })),
        };
    }
    // Copies may fill a page; only past the server's own count can it be a loop.
    if stretch.end.is_none() && novelty != Novelty::Fresh && end > total {
        return Err(walk.stuck(&place(), NOTHING_NEW));
    }
    let done = stretch.end.is_some_and(|stop| end >= stop);
    Ok((!done).then_some(Stretch { skip: end, again: false, ..stretch }))
}
