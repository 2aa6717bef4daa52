//! What stands out: sentences that rules derive from the facts, each with its number; none on thin
//! data.

use serde::Serialize;

use super::comparable::{self, MIN_BASIS, has_spread};
use super::number::{change_in_percent, is_one};
use super::{limits, money, names, previous_name};
use crate::metrics::*;
use crate::text::clean;
use crate::unit::{Unit, count, counted, percent_change};

/// The most sentences on the page.
const MAX_SENTENCES: usize = 5;
/// The least number of issues for a label to be mentioned.
const MIN_ISSUES: f64 = 3.0;

/// The longest name inside a sentence.
const LONGEST_NAME: usize = 50;

/// A sentence of our words and of names, which are other people's words.
pub type Sentence = Vec<Piece>;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is other people's text, which can be written from right to left.
    pub name: bool,
}

/// The sentences, most relevant for decisions first.
pub fn insights(facts: &Facts) -> Vec<Sentence> {
    let previous = &previous_name(facts);
    let rules = match too_few(facts) {
        Some(too_few) => vec![Some(too_few), previous_count(facts, previous)],
        None => vec![
            headline(facts, previous),
            merge_outcome(facts, previous),
            top_label(facts),
            without_pr(facts),
            top_users(facts),
            top_action_item(facts),
        ],
    };
    let budgets: Vec<Sentence> = budgets(facts).collect();
    let limits = limits::sentences(facts);
    // A period of several months has a sentence for each; they count as one, as limits do.
    let most = MAX_SENTENCES + budgets.len().saturating_sub(1) + limits.len().saturating_sub(1);
    let first = incompleteness(facts).into_iter().chain(budgets).chain(limits);
    first.chain(rules.into_iter().flatten()).take(most).collect()
}

pub(super) fn plain(text: String) -> Sentence {
    vec![Piece { text, name: false }]
}

/// A sentence around a name, which keeps its writing direction.
pub(super) fn with_name(before: &str, dim: Dim, key: Option<&str>, after: String) -> Sentence {
    let own = |text: String| Piece { text, name: false };
    let name = clean(&names::name(dim, key), LONGEST_NAME);
    vec![own(format!("{before}“")), Piece { text: name, name: true }, own(format!("”{after}"))]
}

fn acus(facts: &Facts, value: f64) -> String {
    facts.unit(&ACUS).text(Some(value))
}

fn incompleteness(facts: &Facts) -> Option<Sentence> {
    let arrived = || match facts.source.unique {
        None => "sessions".to_owned(),
        Some(unique) => counted(unique as f64, "session", "sessions"),
    };
    (!facts.source.is_complete()).then(|| {
        plain(format!(
            "Every number and change below is based on the {} that were received and may be wrong.",
            arrived()
        ))
    })
}

/// The use of each budget.
fn budgets(facts: &Facts) -> impl Iterator<Item = Sentence> {
    facts.budgets.iter().map(|budget| plain(money::budget_sentence(budget, facts.is_covered())))
}

/// A sentence about an empty period, or about one with too few sessions for comparisons.
fn too_few(facts: &Facts) -> Option<Sentence> {
    match facts.whole(&SESSIONS)?.value? {
        // The notice about missing sessions says so already.
        0.0 if !facts.source.is_complete() => None,
        0.0 => Some(plain("No session was created in this period.".to_owned())),
        1.0 => Some(plain("1 session was created: too few to compare.".to_owned())),
        some if some < MIN_BASIS => {
            Some(plain(format!("{} sessions were created: too few to compare.", count(some))))
        }
        _ => None,
    }
}

/// How many sessions the previous period had.
fn previous_count(facts: &Facts, previous: &str) -> Option<Sentence> {
    let before = facts.whole(&SESSIONS)?.previous?;
    (before >= MIN_BASIS).then(|| plain(format!("In {previous} there were {}.", count(before))))
}

