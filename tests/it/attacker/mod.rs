//! An attacker who holds every covered report of an organisation. It shares no
//! code with the program: who is behind a number is worked out by plain loops
//! from the records that the API serves.

mod itself;
mod linear;
mod organisations;
mod outputs;
mod pseudonyms;
mod runs;
mod several;
mod single;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use acumen::simulator::Options;
use chrono::{Datelike, NaiveDate, Utc};

use organisations::{Attacked, invented, thirteen};
use runs::{EVERYTHING, Order, Report};
use several::Outcome;
use single::Finding;
use truth::{Filter, Truth};

use crate::support::{Served, acumen, files, run};

/// An organisation with its covered reports.
struct Case {
    attacked: Attacked,
    truth: Truth,
    reports: Vec<Report>,
}

const WEEKS: [&str; 12] = [
    "2026-W30", "2026-W31", "2026-W32", "2026-W33", "2026-W34", "2026-W35", "2026-W36", "2026-W37",
    "2026-W38", "2026-W39", "2026-W40", "2026-W41",
];
const MONTHS: [&str; 3] = ["2026-07", "2026-08", "2026-09"];

/// The reports of all organisations, made once for all tests.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let small = [("red", 9), ("green", 6), ("blue", 5), ("amber", 3), ("lone", 1)];
        let large = [
            ("red", 14),
            ("green", 12),
            ("blue", 10),
            ("amber", 8),
            ("cyan", 6),
            ("plum", 5),
            ("teal", 3),
            ("grey", 1),
            ("lone", 1),
        ];
        [thirteen(), invented("24 people", 3, 600, &small), invented("60 people", 7, 1100, &large)]
            .into_iter()
            .map(case)
            .collect()
    })
}

fn case(mut attacked: Attacked) -> Case {
    let truth = Truth::new(&attacked.records());
    if attacked.tags.is_empty() {
        attacked.tags = heaviest_tags(&truth);
    }
    let orders = orders(&attacked);
    let reports = runs::reports(&attacked, &orders);
    Case { attacked, truth, reports }
}

/// The two tags with most sessions, teams left out.
fn heaviest_tags(truth: &Truth) -> Vec<&'static str> {
    let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in truth.sessions.iter().flat_map(|session| &session.tags).filter(|tag| tag.starts_with("tag-")) {
        *tags.entry(tag).or_default() += 1;
    }
    let mut tags: Vec<(&str, usize)> = tags.into_iter().collect();
    tags.sort_by_key(|(tag, number)| (std::cmp::Reverse(*number), *tag));
    // The names live as long as the reports, which is until the tests end.
    tags.into_iter().take(2).map(|(tag, _)| &*tag.to_owned().leak()).collect()
}

/// 12 weeks and 3 months, two of them with all outputs; three weeks and a month
/// by each filter; a week with a budget and one in which the price changes.
fn orders(attacked: &Attacked) -> Vec<Order> {
    let order = |period: &str, filter: Filter, more: &[&'static str]| Order {
        period: period.to_owned(),
        filter,
        flags: [&["--profile", "leadership"], more].concat(),
        two_prices: false,
    };
    let none = Filter::default;
    let plain = |period: &&str| match *period {
        "2026-W36" | "2026-08" => order(period, none(), &EVERYTHING),
        // The week begins in one month and ends in another, with its weekend.
        "2026-W31" => order(period, none(), &["--export", "csv", "--budget", "5000"]),
        _ => order(period, none(), &["--export", "csv"]),
    };
    let mut orders: Vec<Order> = WEEKS.iter().chain(&MONTHS).map(plain).collect();
    orders.push(Order { two_prices: true, ..order("2026-W36", none(), &[]) });
    let owned = |key: &&str| Some((*key).to_owned());
    let mut filters = vec![Filter { org: Some("org_demo".to_owned()), ..none() }];
    filters.extend(attacked.tags.iter().map(|tag| Filter { tag: owned(tag), ..none() }));
    if runs::knows("--team") {
        filters.extend(attacked.teams.iter().map(|team| Filter { team: owned(team), ..none() }));
        let (tag, team) = (attacked.tags.first(), attacked.teams.first());
        filters.push(Filter { tag: tag.and_then(owned), team: team.and_then(owned), org: None });
    }
    for filter in &filters {
        orders
            .extend(["2026-W35", "2026-W36", "2026-W40", "2026-09"].map(|at| order(at, filter.clone(), &[])));
    }
    if runs::knows("--quarter") {
        orders.push(order("2026-Q3", none(), &[]));
    }
    orders
}

