//! The program's numbers against the oracle's: the command as a user runs it,
//! over HTTP, on invented and on odd organisations.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, Days, Duration, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use devin_simulator::{Options, Organisation, Recipe, Simulator, start};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::oracle::by_hand::two_weeks;
use crate::oracle::by_hand_odd::{duplicates, odd_values, rejected, shared_pull_requests};
use crate::oracle::calendar::spans;
use crate::oracle::{Asked, Kind, differences, expect};

const WEEK_41: Kind = Kind::Week { year: 2026, week: 41 };

#[test]
fn ordinary_weeks_agree_in_every_zone() {
    let zones = [
        chrono_tz::UTC,
        chrono_tz::Europe::Berlin,
        chrono_tz::America::New_York,
        chrono_tz::Asia::Kolkata,
        chrono_tz::Pacific::Auckland,
        chrono_tz::America::Santiago,
        chrono_tz::Asia::Beirut,
    ];
    for seed in 1..=3 {
        let served = Served::invented(&Recipe { seed, ..small("2026-08-14", 62) });
        // Each seed in each zone would be slow and say little more.
        for tz in zones.iter().skip(seed as usize - 1).step_by(3) {
            served.agrees(None, &asked(WEEK_41, *tz, 7));
        }
    }
}

#[test]
fn weeks_and_days_with_a_clock_change_agree() {
    let week = |year, week| Kind::Week { year, week };
    let one_day = |text| Kind::Days { from: day(text), to: day(text) };
    for (tz, kind) in [
        (chrono_tz::Europe::Berlin, week(2026, 13)),
        (chrono_tz::Europe::Berlin, week(2026, 43)),
        (chrono_tz::America::New_York, week(2026, 44)),
        (chrono_tz::Pacific::Auckland, week(2026, 39)),
        // Midnight does not exist, or comes twice.
        (chrono_tz::America::Santiago, week(2026, 36)),
        (chrono_tz::America::Santiago, one_day("2026-09-06")),
        (chrono_tz::Asia::Beirut, week(2026, 13)),
        (chrono_tz::America::Havana, one_day("2026-11-01")),
    ] {
        let asked = asked(kind, tz, 2);
        Served::values(at_midnights(&asked)).agrees(None, &asked);
    }
}

#[test]
fn years_of_53_weeks_agree() {
    let served = Served::invented(&small("2020-11-09", 62));
    served.agrees(None, &asked(Kind::Week { year: 2020, week: 53 }, chrono_tz::Europe::Berlin, 7));
    served.agrees(None, &asked(Kind::Week { year: 2021, week: 1 }, chrono_tz::UTC, 2));
    let later = Served::invented(&small("2026-12-14", 30));
    later.agrees(None, &asked(Kind::Week { year: 2026, week: 53 }, chrono_tz::UTC, 1));
}

#[test]
fn months_and_runs_of_days_agree() {
    let served = Served::invented(&small("2026-07-28", 70));
    let month = Kind::Month { year: 2026, month: 9 };
    served.agrees(None, &asked(month, chrono_tz::Europe::Berlin, 2));
    served.agrees(None, &asked(month, chrono_tz::Asia::Kolkata, 0));
    let run = |from, to| Kind::Days { from: day(from), to: day(to) };
    served.agrees(None, &asked(run("2026-09-14", "2026-09-24"), chrono_tz::America::New_York, 3));
    served.agrees(None, &asked(run("2026-09-23", "2026-09-23"), chrono_tz::UTC, 12));
    // Over a turn of the year, with more periods than there is data.
    let january = |trend| asked(Kind::Month { year: 2026, month: 1 }, chrono_tz::Europe::Berlin, trend);
    Served::values(at_midnights(&january(1))).agrees(None, &january(12));
}

