//! Whether the period was better or worse, in one sentence.

use super::comparable::{self, undecided};
use super::tiles::Tile;
use super::{is_compared, previous_name};
use crate::metrics::{Facts, Judgement};

/// The verdict: how many headline numbers changed for better or worse by more than chance, and which
/// cannot be compared yet. Empty for an incomplete report, and where the comparison says why there is
/// none.
pub fn verdict(facts: &Facts, tiles: &[Tile]) -> String {
    if !facts.source.is_complete() || !is_compared(facts) {
        return String::new();
    }
    if comparable::has_few_sessions(facts) {
        return "Too few sessions for a verdict.".to_owned();
    }
    if comparable::had_few_sessions(facts) {
        return format!("Too few sessions in {} for a verdict.", previous_name(facts));
    }
    let previous = previous_name(facts);
    let named = |is_it: &dyn Fn(&Tile) -> bool| {
        let names: Vec<String> =
            tiles.iter().filter(|tile| is_it(tile)).map(|tile| in_text(tile.number.title)).collect();
        (!names.is_empty()).then(|| listed(&names))
    };
    let judged = |judgement: Judgement| named(&|tile: &Tile| tile.number.judgement == judgement);
    let verdict = match (judged(Judgement::Better), judged(Judgement::Worse)) {
        (None, None) => {
            let known =
                if comparable::has_spread(facts) { "" } else { ", as far as few earlier periods show" };
            format!(
                "About the same as {previous}: no headline number is better or worse by more than chance{known}"
            )
        }
        (Some(better), None) => format!("Better than {previous} in {better}"),
        (None, Some(worse)) => format!("Worse than {previous} in {worse}"),
        (Some(better), Some(worse)) => {
            format!("Mixed against {previous}: better in {better}, worse in {worse}")
        }
    };
    let maturing = named(&|tile: &Tile| tile.number.is_maturing).map(|maturing| {
        let why = undecided(facts, "pull requests");
        format!("; {maturing} cannot be compared yet ({why})")
    });
    // What a covered report cannot compare may have changed.
    let is_hidden = |tile: &Tile| tile.number.value.is_some() && tile.number.previous.is_none();
    let hidden = named(&is_hidden).filter(|_| facts.is_covered());
    let hidden = hidden.map(|hidden| format!("; {hidden} cannot be compared: the previous value is hidden"));
    format!("{verdict}{}{}.", maturing.unwrap_or_default(), hidden.unwrap_or_default())
}

/// A title within a sentence.
fn in_text(title: &str) -> String {
    let mut letters = title.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
    // An abbreviation keeps its capitals.
    match letters.as_str().chars().next() {
        Some(second) if second.is_uppercase() => title.to_owned(),
        _ => format!("{first}{}", letters.as_str()),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ACTIVE_USERS, Fact, MERGE_RATE, Metric, SESSIONS};
    use crate::report::tiles::tiles;

    /// The verdict on the demo with these marks on its headline numbers.
    fn verdict_with(marks: &[(&Metric, bool, bool, f64)]) -> String {
        let demo = include_str!("../../reports/org_demo_2026-W41.json");
        let mut facts = Facts::from_json(demo).unwrap();
        for fact in &mut facts.facts {
            (fact.notable, fact.maturing) = (false, false);
        }
        for (metric, notable, maturing, change) in marks {
            let own = |fact: &&mut Fact| fact.metric.id == metric.id && fact.group.is_empty();
            let fact = facts.facts.iter_mut().find(own).unwrap();
            (fact.notable, fact.maturing) = (*notable, *maturing);
            fact.value = fact.previous.map(|before| before + change);
        }
        verdict(&facts, &tiles(&facts))
    }

    #[test]
    fn only_changes_beyond_chance_are_better_or_worse() {
        let same = "About the same as week 40: no headline number is better or worse by more than chance.";
        assert_eq!(verdict_with(&[(&ACTIVE_USERS, false, false, 9.0)]), same);
        assert_eq!(
            verdict_with(&[(&ACTIVE_USERS, true, false, 9.0)]),
            "Better than week 40 in active users."
        );
        assert_eq!(
            verdict_with(&[(&ACTIVE_USERS, true, false, 9.0), (&MERGE_RATE, true, false, -0.2)]),
            "Mixed against week 40: better in active users, worse in merge rate."
        );
    }

    #[test]
    fn an_almost_empty_period_is_no_standard() {
        let mut facts = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let own = |fact: &&mut Fact| fact.metric.id == SESSIONS.id && fact.group.is_empty();
        facts.facts.iter_mut().find(own).unwrap().previous = Some(9.0);
        assert_eq!(verdict(&facts, &tiles(&facts)), "Too few sessions in week 40 for a verdict.");
    }

    #[test]
    fn maturing_numbers_are_neither() {
        let text = verdict_with(&[(&MERGE_RATE, true, true, -0.2)]);
        assert!(text.starts_with("About the same as week 40"), "{text}");
        assert!(
            text.contains("; merge rate cannot be compared yet (") && text.contains(" undecided, "),
            "{text}"
        );
    }
}
