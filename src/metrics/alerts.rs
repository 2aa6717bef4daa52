//! Alerts: values of finished facts that exceed a threshold of the settings.
//!
//! Facts are masked before they are compared, so an alert of a covered report says nothing that the
//! report does not show.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::budget::Budget;
use super::dimension::{Dim, SMALL_GROUP};
use super::fact::{Fact, group};
use super::facts::Facts;
use super::metric::{Basis, Metric};
use super::registry::METRICS;
use super::sessions::SESSIONS;
use crate::alert::{AlertRule, BUDGET, BUDGET_FORECAST, Bound, EVERY};
use crate::text::closest_match;
use crate::unit::Unit;

/// The most alerts of a report.
const MOST: usize = 1000;
/// A budget of which more than this share is used is a share written in percent.
const LARGEST_SHARE: f64 = 10.0;

/// A value that exceeds a threshold.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// What it measures.
    pub metric: AlertMetric,
    /// The unit of value and threshold; of a budget a share of its amount.
    pub unit: Unit,
    /// The group as in [`Fact::group`]; empty for the whole period, and for a budget.
    #[serde(with = "group")]
    pub group: Vec<(Dim, Option<String>)>,
    /// The value.
    pub value: f64,
    /// What the value rests on; none for a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// On which side of the threshold it is.
    pub bound: Bound,
    /// The threshold; of several that are exceeded the farthest.
    pub threshold: f64,
    /// The label of the report's period, or of the budget's month or billing cycle.
    pub period: String,
}

/// What an alert is about.
#[derive(Clone, Copy)]
pub enum AlertMetric {
    /// A metric of the registry.
    Metric(&'static Metric),
    /// The share of a budget that is used.
    Budget,
    /// The share of a budget that will be used at the pace so far.
    BudgetForecast,
}

impl AlertMetric {
    /// Its name in `facts.json` and in the settings.
    pub fn id(self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.id,
            Self::Budget => BUDGET,
            Self::BudgetForecast => BUDGET_FORECAST,
        }
    }

    fn named(id: &str) -> Option<Self> {
        match id {
            BUDGET => Some(Self::Budget),
            BUDGET_FORECAST => Some(Self::BudgetForecast),
            id => METRICS.iter().find(|metric| metric.id == id).map(Self::Metric),
        }
    }
}

impl PartialEq for AlertMetric {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl std::fmt::Debug for AlertMetric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for AlertMetric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for AlertMetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::named(&id).ok_or_else(|| D::Error::custom(format!("the metric {id:?} is not known")))
    }
}

/// Why a rule cannot be used.
#[derive(Debug)]
pub struct AlertFlaw {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// The alerts of facts: in the order of the rules, those of a rule by their distance from the threshold.
///
/// There are none if sessions are missing or no session matches the filters. A metric has none in a
/// period that is not over, and none from a value that is null, may still change as pull requests are
/// decided, or rests on fewer cases than its rule asks for. A budget also has some in a period that is
/// not over, because its use only grows.
pub fn alerts(facts: &Facts, rules: &[AlertRule]) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = Vec::new();
    for rule in rules {
        let mut exceeded = exceeded(facts, rule);
        let distance = |alert: &Alert| alert.bound.distance(alert.value, alert.threshold);
        // Facts are in canonical order, and equal distances keep it.
        exceeded.sort_by(|one, other| distance(other).total_cmp(&distance(one)));
        for alert in exceeded {
            if alerts.len() < MOST && !alerts.contains(&alert) {
                alerts.push(alert);
            }
        }
    }
    alerts
}

fn exceeded(facts: &Facts, rule: &AlertRule) -> Vec<Alert> {
    let test = Test { bound: rule.bound, thresholds: &rule.thresholds, min_n: f64::from(rule.min_n) };
    match AlertMetric::named(&rule.metric) {
        Some(AlertMetric::Metric(metric)) => match grouping(metric, rule) {
            Some(by) => values(facts, metric, by, &test, |fact| is_meant(facts, rule, fact)),
            None => Vec::new(),
        },
        Some(metric) => budgets(facts, metric, &test),
        None => Vec::new(),
    }
}

