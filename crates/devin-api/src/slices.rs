//! The walk of v3: pages by cursor. One cursor leads from page to page and so
//! knows no second request; the window is cut into slices of time, and each
//! slice has a cursor of its own.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::completeness::Counted;
use super::page::{Page, position};
use super::walk::{EMPTY_TWICE, NOTHING_NEW, Novelty, Walk};
use super::wire::Session;
use super::{FetchError, address};

/// Pages that a slice should have: fewer would waste requests on pages that
/// are not full, more would leave workers idle at the end.
const PAGES: u64 = 6;
/// A slice with more pages than this is cut.
const MOST_PAGES: u64 = 2 * PAGES;
/// The most slices that one is cut into …
const MOST_SLICES: u64 = 256;
/// … and without a count: a burst at the end of a slice makes it look long,
/// and most of its parts would be empty.
const MOST_GUESSED: u64 = 16;
/// A page is asked for once more when it is empty although more is promised.
const EMPTY_PAGES: u32 = 2;

/// Where the slices of archived sessions are sorted in: after all others, which begin
/// fewer seconds after the window does.
const ARCHIVED: u64 = 100_000_000_000;

/// A half-open part of the window, in whole seconds as the API takes them.
type Slice = Range<DateTime<Utc>>;

/// What became of a slice.
enum Outcome {
    /// It was read to its end signal, and the server counted it so.
    Read(Counted),
    /// It is too long for one cursor: these are its parts, unread.
    Cut(Vec<Slice>, Option<u64>),
}

/// Walks the window from the end signal of its newest slice to that of its oldest.
///
/// # Errors
///
/// Any failure to ask; a page that breaks the API's promises.
pub(super) async fn walk(walk: &Walk<'_, '_>) -> Result<Counted, FetchError> {
    let window = address::whole_seconds(&walk.client.query.window());
    let whole = window.clone();
    let mut waiting = VecDeque::from([window]);
    let mut running = FuturesUnordered::new();
    // The whole is counted by the first answer, and again by its parts.
    let mut first = None;
    let mut parts = Counted { first: Some(0), last: Some(0), slices: 0 };
    loop {
        while running.len() < walk.client.config.gate.width() {
            let Some(slice) = waiting.pop_front() else { break };
            let is_whole = slice == whole;
            running.push(read(walk, slice, is_whole));
        }
        let Some(outcome) = running.next().await else { break };
        match outcome? {
            Outcome::Read(counted) => {
                // A server may count anything; as many as can be held never come.
                let sum = |sum: Option<u64>, part: Option<u64>| Some(sum?.saturating_add(part?));
                parts = Counted {
                    first: sum(parts.first, counted.first),
                    last: sum(parts.last, counted.last),
                    slices: parts.slices + 1,
                };
            }
            Outcome::Cut(slices, total) => {
                waiting.extend(slices);
                first = first.or(total);
            }
        }
    }
    let Some(first) = first.filter(|_| parts.steady()) else {
        // One cursor for all, no count, or a slice that changed while it was read.
        return Ok(parts);
    };
    let mut counted = Counted { first: Some(first), last: None, slices: parts.slices };
    counted.note(parts.last.or(Some(first)));
    if counted.steady() {
        // A slice that was read to its end may have grown since.
        counted.slices = 0;
        counted.note(count(walk, &whole).await?);
    }
    Ok(counted)
}

/// The server's count of sessions in a slice, if it gives one.
async fn count(walk: &Walk<'_, '_>, slice: &Slice) -> Result<Option<u64>, FetchError> {
    let url = address::by_cursor(walk.sessions(), slice, None, 1);
    walk.ask(url, |page| Ok(page.envelope.total)).await
}

