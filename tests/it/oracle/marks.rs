//! Which comparisons are maturing, which changes are notable, and what a merged pull request of a
//! young period will have cost.

use super::calendar::Span;
use super::facts::{ExpectedFact, Facts, Group, group};

/// What is decided with time.
const OUTCOMES: [&str; 7] = [
    "prs_merged",
    "merge_rate",
    "merge_rate_all",
    "sessions_with_merged_pr",
    "acus_per_merged_pr",
    "spend_per_merged_pr",
    "one_message_share",
];

/// Marks the facts of a report. `tables` has those of each span, oldest first, the report's last;
/// `old` those of what it is compared with; `points` the spans of the trend, oldest first.
pub fn mark(facts: &mut Facts, tables: &[Facts], (old, compared): (&Facts, &Span), points: &[Span]) {
    let ages: Vec<Age> = tables.iter().map(Age::of).collect();
    let own = ages.len() - 1;
    let first = ages.len() - points.len();
    let point = |label: &str| first + points.iter().position(|own| own.label == label).expect("a point");
    for ((metric, of), fact) in facts.iter_mut() {
        if !OUTCOMES.contains(&metric.as_str()) {
            continue;
        }
        fact.maturing = match of.get("period") {
            Some(label) => {
                let label = label.as_deref().expect("a period has a name");
                ages[point(label)].is_younger_than(&ages[first])
            }
            None => fact.previous.is_some() && ages[own].is_younger_than(&Age::of(old)),
        };
    }
    let lengths = [points.last().expect("its own point"), compared].map(|span| span.days.len() as f64);
    let marked: Vec<(String, Group)> = facts
        .iter()
        .filter(|((metric, of), fact)| {
            let before = old.get(&(metric.clone(), of.clone()));
            !of.contains_key("period") && is_notable(metric, of, fact, (before, lengths), facts, points)
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in marked {
        facts.get_mut(&key).expect("it was there").notable = true;
    }
    let expected = expected(facts, points);
    facts.extend(expected.map(|fact| (("acus_per_merged_pr_expected".to_owned(), Group::new()), fact)));
}

/// Pull requests of a span, and how many are not decided.
struct Age {
    all: i64,
    undecided: i64,
}

impl Age {
    fn of(table: &Facts) -> Self {
        let value = |metric: &str| table[&(metric.to_owned(), Group::new())].value.expect("a count") as i64;
        Self { all: value("prs"), undecided: value("undecided_prs") }
    }

    /// Whether the share that is not decided is more than a twentieth larger.
    fn is_younger_than(&self, other: &Self) -> bool {
        let (all, of_other) = (self.all.max(1), other.all.max(1));
        20 * (self.undecided * of_other - other.undecided * all) > all * of_other
    }
}

fn is_notable(
    metric: &str,
    of: &Group,
    fact: &ExpectedFact,
    (before, [days, days_before]): (Option<&ExpectedFact>, [f64; 2]),
    facts: &Facts,
    points: &[Span],
) -> bool {
    let (Some(now), Some(previous)) = (fact.value, fact.previous) else { return false };
    match fact.unit {
        "count" if metric != "user_messages_median" => {
            // By the product of both lengths, so that all are whole numbers.
            let gain = |a: f64, b: f64| now * b - previous * a;
            let exceeds = |a: f64, b: f64| {
                let noise = now * b * b + previous * a * a;
                noise > 0.0 && gain(a, b).powi(2) / noise >= 1.96_f64.powi(2)
            };
            let per_day = exceeds(days, days_before);
            // A person of February is not another one in March.
            let is_same_way = gain(1.0, 1.0) * gain(days, days_before) > 0.0;
            per_day && (metric != "active_users" || exceeds(1.0, 1.0) && is_same_way)
        }
        "share" if !metric.starts_with("acus") => {
            let parts =
                |fact: &ExpectedFact| (fact.numerator.expect("parts"), fact.denominator.expect("parts"));
            let ((x, n), (y, m)) = (parts(fact), parts(before.expect("a share has a previous one")));
            let p = (x + y) / (n + m);
            let variance = p * (1.0 - p) * (n + m) / (n * m);
            variance > 0.0 && (x / n - y / m).powi(2) / variance >= 1.96_f64.powi(2)
        }
        _ => {
            // Of a sum what a day has.
            let share = |value: f64, days: f64| {
                if ["acus", "acus_split"].contains(&metric) { value / days } else { value }
            };
            let now = share(now, days);
            let earlier = points.iter().rev().skip(1).filter_map(|span| {
                let mut key = of.clone();
                key.insert("period".to_owned(), Some(span.label.clone()));
                let point = facts.get(&(metric.to_owned(), key))?;
                Some(share(point.value.filter(|_| !point.maturing)?, span.days.len() as f64))
            });
            let earlier: Vec<f64> = earlier.collect();
            let n = earlier.len() as f64;
            let mean = earlier.iter().sum::<f64>() / n;
            let deviation = (earlier.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)).sqrt();
            // Sums in another order differ in their last digits.
            let slack = 1e-9 * mean.abs();
            n >= 4.0 && (now < mean - 2.0 * deviation - slack || now > mean + 2.0 * deviation + slack)
        }
    }
}

/// ACUs by the pull requests that are merged, and by those that will be at the usual rate.
fn expected(facts: &Facts, points: &[Span]) -> Option<ExpectedFact> {
    let get = |metric: &str, label: Option<&str>| {
        let of = label.map_or_else(Group::new, |label| group(&[("period", Some(label))]));
        facts.get(&(metric.to_owned(), of))
    };
    if !get("acus_per_merged_pr", None)?.maturing {
        return None;
    }
    let (mut merged, mut decided) = (0.0, 0.0);
    for span in points.iter().rev().skip(1) {
        let rate = get("merge_rate", Some(&span.label))?;
        if !rate.maturing {
            merged += rate.numerator?;
            decided += rate.denominator?;
        }
    }
    let value = |metric: &str| get(metric, None)?.value;
    let now = value("prs_merged")?;
    let parts = (value("acus")?, now + value("undecided_prs")? * merged / decided);
    (decided >= 20.0 && parts.1 > 0.0).then(|| ExpectedFact {
        unit: "acu",
        value: Some(parts.0 / parts.1),
        n: now as u64,
        numerator: Some(parts.0),
        denominator: Some(parts.1),
        ..ExpectedFact::default()
    })
}
