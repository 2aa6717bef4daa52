//! What the page says about saved pages and archives.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::entries::Entry;
use crate::metrics::{Completeness, Dim, Facts, SESSIONS};
use crate::period::{Period, PeriodKind};
use crate::saved_pages::Saved;
use crate::text::clean;
use devin_api::Records;

/// The longest unreadable time that is shown.
const LONGEST_MOMENT: usize = 40;

/// Whether no API was asked for the sessions.
pub(crate) fn is_saved(facts: &Facts) -> bool {
    facts.source.requests == 0
}

/// What the web app's export lacks; `None` for other sources.
pub fn export_limits(records: Records) -> Option<String> {
    (records == Records::Export).then(|| {
        "the web app's export has no status, tags, analyses or automation: what depends on them is left \
         out, and every user counts as a person."
            .to_owned()
    })
}

/// The organisation of an export, if all sessions are of the same one.
pub(crate) fn only_organisation(facts: &Facts) -> Option<&str> {
    let groups = facts.facts.iter().filter(|fact| fact.metric.id == SESSIONS.id);
    let mut groups = groups.filter_map(|fact| fact.key(Dim::Org));
    let only = groups.next().flatten().filter(|_| groups.next().is_none())?;
    let name = facts.labels.org.get(only).map(String::as_str);
    name.filter(|_| facts.source.records == Records::Export)
}

/// The label of the time at which sessions were obtained.
pub(crate) fn taken_label(facts: &Facts) -> &'static str {
    match (&facts.source.archive, is_saved(facts)) {
        (Some(_), _) => "From an archive as of",
        (None, true) if facts.source.records == Records::Export => "Read from the web app's export",
        (None, true) => "Read from saved pages",
        (None, false) => "Fetched",
    }
}

/// That time in words, in the report's zone.
pub fn fetched(facts: &Facts) -> String {
    let moment = facts.source.archive.as_ref().unwrap_or(&facts.generated_at);
    match DateTime::parse_from_rfc3339(moment) {
        Ok(moment) => moment.with_timezone(&facts.tz()).format("%-d %B %Y, %H:%M").to_string(),
        // Facts from a file can contain any text.
        Err(_) => clean(moment, LONGEST_MOMENT),
    }
}

/// Whether the sessions are complete.
pub(crate) fn completeness(facts: &Facts) -> &'static str {
    match facts.source.completeness {
        Completeness::Incomplete => "no",
        Completeness::Proven => "yes",
        Completeness::Unproven => "as saved: completeness is unknown",
    }
}

/// The same with what it means.
pub(crate) fn completeness_sentence(facts: &Facts) -> &'static str {
    match (facts.source.completeness, facts.is_over()) {
        (Completeness::Incomplete, _) => "Incomplete: sessions are missing",
        (_, false) => "So far: the period is not over",
        (Completeness::Unproven, true) => "As saved: completeness is unknown",
        (Completeness::Proven, true) => "Complete: no session is missing",
    }
}

/// The time span and the files of saved sessions.
pub(crate) fn entries(facts: &Facts) -> Vec<Entry> {
    if facts.source.archive.is_some() {
        return vec![Entry::word("Archive as of", fetched(facts))];
    }
    let Some(saved) = &facts.source.saved else { return Vec::new() };
    let tz = facts.tz();
    let mut entries = vec![Entry::count("Files of saved pages", saved.files)];
    if saved.other_files > 0 {
        entries.push(Entry::count("Other files in the folder", saved.other_files));
    }
    let declared: Vec<_> = saved.declared.iter().map(|[from, to]| *from..*to).collect();
    let days = days_in_words(&declared, tz);
    entries.extend((!days.is_empty()).then(|| Entry::word("Date range of the export", days)));
    let ends = [("Oldest saved session", saved.first), ("Newest saved session", saved.last)];
    entries.extend(ends.into_iter().filter_map(|(name, moment)| Some(Entry::word(name, day(moment?, tz)))));
    entries
}

