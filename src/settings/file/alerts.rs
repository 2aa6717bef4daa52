//! The tables of alerts. Whether a metric has a group is checked by `metrics`, which knows them.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Reader, amount, entries, scalar};
use crate::alert::{AlertRule, Bound, MIN_N};
use crate::settings::SettingsError;

const KEYS: [&str; 6] = ["metric", "group", "above", "below", "min_n", "report"];

const EXAMPLE: &str = "write it as metric = \"acus_per_merged_pr\", above = 12.5";

impl Reader<'_> {
    pub(super) fn alerts(&self, at: usize, value: &DeValue<'_>) -> Result<Vec<AlertRule>, SettingsError> {
        let rows = self.rows("alert", at, value, &KEYS)?;
        rows.into_iter().map(|(at, row)| self.alert(at, row)).collect()
    }

    fn alert(&self, at: usize, row: &DeTable<'_>) -> Result<AlertRule, SettingsError> {
        let text = |name: &str| {
            let Some(value) = row.get(name) else { return Ok(None) };
            let wrong = || {
                self.refuse(
                    Spanned::span(value).start,
                    &format!("alert: `{name}` is a single value"),
                    EXAMPLE,
                )
            };
            scalar(value.get_ref()).map(Some).ok_or_else(wrong)
        };
        let Some(metric) = text("metric")? else {
            return Err(self.refuse(at, "an alert needs a metric", EXAMPLE));
        };
        let (bound, limits) = match (row.get("above"), row.get("below")) {
            (Some(value), None) => (Bound::Above, value),
            (None, Some(value)) => (Bound::Below, value),
            (None, None) => return Err(self.refuse(at, "an alert needs `above` or `below`", EXAMPLE)),
            (Some(_), Some(_)) => {
                let hint = "write one alert for each";
                return Err(self.refuse(at, "an alert has either `above` or `below`", hint));
            }
        };
        let place = Spanned::span(limits).start;
        let texts = self.texts(bound.word(), place, limits.get_ref())?;
        if texts.is_empty() {
            return Err(self.refuse(place, &format!("alert: `{}` is empty", bound.word()), EXAMPLE));
        }
        let mut thresholds = Vec::new();
        for text in &texts {
            let Some(threshold) = threshold(text) else {
                let hint = "write a number, such as 12.5, or a share as 0.8 or \"80%\"";
                return Err(self.refuse(place, &format!("alert: cannot read the threshold {text}"), hint));
            };
            thresholds.push(threshold);
        }
        let min_n = match text("min_n")? {
            None => MIN_N,
            Some(text) => text.parse().map_err(|_| {
                let place = row.get("min_n").map_or(at, |value| Spanned::span(value).start);
                let hint = "write how many cases the value must rest on, such as min_n = 20";
                self.refuse(place, &format!("alert: `min_n` is not a whole number: {text}"), hint)
            })?,
        };
        let mut rule = AlertRule {
            metric,
            group: Default::default(),
            bound,
            thresholds,
            has_percent: texts.iter().any(|text| text.contains('%')),
            min_n,
            report: text("report")?,
            line: self.line(at),
        };
        if let Some(group) = row.get("group") {
            let hint = "write it as group = { team = \"Payments\" }, or { team = \"*\" } for every team";
            let wrong = |at, what: &str| self.refuse(at, what, hint);
            let DeValue::Table(table) = group.get_ref() else {
                return Err(wrong(Spanned::span(group).start, "alert: `group` is a table"));
            };
            for (dimension, at, value) in entries(table) {
                let key = scalar(value).ok_or_else(|| {
                    wrong(at, &format!("alert: `{dimension}` of the group is a single value"))
                })?;
                rule.group.insert(dimension.to_owned(), key);
            }
        }
        Ok(rule)
    }
}

