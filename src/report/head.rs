//! The head of the page: who, when, and what must be known first.

use super::saved::lacks;
use super::view::Header;
use super::{Run, saved, sentence};
use crate::fetch::{Ledger, Records};
use crate::metrics::{ACUS, Facts, SESSIONS, SMALL_GROUP};
use crate::period::Period;
use crate::text::clean;
use crate::unit::Unit;

/// The head of the page.
pub fn header(facts: &Facts, run: &Run<'_>) -> Header {
    let period = run.periods.first();
    let complete = facts.period.complete.unwrap_or(true);
    let (badge, badge_tone) = match (facts.source.ledger.complete, complete) {
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
        period: period.map(Period::name).unwrap_or_default(),
        dates: period.map(Period::dates_in_words).unwrap_or_default(),
        zone: period.map(|period| period.tz().name().to_owned()).unwrap_or_default(),
        taken: saved::taken(facts),
        fetched: run.fetched.clone(),
        badge: badge.to_owned(),
        badge_tone,
        filters: [narrowed("tagged", run.tags), narrowed("of user", run.users), hidden(facts)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// How a covered report is to be read.
fn hidden(facts: &Facts) -> Option<String> {
    facts.is_covered().then(|| {
        format!(
            "People are hidden: every number rests on at least five. “{SMALL_GROUP}” combines the small \
             groups of a list and, where these are too few, the next larger ones"
        )
    })
}

/// What must be known before any number is read.
pub fn notices(facts: &Facts, run: &Run<'_>) -> Vec<String> {
    let ledger = &facts.source.ledger;
    let mut notices = Vec::new();
    if run.demo {
        notices.push("This organisation is invented: the page shows what a report looks like.".to_owned());
    }
    if !ledger.complete {
        let why = missing(ledger, Way::of(facts), facts.is_covered());
        notices.push(format!("This report may be incomplete: {why}. Do not decide on these numbers."));
    }
    notices.extend(lacks(facts.source.records).map(|note| sentence(&note)));
    notices.extend(saved::notices(run, facts.is_covered()));
    notices.extend(acus_in_doubt(facts));
    notices.extend(dropped(ledger, &facts.source.tags).into_iter().filter(|_| !facts.is_covered()));
    notices
}

/// What a run with this ledger should say even where nobody reads its page:
/// one line each, none on a good day.
pub fn doubts(ledger: &Ledger, tags: &[String], way: Way) -> Vec<String> {
    let why = || missing(ledger, way, false);
    let incomplete = (!ledger.complete).then(|| format!("this report is incomplete: {}.", why()));
    incomplete.into_iter().chain(dropped(ledger, tags)).collect()
}

/// The same for fields that could not be read, from 1 % of the sessions on.
pub fn unreadable((sessions, of): (u64, u64)) -> Option<String> {
    (sessions.saturating_mul(100) > of).then(|| {
        format!(
            "{} of {} sessions have fields that could not be read and are left out; the page and facts.json \
             count them under quality.",
            count(sessions),
            count(of)
        )
    })
}

/// The same for pull requests without an address, from 1 % of their entries on.
pub fn without_address((entries, of): (u64, u64)) -> Option<String> {
    (entries.saturating_mul(100) > of).then(|| {
        format!(
            "{} of {} pull requests have no address and are in no number; the page and facts.json count them \
             under quality.",
            count(entries),
            count(of)
        )
    })
}

/// The same for sessions with unknown ACUs, from 10 % of them on, as the page says it:
/// running sessions tell none. Where none at all does, the plan may have none.
pub fn without_acus((unknown, of): (u64, u64)) -> Option<String> {
    (unknown.saturating_mul(10) >= of && unknown < of).then(|| {
        format!(
            "{} of {} sessions do not tell their ACUs, or not as a number, and are in no sum of ACUs; the page \
             and facts.json count them under quality.",
            count(unknown),
            count(of)
        )
    })
}

/// How sessions were had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the API, or from answers of it that were saved.
    Pages,
    /// From an archive.
    Archive,
    /// From the web app's export.
    Export,
}

impl Way {
    fn of(facts: &Facts) -> Self {
        match facts.source.archive.is_some() {
            true => Self::Archive,
            false if facts.source.records == Records::Export => Self::Export,
            false => Self::Pages,
        }
    }
}

/// Why sessions may be missing.
fn missing(ledger: &Ledger, way: Way, is_covered: bool) -> String {
    match (way, is_covered) {
        (Way::Archive, _) => "the archive does not cover all of its time".to_owned(),
        (Way::Export, _) => "the web app's export does not cover all of its time".to_owned(),
        (_, true) => "fewer sessions arrived than the server counts".to_owned(),
        _ => {
            format!("{} sessions arrived, which is not what the server counts", count(ledger.unique))
        }
    }
}

/// Rows that came and are in no number, where that is no trifle: any that could
/// not be read, and those outside the question from 1 % of all on, since a
/// server that keeps to the question sends none. Of saved pages most may lie there,
/// and the API, which knows no patterns of tags, is then asked for all.
fn dropped(ledger: &Ledger, tags: &[String]) -> Vec<String> {
    let mut dropped = Vec::new();
    if ledger.rejected > 0 {
        dropped.push(match ledger.rejected {
            1 => "1 record could not be read and is not in any number.".to_owned(),
            rejected => format!("{rejected} records could not be read and are not in any number."),
        });
    }
    let is_pattern = tags.iter().any(|tag| tag.contains('*'));
    if ledger.requests > 0 && !is_pattern && ledger.outside.saturating_mul(100) > ledger.received {
        dropped.push(format!(
            "{} of {} records that came lie outside the period or the filters and are not in any number: \
             the server may not keep to what it is asked.",
            count(ledger.outside),
            count(ledger.received)
        ));
    }
    dropped
}

fn count(number: u64) -> String {
    Unit::Count.text(Some(number as f64))
}

/// That sums of ACUs say little, where they do: 0 is a sum of nothing as well.
fn acus_in_doubt(facts: &Facts) -> Option<String> {
    let all = facts.whole(&SESSIONS)?.value?;
    let unknown = facts.quality.acus_unknown? as f64;
    let count = |number: f64| Unit::Count.text(Some(number));
    if !facts.capabilities.metered {
        let source = &facts.source;
        let of_all = match source.tags.is_empty() && source.users.is_empty() {
            true => "no session of the report or its trend",
            // Others may well have.
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
    fn one_percent_outside_is_no_word_and_more_is() {
        let of = |outside, rejected, complete| {
            let received = 1200;
            let ledger = Ledger {
                requests: 6,
                received,
                unique: 1100,
                outside,
                rejected,
                complete,
                ..Ledger::default()
            };
            doubts(&ledger, &["a".to_owned()], Way::Pages)
        };
        assert_eq!(of(12, 0, true), [""; 0]);
        let [outside] = of(13, 0, true).try_into().unwrap();
        assert!(outside.starts_with("13 of 1,200 records that came lie outside the period"), "{outside}");
        let lines = of(13, 1, false);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("this report is incomplete: 1,100 sessions"), "{lines:?}");
        assert!(lines[1].starts_with("1 record could not be read"), "{lines:?}");
        assert_eq!(doubts(&Ledger { complete: true, ..Ledger::default() }, &[], Way::Archive), [""; 0]);
        let many = Ledger { requests: 6, received: 1200, outside: 900, complete: true, ..Ledger::default() };
        assert_eq!(doubts(&many, &["a*".to_owned()], Way::Pages), [""; 0]);
        let [short] = doubts(&Ledger::default(), &[], Way::Archive).try_into().unwrap();
        assert!(short.contains("the archive does not cover"), "{short}");
        let [short] = doubts(&Ledger::default(), &[], Way::Export).try_into().unwrap();
        assert!(short.contains("the web app's export does not cover"), "{short}");
    }
}