/// The headline number with the largest relative change beyond chance; for ACUs also the tag behind
/// it. If none changed so much, that is said.
fn headline(facts: &Facts, previous: &str) -> Option<Sentence> {
    let compared = |metric: &'static Metric| {
        let fact = facts.whole(metric)?;
        let (now, before) = (fact.value?, fact.previous?);
        (before >= MIN_BASIS).then_some((fact, now, before))
    };
    let all: Vec<_> = [&ACUS, &SESSIONS, &ACTIVE_USERS, &PRS].into_iter().filter_map(compared).collect();
    let scale = facts.per_day_scale();
    let relative = |(fact, now, before): &(&Fact, f64, f64)| now / (before * fact.scale(scale)) - 1.0;
    // Of equal changes the first counts: ACUs have priority.
    let notable = all.iter().rev().filter(|(fact, ..)| fact.notable);
    let Some((fact, now, before)) = notable.max_by(|a, b| relative(a).abs().total_cmp(&relative(b).abs()))
    else {
        let each = |(fact, ..): &(&Fact, f64, f64)| {
            Some(format!("{} {}", in_text(fact.metric), change_in_percent(fact, scale)?))
        };
        let each: Vec<String> = all.iter().filter_map(each).collect();
        let each = Some(each.join(", ")).filter(|each| !each.is_empty())?;
        return Some(plain(match has_spread(facts) {
            true => format!("Compared with {previous}, usage changed by no more than chance: {each}."),
            false => format!(
                "Compared with {previous}: {each}. There are too few earlier periods to say whether that is \
                 more than chance."
            ),
        }));
    };
    let metric = fact.metric;
    let verb = if relative(&(fact, *now, *before)) > 0.0 { "rose" } else { "fell" };
    let pace = pace(facts, fact);
    let text = |value, days| pace.unit(metric, facts).text(Some(value / days));
    let mut sentence = plain(format!(
        "{}{} {verb} to {} from {} in {previous} ({}).",
        metric.title,
        pace.words,
        text(*now, pace.days),
        text(*before, pace.days_before),
        percent_change(*now, before * fact.scale(scale))?
    ));
    if metric.id == ACUS.id {
        sentence.extend(tag_behind(facts, now - before * fact.scale(scale)).into_iter().flatten());
    }
    Some(sentence)
}

/// How the amounts of a change are shown: as they are, or per day where the lengths differ.
struct Pace {
    /// ` per day`, or nothing.
    words: &'static str,
    /// What the amount is divided by …
    days: f64,
    /// … and what the previous one is.
    days_before: f64,
}

fn pace(facts: &Facts, fact: &Fact) -> Pace {
    if is_one(&fact.scale(facts.per_day_scale())) {
        return Pace { words: "", days: 1.0, days_before: 1.0 };
    }
    let [days, days_before] =
        [facts.report_period(), facts.previous_period()].map(|period| period.day_count() as f64);
    Pace { words: " per day", days, days_before }
}

impl Pace {
    /// The unit of amounts; a day's share of a whole one is none.
    fn unit(&self, metric: &Metric, facts: &Facts) -> Unit {
        if self.words.is_empty() { facts.unit(metric) } else { metric.unit }
    }
}

/// A metric's title within a sentence.
fn in_text(metric: &Metric) -> String {
    if metric.unit == Unit::Acu { metric.title.to_owned() } else { metric.title.to_lowercase() }
}

/// The tag whose ACUs changed most in the direction of the total. A tag without sessions has no
/// fact, so a decrease is about tags in use.
fn tag_behind(facts: &Facts, whole: f64) -> Option<Sentence> {
    let (fact, change) = facts
        .by(&ACUS, &[Dim::Tag])
        .iter()
        .filter(|fact| fact.key(Dim::Tag).flatten().is_some_and(|tag| tag != SMALL_GROUP))
        .filter_map(|fact| {
            let (now, before) = fact.compared(facts.per_day_scale())?;
            Some((fact, now - before))
        })
        .max_by(|a, b| (a.1 * whole.signum()).total_cmp(&(b.1 * whole.signum())))?;
    if change * whole <= 0.0 || change.abs() < whole.abs() / 4.0 || fact.n < MIN_BASIS {
        return None;
    }
    // In a covered report the tag that changed most may be one whose previous value is hidden.
    let (scope, verb) = match whole > 0.0 {
        true if facts.is_covered() => (" Of the tags that can be compared, ", "grew"),
        false if facts.is_covered() => (" Of the tags that can be compared, ", "shrank"),
        true => (" Of all tags, ", "grew"),
        false => (" Of the tags in use, ", "shrank"),
    };
    let pace = pace(facts, fact);
    let text = |value: f64| pace.unit(&ACUS, facts).text(Some(value / pace.days));
    let after =
        format!(" {verb} most: by {} to {} ACUs{}.", text(change.abs()), text(fact.value?), pace.words);
    Some(with_name(scope, Dim::Tag, fact.key(Dim::Tag).flatten(), after))
}

