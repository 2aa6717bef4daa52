//! Alerts of the whole program: where they are shown, when there is none, and how a run with one ends.
//!
//! The numbers that are expected follow from the records below.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::export::readers;
use crate::mail::server::{Kind, MailServer, Manner, authority};
use crate::mail::{leaves, parsed, url};
use crate::support::{Facts, Outcome, Served, acumen, files, run, serve};

const WEEK: [&str; 4] = ["--week", "2026-W41", "--trend", "1"];
const NAME: &str = "enterprise_2026-W41";
/// 5,000 of which 30 ACUs cost 150: 3%.
const BUDGET: &str = "budget = \"5000\"\n";
const PRICE: &str = "[[price]]\nfrom = 2026-01-01\nper_acu = 5\ncurrency = \"EUR\"\n";

/// Sessions of week 41 of 2026, and as many of the week before: 1.5 ACUs each, by three users in turn,
/// every second one with a merged pull request, the first twelve with the tag `a`.
fn sessions(count: usize) -> Vec<Value> {
    let session = |number: usize| {
        let (day, place) =
            if number < count { (5 + number % 7, number) } else { (1 + number % 4, number - count) };
        let link = format!("https://github.com/acme/a/pull/{number}");
        let prs = match number % 2 {
            0 => json!([{"pr_url": link, "pr_state": "merged"}]),
            _ => json!([]),
        };
        json!({
            "session_id": format!("s{number}"), "org_id": "org_a", "user_id": format!("user_{}", place % 3),
            "status": "exit", "acus_consumed": 1.5, "pull_requests": prs,
            "tags": if place < 12 { json!(["a"]) } else { json!([]) },
            "created_at": format!("2026-10-{day:02}T08:00:00Z"),
            "updated_at": format!("2026-10-{day:02}T09:00:00Z")
        })
    };
    (0..2 * count).map(session).collect()
}

/// One rule.
fn rule(metric: &str, rest: &str) -> String {
    format!("[[alert]]\nmetric = \"{metric}\"\n{rest}\n")
}

/// A report with these settings in a folder of its own.
fn reported(base_url: &str, settings: &str, flags: &[&str]) -> (Outcome, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), settings).unwrap();
    let mut command = acumen(folder.path());
    command.args(["report", "--base-url", base_url, "--out", ".", "--config", "a.toml"]).args(flags);
    (run(&mut command), folder)
}

/// Metric, group, value, threshold and period of each alert in the facts of a report.
fn alerts(folder: &Path) -> Vec<Value> {
    let name = files(folder).into_iter().find(|name| name.ends_with(".json")).expect("facts");
    let facts: Value = serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap();
    let alerts = facts["alerts"].as_array().cloned().unwrap_or_default();
    let own = |alert: &Value| {
        let names = ["metric", "group", "value", "threshold", "period"];
        Value::Array(names.iter().map(|name| alert[*name].clone()).collect())
    };
    alerts.iter().map(own).collect()
}

/// The alerts of a report on sessions, which must end well.
fn of(sessions: Vec<Value>, settings: &str, flags: &[&str]) -> Vec<Value> {
    let served = Served::values(sessions);
    let (outcome, folder) = reported(&served.url(), settings, flags);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    alerts(folder.path())
}

fn alert(metric: &str, group: Value, value: f64, threshold: f64) -> Value {
    json!([metric, group, value, threshold, "2026-W41"])
}