/// What a value is tested for.
struct Test<'a> {
    bound: Bound,
    thresholds: &'a [f64],
    min_n: f64,
}

/// Whether values of facts can be trusted at all.
fn is_telling(facts: &Facts) -> bool {
    facts.source.is_complete() && !facts.source.no_match
}

fn values(
    facts: &Facts,
    metric: &'static Metric,
    by: &[Dim],
    test: &Test<'_>,
    is_meant: impl Fn(&Fact) -> bool,
) -> Vec<Alert> {
    // A group that the compared period did not have is not marked, although it is as young.
    let is_maturing = facts.whole(metric).is_some_and(|whole| whole.maturing);
    if !is_telling(facts) || !facts.is_over() || is_maturing || (metric.is_of_acus() && !knows_acus(facts)) {
        return Vec::new();
    }
    let alert = |fact: &Fact| {
        let value = fact.value.filter(|value| value.is_finite())?;
        // Without analyses 0 issues are no news. What is hidden is no number, and not enough.
        let is_known = metric.basis != Basis::AnalysedSessions || fact.n > 0.0;
        let is_firm = fact.n >= test.min_n && is_known && !fact.maturing;
        let threshold = test.bound.farthest_exceeded(value, test.thresholds).filter(|_| is_firm)?;
        Some(Alert {
            metric: AlertMetric::Metric(metric),
            unit: fact.unit,
            group: fact.group.clone(),
            value,
            n: Some(fact.n),
            bound: test.bound,
            threshold,
            period: facts.period.label.clone(),
        })
    };
    facts.by(metric, by).iter().filter(|fact| is_meant(fact)).filter_map(alert).collect()
}

fn budgets(facts: &Facts, metric: AlertMetric, test: &Test<'_>) -> Vec<Alert> {
    if !is_telling(facts) {
        return Vec::new();
    }
    let alert = |budget: &Budget| {
        let value = share(metric, budget)?;
        let threshold = test.bound.farthest_exceeded(value, test.thresholds)?;
        Some(Alert {
            metric,
            unit: Unit::Share,
            group: Vec::new(),
            value,
            n: None,
            bound: test.bound,
            threshold,
            period: budget.period.clone(),
        })
    };
    facts.budgets.iter().filter_map(alert).collect()
}

/// The share of a budget that an alert is about.
fn share(metric: AlertMetric, budget: &Budget) -> Option<f64> {
    let amount = match metric {
        AlertMetric::BudgetForecast => budget.forecast,
        AlertMetric::Budget | AlertMetric::Metric(_) => budget.used,
    };
    amount.map(|amount| amount / budget.amount).filter(|share| share.is_finite())
}

/// Whether sums of ACUs are more than the zeros of an account that has none.
fn knows_acus(facts: &Facts) -> bool {
    let sessions = facts.whole(&SESSIONS).and_then(|fact| fact.value);
    let unknown = facts.quality.acus_unknown.map(|unknown| unknown as f64);
    facts.source.metered && (unknown.is_none() || sessions.is_none() || unknown < sessions)
}

/// The grouping of a metric that has the dimensions of a rule. Periods of the trend are in none: they
/// had their own reports.
fn grouping(metric: &Metric, rule: &AlertRule) -> Option<&'static [Dim]> {
    groupings(metric)
        .find(|by| by.len() == rule.group.len() && by.iter().all(|dim| rule.group.contains_key(dim.name())))
}

fn groupings(metric: &Metric) -> impl Iterator<Item = &'static [Dim]> {
    metric.groups.iter().copied().filter(|by| !by.contains(&Dim::Period))
}

