//! How much of the organisations' limits of a billing cycle is used.

use super::insights::{Sentence, plain, with_name};
use super::money::last_known_day;
use super::names;
use crate::cycle;
use crate::metrics::{CycleLimit, Dim, Facts};
use crate::unit::{Unit, counted};

/// The share of a limit from which on a sentence names the organisation.
const HIGH: f64 = 0.8;
/// The most organisations that sentences name.
const MOST_NAMED: usize = 3;

/// The limits with the names of their organisations: the largest share used first, then by name.
pub fn in_order(facts: &Facts) -> Vec<(String, &CycleLimit)> {
    let named = |limit| name(facts, limit);
    let mut limits: Vec<(String, &CycleLimit)> = facts.cycle_limits.iter().map(named).collect();
    limits.sort_by(|(name, limit), (other_name, other)| {
        other.share().total_cmp(&limit.share()).then_with(|| name.cmp(other_name))
    });
    limits
}

fn name<'f>(facts: &Facts, limit: &'f CycleLimit) -> (String, &'f CycleLimit) {
    (names::of(facts, Dim::Org, Some(&limit.org)), limit)
}

/// A sentence for each organisation that used at least 80% of its limit, or exceeds it at this pace, up
/// to three; and one that counts the others.
pub fn sentences(facts: &Facts) -> Vec<Sentence> {
    let mut high = in_order(facts);
    high.retain(|(_, limit)| is_high(limit));
    let named = high.iter().take(MOST_NAMED).map(|(_, limit)| sentence(facts, limit));
    let rest = match high.len().saturating_sub(MOST_NAMED) {
        0 => None,
        1 => Some(
            "1 more organisation used at least 80% of its cycle limit, or exceeds it at this pace."
                .to_owned(),
        ),
        rest => Some(format!(
            "{} used at least 80% of their cycle limits, or exceed them at this pace.",
            counted(rest as f64, "more organisation", "more organisations")
        )),
    };
    named.chain(rest.map(plain)).collect()
}

fn is_high(limit: &CycleLimit) -> bool {
    limit.share() >= HIGH || limit.forecast.is_some_and(|forecast| forecast > limit.limit)
}

fn sentence(facts: &Facts, limit: &CycleLimit) -> Sentence {
    let acus = |value| Unit::Acu.text(Some(value));
    let of_limit = |value: f64| format!("{} ({})", acus(value), Unit::Share.text(Some(value / limit.limit)));
    let pace = match limit.forecast {
        Some(forecast) => format!("; at this pace {} by the end of the cycle", of_limit(forecast)),
        None => String::new(),
    };
    let after = format!(
        " used {} of its limit of {} ACUs in {} by {}{pace}.",
        of_limit(limit.used),
        acus(limit.limit),
        cycle::name(&limit.period),
        last_known_day(&limit.until, &limit.period)
    );
    with_name("", Dim::Org, Some(facts.called(Dim::Org, &limit.org)), after)
}

