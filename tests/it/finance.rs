//! What teams and cost centres spent at each price: the facts against a second calculation, and
//! workbook and CSV against the facts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use acumen::cli::{ApiArgs, ReportArgs};
use acumen::commands::report::prepare;
use acumen::settings::{Found, FoundKey, Settings, parse_file};
use chrono::NaiveDate;
use chrono_tz::Europe::Berlin;
use devin_simulator::{Options, Organisation, Recipe, start};
use serde_json::{Value, json};

use crate::export::independent_readers_agree;
use crate::oracle::calendar::{Kind, spans};
use crate::oracle::finance::{Asked, Group, Row};
use crate::oracle::records::Session;
use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, files, run};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

/// A small organisation whose weeks have enough people for several teams.
fn organisation(seed: u64) -> Organisation {
    let recipe = Recipe { seed, sessions: 500, first_day: day("2026-09-14"), days: 28, ..Recipe::demo() };
    Organisation::invent(&recipe)
}

fn values(organisation: &Organisation) -> Vec<Value> {
    organisation.records.iter().map(|record| serde_json::from_str(&record.body).unwrap()).collect()
}

/// The users of sessions, by id.
fn users(organisation: &Organisation) -> Vec<String> {
    let users: BTreeSet<String> =
        organisation.records.iter().filter_map(|record| record.user_id.clone()).collect();
    users.into_iter().collect()
}

fn prices(currency: &str, steps: &[(NaiveDate, f64)]) -> String {
    let step = |(from, per_acu): &(NaiveDate, f64)| {
        format!("[[price]]\nfrom = {from}\nper_acu = \"{per_acu}\"\ncurrency = \"{currency}\"\n")
    };
    steps.iter().map(step).collect()
}

/// A finished report with its exports.
struct Made {
    folder: tempfile::TempDir,
    facts: Value,
    stderr: String,
}

impl Made {
    fn path(&self, ending: &str) -> Option<PathBuf> {
        let name = files(&self.folder.path().join("out")).into_iter().find(|name| name.ends_with(ending))?;
        Some(self.folder.path().join("out").join(name))
    }

    /// The lines of the finance file.
    fn csv(&self) -> Vec<Vec<String>> {
        let path = self.path("_finance.csv").expect("a finance file");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let row = |row: &Value| Row {
            group: [text(&row["team"]), text(&row["cost_centre"])],
            from: day(row["from"].as_str().unwrap()),
            to: day(row["to"].as_str().unwrap()),
            acus: row["acus"].as_f64().unwrap(),
            per_acu: row["per_acu"].as_f64(),
            amount: row["amount"].as_f64(),
            previous: row["previous_amount"].as_f64(),
        };
        self.facts["finance"].as_array().expect("finance rows").iter().map(row).collect()
    }

    /// A number of the whole period.
    fn whole(&self, metric: &str, part: &str) -> Option<f64> {
        let mut all = self.facts["facts"].as_array().unwrap().iter();
        all.find(|fact| fact["metric"] == metric && fact["group"] == json!({})).unwrap()[part].as_f64()
    }
}

/// A report of an organisation with settings, a people file and flags.
fn report(served: &Served, key: &str, settings: &str, people: &str, flags: &[&str]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), people).unwrap();
    let text = format!("tz = \"Europe/Berlin\"\ntrend = 0\npeople_file = \"people.csv\"\n{settings}");
    std::fs::write(folder.path().join("a.toml"), text).unwrap();
    let command = &mut acumen(folder.path());
    command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--config", "a.toml"]);
    command.args(["--org", "org_demo", "--out", "out"]).args(flags);
    if !flags.contains(&"--export") {
        command.args(["--export", "csv,xlsx"]);
    }
    let outcome = run(command);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let facts = read(&folder.path().join("out"));
    Made { folder, facts, stderr: outcome.stderr }
}