#[test]
fn chosen_periods_agree() {
    let served = Served::invented(&Recipe { sessions: 700, ..small("2026-04-20", 175) });
    let week = |week| Kind::Week { year: 2026, week };
    let month = |month| Kind::Month { year: 2026, month };
    let run = |from, to| Kind::Days { from: day(from), to: day(to) };
    for (kind, compared, trend) in [
        // In the trend, right before it, far from it, without one, and the one before after all.
        (WEEK_41, week(37), 7),
        (WEEK_41, week(38), 2),
        (WEEK_41, week(20), 5),
        (WEEK_41, week(30), 0),
        (WEEK_41, week(40), 0),
        // Of other lengths; sums have a spread to exceed.
        (month(9), month(5), 4),
        (month(8), month(6), 1),
        // Of other kinds: a month over weeks of the trend, days inside and outside of it, one day.
        (WEEK_41, month(9), 7),
        (WEEK_41, run("2026-09-23", "2026-10-02"), 3),
        (run("2026-10-01", "2026-10-09"), week(36), 2),
        (run("2026-10-01", "2026-10-09"), run("2026-05-05", "2026-05-05"), 5),
    ] {
        let own = Asked { compare: Some(compared), ..asked(kind, chrono_tz::Europe::Berlin, trend) };
        served.agrees(None, &own);
        if [7, 4].contains(&trend) {
            served.agrees(None, &Asked { v3: true, ..own });
        }
    }
    // Months and runs of days differ in length from the one before as well.
    served.agrees(None, &asked(month(9), chrono_tz::UTC, 4));
    served.agrees(None, &asked(month(7), chrono_tz::UTC, 0));
}

#[test]
fn empty_periods_agree() {
    let served = Served::invented(&small("2026-08-31", 14));
    // Nothing at all; nothing in the period; nothing before it.
    served.agrees(None, &asked(Kind::Week { year: 2026, week: 20 }, chrono_tz::UTC, 0));
    served.agrees(None, &asked(Kind::Week { year: 2026, week: 38 }, chrono_tz::UTC, 4));
    served.agrees(None, &asked(Kind::Week { year: 2026, week: 36 }, chrono_tz::UTC, 1));
    let bare = Recipe { users: 0, tags: 0, repos: 0, ..small("2026-09-28", 14) };
    Served::invented(&bare).agrees(None, &asked(WEEK_41, chrono_tz::UTC, 1));
}

#[test]
fn a_running_period_is_compared_with_nothing() {
    let today = now().date_naive();
    let begun = today - Days::new(12);
    let served = Served::invented(&small(&begun.to_string(), 12));
    // Days on both sides of now: no midnight during the test ends the period.
    let kind = Kind::Days { from: today - Days::new(3), to: today + Days::new(3) };
    let facts = served.agrees(None, &asked(kind, chrono_tz::Europe::Berlin, 2));
    let json: Value = serde_json::from_str(&facts).unwrap();
    assert_eq!(json["period"]["complete"], false);
    assert!(json["facts"].as_array().unwrap().iter().all(|fact| fact["previous"].is_null()));
}

#[test]
fn the_enterprise_and_each_organisation_agree() {
    let served = Served::invented(&Recipe { orgs: 3, ..small("2026-09-21", 21) });
    let asked = asked(WEEK_41, chrono_tz::Europe::Berlin, 2);
    let orgs = served.distinct(|record| record["org_id"].as_str());
    assert!(orgs.len() > 1, "{orgs:?}");
    served.agrees(None, &asked);
    for org in &orgs {
        served.agrees(Some(org), &asked);
    }
}

#[test]
fn filters_agree() {
    let served = Served::invented(&small("2026-09-21", 21));
    let asked = asked(WEEK_41, chrono_tz::UTC, 2);
    let tags = served.distinct(|record| record["tags"][0].as_str());
    let users = served.distinct(|record| record["user_id"].as_str());
    let (tags, users) = (&tags[..2], &users[..3]);
    let tagged = |record: &Value| {
        record["tags"].as_array().is_some_and(|own| own.iter().any(|tag| tags.iter().any(|t| tag == t)))
    };
    let started = |record: &Value| users.iter().any(|user| record["user_id"] == *user);
    let flags = |flag: &str, values: &[String]| -> Vec<String> {
        values.iter().flat_map(|value| [flag.to_owned(), value.clone()]).collect()
    };
    served.agrees_on(None, &asked, &flags("--tag", tags), &tagged);
    served.agrees_on(None, &asked, &flags("--user", users), &started);
    let both = [flags("--tag", tags), flags("--user", users)].concat();
    served.agrees_on(None, &asked, &both, &|record| tagged(record) && started(record));
}

#[test]
fn odd_organisations_agree() {
    let week = asked(WEEK_41, chrono_tz::UTC, 1);
    Served::values(two_weeks()).agrees(None, &week);
    Served::values(two_weeks()).agrees(Some("o1"), &week);
    Served::values(shared_pull_requests()).agrees(None, &week);
    Served::values(odd_values()).agrees(None, &week);
    Served::values(spelt_in_many_ways()).agrees(None, &week);
    for seed in [11, 12] {
        let odd = Recipe { seed, oddity: 20.0, ..small("2026-09-21", 21) };
        Served::invented(&odd).agrees(None, &asked(WEEK_41, chrono_tz::Asia::Kolkata, 2));
    }
}

