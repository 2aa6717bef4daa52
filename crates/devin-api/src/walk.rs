//! One walk through all pages, and the proof that nothing is missing.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::Url;

use super::api::Api;
use super::api_client::ApiClient;
use super::completeness::{CompletenessTracker, Counted};
use super::envelope::Envelope;
use super::page::{self, Page, REJECTED, judge};
use super::{FetchError, FetchStats, Limits, PageEvent, Progress};
use super::{address, archived, offsets, slices};

/// From this many rows outside the query a single page shows that the query was ignored.
const TELLING: u64 = 10;

/// Walks until a walk is proved complete, or often enough.
///
/// # Errors
///
/// Any failure to ask; broken promises of the API; [`FetchError::Incomplete`]
/// unless that is allowed.
pub(super) async fn proved(
    client: &ApiClient<'_>,
    limits: &Limits,
    deliver: &mut (dyn FnMut(PageEvent<'_>) + Send),
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<FetchStats, FetchError> {
    let mut number = 1;
    // What the walk before came to, and whether all came to the same.
    let (mut before, mut alike) = (None, true);
    loop {
        let mut walk = Walk::new(limits, client, deliver, progress);
        let is_last = number >= limits.walks;
        let mut parts = vec![walk.part().await?];
        if client.config.api == Api::V3
            && (parts.iter().all(Part::is_whole) || (is_last && client.query.allow_partial))
            && archived::are_missing(&walk).await?
        {
            progress(Progress::Archived);
            walk.go_on_with_archived();
            parts.push(walk.part().await?);
        }
        let tracker = walk.into_tracker();
        if let Some((outside, rows)) = tracker.mostly_unasked(2) {
            return Err(FetchError::FilterIgnored { outside, rows });
        }
        if let Some(rejected) = tracker.too_many_rejected() {
            let received = tracker.received();
            let (_, first) = tracker.first_rejected().expect("where rows are rejected, one is the first");
            let what = format!("{rejected} of {received} sessions {REJECTED}; the first: {first}");
            return Err(client.contract(&what));
        }
        let missing =
            parts.iter().find(|part| !part.is_whole()).map(|part| part.counted.against(part.received));
        let reason = match missing {
            Some(_) if is_last && client.query.allow_partial => {
                return Ok(tracker.stats(client.requests(), false));
            }
            Some(reason) => reason,
            None => return Ok(tracker.stats(client.requests(), true)),
        };
        alike &= before.is_none_or(|before| before == parts);
        before = Some(parts);
        if is_last {
            return Err(FetchError::Incomplete { reason, alike: alike && number > 1 });
        }
        number += 1;
        progress(Progress::Again { walk: number, reason });
        deliver(PageEvent::Restart);
    }
}

/// A part of a walk that has a count of its own, read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    counted: Counted,
    /// Different sessions that came.
    received: u64,
}

impl Part {
    /// Whether as many came as the server counts.
    fn is_whole(&self) -> bool {
        self.counted.steady() && self.counted.last.is_none_or(|expected| expected == self.received)
    }
}

/// How a page can lead nowhere.
pub(super) const EMPTY_TWICE: &str = "was empty twice";
/// The same.
pub(super) const NOTHING_NEW: &str = "has no new sessions";

/// Whether a page has sessions that no earlier page had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    /// It has.
    Fresh,
    /// It has none.
    Repeated,
    /// It has no new id, and rows without any.
    Unidentified,
}

/// One walk; shared by all requests that are in flight.
pub(super) struct Walk<'w, 'q> {
    pub limits: &'w Limits,
    pub client: &'w ApiClient<'q>,
    /// The address of those sessions that are archived, once they are walked through.
    archived: Option<Url>,
    state: Mutex<State<'w>>,
    progress: &'w (dyn Fn(Progress) + Send + Sync),
}

struct State<'w> {
    tracker: CompletenessTracker,
    /// The server's latest count of the whole question, with the sessions of an
    /// earlier part.
    total: Option<u64>,
    earlier: u64,
    /// Pages that were asked for to find out how long a slice is.
    soundings: u64,
    deliver: &'w mut (dyn FnMut(PageEvent<'_>) + Send),
}