/// The merge rate if it changed beyond chance, else the ACUs per merged pull request. Only if both
/// periods merged enough. A number that is still maturing has not changed yet.
fn merge_outcome(facts: &Facts, previous: &str) -> Option<Sentence> {
    let merged = facts.whole(&PRS_MERGED)?;
    if merged.value? < MIN_BASIS || merged.previous? < MIN_BASIS {
        return None;
    }
    let (rate, cost) = (facts.whole(&MERGE_RATE)?, facts.whole(&ACUS_PER_MERGED_PR));
    if rate.maturing || cost.is_some_and(|cost| cost.maturing) {
        return maturing(facts, rate, cost.filter(|_| facts.source.metered), previous);
    }
    if let (true, Some(now), Some(before)) = (rate.notable, rate.value, rate.previous) {
        let share = |value| Unit::Share.text(Some(value));
        return Some(plain(format!(
            "The merge rate {} to {} from {} in {previous}: {} of {} decided pull requests.",
            if now > before { "rose" } else { "fell" },
            share(now),
            share(before),
            count(rate.numerator()),
            count(rate.denominator())
        )));
    }
    let cost = cost.filter(|cost| cost.notable)?;
    let (now, before) = (cost.value?, cost.previous?);
    Some(plain(format!(
        "ACUs per merged pull request {} to {} from {} in {previous} ({}).",
        if now > before { "rose" } else { "fell" },
        acus(facts, now),
        acus(facts, before),
        percent_change(now, before)?
    )))
}

/// What a merged pull request costs for now, and what is to be expected; without ACUs the merge rate.
fn maturing(facts: &Facts, rate: &Fact, cost: Option<&Fact>, previous: &str) -> Option<Sentence> {
    let undecided = comparable::undecided(facts, "pull requests");
    let expected = facts.whole(&ACUS_PER_MERGED_PR_EXPECTED).and_then(|fact| fact.value);
    let text = match (cost.and_then(|cost| cost.value.zip(cost.previous)), expected) {
        (Some((now, before)), Some(expected)) => format!(
            "ACUs per merged pull request are {} now, and about {} once the open ones are decided ({} in \
             {previous}).",
            acus(facts, now),
            acus(facts, expected),
            acus(facts, before)
        ),
        (Some((now, before)), None) => format!(
            "ACUs per merged pull request are {} for now ({} in {previous}): {undecided}.",
            acus(facts, now),
            acus(facts, before)
        ),
        (None, _) => {
            let share = |value| Unit::Share.text(Some(value));
            let (now, before) = (rate.value?, rate.previous?);
            format!(
                "The merge rate is {} for now ({} in {previous}): {undecided}.",
                share(now),
                share(before)
            )
        }
    };
    Some(plain(text))
}

/// The label with the most high-impact issues.
fn top_label(facts: &Facts) -> Option<Sentence> {
    let mut labels = facts.highlights.labels.iter().filter(|row| row.label.is_some());
    let (row, next) = (labels.next()?, labels.next());
    if row.high < MIN_ISSUES || facts.whole(&ANALYSED_SESSIONS)?.value? < MIN_BASIS {
        return None;
    }
    let touched = match row.acus > 0.0 {
        true => format!(" that used {} ACUs", acus(facts, row.acus)),
        false => String::new(),
    };
    let touched =
        format!("Issues with this label occur in {}{touched}.", counted(row.sessions, "session", "sessions"));
    let key = row.label.as_deref();
    let high = count(row.high);
    Some(match next.is_some_and(|next| next.high == row.high) {
        true => with_name(
            "No label has more high-impact issues than ",
            Dim::Label,
            key,
            format!(": {high}. {touched}"),
        ),
        false => with_name(
            "",
            Dim::Label,
            key,
            format!(" is the label with the most high-impact issues: {high}. {touched}"),
        ),
    })
}