/// The facts in a folder.
fn read(folder: &Path) -> Value {
    let name = files(folder).into_iter().find(|name| name.ends_with(".json")).unwrap();
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn assert_rows(found: &[Row], expected: &[Row]) {
    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => close(a, b),
        (a, b) => a == b,
    };
    assert_eq!(found.len(), expected.len(), "{found:#?}\n{expected:#?}");
    for (found, expected) in found.iter().zip(expected) {
        let same = (&found.group, found.from, found.to, found.per_acu)
            == (&expected.group, expected.from, expected.to, expected.per_acu);
        let numbers = near(Some(found.acus), Some(expected.acus))
            && near(found.amount, expected.amount)
            && near(found.previous, expected.previous);
        assert!(same && numbers, "{found:#?}\n{expected:#?}");
    }
}

/// Teams by tag, then by the people file; six people move to another team and another cost centre,
/// on different days.
struct Staff {
    movers: Vec<String>,
    stayers: Vec<String>,
}

const RULES: &str = "[[team]]\nname = \"Docs\"\ntag = [\"docs\", \"test*\"]\n";

impl Staff {
    fn new(organisation: &Organisation) -> Self {
        let users = users(organisation);
        Self { movers: users[..6].to_vec(), stayers: users[6..14].to_vec() }
    }

    fn file(&self) -> String {
        let mut file = "user;team;Cost center;from\n".to_owned();
        for user in &self.movers {
            file += &format!(
                "{user};Payments;100;\n{user};Search;100;2026-10-08\n{user};Search;200;2026-10-10\n"
            );
        }
        self.stayers.iter().for_each(|user| file += &format!("{user};Payments;100;\n"));
        file
    }

    fn group(&self, session: &Session, day_of: NaiveDate) -> Group {
        let some = |text: &str| Some(text.to_owned());
        let [mut team, centre] = match &session.user {
            Some(user) if self.movers.contains(user) && day_of >= day("2026-10-10") => {
                [some("Search"), some("200")]
            }
            Some(user) if self.movers.contains(user) && day_of >= day("2026-10-08") => {
                [some("Search"), some("100")]
            }
            Some(user) if self.movers.contains(user) || self.stayers.contains(user) => {
                [some("Payments"), some("100")]
            }
            _ => [None, None],
        };
        if session.tags.iter().any(|tag| tag == "docs" || tag.starts_with("test")) {
            team = some("Docs");
        }
        [team, centre]
    }
}