/// A threshold: a number that is not negative, or a share in percent.
fn threshold(text: &str) -> Option<f64> {
    match text.trim().strip_suffix('%') {
        Some(percent) => amount(percent).map(|percent| percent / 100.0),
        None => amount(text),
    }
    .filter(|threshold| threshold.is_finite())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::file::parse;

    fn read(text: &str) -> Result<Vec<AlertRule>, SettingsError> {
        Ok(parse(Path::new("/etc/acumen.toml"), text)?.alerts)
    }

    #[test]
    fn alerts_are_read_in_order_with_their_defaults() {
        let rules = read(
            "org = \"a\"\n[[alert]]\nmetric = \"acus\"\ngroup = { team = \"Payments\", impact = \"*\" }\n\
             above = 12.5\nmin_n = 20\nreport = \"teams\"\n\
             [[alert]]\nmetric = \"merge_rate\"\nbelow = \"62.5%\"\n\
             [[alert]]\nmetric = \"budget\"\nabove = [0.5, \"80%\", 1]\n",
        )
        .unwrap();
        let group = [("impact", "*"), ("team", "Payments")];
        let rule = |metric: &str, bound, thresholds: &[f64], has_percent, line| AlertRule {
            metric: metric.to_owned(),
            group: Default::default(),
            bound,
            thresholds: thresholds.to_vec(),
            has_percent,
            min_n: 10,
            report: None,
            line,
        };
        let first = AlertRule {
            group: group.map(|(dimension, key)| (dimension.to_owned(), key.to_owned())).into(),
            min_n: 20,
            report: Some("teams".to_owned()),
            ..rule("acus", Bound::Above, &[12.5], false, 3)
        };
        let others = [
            rule("merge_rate", Bound::Below, &[0.625], true, 9),
            rule("budget", Bound::Above, &[0.5, 0.8, 1.0], true, 12),
        ];
        assert_eq!(rules, [&[first][..], &others].concat());
    }

    #[test]
    fn an_unusable_alert_is_reported_with_its_line() {
        for (text, line, what, hint) in [
            ("[[alert]]\nabove = 3\n", 2, "an alert needs a metric", "metric = "),
            ("[[alert]]\nmetric = \"acus\"\n", 2, "an alert needs `above` or `below`", "above = 12.5"),
            (
                "[[alert]]\nmetric = \"acus\"\nabove = 3\nbelow = 2\n",
                2,
                "an alert has either `above` or `below`",
                "one alert for each",
            ),
            ("[[alert]]\nmetric = \"acus\"\nabove = []\n", 3, "alert: `above` is empty", "12.5"),
            ("[[alert]]\nmetric = \"acus\"\nabove = -3\n", 3, "cannot read the threshold -3", "12.5"),
            ("[[alert]]\nmetric = \"acus\"\nbelow = \"much\"\n", 3, "cannot read the threshold much", "80%"),
            ("[[alert]]\nmetric = \"acus\"\nabove = inf\n", 3, "cannot read the threshold inf", "80%"),
            ("[[alert]]\nmetric = \"acus\"\nabove = {a = 1}\n", 3, "`above` is a single value", ""),
            ("[[alert]]\nmetric = [\"acus\"]\nabove = 3\n", 2, "alert: `metric` is a single value", ""),
            (
                "[[alert]]\nmetric = \"acus\"\nabove = 3\nmin_n = 1.5\n",
                4,
                "alert: `min_n` is not a whole number: 1.5",
                "min_n = 20",
            ),
            (
                "[[alert]]\nmetric = \"acus\"\nabove = 3\ngroup = \"Payments\"\n",
                4,
                "alert: `group` is a table",
                "{ team = \"Payments\" }",
            ),
            (
                "[[alert]]\nmetric = \"acus\"\nabove = 3\n[alert.group]\nteam = [\"a\"]\n",
                5,
                "alert: `team` of the group is a single value",
                "{ team = \"*\" }",
            ),
            ("[[alert]]\nmetrik = \"acus\"\n", 2, "unknown setting `metrik`", "did you mean `metric`?"),
            ("alert = 3\n", 1, "`alert` is a list of tables", "[[alert]]"),
            ("alerts = 3\n", 1, "unknown setting `alerts`", "did you mean `alert`?"),
        ] {
            let error = read(text).unwrap_err();
            let message = error.to_string();
            assert!(message.starts_with(&format!("/etc/acumen.toml, line {line}: ")), "{text}\n{message}");
            assert!(message.contains(what), "{text}\n{message}");
            assert!(error.hint.contains(hint), "{text}\n{}", error.hint);
        }
    }
}