/// The ACUs of sessions without a pull request.
fn without_pr(facts: &Facts) -> Option<Sentence> {
    let fact = facts.whole(&ACUS_WITHOUT_PR_SHARE).filter(|_| facts.source.metered)?;
    if fact.n < MIN_BASIS || fact.denominator() <= 0.0 || fact.numerator() <= 0.0 {
        return None;
    }
    if fact.numerator() == fact.denominator() {
        return Some(plain(format!(
            "No session has a pull request; all used {} ACUs.",
            acus(facts, fact.numerator())
        )));
    }
    Some(plain(format!(
        "{} of the ACUs ({} of {}) were used in sessions without a pull request.",
        Unit::Share.text(fact.value),
        acus(facts, fact.numerator()),
        acus(facts, fact.denominator())
    )))
}

/// The share of the most active users.
fn top_users(facts: &Facts) -> Option<Sentence> {
    let users =
        facts.by(&ACUS, &[Dim::User]).iter().filter(|fact| fact.key(Dim::User).flatten().is_some()).count();
    let share = facts.whole(&ACUS_TOP_DECILE_SHARE).filter(|_| facts.source.metered)?;
    if share.denominator() <= 0.0 {
        return None;
    }
    if facts.is_covered() {
        // Reports without people do not reveal the number of users.
        return Some(plain(format!(
            "The top 10% of users, service users included, used {} of the ACUs that have a user: {} of {}.",
            Unit::Share.text(share.value),
            acus(facts, share.numerator()),
            acus(facts, share.denominator())
        )));
    }
    if (users as f64) < MIN_BASIS {
        return None;
    }
    Some(plain(format!(
        "The top 10% of users ({} of {}, service users included) used {} of the ACUs that have a user: \
         {} of {}.",
        count(users.div_ceil(10) as f64),
        count(users as f64),
        Unit::Share.text(share.value),
        acus(facts, share.numerator()),
        acus(facts, share.denominator())
    )))
}

