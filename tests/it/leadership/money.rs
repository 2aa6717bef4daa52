//! Spend: what ACUs cost on the day of their session, and a month's budget.

use std::collections::BTreeMap;

use acumen::cli::{ApiArgs, ReportArgs};
use acumen::commands::report::prepare;
use acumen::settings::{Found, FoundKey, Settings, parse_file};
use devin_simulator::{Options, Organisation, start};
use serde_json::json;

use super::{by, close, day, local_day, recipe, report, week};
use crate::oracle::records::Session;
use crate::support::{CANARY, Facts, Served};

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
    assert!(report.html.contains("$2.00 per ACU from 7 October 2026"));
}

#[test]
fn without_a_price_there_is_no_money_anywhere() {
    let report = report(Organisation::invent(&recipe(1)), "", &[], &[]);
    assert!(!report.json.contains("\"spend") && !report.json.contains("\"budget"));
    for word in ["€", "$", "Spend per", "prices in the settings"] {
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
    // While October runs, and long after.
    for (now, is_heading) in [("2026-10-31T22:59:59Z", true), ("2026-10-31T23:00:00Z", false)] {
        let (facts, page) = report_at(now, &organisation);
        let budgets = &facts.0["budgets"];
        let [budget] = budgets.as_array().unwrap().as_slice() else { panic!("{budgets}") };
        assert_eq!(
            (&budget["period"], &budget["amount"], &budget["currency"]),
            (&json!("2026-10"), &json!(1000), &json!("EUR"))
        );
        assert!(close(budget["used"].as_f64().unwrap(), used));
        // Eleven of 31 days; October in Berlin is an hour longer than that.
        let heading = used / (11.0 * 24.0) * (31.0 * 24.0 + 1.0);
        assert_eq!(budget["forecast"].as_f64().is_some_and(|output| close(output, heading)), is_heading);
        assert!(is_heading || budget["forecast"].is_null(), "{budget}");
        assert!(page.contains("Budget of October 2026: €"), "the page tells it");
        assert_eq!(page.contains("at this pace"), is_heading, "{now}");
    }
}

/// The report about week 41 as it is made at a moment: its facts and its page.
fn report_at(now: &str, organisation: &Organisation) -> (Facts, String) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let receipt = runtime.block_on(async {
        let simulator = start(organisation.clone(), Options::default()).await.unwrap();
        let args = ReportArgs {
            week: Some("2026-W41".to_owned()),
            tz: "Europe/Berlin".to_owned(),
            budget: Some("1000".to_owned()),
            org: Some("org_demo".to_owned()),
            out: folder.path().to_owned(),
            access: ApiArgs {
                base_url: simulator.base_url(),
                page_size: 200,
                concurrency: 4,
                ..ApiArgs::default()
            },
            ..ReportArgs::default()
        };
        let key = FoundKey::new(CANARY, "a test");
        let file = parse_file(std::path::Path::new("acumen.toml"), PRICES).unwrap();
        let found = Found { key: Some(key), file, ..Found::default() };
        let settings = Settings::resolve(&args, found, now.parse().unwrap()).unwrap();
        let prepared = prepare(&settings, &|_| ()).await.unwrap();
        simulator.stop().await;
        prepared.deliver().unwrap()
    });
    let read = |path| std::fs::read_to_string(path).unwrap();
    (Facts(serde_json::from_str(&read(receipt.json)).unwrap()), read(receipt.html))
}

#[test]
fn a_budget_that_is_left_out_is_spoken_of() {
    let organisation = Organisation::invent(&recipe(3));
    let settings = format!("budget = \"1000\"\n{PRICES}");
    let output = |flags: &[&str]| {
        let report = report(organisation.clone(), &settings, flags, &[]);
        let has = |words: &str| report.stderr.contains(words) && report.html.contains(words);
        // A part of the sessions is not what the budget is spent on.
        let part = has("budget is for all sessions: it is left out with --tag or --user");
        let hidden = has("eft out to hide people: the budget");
        (report.facts().0.get("budgets").is_some(), part, hidden)
    };
    assert_eq!(output(&[]), (true, false, false));
    assert_eq!(output(&["--tag", "team:payments"]), (false, true, false));
    assert_eq!(output(&["--profile", "leadership", "--trend", "0"]), (true, false, false));
    // Of the days of the month before the week only two people would be counted.
    let session = |user: usize, day: &str| {
        json!({"session_id": format!("{user} {day}"), "org_id": "org_demo", "user_id": format!("user {user}"),
               "created_at": format!("2026-10-{day}T10:00:00Z"), "updated_at": format!("2026-10-{day}T11:00:00Z"),
               "acus_consumed": 2.0})
    };
    let sessions = (0..10).map(|user| session(user, "07")).chain((0..2).map(|user| session(user, "02")));
    let few = Organisation::from_values(sessions.collect());
    let report = report(few, &settings, &["--profile", "leadership"], &[]);
    assert!(report.facts().0.get("budgets").is_none());
    let words = "eft out to hide people: the budget";
    assert!(report.html.contains(words) && report.stderr.contains(words), "{}", report.stderr);
}

