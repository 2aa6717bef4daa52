//! The introductions of sections.

use super::insights::open_prs;
use crate::metrics::{ANALYSIS_COVERAGE, Facts, PRS};
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
    use crate::metrics::{Dim, SMALL_GROUP};

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