/// What the numbers of the table are; empty without limits.
pub fn note(facts: &Facts) -> String {
    let Some(limit) = facts.cycle_limits.first() else { return String::new() };
    format!(
        "Sessions created in {}, up to {}. All ACUs of a session count on the day of its creation, so Devin's \
         own count can differ.",
        cycle::name(&limit.period),
        last_known_day(&limit.until, &limit.period)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{PeopleMode, SCHEMA};
    use crate::report::{Value, report};
    use crate::unit::Unit;

    fn limit(org: &str, used: f64, forecast: Option<f64>) -> CycleLimit {
        CycleLimit {
            org: org.to_owned(),
            period: "2026-09-23_2026-10-22".to_owned(),
            until: "2026-10-12T00:00:00+02:00".to_owned(),
            limit: 1000.0,
            used,
            forecast,
        }
    }

    /// The demo's facts with limits.
    fn demo(cycle_limits: Vec<CycleLimit>) -> Facts {
        let mut facts = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        facts.cycle_limits = cycle_limits;
        facts
    }

    fn texts(limits: Vec<CycleLimit>) -> Vec<String> {
        let text = |sentence: Sentence| sentence.into_iter().map(|piece| piece.text).collect();
        sentences(&demo(limits)).into_iter().map(text).collect()
    }

    #[test]
    fn only_high_use_has_a_sentence() {
        assert_eq!(
            texts(vec![limit("org_demo", 812.0, Some(1320.0)), limit("b", 799.0, Some(1000.0))]),
            ["“Halden demo” used 812 (81%) of its limit of 1,000 ACUs in the billing cycle of 23 September \
              to 22 October 2026 by 11 October; at this pace 1,320 (132%) by the end of the cycle."]
        );
        assert_eq!(texts(vec![limit("b", 800.0, None)]).len(), 1);
        assert_eq!(texts(vec![limit("b", 10.0, Some(1000.5))]).len(), 1, "it exceeds the limit at this pace");
        assert!(texts(vec![limit("b", 799.0, None), limit("c", 0.0, Some(0.0))]).is_empty());
    }

    #[test]
    fn three_organisations_are_named_and_the_others_counted() {
        let high = |count: u32| (0..count).map(|at| limit(&format!("o{at}"), 900.0 + f64::from(at), None));
        let four = texts(high(4).collect());
        let begins = |text: &&str| four.iter().any(|sentence| sentence.starts_with(*text));
        assert_eq!(four.len(), 4);
        assert!(["“o3” used 903 (90%)", "“o2” ", "“o1” "].iter().all(begins), "{four:?}");
        assert_eq!(
            four[3],
            "1 more organisation used at least 80% of its cycle limit, or exceeds it at this pace."
        );
        let six = texts(high(6).collect());
        assert_eq!(
            (six.len(), six[3].as_str()),
            (4, "3 more organisations used at least 80% of their cycle limits, or exceed them at this pace.")
        );
        // They displace none of the other sentences but one.
        let facts = demo(high(6).collect());
        let all = report(&facts).insights.len();
        assert_eq!(all, report(&demo(vec![limit("o0", 900.0, None)])).insights.len() + 3);
    }

    #[test]
    fn the_table_is_ordered_by_share_and_then_by_name() {
        let smaller = CycleLimit { limit: 100.0, ..limit("z", 50.0, None) };
        let facts = demo(vec![limit("b", 500.0, Some(600.0)), limit("org_demo", 2.0, None), smaller]);
        let report = report(&facts);
        let figures = || report.sections.iter().flat_map(|section| &section.figures);
        let figure = figures().find(|figure| figure.id == "cycle-limits").unwrap();
        let names: Vec<&Value> = figure.table.rows.iter().map(|row| &row.cells[0]).collect();
        assert_eq!(names, ["b", "z", "Halden demo"].map(|name| Value::Text(name.to_owned())).each_ref());
        let acus = |value| Value::number(Unit::Acu, value);
        let share = |value| Value::number(Unit::Share, Some(value));
        assert_eq!(
            figure.table.rows[0].cells[1..],
            [acus(Some(500.0)), acus(Some(1000.0)), share(0.5), acus(Some(600.0))]
        );
        assert_eq!(figure.table.rows[1].cells[4], acus(None));
        assert!(
            figure.note.starts_with(
                "Sessions created in the billing cycle of 23 September to 22 October 2026, up to 11 October. "
            ),
            "{}",
            figure.note
        );
        let over = self::report(&demo(vec![limit("b", 1.0, None)]));
        let mut figures = over.sections.iter().flat_map(|section| &section.figures);
        let table = &figures.find(|figure| figure.id == "cycle-limits").unwrap().table;
        assert_eq!(table.columns.len(), 4, "without a forecast there is no column for it");
    }

    #[test]
    fn facts_with_impossible_limits_are_refused() {
        let read = |facts: &Facts| Facts::from_json(&facts.to_json()).map(|facts| facts.cycle_limits.len());
        assert_eq!(demo(Vec::new()).schema, SCHEMA);
        assert_eq!(read(&demo(vec![limit("a", 1.0, None)])).unwrap(), 1);
        let zero = CycleLimit { limit: 0.0, ..limit("a", 1.0, None) };
        assert!(read(&demo(vec![zero])).unwrap_err().to_string().contains("a cycle limit is not above 0"));
        let mut covered = demo(vec![limit("a", 1.0, None)]);
        covered.source.people = Some(PeopleMode::Hidden);
        covered.labels.user.clear();
        covered.facts.retain(|fact| fact.key(Dim::User).is_none());
        covered.highlights = Default::default();
        assert!(read(&covered).unwrap_err().to_string().contains("cycle limits are listed"));
    }
}
