//! Where settings come from: flags, the environment, files, and what holds without any.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use devin_simulator::{Options, Organisation, Recipe};
use serde_json::json;

use crate::support::{Facts, Served, acumen, files, run};

/// Eight weeks of a small organisation, up to and with week 41 of 2026.
fn small() -> Organisation {
    Organisation::invent(&Recipe { sessions: 300, ..Recipe::demo() })
}

fn facts(path: &std::path::Path) -> Facts {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Facts(serde_json::from_str(&text).unwrap())
}

#[test]
fn every_setting_of_a_report_comes_from_the_environment_too() {
    let organisation = small();
    let user = organisation.records.iter().find_map(|record| record.user_id.clone()).unwrap();
    let tag = organisation.records.iter().find_map(|record| record.tags.first().cloned()).unwrap();
    let options = Options { key: Some("apk_user_file".to_owned()), ..Options::default() };
    let served = Served::new(organisation, options);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "apk_user_file\n").unwrap();
    let common = [
        ("ACUMEN_TZ", "Europe/Berlin"),
        ("ACUMEN_TREND", "3"),
        ("ACUMEN_ORG", "org_demo"),
        ("ACUMEN_API", "v2"),
        ("ACUMEN_BASE_URL", &served.url()),
        ("ACUMEN_API_KEY_FILE", "key"),
        ("ACUMEN_OUT", "here"),
        ("ACUMEN_QUIET", "1"),
        ("ACUMEN_PAGE_SIZE", "7"),
        ("ACUMEN_CONCURRENCY", "1"),
        ("ACUMEN_ALLOW_PARTIAL", "true"),
        ("ACUMEN_NO_RECONCILE", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let report = |more: &[(&str, &str)]| {
        let outcome =
            run(acumen(folder.path()).arg("report").envs(common.clone()).envs(more.iter().copied()));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{more:?}");
        facts(&folder.path().join(outcome.stdout.lines().nth(1).unwrap()))
    };

    let week = report(&[("ACUMEN_WEEK", "2026-W41")]);
    assert_eq!(files(&folder.path().join("here")), ["org_demo_2026-W41.html", "org_demo_2026-W41.json"]);
    assert_eq!(week.0["period"]["from"], "2026-10-05T00:00:00+02:00");
    assert_eq!(week.keys("sessions", "period").len(), 4, "the trend and the week itself");
    let (pages, received) = (&week.0["source"]["pages"], week.0["source"]["received"].as_u64().unwrap());
    assert_eq!(pages.as_u64(), Some(received.div_ceil(7)), "seven sessions a page");

    let label = |facts: &Facts| facts.0["period"]["label"].as_str().unwrap().to_owned();
    assert_eq!(label(&report(&[("ACUMEN_MONTH", "2026-09")])), "2026-09");
    let span = [("ACUMEN_FROM", "2026-10-06"), ("ACUMEN_TO", "2026-10-08")];
    assert_eq!(label(&report(&span)), "2026-10-06_2026-10-08");
    assert_eq!(report(&[("ACUMEN_LAST", "2w")]).keys("sessions", "day").len(), 14);

    let tagged = report(&[("ACUMEN_WEEK", "2026-W41"), ("ACUMEN_TAG", &tag)]);
    assert_eq!(tagged.value("sessions", json!({})), tagged.value("sessions", json!({ "tag": tag })));
    let started = report(&[("ACUMEN_WEEK", "2026-W41"), ("ACUMEN_USER", &user)]);
    assert_eq!(started.value("sessions", json!({})), started.value("sessions", json!({ "user": user })));
    assert_ne!(started.value("sessions", json!({})), week.value("sessions", json!({})));
}

#[test]
fn flags_win_over_the_environment() {
    let served = Served::new(small(), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("ACUMEN_WEEK", "2026-W40"),
        ("ACUMEN_TZ", "Mars/Olympus"),
        ("ACUMEN_TREND", "5"),
        ("ACUMEN_ORG", "org_nobody"),
        ("ACUMEN_BASE_URL", "ftp://nowhere"),
        ("ACUMEN_API_KEY_FILE", "missing"),
        ("ACUMEN_OUT", "elsewhere"),
    ];
    std::fs::write(folder.path().join("key"), "apk_user_file").unwrap();
    let flags = ["--week", "2026-W41", "--tz", "Asia/Tokyo", "--trend", "0", "--org", "org_demo"];
    let more = ["--base-url", &served.url(), "--api-key-file", "key", "--out", "here"];
    let outcome = run(acumen(folder.path()).arg("report").envs(environment).args(flags).args(more));
    assert_eq!(outcome.stdout, "here/org_demo_2026-W41.html\nhere/org_demo_2026-W41.json\n", "{outcome:?}");
    let facts = facts(&folder.path().join("here/org_demo_2026-W41.json"));
    assert_eq!(facts.0["period"]["tz"], "Asia/Tokyo");
    assert_eq!(facts.keys("sessions", "period"), ["2026-W41"]);
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn a_typed_period_wins_over_another_kind_in_the_environment() {
    let served = Served::new(small(), Options::default());
    let folder = tempfile::tempdir().unwrap();
    let environment =
        [("ACUMEN_WEEK", "2026-W40"), ("ACUMEN_BASE_URL", &served.url()), ("DEVIN_API_KEY", "apk_user_x")];
    let flags = ["--month=2026-10", "--org", "org_demo", "--out", "here"];
    let outcome = run(acumen(folder.path()).arg("report").envs(environment).args(flags));
    assert_eq!(outcome.stdout, "here/org_demo_2026-10.html\nhere/org_demo_2026-10.json\n", "{outcome:?}");
}

#[test]
fn the_key_comes_from_the_named_file_then_the_credential_then_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "  apk_user_file\r\n").unwrap();
    std::fs::write(folder.path().join("marked"), "\u{feff}apk_user_file\r\n").unwrap();
    let utf16: Vec<u8> = "\u{feff}apk_user_file\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(folder.path().join("powershell"), utf16).unwrap();
    std::fs::write(folder.path().join("devin-api-key"), "apk_user_credential\n").unwrap();
    let served = |key: &str| {
        Served::new(Organisation::default(), Options { key: Some(key.to_owned()), ..Options::default() })
    };
    let credential = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
    let cases = [
        ("apk_user_file", vec![("DEVIN_API_KEY", "apk_user_other"), credential], Some("key")),
        ("apk_user_file", vec![], Some("marked")),
        ("apk_user_file", vec![], Some("powershell")),
        ("apk_user_credential", vec![("DEVIN_API_KEY", "apk_user_other"), credential], None),
        ("apk_user_environment", vec![("DEVIN_API_KEY", " apk_user_environment\n")], None),
        // A folder of credentials that holds none of ours is passed over.
        (
            "apk_user_environment",
            vec![("DEVIN_API_KEY", "apk_user_environment"), ("CREDENTIALS_DIRECTORY", "nowhere")],
            None,
        ),
    ];
    for (key, environment, file) in cases {
        let served = served(key);
        let mut command = acumen(folder.path());
        command.envs(environment).args(["report", "--base-url", &served.url(), "--out", "out"]);
        command.args(file.iter().flat_map(|file| ["--api-key-file", file]));
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{key}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(key), "{}", outcome.stderr);
    }
}

// The program decides by the real clock which week is over.
#[allow(clippy::disallowed_methods)]
fn today() -> NaiveDate {
    let now: DateTime<Utc> = Utc::now();
    now.date_naive()
}

#[test]
fn without_a_period_it_is_the_last_complete_week() {
    let served = Served::values(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let name = |today: NaiveDate| {
        let week = (today - Days::new(7)).iso_week();
        format!("enterprise_{}-W{:02}.json", week.year(), week.week())
    };
    let before = name(today());
    let outcome = run(acumen(folder.path()).args(["report", "--base-url", &served.url()]));
    // A Sunday may end while the program runs.
    let expected = [before, name(today())];
    let written = files(&folder.path().join("reports"));
    assert!(written.iter().any(|file| expected.contains(file)), "{written:?} {}", outcome.stderr);
    let facts = facts(&folder.path().join("reports").join(&written[1]));
    assert_eq!(facts.0["period"]["tz"], "UTC");
    assert_eq!(facts.0["period"]["complete"], true);
    assert_eq!(facts.keys("sessions", "day").len(), 7);
    assert_eq!(facts.keys("sessions", "period").len(), 8, "seven weeks before it as a trend");
}
