//! Numbers and tables of a report as text, for every output that people read.

use serde::Serialize;

use crate::metrics::{Judgement, Metric, MetricKind, Needs};
use crate::report::{Number, Report, Row, Table, Tile, Value, is_one};
use crate::unit::{self, MISSING, Unit};

/// Longer values are set smaller, to stay on one line.
const LONG: usize = 8;

/// A headline number.
#[derive(Serialize)]
pub struct TileText {
    /// Metric id, the anchor of its definition.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
    /// Value.
    pub value: String,
    /// Whether the value needs a smaller font.
    pub long: bool,
    /// Spend and basis; empty if there is neither.
    pub note: String,
    /// Whether it has too few cases to be trusted.
    pub faint: bool,
    /// Change against the previous period.
    pub change: Option<Change>,
    /// Why it cannot be compared yet; empty if it can.
    pub maturing: String,
}

/// A change in words.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    /// `31 more (+8%)`, `2 fewer (−20%), better`.
    pub text: String,
    /// `up` or `down`; `flat` for no arrow.
    pub arrow: &'static str,
    /// `good`, `bad`, `neutral` or `maturing`.
    pub tone: &'static str,
}

/// Rows under a chart.
#[derive(Debug, Default, Serialize)]
pub struct TableText {
    /// Heads; the first column is text, the others are numbers.
    pub heads: Vec<String>,
    /// Rows.
    pub rows: Vec<RowText>,
    /// What is not in the rows; empty if all rows are shown.
    pub more: String,
}

/// A row of a table.
#[derive(Debug, Serialize)]
pub struct RowText {
    /// Cells; the first is the row's name.
    pub cells: Vec<String>,
    /// Whether its ratio has too few cases to be trusted.
    pub faint: bool,
}

/// A headline number as text.
pub fn tile(tile: &Tile) -> TileText {
    let number = &tile.number;
    let text = number.unit.text(number.value);
    let spend = tile.spend.as_ref().map(|spend| spend.unit.text(spend.value));
    let basis = Some(tile.basis.clone()).filter(|basis| !basis.is_empty());
    TileText {
        id: number.metric.id,
        title: number.title,
        long: text.chars().count() > LONG,
        value: text,
        note: spend.into_iter().chain(basis).collect::<Vec<_>>().join(" · "),
        faint: number.is_faint,
        change: change(number),
        maturing: tile.maturing.clone(),
    }
}

/// What the words of the tiles mean that a newcomer does not know.
pub fn words(report: &Report) -> Vec<&'static str> {
    let has = |is_it: fn(&Metric) -> bool| report.tiles.iter().any(|tile| is_it(tile.number.metric));
    let acu = "An ACU (agent compute unit) is the unit in which Devin's work is billed.";
    let analysis = "An analysis is Devin's own review of a session, made on request.";
    let mut words = Vec::new();
    words.extend(has(Metric::is_of_acus).then_some(acu));
    words.extend(has(|metric| metric.needs == Needs::Api).then_some(analysis));
    words
}

