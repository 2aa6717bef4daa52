//! Sessions from saved pages: no server is asked, not even for names.

use crate::saved_pages;
use std::path::Path;

use super::filters::{self, Values};
use super::{Loaded, Provenance, ReportInputs, kept, shown_people, users, with_cycles};
use crate::error::Error;
use crate::saved_pages::{PageHandler, Saved};
use crate::settings::{Settings, SettingsError};
use crate::tables::{Frames, KeptTexts, Tables, TablesBuilder};
use crate::thread_pool;
use devin_api::{Api, FetchStats, Progress, Records, Row, SessionQuery, Vendor};

/// Standard input, as a path.
const STDIN: &str = "-";

/// Loads sessions from saved pages; `api` is their version, if stated.
///
/// # Errors
/// They cannot be read, pages are missing, or no session matches the filters.
pub(super) async fn load(
    settings: &Settings,
    path: &Path,
    api: Option<Api>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Loaded, Error> {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let (settings, path) = (settings.clone(), path.to_owned());
    let reading = thread_pool::run(move || {
        let tell = |progress| {
            // The receiver is gone if the run was cancelled.
            let _ = sender.send(progress);
        };
        read(&settings, &path, api, &tell)
    });
    while let Some(news) = receiver.recv().await {
        progress(news);
    }
    reading.await?
}

fn read(
    typed: &Settings,
    path: &Path,
    api: Option<Api>,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Loaded, Error> {
    let (settings, notes) = with_cycles(typed, Err("saved pages do not contain them".to_owned()));
    let mut settings = users::resolved(&settings, None)?;
    let kept = kept(&settings, None);
    let read = |query: &SessionQuery, tell: &(dyn Fn(Progress) + Send + Sync)| {
        saved_pages(path, query, api, kept.texts, tell)
    };
    let (mut tables, mut stats, mut saved) = read(&settings.query, tell)?;
    if saved.records == Records::Export && !settings.query.tags.is_empty() {
        return Err(no_tags().into());
    }
    let can_read_again = path != Path::new(STDIN);
    // An export names people itself, so that who is meant is known in the end.
    let named = users::resolved(typed, Some(&saved.people))?;
    if named.query.users != settings.query.users {
        if !can_read_again {
            return Err(read_once().into());
        }
        settings = named;
        (tables, stats, saved) = read(&settings.query, &|_| ())?;
    }
    // An incomplete walk says nothing about the filters.
    let is_empty = stats.unique == saved.outdated.len() as u64 && stats.complete;
    let no_match = is_empty && filters::are_given(&settings, true);
    let values = match no_match && !settings.allow_empty && !settings.privacy.covered && can_read_again {
        true => {
            let all = SessionQuery {
                allow_partial: settings.query.allow_partial,
                ..SessionQuery::all(None, settings.query.from..settings.query.to)
            };
            let (all, ..) = read(&all, &|_| ())?;
            Some(Values::of(&Frames::new(all, kept.texts.from, None)?)?)
        }
        false => None,
    };
    let period = settings.period.from().to_utc()..settings.period.to().to_utc();
    if saved.reach.misses(&period, settings.complete) {
        if settings.privacy.covered {
            return Err(not_covered(&settings).into());
        }
        stats.complete = false;
    }
    if no_match && !settings.allow_empty {
        return Err(filters::refusal(typed, &settings.query.users, values.as_ref(), &saved.people).into());
    }
    let people = shown_people(saved.people.clone(), &settings);
    let provenance = Provenance { records: saved.records, stats, saved: Some(saved), archived: None };
    // Neither pages nor exports have limits of organisations.
    let vendor = Vendor::default();
    let inputs = ReportInputs { provenance, vendor, people, no_match, notes, limit_cycles: None };
    Ok(Loaded { settings, tables, kept, inputs, pages: None })
}

/// The sessions of saved pages that are wanted.
fn saved_pages(
    path: &Path,
    query: &SessionQuery,
    api: Option<Api>,
    texts: KeptTexts,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Tables, FetchStats, Saved), Error> {
    let empty = || TablesBuilder::new(texts);
    let push = |builder: &mut TablesBuilder, first: u64, rows: &[Row<'_>]| builder.push_from(first, rows);
    let handler = PageHandler { empty: &empty, push: &push };
    let (builders, stats, saved) = saved_pages::saved(path, query, api, &handler, tell)?;
    let mut tables = TablesBuilder::join(builders)?;
    if !saved.outdated.is_empty() {
        tables = tables.without_these(&saved.outdated)?;
    }
    Ok((tables, stats, saved))
}

/// Two exports of one period, one of which ends a little later, reveal few people.
fn not_covered(settings: &Settings) -> SettingsError {
    SettingsError::new(
        format!(
            "the web app's export does not cover all of {} ({}), and a report that hides people needs \
             whole periods",
            settings.period.name().to_lowercase(),
            settings.period.dates_in_words()
        ),
        "choose a period that it covers, or export again",
    )
}

fn no_tags() -> SettingsError {
    SettingsError::new(
        "--tag: the web app's export has no tags",
        "omit --tag, or report from the API, which needs a key",
    )
}

fn read_once() -> SettingsError {
    SettingsError::new(
        "--user: standard input cannot be read again to find the user with this name",
        "use the email, or name the file with --pages",
    )
}
