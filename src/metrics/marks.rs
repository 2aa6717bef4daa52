//! Marks on finished facts: which comparisons are maturing, which changes are notable, and what a
//! merged pull request of a young period will have cost.
//!
//! Pull requests of a young period are still open, so what came of them looks worse than in older
//! periods: such comparisons are *maturing*. A change is *notable* if it exceeds chance. Both are
//! computed from the facts as they are shown, so they say nothing that a reader could not compute;
//! where the share of undecided pull requests is hidden, a comparison counts as maturing.

use std::collections::BTreeMap;

use super::acus::ACUS;
use super::dimension::Dim;
use super::fact::Fact;
use super::metric::{Metric, MetricKind};
use super::pull_requests::{
    ACUS_PER_MERGED_PR, ACUS_PER_MERGED_PR_EXPECTED, MERGE_RATE, MERGE_RATE_ALL, PRS_MERGED,
    SESSIONS_WITH_MERGED_PR, UNDECIDED_PRS, UNDECIDED_SHARE,
};
use super::sessions::ONE_MESSAGE_SHARE;
use super::spend::SPEND_PER_MERGED_PR;
use crate::period::Period;
use crate::unit::Unit;

/// What came of pull requests: it changes as long as they are decided.
const OUTCOMES: [&str; 7] = [
    PRS_MERGED.id,
    MERGE_RATE.id,
    MERGE_RATE_ALL.id,
    SESSIONS_WITH_MERGED_PR.id,
    ACUS_PER_MERGED_PR.id,
    SPEND_PER_MERGED_PR.id,
    ONE_MESSAGE_SHARE.id,
];

/// Shares of undecided pull requests that differ by more cannot be compared.
const COMPARABLE: f64 = 0.05;
/// Differences of shares are not exact in binary.
const TOLERANCE: f64 = 1e-9;
/// Standard deviations that chance exceeds once in twenty times.
const EXCEEDS_CHANCE: f64 = 1.96;
/// Standard deviations around the mean of earlier periods.
const USUAL: f64 = 2.0;
/// Earlier periods that a spread is known from.
pub const ENOUGH_POINTS: usize = 4;
/// Decided pull requests that a merge rate to expect is known from.
const ENOUGH_DECIDED: f64 = 20.0;

/// Marks facts and adds [`ACUS_PER_MERGED_PR_EXPECTED`]. The facts are in canonical order, and stay
/// so; `points` has the trend's periods, newest first, the report's among them. Totals are compared
/// per day: those of the period that is compared are multiplied by `per_day_scale`.
pub fn mark(facts: &mut Vec<Fact>, points: &[Period], per_day_scale: f64) {
    let labels: Vec<String> = points.iter().map(Period::label).collect();
    let undecided = Undecided::of(facts, &labels);
    for fact in facts.iter_mut().filter(|fact| OUTCOMES.contains(&fact.metric.id)) {
        fact.maturing = match fact.key(Dim::Period) {
            Some(label) => undecided.is_point_maturing(label),
            None => fact.previous.is_some() && undecided.is_period_maturing(),
        };
    }
    let earlier = Earlier::of(facts, points);
    for fact in facts.iter_mut().filter(|fact| fact.key(Dim::Period).is_none()) {
        fact.notable = is_notable(fact, &earlier, per_day_scale);
    }
    if let Some(expected) = expected(facts, &earlier) {
        let place = facts.partition_point(|fact| fact.canonical_order(&expected).is_lt());
        facts.insert(place, expected);
    }
}

/// Shares of undecided pull requests; none where it is hidden.
struct Undecided {
    now: Option<f64>,
    before: Option<f64>,
    oldest: Option<f64>,
    points: BTreeMap<String, Option<f64>>,
}

