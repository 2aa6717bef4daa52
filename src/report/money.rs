//! Money beside ACUs: the spend metric of the same group.

use chrono::{DateTime, TimeDelta};

use super::table::Value;
use crate::cycle;
use crate::metrics::{
    ACUS, ACUS_PER_MERGED_PR, ACUS_SPLIT, Budget, Fact, Facts, Metric, SPEND, SPEND_PER_MERGED_PR,
    SPEND_SPLIT,
};
use crate::text::clean;
use crate::unit::{MISSING, Unit};

/// The longest unreadable end of a budget that is shown.
const LONGEST_UNTIL: usize = 40;

/// The spend metric of an ACU metric.
pub fn spend_metric(metric: &Metric) -> Option<&'static Metric> {
    [(&ACUS, &SPEND), (&ACUS_SPLIT, &SPEND_SPLIT), (&ACUS_PER_MERGED_PR, &SPEND_PER_MERGED_PR)]
        .into_iter()
        .find(|(acus, _)| acus.id == metric.id)
        .map(|(_, money)| money)
}

/// The spend of a fact's group; `None` without prices or without such a metric.
pub fn spend_fact<'f>(facts: &'f Facts, fact: &Fact) -> Option<&'f Fact> {
    facts.capabilities().currency?;
    facts.sibling(fact, spend_metric(fact.metric)?)
}

/// The same, formatted.
pub fn spend_text(facts: &Facts, fact: &Fact) -> Option<String> {
    spend_fact(facts, fact).map(|fact| fact.unit.text(fact.value))
}

/// The same as a cell.
pub fn spend_value(facts: &Facts, fact: &Fact) -> Value {
    spend_fact(facts, fact).map_or(Value::number(Unit::Count, None), Value::of)
}

/// The head of the spend column of a metric.
pub fn spend_head(facts: &Facts, metric: &Metric) -> Option<&'static str> {
    facts.capabilities().currency?;
    spend_metric(metric).map(|metric| metric.title)
}

/// The last day of a cycle whose sessions are known, by the moment up to which they are: `11 October`.
pub fn last_known_day(until: &str, period: &str) -> String {
    // The last known day, not the instant after it; the vendor's cycle ends in the morning of a day
    // that belongs to the next one.
    let known = DateTime::parse_from_rfc3339(until).ok();
    let known = known.map(|until| (until - TimeDelta::seconds(1)).date_naive());
    let last = known.map(|known| cycle::last_day(period).map_or(known, |last| known.min(last)));
    // Facts from a file can contain any text.
    last.map_or_else(|| clean(until, LONGEST_UNTIL), |last| last.format("%-d %B").to_string())
}

/// The use of a budget, and the forecast for its month or billing cycle.
pub fn budget_sentence(budget: &Budget, is_covered: bool) -> String {
    let until = last_known_day(&budget.until, &budget.period);
    let end = if cycle::is_month(&budget.period) { "month" } else { "cycle" };
    let money = Unit::Money(budget.currency);
    let unit = if is_covered { money.whole() } else { money };
    let of = |value: Option<f64>| match value.map(|value| value / budget.amount) {
        Some(share) => format!("{} ({})", unit.text(value), Unit::Share.text(Some(share))),
        None => MISSING.to_owned(),
    };
    let used = format!(
        "Budget of {}: {} of {} used by {}",
        cycle::name(&budget.period),
        of(budget.used),
        money.text(Some(budget.amount)),
        until
    );
    match budget.forecast {
        Some(forecast) => {
            format!("{used}; at this pace {} by the end of the {end}.", of(Some(forecast)))
        }
        None => format!("{used}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn budget_sentences_have_shares_and_no_unknown_forecast() {
        let october = Budget {
            period: "2026-10".to_owned(),
            until: "2026-10-12T00:00:00+02:00".to_owned(),
            amount: 5000.0,
            currency: Currency::parse("EUR").unwrap(),
            used: Some(1250.0),
            forecast: Some(6250.0),
        };
        assert_eq!(
            budget_sentence(&october, false),
            "Budget of October 2026: €1,250.00 (25%) of €5,000.00 used by 11 October; \
             at this pace €6,250.00 (125%) by the end of the month."
        );
        let cycle = Budget { period: "2026-09-23_2026-10-22".to_owned(), ..october.clone() };
        let text = budget_sentence(&cycle, false);
        assert!(
            text.starts_with("Budget of the billing cycle of 23 September to 22 October 2026: "),
            "{text}"
        );
        assert!(text.ends_with("by the end of the cycle."), "{text}");
        let over = Budget { until: "2026-10-23T10:00:00+02:00".to_owned(), forecast: None, ..cycle };
        assert!(budget_sentence(&over, false).ends_with("used by 22 October."), "the cycle's last day");
        let young = Budget { forecast: None, used: None, ..october };
        assert_eq!(
            budget_sentence(&young, false),
            "Budget of October 2026: – of €5,000.00 used by 11 October."
        );
    }
}