#[test]
fn rows_of_teams_cost_centres_and_prices_agree_with_a_second_calculation() {
    // One price changes in the compared period, two in the week.
    let steps = [
        (day("2026-01-01"), 2.255),
        (day("2026-09-30"), 1.9),
        (day("2026-10-07"), 3.1),
        (day("2026-10-09"), 0.7),
    ];
    for (seed, key, currency, flags, period, compared) in [
        (1, CANARY, "EUR", vec!["--week", "2026-W41"], Kind::Week { year: 2026, week: 41 }, None),
        (2, SERVICE_CANARY, "JPY", vec!["--week", "2026-W41"], Kind::Week { year: 2026, week: 41 }, None),
        (
            3,
            CANARY,
            "KWD",
            vec!["--week", "2026-W41", "--compare-with", "2026-09"],
            Kind::Week { year: 2026, week: 41 },
            Some(Kind::Month { year: 2026, month: 9 }),
        ),
        (4, CANARY, "USD", vec!["--month", "2026-10"], Kind::Month { year: 2026, month: 10 }, None),
    ] {
        let organisation = organisation(seed);
        let staff = Staff::new(&organisation);
        let own = spans(period, 1, Berlin);
        let other = compared.map(|kind| spans(kind, 0, Berlin).remove(0));
        let expected = Asked {
            records: &values(&organisation),
            period: &own[1],
            compared: Some(other.as_ref().unwrap_or(&own[0])),
            prices: &steps,
            last: NaiveDate::MAX,
            group: &|session, day| staff.group(session, day),
        };
        let expected = expected.rows();
        let groups: BTreeSet<_> = expected.iter().map(|row| row.group.clone()).collect();
        assert!(groups.len() >= 5 && expected.len() >= 10, "{expected:#?}");

        let served = Served::new(organisation, Options::default());
        let settings = format!("{}{RULES}", prices(currency, &steps));
        let made = report(&served, key, &settings, &staff.file(), &flags);
        let rows = made.rows();
        assert_rows(&rows, &expected);
        let sum = |part: fn(&Row) -> Option<f64>| rows.iter().filter_map(part).sum::<f64>();
        assert!(close(sum(|row| row.amount), made.whole("spend", "value").unwrap()));
        assert!(close(sum(|row| row.previous), made.whole("spend", "previous").unwrap()));
        assert!(close(sum(|row| Some(row.acus)), made.whole("acus", "value").unwrap()));

        // The amounts of the file add up to the spend as it is shown, to the minor unit.
        let csv = made.csv();
        let places = csv[1][6].split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert_eq!(
            places,
            [("JPY", 0), ("KWD", 3)]
                .into_iter()
                .find(|(code, _)| *code == currency)
                .map_or(2, |(_, places)| places)
        );
        let units = |amount: f64| (amount * 10_f64.powi(places as i32)).round() as i64;
        for (column, part) in [(6, "value"), (7, "previous")] {
            let of_file: i64 = csv[1..].iter().filter_map(|row| row[column].parse().ok()).map(units).sum();
            assert_eq!(of_file, units(made.whole("spend", part).unwrap()), "{currency} {part}");
        }
        for (line, row) in csv[1..].iter().zip(&rows) {
            let [team, centre] = row.group.clone().map(Option::unwrap_or_default);
            assert_eq!(line[..4], [team, centre, row.from.to_string(), row.to.to_string()]);
            let amount: f64 = line[6].parse().unwrap();
            let unit = 10_f64.powi(-(places as i32));
            assert!((amount - row.amount.unwrap()).abs() < unit * 1.000_001, "{line:?} {row:?}");
            assert_eq!(line[8], currency);
        }
    }
}