/// Whether a rule means the group of a fact: by its keys, or by the names that people know them by. What
/// combines the small groups of a covered report is no group of its own.
fn is_meant(facts: &Facts, rule: &AlertRule, fact: &Fact) -> bool {
    fact.group.iter().all(|(dim, key)| {
        let meant = rule.group.get(dim.name()).map(String::as_str).unwrap_or_default();
        match key.as_deref() {
            None => meant.is_empty(),
            Some(SMALL_GROUP) => false,
            Some(key) => meant == EVERY || meant == key || meant == facts.called(*dim, key),
        }
    })
}

/// The lines of the rules that compare nothing, because the facts have no such group or no budget.
pub fn idle_alerts(facts: &Facts, rules: &[AlertRule]) -> Vec<usize> {
    let is_idle = |rule: &&AlertRule| match AlertMetric::named(&rule.metric) {
        Some(AlertMetric::Metric(metric)) => {
            let own = grouping(metric, rule).map_or(&[][..], |by| facts.by(metric, by));
            !own.iter().any(|fact| is_meant(facts, rule, fact))
        }
        Some(AlertMetric::Budget | AlertMetric::BudgetForecast) => facts.budgets.is_empty(),
        None => true,
    };
    rules.iter().filter(is_idle).map(|rule| rule.line).collect()
}

/// Checks a rule of the settings against the registry.
///
/// # Errors
/// There is no such metric or grouping, or the threshold has another unit.
pub fn check_alert(rule: &AlertRule) -> Result<(), AlertFlaw> {
    let id = rule.metric.as_str();
    let metric = match AlertMetric::named(id) {
        Some(AlertMetric::Metric(metric)) => metric,
        Some(AlertMetric::Budget | AlertMetric::BudgetForecast) => return check_budget(rule),
        None => {
            let known = METRICS.iter().map(|metric| metric.id).chain([BUDGET, BUDGET_FORECAST]);
            let hint = closest_match(id, known).map_or_else(
                || format!("`acumen metrics` lists the metrics; {BUDGET} and {BUDGET_FORECAST} work as well"),
                |name| format!("did you mean `{name}`?"),
            );
            return flaw(format!("there is no metric `{id}`"), &hint);
        }
    };
    if let Some(name) = rule.group.keys().find(|name| Dim::named(name).is_none()) {
        let hint = closest_match(name, Dim::names())
            .map_or_else(|| possible(metric), |name| format!("did you mean `{name}`?"));
        return flaw(format!("there is no dimension `{name}`"), &hint);
    }
    if grouping(metric, rule).is_none() {
        let names: Vec<&str> = rule.group.keys().map(String::as_str).collect();
        let what = match names.as_slice() {
            [] => format!("{id} has no value of the whole period"),
            names => format!("{id} is not grouped by {}", names.join(" + ")),
        };
        return flaw(what, &possible(metric));
    }
    let is_share = metric.unit == Unit::Share;
    let largest = rule.thresholds.iter().copied().fold(0.0, f64::max);
    if is_share && largest > 1.0 {
        return flaw(format!("{id} is a share, and {largest} is more than 1"), SHARE_HINT);
    }
    if !is_share && rule.has_percent {
        return flaw(format!("{id} is not a share"), "write its threshold as a number without %");
    }
    Ok(())
}

const SHARE_HINT: &str = "write a share as 0.8 or \"80%\"";

fn check_budget(rule: &AlertRule) -> Result<(), AlertFlaw> {
    let id = &rule.metric;
    if !rule.group.is_empty() {
        return flaw(format!("{id} has no groups"), "remove `group`: the budget is that of all sessions");
    }
    if rule.bound == Bound::Below {
        let hint = "use `above`: the use of a budget begins at 0 and grows";
        return flaw(format!("{id} cannot be `below` a share"), hint);
    }
    match rule.thresholds.iter().find(|threshold| **threshold > LARGEST_SHARE) {
        Some(large) => flaw(format!("{id} is a share, and {large} is more than {LARGEST_SHARE}"), SHARE_HINT),
        None => Ok(()),
    }
}

