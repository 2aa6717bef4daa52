//! Spend: what ACUs cost on the day of their session, and a month's budget.

use std::collections::BTreeMap;

use acumen::simulator::Organisation;
use serde_json::json;

use super::{by, close, day, local_day, recipe, report, week};
use crate::oracle::records::Session;

/// Thousandths of a coin, worked out in whole numbers: ACUs have two places
/// here and prices three.
fn price(session: &Session) -> f64 {
    if local_day(session) < day("2026-10-07") { 2.255 } else { 3.1 }
}

const PRICES: &str = "[[price]]\nfrom = 2026-10-07\nper_acu = \"3.1\"\ncurrency = \"EUR\"\n\
                      [[price]]\nfrom = 2026-01-01\nper_acu = \"2.255\"\ncurrency = \"EUR\"\n";

/// What a report shows of an amount: cents, half a cent away from zero.
fn cents(amount: f64) -> i64 {
    ((amount * 1e8).round() / 1e6).round() as i64
}

#[test]
fn spend_by_user_day_and_tag_adds_up_to_the_cent_over_a_change_of_price() {
    for seed in 1..=6 {
        let organisation = Organisation::invent(&recipe(seed));
        let sessions = week(&organisation);
        let facts = report(organisation, PRICES, &[], &[]).facts();
        let (mut total, mut by_user, mut by_day) = (0.0, BTreeMap::new(), BTreeMap::new());
        let mut by_tag: BTreeMap<String, f64> = BTreeMap::new();
        for session in &sessions {
            let spent = session.spent() * price(session);
            total += spent;
            *by_user.entry(session.user.clone().unwrap_or_default()).or_insert(0.0) += spent;
            *by_day.entry(local_day(session).to_string()).or_insert(0.0) += spent;
            let tags = session.tag_groups();
            let part = spent / tags.len() as f64;
            tags.into_iter().for_each(|tag| *by_tag.entry(tag.unwrap_or_default()).or_insert(0.0) += part);
        }
        let whole = facts.fact("spend", json!({}));
        assert_eq!(whole["unit"], "EUR");
        assert!(close(whole["value"].as_f64().unwrap(), total), "seed {seed}");
        for (metric, dimension, expected) in
            [("spend", "user", &by_user), ("spend", "day", &by_day), ("spend_split", "tag", &by_tag)]
        {
            let found = by(&facts, metric, dimension);
            assert_eq!(found.len(), expected.len(), "seed {seed}, {dimension}");
            for (key, value) in expected {
                assert!(close(found[key].unwrap(), *value), "seed {seed}, {metric} by {dimension} {key}");
            }
            let sum: f64 = found.values().flatten().sum();
            assert_eq!(cents(sum), cents(whole["value"].as_f64().unwrap()), "seed {seed}, by {dimension}");
        }
        // Both weeks had a price: the one before ended at the old one.
        assert!(whole["previous"].as_f64().unwrap() > 0.0);
        let merged = facts.value("prs_merged", json!({})).as_f64().unwrap();
        let cost = facts.value("spend_per_merged_pr", json!({})).as_f64().unwrap();
        assert!(close(cost, total / merged), "seed {seed}");
    }
}

#[test]
fn what_has_no_price_is_unknown_and_never_a_part_of_the_truth() {
    let organisation = Organisation::invent(&recipe(7));
    let late = "[[price]]\nfrom = 2026-10-07\nper_acu = 2\ncurrency = \"USD\"\n";
    let report = report(organisation, late, &[], &[]);
    let facts = report.facts();
    assert!(facts.value("spend", json!({})).is_null());
    let days = by(&facts, "spend", "day");
    assert_eq!((days["2026-10-06"], days["2026-10-07"].is_some()), (None, true));
    let cost = facts.fact("spend_per_merged_pr", json!({}));
    assert!(cost["value"].is_null() && cost["numerator"].is_null() && cost["n"].as_f64().unwrap() > 0.0);
    assert!(report.html.contains("$2.00 an ACU from 7 October 2026"));
}

#[test]
fn without_a_price_there_is_no_money_anywhere() {
    let report = report(Organisation::invent(&recipe(1)), "", &[], &[]);
    assert!(!report.json.contains("\"spend") && !report.json.contains("\"budget"));
    for word in ["€", "$", "Spend per", "currency"] {
        assert!(!report.html.contains(word), "{word}");
    }
}

#[test]
fn a_budget_tells_the_month_so_far_and_where_it_is_heading() {
    let organisation = Organisation::invent(&recipe(3));
    let bodies = organisation.records.iter();
    let values: Vec<_> = bodies.map(|record| serde_json::from_str(&record.body).unwrap()).collect();
    let moment = |text: &str| text.parse().unwrap();
    let month = crate::oracle::records::sessions(
        &values,
        moment("2026-09-30T22:00:00Z"),
        moment("2026-10-11T22:00:00Z"),
    );
    let used: f64 = month.iter().map(|session| session.spent() * price(session)).sum();
    let settings = format!("budget = \"1000\"\n{PRICES}");
    let whole = report(organisation.clone(), &settings, &["--trend", "0"], &[]);
    let budget = &whole.facts().0["budget"];
    assert_eq!(
        (&budget["month"], &budget["amount"], &budget["currency"]),
        (&json!("2026-10"), &json!(1000.0), &json!("EUR"))
    );
    assert!(close(budget["used"].as_f64().unwrap(), used));
    // Eleven of 31 days; October in Berlin is an hour longer than that.
    assert!(close(budget["forecast"].as_f64().unwrap(), used / (11.0 * 24.0) * (31.0 * 24.0 + 1.0)));
    assert!(whole.html.contains("Budget of October 2026: €"), "the page tells it");
    // A part of the sessions is not what the budget is spent on.
    let part = report(organisation, &settings, &["--tag", "team:payments"], &[]);
    assert!(part.facts().0.get("budget").is_none());
}
