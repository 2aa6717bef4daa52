//! `acumen sync`: what is new or may have changed, from the API into an archive.
//!
//! Each step is whole in the archive before the next begins, and a sync that is
//! cut short is gone on with by the next one. The watermark moves at the end alone.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Instant;

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use tokio::task::block_in_place;
use tracing::info;

use super::{Context, Ended, heartbeat, output, settings_line};
use crate::archive::{self, State, Store, Subject, Vendor};
use crate::cli::SyncArgs;
use crate::console::Console;
use crate::environment;
use crate::error::Error;
use crate::exit::Exit;
use crate::logging::seconds_since;
use crate::period::{Period, today};
use crate::settings::{self, FoundKey, Network, SettingsError, Sync};
use crate::tables::{self, KeptTexts, Tables, TablesBuilder};
use devin_api::{ApiConfig, Counts, PageEvent, Progress, SessionQuery};

/// What changed so long before the watermark is asked for again: a server may
/// report changes late, and its clock may differ from ours.
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// Sessions that are asked for by their ids at once: more make an address that
/// servers refuse.
const AT_ONCE: usize = 50;

/// Sessions that are taken over in one step where they are asked for by their ids.
const A_STEP: usize = 5_000;

/// The receiver of progress events.
type Listener<'l> = &'l (dyn Fn(Progress) + Send + std::marker::Sync);

/// Brings an archive up to date, and prints its place.
///
/// # Errors
/// The first step that fails; those before it hold. Or the signal that ended the run.
pub async fn run(args: SyncArgs, mut context: Context) -> Result<Exit, Ended> {
    let network = environment::network(&args.network);
    let monitor = heartbeat::monitor(&args.monitor, &network);
    let key = environment::find_key(&args.access);
    // Before anything is sent to anybody, the monitor included.
    let line = settings_line::sync(&args, &context.file, &key, &network);
    context.announce(line.filter(|_| monitor.is_ok()));
    let console = context.console.clone();
    let ended = match monitor {
        Ok(monitor) => heartbeat::around(monitor, &console, synced(args, key, network, &mut context)).await,
        Err(error) => Err(error.into()),
    };
    ended.map_err(|ended| ended.keeping(kept).leaving(archive::KEPT))
}

/// What is on the disk after a sync that failed.
fn kept(error: &Error) -> Option<&'static str> {
    match error {
        Error::Settings(_) => None,
        Error::Archive(error) => Some(error.kept()),
        _ => Some(archive::KEPT),
    }
}

async fn synced(
    args: SyncArgs,
    key: Result<Option<FoundKey>, SettingsError>,
    network: Result<Network, SettingsError>,
    context: &mut Context,
) -> Result<Exit, Ended> {
    let Context { console, now, file, signals, .. } = context;
    file.as_ref().map_err(Clone::clone)?;
    let (console, now) = (console.clone(), *now);
    let archive = args.archive.clone();
    let syncing = async move { sync_once(&args, key?, &network?, now, &console).await };
    signals.until(syncing).await?;
    output::print(&format!("{}\n", archive.display()))?;
    Ok(Exit::Done)
}

/// Brings an archive up to date, and says what that did.
///
/// # Errors
/// The settings cannot be used, or the first step that fails.
pub(super) async fn sync_once(
    args: &SyncArgs,
    key: Option<FoundKey>,
    network: &Network,
    now: DateTime<Utc>,
    console: &Console,
) -> Result<(), Error> {
    let settings = settings::Sync::resolve(args, key, network, now)?;
    console.say(&format!("using API {} ({})", settings.api.api, settings.chosen_by));
    let synced = sync(&settings, &|progress| console.tell(progress)).await;
    console.finish();
    tell(&synced?, console);
    Ok(())
}