/// What there is to say about a headline number beside its value; empty for nothing. `compared` is
/// whether the report compares periods.
pub fn details(tile: &TileText, compared: bool) -> String {
    let change = match &tile.change {
        Some(change) => change.text.as_str(),
        None if compared => "not compared",
        None => "",
    };
    let parts = [change, tile.note.as_str(), tile.maturing.as_str()];
    parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The change of a number, absolute and in percent; for a share in percentage points. `None` if the
/// periods cannot be compared.
pub fn change(number: &Number) -> Option<Change> {
    let (now, before) = number.compared()?;
    let unit = number.unit;
    let per_day = if is_one(&number.scale) { "" } else { PER_DAY };
    let unit::Change { sign, size, percent } = match per_day {
        "" => unit.change(before, now),
        _ => unit::relative_change(before * number.scale, now),
    };
    if sign == 0 {
        return Some(Change { text: format!("no change{per_day}"), arrow: "flat", tone: "neutral" });
    }
    let up = sign > 0;
    let word = match (unit, number.metric.kind, up) {
        (Unit::Count, _, true) | (Unit::Acu | Unit::Money(_), MetricKind::Total, true) => "more",
        (Unit::Count, _, false) => "fewer",
        (Unit::Acu | Unit::Money(_), MetricKind::Total, false) => "less",
        // Only totals are compared per day.
        (_, _, true) if !per_day.is_empty() => "more",
        (_, _, false) if !per_day.is_empty() => "less",
        (_, _, true) => "higher",
        (_, _, false) => "lower",
    };
    let text = match (unit, percent) {
        (_, Some(_)) if !per_day.is_empty() => format!("{size} {word}{per_day}"),
        (Unit::Share, _) => format!("{size} {word}"),
        (_, Some(percent)) => format!("{size} {word} ({percent})"),
        (_, None) => "new".to_owned(),
    };
    // In words as well: colours are lost in print.
    let (tone, text) = match number.judgement {
        Judgement::Better => ("good", format!("{text}, better")),
        Judgement::Worse => ("bad", format!("{text}, worse")),
        Judgement::Neutral if number.is_maturing => ("maturing", text),
        Judgement::Neutral => ("neutral", text),
    };
    let arrow = match up {
        _ if number.is_maturing => "flat",
        true => "up",
        false => "down",
    };
    Some(Change { text, arrow, tone })
}

/// The table as text, cut after so many rows.
pub fn table(table: &Table, most: usize) -> TableText {
    let row = |row: &Row| RowText { cells: row.cells.iter().map(value).collect(), faint: row.faint };
    TableText {
        heads: table.columns.iter().map(|column| column.head.clone()).collect(),
        rows: table.rows.iter().take(most).map(row).collect(),
        more: match table.rows.len().saturating_sub(most) {
            0 => String::new(),
            1 => "1 more row is in the facts file.".to_owned(),
            hidden => format!("{hidden} more rows are in the facts file."),
        },
    }
}

/// A cell as text.
pub fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Day(day) => day.format("%a %-d %b").to_string(),
        Value::Number { unit, value } => unit.text(*value),
        Value::Change { unit, now, before, scale } => signed(*unit, *now, *before, *scale),
    }
}

/// What follows a change of totals where the lengths of the periods differ.
const PER_DAY: &str = " per day";