/// Sessions of two weeks whose pull requests are spelt in many ways.
fn spelt_in_many_ways() -> Vec<Value> {
    let repos =
        ["github.com/Acme/App", "github.com/acme/app", "WWW.GitHub.com:443/ACME/app", "git.example/A/b"];
    let ends = ["pull/7", "pull/7/files", "Pull/8?w=1", "pulls/9/commits/a", "merge_requests/7", "x/7"];
    let session = |index: usize| {
        let (repo, end) = (repos[index % 4], ends[index % 6]);
        let address = |scheme: &str| format!("{scheme}{repo}/{end}");
        let state = ["open", "merged", "closed"][index % 3];
        json!({
            "session_id": format!("s{index:02}"), "created_at": format!("2026-10-{:02}T10:00:00Z", 12 - index % 13),
            "user_id": format!("u{}", index % 3), "acus_consumed": 1,
            "pull_requests": [
                {"pr_url": address("https://"), "pr_state": state},
                {"url": address("http://x@"), "state": "draft"},
            ],
        })
    };
    (0..60).filter(|index| index % 13 != 12).map(session).collect()
}

#[test]
fn a_field_of_another_type_costs_itself_alone() {
    let odd = [
        json!({"tags": "auth", "pull_requests": "none", "session_analysis": "none"}),
        json!({"tags": {"a": 1}, "pull_requests": {}, "session_analysis": []}),
        json!({"tags": 5, "pull_requests": 5, "session_analysis": true}),
        json!({"user_id": ["u"], "status": {}, "org_id": false, "acus_consumed": [1]}),
        json!({"session_analysis": {"issues": "x", "action_items": 1, "suggested_prompt": "y"}}),
        json!({"session_analysis": {"suggested_prompt": {"feedback_items": {}}, "issues": [{"impact": 1}]}}),
    ];
    let record = |(index, odd): (usize, Value)| {
        let mut record = json!({
            "session_id": format!("s{index}"), "created_at": "2026-10-06T10:00:00Z", "user_id": "u",
            "status": "exit", "acus_consumed": 1.5
        });
        if let (Some(record), Value::Object(odd)) = (record.as_object_mut(), odd) {
            record.extend(odd);
        }
        record
    };
    let records = odd.into_iter().enumerate().map(record).collect();
    Served::values(records).agrees(None, &asked(WEEK_41, chrono_tz::UTC, 1));
}

#[test]
fn version_3_agrees() {
    for (seed, tz) in [(1, chrono_tz::Europe::Berlin), (2, chrono_tz::America::New_York), (3, chrono_tz::UTC)]
    {
        let served = Served::invented(&Recipe { seed, orgs: 2, oddity: 3.0, ..small("2026-08-14", 62) });
        let orgs = served.distinct(|record| record["org_id"].as_str());
        let week = Asked { v3: true, ..asked(WEEK_41, tz, 5) };
        served.agrees(None, &week);
        served.agrees(orgs.first().map(String::as_str), &week);
        served.agrees(None, &Asked { v3: true, ..asked(Kind::Month { year: 2026, month: 9 }, tz, 1) });
    }
}

#[test]
fn both_versions_tell_the_same_as_far_as_they_can() {
    let only_v3 = |line: &String| {
        let dimensions = ["origin", "size", "category", "playbook", "mode", "status_detail"];
        let metrics =
            ["user_messages_median", "sessions_stopped_by_limit", "large_session_share", "one_message_share"];
        dimensions.iter().any(|name| line.contains(&format!("\"{name}\"")))
            || metrics.iter().any(|metric| line.contains(metric))
    };
    // The comma after a fact depends on whether another follows.
    let bare =
        |text: &'_ str| text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect::<Vec<_>>();
    for seed in 1..=4 {
        let served = Served::invented(&Recipe { seed, sessions: 700, ..small("2026-08-14", 62) });
        let week = asked(WEEK_41, chrono_tz::Europe::Berlin, 7);
        let v2 = facts_text(&served.report(None, &week, &[]));
        let v3 = Asked { v3: true, ..week };
        for flags in [vec![], ["--page-size", "9", "--concurrency", "8"].map(str::to_owned).to_vec()] {
            let v3 = facts_text(&served.report(None, &v3, &flags));
            let (more, same): (Vec<String>, Vec<String>) = bare(&v3).into_iter().partition(only_v3);
            assert!(more.len() > 40, "{}", more.len());
            assert_same_bytes(&bare(&v2).join("\n"), &same.join("\n"), "v3");
        }
    }
}