/// What the sessions of a span cost.
fn spent(organisation: &Organisation, from: &str, to: &str) -> f64 {
    let bodies = organisation.records.iter();
    let values: Vec<_> = bodies.map(|record| serde_json::from_str(&record.body).unwrap()).collect();
    let sessions = crate::oracle::records::sessions(&values, from.parse().unwrap(), to.parse().unwrap());
    sessions.iter().map(|session| session.spent() * price(session)).sum()
}

/// Label and spend of each budget.
fn budgets(report: &crate::support::Report) -> Vec<(String, f64, bool)> {
    let facts = report.facts().0;
    let output = |row: &serde_json::Value| {
        let label = row["period"].as_str().unwrap().to_owned();
        (label, row["used"].as_f64().unwrap(), row["forecast"].is_number())
    };
    facts["budgets"].as_array().unwrap().iter().map(output).collect()
}

fn assert_budgets(found: &[(String, f64, bool)], expected: &[(&str, f64, bool)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.0.as_str(), found.2), (expected.0, expected.2));
        assert!(expected.1 > 0.0 && close(found.1, expected.1), "{found:?} {expected:?}");
    }
}

#[test]
fn every_month_of_a_period_has_its_budget() {
    let organisation = Organisation::invent(&recipe(3));
    let settings = format!("budget = \"1000\"\n{PRICES}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, format!("tz = \"Europe/Berlin\"\ntrend = 0\n{settings}")).unwrap();
    let served = Served::new(organisation.clone(), Options::default());
    let of = |flags: &[&str]| served.report(&[&["--config", path.to_str().unwrap()], flags].concat());
    let spent = |from: &str, to: &str| spent(&organisation, from, to);
    // A week over the end of a month; only of the second is a part yet to come.
    let week = of(&["--week", "2026-W40"]);
    let september = spent("2026-08-31T22:00:00Z", "2026-09-30T22:00:00Z");
    let begun = spent("2026-09-30T22:00:00Z", "2026-10-04T22:00:00Z");
    assert_budgets(&budgets(&week), &[("2026-09", september, false), ("2026-10", begun, false)]);
    for words in [
        "Budget of September 2026: €",
        "used by 30 September.",
        "Budget of October 2026: €",
        "used by 4 October.",
    ] {
        assert!(week.html.contains(words), "{words}");
    }
    let quarter = of(&["--quarter", "2026-Q3"]);
    let output = budgets(&quarter);
    assert_eq!(
        output.iter().map(|budget| budget.0.as_str()).collect::<Vec<_>>(),
        ["2026-07", "2026-08", "2026-09"]
    );
    // There were no sessions yet.
    assert_eq!((output[0].1, output[1].1), (0.0, 0.0));
    assert!(close(output[2].1, september) && output.iter().all(|budget| !budget.2));
    assert!(quarter.html.matches("Budget of ").count() >= 3);
}

#[test]
fn a_budget_may_follow_billing_cycles() {
    let organisation = Organisation::invent(&recipe(3));
    let of = |day: &str, options: Options, flags: &[&str]| {
        let settings = format!("budget = \"1000\"\nbudget_cycle_day = {day}\n{PRICES}");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acumen.toml"), settings).unwrap();
        let path = folder.path().join("acumen.toml").to_string_lossy().into_owned();
        let common = ["--config", &path, "--week", "2026-W41", "--tz", "Europe/Berlin", "--trend", "0"];
        Served::new(organisation.clone(), options).report(&[&common[..], flags].concat())
    };
    let spent = |from: &str, to: &str| spent(&organisation, from, to);
    let by_day = of("23", Options::default(), &[]);
    let cycle = "2026-09-23_2026-10-22";
    assert_budgets(
        &budgets(&by_day),
        &[(cycle, spent("2026-09-22T22:00:00Z", "2026-10-11T22:00:00Z"), false)],
    );
    assert!(by_day.html.contains("Budget of the billing cycle of 23 September to 22 October 2026: €"));
    // The vendor bills at eight in the morning, in UTC.
    let output = spent("2026-09-23T08:00:00Z", "2026-10-11T22:00:00Z");
    assert_budgets(&budgets(&of("\"auto\"", Options::default(), &[])), &[(cycle, output, false)]);
    assert_budgets(
        &budgets(&of("\"auto\"", Options::default(), &["--profile", "leadership"])),
        &[(cycle, output.round(), false)],
    );
    let refused = of("\"auto\"", Options { may_see_consumption: false, ..Options::default() }, &[]);
    let month = spent("2026-09-30T22:00:00Z", "2026-10-11T22:00:00Z");
    assert_budgets(&budgets(&refused), &[("2026-10", month, false)]);
    let note = "billing cycles are not available (the key lacks the permission): the budget is for \
        calendar months";
    assert!(refused.html.contains(note) && refused.stderr.contains(note), "{}", refused.stderr);
    assert_budgets(&budgets(&of("1", Options::default(), &[])), &[("2026-10", month, false)]);
}