#[test]
fn the_rows_of_an_archive_and_of_people_by_email_are_the_same() {
    let organisation = organisation(6);
    let steps = [(day("2026-01-01"), 2.0), (day("2026-10-07"), 2.5)];
    let with_email: Vec<(String, String)> = organisation
        .people
        .iter()
        .filter_map(|person| Some((person.id.clone(), person.email.clone()?)))
        .take(10)
        .collect();
    let people =
        with_email.iter().enumerate().fold("user,cost centre\n".to_owned(), |file, (at, (id, email))| {
            let who = if at % 2 == 0 { email.to_uppercase() } else { id.clone() };
            format!("{file}{who},K-{}\n", at % 3)
        });
    let centre = |session: &Session, _: NaiveDate| {
        let place = with_email.iter().position(|(id, _)| Some(id) == session.user.as_ref());
        [None, place.map(|place| format!("K-{}", place % 3))]
    };
    let own = spans(Kind::Week { year: 2026, week: 41 }, 1, Berlin);
    let expected = Asked {
        records: &values(&organisation),
        period: &own[1],
        compared: Some(&own[0]),
        prices: &steps,
        last: NaiveDate::MAX,
        group: &centre,
    };
    let expected = expected.rows();
    assert!(expected.iter().filter(|row| row.group[1].is_some() && row.acus > 0.0).count() >= 4);
    let served = Served::new(organisation, Options::default());
    let settings = prices("EUR", &steps);
    let made = report(&served, CANARY, &settings, &people, &["--week", "2026-W41"]);
    assert_rows(&made.rows(), &expected);
    // Cost centres alone make no teams.
    assert!(made.facts["source"].get("teams").is_none());
    assert!(!made.facts["facts"].to_string().contains("\"team\""));

    let folder = made.folder.path();
    let mut sync = acumen(folder);
    sync.args(["sync", "--since", "2026-08-01", "--org", "org_demo", "--archive", "archive"]);
    let outcome = run(sync.args(["--base-url", &served.url()]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let mut command = acumen(folder);
    command.args(["report", "--archive", "archive", "--config", "a.toml", "--week", "2026-W41"]);
    let outcome = run(command.args(["--org", "org_demo", "--out", "again"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(read(&folder.join("again"))["finance"], made.facts["finance"]);
}

/// A session with a number, a user, a creation in October or September and ACUs.
fn session(number: usize, user: &str, created: &str, acus: Value) -> Value {
    json!({"session_id": format!("s{number}"), "org_id": "org_demo", "user_id": user, "status": "exit",
           "created_at": format!("2026-{created}:00Z"), "acus_consumed": acus})
}

const BY_HAND: &str = "user,team,cost_centre,from\n\
                       ann,A,10,\nann,A,11,2026-10-08\n\
                       bob,B,20,\n\
                       eve,E,30,\n";

#[test]
fn rows_by_hand_over_a_change_of_price_a_move_and_a_group_of_the_compared_week_alone() {
    let sessions = vec![
        session(1, "ann", "10-05T10:00", json!(1.5)),
        session(2, "ann", "10-06T10:00", json!(1.5)),
        // The new price, before and after the move; midnight in Berlin is 22:00 UTC.
        session(3, "ann", "10-06T22:00", json!(2)),
        session(4, "ann", "10-07T21:59", json!(2)),
        session(5, "ann", "10-07T22:00", json!(5)),
        // Unknown ACUs, and none.
        session(6, "bob", "10-07T10:00", json!(null)),
        session(7, "bob", "10-07T11:00", json!(0)),
        session(8, "guest", "10-11T21:59", json!(1)),
        session(9, "ann", "09-28T10:00", json!(4)),
        session(10, "eve", "10-04T21:59", json!(3)),
    ];
    let served = Served::values(sessions);
    let steps = [(day("2026-01-01"), 2.0), (day("2026-10-07"), 2.5)];
    let made = report(&served, CANARY, &prices("EUR", &steps), BY_HAND, &["--week", "2026-W41"]);
    let row = |team: Value, centre: Value, days: [&str; 2], numbers: [Value; 4]| {
        let [acus, per_acu, amount, previous] = numbers;
        json!({"team": team, "cost_centre": centre, "from": days[0], "to": days[1], "acus": acus,
               "per_acu": per_acu, "amount": amount, "previous_amount": previous})
    };
    let [old, new] = [["2026-10-05", "2026-10-06"], ["2026-10-07", "2026-10-11"]];
    let null = || Value::Null;
    let expected = json!([
        row(json!("A"), json!("10"), old, [json!(3), json!(2), json!(6), json!(8)]),
        row(json!("A"), json!("10"), new, [json!(4), json!(2.5), json!(10), null()]),
        row(json!("A"), json!("11"), new, [json!(5), json!(2.5), json!(12.5), json!(0)]),
        row(json!("B"), json!("20"), new, [json!(0), json!(2.5), json!(0), json!(0)]),
        row(json!("E"), json!("30"), old, [json!(0), json!(2), json!(0), json!(6)]),
        row(null(), null(), new, [json!(1), json!(2.5), json!(2.5), json!(0)]),
    ]);
    assert_eq!(made.facts["finance"], expected);
    let lines: Vec<String> = made.csv().iter().map(|line| line.join(",")).collect();
    assert_eq!(
        lines,
        [
            "team,cost_centre,from,to,acus,per_acu,amount,previous_amount,currency",
            "A,10,2026-10-05,2026-10-06,3,2,6.00,8.00,EUR",
            "A,10,2026-10-07,2026-10-11,4,2.5,10.00,,EUR",
            "A,11,2026-10-07,2026-10-11,5,2.5,12.50,0.00,EUR",
            "B,20,2026-10-07,2026-10-11,0,2.5,0.00,0.00,EUR",
            "E,30,2026-10-05,2026-10-06,0,2,0.00,6.00,EUR",
            ",,2026-10-07,2026-10-11,1,2.5,2.50,0.00,EUR",
        ]
    );

    // Before the first price amounts are unknown, unless there are no ACUs.
    let late = [(day("2026-10-07"), 2.5)];
    let made = report(&served, CANARY, &prices("EUR", &late), BY_HAND, &["--week", "2026-W41"]);
    let amounts = |part: &str| {
        made.facts["finance"].as_array().unwrap().iter().map(|row| row[part].clone()).collect::<Vec<_>>()
    };
    assert_eq!(amounts("per_acu"), [null(), json!(2.5), json!(2.5), json!(2.5), null(), json!(2.5)]);
    assert_eq!(amounts("amount"), [null(), json!(10), json!(12.5), json!(0), json!(0), json!(2.5)]);
    assert_eq!(amounts("previous_amount"), [null(), null(), json!(0), json!(0), null(), json!(0)]);
    assert!(made.whole("spend", "value").is_none() && made.whole("spend", "previous").is_none());
}

#[test]
fn a_running_period_ends_on_the_day_of_the_run_and_compares_nothing() {
    let organisation = organisation(3);
    let staff = Staff::new(&organisation);
    let steps = [(day("2026-01-01"), 2.0), (day("2026-10-07"), 2.5), (day("2026-10-20"), 9.0)];
    let month = spans(Kind::Month { year: 2026, month: 10 }, 0, Berlin).remove(0);
    // 00:00 in Berlin: the 9th is over, and nothing of the 10th is known.
    for (now, last) in [("2026-10-09T22:00:00Z", "2026-10-09"), ("2026-10-09T22:00:01Z", "2026-10-10")] {
        let moment: chrono::DateTime<chrono::Utc> = now.parse().unwrap();
        let known = |value: &Value| value["created_at"].as_str().unwrap() < now;
        let records: Vec<Value> = values(&organisation).into_iter().filter(known).collect();
        let expected = Asked {
            records: &records,
            period: &month,
            compared: None,
            prices: &steps,
            last: day(last),
            group: &|session, day| staff.group(session, day),
        };
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let simulator = start(organisation.clone(), Options::default()).await.unwrap();
            let args = ReportArgs {
                month: Some("2026-10".to_owned()),
                tz: "Europe/Berlin".to_owned(),
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
            let settings = format!("{}{RULES}", prices("EUR", &steps));
            let found = Found {
                key: Some(FoundKey::new(CANARY, "a test")),
                file: parse_file(Path::new("acumen.toml"), &settings).unwrap(),
                people: Some((PathBuf::from("people.csv"), staff.file())),
                ..Found::default()
            };
            let settings = Settings::resolve(&args, found, moment).unwrap();
            let prepared = prepare(&settings, &|_| ()).await.unwrap();
            simulator.stop().await;
            prepared.deliver().unwrap();
        });
        let facts = read(folder.path());
        let made = Made { folder, facts, stderr: String::new() };
        assert_rows(&made.rows(), &expected.rows());
        assert!(made.rows().iter().all(|row| row.previous.is_none() && row.to <= day(last)));
    }
}

#[test]
fn without_prices_or_groups_and_in_a_covered_report_there_is_no_finance() {
    let organisation = organisation(5);
    let staff = Staff::new(&organisation);
    let served = Served::new(organisation, Options::default());
    let priced = prices("EUR", &[(day("2026-01-01"), 2.0), (day("2026-10-07"), 2.5)]);
    let of = |settings: &str, people: &str, flags: &[&str]| {
        let made = report(&served, CANARY, settings, people, &[&["--week", "2026-W41"], flags].concat());
        let has_facts = made.facts.get("finance").is_some();
        assert_eq!(has_facts, made.path("_finance.csv").is_some());
        let note = "left out to hide people: spend by cost centre";
        let has_note = made.stderr.contains(note) && made.facts["notes"].to_string().contains(note);
        (has_facts, has_note)
    };
    let names = "user,name\nnobody@example.com,Nobody\n";
    assert_eq!(of(&priced, names, &[]), (false, false), "neither teams nor cost centres");
    assert_eq!(of("", &staff.file(), &[]), (false, false), "no price");
    assert_eq!(of(&format!("{priced}{RULES}"), names, &[]), (true, false), "teams by tag alone");
    assert_eq!(of(&format!("{priced}{RULES}"), names, &["--profile", "leadership"]), (false, false));
    for flags in [["--profile", "leadership"], ["--people", "hidden"]] {
        let centres = staff.file().replace(";100;", ";centre-of-a-few;");
        let made = report(
            &served,
            CANARY,
            &format!("{priced}{RULES}"),
            &centres,
            &[&["--week", "2026-W41"], &flags[..]].concat(),
        );
        assert!(made.facts.get("finance").is_none());
        for name in files(&made.folder.path().join("out")) {
            assert!(!name.ends_with("_finance.csv"));
            let bytes = std::fs::read(made.folder.path().join("out").join(&name)).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("centre-of-a-few"), "{name}");
        }
        assert_eq!(of(&priced, &staff.file(), &flags), (false, true));
    }
}

#[test]
fn other_readers_see_real_days_and_rows_that_add_up_in_every_currency() {
    let organisation = organisation(7);
    let mut people = "user,cost_centre\n".to_owned();
    for (at, user) in users(&organisation).iter().enumerate() {
        people += &format!("{user},{}\n", ["=1+1", "4711", "\"a,\"\"b;=c\"", "-0042"][at % 4]);
    }
    let served = Served::new(organisation, Options::default());
    for currency in ["EUR", "JPY", "KWD"] {
        let steps = [(day("2026-01-01"), 2.2555), (day("2026-10-07"), 1.0 / 3.0)];
        let settings = format!("{}{RULES}", prices(currency, &steps));
        let flags = ["--week", "2026-W41", "--trend", "1", "--export", "csv,xlsx,parquet"];
        let made = report(&served, CANARY, &settings, &people, &flags);
        assert!(made.rows().len() > 10);
        independent_readers_agree(&made.folder.path().join("out"));
    }
}

#[test]
fn an_account_that_is_not_metered_has_no_finance() {
    let sessions = (0..30).map(|number| session(number, "ann", "10-07T10:00", json!(0))).collect();
    let served = Served::values(sessions);
    let priced = prices("EUR", &[(day("2026-01-01"), 2.0)]);
    let made = report(&served, CANARY, &priced, BY_HAND, &["--week", "2026-W41"]);
    assert!(made.facts["source"]["metered"] == false && made.facts.get("finance").is_none());
}

#[test]
fn a_finance_file_of_an_earlier_run_is_removed() {
    let served = Served::values(vec![session(1, "ann", "10-07T10:00", json!(2))]);
    let priced = prices("EUR", &[(day("2026-01-01"), 2.0)]);
    let made = report(&served, CANARY, &priced, BY_HAND, &["--week", "2026-W41"]);
    assert!(made.path("_finance.csv").is_some());
    let mut again = acumen(made.folder.path());
    again.args([
        "report",
        "--base-url",
        &served.url(),
        "--config",
        "a.toml",
        "--org",
        "org_demo",
        "--out",
        "out",
    ]);
    let outcome = run(again.args(["--week", "2026-W41", "--export", "xlsx"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        made.path("_finance.csv").is_none() && outcome.stderr.contains("_finance.csv"),
        "{}",
        outcome.stderr
    );
}