impl Undecided {
    fn of(facts: &[Fact], points: &[String]) -> Self {
        // Of no pull requests none is undecided.
        let share = |fact: &Fact| fact.value.or((fact.denominator == Some(0.0)).then_some(0.0));
        let own = whole(facts, &UNDECIDED_SHARE);
        let before = || {
            let no_pull_request = || whole(facts, &UNDECIDED_PRS)?.previous.map(|_| 0.0);
            own?.previous.or_else(no_pull_request)
        };
        let of_trend = of_metric(facts, &UNDECIDED_SHARE)
            .filter_map(|fact| Some((fact.key(Dim::Period).flatten()?.to_owned(), share(fact))));
        let by_label: BTreeMap<String, Option<f64>> = of_trend.collect();
        let oldest = points.last().and_then(|label| by_label.get(label).copied().flatten());
        Self { now: own.and_then(share), before: before(), oldest, points: by_label }
    }

    fn is_period_maturing(&self) -> bool {
        exceeds(self.now, self.before)
    }

    fn is_point_maturing(&self, label: Option<&str>) -> bool {
        exceeds(label.and_then(|label| self.points.get(label).copied().flatten()), self.oldest)
    }
}

/// Whether a share exceeds another one, or may do so.
fn exceeds(share: Option<f64>, other: Option<f64>) -> bool {
    match (share, other) {
        (Some(share), Some(other)) => share - other > COMPARABLE + TOLERANCE,
        _ => true,
    }
}

/// Values by metric and the keys of the group, from the earlier points of the trend that are not
/// maturing. Totals are those of as many days as the report's period has.
struct Earlier {
    values: BTreeMap<(&'static str, Vec<String>), Vec<f64>>,
    /// The earlier points, with what totals are multiplied by.
    scales: BTreeMap<String, f64>,
}

impl Earlier {
    fn of(facts: &[Fact], points: &[Period]) -> Self {
        let mut this = Self { values: BTreeMap::new(), scales: BTreeMap::new() };
        if let Some((own, earlier)) = points.split_first() {
            this.scales = earlier.iter().map(|point| (point.label(), own.per_day_scale(point))).collect();
        }
        for fact in facts {
            if let Some((value, scale)) = fact.value.zip(this.scale(fact)) {
                this.values.entry((fact.metric.id, keys(fact))).or_default().push(value * fact.scale(scale));
            }
        }
        this
    }

    /// The scale of a fact's period; none where the fact is not of an earlier point, or maturing.
    fn scale(&self, fact: &Fact) -> Option<f64> {
        self.scales.get(fact.key(Dim::Period)??).copied().filter(|_| !fact.maturing)
    }
}

/// The group without the period, as texts that are equal for equal groups.
fn keys(fact: &Fact) -> Vec<String> {
    let others = fact.group.iter().filter(|(dim, _)| *dim != Dim::Period);
    let text = |key: &Option<String>| key.as_ref().map_or_else(String::new, |key| format!("={key}"));
    others.map(|(dim, key)| format!("{}{}", dim.name(), text(key))).collect()
}

/// What decides whether a change exceeds chance.
enum Rule {
    /// The change of a count against what counts vary by.
    Count,
    /// The change of a share against what samples of its size vary by.
    Share,
    /// The value against the earlier periods of the trend.
    Spread,
}

fn rule(metric: &Metric) -> Rule {
    match (metric.unit, metric.kind) {
        (Unit::Count, MetricKind::Total) => Rule::Count,
        (Unit::Share, MetricKind::Ratio) if !metric.is_of_acus() => Rule::Share,
        _ => Rule::Spread,
    }
}

fn is_notable(fact: &Fact, earlier: &Earlier, per_day_scale: f64) -> bool {
    let (Some(now), Some(before)) = (fact.value, fact.previous) else { return false };
    match rule(fact.metric) {
        Rule::Count if fact.metric.adds_up_over_days() => exceeds_noise(now, before, per_day_scale) != 0,
        // Twice as many days have more people, but not twice as many: a change must exceed chance either
        // way.
        Rule::Count => {
            let change = exceeds_noise(now, before, 1.0);
            change != 0 && change == exceeds_noise(now, before, per_day_scale)
        }
        Rule::Share => {
            let (n, n_before) = (fact.denominator(), fact.previous_n);
            let pooled = (fact.numerator() + before * n_before) / (n + n_before);
            let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / n_before)).sqrt();
            // Parts that are hidden are no numbers, and no comparison with them holds.
            error > 0.0 && (now - before).abs() / error >= EXCEEDS_CHANCE
        }
        Rule::Spread => {
            let values = earlier.values.get(&(fact.metric.id, keys(fact)));
            values.is_some_and(|values| is_unusual(now, values))
        }
    }
}

