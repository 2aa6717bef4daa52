//! Alerts in words.

use serde::Serialize;

use super::insights::{Piece, Sentence};
use super::names;
use crate::cycle;
use crate::metrics::{Alert, AlertMetric, Dim, Facts, Metric};
use crate::text::clean;
use crate::unit::{Unit, count};

/// The most alerts that a report shows.
const MOST: usize = 20;
/// The longest name of a group.
const LONGEST: usize = 50;
/// The same in a subject.
const LONGEST_IN_SUBJECT: usize = 30;

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertText {
    /// The same for the same threshold of the same number in every report about the same sessions and
    /// period, whatever the value. It contains names: hash it before it is stored.
    pub key: String,
    /// What exceeds what.
    pub text: Sentence,
    /// The same in a few words, without users and teams: subjects appear on locked screens.
    pub short: String,
}

/// The alerts that are shown.
pub fn alerts(facts: &Facts) -> Vec<AlertText> {
    let text = |alert: &Alert| AlertText {
        key: key(facts, alert),
        text: text(facts, alert),
        short: short(facts, alert),
    };
    facts.alerts.iter().take(MOST).map(text).collect()
}

/// How many others there are; empty if there are none.
pub fn others(facts: &Facts) -> String {
    match facts.alerts.len().saturating_sub(MOST) {
        0 => String::new(),
        1 => "The facts file has 1 more alert.".to_owned(),
        more => format!("The facts file has {} more alerts.", count(more as f64)),
    }
}

/// The beginning of a subject: the one alert, or their number; empty if there are none.
pub fn in_subject(facts: &Facts) -> String {
    match facts.alerts.as_slice() {
        [] => String::new(),
        [alert] => format!("Alert: {} · ", short(facts, alert)),
        alerts => format!("{} alerts · ", count(alerts.len() as f64)),
    }
}

fn key(facts: &Facts, alert: &Alert) -> String {
    let Alert { metric, group, bound, threshold, period, .. } = alert;
    let source = &facts.source;
    serde_json::json!([
        source.scope,
        source.tags,
        source.users,
        source.team,
        facts.period.tz,
        metric.id(),
        group,
        bound,
        threshold,
        period
    ])
    .to_string()
}

/// `ACUs per merged pull request, team “Payments”: 14.2, above 12.5 (merged pull requests: 25).`
fn text(facts: &Facts, alert: &Alert) -> Sentence {
    let own = |text: String| Piece { text, name: false };
    let value = alert.unit.text(Some(alert.value));
    let AlertMetric::Metric(metric) = alert.metric else {
        let name = cycle::name(&alert.period);
        return vec![own(format!("Budget of {name}: {value} {}, {}.", use_word(alert), beyond(alert)))];
    };
    let mut pieces = vec![own(metric.title.to_owned())];
    for (dim, key) in &alert.group {
        match key {
            None => pieces.push(own(format!(", {}", dim.none()))),
            Some(key) => {
                let name = clean(&names::of(facts, *dim, Some(key)), LONGEST);
                pieces.push(own(format!(", {} “", word(*dim))));
                pieces.push(Piece { text: name, name: true });
                pieces.push(own("”".to_owned()));
            }
        }
    }
    pieces.push(own(format!(": {value}, {}{}.", beyond(alert), basis(metric, alert))));
    pieces
}

/// `ACUs (tag payments) 412, above 400`
fn short(facts: &Facts, alert: &Alert) -> String {
    let value = alert.unit.text(Some(alert.value));
    let AlertMetric::Metric(metric) = alert.metric else {
        let name = cycle::name(&alert.period);
        return format!("{value} of the budget of {name} {}, {}", use_word(alert), beyond(alert));
    };
    let part = |(dim, key): &(Dim, Option<String>)| match (dim, key) {
        (dim, None) => dim.none().to_owned(),
        (Dim::User, Some(_)) => "a user".to_owned(),
        (Dim::Team, Some(_)) => "a team".to_owned(),
        (dim, Some(key)) => {
            format!("{} {}", word(*dim), clean(&names::of(facts, *dim, Some(key)), LONGEST_IN_SUBJECT))
        }
    };
    let group = match alert.group.as_slice() {
        [] => String::new(),
        group => format!(" ({})", group.iter().map(part).collect::<Vec<_>>().join(", ")),
    };
    format!("{}{group} {value}, {}", metric.title, beyond(alert))
}

