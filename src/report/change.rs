//! Changes against the previous period, in words.

use super::view::Change;
use crate::metrics::{Direction, Fact, Kind};
use crate::unit::{Unit, percent_change};

/// The change of a fact, absolute and in percent, or in percentage points for
/// a share; `None` where the periods cannot be compared.
pub fn change(fact: &Fact) -> Option<Change> {
    let (now, before) = (fact.value?, fact.previous?);
    let unit = fact.metric.unit;
    let difference = now - before;
    let size = unit.change(difference.abs()).trim_start_matches('+').to_owned();
    if !size.chars().any(|c| matches!(c, '1'..='9')) {
        return Some(Change { text: "no change".to_owned(), arrow: "flat", tone: "neutral" });
    }
    let up = difference > 0.0;
    let word = match (unit, fact.metric.kind, up) {
        (Unit::Count, _, true) | (Unit::Acu, Kind::Total, true) => "more",
        (Unit::Count, _, false) => "fewer",
        (Unit::Acu, Kind::Total, false) => "less",
        (_, _, true) => "higher",
        (_, _, false) => "lower",
    };
    let text = match (unit, percent_change(now, before)) {
        (Unit::Share, _) => format!("{size} {word}"),
        (_, Some(percent)) => format!("{size} {word} ({percent})"),
        (_, None) => "new".to_owned(),
    };
    let tone = match (fact.metric.direction, up) {
        (Direction::Neutral, _) => "neutral",
        (Direction::More, true) | (Direction::Less, false) => "good",
        _ => "bad",
    };
    Some(Change { text, arrow: if up { "up" } else { "down" }, tone })
}

/// Whether a ratio rests on too few to be trusted: fewer than ten.
pub fn faint(fact: &Fact) -> bool {
    fact.metric.kind == Kind::Ratio && fact.n < 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACUS, ISSUES, MERGE_RATE, Metric, SESSIONS};

    fn text(metric: &'static Metric, value: f64, previous: Option<f64>) -> Option<(String, &'static str)> {
        let fact = Fact {
            metric,
            group: Vec::new(),
            value: Some(value),
            numerator: 0.0,
            denominator: 0.0,
            n: 50.0,
            previous,
        };
        change(&fact).map(|change| (change.text, change.tone))
    }

    #[test]
    fn a_change_is_told_in_words_with_its_direction() {
        let told = |metric, value, previous| text(metric, value, Some(previous)).unwrap();
        assert_eq!(told(&SESSIONS, 108.0, 100.0), ("8 more (+8\u{a0}%)".into(), "neutral"));
        assert_eq!(told(&ISSUES, 12.0, 10.0), ("2 more (+20\u{a0}%)".into(), "bad"));
        assert_eq!(told(&ISSUES, 8.0, 10.0), ("2 fewer (−20\u{a0}%)".into(), "good"));
        assert_eq!(told(&ACUS, 30.0, 40.0), ("10 less (−25\u{a0}%)".into(), "neutral"));
        assert_eq!(told(&MERGE_RATE, 0.75, 0.72), ("3\u{a0}pp higher".into(), "good"));
        assert_eq!(told(&SESSIONS, 3.0, 0.0), ("new".into(), "neutral"));
        assert_eq!(told(&SESSIONS, 0.0, 0.0), ("no change".into(), "neutral"));
        assert_eq!(text(&SESSIONS, 3.0, None), None);
    }
}