/// The sign of the change of a count if it exceeds chance, else 0. A count is as uncertain as its
/// square root, and so is one that is scaled, in its scale.
fn exceeds_noise(now: f64, before: f64, scale: f64) -> i8 {
    let change = now - scale * before;
    match change.abs() >= EXCEEDS_CHANCE * (now + scale * scale * before).sqrt() {
        true if change > 0.0 => 1,
        true if change < 0.0 => -1,
        _ => 0,
    }
}

/// Whether a value is outside of what others spread over.
fn is_unusual(value: f64, others: &[f64]) -> bool {
    if others.len() < ENOUGH_POINTS {
        return false;
    }
    let count = others.len() as f64;
    let mean = others.iter().sum::<f64>() / count;
    let squares: f64 = others.iter().map(|other| (other - mean).powi(2)).sum();
    (value - mean).abs() > USUAL * (squares / (count - 1.0)).sqrt() + TOLERANCE * mean.abs()
}

/// What a merged pull request will have cost once the others are decided; none where that is not
/// to be expected, or cannot be known.
fn expected(facts: &[Fact], earlier: &Earlier) -> Option<Fact> {
    let cost = whole(facts, &ACUS_PER_MERGED_PR).filter(|fact| fact.maturing)?;
    let value = |metric| whole(facts, metric)?.value;
    let (acus, merged, undecided) = (value(&ACUS)?, value(&PRS_MERGED)?, value(&UNDECIDED_PRS)?);
    let rates = of_metric(facts, &MERGE_RATE).filter(|fact| earlier.scale(fact).is_some());
    let parts: Vec<(f64, f64)> = rates.filter_map(|fact| fact.numerator.zip(fact.denominator)).collect();
    let decided: f64 = parts.iter().map(|(_, decided)| decided).sum();
    let merged_before: f64 = parts.iter().map(|(merged, _)| merged).sum();
    // A covered report has whole numbers alone.
    let is_whole = cost.unit == cost.unit.whole();
    let round = |number: f64| if is_whole { number.round() } else { number };
    let denominator = round(merged + undecided * merged_before / decided);
    // What is hidden is no number, and not enough.
    if !(decided >= ENOUGH_DECIDED && denominator > 0.0) {
        return None;
    }
    Some(Fact {
        metric: super::registry::METRICS.iter().find(|metric| metric.id == ACUS_PER_MERGED_PR_EXPECTED.id)?,
        value: Some(round(acus / denominator)),
        numerator: Some(acus),
        denominator: Some(denominator),
        n: merged,
        previous: None,
        previous_n: 0.0,
        maturing: false,
        notable: false,
        ..cost.clone()
    })
}

/// A metric's fact of the whole period.
fn whole<'f>(facts: &'f [Fact], metric: &Metric) -> Option<&'f Fact> {
    of_metric(facts, metric).find(|fact| fact.group.is_empty())
}