/// The most frequent type of action item.
fn top_action_item(facts: &Facts) -> Option<Sentence> {
    let items: Vec<&Fact> = facts.by(&ACTION_ITEMS, &[Dim::Type]).iter().collect();
    let all: f64 = items.iter().filter_map(|fact| fact.value).sum();
    let value = |fact: &Fact| fact.value.unwrap_or(0.0);
    let mut named: Vec<&Fact> = items
        .into_iter()
        .filter(|fact| !matches!(fact.key(Dim::Type).flatten(), None | Some(SMALL_GROUP)))
        .collect();
    named.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let (most, next) = (named.first()?, named.get(1));
    let ahead = next.is_none_or(|next| value(next) < value(most));
    (ahead && all >= MIN_BASIS && most.n >= MIN_BASIS).then(|| {
        let after = format!(": {} of {}.", count(value(most)), count(all));
        with_name(
            "The most frequent type of action item is ",
            Dim::Type,
            most.key(Dim::Type).flatten(),
            after,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::MISSING;

    /// A number with the one before it and what it rests on.
    fn fact(metric: &'static Metric, group: &[(Dim, &str)], value: f64, previous: f64, n: f64) -> Fact {
        let group = group.iter().map(|(dim, key)| (*dim, Some((*key).to_owned()))).collect();
        let (numerator, denominator) = (value * n, n);
        Fact {
            metric,
            unit: metric.unit,
            group,
            value: Some(value),
            numerator: Some(numerator),
            denominator: Some(denominator),
            n,
            previous: Some(previous),
            previous_n: n,
            maturing: false,
            notable: false,
        }
    }

    fn sentences_of(facts: Vec<Fact>, labels: &[(&str, f64)], complete: bool) -> Vec<String> {
        sentences_between(["2026-W41", "2026-W40"], facts, labels, complete)
    }

    fn sentences_between(
        [own, previous]: [&str; 2],
        mut facts: Vec<Fact>,
        labels: &[(&str, f64)],
        complete: bool,
    ) -> Vec<String> {
        facts.sort_by(Fact::canonical_order);
        let label = |(label, high): &(&str, f64)| LabelRow {
            label: Some((*label).to_owned()),
            issues: 9.0,
            high: *high,
            sessions: 4.0,
            acus: 7.5,
        };
        let highlights = Highlights { labels: labels.iter().map(label).collect(), ..Highlights::default() };
        let mut demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        (demo.period.label, demo.previous.label) = (own.to_owned(), previous.to_owned());
        let completeness = if complete { Completeness::Proven } else { Completeness::Incomplete };
        let source = Source { completeness, ..demo.source.clone() };
        let text = |sentence: Sentence| sentence.into_iter().map(|piece| piece.text).collect();
        insights(&Facts { source, highlights, facts, ..demo }).into_iter().map(text).collect()
    }

    #[test]
    fn few_sessions_are_not_compared() {
        let week = |now, before| {
            let spent = fact(&ACUS, &[], 90.0, 30.0, now);
            let share = fact(&ACUS_WITHOUT_PR_SHARE, &[], 0.5, 0.1, now);
            sentences_of(vec![fact(&SESSIONS, &[], now, before, now), spent, share], &[("a", 5.0)], true)
        };
        assert_eq!(week(2.0, 3.0), ["2 sessions were created: too few to compare."]);
        assert_eq!(week(0.0, 90.0), ["No session was created in this period.", "In week 40 there were 90."]);
        assert_eq!(week(10.0, 10.0).len(), 2, "enough to speak of");
    }

    #[test]
    fn the_largest_change_beyond_chance_is_named_with_its_tag() {
        let sessions = || fact(&SESSIONS, &[], 105.0, 100.0, 105.0);
        let tag = |name, now, before, n| fact(&ACUS, &[(Dim::Tag, name)], now, before, n);
        let spent = |now| Fact { notable: now > 250.0, ..fact(&ACUS, &[], now, 200.0, 105.0) };
        assert_eq!(
            sentences_of(
                vec![sessions(), spent(300.0), tag("x", 90.0, 10.0, 30.0), tag("y", 10.0, 99.0, 30.0)],
                &[],
                true
            ),
            ["ACUs rose to 300 from 200 in week 40 (+50%). Of all tags, “x” grew most: by 80.0 to \
                 90.0 ACUs."]
        );
        let too_few = sentences_of(vec![sessions(), spent(300.0), tag("x", 90.0, 10.0, 9.0)], &[], true);
        assert_eq!(
            too_few,
            ["ACUs rose to 300 from 200 in week 40 (+50%)."],
            "a tag on 9 sessions is silent"
        );
        assert_eq!(
            sentences_of(vec![sessions(), spent(202.0)], &[], true),
            ["Compared with week 40, usage changed by no more than chance: ACUs +1%, sessions +5%."]
        );
    }

    #[test]
    fn changes_between_periods_of_different_lengths_are_per_day() {
        let month = |facts: Vec<Fact>| sentences_between(["2026-02", "2026-01"], facts, &[], true);
        let sessions = || fact(&SESSIONS, &[], 280.0, 310.0, 280.0);
        let tag = |name, now, before| fact(&ACUS, &[(Dim::Tag, name)], now, before, 30.0);
        // Less in all, but 20 a day after 17: 28 days against 31.
        let spent = Fact { notable: true, ..fact(&ACUS, &[], 560.0, 527.0, 280.0) };
        assert_eq!(
            month(vec![sessions(), spent, tag("x", 140.0, 62.0), tag("y", 200.0, 210.0)]),
            [
                "ACUs per day rose to 20.0 from 17.0 in January 2026 (+18%). Of all tags, “x” grew most: by 3.00 to \
              5.00 ACUs per day."
            ]
        );
        let people = fact(&ACTIVE_USERS, &[], 44.0, 40.0, 280.0);
        assert_eq!(
            month(vec![sessions(), people, fact(&ACUS, &[], 512.0, 527.0, 280.0)]),
            [
                "Compared with January 2026, usage changed by no more than chance: ACUs +8% per day, sessions 0% \
              per day, active users +10%."
            ]
        );
    }

    #[test]
    fn the_cost_of_merging_is_compared_once_pull_requests_are_decided() {
        let week = |merged, maturing, notable, expected: Option<f64>| {
            let cost = Fact { maturing, notable, ..fact(&ACUS_PER_MERGED_PR, &[], 12.0, 8.0, merged) };
            let mut facts = vec![
                fact(&SESSIONS, &[], 50.0, 50.0, 50.0),
                fact(&PRS, &[], 213.0, 200.0, 213.0),
                fact(&PRS_MERGED, &[], merged, 20.0, merged),
                fact(&MERGE_RATE, &[], 0.7, 0.72, 30.0),
                fact(&UNDECIDED_PRS, &[], 62.0, 28.0, 213.0),
                cost,
            ];
            facts.extend(expected.map(|value| fact(&ACUS_PER_MERGED_PR_EXPECTED, &[], value, 0.0, 20.0)));
            sentences_of(facts, &[], true).get(1).cloned()
        };
        let undecided = "62 of 213 pull requests undecided, 28 of 200 in week 40.";
        assert_eq!(
            week(10.0, true, true, Some(8.4)).unwrap(),
            format!(
                "ACUs per merged pull request are 12.0 now, and about 8.40 once the open ones are decided \
                 (8.00 in week 40)."
            )
        );
        assert_eq!(
            week(10.0, true, true, None).unwrap(),
            format!("ACUs per merged pull request are 12.0 for now (8.00 in week 40): {undecided}")
        );
        assert_eq!(
            week(10.0, false, true, None).unwrap(),
            "ACUs per merged pull request rose to 12.0 from 8.00 in week 40 (+50%)."
        );
        assert_eq!(week(10.0, false, false, None), None, "no more than chance");
        assert_eq!(week(9.0, true, true, None), None, "nine merged ones are too few");
    }

    #[test]
    fn a_label_is_not_called_first_if_another_equals_it() {
        let week = |labels: &[(&str, f64)], analysed| {
            let analysed = fact(&ANALYSED_SESSIONS, &[], analysed, 0.0, analysed);
            sentences_of(vec![fact(&SESSIONS, &[], 50.0, 0.0, 50.0), analysed], labels, true)
        };
        let rest = "Issues with this label occur in 4 sessions that used 7.50 ACUs.";
        assert_eq!(
            week(&[("a", 5.0), ("b", 4.0)], 20.0),
            [format!("“a” is the label with the most high-impact issues: 5. {rest}")]
        );
        assert_eq!(
            week(&[("a", 5.0), ("b", 5.0)], 20.0),
            [format!("No label has more high-impact issues than “a”: 5. {rest}")]
        );
        assert!(week(&[("a", 5.0)], 9.0).is_empty() && week(&[("a", 2.0)], 20.0).is_empty());
    }

    #[test]
    fn at_most_five_sentences_with_missing_sessions_first() {
        let mut facts = vec![
            fact(&SESSIONS, &[], 50.0, 90.0, 50.0),
            fact(&ANALYSED_SESSIONS, &[], 20.0, 20.0, 20.0),
            fact(&PRS_MERGED, &[], 20.0, 20.0, 20.0),
            Fact { notable: true, ..fact(&MERGE_RATE, &[], 0.5, 0.9, 40.0) },
            fact(&ACUS_WITHOUT_PR_SHARE, &[], 0.5, 0.1, 40.0),
            fact(&ACUS_TOP_DECILE_SHARE, &[], 0.5, 0.1, 40.0),
            fact(&ACTION_ITEMS, &[(Dim::Type, "knowledge")], 20.0, 0.0, 20.0),
        ];
        let users = (0..10).map(|user| fact(&ACUS, &[(Dim::User, &user.to_string())], 4.0, 4.0, 5.0));
        facts.extend(users);
        let sentences = sentences_of(facts, &[("a", 5.0)], false);
        assert_eq!(sentences.len(), 5, "{sentences:?}");
        assert!(sentences[0].contains("that were received"), "{sentences:?}");
        assert!(sentences[2].starts_with("The merge rate fell to 50"), "{sentences:?}");
        assert!(sentences.iter().all(|sentence| !sentence.contains(MISSING)), "{sentences:?}");
    }
}
