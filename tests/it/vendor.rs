//! The vendor's own totals: beside ours on the page, never corrected, nowhere
//! else, and never a reason to fail.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use devin_simulator::{Options, Organisation, Recipe};
use serde_json::json;

use crate::attacker::runs::unzipped;
use crate::support::{Report, Served, acumen, run, serve};

const WEEK: [&str; 2] = ["--week", "2026-W41"];

/// Eight weeks of a small organisation, up to and with week 41 of 2026.
fn organisation() -> Organisation {
    Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() })
}

fn served(options: Options) -> Served {
    Served::new(organisation(), options)
}

/// What the vendor bills of Devin's sessions for that week: half of the ACUs of each on
/// the day on which it began, half on the one on which it ended.
fn used(organisation: &Organisation) -> f64 {
    let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let days = moment("2026-10-05T08:00:00Z")..moment("2026-10-12T08:00:00Z");
    let mut used = 0.0;
    for record in &organisation.records {
        let body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
        let half = body["acus_consumed"].as_f64().unwrap_or(0.0).max(0.0) / 2.0;
        let end = record.updated_at.clamp(record.created_at, record.created_at + TimeDelta::days(7));
        used += [record.created_at, end].iter().filter(|at| days.contains(*at)).count() as f64 * half;
    }
    used
}

/// ACUs by the vendor's days, and the groups of v3.
fn by_day_and_group(report: &Report, key: &str, org: bool, used: f64) {
    let (facts, quality) = (report.facts(), quality(report).replace("&#x2f;", "/"));
    let is_new = key.starts_with("cog_");
    let ours = facts.value("acus", json!({})).as_f64().unwrap();
    // v2 does not separate products; for an organisation it returns Devin's only.
    let theirs = if is_new || org { used } else { used * 1.17 };
    // From a hundred on ACUs are shown whole.
    assert!(ours.min(theirs) > 100.0 && (ours - theirs).abs() > 1.0, "days of work are not days of creation");
    let output = entry("ACUs", 0, 0).replace("<dd>0\u{a0}here", &format!("<dd>{ours:.0}\u{a0}here"));
    let output = output.replace(" 0\u{a0}reported", &format!(" {theirs:.0}\u{a0}reported"));
    assert!(quality.contains(&output), "{key} {org}: {output} {quality}");
    let others = format!("of other products are left out: {:.1} of cascade, ", used * 0.1);
    assert_eq!(quality.contains(&others), is_new && !org, "{key} {org}: {quality}");
    assert_eq!(quality.contains("it does not separate other products"), !is_new);
    let is_split = quality.contains("Sessions by origin, here / reported by Devin");
    assert_eq!(is_split, is_new);
    if !is_new {
        return;
    }
    let of = |dimension: &str, keys: &[&str]| -> u64 {
        keys.iter()
            .filter(|key| facts.keys("sessions", dimension).contains(&(**key).to_owned()))
            .map(|key| facts.value("sessions", json!({dimension: key})).as_u64().unwrap())
            .sum()
    };
    for (dimension, keys) in
        [("origin", &["slack"][..]), ("origin", &["automation", "scheduled"]), ("size", &["m"])]
    {
        let (count, name) = (of(dimension, keys), keys[0]);
        let output = format!("{name}\u{a0}{count}\u{a0}/\u{a0}{count}");
        assert!(count > 0 && quality.contains(&output), "{output}: {quality}");
    }
    let merged = facts.value("sessions_with_merged_pr", json!({})).as_u64().unwrap();
    assert!(quality.contains(&entry("Sessions with a merged PR", merged, merged)), "{quality}");
    for (name, states) in [("Open PRs", &["open", "draft"][..]), ("Closed PRs", &["closed"])] {
        let states = states.iter().filter(|state| facts.keys("prs", "state").contains(&(**state).to_owned()));
        let count = states.map(|state| facts.value("prs", json!({"state": state})).as_u64().unwrap()).sum();
        assert!(quality.contains(&entry(name, count, count)), "{name} {count}: {quality}");
    }
    let prs = facts.value("prs", json!({})).as_u64().unwrap();
    let taken_over = "PRs of others that Devin pushed to, as counted by Devin</dt><dd>1</dd>";
    assert!((20..40).contains(&prs) && quality.contains(taken_over), "{prs}: {quality}");
}