/// The change of a table row, with signs instead of words: `+31 (+8%)`, `−2 points`, `new`,
/// `+3% per day`; a dash if the periods cannot be compared.
fn signed(unit: Unit, now: Option<f64>, before: Option<f64>, scale: f64) -> String {
    let (Some(now), Some(before)) = (now, before) else { return MISSING.to_owned() };
    if !is_one(&scale) {
        let change = unit::relative_change(before * scale, now);
        return match change.percent {
            None if change.sign != 0 => "new".to_owned(),
            _ => format!("{}{PER_DAY}", change.signed()),
        };
    }
    let change = unit.change(before, now);
    match &change.percent {
        _ if unit == Unit::Share => change.signed(),
        Some(percent) => format!("{} ({percent})", change.signed()),
        None if change.sign == 0 => change.signed(),
        None => "new".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACTIVE_USERS, ACUS, Fact, ISSUES, MERGE_RATE, Metric, SESSIONS};
    use crate::report::Standard;

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
            notable: true,
        }
    }

    fn standard(per_day_scale: f64) -> Standard {
        Standard { per_day_scale, is_judged: true }
    }

    fn text(metric: &'static Metric, value: f64, previous: Option<f64>) -> Option<(String, &'static str)> {
        text_per_day(metric, value, previous, 1.0)
    }

    fn text_per_day(
        metric: &'static Metric,
        value: f64,
        previous: Option<f64>,
        scale: f64,
    ) -> Option<(String, &'static str)> {
        let number = Number::of("a", &fact(metric, value, previous), standard(scale));
        change(&number).map(|change| (change.text, change.tone))
    }

    #[test]
    fn totals_of_periods_of_different_lengths_change_per_day() {
        let scale = 31.0 / 28.0;
        let words = |metric, value, previous| text_per_day(metric, value, Some(previous), scale).unwrap().0;
        assert_eq!(words(&SESSIONS, 114.0, 100.0), "3% more per day");
        assert_eq!(words(&SESSIONS, 105.0, 100.0), "5% fewer per day");
        assert_eq!(words(&ACUS, 105.0, 100.0), "5% less per day");
        assert_eq!(words(&ACUS, 114.0, 100.0), "3% more per day");
        assert_eq!(words(&SESSIONS, 31.0, 28.0), "no change per day");
        assert_eq!(words(&SESSIONS, 111.0, 100.0), "0.3% more per day");
        assert_eq!(words(&SESSIONS, 3.0, 0.0), "new");
        assert_eq!(words(&SESSIONS, 0.0, 0.0), "no change per day");
        assert_eq!(words(&SESSIONS, 0.0, 3.0), "100% fewer per day");
        // More in all, but fewer a day: good news.
        assert_eq!(text_per_day(&ISSUES, 105.0, Some(100.0), scale).unwrap().1, "good");
        assert_eq!(text_per_day(&ISSUES, 105.0, Some(100.0), 1.0).unwrap().1, "bad");
        // Neither shares nor people add up over days.
        assert_eq!(words(&MERGE_RATE, 0.75, 0.72), "3\u{a0}points higher, better");
        assert_eq!(words(&ISSUES, 105.0, 100.0), "5% fewer per day, better");
        assert_eq!(words(&ACTIVE_USERS, 11.0, 10.0), "1 more (+10%), better");
        let row =
            |metric, value, previous| self::value(&Value::change(&fact(metric, value, previous), scale));
        assert_eq!(row(&SESSIONS, 114.0, Some(100.0)), "+3% per day");
        assert_eq!(row(&ACUS, 105.0, Some(100.0)), "−5% per day");
        assert_eq!(row(&SESSIONS, 31.0, Some(28.0)), "0% per day");
        assert_eq!([row(&SESSIONS, 3.0, Some(0.0)), row(&SESSIONS, 3.0, None)], ["new", "–"]);
        assert_eq!(row(&MERGE_RATE, 0.75, Some(0.72)), "+3\u{a0}points");
    }

    #[test]
    fn table_changes_have_signs() {
        let change_of = |metric: &Metric, value, previous| signed(metric.unit, Some(value), previous, 1.0);
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
        let tone = |fact: &Fact| change(&Number::of("a", fact, standard(1.0))).unwrap().tone;
        assert_eq!(tone(&few), "neutral");
        let enough = Fact { n: 10.0, ..few };
        assert_eq!(tone(&enough), "bad");
        assert_eq!(tone(&Fact { previous_n: 9.0, ..enough }), "neutral");
    }

    #[test]
    fn without_enough_sessions_nothing_is_better_or_worse() {
        let few = Standard { per_day_scale: 1.0, is_judged: false };
        let number = Number::of("a", &fact(&MERGE_RATE, 0.5, Some(1.0)), few);
        assert_eq!(change(&number).unwrap().tone, "neutral");
    }

    #[test]
    fn changes_are_written_in_words() {
        let change_of = |metric, value, previous| text(metric, value, Some(previous)).unwrap();
        assert_eq!(change_of(&SESSIONS, 108.0, 100.0), ("8 more (+8%)".into(), "neutral"));
        assert_eq!(change_of(&ISSUES, 12.0, 10.0), ("2 more (+20%), worse".into(), "bad"));
        assert_eq!(change_of(&ISSUES, 8.0, 10.0), ("2 fewer (−20%), better".into(), "good"));
        assert_eq!(change_of(&ACUS, 30.0, 40.0), ("10.0 less (−25%)".into(), "neutral"));
        assert_eq!(change_of(&MERGE_RATE, 0.75, 0.72), ("3\u{a0}points higher, better".into(), "good"));
        assert_eq!(change_of(&SESSIONS, 3.0, 0.0), ("new".into(), "neutral"));
        assert_eq!(change_of(&SESSIONS, 0.0, 0.0), ("no change".into(), "neutral"));
        assert_eq!(text(&SESSIONS, 3.0, None), None);
    }
}