fn flaw(what: String, hint: &str) -> Result<(), AlertFlaw> {
    Err(AlertFlaw { what: format!("alert: {what}"), hint: hint.to_owned() })
}

/// The groupings of a metric, as a hint.
fn possible(metric: &Metric) -> String {
    let names = groupings(metric).map(|by| match by {
        [] => "no group".to_owned(),
        by => by.iter().map(|dim| dim.name()).collect::<Vec<_>>().join(" + "),
    });
    format!("possible with {}: {}", metric.id, names.collect::<Vec<_>>().join(", "))
}

/// What cannot be true of the alerts of facts that this program wrote, in words. The facts are in
/// canonical order.
pub(super) fn contradiction(facts: &Facts) -> Option<&'static str> {
    let is_exceeded = |alert: &Alert| {
        let test = Test { bound: alert.bound, thresholds: &[alert.threshold], min_n: 0.0 };
        match alert.metric {
            AlertMetric::Metric(metric) => {
                let by: Vec<Dim> = alert.group.iter().map(|(dim, _)| *dim).collect();
                // Only the fact of the same group is looked at.
                let own = |fact: &Fact| fact.group == alert.group;
                groupings(metric).any(|own| own == by)
                    && values(facts, metric, &by, &test, own).contains(alert)
            }
            metric => budgets(facts, metric, &test).contains(alert),
        }
    };
    if facts.alerts.len() > MOST {
        Some("there are more than 1,000 alerts")
    } else if !facts.alerts.iter().all(is_exceeded) {
        Some("an alert does not agree with the numbers")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::metrics::{
        ACUS, ACUS_HISTOGRAM, ACUS_PER_MERGED_PR, Completeness, ISSUES, MERGE_RATE, PeopleMode, number,
    };
    use crate::money::Currency;
    use crate::settings::{EXAMPLE, parse_file};

    fn fact(metric: &'static Metric, group: &[(Dim, Option<&str>)], value: Option<f64>, n: f64) -> Fact {
        Fact {
            metric,
            unit: metric.unit,
            group: group.iter().map(|(dim, key)| (*dim, key.map(str::to_owned))).collect(),
            value,
            numerator: None,
            denominator: None,
            n,
            previous: Some(1.0),
            previous_n: 0.0,
            maturing: false,
            notable: false,
        }
    }

    /// The demo with these facts alone, and a budget of which 83% is used and 125% will be.
    fn facts(mut own: Vec<Fact>) -> Facts {
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        own.sort_by(Fact::canonical_order);
        let budget = Budget {
            period: "2026-10".to_owned(),
            until: "2026-10-12T00:00:00Z".to_owned(),
            amount: 5000.0,
            currency: Currency::parse("EUR").unwrap(),
            used: Some(4150.0),
            forecast: Some(6250.0),
        };
        Facts { facts: own, budgets: vec![budget], highlights: Default::default(), ..demo }
    }

    /// The rules of a settings file.
    fn rules(text: &str) -> Vec<AlertRule> {
        parse_file(Path::new("a.toml"), text).unwrap().alerts
    }

    fn rule(metric: &str, rest: &str) -> Vec<AlertRule> {
        rules(&format!("[[alert]]\nmetric = \"{metric}\"\n{rest}\n"))
    }

    /// Keys, value and threshold of each alert.
    fn found(facts: &Facts, rules: &[AlertRule]) -> Vec<(String, f64, f64)> {
        let keys = |alert: &Alert| {
            let keys = alert.group.iter().map(|(_, key)| key.clone().unwrap_or_default());
            keys.collect::<Vec<_>>().join("/")
        };
        alerts(facts, rules).iter().map(|alert| (keys(alert), alert.value, alert.threshold)).collect()
    }

    fn one(value: f64, threshold: f64) -> Vec<(String, f64, f64)> {
        vec![(String::new(), value, threshold)]
    }

    fn cost() -> Vec<Fact> {
        vec![fact(&ACUS_PER_MERGED_PR, &[], Some(14.2), 25.0)]
    }

    #[test]
    fn a_value_beyond_its_threshold_is_an_alert() {
        let facts = facts(cost());
        let of = |rest: &str| found(&facts, &rule("acus_per_merged_pr", rest));
        assert_eq!(of("above = 12.5"), one(14.2, 12.5));
        assert_eq!(of("below = 14.3"), one(14.2, 14.3));
        assert_eq!(of("above = [12.5, 14, 20]"), one(14.2, 14.0));
        for silent in ["above = 14.2", "below = 14.2", "above = 20", "below = 12.5"] {
            assert_eq!(of(silent), [], "{silent}");
        }
        let alert = &alerts(&facts, &rule("acus_per_merged_pr", "above = 12.5"))[0];
        assert_eq!((alert.n, alert.unit, alert.period.as_str()), (Some(25.0), Unit::Acu, "2026-W41"));
        // A rule that is written twice is one alert.
        let twice = [rule("acus_per_merged_pr", "above = 12.5"), rule("acus_per_merged_pr", "above = 12.5")];
        assert_eq!(found(&facts, &twice.concat()).len(), 1);
    }

    #[test]
    fn values_that_are_unknown_or_rest_on_too_little_are_silent() {
        let above = rule("acus_per_merged_pr", "above = 12.5");
        assert_eq!(found(&facts(cost()), &above).len(), 1);
        let with = |change: fn(&mut Facts)| {
            let mut facts = facts(cost());
            change(&mut facts);
            found(&facts, &above)
        };
        let silent: [fn(&mut Facts); 9] = [
            |facts| facts.source.completeness = Completeness::Incomplete,
            |facts| facts.source.no_match = true,
            |facts| facts.source.metered = false,
            |facts| facts.period.complete = Some(false),
            |facts| facts.facts[0].maturing = true,
            |facts| facts.facts[0].value = None,
            |facts| facts.facts[0].value = Some(f64::NAN),
            |facts| facts.facts[0].n = 9.0,
            |facts| facts.facts[0].n = f64::NAN,
        ];
        for (place, change) in silent.into_iter().enumerate() {
            assert_eq!(with(change), [], "{place}");
        }
        assert_eq!(with(|facts| facts.source.completeness = Completeness::Unproven), one(14.2, 12.5));
        assert_eq!(with(|facts| facts.facts[0].n = 10.0), one(14.2, 12.5));
        let few = |n, min_n: u32| {
            let facts = facts(vec![fact(&ACUS_PER_MERGED_PR, &[], Some(14.2), n)]);
            found(&facts, &rule("acus_per_merged_pr", &format!("above = 12.5\nmin_n = {min_n}"))).len()
        };
        assert_eq!([few(25.0, 25), few(25.0, 26), few(0.0, 0)], [1, 0, 1]);
    }

    #[test]
    fn zeros_that_mean_unknown_are_silent() {
        let none = facts(vec![fact(&ISSUES, &[], Some(0.0), 0.0), fact(&ACUS, &[], Some(0.0), 20.0)]);
        assert_eq!(found(&none, &rule("issues", "below = 5\nmin_n = 0")), []);
        assert_eq!(found(&none, &rule("acus", "below = 5")), one(0.0, 5.0));
        let mut unknown =
            facts(vec![fact(&ACUS, &[], Some(0.0), 20.0), fact(&SESSIONS, &[], Some(20.0), 20.0)]);
        unknown.quality.acus_unknown = Some(20);
        assert_eq!(found(&unknown, &rule("acus", "below = 5")), []);
        // A count of sessions by ACUs is no null where nothing is metered.
        let mut unmetered = facts(vec![fact(&ACUS_HISTOGRAM, &[(Dim::Bin, Some("0"))], Some(50.0), 50.0)]);
        let bin = rule("acus_histogram", "group = { bin = \"0\" }\nabove = 5");
        assert_eq!(found(&unmetered, &bin).len(), 1);
        unmetered.source.metered = false;
        assert_eq!(found(&unmetered, &bin), []);
    }

    #[test]
    fn a_group_of_a_maturing_period_is_silent_without_a_mark_of_its_own() {
        let tag = |key| fact(&MERGE_RATE, &[(Dim::Tag, Some(key))], Some(0.2), 30.0);
        let whole = fact(&MERGE_RATE, &[], Some(0.3), 60.0);
        let below = rule("merge_rate", "group = { tag = \"*\" }\nbelow = \"50%\"");
        let mut facts = facts(vec![whole, tag("a"), tag("b")]);
        assert_eq!(found(&facts, &below).len(), 2);
        facts.facts.iter_mut().filter(|fact| fact.group.is_empty()).for_each(|fact| fact.maturing = true);
        assert_eq!(found(&facts, &below), []);
    }

    #[test]
    fn groups_are_meant_by_key_by_name_or_all_of_them() {
        let user = |key| (Dim::User, key);
        let mut facts = facts(vec![
            fact(&ACUS, &[], Some(300.0), 90.0),
            fact(&ACUS, &[user(None)], Some(70.0), 20.0),
            fact(&ACUS, &[user(Some("u1"))], Some(50.0), 20.0),
            fact(&ACUS, &[user(Some("u2"))], Some(60.0), 20.0),
            fact(&ACUS, &[user(Some(SMALL_GROUP))], Some(80.0), 20.0),
            fact(&ACUS, &[(Dim::Period, Some("2026-W40"))], Some(900.0), 90.0),
            fact(&ISSUES, &[(Dim::Tag, Some("a")), (Dim::Impact, Some("high"))], Some(12.0), 40.0),
        ]);
        facts.labels.user = [("u1".to_owned(), "Ann".to_owned())].into();
        let of = |metric: &str, group: &str| {
            let rule = rule(metric, &format!("group = {{ {group} }}\nabove = 10"));
            found(&facts, &rule).into_iter().map(|(keys, ..)| keys).collect::<Vec<_>>()
        };
        assert_eq!(of("acus", "user = \"u2\""), ["u2"]);
        assert_eq!(of("acus", "user = \"Ann\""), ["u1"]);
        assert_eq!(of("acus", "user = \"*\""), ["u2", "u1"], "the farthest first, and no combined group");
        assert_eq!(of("acus", "user = \"\""), [""]);
        assert_eq!(of("acus", ""), [""], "the whole period");
        assert_eq!(of("acus", "period = \"*\""), [""; 0]);
        assert_eq!(of("acus", &format!("user = \"{SMALL_GROUP}\"")), [""; 0]);
        assert_eq!(of("issues", "impact = \"*\", tag = \"a\""), ["a/high"]);
        assert_eq!(of("issues", "impact = \"low\", tag = \"a\""), [""; 0]);
        assert_eq!(of("issues", "tag = \"a\""), [""; 0], "it has no such grouping here");
    }

    #[test]
    fn budgets_are_shares_and_count_in_a_period_that_runs() {
        let mut facts = facts(Vec::new());
        facts.period.complete = Some(false);
        let of = |facts: &Facts, metric: &str, rest: &str| found(facts, &rule(metric, rest));
        assert_eq!(of(&facts, "budget", "above = [0.5, 0.8, 1.0]"), one(0.83, 0.8));
        assert_eq!(of(&facts, "budget", "above = [\"50%\", 1]"), one(0.83, 0.5));
        assert_eq!(of(&facts, "budget", "above = 0.83"), []);
        assert_eq!(of(&facts, "budget_forecast", "above = [0.5, 1]"), one(1.25, 1.0));
        let alert = &alerts(&facts, &rule("budget", "above = 0.5"))[0];
        assert_eq!((alert.n, alert.unit, alert.period.as_str()), (None, Unit::Share, "2026-10"));
        facts.budgets[0].forecast = None;
        assert_eq!(of(&facts, "budget_forecast", "above = 0.5"), []);
        facts.source.completeness = Completeness::Incomplete;
        assert_eq!(of(&facts, "budget", "above = 0.5"), []);
        facts.source.completeness = Completeness::Proven;
        facts.budgets[0].used = None;
        assert_eq!(of(&facts, "budget", "above = 0.5"), []);
        facts.budgets[0] = Budget { used: Some(1.0), amount: 0.0, ..facts.budgets[0].clone() };
        assert_eq!(of(&facts, "budget", "above = 0.5"), []);
    }

    #[test]
    fn a_rule_that_compares_nothing_is_known_by_its_line() {
        let mut facts = facts(vec![fact(&ACUS, &[(Dim::Tag, Some("a"))], Some(1.0), 1.0)]);
        let all = [
            rule("acus", "group = { tag = \"a\" }\nabove = 10"),
            rules("\n[[alert]]\nmetric = \"acus\"\ngroup = { tag = \"b\" }\nabove = 10\n"),
            rules("\n\n[[alert]]\nmetric = \"budget\"\nabove = 1\n"),
        ]
        .concat();
        assert_eq!(idle_alerts(&facts, &all), [3]);
        facts.budgets.clear();
        assert_eq!(idle_alerts(&facts, &all), [3, 4]);
    }

    fn flaw(metric: &str, rest: &str) -> String {
        let flaw = check_alert(&rule(metric, rest)[0]).unwrap_err();
        format!("{}; {}", flaw.what, flaw.hint)
    }

    #[test]
    fn rules_are_checked_against_the_registry() {
        // The example as it is if every setting in it is used.
        let is_setting = |line: &&str| !line.starts_with("# ");
        let lines = EXAMPLE.lines().filter(is_setting).map(|line| line.trim_start_matches('#'));
        let example = rules(&lines.collect::<Vec<_>>().join("\n"));
        assert!(example.len() > 1);
        for rule in example {
            check_alert(&rule).unwrap();
        }
        for (metric, rest, what) in [
            (
                "acus_per_merged_prs",
                "above = 1",
                "alert: there is no metric `acus_per_merged_prs`; did you mean `acus_per_merged_pr`?",
            ),
            ("budgets", "above = 1", "did you mean `budget`?"),
            ("joy", "above = 1", "`acumen metrics` lists the metrics"),
            (
                "acus",
                "above = 1\ngroup = { teem = \"a\" }",
                "alert: there is no dimension `teem`; did you mean `team`?",
            ),
            (
                "merge_rate_all",
                "below = 0.5\ngroup = { tag = \"a\" }",
                "alert: merge_rate_all is not grouped by tag; possible with merge_rate_all: no group",
            ),
            (
                "acus",
                "above = 1\ngroup = { period = \"2026-W40\" }",
                "alert: acus is not grouped by period; ",
            ),
            (
                "acus_histogram",
                "above = 1",
                "alert: acus_histogram has no value of the whole period; possible with acus_histogram: bin",
            ),
            (
                "merge_rate",
                "below = 80",
                "alert: merge_rate is a share, and 80 is more than 1; write a share as 0.8",
            ),
            ("acus", "above = \"80%\"", "alert: acus is not a share; "),
            ("budget", "below = 0.5", "alert: budget cannot be `below` a share; use `above`"),
            (
                "budget_forecast",
                "above = [0.5, 80]",
                "alert: budget_forecast is a share, and 80 is more than 10",
            ),
            ("budget", "above = 1\ngroup = { team = \"a\" }", "alert: budget has no groups; remove `group`"),
        ] {
            assert!(flaw(metric, rest).contains(what), "{metric} {rest}: {}", flaw(metric, rest));
        }
        assert!(check_alert(&rule("budget", "above = \"120%\"")[0]).is_ok());
    }

    #[test]
    fn alerts_of_a_file_must_agree_with_its_numbers() {
        let mut facts = facts(vec![
            fact(&ACUS_PER_MERGED_PR, &[], Some(14.2), 5.0),
            fact(&ACUS, &[(Dim::Tag, None)], Some(20.0), 5.0),
        ]);
        let text = "[[alert]]\nmetric = \"acus_per_merged_pr\"\nmin_n = 0\nabove = 12.5\n\
                    [[alert]]\nmetric = \"acus\"\nmin_n = 0\ngroup = { tag = \"\" }\nabove = 12.5\n\
                    [[alert]]\nmetric = \"budget\"\nabove = 0.8\n";
        facts.alerts = alerts(&facts, &rules(text));
        assert_eq!(facts.alerts.len(), 3);
        let json = facts.to_json();
        assert!(
            json.contains(
                "{\"metric\":\"acus_per_merged_pr\",\"unit\":\"acu\",\"group\":{},\"value\":14.2,\"n\":5,\
             \"bound\":\"above\",\"threshold\":12.5,\"period\":\"2026-W41\"}"
            ),
            "{json}"
        );
        assert_eq!(Facts::from_json(&json).unwrap().alerts, facts.alerts);
        let refused = |from: &str, to: &str| {
            assert!(json.contains(from), "{from}");
            let error = Facts::from_json(&json.replacen(from, to, 1)).err().unwrap().to_string();
            assert!(error.contains("an alert does not agree with the numbers"), "{error}");
        };
        refused("\"threshold\":12.5", "\"threshold\":14.2");
        refused("\"bound\":\"above\"", "\"bound\":\"below\"");
        refused("\"group\":{},\"value\":14.2", "\"group\":{},\"value\":15");
        refused("\"n\":5,\"bound\"", "\"n\":6,\"bound\"");
        refused("12.5,\"period\":\"2026-W41\"", "12.5,\"period\":\"2026-W40\"");
        refused("0.8,\"period\":\"2026-10\"", "0.8,\"period\":\"2026-11\"");
        refused(
            "\"group\":{\"tag\":null},\"value\":20,\"n\":5,\"bound\"",
            "\"group\":{\"tag\":\"a\"},\"value\":20,\"n\":5,\"bound\"",
        );
        refused(
            "\"metric\":\"acus_per_merged_pr\",\"unit\":\"acu\"",
            "\"metric\":\"budget\",\"unit\":\"acu\"",
        );
        let joy = json.replacen("\"metric\":\"acus_per_merged_pr\"", "\"metric\":\"joy\"", 1);
        assert!(Facts::from_json(&joy).err().unwrap().to_string().contains("the metric \"joy\""));
        let many = format!(
            "{},",
            json.lines().find(|line| line.contains("\"bound\"")).unwrap().trim_end_matches(',')
        );
        let many = json.replacen("\"alerts\": [", &format!("\"alerts\": [{}", many.repeat(1000)), 1);
        assert!(Facts::from_json(&many).err().unwrap().to_string().contains("more than 1,000 alerts"));
    }

    #[test]
    fn alerts_of_a_covered_report_are_in_whole_units_and_read_back() {
        let mut facts = facts(vec![fact(&ACUS, &[], Some(400.0), 50.0)]);
        facts.source.people = Some(PeopleMode::Hidden);
        facts.labels.user.clear();
        facts.facts[0].unit = Unit::WholeAcu;
        facts.alerts = alerts(&facts, &rule("acus", "above = 12.5"));
        let again = Facts::from_json(&facts.to_json()).unwrap();
        assert_eq!(
            (again.alerts[0].unit, number(Some(again.alerts[0].value))),
            (Unit::WholeAcu, "400".into())
        );
    }
}