/// The quality block of a page.
fn quality(report: &Report) -> &str {
    let after = report.html.split_once("Quality of the data").expect("a quality block").1;
    after.split_once("</section>").expect("its end").0
}

fn entry(name: &str, ours: u64, theirs: u64) -> String {
    format!(
        "<dt>{name} compared with Devin&#x27;s count</dt><dd>{ours}\u{a0}here, \
         {theirs}\u{a0}reported\u{a0}by\u{a0}Devin</dd>"
    )
}

/// An API with one session and these counts; it answers with a status of its own where they are asked for.
fn counting(status: u16, counts: serde_json::Value) -> String {
    let session = json!({"session_id": "s1", "created_at": "2026-10-07T08:00:00Z"});
    let page = json!({"items": [session], "total": 1, "has_more": false}).to_string();
    serve(move |head| match head.contains("/metrics/") || head.contains("/consumption/") {
        true => (status, "", counts.to_string()),
        false => (200, "", page.clone()),
    })
}

#[test]
fn both_counts_stand_side_by_side_in_either_generation_and_scope() {
    let organisation = organisation();
    let used = used(&organisation);
    let served = Served::new(organisation, Options::default());
    // How many totals, and lists of people and organisations, are asked for besides.
    let cases = [
        ("apk_user_x", true, 2 + 2),
        ("apk_user_x", false, 2 + 2),
        ("cog_x", true, 4 + 4),
        ("cog_x", false, 4 + 4),
    ];
    for (key, org, besides) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut command = acumen(folder.path());
        command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--out", "."]);
        let org: &[&str] = if org { &["--org", "org_demo"] } else { &[] };
        let before = served.simulator.requests();
        let outcome = run(command.args(WEEK).args(org));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let asked = served.simulator.requests() - before;
        let read = |line: Option<&str>| std::fs::read_to_string(folder.path().join(line.unwrap())).unwrap();
        let html = read(outcome.stdout.lines().next());
        let json = read(outcome.stdout.lines().nth(1));
        let report = Report { folder, html, json, stderr: outcome.stderr };
        let facts = report.facts();
        let ours = |metric: &str| facts.value(metric, json!({})).as_u64().unwrap();
        for (name, metric) in [("Sessions", "sessions"), ("PRs", "prs"), ("Merged PRs", "prs_merged")] {
            let count = ours(metric);
            assert!(count > 0 && quality(&report).contains(&entry(name, count, count)), "{key}: {name}");
        }
        assert!(quality(&report).contains("rarely match exactly"));
        by_day_and_group(&report, key, !org.is_empty(), used);
        assert_eq!(
            facts.0["source"]["requests"].as_u64(),
            Some(asked - besides),
            "the counts are those of the walk's"
        );
        assert_eq!(facts.0["vendor"]["counts"]["sessions"].as_u64(), Some(ours("sessions")), "{key}");
    }
}

#[test]
fn another_count_corrects_nothing() {
    let url = counting(200, json!({"sessions_count": 1290, "prs_opened": 4, "prs_merged": 3}));
    let report = Report::new(&url, &WEEK);
    assert!(quality(&report).contains(&entry("Sessions", 1, 1290).replace("1290", "1,290")));
    assert!(quality(&report).contains(&entry("PRs", 0, 4)));
    assert!(quality(&report).contains(&entry("Merged PRs", 0, 3)));
    assert_eq!(*report.facts().value("sessions", json!({})), 1);
    assert!(report.html.contains("<span class=\"badge good\">complete</span>"));
}