impl<'w, 'q> Walk<'w, 'q> {
    fn new(
        limits: &'w Limits,
        client: &'w ApiClient<'q>,
        deliver: &'w mut (dyn FnMut(PageEvent<'_>) + Send),
        progress: &'w (dyn Fn(Progress) + Send + Sync),
    ) -> Self {
        let state =
            State { tracker: CompletenessTracker::default(), total: None, earlier: 0, soundings: 0, deliver };
        Self { limits, client, archived: None, state: Mutex::new(state), progress }
    }

    /// Walks through all sessions, or through the archived ones.
    async fn part(&self) -> Result<Part, FetchError> {
        let counted = match self.client.config.api {
            Api::V2 => offsets::walk(self).await?,
            Api::V3 => slices::walk(self).await?,
        };
        Ok(Part { counted, received: self.state().tracker.distinct_in_part() })
    }

    /// Begins a part of its own for the archived sessions.
    fn go_on_with_archived(&mut self) {
        self.archived = Some(address::archived(self.client.sessions(), true));
        let mut state = self.state();
        state.earlier = state.tracker.distinct();
        state.tracker.begin_part();
    }

    /// The address of the sessions that are walked through.
    pub(super) fn sessions(&self) -> &Url {
        self.archived.as_ref().unwrap_or_else(|| self.client.sessions())
    }

    /// Whether these are the archived ones.
    pub(super) fn is_of_archived(&self) -> bool {
        self.archived.is_some()
    }

    /// Whether a session was met.
    pub(super) fn has_seen(&self, id: &str) -> bool {
        self.state().tracker.has_seen(id)
    }

    /// Whether certain sessions are in question, and all of them were met.
    pub(super) fn has_seen_all_asked(&self) -> bool {
        let state = self.state();
        let ids = &self.client.query.ids;
        !ids.is_empty() && ids.iter().all(|id| state.tracker.has_seen(id))
    }

    /// Asks for a page and gives what `take` makes of it. A page that cannot
    /// be read is asked for again, so `take` sees each page once.
    ///
    /// # Errors
    ///
    /// No answer, or what `take` finds.
    pub(super) async fn ask<T>(
        &self,
        url: Url,
        take: impl Fn(Page<'_>) -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let read = |body: &str| {
            let scratch = page::Scratch::default();
            page::read(body, &scratch, self.client.config.api).map(&take)
        };
        self.client.ask(url, read).await?
    }

    /// Judges, counts and delivers a page; gives its envelope and what its ids
    /// say about the way. `place` sorts the pages of a walk.
    ///
    /// # Errors
    ///
    /// The server ignored the question, or gives pages without end.
    pub(super) fn take(
        &self,
        page: Page<'_>,
        place: (u64, u64),
        window: &Range<DateTime<Utc>>,
        position: impl Fn(u64, DateTime<Utc>) -> u64,
    ) -> Result<(Envelope, Novelty), FetchError> {
        let Page { body, envelope, sessions, unreadable } = page;
        let mut state = self.state();
        let verdicts = judge(&sessions, unreadable, self.client.query, window, position);
        let brought = state.tracker.count(verdicts);
        // On a short page a few rows on the window's edge are no sign of anything.
        if brought.unasked >= TELLING && brought.unasked * 2 > envelope.count {
            return Err(FetchError::FilterIgnored { outside: brought.unasked, rows: envelope.count });
        }
        // Pages too short to judge alone are judged together.
        if let Some((outside, rows)) = state.tracker.mostly_unasked(TELLING) {
            return Err(FetchError::FilterIgnored { outside, rows });
        }
        (state.deliver)(PageEvent::Answer { place, body });
        if !brought.rows.is_empty() {
            (state.deliver)(PageEvent::Page(&brought.rows));
        }
        let (pages, sessions, total) = (state.tracker.pages(), state.tracker.distinct(), state.total);
        (self.progress)(Progress::Page { pages, sessions, total });
        self.check_pages(pages + state.soundings)?;
        let novelty = match (brought.fresh, brought.nameless) {
            (0, 0) => Novelty::Repeated,
            (0, _) => Novelty::Unidentified,
            _ => Novelty::Fresh,
        };
        Ok((envelope, novelty))
    }

    /// Notes a page that served only to measure a slice.
    ///
    /// # Errors
    ///
    /// More pages than any organisation has.
    pub(super) fn note_sounding(&self) -> Result<(), FetchError> {
        let mut state = self.state();
        state.soundings += 1;
        self.check_pages(state.tracker.pages() + state.soundings)
    }

    /// Notes the server's count of the whole question.
    pub(super) fn note_total(&self, total: Option<u64>, is_first: bool) {
        let mut state = self.state();
        // A server may count anything.
        let total = total.map(|total| total.saturating_add(state.earlier));
        state.total = total;
        drop(state);
        if is_first {
            (self.progress)(Progress::Total(total));
        }
    }

    /// A walk has an end.
    ///
    /// # Errors
    ///
    /// More pages than any organisation has.
    pub(super) fn check_pages(&self, pages: u64) -> Result<(), FetchError> {
        if pages <= self.limits.pages {
            return Ok(());
        }
        Err(self.client.contract(&format!("more than {} pages", self.limits.pages)))
    }

    /// The server promises more after a page and does not give it.
    pub(super) fn stuck(&self, page: &str, what: &str) -> FetchError {
        self.client.contract(&format!("{page} {what}, although more pages are announced"))
    }

    fn state(&self) -> MutexGuard<'_, State<'w>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_tracker(self) -> CompletenessTracker {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).tracker
    }
}