/// Reads a slice page by page, unless it turns out to be too long.
async fn read(walk: &Walk<'_, '_>, slice: Slice, is_whole: bool) -> Result<Outcome, FetchError> {
    let size = walk.client.config.page_size.max(1);
    // The ends of the window need not be whole seconds.
    let asked = walk.client.query.window();
    let wanted = slice.start.max(asked.start)..slice.end.min(asked.end);
    let mut counted = Counted::default();
    let mut cursor: Option<String> = None;
    let mut met: HashSet<String> = HashSet::new();
    let (mut rows, mut empty, mut taken) = (0_u64, 0_u32, 0_u64);
    // Slices are sorted by their beginning, and in each its pages as they came.
    let begins = (slice.start - address::whole_seconds(&asked).start).num_seconds().unsigned_abs();
    let begins = if walk.is_of_archived() { ARCHIVED + begins } else { begins };
    loop {
        let is_first = cursor.is_none() && empty == 0;
        let url = address::by_cursor(walk.sessions(), &slice, cursor.as_deref(), size);
        let take = |page: Page<'_>| {
            let envelope = page.envelope.clone();
            if is_first && is_whole {
                walk.note_total(envelope.total, true);
            }
            if cursor.is_none()
                && let Some(slices) = cut(walk, &slice, &page)
            {
                walk.note_sounding()?;
                return Ok((envelope, Novelty::Fresh, Some(slices)));
            }
            let place = |index, created| position(rows + index, created);
            let (envelope, novelty) = walk.take(page, (begins, taken), &wanted, place)?;
            Ok((envelope, novelty, None))
        };
        let (envelope, novelty, slices) = walk.ask(url, take).await?;
        if let Some(slices) = slices {
            return Ok(Outcome::Cut(slices, envelope.total.filter(|_| is_whole)));
        }
        counted.note(envelope.total);
        taken += 1;
        rows += envelope.count;
        if !envelope.more {
            return Ok(Outcome::Read(counted));
        }
        let place = match &cursor {
            Some(cursor) => format!("the page after cursor {}", walk.client.brief(cursor)),
            None => format!("the newest page before {}", slice.end),
        };
        if envelope.count == 0 {
            empty += 1;
            if empty >= EMPTY_PAGES {
                return Err(walk.stuck(&place, EMPTY_TWICE));
            }
            continue;
        }
        empty = 0;
        let next = envelope.cursor.expect("an answer of v3 that promises more has a cursor");
        if !met.insert(next.clone()) {
            let again = format!("leads to cursor {}, which was used before", walk.client.brief(&next));
            return Err(walk.stuck(&place, &again));
        }
        // Rows without an id are let pass for as long as the server counts them.
        let counts = || counted.last.is_some_and(|total| rows <= total);
        if novelty == Novelty::Repeated || (novelty == Novelty::Unidentified && !counts()) {
            return Err(walk.stuck(&place, NOTHING_NEW));
        }
        cursor = Some(next);
    }
}

/// The parts of a slice whose first page shows that it has too many pages for
/// one cursor. Without a count its length is estimated from the time that the page
/// covers. The page is forgotten: its rows come again in one of the parts.
fn cut(walk: &Walk<'_, '_>, slice: &Slice, page: &Page<'_>) -> Option<Vec<Slice>> {
    let envelope = &page.envelope;
    if walk.client.config.gate.width() < 2 || !envelope.more || envelope.count == 0 {
        return None;
    }
    // Where the window is not honoured every part would be as long as the whole.
    let out_of_range =
        page.sessions.iter().filter_map(Session::created).filter(|at| !slice.contains(&at.utc));
    if out_of_range.count() as u64 * 2 > envelope.count {
        return None;
    }
    let seconds = (slice.end - slice.start).num_seconds().unsigned_abs();
    let (pages, most) = match envelope.total {
        Some(total) => (total.div_ceil(envelope.count), MOST_SLICES),
        None => {
            let oldest = page.sessions.iter().filter_map(|session| Some(session.created()?.utc)).min()?;
            (seconds / (slice.end - oldest).num_seconds().unsigned_abs().max(1), MOST_GUESSED)
        }
    };
    let parts = pages.div_ceil(PAGES).min(seconds).min(most);
    (pages > MOST_PAGES && parts > 1).then(|| pieces(slice, parts))
}

/// A slice in parts of about the same length in time, newest first.
fn pieces(slice: &Slice, parts: u64) -> Vec<Slice> {
    let seconds = (slice.end - slice.start).num_seconds();
    let parts =
        i64::try_from(parts).expect("a slice has at most so many parts as seconds").clamp(1, seconds.max(1));
    // Without a product that could overflow: whole lengths, and what is left over one by one.
    let (length, over) = (seconds / parts, seconds % parts);
    let edge = |part: i64| slice.start + TimeDelta::seconds(part * length + part.min(over));
    (0..parts).rev().map(|part| edge(part)..edge(part + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(from: &str, to: &str) -> Slice {
        from.parse().unwrap()..to.parse().unwrap()
    }

    #[test]
    fn pieces_cover_a_slice_without_gap_or_overlap() {
        let whole = slice("2026-10-05T00:00:00Z", "2026-10-05T00:01:40Z");
        for parts in [1, 2, 3, 7, 99, 100, 1000] {
            let pieces = pieces(&whole, parts);
            assert_eq!(pieces.len() as u64, parts.min(100));
            assert_eq!(pieces.first().unwrap().end, whole.end);
            assert_eq!(pieces.last().unwrap().start, whole.start);
            assert!(pieces.windows(2).all(|pair| pair[0].start == pair[1].end), "{parts}");
            let lengths: Vec<i64> =
                pieces.iter().map(|piece| (piece.end - piece.start).num_seconds()).collect();
            let (least, most) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
            assert!(*least > 0 && most - least <= 1, "{lengths:?}");
        }
    }
}
