//! Sessions from an archive that `acumen sync` keeps: no server is asked.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use rayon::prelude::*;

use super::filters::{self, Values};
use super::{
    Loaded, Provenance, ReportInputs, days, in_period, kept, shown_people, shows_limits, users, with_cycles,
};
use crate::archive::{Archive, ArchiveError, State};
use crate::error::Error;
use crate::period::{self, Period};
use crate::settings::{Settings, SettingsError};
use crate::tables::{Frames, SessionFilter, Tables};
use crate::text::{clean, shown};
use devin_api::{Api, FetchStats, Records, SessionQuery, Vendor};

/// Loads sessions from an archive.
///
/// # Errors
/// It cannot be read, does not reach over what is asked, or no session matches the filters.
pub(super) fn load(typed: &Settings, root: &Path) -> Result<Loaded, Error> {
    let archive = Archive::open(root)?;
    let kept_of_vendor = archive.vendor()?;
    let cycles = match kept_of_vendor.cycles.is_empty() {
        true => Err("the archive does not contain them".to_owned()),
        false => Ok(kept_of_vendor.cycles.clone()),
    };
    let (settings, mut notes) = with_cycles(typed, cycles.clone());
    let (settings, complete) = within_reach(&settings, root, archive.state())?;
    notes.extend(lacking(&settings, archive.state()));
    let people = archive.people()?.into_lists();
    let settings = users::resolved(&settings, Some(&people))?;
    let kept = kept(&settings, Some(&people));
    let query = &settings.query;
    let micros = |moment: DateTime<Utc>| moment.timestamp_micros();
    let wanted = SessionFilter {
        created: micros(query.from)..micros(query.to),
        // An archive of one organisation keeps no other's sessions.
        org: query.org.as_deref().filter(|_| archive.state().org.is_none()),
        tags: &query.tags,
        users: &query.users,
    };
    let tables = months(&archive, root, query, kept.texts.from, &wanted)?;
    let count = tables.sessions.height() as u64;
    let rejected = archive.state().rejected;
    let stats = FetchStats { received: count, unique: count, complete, rejected, ..FetchStats::default() };
    // As with the API, an organisation on the lists may have no session.
    let is_unlisted = wanted.org.is_some_and(|org| !people.organisations.contains_key(org));
    let no_match = count == 0 && complete && filters::are_given(&settings, is_unlisted);
    if no_match && !settings.allow_empty {
        let mut typed = typed.clone();
        // That of an archive of one organisation is no filter.
        typed.query.org = typed.query.org.filter(|_| wanted.org.is_some());
        let all = SessionFilter { org: None, tags: &[], users: &[], ..wanted };
        let values = match settings.privacy.covered {
            true => None,
            false => {
                let from = kept.texts.from;
                let all = months(&archive, root, query, from, &all)?;
                Some(Values::of(&Frames::new(all, from, None)?)?)
            }
        };
        return Err(filters::refusal(&typed, &query.users, values.as_ref(), &people).into());
    }
    let mut people = shown_people(people, &settings);
    // They are members of all that the archive covers.
    people.count = people.count.filter(|_| wanted.org.is_none());
    let archived = Some(archive.state().watermark.to_rfc3339_opts(SecondsFormat::Secs, true));
    let is_whole = wanted.org.is_none() && wanted.tags.is_empty() && wanted.users.is_empty();
    let vendor = match settings.reconcile && is_whole {
        true => kept_of_vendor.of_period(&in_period(&settings), &days(&settings)),
        false => Vendor::default(),
    };
    let records = Records::Api(archive.state().api);
    let provenance = Provenance { records, stats, saved: None, archived };
    let limit_cycles = shows_limits(&settings, &people).then_some(cycles);
    let inputs = ReportInputs { provenance, vendor, people, no_match, notes, limit_cycles };
    Ok(Loaded { settings, tables, kept, inputs, pages: None })
}

/// What a report cannot show because the archive is of an older schema.
fn lacking(settings: &Settings, state: &State) -> Option<String> {
    let from = state.lacks_columns_before()?;
    let texts = "texts of analyses";
    let details = "details of statuses, playbooks and modes";
    let has_texts = !settings.privacy.covered && settings.period.from().to_utc() < from;
    let has_details = state.api == Api::V3 && settings.query.from < from;
    let what = match (has_texts, has_details) {
        (true, true) => format!("{texts}, {details}"),
        (true, false) => texts.to_owned(),
        (false, true) => details.to_owned(),
        (false, false) => return None,
    };
    let missing =
        if has_texts { "improvements, recurring issues and prompt feedback" } else { "groups by them" };
    Some(format!(
        "the archive has no {what} of sessions created before {}: {missing} are missing or incomplete until \
         acumen sync --full",
        from.format("%-d %B %Y")
    ))
}

/// The wanted sessions of an archive; its months are read side by side on all cores.
fn months(
    archive: &Archive,
    root: &Path,
    query: &SessionQuery,
    named_from: DateTime<Utc>,
    wanted: &SessionFilter<'_>,
) -> Result<Tables, ArchiveError> {
    let months = archive.months_of(&(query.from..query.to));
    let parts = months.par_iter().map(|month| Ok(archive.for_report(month, named_from)?.wanted(wanted)?));
    let tables = Tables::joined(parts.collect::<Result<_, ArchiveError>>()?);
    tables.map_err(|error| ArchiveError::unfit(root, &error.to_string()))
}

/// The settings as an archive can answer them, and whether it holds all that is
/// asked for. A period that is not over ends for now where the archive does.
fn within_reach(settings: &Settings, root: &Path, state: &State) -> Result<(Settings, bool), Error> {
    let mut settings = settings.clone();
    let query = &mut settings.query;
    if let (Some(asked), Some(own)) = (&query.org, &state.org)
        && asked != own
    {
        let path = shown(root);
        let (own, asked) = (clean(own, 80), clean(asked, 80));
        return Err(ArchiveError::Other { path, what: "the organisation", own, asked }.into());
    }
    if settings.now < settings.period.from() {
        return Err(has_not_begun(&settings.period, settings.now).into());
    }
    query.org = query.org.take().or_else(|| state.org.clone());
    let day = |moment: DateTime<Utc>| moment.format("%-d %B %Y, %H:%M UTC").to_string();
    let begins_late = query.from < state.since;
    let ends_early = match settings.complete {
        true => state.until < query.to,
        false => state.until <= settings.period.from().to_utc(),
    };
    let fault = match (begins_late, ends_early) {
        (false, false) => None,
        (true, _) => Some(ArchiveError::Late { since: day(state.since) }),
        (_, true) => Some(ArchiveError::Short { until: day(state.until) }),
    };
    query.to = query.to.min(state.until).max(query.from);
    match fault {
        Some(fault) if !query.allow_partial => Err(fault.into()),
        fault => Ok((settings, fault.is_none())),
    }
}

/// Why no archive answers for a period that has not begun.
fn has_not_begun(period: &Period, now: DateTime<Utc>) -> SettingsError {
    let today = period::today(now, period.tz());
    let running = Period::containing(period.kind(), today, period.tz()).map(|running| running.label());
    let hint = match (period.kind(), running) {
        (period::PeriodKind::Days, _) | (_, None) => format!("choose days up to {today}"),
        (_, Some(running)) => {
            format!("choose a {} that has begun: {running} is the current one", period.noun())
        }
    };
    SettingsError::new(format!("{} has not begun: its first day is {}", period.label(), period.first()), hint)
}
