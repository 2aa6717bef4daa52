//! A sync: what is new or may have changed, from the API into an archive.
//!
//! Each step is whole in the archive before the next begins, and a sync that is
//! cut short is gone on with by the next one. The watermark moves at the end alone.

use std::collections::HashSet;
use std::ops::Range;

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use tokio::task::block_in_place;

use crate::archive::{State, Store, Subject, Vendor};
use crate::error::Error;
use crate::fetch::{self, Counts, Delivery, Progress, Question};
use crate::period::{Period, today};
use crate::settings::Sync;
use crate::tables::{self, KeptTexts, Tables, TablesBuilder};

/// What changed so long before the watermark is asked for again: a server may
/// be late to tell, and its clock need not be ours.
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// Sessions that are asked for by their ids at once: more make an address that
/// servers refuse.
const AT_ONCE: usize = 50;

/// Sessions that are taken over in one step where they are asked for by their ids.
const A_STEP: usize = 5_000;

/// Whoever is told of the way.
type Listener<'l> = &'l (dyn Fn(Progress) + Send + std::marker::Sync);

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Sessions that came, each counted in every step that it came in.
    pub received: u64,
    /// Sessions in the archive.
    pub sessions: u64,
    /// Records without an id or a readable creation time, dropped.
    pub rejected: u64,
    /// Sessions that the API no longer tells of; they stay in the archive.
    pub gone: u64,
    /// Lists of people, and numbers of the vendor's, that could not be read, in words.
    pub notes: Vec<String>,
}

/// Brings an archive up to date.
///
/// # Errors
/// The first step that fails; those before it hold.
pub async fn sync(settings: &Sync, progress: Listener<'_>) -> Result<Synced, Error> {
    let (now, root, question) = (settings.now, &settings.archive, &settings.question);
    let subject = Subject { api: question.api, org: question.org.clone(), since: settings.since };
    let mut store = block_in_place(|| Store::open(root, &subject, now))?;
    let unsettled = block_in_place(|| store.unsettled())?;
    let State { org, since, until, watermark, .. } = store.state().clone();
    let question = &Question { org, ..question.clone() };
    let mut run = Run { question, synced: Synced::default() };

    // What is there already and changed since.
    let mut seen = HashSet::new();
    if since < until && !settings.full {
        let asked = Question { updated_from: Some(watermark - OVERLAP), ..run.created(since..until) };
        let tables = run.ask(&asked, progress).await?;
        seen.extend(tables::ids(&tables.sessions)?);
        block_in_place(|| store.add(&tables, |_| ()))?;
    }
    // What was created since, or all of it, a month at a time.
    for window in months(if settings.full { since } else { until }..now) {
        let end = window.end;
        let before = run.synced.rejected;
        let tables = run.ask(&run.created(window), progress).await?;
        seen.extend(tables::ids(&tables.sessions)?.into_iter().filter(|_| settings.full));
        let rejected = run.synced.rejected - before;
        block_in_place(|| {
            store.add(&tables, |state| {
                state.rejected = if end <= state.until { state.rejected } else { state.rejected + rejected };
                state.until = state.until.max(end);
            })
        })?;
    }
    // What has not come to its end: a pull request can be merged without a word
    // of the session's.
    let left: Vec<String> = unsettled.into_iter().filter(|id| !seen.contains(id)).collect();
    if !left.is_empty() {
        progress(Progress::Singly { sessions: left.len() as u64 });
    }
    for ids in left.chunks(A_STEP) {
        let tables = run.ask_again(since..now, ids, progress).await?;
        block_in_place(|| store.add(&tables, |_| ()))?;
    }

    let told = fetch::people(question).await;
    // Names that were lost are had again.
    let people = store.people().unwrap_or_default().renewed(&told);
    let known = store.vendor().unwrap_or_default();
    let (vendor, untold) = renewed(known, question, since, settings).await;
    block_in_place(|| store.finish(&people, &vendor, now))?;
    let sessions = store.state().sessions();
    Ok(Synced { sessions, notes: told.notes.into_iter().chain(untold).collect(), ..run.synced })
}