#[test]
fn filters_agree_on_version_3() {
    let served = Served::invented(&small("2026-09-21", 21));
    let week = Asked { v3: true, ..asked(WEEK_41, chrono_tz::UTC, 2) };
    let users = served.distinct(|record| record["user_id"].as_str());
    let machines = served.distinct(|record| record["service_user_id"].as_str());
    let tags = served.distinct(|record| record["tags"][0].as_str());
    let tagged =
        |record: &Value| record["tags"].as_array().is_some_and(|own| own.iter().any(|tag| tag == &tags[0]));
    served.agrees_on(None, &week, &["--tag".to_owned(), tags[0].clone()], &tagged);
    for (key, id) in [("user_id", &users[1]), ("service_user_id", &machines[0])] {
        let flags = ["--user".to_owned(), id.clone()];
        served.agrees_on(None, &week, &flags, &|record| record[key] == id.as_str());
    }
}

#[test]
fn duplicates_agree() {
    // A listing that tells of a session twice can never prove to be complete.
    let partial = ["--allow-partial".to_owned()];
    let week = asked(WEEK_41, chrono_tz::UTC, 1);
    Served::values(duplicates()).agrees_on(None, &week, &partial, &|_| true);
}

#[test]
fn rejected_records_take_no_part() {
    let mut values = Served::invented(&Recipe { sessions: 600, ..small("2026-09-28", 14) }).records;
    values.extend(rejected());
    Served::values(values).agrees(None, &asked(WEEK_41, chrono_tz::UTC, 1));
}

#[test]
fn neither_page_size_nor_concurrency_changes_a_byte() {
    let served = Served::invented(&Recipe { sessions: 90, ..small("2026-09-28", 14) });
    let asked = asked(WEEK_41, chrono_tz::Europe::Berlin, 1);
    let first = facts_text(&served.agrees(None, &asked));
    for (page_size, concurrency) in [(1, 8), (1, 1), (2, 3), (7, 2), (13, 8), (50, 4), (89, 5), (200, 1)] {
        let flags = ["--page-size", &page_size.to_string(), "--concurrency", &concurrency.to_string()]
            .map(str::to_owned);
        let facts = facts_text(&served.report(None, &asked, &flags));
        assert_same_bytes(&first, &facts, &format!("page size {page_size}, concurrency {concurrency}"));
    }
}

#[test]
fn the_same_question_has_the_same_answer_to_the_byte() {
    // Many users: sums over groups in another order differ in their last digit.
    let served = Served::invented(&Recipe { sessions: 600, users: 80, ..small("2026-09-21", 21) });
    let asked = asked(WEEK_41, chrono_tz::UTC, 2);
    let first = facts_text(&served.agrees(None, &asked));
    for run in 2..=10 {
        assert_same_bytes(&first, &facts_text(&served.report(None, &asked, &[])), &format!("run {run}"));
    }
}

#[test]
fn the_whole_is_the_sum_of_its_days_and_a_share_is_a_part() {
    let served = Served::invented(&Recipe { sessions: 500, ..small("2026-09-07", 35) });
    for tz in [chrono_tz::Europe::Berlin, chrono_tz::Pacific::Auckland] {
        let json: Value = serde_json::from_str(&served.agrees(None, &asked(WEEK_41, tz, 3))).unwrap();
        let facts = json["facts"].as_array().unwrap();
        for metric in ["sessions", "acus"] {
            let values = |dimension: Option<&str>| -> Vec<f64> {
                let belongs = |fact: &&Value| {
                    let group = fact["group"].as_object().unwrap();
                    fact["metric"] == metric && group.keys().map(String::as_str).eq(dimension)
                };
                facts.iter().filter(belongs).filter_map(|fact| fact["value"].as_f64()).collect()
            };
            let (whole, days) = (values(None), values(Some("day")));
            assert_eq!((whole.len(), days.len()), (1, 7), "{metric}");
            let sum: f64 = days.iter().sum();
            assert!(whole[0] > 0.0 && (whole[0] - sum).abs() <= 1e-9 * sum, "{metric}: {whole:?} {days:?}");
        }
        let shares: Vec<f64> =
            facts.iter().filter(|fact| fact["unit"] == "share").filter_map(|f| f["value"].as_f64()).collect();
        assert!(shares.len() > 10);
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
    }
}