#[test]
fn a_refusal_is_a_note() {
    let output = |report: &Report, why: &str| {
        let quality = quality(report);
        let note = format!("totals could not be read: {why}.");
        assert!(quality.contains(&note), "{why}: {quality}");
        assert!(!quality.contains("count</dt>"), "{quality}");
    };
    let options = Options { may_see_usage: false, may_see_consumption: false, ..Options::default() };
    output(&served(options).report(&WEEK), "the key lacks the permission");
    for (status, why) in [
        (401, "the key was refused"),
        (404, "the server does not have them"),
        (500, "no answer in time"),
        (200, "the server&#x27;s answer cannot be read"),
    ] {
        output(&Report::new(&counting(status, json!({})), &WEEK), why);
    }
}

#[test]
fn a_refusal_of_one_costs_its_own_row() {
    let output = |options: Options| {
        let folder = tempfile::tempdir().unwrap();
        let served = served(options);
        let mut command = acumen(folder.path());
        command.env("DEVIN_API_KEY", "cog_x").args(["report", "--base-url", &served.url(), "--out", "."]);
        let outcome = run(command.args(WEEK));
        let read = std::fs::read_to_string(folder.path().join(outcome.stdout.lines().next().unwrap()));
        let report = Report { folder, html: read.unwrap(), json: String::new(), stderr: outcome.stderr };
        quality(&report).to_owned()
    };
    let (sessions, acus) = ("Sessions compared with Devin", "ACUs compared with Devin");
    let quality = output(Options { may_see_usage: false, ..Options::default() });
    assert!(quality.contains(acus) && !quality.contains(sessions), "{quality}");
    assert!(
        quality.contains("counts of PRs could not be read: the key lacks the permission ViewAccountMetrics.")
    );
    let quality = output(Options { may_see_consumption: false, ..Options::default() });
    assert!(!quality.contains(acus) && quality.contains(sessions), "{quality}");
    let right = "ViewAccountConsumption (ManageBilling in older accounts).";
    assert!(
        quality.contains(&format!("ACUs could not be read: the key lacks the permission {right}")),
        "{quality}"
    );
}

#[test]
fn of_acus_that_are_not_metered_nothing_is_said() {
    let unmetered = Options { faults: vec!["unmetered".parse().unwrap()], ..Options::default() };
    let served = served(unmetered);
    for key in ["apk_user_test", "cog_test"] {
        for profile in ["lead", "leadership"] {
            let folder = tempfile::tempdir().unwrap();
            let mut command = acumen(folder.path());
            command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--out", "out"]);
            let outcome = run(command.args(WEEK).args(["--export", "xlsx", "--profile", profile]));
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            let read = |ending: &str| {
                let line = outcome.stdout.lines().find(|line| line.ends_with(ending)).unwrap();
                std::fs::read(folder.path().join(line)).unwrap()
            };
            let page = String::from_utf8(read(".html")).unwrap();
            assert!(page.contains("Sessions compared with Devin"), "its counts are there: {key} {profile}");
            let book = unzipped(&read(".xlsx")).into_iter().map(|(_, text)| text);
            for text in book.chain([page]) {
                let text = text.replace("has used ACUs, so the report has no ACUs", "");
                let at = text.find("ACU").map(|at| text.get(at.saturating_sub(60)..at + 60));
                assert_eq!(at, None, "{key} {profile}");
            }
        }
    }
}