/// What the vendor tells now: its ACUs of the days that are open, its counts of the
/// last whole week and month, its billing cycles. What it does not tell stays as it
/// was, and is a note.
async fn renewed(
    mut known: Vendor,
    question: &Question,
    since: DateTime<Utc>,
    settings: &Sync,
) -> (Vendor, Option<String>) {
    let (now, tz) = (settings.now, settings.tz);
    let mut untold = Vec::new();
    // East of UTC a week is over while its last day is still today in UTC.
    let latest = today(now, tz).max(now.date_naive());
    if let Some(days) = known.open_days(since.date_naive(), latest) {
        match fetch::consumption(question, &days).await {
            Ok(told) => known.add_days(&days, told),
            Err(why) => untold.push(format!("ACUs ({why})")),
        }
    }
    let month = Period::month_of(today(now, tz), tz).and_then(|month| month.previous());
    for period in [Period::last_complete_week(now, tz), month].into_iter().flatten() {
        let span = period.from().to_utc()..period.to().to_utc();
        if span.start < since {
            continue;
        }
        let asked = Question { from: span.start, to: span.end, ..question.clone() };
        let told = fetch::vendor(&asked, None).await;
        if told.counts != Counts::default() {
            known.add_counts(&span, told.counts);
        }
        untold.extend(told.untold.into_iter().map(|(what, why)| format!("{what} ({why})")));
    }
    match fetch::cycles(question).await {
        Ok(cycles) => known.cycles = cycles,
        Err(why) => untold.push(format!("billing cycles ({why})")),
    }
    // A week and a month are refused alike.
    let mut met = HashSet::new();
    untold.retain(|what| met.insert(what.clone()));
    let note = (!untold.is_empty())
        .then(|| format!("of the vendor's own numbers these could not be read: {}", untold.join(", ")));
    (known, note)
}

/// What the steps of a sync share.
struct Run<'r> {
    question: &'r Question,
    synced: Synced,
}

impl Run<'_> {
    /// The question about all sessions created in a window.
    fn created(&self, window: Range<DateTime<Utc>>) -> Question {
        Question { from: window.start, to: window.end, ..self.question.clone() }
    }

    /// Sessions by their ids. Of so many short answers only what goes wrong is told.
    async fn ask_again(
        &mut self,
        window: Range<DateTime<Utc>>,
        ids: &[String],
        progress: Listener<'_>,
    ) -> Result<Tables, Error> {
        let troubles = |news| {
            if matches!(news, Progress::Retry { .. } | Progress::Again { .. }) {
                progress(news);
            }
        };
        let mut all = Tables::empty();
        for ids in ids.chunks(AT_ONCE) {
            let asked = Question { ids: ids.to_vec(), ..self.created(window.clone()) };
            let tables = self.ask(&asked, &troubles).await?;
            let came = tables.sessions.height();
            self.synced.gone += ids.len().saturating_sub(came) as u64;
            all = tables::merge(&all, &tables)?;
        }
        Ok(all)
    }

    /// What the API answers, proved to be all.
    async fn ask(&mut self, question: &Question, progress: Listener<'_>) -> Result<Tables, Error> {
        let empty = || TablesBuilder::new(KeptTexts::ARCHIVED);
        let mut builder = empty();
        let mut deliver = |delivery: Delivery<'_>| match delivery {
            Delivery::Restart => builder = empty(),
            Delivery::Answer { .. } => {}
            Delivery::Page(rows) => builder.push(rows),
        };
        let ledger = fetch::fetch(question, &mut deliver, progress).await?;
        self.synced.received += ledger.unique;
        self.synced.rejected += ledger.rejected;
        Ok(block_in_place(|| builder.finish())?)
    }
}

/// A window cut at the beginnings of months, oldest first.
fn months(window: Range<DateTime<Utc>>) -> impl Iterator<Item = Range<DateTime<Utc>>> {
    let end = window.end;
    let next = move |begin: DateTime<Utc>| {
        let month = begin.date_naive().with_day(1)?.checked_add_months(Months::new(1))?;
        Some(month.and_time(chrono::NaiveTime::MIN).and_utc().min(end))
    };
    let begins = std::iter::successors(Some(window.start), move |begin| next(*begin));
    begins.take_while(move |begin| *begin < end).map(move |begin| begin..next(begin).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_cut_into_months() {
        let cut = |from: &str, to: &str| -> Vec<String> {
            let day = |text: &str| format!("{text}T00:00:00Z").parse::<DateTime<Utc>>().unwrap();
            let parts = months(day(from)..day(to));
            parts.map(|part| format!("{}..{}", part.start.date_naive(), part.end.date_naive())).collect()
        };
        assert_eq!(
            cut("2025-11-20", "2026-01-05"),
            ["2025-11-20..2025-12-01", "2025-12-01..2026-01-01", "2026-01-01..2026-01-05"]
        );
        assert_eq!(cut("2026-02-01", "2026-03-01"), ["2026-02-01..2026-03-01"]);
        assert_eq!(cut("2026-02-01", "2026-02-01"), [""; 0]);
    }
}
