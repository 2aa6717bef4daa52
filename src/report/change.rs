//! Changes against the previous period, in words.

use super::view::Change;
use crate::metrics::{Direction, Fact, MetricKind};
use crate::unit::{MISSING, Unit, percent_change};

/// The change of a fact, absolute and in percent; for a share in percentage points. `None` if the
/// periods cannot be compared.
pub fn change(fact: &Fact) -> Option<Change> {
    let (now, before) = (fact.value?, fact.previous?);
    let unit = fact.unit;
    let difference = now - before;
    let size = unit.change(difference.abs()).trim_start_matches('+').to_owned();
    if !size.chars().any(|c| matches!(c, '1'..='9')) {
        return Some(Change { text: "no change".to_owned(), arrow: "flat", tone: "neutral" });
    }
    let up = difference > 0.0;
    let word = match (unit, fact.metric.kind, up) {
        (Unit::Count, _, true) | (Unit::Acu | Unit::Money(_), MetricKind::Total, true) => "more",
        (Unit::Count, _, false) => "fewer",
        (Unit::Acu | Unit::Money(_), MetricKind::Total, false) => "less",
        (_, _, true) => "higher",
        (_, _, false) => "lower",
    };
    let text = match (unit, percent_change(now, before)) {
        (Unit::Share, _) => format!("{size} {word}"),
        (_, Some(percent)) => format!("{size} {word} ({percent})"),
        (_, None) => "new".to_owned(),
    };
    let tone = match (fact.metric.direction, up) {
        // A change between numbers of which one has too few cases is neither good nor bad.
        _ if faint(fact) || fact.metric.kind == MetricKind::Ratio && fact.previous_n < FEW => "neutral",
        (Direction::Neutral, _) => "neutral",
        (Direction::More, true) | (Direction::Less, false) => "good",
        _ => "bad",
    };
    Some(Change { text, arrow: if up { "up" } else { "down" }, tone })
}

/// The change of a table row, with signs instead of words: `+31 (+8%)`, `−2 points`, `new`; a dash if
/// the periods cannot be compared.
pub fn signed(unit: Unit, now: Option<f64>, before: Option<f64>) -> String {
    let (Some(now), Some(before)) = (now, before) else { return MISSING.to_owned() };
    let difference = unit.change(now - before);
    match percent_change(now, before) {
        _ if unit == Unit::Share => difference,
        Some(percent) => format!("{difference} ({percent})"),
        None if now == before => difference,
        None => "new".to_owned(),
    }
}

/// Whether a ratio has too few cases to be trusted: fewer than ten.
pub fn faint(fact: &Fact) -> bool {
    fact.metric.kind == MetricKind::Ratio && fact.n < FEW
}

/// Ratios with fewer cases than this are faded.
const FEW: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACUS, ISSUES, MERGE_RATE, Metric, SESSIONS};

    fn fact(metric: &'static Metric, value: f64, previous: Option<f64>) -> Fact {
        Fact {
            metric,
            unit: metric.unit,
            group: Vec::new(),
            value: Some(value),
            numerator: None,
            denominator: None,
            n: 50.0,
            previous,
            previous_n: 50.0,
            maturing: false,
            notable: false,
        }
    }

    fn text(metric: &'static Metric, value: f64, previous: Option<f64>) -> Option<(String, &'static str)> {
        change(&fact(metric, value, previous)).map(|change| (change.text, change.tone))
    }

    #[test]
    fn table_changes_have_signs() {
        let change_of = |metric: &Metric, value, previous| signed(metric.unit, Some(value), previous);
        assert_eq!(change_of(&SESSIONS, 108.0, Some(100.0)), "+8 (+8%)");
        assert_eq!(change_of(&ACUS, 30.0, Some(40.0)), "−10.0 (−25%)");
        assert_eq!(change_of(&MERGE_RATE, 0.75, Some(0.72)), "+3\u{a0}points");
        assert_eq!(
            (change_of(&SESSIONS, 3.0, Some(0.0)), change_of(&SESSIONS, 0.0, Some(0.0))),
            ("new".into(), "0".into())
        );
        assert_eq!(change_of(&SESSIONS, 3.0, None), "–");
    }

    #[test]
    fn changes_with_few_cases_are_neutral() {
        let few = Fact { n: 9.0, ..fact(&MERGE_RATE, 0.5, Some(1.0)) };
        assert_eq!(change(&few).unwrap().tone, "neutral");
        let enough = Fact { n: 10.0, ..few };
        assert_eq!(change(&enough).unwrap().tone, "bad");
        assert_eq!(change(&Fact { previous_n: 9.0, ..enough }).unwrap().tone, "neutral");
    }

    #[test]
    fn changes_are_written_in_words() {
        let change_of = |metric, value, previous| text(metric, value, Some(previous)).unwrap();
        assert_eq!(change_of(&SESSIONS, 108.0, 100.0), ("8 more (+8%)".into(), "neutral"));
        assert_eq!(change_of(&ISSUES, 12.0, 10.0), ("2 more (+20%)".into(), "bad"));
        assert_eq!(change_of(&ISSUES, 8.0, 10.0), ("2 fewer (−20%)".into(), "good"));
        assert_eq!(change_of(&ACUS, 30.0, 40.0), ("10.0 less (−25%)".into(), "neutral"));
        assert_eq!(change_of(&MERGE_RATE, 0.75, 0.72), ("3\u{a0}points higher".into(), "good"));
        assert_eq!(change_of(&SESSIONS, 3.0, 0.0), ("new".into(), "neutral"));
        assert_eq!(change_of(&SESSIONS, 0.0, 0.0), ("no change".into(), "neutral"));
        assert_eq!(text(&SESSIONS, 3.0, None), None);
    }
}
