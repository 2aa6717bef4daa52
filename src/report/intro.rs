//! The introductions of sections.

use super::in_sentence;
use crate::metrics::{
    ACUS, ANALYSIS_COVERAGE, Dim, Fact, Facts, MERGE_RATE, Metric, NEW_USERS, PRS, SESSIONS, SMALL_GROUP,
};
use crate::money::Price;
use crate::unit::{Unit, count};

/// When sessions count.
pub fn usage(_: &Facts) -> String {
    "A session counts on the day it was created.".to_owned()
}

/// When spend counts, and at which prices.
pub fn spend(facts: &Facts) -> String {
    let mut sentences = vec!["All ACUs of a session count on the day it was created.".to_owned()];
    if let Some(prices) = &facts.prices {
        let unit = Unit::Money(prices.currency());
        let price = |price: &Price| {
            format!("{} per ACU from {}", unit.price(price.per_acu), price.from.format("%-d %B %Y"))
        };
        let all: Vec<String> = prices.steps().iter().map(price).collect();
        sentences.push(format!(
            "Money is ACUs times the prices in the settings of this report: {}.",
            all.join(", ")
        ));
    }
    sentences.join(" ")
}

/// The age of the states of pull requests, and how many can still change.
pub fn delivery(facts: &Facts) -> String {
    let all = facts.whole(&PRS).and_then(|fact| fact.value).unwrap_or(0.0);
    let open = match open_prs(facts).filter(|_| all > 0.0) {
        None => String::new(),
        Some(0.0) => ", and no pull request is open".to_owned(),
        Some(1.0) => {
            format!(": 1 of {} pull requests is open or in draft and may still be merged", count(all))
        }
        Some(open) => {
            let (open, all) = (count(open), count(all));
            format!(": {open} of {all} pull requests are open or in draft and may still be merged")
        }
    };
    format!("States are as of the fetch{open}. A pull request closed without merge is not a failure.")
}

/// The number of open and draft pull requests; `None` if states are hidden.
fn open_prs(facts: &Facts) -> Option<f64> {
    let states = facts.by(&PRS, &[Dim::State]);
    let is_open = |fact: &&Fact| matches!(fact.key(Dim::State).flatten(), Some("open" | "draft"));
    let is_complete =
        !states.is_empty() && states.iter().all(|fact| fact.key(Dim::State).flatten() != Some(SMALL_GROUP));
    is_complete.then(|| states.iter().filter(is_open).filter_map(|fact| fact.value).sum())
}

/// Whether large sessions use more than their part, and what comes of them.
pub fn work(facts: &Facts) -> String {
    let large = |metric: &Metric| {
        let of_size = facts.by(metric, &[Dim::Size]).iter();
        let of_size = of_size.filter_map(|fact| Some((fact.key(Dim::Size).flatten()?, fact)));
        let (mut part, mut whole) = ((0.0, 0.0), (0.0, 0.0));
        for (size, fact) in of_size {
            let own = (fact.numerator.unwrap_or(fact.value.unwrap_or(0.0)), fact.denominator.unwrap_or(1.0));
            if matches!(size, "l" | "xl") {
                part = (part.0 + own.0, part.1 + own.1);
            }
            whole = (whole.0 + own.0, whole.1 + own.1);
        }
        (part, whole)
    };
    let (sessions, acus, merged) = (large(&SESSIONS), large(&ACUS), large(&MERGE_RATE));
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    let shares = share(sessions.0.0, sessions.1.0).zip(share(acus.0.0, acus.1.0));
    let Some((of_sessions, of_acus)) = shares.filter(|(_, acus)| facts.source.metered && *acus >= DOMINANT)
    else {
        return "Sizes, categories and how a session rests are as Devin reports them.".to_owned();
    };
    let text = |share: Option<f64>| Unit::Share.text(share);
    let rest = (merged.1.0 - merged.0.0, merged.1.1 - merged.0.1);
    format!(
        "Sessions of size L and XL are {} of the sessions of known size and used {} of their ACUs; {} of their \
         decided pull requests are merged, against {} of those of smaller sessions.",
        text(Some(of_sessions)),
        text(Some(of_acus)),
        text(share(merged.0.0, merged.0.1)),
        text(share(rest.0, rest.1)),
    )
}

/// Large sessions dominate from this share of the ACUs on.
const DOMINANT: f64 = 0.4;

/// How far back is looked for earlier sessions of a user.
pub fn people(facts: &Facts) -> String {
    let mut sentences = vec!["Automation is not counted.".to_owned()];
    let earliest = facts.trend_periods().last().cloned().filter(|_| facts.trend.len() > 1);
    if let Some(earliest) =
        earliest.filter(|_| facts.whole(&NEW_USERS).is_some_and(|fact| fact.value.is_some()))
    {
        sentences
            .push(format!("New users were not active before, as far back as {}.", in_sentence(&earliest)));
    }
    sentences.join(" ")
}

/// How many sessions the issue numbers cover.
pub fn friction(facts: &Facts) -> String {
    let Some(fact) = facts.whole(&ANALYSIS_COVERAGE) else { return String::new() };
    if fact.denominator() == 0.0 {
        return "No sessions, so there is no data on issues.".to_owned();
    }
    if fact.numerator() == 0.0 {
        return format!(
            "None of {} sessions has an analysis, so there is no data on issues. Analyses are made on \
             request.",
            count(fact.denominator())
        );
    }
    format!(
        "{} of {} sessions ({}) have an analysis; the numbers here cover only these.",
        count(fact.numerator()),
        count(fact.denominator()),
        Unit::Share.text(fact.value)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_counts_undecided_pull_requests() {
        let of = |open: f64, draft: f64, unknown: &str| {
            let demo = include_str!("../../reports/org_demo_2026-W41.json");
            let mut facts = Facts::from_json(demo).unwrap();
            for fact in
                facts.facts.iter_mut().filter(|fact| fact.metric.id == PRS.id && fact.group.len() == 1)
            {
                let Some((Dim::State, Some(state))) = fact.group.first_mut() else { continue };
                match state.as_str() {
                    "open" => fact.value = Some(open),
                    "draft" => fact.value = Some(draft),
                    "unknown" => *state = unknown.to_owned(),
                    _ => {}
                }
            }
            let states = delivery(&facts);
            states.strip_prefix("States are as of the fetch").unwrap().split_once('.').unwrap().0.to_owned()
        };
        assert_eq!(
            of(52.0, 10.0, "unknown"),
            ": 62 of 213 pull requests are open or in draft and may still be merged"
        );
        assert_eq!(
            of(0.0, 1.0, "unknown"),
            ": 1 of 213 pull requests is open or in draft and may still be merged"
        );
        assert_eq!(of(0.0, 0.0, "unknown"), ", and no pull request is open");
        // Some of those may be open.
        assert_eq!(of(52.0, 10.0, SMALL_GROUP), "");
    }
}