/// A dimension within a sentence.
fn word(dim: Dim) -> String {
    if dim == Dim::Bin { dim.head().to_owned() } else { dim.head().to_lowercase() }
}

/// What a share of a budget is.
fn use_word(alert: &Alert) -> &'static str {
    match alert.metric {
        AlertMetric::BudgetForecast => "forecast",
        AlertMetric::Budget | AlertMetric::Metric(_) => "used",
    }
}

/// `above 12.5`, or `just above 12.5` where the value is shown as the threshold is.
fn beyond(alert: &Alert) -> String {
    let Alert { unit, value, bound, threshold, .. } = alert;
    let just = if unit.text(Some(*value)) == unit.text(Some(*threshold)) { "just " } else { "" };
    format!("{just}{} {}", bound.word(), unit.threshold(*threshold))
}

/// What the value rests on; nothing where the value is the count itself.
fn basis(metric: &Metric, alert: &Alert) -> String {
    match alert.n.filter(|n| metric.unit != Unit::Count || *n != alert.value) {
        Some(n) => format!(" ({}: {})", metric.basis.name(), count(n)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Bound;
    use crate::metrics::{ACUS, ACUS_PER_MERGED_PR, ISSUES, MERGE_RATE, SESSIONS};
    use crate::report::report;

    fn alert(metric: &'static Metric, group: &[(Dim, Option<&str>)], value: f64, threshold: f64) -> Alert {
        Alert {
            metric: AlertMetric::Metric(metric),
            unit: metric.unit,
            group: group.iter().map(|(dim, key)| (*dim, key.map(str::to_owned))).collect(),
            value,
            n: Some(25.0),
            bound: Bound::Above,
            threshold,
            period: "2026-W41".to_owned(),
        }
    }

    fn facts(alerts: Vec<Alert>) -> Facts {
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        Facts { alerts, ..demo }
    }

    /// The sentence and the few words of an alert.
    fn texts(alert: Alert) -> [String; 2] {
        let mut facts = facts(vec![alert]);
        facts.labels.user = [("u1".to_owned(), "Ann".to_owned())].into();
        let [AlertText { text, short, .. }] = alerts(&facts).try_into().unwrap();
        [text.into_iter().map(|piece| piece.text).collect(), short]
    }

    #[test]
    fn an_alert_names_number_threshold_and_basis() {
        assert_eq!(
            texts(alert(&ACUS_PER_MERGED_PR, &[], 14.23, 12.5)),
            [
                "ACUs per merged pull request: 14.2, above 12.5 (merged pull requests: 25).",
                "ACUs per merged pull request 14.2, above 12.5"
            ]
        );
        let below = Alert { bound: Bound::Below, ..alert(&MERGE_RATE, &[], 0.6, 0.625) };
        let [text, short] = texts(below);
        assert_eq!(text, "Merge rate: 60%, below 62.5% (decided pull requests: 25).");
        assert_eq!(short, "Merge rate 60%, below 62.5%");
        // The count itself needs no basis, and a value that looks like its threshold a word.
        let [text, _] = texts(alert(&SESSIONS, &[], 25.0, 20.0));
        assert_eq!(text, "Sessions: 25, above 20.");
        let [text, _] = texts(alert(&ACUS_PER_MERGED_PR, &[], 12.504, 12.5));
        assert!(text.contains(": 12.5, just above 12.5 ("), "{text}");
    }

    #[test]
    fn groups_are_named_but_no_user_and_no_team_in_a_few_words() {
        let user = alert(&ACUS, &[(Dim::User, Some("u1"))], 50.0, 40.0);
        assert_eq!(
            texts(user),
            ["ACUs, user “Ann”: 50.0, above 40 (sessions: 25).", "ACUs (a user) 50.0, above 40"]
        );
        let team = alert(&ACUS, &[(Dim::Team, Some("Payments"))], 50.0, 40.0);
        assert_eq!(texts(team)[1], "ACUs (a team) 50.0, above 40");
        let untagged = alert(&ACUS, &[(Dim::Tag, None)], 50.0, 40.0);
        assert_eq!(
            texts(untagged),
            ["ACUs, untagged: 50.0, above 40 (sessions: 25).", "ACUs (untagged) 50.0, above 40"]
        );
        let two = alert(&ISSUES, &[(Dim::Tag, Some("pay")), (Dim::Impact, Some("high"))], 50.0, 40.0);
        assert_eq!(
            texts(two),
            [
                "Issues, tag “pay”, impact “high”: 50, above 40 (analysed sessions: 25).",
                "Issues (tag pay, impact high) 50, above 40"
            ]
        );
        let hostile = format!("\u{202e}\u{1b}[2J{}", "x".repeat(900));
        let [text, short] = texts(alert(&ACUS, &[(Dim::Tag, Some(&hostile))], 50.0, 40.0));
        for text in [text, short] {
            assert!(!text.contains(['\u{202e}', '\u{1b}']) && text.chars().count() < 120, "{text}");
        }
    }

    #[test]
    fn budgets_name_their_cycle() {
        let budget = |metric, period: &str| Alert {
            metric,
            unit: Unit::Share,
            n: None,
            period: period.to_owned(),
            ..alert(&ACUS, &[], 0.83, 0.8)
        };
        assert_eq!(
            texts(budget(AlertMetric::Budget, "2026-10")),
            [
                "Budget of October 2026: 83% used, above 80%.",
                "83% of the budget of October 2026 used, above 80%"
            ]
        );
        let [text, _] = texts(budget(AlertMetric::BudgetForecast, "2026-09-23_2026-10-22"));
        assert_eq!(
            text,
            "Budget of the billing cycle of 23 September to 22 October 2026: 83% forecast, above 80%."
        );
    }

    #[test]
    fn the_subject_begins_with_the_alert_or_with_their_number() {
        let cost = || alert(&ACUS_PER_MERGED_PR, &[], 14.23, 12.5);
        let subject = |alerts: Vec<Alert>| report(&facts(alerts)).subject;
        let plain = subject(Vec::new());
        assert!(plain.starts_with("Devin, week 41"), "{plain}");
        assert_eq!(
            subject(vec![cost()]),
            format!("Alert: ACUs per merged pull request 14.2, above 12.5 · {plain}")
        );
        assert_eq!(subject(vec![cost(), cost()]), format!("2 alerts · {plain}"));
    }

    #[test]
    fn the_key_is_that_of_the_threshold_and_not_of_the_value() {
        let key = |change: fn(&mut Alert), filter: fn(&mut Facts)| {
            let mut own = alert(&ACUS, &[(Dim::Tag, Some("a"))], 50.0, 40.0);
            change(&mut own);
            let mut facts = facts(vec![own]);
            filter(&mut facts);
            alerts(&facts)[0].key.clone()
        };
        let plain = key(|_| (), |_| ());
        assert_eq!(key(|alert| (alert.value, alert.n) = (60.0, Some(9.0)), |_| ()), plain);
        let changes: [fn(&mut Alert); 5] = [
            |alert| alert.metric = AlertMetric::Budget,
            |alert| alert.group[0].1 = None,
            |alert| alert.bound = Bound::Below,
            |alert| alert.threshold = 41.0,
            |alert| alert.period = "2026-W42".to_owned(),
        ];
        for change in changes {
            assert_ne!(key(change, |_| ()), plain);
        }
        assert_ne!(key(|_| (), |facts| facts.source.scope = "org_x".to_owned()), plain);
        assert_ne!(key(|_| (), |facts| facts.source.tags = vec!["a".to_owned()]), plain);
    }

    #[test]
    fn twenty_alerts_are_shown_and_the_others_counted() {
        let days = |number: usize| (0..number).map(|day| alert(&ACUS, &[], day as f64, 1.0)).collect();
        let of = |number| {
            let report = report(&facts(days(number)));
            (report.alerts.len(), report.other_alerts)
        };
        assert_eq!(of(20), (20, String::new()));
        assert_eq!(of(21), (20, "The facts file has 1 more alert.".to_owned()));
        assert_eq!(of(1000), (20, "The facts file has 980 more alerts.".to_owned()));
    }
}
