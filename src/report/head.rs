//! The head of the page: who, when, and what must be known first.

use super::Run;
use super::view::Header;
use crate::metrics::{ACUS, Facts, SESSIONS};
use crate::period::Period;
use crate::text::clean;
use crate::unit::Unit;

/// The head of the page.
pub fn header(facts: &Facts, run: &Run<'_>) -> Header {
    let period = run.periods.first();
    let complete = facts.period.complete.unwrap_or(true);
    let (badge, badge_tone) = match (facts.source.ledger.complete, complete) {
        (false, _) => ("incomplete", "bad"),
        (true, false) => ("so far", "neutral"),
        (true, true) => ("complete", "good"),
    };
    let narrowed = |what: &str, words: &[String]| {
        let words: Vec<String> = words.iter().map(|word| clean(word, 80)).collect();
        (!words.is_empty()).then(|| format!("Only sessions {what} {}", words.join(" or ")))
    };
    Header {
        organisation: run.organisation.map_or_else(|| "Whole enterprise".to_owned(), |org| clean(org, 80)),
        period: period.map(Period::name).unwrap_or_default(),
        dates: period.map(Period::dates_in_words).unwrap_or_default(),
        zone: period.map(|period| period.tz().name().to_owned()).unwrap_or_default(),
        fetched: run.fetched.clone(),
        badge: badge.to_owned(),
        badge_tone,
        filters: [narrowed("tagged", run.tags), narrowed("of user", run.users)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// What must be known before any number is read.
pub fn notices(facts: &Facts, run: &Run<'_>) -> Vec<String> {
    let ledger = &facts.source.ledger;
    let mut notices = Vec::new();
    if run.demo {
        notices.push("This organisation is invented: the page shows what a report looks like.".to_owned());
    }
    if !ledger.complete {
        notices.push(format!(
            "This report may be incomplete: {} sessions arrived, which is not what the server counts. \
             Do not decide on these numbers.",
            Unit::Count.text(Some(ledger.unique as f64))
        ));
    }
    notices.extend(acus_in_doubt(facts));
    if ledger.rejected > 0 {
        notices.push(format!(
            "{} could not be read and are not in any number.",
            match ledger.rejected {
                1 => "1 record".to_owned(),
                rejected => format!("{rejected} records"),
            }
        ));
    }
    notices
}

/// That sums of ACUs say little, where they do: 0 is a sum of nothing as well.
fn acus_in_doubt(facts: &Facts) -> Option<String> {
    let all = facts.whole(&SESSIONS)?.value?;
    let unknown = facts.quality.acus_unknown as f64;
    let count = |number: f64| Unit::Count.text(Some(number));
    if all == 0.0 {
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