fn of_metric<'f>(facts: &'f [Fact], metric: &Metric) -> impl Iterator<Item = &'f Fact> {
    facts.iter().filter(move |fact| fact.metric.id == metric.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACTIVE_USERS, ANALYSIS_COVERAGE, Judgement, METRICS, SESSIONS};

    /// How the pull requests of a period ended: merged, closed, undecided; and its ACUs.
    type Week = ([u32; 3], f64);

    fn metric(id: &str) -> &'static Metric {
        METRICS.iter().find(|metric| metric.id == id).unwrap()
    }

    fn points(count: usize) -> Vec<Period> {
        let week = Period::parse_week("2026-W41", chrono_tz::UTC).unwrap();
        week.trend(u32::try_from(count).unwrap() - 1)
    }

    fn parts(metric: &Metric, ([merged, closed, undecided], acus): Week) -> (f64, Option<[f64; 2]>, f64) {
        let [merged, closed, undecided] = [merged, closed, undecided].map(f64::from);
        let (decided, all) = (merged + closed, merged + closed + undecided);
        let ratio = |upper: f64, lower: f64| (upper / lower, Some([upper, lower]), lower);
        match metric.id {
            "prs_merged" => (merged, None, all),
            "undecided_prs" => (undecided, None, all),
            "undecided_share" => ratio(undecided, all),
            "merge_rate" => ratio(merged, decided),
            "acus_per_merged_pr" => ratio(acus, merged),
            "acus" => (acus, None, 50.0),
            other => panic!("{other}"),
        }
    }

    /// Facts of weeks, newest first.
    fn facts(weeks: &[Week]) -> Vec<Fact> {
        let ids =
            ["acus", "acus_per_merged_pr", "merge_rate", "prs_merged", "undecided_prs", "undecided_share"];
        let mut facts = Vec::new();
        for metric in ids.map(metric) {
            let fact = |group: Vec<(Dim, Option<String>)>, at: usize| {
                let (value, parts, n) = parts_at(metric, weeks, at).unwrap();
                let before = parts_at(metric, weeks, at + 1);
                Fact {
                    metric,
                    unit: metric.unit,
                    group,
                    value: Some(value).filter(|value| value.is_finite()),
                    numerator: parts.map(|[upper, _]| upper),
                    denominator: parts.map(|[_, lower]| lower),
                    n,
                    previous: before.and_then(|(value, ..)| Some(value).filter(|value| value.is_finite())),
                    previous_n: before.map_or(0.0, |(_, _, n)| n),
                    maturing: false,
                    notable: false,
                }
            };
            facts.push(fact(Vec::new(), 0));
            for (at, point) in points(weeks.len()).into_iter().enumerate() {
                facts.push(fact(vec![(Dim::Period, Some(point.label()))], at));
            }
        }
        facts.sort_by(Fact::canonical_order);
        facts
    }

    fn parts_at(metric: &Metric, weeks: &[Week], at: usize) -> Option<(f64, Option<[f64; 2]>, f64)> {
        weeks.get(at).map(|week| parts(metric, *week))
    }

    fn marked(weeks: &[Week]) -> Vec<Fact> {
        let mut facts = facts(weeks);
        mark(&mut facts, &points(weeks.len()), 1.0);
        assert!(facts.is_sorted_by(|a, b| a.canonical_order(b).is_lt()));
        facts
    }

    fn own<'f>(facts: &'f [Fact], id: &str) -> &'f Fact {
        whole(facts, metric(id)).unwrap()
    }

    /// Numbers that look random and are the same every time.
    fn numbers(seed: u64) -> impl FnMut(u32) -> u32 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u32::try_from((state >> 33) % u64::from(below)).unwrap()
        }
    }

    fn weeks(seed: u64) -> Vec<Week> {
        let mut next = numbers(seed);
        let count = 2 + next(7);
        let mut week = |_| ([next(120), next(40), next(30)], f64::from(next(900)));
        (0..count).map(&mut week).collect()
    }

    #[test]
    fn where_every_pull_request_is_decided_nothing_is_maturing() {
        for seed in 1..400 {
            let decided: Vec<Week> = weeks(seed)
                .into_iter()
                .map(|([merged, closed, _], acus)| ([merged, closed, 0], acus))
                .collect();
            let facts = marked(&decided);
            assert!(facts.iter().all(|fact| !fact.maturing), "{decided:?}");
            assert!(whole(&facts, &ACUS_PER_MERGED_PR_EXPECTED).is_none());
        }
    }

    #[test]
    fn making_young_pull_requests_undecided_colours_no_comparison_that_is_neutral_for_it() {
        let outcomes = ["prs_merged", "merge_rate", "acus_per_merged_pr"];
        let (mut maturing, mut coloured) = (0, 0);
        for seed in 1..400 {
            let mut weeks = weeks(seed);
            let mut was_maturing = false;
            while weeks[0].0[0] > 0 {
                let facts = marked(&weeks);
                let share = |[merged, closed, undecided]: [u32; 3]| {
                    let all = merged + closed + undecided;
                    if all == 0 { 0.0 } else { f64::from(undecided) / f64::from(all) }
                };
                let is_younger = share(weeks[0].0) - share(weeks[1].0) > 0.05 + 1e-9;
                // Once it is maturing, it stays so.
                assert!(is_younger || !was_maturing);
                was_maturing = is_younger;
                for id in outcomes {
                    let fact = own(&facts, id);
                    let is_compared = fact.previous.is_some();
                    assert_eq!(fact.maturing, is_younger && is_compared, "{id} {weeks:?}");
                    assert!(!is_younger || fact.judgement(1.0) == Judgement::Neutral, "{id} {weeks:?}");
                    maturing += usize::from(fact.maturing);
                    coloured += usize::from(fact.judgement(1.0) != Judgement::Neutral);
                }
                let [merged, closed, undecided] = weeks[0].0;
                weeks[0].0 = [merged - 1, closed, undecided + 1];
            }
        }
        assert!(maturing > 1000 && coloured > 100, "{maturing} {coloured}");
    }

    #[test]
    fn points_are_maturing_against_the_oldest_one() {
        let weeks = [([10, 0, 10], 9.0), ([18, 0, 2], 9.0), ([19, 0, 1], 9.0), ([20, 0, 1], 9.0)];
        let is_maturing = |facts: &[Fact], id: &str| {
            let points = of_metric(facts, metric(id)).filter(|fact| !fact.group.is_empty());
            points.map(|fact| fact.maturing).collect::<Vec<_>>()
        };
        // The oldest first: 1 of 21, of 20, 2 of 20 (5.2 points more), 10 of 20.
        assert_eq!(is_maturing(&marked(&weeks), "merge_rate"), [false, false, true, true]);
        assert_eq!(is_maturing(&marked(&weeks), "acus"), [false; 4]);
        // 5 points are not more than 5 points, whatever binary fractions make of them.
        let by_five = [([65, 0, 35], 9.0), ([70, 0, 30], 9.0)];
        assert!(!own(&marked(&by_five), "prs_merged").maturing);
    }

    #[test]
    fn what_is_hidden_counts_as_maturing() {
        let weeks = [([20, 1, 0], 9.0); 3];
        let hide = |is_hidden: &dyn Fn(&Fact) -> bool| {
            let mut facts = self::facts(&weeks);
            facts.retain(|fact| !is_hidden(fact));
            mark(&mut facts, &points(3), 1.0);
            facts
        };
        let is_share = |fact: &Fact| fact.metric.id == UNDECIDED_SHARE.id;
        assert!(!own(&hide(&|_| false), "merge_rate").maturing);
        assert!(own(&hide(&|fact| is_share(fact) && fact.group.is_empty()), "merge_rate").maturing);
        let oldest = |fact: &Fact| is_share(fact) && fact.key(Dim::Period) == Some(Some("2026-W39"));
        let facts = hide(&oldest);
        let mut of_points = of_metric(&facts, &MERGE_RATE).filter(|fact| !fact.group.is_empty());
        assert!(of_points.all(|fact| fact.maturing));
        // Only the previous value is hidden.
        let mut facts = self::facts(&weeks);
        for fact in facts.iter_mut().filter(|fact| fact.metric.id.starts_with("undecided")) {
            fact.previous = None;
        }
        mark(&mut facts, &points(3), 1.0);
        assert!(own(&facts, "merge_rate").maturing);
    }

    #[test]
    fn a_period_without_pull_requests_has_none_that_is_undecided() {
        let facts = marked(&[([10, 0, 1], 9.0), ([0, 0, 0], 9.0)]);
        // 9 points more than nothing.
        assert!(own(&facts, "prs_merged").maturing);
        let facts = marked(&[([10, 0, 0], 9.0), ([0, 0, 0], 9.0)]);
        assert!(!own(&facts, "prs_merged").maturing);
        assert_eq!(own(&facts, "prs_merged").judgement(1.0), Judgement::Better);
    }

    #[test]
    fn counts_shares_and_sums_are_notable_beyond_chance() {
        let fact = |metric: &'static Metric, value, n, previous, previous_n| Fact {
            metric,
            unit: metric.unit,
            group: Vec::new(),
            value: Some(value),
            numerator: (metric.kind == MetricKind::Ratio).then_some(value * n),
            denominator: (metric.kind == MetricKind::Ratio).then_some(n),
            n,
            previous,
            previous_n,
            maturing: false,
            notable: false,
        };
        let none = Earlier { values: BTreeMap::new(), scales: BTreeMap::new() };
        let counted = |metric, value, previous, scale| {
            is_notable(&fact(metric, value, 1.0, Some(previous), 1.0), &none, scale)
        };
        let sessions = |value, previous| counted(&SESSIONS, value, previous, 1.0);
        // 28 / √200 = 1.98; 27 / √199 = 1.91.
        assert_eq!([sessions(114.0, 86.0), sessions(113.0, 86.0)], [true, false]);
        assert_eq!([sessions(0.0, 0.0), sessions(4.0, 0.0), sessions(3.0, 0.0)], [false, true, false]);
        // 31 days against 28: |x / 31 − y / 28| / √(x / 31² + y / 28²) is 0.00, 1.97, 1.95 and 2.27.
        let months = |value| counted(&SESSIONS, value, 1000.0, 31.0 / 28.0);
        assert_eq!([1107.0, 1204.0, 1203.0, 1000.0].map(months), [false, true, false, true]);
        // People do not add up: more of them, but not more a day, may be as many as before.
        let people = |value| counted(&ACTIVE_USERS, value, 1000.0, 31.0 / 28.0);
        assert_eq!([900.0, 1000.0, 1107.0, 1180.0, 1204.0].map(people), [true, false, false, false, true]);
        let coverage = |value, n, previous| {
            // Shares do not depend on the lengths.
            let fact = fact(&ANALYSIS_COVERAGE, value, n, Some(previous), n);
            let [equal, longer] = [1.0, 13.0].map(|scale| is_notable(&fact, &none, scale));
            assert_eq!(equal, longer);
            equal
        };
        // Of 100 each: 0.14 / √(0.5 · 0.5 · 2 / 100) = 1.98, and 0.13 / the same = 1.84.
        assert_eq!([coverage(0.57, 100.0, 0.43), coverage(0.56, 100.0, 0.43)], [true, false]);
        assert_eq!([coverage(0.57, 90.0, 0.43), coverage(1.0, 100.0, 1.0)], [false, false]);
        // Mean 10, standard deviation √(10 / 3) = 1.83: from 6.35 to 13.65 is usual.
        let week = |acus| ([20, 0, 0], acus);
        let acus = |now, count: usize| {
            let weeks: Vec<Week> = [now, 8.0, 9.0, 11.0, 12.0].into_iter().take(count).map(week).collect();
            own(&marked(&weeks), "acus").notable
        };
        assert_eq!([acus(13.6, 5), acus(13.7, 5), acus(6.4, 5), acus(6.3, 5)], [false, true, false, true]);
        // Three earlier periods are too few.
        assert!(!acus(99.0, 4));
        // What never varied is unusual once it does.
        assert_eq!([is_unusual(7.0, &[7.0; 4]), is_unusual(7.1, &[7.0; 4])], [false, true]);
        // Points are compared with nothing.
        assert!(marked(&[week(99.0), week(8.0)]).iter().all(|fact| fact.group.is_empty() || !fact.notable));
    }

    #[test]
    fn sums_are_compared_with_earlier_periods_per_day() {
        let month = Period::parse_month("2026-03", chrono_tz::UTC).unwrap();
        let points = month.trend(4);
        let days: Vec<f64> = points.iter().map(|point| point.day_count() as f64).collect();
        assert_eq!(days, [31.0, 28.0, 31.0, 31.0, 30.0]);
        let notable = |metric: &'static str, a_day: f64| {
            let [first, rest @ ..] = days.as_slice() else { panic!("a trend") };
            let mut values = vec![first * a_day];
            values.extend(rest.iter().zip([9.9, 10.1, 10.0, 10.2]).map(|(days, a_day)| days * a_day));
            let of = self::metric(metric);
            let fact = |group: Vec<(Dim, Option<String>)>, value| Fact {
                metric: of,
                unit: of.unit,
                group,
                value: Some(value),
                numerator: None,
                denominator: None,
                n: 9.0,
                previous: None,
                previous_n: 0.0,
                maturing: false,
                notable: false,
            };
            let mut facts = vec![Fact { previous: Some(values[1]), ..fact(Vec::new(), values[0]) }];
            let of_points = points.iter().zip(&values);
            facts.extend(
                of_points.map(|(point, value)| fact(vec![(Dim::Period, Some(point.label()))], *value)),
            );
            facts.sort_by(Fact::canonical_order);
            mark(&mut facts, &points, points[0].per_day_scale(&points[1]));
            whole(&facts, of).unwrap().notable
        };
        // Mean 10.05, standard deviation 0.129: from 9.79 to 10.31 is usual. Not per day, 31 · 10.4 would be
        // usual among 277, 313, 310 and 306, and 31 · 9.7 as well.
        let acus = [9.7, 9.8, 10.3, 10.4].map(|a_day| notable("acus", a_day));
        assert_eq!(acus, [true, false, false, true]);
        // A median is what it is, whatever the length.
        assert!(!notable("acus_per_session_median", 10.4) && notable("acus_per_session_median", 12.0));
    }

    #[test]
    fn a_change_per_day_decides_what_is_better() {
        let month = |value, previous| Fact {
            value: Some(value),
            previous: Some(previous),
            notable: true,
            ..own(&facts(&[([9, 0, 0], 1.0); 2]), "prs_merged").clone()
        };
        let scale = 28.0 / 31.0;
        assert_eq!(month(290.0, 310.0).compared(scale), Some((290.0, 280.0)));
        // Fewer in a shorter month, but more a day.
        assert_eq!(month(290.0, 310.0).judgement(scale), Judgement::Better);
        assert_eq!(month(290.0, 310.0).judgement(1.0), Judgement::Worse);
        assert_eq!(month(280.0, 310.0).judgement(scale), Judgement::Neutral);
        let rate =
            Fact { n: 50.0, previous_n: 50.0, ..own(&facts(&[([9, 1, 0], 1.0); 2]), "merge_rate").clone() };
        let rate = Fact { value: Some(0.8), previous: Some(0.7), notable: true, ..rate };
        assert_eq!((rate.compared(scale), rate.judgement(2.0)), (Some((0.8, 0.7)), Judgement::Better));
    }

    #[test]
    fn maturing_points_are_no_earlier_periods() {
        let mature = [([20, 0, 0], 8.0), ([20, 0, 0], 9.0), ([20, 0, 0], 11.0), ([20, 0, 0], 12.0)];
        let weeks = |last: Week| [&[([40, 0, 0], 999.0)][..], &mature[..3], &[last]].concat();
        assert!(own(&marked(&weeks(mature[3])), "acus_per_merged_pr").notable);
        // The point before the last is young; three remain.
        let mut young = weeks(mature[3]);
        young[1].0 = [10, 0, 10];
        assert!(!own(&marked(&young), "acus_per_merged_pr").notable);
        // ACUs do not mature.
        assert!(own(&marked(&young), "acus").notable);
    }

    #[test]
    fn a_young_period_has_a_cost_to_expect() {
        let weeks = [([10, 2, 20], 300.0), ([20, 5, 0], 300.0), ([15, 0, 0], 300.0)];
        let facts = marked(&weeks);
        let expected = whole(&facts, &ACUS_PER_MERGED_PR_EXPECTED).unwrap();
        // 35 of 40 were merged: 10 + 20 · 35 / 40 = 27.5.
        assert_eq!((expected.denominator, expected.numerator), (Some(27.5), Some(300.0)));
        assert_eq!((expected.value, expected.n), (Some(300.0 / 27.5), 10.0));
        assert_eq!((expected.previous, expected.notable, expected.maturing), (None, false, false));
        assert_eq!(expected.judgement(1.0), Judgement::Neutral);
        // Of 19 decided ones no rate is known.
        let few = [weeks[0], ([15, 4, 0], 300.0)];
        assert!(whole(&marked(&few), &ACUS_PER_MERGED_PR_EXPECTED).is_none());
        assert!(whole(&marked(&[weeks[0], ([16, 4, 0], 300.0)]), &ACUS_PER_MERGED_PR_EXPECTED).is_some());
    }
}