/// Reports what a sync did.
fn tell(synced: &Synced, console: &Console) {
    let counted = |number: u64, what: &str| match number {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    };
    if synced.rejected > 0 {
        let records = counted(synced.rejected, "record");
        let are = if synced.rejected == 1 { "is" } else { "are" };
        console.warn(&format!("{records} could not be read and {are} not in the archive."));
    }
    if synced.gone > 0 {
        let sessions = counted(synced.gone, "session");
        console.say(&format!("{sessions} in the archive no longer returned by the API; kept unchanged"));
    }
    synced.notes.iter().for_each(|note| console.say(&format!("note: {note}")));
    let (received, all) = (counted(synced.received, "session"), counted(synced.sessions, "session"));
    console.say(&format!("{received} received, new or refreshed; {all} in the archive"));
}

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Synced {
    /// Sessions that came, each counted in every step that it came in.
    received: u64,
    /// Sessions in the archive.
    sessions: u64,
    /// Records without an id or a readable creation time, dropped.
    rejected: u64,
    /// Sessions that the API no longer returns; they stay in the archive.
    gone: u64,
    /// Lists of people, and numbers of the vendor's, that could not be read, in words.
    notes: Vec<String>,
}

/// Brings an archive up to date.
///
/// # Errors
/// The first step that fails; those before it hold.
async fn sync(settings: &Sync, progress: Listener<'_>) -> Result<Synced, Error> {
    let (now, root, api) = (settings.now, &settings.archive, &settings.api);
    let subject = Subject { api: api.api, org: settings.org.clone(), since: settings.since };
    let mut store = block_in_place(|| Store::open(root, &subject, now))?;
    let unsettled = block_in_place(|| store.unsettled())?;
    let State { org, since, until, watermark, .. } = store.state().clone();
    let query = &SessionQuery::all(org, since..now);
    let mut run = Run { api, query, synced: Synced::default() };

    // What is there already and changed since.
    let mut seen = HashSet::new();
    if since < until && !settings.full {
        let asked = SessionQuery { updated_from: Some(watermark - OVERLAP), ..run.created(since..until) };
        let tables = run.ask(&asked, progress).await?;
        seen.extend(tables::ids(&tables.sessions)?);
        add(&mut store, "changed", &tables, |_| ())?;
    }
    // What was created since, or all of it, a month at a time.
    for window in months(if settings.full { since } else { until }..now) {
        let end = window.end;
        let before = run.synced.rejected;
        let tables = run.ask(&run.created(window), progress).await?;
        seen.extend(tables::ids(&tables.sessions)?.into_iter().filter(|_| settings.full));
        let rejected = run.synced.rejected - before;
        add(&mut store, "created", &tables, |state| {
            state.rejected = if end <= state.until { state.rejected } else { state.rejected + rejected };
            state.until = state.until.max(end);
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
        add(&mut store, "unsettled", &tables, |_| ())?;
    }

    let reply = devin_api::people(api, query).await;
    // The content of a damaged file is fetched again, as far as the API still returns it.
    let mut lost = Vec::new();
    let people = store.people().unwrap_or_else(|error| {
        lost.push(format!("{error}; fetching the names again"));
        archive::People::default()
    });
    let known = store.vendor().unwrap_or_else(|error| {
        lost.push(format!("{error}; fetching Devin's own totals again"));
        Vendor::default()
    });
    let people = people.renewed(&reply);
    let (vendor, missing) = renewed(known, query, settings).await;
    let lacked = store.state().lacks_columns_before();
    block_in_place(|| store.finish(&people, &vendor, now, settings.full))?;
    let sessions = store.state().sessions();
    let columns = upgrade(lacked, store.state().lacks_columns_before());
    let notes = lost.into_iter().chain(reply.notes).chain(missing).chain(columns).collect();
    Ok(Synced { sessions, notes, ..run.synced })
}

/// What there is to say of an archive of an older schema, by the moments from which on its
/// sessions have all columns, before and after a sync.
fn upgrade(before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) -> Option<String> {
    let what = "texts of analyses, details of statuses, playbooks and modes";
    match (before, after) {
        (_, Some(from)) => Some(format!(
            "sessions created before {} have no {what} in this archive: acumen sync --full adds them",
            from.format("%-d %B %Y")
        )),
        (Some(_), None) => Some(format!("the archive now has the {what} of all sessions")),
        (None, None) => None,
    }
}

/// Writes what came into the archive, as a step that is whole before the next begins.
fn add(
    store: &mut Store,
    step: &'static str,
    tables: &Tables,
    change: impl FnOnce(&mut State),
) -> Result<(), Error> {
    let begun = Instant::now();
    block_in_place(|| store.add(tables, change))?;
    let (sessions, seconds) = (tables.sessions.height(), seconds_since(begun));
    info!(step, sessions, seconds, "archive step written");
    Ok(())
}

/// What the vendor tells now: its ACUs of the days that are open, its counts of the
/// last whole week and month, its billing cycles. What it does not tell stays as it
/// was, and is a note.
async fn renewed(mut known: Vendor, query: &SessionQuery, settings: &Sync) -> (Vendor, Option<String>) {
    let (api, since) = (&settings.api, query.from);
    let (now, tz) = (settings.now, settings.tz);
    let mut missing = Vec::new();
    // East of UTC a week is over while its last day is still today in UTC.
    let latest = today(now, tz).max(now.date_naive());
    if let Some(days) = known.open_days(since.date_naive(), latest) {
        match devin_api::consumption(api, query, &days).await {
            Ok(reply) => known.add_days(&days, reply),
            Err(why) => missing.push(format!("ACUs ({why})")),
        }
    }
    let month = Period::month_of(today(now, tz), tz).and_then(|month| month.previous());
    for period in [Period::last_complete_week(now, tz), month].into_iter().flatten() {
        let span = period.from().to_utc()..period.to().to_utc();
        if span.start < since {
            continue;
        }
        let asked = SessionQuery { from: span.start, to: span.end, ..query.clone() };
        let reply = devin_api::vendor(api, &asked, None).await;
        if reply.counts != Counts::default() {
            known.add_counts(&span, reply.counts);
        }
        missing.extend(reply.missing.into_iter().map(|(what, why)| format!("{what} ({why})")));
    }
    match devin_api::cycles(api, query).await {
        Ok(cycles) => known.cycles = cycles,
        Err(why) => missing.push(format!("billing cycles ({why})")),
    }
    // A week and a month are refused alike.
    let mut met = HashSet::new();
    missing.retain(|what| met.insert(what.clone()));
    let note = (!missing.is_empty())
        .then(|| format!("some of Devin's own totals could not be read: {}", missing.join(", ")));
    (known, note)
}

/// What the steps of a sync share.
struct Run<'r> {
    api: &'r ApiConfig,
    query: &'r SessionQuery,
    synced: Synced,
}

impl Run<'_> {
    /// All sessions created in a window.
    fn created(&self, window: Range<DateTime<Utc>>) -> SessionQuery {
        SessionQuery { from: window.start, to: window.end, ..self.query.clone() }
    }

    /// Sessions by their ids. Of so many short answers only problems are reported.
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
            let asked = SessionQuery { ids: ids.to_vec(), ..self.created(window.clone()) };
            let tables = self.ask(&asked, &troubles).await?;
            let came = tables.sessions.height();
            let gone = ids.len().checked_sub(came);
            self.synced.gone += gone.expect("only sessions that were asked for come, each once") as u64;
            all = tables::merge(&all, &tables)?;
        }
        Ok(all)
    }

    /// What the API answers, proved to be all.
    async fn ask(&mut self, query: &SessionQuery, progress: Listener<'_>) -> Result<Tables, Error> {
        let empty = || TablesBuilder::new(KeptTexts::ARCHIVED);
        let mut builder = empty();
        let mut deliver = |event: PageEvent<'_>| match event {
            PageEvent::Restart => builder = empty(),
            PageEvent::Answer { .. } => {}
            PageEvent::Page(rows) => builder.push(rows),
        };
        let stats = devin_api::fetch(self.api, query, &mut deliver, progress).await?;
        self.synced.received += stats.unique;
        self.synced.rejected += stats.rejected;
        Ok(block_in_place(|| builder.finish())?)
    }
}

/// A window cut at the beginnings of months, oldest first.
fn months(window: Range<DateTime<Utc>>) -> impl Iterator<Item = Range<DateTime<Utc>>> {
    let end = window.end;
    let next = move |begin: DateTime<Utc>| {
        let first = begin.date_naive().with_day(1).expect("every month has a first day");
        let month = first.checked_add_months(Months::new(1)).expect("the calendar goes on after a window");
        month.and_time(chrono::NaiveTime::MIN).and_utc().min(end)
    };
    let begins = std::iter::successors(Some(window.start), move |begin| Some(next(*begin)));
    begins.take_while(move |begin| *begin < end).map(move |begin| begin..next(begin))
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
