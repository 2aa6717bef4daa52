//! The header of the page, and its notices.

use super::saved::export_limits;
use super::view::Header;
use super::{ReportContext, is_over, saved, sentence};
use crate::metrics::{ACUS, Facts, SESSIONS, SMALL_GROUP};
use crate::text::clean;
use crate::unit::count;
use devin_api::{FetchStats, Records};

/// The head of the page.
pub fn header(facts: &Facts, run: &ReportContext<'_>) -> Header {
    let period = run.period();
    let (badge, badge_tone) = match (facts.source.stats.complete, is_over(facts)) {
        (false, _) => ("incomplete", "bad"),
        (true, true) if !facts.source.proved => ("as saved", "neutral"),
        (true, false) => ("so far", "neutral"),
        (true, true) => ("complete", "good"),
    };
    let narrowed = |what: &str, words: &[String]| {
        let words: Vec<String> = words.iter().map(|word| clean(word, 80)).collect();
        (!words.is_empty()).then(|| format!("Only sessions {what} {}", words.join(" or ")))
    };
    Header {
        organisation: run
            .organisation
            .or_else(|| saved::only_organisation(facts))
            .map_or_else(|| "Whole enterprise".to_owned(), |org| clean(org, 80)),
        period: period.name(),
        dates: period.dates_in_words(),
        zone: period.tz().name().to_owned(),
        taken_label: saved::taken_label(facts),
        fetched: run.fetched.clone(),
        badge: badge.to_owned(),
        badge_tone,
        filters: [narrowed("tagged", run.tags), narrowed("of user", run.users), covered_note(facts)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// How to read a report without people.
fn covered_note(facts: &Facts) -> Option<String> {
    facts.is_covered().then(|| {
        format!(
            "People are hidden: every number rests on at least five. “{SMALL_GROUP}” combines the small \
             groups of a list and, where these are too few, the next larger ones"
        )
    })
}

/// The notices before any number.
pub fn notices(facts: &Facts, run: &ReportContext<'_>) -> Vec<String> {
    let stats = &facts.source.stats;
    let mut notices = Vec::new();
    if run.demo {
        notices.push("This organisation is invented: the page shows what a report looks like.".to_owned());
    }
    if !stats.complete {
        let why = why_incomplete(stats, SourceKind::of(facts), facts.is_covered());
        notices.push(format!("This report may be incomplete: {why}. Do not decide on these numbers."));
    }
    notices.extend(export_limits(facts.source.records).map(|note| sentence(&note)));
    notices.extend(saved::notices(run, facts.is_covered()));
    notices.extend(acus_in_doubt(facts));
    notices.extend(dropped_rows(stats, &facts.source.tags).into_iter().filter(|_| !facts.is_covered()));
    notices
}

/// Warnings of a run for the terminal, one line each.
pub fn warnings(stats: &FetchStats, tags: &[String], source: SourceKind) -> Vec<String> {
    let why = || why_incomplete(stats, source, false);
    let incomplete = (!stats.complete).then(|| format!("this report is incomplete: {}.", why()));
    incomplete.into_iter().chain(dropped_rows(stats, tags)).collect()
}

/// The same for unreadable fields, above 1 % of the sessions.
pub fn unreadable((sessions, of): (u64, u64)) -> Option<String> {
    (exceeds_percent(sessions, of)).then(|| {
        format!(
            "{} of {} sessions have fields that could not be read and are left out; the page and facts.json \
             count them under quality.",
            count(sessions as f64),
            count(of as f64)
        )
    })
}

/// The same for pull requests without an address, above 1 % of them.
pub fn without_address((entries, of): (u64, u64)) -> Option<String> {
    (exceeds_percent(entries, of)).then(|| {
        format!(
            "{} of {} pull requests have no address and are in no number; the page and facts.json count them \
             under quality.",
            count(entries as f64),
            count(of as f64)
        )
    })
}

/// The same for sessions with unknown ACUs, from 10 % of them: running sessions have none yet. If
/// all are unknown, the plan may not have ACUs.
pub fn without_acus((unknown, of): (u64, u64)) -> Option<String> {
    (u128::from(unknown) * 10 >= u128::from(of) && unknown < of).then(|| {
        format!(
            "{} of {} sessions do not tell their ACUs, or not as a number, and are in no sum of ACUs; the page \
             and facts.json count them under quality.",
            count(unknown as f64),
            count(of as f64)
        )
    })
}

/// Where sessions came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// The API, or saved answers of it.
    Pages,
    /// An archive.
    Archive,
    /// The web app's export.
    Export,
}

impl SourceKind {
    fn of(facts: &Facts) -> Self {
        match facts.source.archive.is_some() {
            true => Self::Archive,
            false if facts.source.records == Records::Export => Self::Export,
            false => Self::Pages,
        }
    }
}

/// Why sessions may be missing.
fn why_incomplete(stats: &FetchStats, source: SourceKind, is_covered: bool) -> String {
    match (source, is_covered) {
        (SourceKind::Archive, _) => "the archive does not cover all of its time".to_owned(),
        (SourceKind::Export, _) => "the web app's export does not cover all of its time".to_owned(),
        (_, true) => "fewer sessions arrived than the server counts".to_owned(),
        _ => {
            format!("{} sessions arrived, which is not what the server counts", count(stats.unique as f64))
        }
    }
}

/// Rows that were received but dropped, if they matter: all unreadable ones, and those outside the
/// query if they exceed 1 %, since a server that follows the query sends none. Saved pages may
/// contain many of these, and so does the API's answer to tag patterns, which it does not know.
fn dropped_rows(stats: &FetchStats, tags: &[String]) -> Vec<String> {
    let mut dropped_rows = Vec::new();
    if stats.rejected > 0 {
        dropped_rows.push(match stats.rejected {
            1 => "1 record could not be read and is not in any number.".to_owned(),
            rejected => format!("{rejected} records could not be read and are not in any number."),
        });
    }
    let is_pattern = tags.iter().any(|tag| tag.contains('*'));
    if stats.requests > 0 && !is_pattern && exceeds_percent(stats.outside, stats.received) {
        dropped_rows.push(format!(
            "{} of {} records that came lie outside the period or the filters and are not in any number: \
             the server may not keep to what it is asked.",
            count(stats.outside as f64),
            count(stats.received as f64)
        ));
    }
    dropped_rows
}

/// Whether a part is more than 1 % of a whole.
fn exceeds_percent(part: u64, whole: u64) -> bool {
    u128::from(part) * 100 > u128::from(whole)
}

/// A notice that sums of ACUs are unreliable.
fn acus_in_doubt(facts: &Facts) -> Option<String> {
    let all = facts.whole(&SESSIONS)?.value?;
    let unknown = facts.quality.acus_unknown? as f64;
    if !facts.capabilities.metered {
        let source = &facts.source;
        let of_all = match source.tags.is_empty() && source.users.is_empty() {
            true => "no session of the report or its trend",
            // Other sessions may have used some.
            false => "none of the sessions asked for, in the report and its trend,",
        };
        Some(format!("Not metered: {of_all} has used an ACU, so nothing is said of ACUs and what they cost."))
    } else if all == 0.0 {
        None
    } else if unknown == all {
        Some("No session tells its ACUs, so sums of ACUs are 0 because nothing is known.".to_owned())
    } else if unknown * 10.0 >= all {
        Some(format!(
            "{} of {} sessions do not tell their ACUs and are left out of every sum of ACUs.",
            count(unknown),
            count(all)
        ))
    } else if facts.whole(&ACUS)?.value? == 0.0 {
        Some("Every session is reported with 0 ACUs: the plan may not be billed in ACUs.".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_percent_outside_is_a_warning() {
        let of = |outside, rejected, complete| {
            let received = 1200;
            let stats = FetchStats {
                requests: 6,
                received,
                unique: 1100,
                outside,
                rejected,
                complete,
                ..FetchStats::default()
            };
            warnings(&stats, &["a".to_owned()], SourceKind::Pages)
        };
        assert_eq!(of(12, 0, true), [""; 0]);
        let [outside] = of(13, 0, true).try_into().unwrap();
        assert!(outside.starts_with("13 of 1,200 records that came lie outside the period"), "{outside}");
        let lines = of(13, 1, false);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("this report is incomplete: 1,100 sessions"), "{lines:?}");
        assert!(lines[1].starts_with("1 record could not be read"), "{lines:?}");
        assert_eq!(
            warnings(&FetchStats { complete: true, ..FetchStats::default() }, &[], SourceKind::Archive),
            [""; 0]
        );
        let many =
            FetchStats { requests: 6, received: 1200, outside: 900, complete: true, ..FetchStats::default() };
        assert_eq!(warnings(&many, &["a*".to_owned()], SourceKind::Pages), [""; 0]);
        let [short] = warnings(&FetchStats::default(), &[], SourceKind::Archive).try_into().unwrap();
        assert!(short.contains("the archive does not cover"), "{short}");
        let [short] = warnings(&FetchStats::default(), &[], SourceKind::Export).try_into().unwrap();
        assert!(short.contains("the web app's export does not cover"), "{short}");
    }
}