/// An organisation, served as long as this lives.
struct Served {
    simulator: Simulator,
    records: Vec<Value>,
    // Runs the server; last, so that it outlives it.
    _runtime: Runtime,
}

impl Served {
    fn invented(recipe: &Recipe) -> Self {
        Self::new(Organisation::invent(recipe))
    }

    fn values(values: Vec<Value>) -> Self {
        Self::new(Organisation::from_values(values))
    }

    fn new(organisation: Organisation) -> Self {
        let records = organisation
            .records
            .iter()
            .map(|record| serde_json::from_str(&record.body).expect("the simulator serves JSON"))
            .collect();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let simulator = runtime.block_on(start(organisation, Options::default())).expect("a free port");
        Self { simulator, records, _runtime: runtime }
    }

    /// What the records hold under a key, each value once and in order.
    fn distinct(&self, of: impl Fn(&Value) -> Option<&str>) -> Vec<String> {
        let mut found: Vec<String> =
            self.records.iter().filter_map(|record| of(record).map(str::to_owned)).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Asserts that the program and the oracle agree; gives the program's facts.
    fn agrees(&self, org: Option<&str>, asked: &Asked) -> String {
        self.agrees_on(org, asked, &[], &|_| true)
    }

    /// The same with more flags, which leave some of the records.
    fn agrees_on(
        &self,
        org: Option<&str>,
        asked: &Asked,
        flags: &[String],
        left: &dyn Fn(&Value) -> bool,
    ) -> String {
        let facts = self.report(org, asked, flags);
        // A record without an organisation belongs to every one.
        let of_org = |record: &Value| match (org, record["org_id"].as_str()) {
            (Some(org), Some(own)) => own.is_empty() || own == org,
            _ => true,
        };
        let records = if asked.v3 { self.of_version_3() } else { self.records.clone() };
        let records: Vec<Value> =
            records.iter().filter(|record| of_org(record) && left(record)).cloned().collect();
        let narrows = |flag: &String| ["--tag", "--user"].contains(&flag.as_str());
        let members = if flags.iter().any(narrows) { None } else { self.members(org, asked.v3) };
        let expected = expect(&records, &Asked { members, ..asked.clone() });
        let found = differences(&facts, &expected);
        let shown = found.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        assert!(found.is_empty(), "{} differences, {asked:?}, {org:?} {flags:?}\n{shown}", found.len());
        facts
    }

    /// All records as version 3 serves them, read page by page.
    fn of_version_3(&self) -> Vec<Value> {
        let (mut records, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v3/enterprise/sessions/insights?first=200{cursor}");
            let page = self.get(&path);
            records.extend(page["items"].as_array().expect("items").iter().cloned());
            if page["has_next_page"] == false {
                return records;
            }
            cursor = format!("&after={}", page["end_cursor"].as_str().expect("a cursor").replace('=', "%3D"));
        }
    }

    /// How many people are on the lists of those who are asked about; unknown on version 3 for an
    /// organisation, because the key reads the lists of the enterprise.
    fn members(&self, org: Option<&str>, v3: bool) -> Option<u64> {
        let lists: Vec<String> = match (v3, org) {
            (true, Some(_)) => Vec::new(),
            (true, None) => {
                ["users", "idp-users"].map(|list| format!("v3/enterprise/members/{list}?first=200")).into()
            }
            (false, None) => vec!["v2/enterprise/members?skip=0&limit=200".to_owned()],
            (false, Some(org)) => vec![format!("v2/enterprise/organizations/{org}/members?skip=0&limit=200")],
        };
        let mut people = BTreeSet::new();
        for list in lists {
            let page = self.get(&format!("/{list}"));
            let more = [&page["has_more"], &page["has_next_page"]];
            assert!(more.iter().all(|more| **more != true), "the list has one page");
            let items = page["items"].as_array().expect("items");
            people.extend(items.iter().map(|one| one["user_id"].as_str().expect("an id").to_owned()));
        }
        (!people.is_empty()).then_some(people.len() as u64)
    }

    fn get(&self, path: &str) -> Value {
        let host = self.simulator.base_url().replace("http://", "");
        let mut stream = TcpStream::connect(&host).expect("the simulator listens");
        let key = if path.starts_with("/v2/") { "apk_user_test" } else { "cog_test" };
        let lines = format!("Authorization: Bearer {key}\r\nConnection: close");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Runs `acumen report` and gives its `facts.json`.
    fn report(&self, org: Option<&str>, asked: &Asked, flags: &[String]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let key = if asked.v3 { "cog_test" } else { "apk_user_test" };
        let output = command(folder.path())
            .env("DEVIN_API_KEY", key)
            .args(["report", "--base-url", &self.simulator.base_url(), "--tz", asked.tz.name()])
            .args(["--trend", &asked.trend.to_string(), "--out", "."])
            .args(period_flags(asked.kind))
            .args(compare_flags(asked))
            .args(org.iter().flat_map(|org| ["--org", org]))
            .args(flags)
            .output()
            .expect("the program starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{asked:?} {org:?} {flags:?}: {}\n{stderr}", output.status);
        let written = String::from_utf8_lossy(&output.stdout);
        let path = folder.path().join(written.lines().next_back().expect("the path of the facts"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The program, with nothing of this machine's settings.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acumen"));
    command.current_dir(folder).env_clear().env("HOME", folder);
    command
}

fn period_flags(kind: Kind) -> Vec<String> {
    match kind {
        Kind::Week { year, week } => vec!["--week".to_owned(), format!("{year}-W{week:02}")],
        Kind::Month { year, month } => vec!["--month".to_owned(), format!("{year}-{month:02}")],
        Kind::Days { from, to } => {
            vec!["--from".to_owned(), from.to_string(), "--to".to_owned(), to.to_string()]
        }
    }
}

fn compare_flags(asked: &Asked) -> Vec<String> {
    let label = asked.compare.map(|kind| spans(kind, 0, asked.tz).remove(0).label);
    label.into_iter().flat_map(|label| ["--compare-with".to_owned(), label]).collect()
}

fn asked(kind: Kind, tz: Tz, trend: u32) -> Asked {
    Asked { tz, kind, trend, now: now(), v3: false, members: None, compare: None }
}

// The program decides by the real clock which periods have ended.
#[allow(clippy::disallowed_methods)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// An organisation small enough to be served many times.
fn small(first_day: &str, days: u32) -> Recipe {
    Recipe {
        seed: 5,
        sessions: 260,
        first_day: day(first_day),
        days,
        users: 13,
        tags: 7,
        ..Default::default()
    }
}

/// Sessions right before, at and after each midnight of the period and of all
/// that it is compared with, and right outside of them.
fn at_midnights(asked: &Asked) -> Vec<Value> {
    let spans = spans(asked.kind, asked.trend.max(1), asked.tz);
    let days = spans.iter().flat_map(|span| &span.days);
    let ends = spans.iter().map(|span| span.to).chain(days.map(|(_, begins)| *begins));
    let mut instants: Vec<DateTime<Utc>> = ends
        .flat_map(|midnight| {
            [-3_600_000, -1, 0, 1, 3_600_000].map(|ms| midnight + Duration::milliseconds(ms))
        })
        .map(|instant| instant.to_utc())
        .collect();
    instants.sort();
    instants.dedup();
    let states = ["open", "merged", "closed"];
    let record = |(index, instant): (usize, &DateTime<Utc>)| {
        let created = instant.to_rfc3339_opts(SecondsFormat::Millis, true);
        json!({
            "session_id": format!("s{index}"), "org_id": "o", "user_id": format!("u{}", index % 3),
            "created_at": created, "updated_at": created, "tags": [format!("t{}", index % 2)],
            "status": "exit", "acus_consumed": index as f64 / 8.0,
            "pull_requests": [{
                "pr_url": format!("https://github.com/a/b/pull/{}", index / 4),
                "pr_state": states[index % 3]
            }]
        })
    };
    instants.iter().enumerate().map(record).collect()
}

/// The bytes of the facts alone: the counts of pages differ.
fn facts_text(json: &str) -> String {
    #[derive(Deserialize)]
    struct Facts<'a> {
        #[serde(borrow)]
        facts: &'a RawValue,
    }
    let facts: Facts = serde_json::from_str(json).expect("facts.json");
    facts.facts.get().to_owned()
}

/// Asserts equality; reports only the first difference.
fn assert_same_bytes(first: &str, second: &str, what: &str) {
    let (mut old, mut new) = (first.lines(), second.lines());
    while let (Some(old), Some(new)) = (old.next(), new.next()) {
        assert_eq!(old, new, "{what}");
    }
    assert!(first == second, "{what}: {} and {} bytes", first.len(), second.len());
}
