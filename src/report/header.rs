//! The header of the page, and its notices.

use super::saved::export_limits;
use super::{saved, sentence};
use crate::metrics::{ACUS, Completeness, Dim, Facts, SESSIONS, SMALL_GROUP, Source};
use crate::text::clean;
use crate::unit::count;
use devin_api::Records;
use serde::Serialize;

/// The header of the page.
#[derive(Clone, Debug, Serialize)]
pub struct Header {
    /// Organisation or enterprise.
    pub organisation: String,
    /// Whether that is the name of one organisation.
    pub is_named: bool,
    /// `Week 41`.
    pub period: String,
    /// `5 to 11 October 2026`.
    pub dates: String,
    /// IANA name.
    pub zone: String,
    /// The label before the time.
    pub taken_label: &'static str,
    /// When the sessions were obtained, in the report's zone.
    pub fetched: String,
    /// `complete`, `so far` or `incomplete`.
    pub badge: String,
    /// Class of the badge.
    pub badge_tone: &'static str,
    /// The filters.
    pub filters: Vec<String>,
}

/// The head of the page.
pub fn header(facts: &Facts) -> Header {
    let period = facts.report_period();
    let source = &facts.source;
    let (badge, badge_tone) = match (source.completeness, facts.is_over()) {
        (Completeness::Incomplete, _) => ("incomplete", "bad"),
        (Completeness::Unproven, true) => ("as saved", "neutral"),
        (Completeness::Unproven | Completeness::Proven, false) => ("so far", "neutral"),
        (Completeness::Proven, true) => ("complete", "good"),
    };
    let narrowed = |what: &str, words: &[String]| {
        let words: Vec<String> = words.iter().map(|word| clean(word, 80)).collect();
        (!words.is_empty()).then(|| format!("Only sessions {what} {}", words.join(" or ")))
    };
    let organisation = organisation(facts);
    let named = organisation.map_or_else(|| "Whole enterprise".to_owned(), |name| clean(name, 80));
    Header {
        is_named: organisation.is_some() || source.team.is_some(),
        // A team's report looks like its own at first sight.
        organisation: match &source.team {
            Some(team) => format!("{}, {named}", clean(team, 60)),
            None => named,
        },
        period: period.name(),
        dates: period.dates_in_words(),
        zone: period.tz().name().to_owned(),
        taken_label: saved::taken_label(facts),
        fetched: saved::fetched(facts),
        badge: badge.to_owned(),
        badge_tone,
        filters: [
            narrowed("of team", source.team.as_slice()),
            narrowed("tagged", &source.tags),
            narrowed("of user", &source.users),
            covered_note(facts),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// What the organisation is called; `None` for the whole enterprise.
fn organisation(facts: &Facts) -> Option<&str> {
    let scope = Some(facts.source.scope.as_str()).filter(|scope| *scope != "enterprise");
    scope.map(|scope| facts.called(Dim::Org, scope)).or_else(|| saved::only_organisation(facts))
}

/// How to read a report without people.
fn covered_note(facts: &Facts) -> Option<String> {
    facts.is_covered().then(|| {
        format!(
            "People are hidden: every number rests on at least five people. “{SMALL_GROUP}” combines the \
             small groups of a list and, if these are too few, the next larger ones"
        )
    })
}

/// The notices before any number.
pub fn notices(facts: &Facts) -> Vec<String> {
    let source = &facts.source;
    let mut notices = Vec::new();
    if source.demo {
        notices.push("This organisation is invented: the page is an example of a report.".to_owned());
    }
    if !source.is_complete() {
        let why = why_incomplete(source);
        notices
            .push(format!("This report may be incomplete: {why}. Do not base decisions on these numbers."));
    }
    notices.extend(export_limits(source.records).map(|note| sentence(&note)));
    notices.extend(facts.notices.iter().take(MOST_NOTICES).map(|notice| clean(notice, LONGEST_NOTICE)));
    let more = facts.notices.len().saturating_sub(MOST_NOTICES);
    notices.extend((more > 0).then(|| format!("The facts file has {more} more notices.")));
    notices.extend(acus_in_doubt(facts));
    notices.extend(dropped_rows(source));
    notices
}

/// The most notices of a facts file that are shown; a run makes a handful.
const MOST_NOTICES: usize = 30;
/// The longest notice of a facts file.
const LONGEST_NOTICE: usize = 600;

/// Warnings of a run for the terminal, one line each.
pub fn warnings(source: &Source) -> Vec<String> {
    let incomplete =
        (!source.is_complete()).then(|| format!("this report is incomplete: {}.", why_incomplete(source)));
    incomplete.into_iter().chain(dropped_rows(source)).collect()
}

/// The same for unreadable fields, above 1% of the sessions.
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

/// The same for pull requests without an address, above 1% of them.
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

/// The same for sessions with unknown ACUs, from 10% of them: running sessions have none yet. If
/// all are unknown, the plan may not have ACUs.
pub fn without_acus((unknown, of): (u64, u64)) -> Option<String> {
    (u128::from(unknown) * 10 >= u128::from(of) && unknown < of).then(|| {
        format!(
            "{} of {} sessions have no ACUs, or no numeric value, and are in no sum of ACUs; the page \
             and facts.json count them under quality.",
            count(unknown as f64),
            count(of as f64)
        )
    })
}

/// Why sessions may be missing.
fn why_incomplete(source: &Source) -> String {
    match source.unique {
        _ if source.archive.is_some() => "the archive does not cover all of its time".to_owned(),
        _ if source.records == Records::Export => {
            "the web app's export does not cover all of its time".to_owned()
        }
        None => "the server reports more sessions than were received".to_owned(),
        Some(unique) => {
            format!("{} sessions were received, but the server reports another number", count(unique as f64))
        }
    }
}

/// Rows that were received but dropped, if they matter: all unreadable ones, and those outside the
/// query if they exceed 1 %, since a server that follows the query sends none. Saved pages may
/// contain many of these, and so does the API's answer to tag patterns, which it does not know.
/// A covered report has none of these counts.
fn dropped_rows(source: &Source) -> Vec<String> {
    let mut dropped_rows = Vec::new();
    match source.rejected {
        None | Some(0) => {}
        Some(1) => dropped_rows.push("1 record could not be read and is not in any number.".to_owned()),
        Some(rejected) => {
            dropped_rows.push(format!("{rejected} records could not be read and are not in any number."));
        }
    }
    let is_pattern = source.tags.iter().any(|tag| tag.contains('*'));
    if let (Some(outside), Some(received)) = (source.outside, source.received)
        && source.requests > 0
        && !is_pattern
        && exceeds_percent(outside, received)
    {
        dropped_rows.push(format!(
            "{} of {} received records are outside the period or the filters and are not in any number: \
             the server may ignore the request's filters.",
            count(outside as f64),
            count(received as f64)
        ));
    }
    dropped_rows
}

/// Whether a part is more than 1% of a whole.
fn exceeds_percent(part: u64, whole: u64) -> bool {
    u128::from(part) * 100 > u128::from(whole)
}

/// A notice that sums of ACUs are unreliable.
fn acus_in_doubt(facts: &Facts) -> Option<String> {
    let all = facts.whole(&SESSIONS)?.value?;
    let unknown = facts.quality.acus_unknown? as f64;
    if !facts.source.metered {
        let source = &facts.source;
        // Whether an account is metered is known from all sessions, whatever the team.
        let of_all = match source.tags.is_empty() && source.users.is_empty() {
            true => "no session of the report or its trend",
            // Other sessions may have used some.
            false => "none of the matching sessions in the report and its trend",
        };
        Some(format!("Not metered: {of_all} has used ACUs, so the report has no ACUs and no costs."))
    } else if all == 0.0 {
        None
    } else if unknown == all {
        Some("No session has known ACUs, so sums of ACUs are 0.".to_owned())
    } else if unknown * 10.0 >= all {
        Some(format!(
            "{} of {} sessions have no known ACUs and are left out of every sum of ACUs.",
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
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap().source;
        let of = |outside, rejected, completeness| {
            let source = Source {
                requests: 6,
                received: Some(1200),
                unique: Some(1100),
                outside: Some(outside),
                rejected: Some(rejected),
                completeness,
                tags: vec!["a".to_owned()],
                ..demo.clone()
            };
            (warnings(&source), source)
        };
        let proven = Completeness::Proven;
        assert_eq!(of(12, 0, proven).0, [""; 0]);
        let [outside] = of(13, 0, proven).0.try_into().unwrap();
        assert!(outside.starts_with("13 of 1,200 received records are outside the period"), "{outside}");
        let (lines, source) = of(13, 1, Completeness::Incomplete);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("this report is incomplete: 1,100 sessions"), "{lines:?}");
        assert!(lines[1].starts_with("1 record could not be read"), "{lines:?}");
        let (_, many) = of(900, 0, proven);
        assert_eq!(warnings(&Source { tags: vec!["a*".to_owned()], ..many.clone() }), [""; 0]);
        assert_eq!(warnings(&Source { requests: 0, ..many }), [""; 0]);
        let archive = Some("2026-10-12T06:00:00Z".to_owned());
        let lines = warnings(&Source { archive, ..source.clone() });
        assert!(lines[0].contains("the archive does not cover"), "{lines:?}");
        let lines = warnings(&Source { records: Records::Export, ..source });
        assert!(lines[0].contains("the web app's export does not cover"), "{lines:?}");
    }
}