#[test]
fn a_covered_report_has_no_group_of_the_vendor_s() {
    let recipe = Recipe { sessions: 2_000, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    let report = served.report(&["--week", "2026-W41", "--profile", "leadership"]);
    let quality = quality(&report);
    assert!(
        quality.contains("Sessions compared with Devin") && quality.contains("ACUs compared with Devin"),
        "{quality}"
    );
    for words in ["by origin", "by size", "Open PRs", "Closed PRs", "pushed to"] {
        assert!(!quality.contains(words), "{words}");
    }
    // ACUs are whole units there.
    let acus = quality.split_once("ACUs compared with Devin&#x27;s count</dt><dd>").unwrap().1;
    assert!(!acus.split_once("</dd>").unwrap().0.contains('.'), "{acus}");
}

#[test]
#[allow(clippy::disallowed_methods)]
fn an_archive_keeps_the_vendors_totals() {
    let now = Utc::now();
    let session = |number: i64| {
        let at = now - TimeDelta::hours(number * 6);
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({
            "session_id": format!("s{number}"), "org_id": "org_demo", "status": "exit", "acus_consumed": 2.5,
            "created_at": text(at), "updated_at": text(at + TimeDelta::hours(3)), "user_id": format!("u{}", number % 7),
            "pull_requests": [{"pr_url": format!("https://github.com/a/b/pull/{number}"), "pr_state": "merged"}]
        })
    };
    let served = Served::values((1..400).map(session).collect());
    let folder = tempfile::tempdir().unwrap();
    let since = (now - TimeDelta::days(400)).date_naive().to_string();
    let tz = "Asia/Kathmandu";
    let mut sync = acumen(folder.path());
    sync.env("DEVIN_API_KEY", "cog_x").args([
        "sync",
        "--base-url",
        &served.url(),
        "--since",
        &since,
        "--tz",
        tz,
    ]);
    let outcome = run(&mut sync);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("could not be read"), "{}", outcome.stderr);
    let report = |flags: &[&str]| {
        let mut command = acumen(folder.path());
        command.env("DEVIN_API_KEY", "cog_x").args(["report", "--out", "out", "--tz", tz]).args(flags);
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        std::fs::read_to_string(folder.path().join(outcome.stdout.lines().next().unwrap())).unwrap()
    };
    let rows = |html: &str| -> Vec<String> {
        let rows = html.split("<dt>").skip(1).map(|row| row.split("</dd>").next().unwrap().to_owned());
        rows.filter(|row| row.contains("with Devin") || row.contains("by Devin")).collect()
    };
    let month = now.with_timezone(&chrono_tz::Asia::Kathmandu).date_naive().with_day(1).unwrap();
    let month = month.pred_opt().unwrap().format("%Y-%m").to_string();
    for period in [&[][..], &["--month", &month]] {
        let asked = rows(&report(&[&["--base-url", &served.url()], period].concat()));
        let kept = rows(&report(&[&["--archive", "archive"], period].concat()));
        assert!(asked.len() > 8 && asked == kept, "{asked:#?}\n{kept:#?}");
    }
    // Days are kept one by one, counts of weeks and months alone.
    let day = (now - TimeDelta::days(20)).date_naive().to_string();
    let days = ["--from", &day, "--to", &day];
    let kept = rows(&report(&[&["--archive", "archive"], &days[..]].concat()));
    assert!(matches!(kept.as_slice(), [acus] if acus.starts_with("ACUs compared with")), "{kept:?}");
    assert_eq!(rows(&report(&[&["--archive", "archive", "--no-reconcile"], &days[..]].concat())), [""; 0]);
    assert_eq!(run(acumen(folder.path()).args(["archive", "verify"])).code, Some(0));

    // An archive that an earlier version wrote has none of it.
    let state = folder.path().join("archive/state.json");
    let mut text: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&state).unwrap()).unwrap();
    text["schema"] = json!(2);
    text["files"].as_object_mut().unwrap().remove("vendor.json");
    std::fs::write(&state, text.to_string()).unwrap();
    std::fs::remove_file(folder.path().join("archive/vendor.json")).unwrap();
    assert_eq!(rows(&report(&["--archive", "archive"])), [""; 0]);
}

#[test]
fn totals_are_not_requested_for_a_part_or_with_no_reconcile() {
    let served = served(Options::default());
    for flags in
        [&["--no-reconcile"][..], &["--tag", "team:payments"], &["--user", "nobody", "--allow-empty"]]
    {
        let before = served.simulator.requests();
        let report = served.report(&[&WEEK[..], flags].concat());
        assert!(!quality(&report).contains("vendor"), "{flags:?}");
        let asked = served.simulator.requests() - before;
        // Members and organisations are asked for all the same.
        assert_eq!(report.facts().0["source"]["requests"].as_u64(), Some(asked - 2), "{flags:?}");
    }
}