#[test]
fn no_number_of_a_covered_report_rests_on_fewer_than_five_people() {
    let mut found: Vec<(&str, Finding)> = Vec::new();
    for case in cases() {
        for report in &case.reports {
            let truth = case.truth.filtered(&report.filter);
            found.extend(
                single::attack(report, &truth).into_iter().map(|finding| (case.attacked.name, finding)),
            );
            found.extend(
                outputs::attack(report, &truth, &case.attacked.secrets())
                    .into_iter()
                    .map(|finding| (case.attacked.name, finding)),
            );
        }
        println!("{}: {} reports", case.attacked.name, case.reports.len());
    }
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    found.iter().for_each(|(name, finding)| *counts.entry((finding.attack, name)).or_default() += 1);
    counts.iter().for_each(|((attack, name), number)| println!("{attack:<18} {name:<18} {number:>6}"));
    let examples = examples(&found);
    assert!(found.is_empty(), "{} findings\n{examples}", found.len());
}

/// The first findings of each attack in each organisation.
fn examples(found: &[(&str, Finding)]) -> String {
    let mut shown: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut text = String::new();
    for (name, finding) in found {
        let number = shown.entry((finding.attack, name)).or_default();
        *number += 1;
        if *number <= 4 {
            let people = finding.people.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            text += &format!("{}: {name}, {}: {} [{people}]\n", finding.attack, finding.report, finding.what);
        }
    }
    text
}

#[test]
fn differences_of_several_covered_reports_narrow_down_no_more_people_than_documented() {
    for case in cases() {
        let mut outcomes = several::attacks(&case.truth, &case.reports);
        outcomes.extend(pseudonyms::attacks(&case.truth, &case.reports));
        print(case, &outcomes);
    }
}

fn print(case: &Case, outcomes: &[Outcome]) {
    let everybody: BTreeSet<usize> = (0..case.truth.sessions.len()).collect();
    let all = case.truth.users(&everybody).len();
    println!("\n{}: {} reports, {all} people", case.attacked.name, case.reports.len());
    println!("{:<55} {:>11} {:>9} {:>9}", "attack", "differences", "narrowed", "computed");
    for outcome in outcomes {
        let (narrowed, computed) = (outcome.narrowed.len(), outcome.computed.len());
        println!("{:<55} {:>11} {narrowed:>9} {computed:>9}", outcome.attack, outcome.differences);
    }
}

/// What would narrow a covered report to few people or to few days is refused
/// before anything is written, and so are rows of sessions and people by name.
#[test]
fn narrower_questions_are_refused() {
    let attacked = thirteen();
    let served = Served::new(attacked.organisation, Options::default());
    let today = today();
    let running = [
        format!("{}-W{:02}", today.iso_week().year(), today.iso_week().week()),
        today.format("%Y-%m").to_string(),
    ];
    let lists: [&[&str]; 16] = [
        &["--week", "2026-W36", "--user", "email|thirteen04"],
        &["--week", "2026-W36", "--tag", "tag-orchid", "--tag", "tag-birch"],
        &["--week", "2026-W36", "--tag", "tag-lonely"],
        // A tag of machines alone, and one that nobody has.
        &["--week", "2026-W36", "--tag", "tag-nightly"],
        &["--week", "2026-W36", "--tag", "tag-of-nobody"],
        &["--week", "2026-W36", "--team", "gamma"],
        &["--week", "2026-W36", "--tag", "tag-birch", "--team", "alpha"],
        &["--week", "2026-W36", "--export", "parquet"],
        &["--week", "2026-W36", "--export", "csv,parquet"],
        &["--week", "2026-W36", "--include-prompts"],
        &["--from", "2026-09-05", "--to", "2026-09-05"],
        &["--from", "2026-08-31", "--to", "2026-09-05"],
        &["--last", "1d"],
        &["--last", "10d"],
        &["--week", &running[0]],
        &["--month", &running[1]],
    ];
    for list in lists {
        for cover in [["--profile", "leadership"], ["--people", "hidden"]] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("settings.toml"), runs::SETTINGS).unwrap();
            let mut command = acumen(folder.path());
            command.args([
                "report",
                "--base-url",
                &served.url(),
                "--config",
                "settings.toml",
                "--out",
                "out",
            ]);
            let outcome = run(command.args(cover).args(list));
            assert_eq!(
                (outcome.code, outcome.stdout.as_str()),
                (Some(2), ""),
                "{list:?}\n{}",
                outcome.stderr
            );
            let out = folder.path().join("out");
            assert!(!out.exists() || files(&out).is_empty(), "{list:?}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the program decides by the real clock what is still running")]
fn today() -> NaiveDate {
    Utc::now().with_timezone(&truth::ZONE).date_naive()
}
