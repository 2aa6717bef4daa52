//! An attacker who holds every covered report of an organisation. It shares no
//! code with the program: who is behind a number is worked out by plain loops
//! from the records that the API serves.

mod itself;
mod linear;
mod organisations;
mod outputs;
mod pseudonyms;
pub mod runs;
mod several;
mod single;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use chrono::{Datelike, NaiveDate, Utc};
use devin_simulator::Options;

use organisations::{Attacked, invented, thirteen};
use runs::{EVERYTHING, Order, Report};
use several::Outcome;
use single::Finding;
use truth::{Filter, Truth};

use crate::support::{Served, acumen, files, run, slow_tests};

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
        if !slow_tests() {
            return vec![case(thirteen())];
        }
        let twenty_four = || invented("24 people", 3, 600, &small);
        let organisations = [thirteen(), twenty_four(), invented("60 people", 7, 1100, &large)];
        let mut cases: Vec<Case> = organisations.into_iter().map(case).collect();
        let mut again = twenty_four();
        again.name = "24 people, v3";
        cases.push(case_of_version_3(again));
        cases
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

/// A few reports from version 3, which has more dimensions.
fn case_of_version_3(attacked: Attacked) -> Case {
    let truth = Truth::new(&runs::records_of_version_3(&attacked));
    let order = |(period, flags): (&str, [&'static str; 2])| Order {
        period: period.to_owned(),
        filter: Filter::default(),
        flags: flags.to_vec(),
        two_prices: false,
        v3: true,
    };
    let (leadership, hidden) = (["--profile", "leadership"], ["--people", "hidden"]);
    let asked = [("2026-W36", leadership), ("2026-W40", hidden), ("2026-09", leadership)];
    let reports = runs::reports(&attacked, &asked.into_iter().map(order).collect::<Vec<_>>());
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
        v3: false,
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
    orders.push(Order { flags: vec!["--people", "hidden"], ..order("2026-W38", none(), &[]) });
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

/// Attacks on single reports whose findings are accepted, each with the reason.
const ACCEPTED: [(&str, &str); 2] = [
    (
        "part by state",
        "How pull requests ended is public on the forge, and no ACUs are grouped by it. Without \
         closed pull requests there would be no merge rate in most weeks.",
    ),
    (
        "part of sessions",
        "Nobody outside knows which sessions have an analysis or remarks on the prompt. Without \
         the number of analysed sessions no issue could be counted in most weeks.",
    ),
];

#[test]
fn no_number_of_a_covered_report_rests_on_fewer_than_five_people() {
    attack_each(cases());
}

/// A period that was chosen is shown with the groups of the report's period: in the trend, before it,
/// and of each kind.
#[test]
fn no_number_of_a_chosen_comparison_rests_on_fewer_than_five_people() {
    let mut attacked = thirteen();
    let truth = Truth::new(&attacked.records());
    if attacked.tags.is_empty() {
        attacked.tags = heaviest_tags(&truth);
    }
    let order = |(period, flags): (&str, [&'static str; 8])| Order {
        period: period.to_owned(),
        filter: Filter::default(),
        flags: flags.to_vec(),
        two_prices: false,
        v3: false,
    };
    let with = |chosen, trend| {
        let outputs = ["--export", "csv,xlsx", "--trend", trend];
        let [a, b, c, d] = outputs;
        ["--profile", "leadership", "--compare-with", chosen, a, b, c, d]
    };
    let asked = [
        ("2026-W41", with("2026-W35", "7")),
        ("2026-W41", with("2026-W30", "3")),
        ("2026-W36", with("2026-W31", "0")),
        ("2026-W38", with("2026-W32", "5")),
        ("2026-09", with("2026-07", "1")),
    ];
    let orders: Vec<Order> = asked.into_iter().map(order).collect();
    let reports = runs::reports(&attacked, &orders);
    assert_eq!(reports.len(), orders.len());
    for (report, order) in reports.iter().zip(&orders) {
        assert_eq!(report.compared().label, order.flags[3]);
        let has_previous = |metric: &str| {
            let of = |fact: &&runs::Fact| {
                fact.metric == metric && fact.previous.is_some_and(|number| number > 0.0)
            };
            report.facts.iter().filter(of).count()
        };
        assert!(has_previous("sessions") > 3, "{}: {}", report.name(), has_previous("sessions"));
    }
    attack_each(&[Case { attacked, truth, reports }]);
}

/// Asserts that no report of some organisations reveals anything on its own.
fn attack_each(cases: &[Case]) {
    let mut found: Vec<(&str, Finding)> = Vec::new();
    for case in cases {
        for report in &case.reports {
            let truth = case.truth.filtered(&report.filter);
            found.extend(
                single::attack(report, &truth).into_iter().map(|finding| (case.attacked.name, finding)),
            );
            found
                .extend(beside(report, &case.truth).into_iter().map(|finding| (case.attacked.name, finding)));
            for (what, outcome) in several::within_one(&case.truth, report) {
                if !outcome.narrowed.is_empty() {
                    let finding = Finding {
                        attack: outcome.attack,
                        report: report.name(),
                        what,
                        people: outcome.narrowed,
                    };
                    found.push((case.attacked.name, finding));
                }
            }
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
    found.retain(|(_, finding)| ACCEPTED.iter().all(|(attack, _)| *attack != finding.attack));
    let examples = examples(&found);
    assert!(found.is_empty(), "{} findings\n{examples}", found.len());
}

/// What the numbers of all sessions beside those of a team disclose: all of them minus the team's.
fn beside(report: &Report, truth: &Truth) -> Vec<Finding> {
    let Some(name) = &report.filter.team else { return Vec::new() };
    let all = truth.filtered(&Filter { team: None, ..report.filter.clone() });
    let others = |metric: &str, period: &truth::Period| -> BTreeSet<String> {
        let sessions = all.of(period);
        let pulls = all.pulls(period);
        let owners = |is_counted: fn(&str) -> bool| {
            let counted = pulls.iter().filter(|pull| is_counted(pull.state));
            counted.map(|pull| pull.owner).collect::<BTreeSet<usize>>()
        };
        let rows: BTreeSet<usize> = match metric {
            "sessions" => sessions,
            "acus" | "spend" => sessions.into_iter().filter(|at| all.sessions[*at].acus.is_some()).collect(),
            "prs" => owners(|_| true),
            "merge_rate" => owners(|state| ["merged", "closed"].contains(&state)),
            _ => owners(|state| state == "merged"),
        };
        let rest = rows.iter().filter(|at| truth::team(&all.sessions[**at]).as_ref() != Some(name));
        all.people(rest)
    };
    let mut found = Vec::new();
    for fact in report.json["whole"].as_array().into_iter().flatten() {
        let metric = fact["metric"].as_str().expect("a metric");
        let periods = [("value", report.period.clone()), ("previous", report.compared())];
        for (part, period) in periods.into_iter().filter(|(part, _)| !fact[*part].is_null()) {
            let people = others(metric, &period);
            if (1..truth::K).contains(&people.len()) {
                let what = format!("{metric} of all others, {part}");
                found.push(Finding { attack: "all beside a team", report: report.name(), what, people });
            }
        }
    }
    found
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

/// How many people are narrowed down to fewer than five candidates, and how many
/// are computed, in the organisations of 13, 24 and 60 people: upper bounds.
const BOUNDS: [(&str, [(usize, usize); 3]); 13] = [
    ("month minus the weeks inside it", [(5, 0), (9, 1), (12, 1)]),
    ("period minus the days that any report shows", [(0, 0), (0, 0), (0, 0)]),
    ("groups that come and go between weeks", [(7, 0), (23, 0), (56, 0)]),
    ("neighbouring weeks: few people came or went", [(13, 0), (20, 0), (21, 0)]),
    ("the same, one person: ACUs estimated within 10%", [(1, 0), (1, 0), (0, 0)]),
    ("one filter more or less", [(12, 3), (11, 1), (20, 1)]),
    ("all reports of weeks and months, linear combinations", [(5, 0), (4, 1), (1, 1)]),
    ("the same with filtered reports", [(12, 7), (13, 6), (5, 4)]),
    ("pull requests by author and week", [(0, 0), (0, 0), (0, 0)]),
    ("pull requests of one public repository", [(0, 0), (0, 0), (0, 0)]),
    ("one recognised session opens all weeks of a person", [(0, 0), (0, 0), (0, 0)]),
    ("two weeks of absence", [(0, 0), (0, 0), (0, 0)]),
    ("who was at work in which week", [(0, 0), (0, 0), (0, 0)]),
];

#[test]
fn several_covered_reports_narrow_down_no_more_people_than_documented() {
    let mut exceeded = Vec::new();
    for (place, case) in cases().iter().take(3).enumerate() {
        let is_leadership = |report: &&Report| report.files.keys().any(|name| name.contains("_leadership"));
        let reports: Vec<&Report> = case.reports.iter().filter(is_leadership).collect();
        let mut outcomes = several::attacks(&case.truth, &reports);
        outcomes.extend(pseudonyms::attacks(&case.truth, &reports));
        print(case, &outcomes);
        for outcome in &outcomes {
            let (_, bounds) = BOUNDS.iter().find(|(attack, _)| *attack == outcome.attack).expect("a bound");
            let (narrowed, computed) = (outcome.narrowed.len(), outcome.computed.len());
            if narrowed > bounds[place].0 || computed > bounds[place].1 {
                let name = case.attacked.name;
                exceeded
                    .push(format!("{name}, {}: {narrowed} narrowed, {computed} computed", outcome.attack));
            }
        }
    }
    assert!(exceeded.is_empty(), "{exceeded:#?}");
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
    let lists: [&[&str]; 17] = [
        &["--week", "2026-W36", "--user", "email|thirteen04"],
        &["--week", "2026-W36", "--tag", "tag-orchid", "--tag", "tag-birch"],
        &["--week", "2026-W36", "--tag", "tag-*"],
        &["--week", "2026-W36", "--tag", "tag-lonely"],
        // A tag of machines alone, and one that nobody has.
        &["--week", "2026-W36", "--tag", "tag-nightly"],
        &["--week", "2026-W36", "--tag", "tag-of-nobody"],
        &["--week", "2026-W36", "--team", "yew"],
        &["--week", "2026-W36", "--tag", "tag-birch", "--team", "ash"],
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

/// Joining rows over the weeks needs rows: a covered run writes none of a person
/// or of a session. This is all that it writes about thirteen people.
#[test]
fn a_covered_run_writes_these_files_and_these_groups() {
    let report = cases()[0].reports.iter().find(|report| report.name() == "2026-W36").unwrap();
    let names: Vec<&str> = report.files.keys().map(String::as_str).collect();
    let own = |end: &str| format!("enterprise_2026-W36_leadership{end}");
    let csv = ["bin", "day", "period", "repo", "state", "status", "tag", "type"];
    let mut expected: Vec<String> = [".html", ".json", ".xlsx"].map(own).into();
    expected.extend(csv.map(|by| own(&format!("_by-{by}.csv"))));
    expected.extend([own("_whole.csv"), "mail.eml".to_owned(), "summary.md".to_owned()]);
    assert_eq!(names, expected);

    let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for fact in &report.facts {
        let dimensions: Vec<&str> = fact.group.keys().map(String::as_str).collect();
        groups.entry(dimensions.join("+")).or_default().insert(&fact.metric);
    }
    let volume = "acus sessions spend";
    let trend = "active_users acus acus_per_merged_pr analysed_sessions analysis_coverage merge_rate prs prs_merged \
                 sessions spend spend_per_merged_pr undecided_prs undecided_share";
    let whole = "acus_without_pr_share automation_sessions issues merge_rate_all sessions_with_merged_pr \
                 sessions_with_pr sessions_with_prompt_feedback";
    // None by organisation: a single group would be left. None by impact and label:
    // fewer than five people have analysed sessions without some of them.
    let expected = [
        ("", format!("{trend} {whole}")),
        ("bin", "acus_histogram".to_owned()),
        ("day", volume.to_owned()),
        ("period", trend.to_owned()),
        ("repo", "prs prs_merged".to_owned()),
        ("state", "prs".to_owned()),
        ("status", volume.to_owned()),
        ("tag", volume.to_owned()),
        ("type", "action_items".to_owned()),
    ];
    let groups: BTreeMap<&str, BTreeSet<&str>> =
        groups.iter().map(|(by, of)| (by.as_str(), of.clone())).collect();
    assert_eq!(groups, expected.iter().map(|(by, of)| (*by, of.split_whitespace().collect())).collect());
}