/// Numbers as JSON writes them: 30 and 30.0 are equal.
#[track_caller]
fn agree(found: &[Value], expected: &[Value]) {
    let plain = |alerts: &[Value]| -> Vec<String> {
        let number =
            |value: &Value| value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string());
        alerts
            .iter()
            .map(|alert| alert.as_array().unwrap().iter().map(number).collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert_eq!(plain(found), plain(expected));
}

#[test]
fn numbers_beyond_a_threshold_are_alerts_and_equal_ones_are_not() {
    let settings = [
        rule("acus", "above = 29.9"),
        rule("acus", "above = 30"),
        rule("acus", "below = 30"),
        rule("merge_rate", "below = \"100%\""),
        rule("acus_per_merged_pr", "above = [2, 2.5, 3, 3.5]"),
        rule("sessions", "group = { tag = \"a\" }\nbelow = 12.5"),
        rule("sessions", "group = { user = \"*\" }\nmin_n = 0\nabove = 6"),
    ]
    .concat();
    let expected = [
        alert("acus", json!({}), 30.0, 29.9),
        alert("acus_per_merged_pr", json!({}), 3.0, 2.5),
        alert("sessions", json!({"tag": "a"}), 12.0, 12.5),
        alert("sessions", json!({"user": "user_0"}), 7.0, 6.0),
        alert("sessions", json!({"user": "user_1"}), 7.0, 6.0),
    ];
    agree(&of(sessions(20), &settings, &WEEK), &expected);
}

#[test]
fn a_value_on_fewer_cases_than_asked_for_is_silent() {
    // 10 merged pull requests.
    let cost = |min_n: &str| rule("acus_per_merged_pr", &format!("above = 1{min_n}"));
    let expected = [alert("acus_per_merged_pr", json!({}), 3.0, 1.0)];
    agree(&of(sessions(20), &cost(""), &WEEK), &expected);
    agree(&of(sessions(20), &cost("\nmin_n = 10"), &WEEK), &expected);
    agree(&of(sessions(20), &cost("\nmin_n = 11"), &WEEK), &[]);
}

#[test]
fn a_report_with_missing_sessions_is_silent() {
    let sessions = sessions(20);
    let settings = [BUDGET, PRICE, &rule("acus", "above = 1"), &rule("budget", "above = 0.01")].concat();
    assert_eq!(of(sessions.clone(), &settings, &WEEK).len(), 2);
    let page = json!({
        "items": sessions, "total": 41, "skip": 0, "limit": 200, "has_more": false, "next_cursor": null
    });
    let body = page.to_string();
    let url = serve(move |_| (200, "", body.clone()));
    let (outcome, folder) = reported(&url, &settings, &[&WEEK[..], &["--allow-partial"]].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    agree(&alerts(folder.path()), &[]);
}

#[test]
fn a_period_that_is_not_over_has_alerts_of_budgets_only() {
    let running = ["--from", "2026-10-05", "--to", "2099-12-31", "--trend", "0"];
    let settings =
        [BUDGET, PRICE, &rule("acus", "above = 1"), &rule("budget", "above = [0.01, 0.02, 0.04]")].concat();
    // October has the 20 sessions of the week and the 20 before it: 60 ACUs.
    let found = of(sessions(20), &settings, &running);
    agree(&found, &[json!(["budget", {}, 300.0 / 5000.0, 0.04, "2026-10"])]);
}

#[test]
fn shares_of_budgets_are_alerts_of_their_month() {
    let of = |rules: &str| of(sessions(20), &[BUDGET, PRICE, rules].concat(), &WEEK);
    let used = |threshold: f64| json!(["budget", {}, 0.06, threshold, "2026-10"]);
    agree(&of(&rule("budget", "above = [0.05, 0.8, \"1%\"]")), &[used(0.05)]);
    agree(&of(&rule("budget", "above = \"6%\"")), &[]);
    // Two rules are two alerts.
    agree(
        &of(&[rule("budget", "above = 0.01"), rule("budget", "above = 0.02")].concat()),
        &[used(0.01), used(0.02)],
    );
    // October 2026 may be over or not when this test runs: the forecast has tests of its own.
    agree(&of(&rule("budget_forecast", "above = 9")), &[]);
}

#[test]
fn numbers_that_may_still_change_are_silent() {
    let mut young = sessions(40);
    // A third of the pull requests of the week is open, and none of the week before.
    for (number, session) in
        young.iter_mut().enumerate().filter(|(number, _)| *number < 40 && number % 6 == 0)
    {
        session["pull_requests"][0]["pr_state"] = json!("open");
        session["tags"] = json!(["new", format!("only-{number}")]);
    }
    let settings = [
        rule("acus_per_merged_pr", "above = 1"),
        rule("merge_rate", "below = 1.0\nmin_n = 0\ngroup = { tag = \"*\" }"),
        rule("prs_merged", "above = 1"),
        rule("prs", "above = 1"),
    ]
    .concat();
    agree(&of(young, &settings, &WEEK), &[alert("prs", json!({}), 20.0, 1.0)]);
}

#[test]
fn what_is_not_metered_or_a_ratio_of_nothing_is_silent() {
    let mut free = sessions(20);
    free.iter_mut().for_each(|session| session["acus_consumed"] = json!(0));
    let settings = [
        BUDGET,
        PRICE,
        &rule("acus", "below = 100"),
        &rule("acus_histogram", "above = 1\ngroup = { bin = \"0\" }"),
        &rule("acus_per_merged_pr", "below = 100"),
        &rule("sessions", "above = 19"),
    ]
    .concat();
    agree(&of(free, &settings, &WEEK), &[alert("sessions", json!({}), 20.0, 19.0)]);
    let mut without = sessions(20);
    without.iter_mut().for_each(|session| session["pull_requests"] = json!([]));
    let settings = rule("acus_per_merged_pr", "below = 100\nmin_n = 0");
    agree(&of(without, &settings, &WEEK), &[]);
}

#[test]
fn a_report_about_some_of_the_sessions_has_no_alerts_of_rules_about_all() {
    let settings = [rule("acus", "above = 1"), rule("acus", "above = 2\nreport = \"teams\"")].concat();
    assert_eq!(of(sessions(20), &settings, &WEEK).len(), 1);
    agree(&of(sessions(20), &settings, &[&WEEK[..], &["--tag", "a"]].concat()), &[]);
    agree(&of(sessions(20), &settings, &[&WEEK[..], &["--user", "user_1"]].concat()), &[]);
    assert_eq!(of(sessions(20), &settings, &[&WEEK[..], &["--org", "org_a"]].concat()).len(), 1);
}

#[test]
fn a_group_that_a_covered_report_hides_is_silent() {
    // Eighteen people in each of two weeks, with four sessions each: three and three with a small tag, six
    // and six with a large one.
    let mut sessions = sessions(72);
    for (number, session) in sessions.iter_mut().enumerate() {
        let user = number % 18;
        let tag = ["small-one", "small-two", "large-one", "large-one", "large-two", "large-two"][user / 3];
        (session["user_id"], session["tags"]) = (json!(format!("user_{user}")), json!([tag]));
    }
    let served = Served::values(sessions);
    let settings = [
        rule("sessions", "group = { tag = \"*\" }\nabove = 1\nmin_n = 0"),
        rule("sessions", "group = { tag = \"small-one\" }\nabove = 1\nmin_n = 0"),
        rule("sessions", "group = { user = \"*\" }\nabove = 1\nmin_n = 0"),
        rule("sessions", "above = 71"),
    ]
    .concat();
    let of_tag = |name: &str, sessions: f64| alert("sessions", json!({ "tag": name }), sessions, 1.0);
    let large = [of_tag("large-one", 24.0), of_tag("large-two", 24.0)];
    let (outcome, open) = reported(&served.url(), &settings, &WEEK);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let small = [of_tag("small-one", 12.0), of_tag("small-two", 12.0)];
    agree(&alerts(open.path())[..4], &[&large[..], &small].concat());
    let flags = [&WEEK[..], &["--profile", "leadership"]].concat();
    let (outcome, covered) = reported(&served.url(), &settings, &flags);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    agree(&alerts(covered.path()), &[&large[..], &[alert("sessions", json!({}), 72.0, 71.0)]].concat());
    assert!(
        outcome.stderr.contains("the alert in line 7 of the settings file matches no number"),
        "{}",
        outcome.stderr
    );
    for name in files(covered.path()).iter().filter(|name| !name.ends_with(".toml")) {
        assert!(!fs::read_to_string(covered.path().join(name)).unwrap().contains("small-"), "{name}");
    }
    // The small groups are shown together, and that is no group of its own.
    let facts = fs::read_to_string(covered.path().join(format!("{NAME}_leadership.json"))).unwrap();
    let facts = Facts(serde_json::from_str(&facts).unwrap());
    assert_eq!(*facts.value("sessions", json!({"tag": "fewer than five people"})), json!(24));
}

/// The place of a text that stands once in another.
#[track_caller]
fn place(text: &str, part: &str) -> usize {
    assert_eq!(text.matches(part).count(), 1, "{part}");
    text.find(part).unwrap()
}

const TEXT: &str = "ACUs, tag “<b>pay”: 30.0, above 29 (sessions: 20).";

#[test]
fn an_alert_comes_first_in_every_output_and_is_rendered_again() {
    let mut tagged = sessions(20);
    tagged.iter_mut().for_each(|session| session["tags"] = json!(["<b>pay"]));
    let served = Served::values(tagged);
    let mail = ["--eml", "a.eml", "--mail-from", "a@example.com", "--mail-to", "b@example.com"];
    let flags = [&WEEK[..], &["--export", "xlsx", "--summary", "a.md"], &mail].concat();
    let settings = rule("acus", "group = { tag = \"*\" }\nabove = 29");
    let (outcome, folder) = reported(&served.url(), &settings, &flags);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("\nalert: ACUs (tag <b>pay) 30.0, above 29\n"), "{}", outcome.stderr);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let page = read(&format!("{NAME}.html"));
    let own =
        "<strong>Alert:</strong> ACUs, tag “<bdi>&lt;b&gt;pay</bdi>”: 30.0, above 29 (sessions: 20).</p>";
    assert!(place(&page, own) < place(&page, "<ul class=\"tiles"));
    assert!(place(&page, own) < page.find("<p class=\"verdict\"").unwrap_or(page.len()));
    let summary = read("a.md");
    let own = "**Alert:** ACUs, tag “&lt;b&gt;pay”: 30.0, above 29 (sessions: 20).\n";
    assert!(place(&summary, own) < place(&summary, "| | Value | Change |"));
    if let Some(message) = parsed(read("a.eml").as_bytes()) {
        let subject = message["headers"]["Subject"].as_str().unwrap();
        let begins = "Alert: ACUs (tag <b>pay) 30.0, above 29 · Devin, week 41 (5–11 Oct): 30.0 ACUs";
        assert!(subject.starts_with(begins), "{subject}");
        let bodies = leaves(&message["body"]);
        let [text, html] = [0, 1].map(|place| bodies[place]["text"].as_str().unwrap().replace("\r\n", "\n"));
        assert!(place(&text, &format!("\n! Alert: {TEXT}\n")) < text.find("\nACUs  ").unwrap(), "{text}");
        let own = "Alert:</strong> ACUs, tag “<bdi>&lt;b&gt;pay</bdi>”: 30.0, above 29 (sessions: 20).</p>";
        assert!(place(&html, own) < html.find("class=\"value").unwrap());
    }
    if let Some(python) = readers() {
        let script = "import openpyxl, sys\nsheet = openpyxl.load_workbook(sys.argv[1])['Overview']\n\
                      print(*[row[0].value for row in sheet.iter_rows() if row[0].value], sep='\\n')";
        let book = folder.path().join(format!("{NAME}.xlsx"));
        let output = Command::new(python).args(["-c", script]).arg(book).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        // After the title of the workbook and its period.
        let lines: Vec<&str> = said.lines().skip(2).take(2).collect();
        assert_eq!(lines, ["Alerts", TEXT], "{said}");
    }
    let mut render = acumen(folder.path());
    let outcome =
        run(render.args(["render", &format!("{NAME}.json"), "--format", "html,xlsx,md", "--out", "again"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for (own, again) in [("html", "html"), ("xlsx", "xlsx")] {
        let read = |name: String| fs::read(folder.path().join(name)).unwrap();
        assert!(read(format!("{NAME}.{own}")) == read(format!("again/{NAME}.{again}")), "{own} differs");
    }
    assert_eq!(read(&format!("again/{NAME}.md")), summary);
}

#[test]
fn a_subject_names_no_user() {
    let served = Served::values(sessions(20));
    let names = served.report(&WEEK).facts().0["labels"]["user"].clone();
    let name = names["user_0"].as_str().expect("the list of members has a name");
    let mail = ["--eml", "a.eml", "--mail-from", "a@example.com", "--mail-to", "b@example.com"];
    for (key, begins) in [
        ("user_0", "Alert: ACUs (a user) 10.5, above 10 · Devin, week 41"),
        (name, "Alert: ACUs (a user) 10.5, above 10 · Devin, week 41"),
        ("*", "2 alerts · Devin, week 41"),
    ] {
        let settings = rule("acus", &format!("group = {{ user = \"{key}\" }}\nabove = 10\nmin_n = 0"));
        let (outcome, folder) = reported(&served.url(), &settings, &[&WEEK[..], &mail].concat());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("\nalert: ACUs (a user) 10.5, above 10\n"), "{}", outcome.stderr);
        let page = fs::read_to_string(folder.path().join(format!("{NAME}.html"))).unwrap();
        let text =
            format!("<strong>Alert:</strong> ACUs, user “<bdi>{name}</bdi>”: 10.5, above 10 (sessions: 7).");
        assert!(page.contains(&text), "{key}");
        let message = fs::read(folder.path().join("a.eml")).unwrap();
        let Some(message) = parsed(&message) else { return };
        let subject = message["headers"]["Subject"].as_str().unwrap();
        assert!(subject.starts_with(begins), "{subject}");
        let is_named =
            |(id, name): (&String, &Value)| subject.contains(id) || subject.contains(name.as_str().unwrap());
        assert!(!names.as_object().unwrap().iter().any(is_named), "{subject}");
    }
}

#[test]
fn fail_on_alert_ends_a_run_with_6_after_its_files_and_its_mail() {
    let served = Served::values(sessions(20));
    let server = MailServer::start(Manner::of(Kind::Tls));
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "{}[mail]\nsmtp = \"{}\"\nfrom = \"a@example.com\"\nto = \"b@example.com\"\n",
        rule("acus", "above = 29")
            .replace("[[alert]]", "base_url = \"URL\"\n[[alert]]")
            .replace("URL", &served.url()),
        url(&server, "smtps")
    );
    fs::write(folder.path().join("a.toml"), settings).unwrap();
    let report = |flags: &[&str], variable: &str| {
        let mut command = acumen(folder.path());
        command.args(["report", "--config", "a.toml", "--quiet", "--out", "."]).args(WEEK).args(flags);
        run(command.env("SSL_CERT_FILE", authority()).env("ACUMEN_FAIL_ON_ALERT", variable))
    };
    let failed = report(&["--mail", "--fail-on-alert"], "");
    assert_eq!(failed.code, Some(6), "{}", failed.stderr);
    let said =
        "error: there is an alert: ACUs 30.0, above 29\nnote: the report was written completely\nhint: ";
    assert!(failed.stderr.starts_with(said) && failed.stderr.lines().count() == 3, "{}", failed.stderr);
    assert_eq!(failed.stdout, format!("./{NAME}.html\n./{NAME}.json\n"));
    assert_eq!(files(folder.path())[2..], [format!("{NAME}.html"), format!("{NAME}.json")]);
    assert_eq!(server.received().len(), 1);
    // Nobody gets it twice, and the run ends alike.
    assert_eq!((report(&["--mail"], "1").code, server.received().len()), (Some(6), 1));
    assert_eq!(report(&[], "").code, Some(0));
    fs::write(
        folder.path().join("a.toml"),
        format!("fail_on_alert = true\nbase_url = \"{}\"\n{}", served.url(), rule("acus", "above = 29")),
    )
    .unwrap();
    assert_eq!(report(&[], "").code, Some(6));
    fs::write(
        folder.path().join("a.toml"),
        format!("base_url = \"{}\"\n{}", served.url(), rule("acus", "above = 31")),
    )
    .unwrap();
    assert_eq!(report(&["--fail-on-alert"], "").code, Some(0));
    // A mail that cannot be sent is the worse end.
    fs::write(
        folder.path().join("a.toml"),
        format!(
            "base_url = \"{}\"\n{}[mail]\nsmtp = \"smtps://localhost:1\"\nfrom = \"a@example.com\"\nto = \"c@example.com\"\n",
            served.url(),
            rule("acus", "above = 29")
        ),
    )
    .unwrap();
    assert_eq!(report(&["--mail", "--fail-on-alert"], "").code, Some(5));
}

#[test]
fn several_alerts_are_in_one_line_of_the_error() {
    let served = Served::values(sessions(20));
    let settings = [
        rule("acus", "above = 29"),
        rule("sessions", "above = 19"),
        rule("acus", "group = { tag = \"*\" }\nabove = 1"),
        rule("prs", "above = 1"),
    ]
    .concat();
    let (outcome, _folder) =
        reported(&served.url(), &settings, &[&WEEK[..], &["--fail-on-alert", "--quiet"]].concat());
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    let first = "error: there are alerts: ACUs 30.0, above 29; Sessions 20, above 19; \
                 ACUs (tag a) 18.0, above 1; and more\n";
    assert!(outcome.stderr.starts_with(first), "{}", outcome.stderr);
}

#[test]
fn a_rule_that_cannot_be_used_is_exit_2_with_its_line_and_a_hint() {
    for (rule, said) in [
        (
            rule("merge_rat", "below = 0.5"),
            "line 2: alert: there is no metric `merge_rat`\nhint: did you mean `merge_rate`?",
        ),
        (rule("merge_rate", "bellow = 0.5"), "line 3: unknown setting `bellow`\nhint: did you mean `below`?"),
        (
            rule("issue_rate", "above = 5\ngroup = { repo = \"a\" }"),
            "line 2: alert: issue_rate is not grouped by repo\nhint: possible with issue_rate: impact\n",
        ),
        (
            rule("merge_rate", "below = 60"),
            "line 2: alert: merge_rate is a share, and 60 is more than 1\nhint: write a share as 0.8 or \"80%\"",
        ),
    ] {
        let (outcome, folder) = reported("http://127.0.0.1:1", &rule, &["--quiet"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.stderr);
        let stderr = outcome.stderr.replace("note: nothing written; any existing report is unchanged\n", "");
        assert!(stderr.starts_with(&format!("error: a.toml, {said}")), "{}", outcome.stderr);
        assert_eq!(files(folder.path()), ["a.toml"]);
    }
}

#[test]
fn a_report_without_alerts_has_no_field_for_them() {
    let report = Served::values(sessions(20)).report(&WEEK);
    let Facts(facts) = report.facts();
    assert!(facts.get("alerts").is_none() && !report.html.contains("Alert"));
}