/// Notices about saved pages: outside their time span, 0 is not a count. `periods` are the report's
/// and those it needs for its comparison and its trend.
pub fn saved_notices(saved: &Saved, periods: &[Period], is_covered: bool) -> Vec<String> {
    let Some(period) = periods.first() else { return Vec::new() };
    let tz = period.tz();
    // A report without people does not show the day of a single session.
    let on = |moment| if is_covered { "later".to_owned() } else { format!("on {}", day(moment, tz)) };
    let mut notices = Vec::new();
    if saved.mixed {
        notices.push(
            match saved.records {
                Records::Api(_) => {
                    "The saved sessions are from both API versions: what only one version provides is \
                     unknown for the others."
                }
                Records::Export => {
                    "The saved sessions are from the API and from the web app's export: only what both \
                     provide is counted, and a person in both, by id and by email, counts as two people."
                }
            }
            .to_owned(),
        );
    }
    let is_covered_period = |period: &Period| saved.reach.covers(&time(period));
    let days = days_in_words(saved.reach.declared(), tz);
    if !days.is_empty() {
        if !periods.iter().all(is_covered_period) {
            notices.push(format!(
                "The export covers {days}: there is no data on other days, and no period with such days \
                 is compared or in the trend."
            ));
        }
        return notices;
    }
    // One day without sessions at either end is normal.
    if let (Some(first), Some(earliest)) = (saved.first, periods.iter().min_by_key(|period| period.first()))
        && !saved.reach.covers_beginning(&time(earliest))
    {
        notices.push(format!(
            "The saved sessions begin {}: {}.",
            on(first),
            match saved.proved {
                true => "earlier zeros are not counts unless earlier sessions were saved",
                false => {
                    "there is no data on earlier days, and no period with such days is compared or in \
                     the trend"
                }
            }
        ));
    }
    if let Some(last) = saved.last
        && ends_early(last, period)
    {
        let end = if is_covered { String::new() } else { format!(" on {},", day(last, tz)) };
        notices.push(format!(
            "The saved sessions end{end} before the end of the period: later ones are missing if the \
             pages were saved before the period ended."
        ));
    }
    notices
}

/// The days of exports that do not cover a period, and the last period before it that they do
/// cover; `None` if exports declare no days.
pub fn beyond_export(saved: &Saved, period: &Period) -> Option<String> {
    let days = Some(days_in_words(saved.reach.declared(), period.tz())).filter(|days| !days.is_empty())?;
    let mut earlier = std::iter::successors(period.previous(), Period::previous).take(MAX_PERIODS_BACK);
    let covered =
        earlier.find(|period| saved.reach.covers(&time(period))).map(|period| match period.kind() {
            PeriodKind::Days => format!("; it covers {}", period.dates_in_words()),
            _ => format!("; --{} {} is the last period that it covers", period.noun(), period.label()),
        });
    Some(format!("the export covers {days}{}.", covered.unwrap_or_default()))
}

/// How many periods back to look for one that an export covers.
const MAX_PERIODS_BACK: usize = 500;

fn time(period: &Period) -> Range<DateTime<Utc>> {
    period.from().to_utc()..period.to().to_utc()
}

/// The days of times, in words; empty for none.
fn days_in_words(times: &[Range<DateTime<Utc>>], tz: Tz) -> String {
    // The last instant within the time.
    let days = |time: &Range<DateTime<Utc>>| {
        format!("{} to {}", day(time.start, tz), day(time.end - TimeDelta::seconds(1), tz))
    };
    times.iter().map(days).collect::<Vec<_>>().join(" and ")
}

/// Whether at least the last whole day of a period has no saved session.
fn ends_early(last: DateTime<Utc>, period: &Period) -> bool {
    last + TimeDelta::days(1) < period.to().to_utc()
}

fn day(moment: DateTime<Utc>, tz: Tz) -> String {
    moment.with_timezone(&tz).format("%-d %B %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved_pages::Reach;
    use devin_api::{Api, People};

    fn notices_for(first: &str, last: &str, proved: bool) -> Vec<String> {
        let saved = Saved {
            records: Records::Api(Api::V2),
            files: 1,
            left_out: 0,
            mixed: false,
            proved,
            first: first.parse().ok(),
            last: last.parse().ok(),
            reach: Reach::of_sessions(Some(first.parse().unwrap()..last.parse().unwrap())),
            people: People::default(),
            outdated: Vec::new(),
        };
        let periods = Period::parse_week("2026-W41", chrono_tz::Europe::Berlin).unwrap().trend(1);
        saved_notices(&saved, &periods, false)
    }

    #[test]
    fn times_outside_saved_pages_have_a_notice() {
        assert_eq!(notices_for("2026-09-28T09:00:00Z", "2026-10-11T12:00:00Z", false), [""; 0]);
        for (first, day) in [("2026-10-01T00:00:00Z", 1), ("2026-10-04T22:30:00Z", 5)] {
            for (proved, then) in
                [(false, "there is no data on earlier days"), (true, "earlier zeros are not counts unless")]
            {
                let [begin] = notices_for(first, "2026-10-11T12:00:00Z", proved).try_into().unwrap();
                assert!(
                    begin.starts_with(&format!("The saved sessions begin on {day} October 2026: {then}")),
                    "{begin}"
                );
            }
        }
        let [end] = notices_for("2026-09-28T00:00:00Z", "2026-10-10T21:00:00Z", true).try_into().unwrap();
        assert!(end.starts_with("The saved sessions end on 10 October 2026, before"), "{end}");
    }
}
