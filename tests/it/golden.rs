//! A small organisation whose facts are kept in a file, so that a change of any
//! number shows in a review. The page has no such file: a restyle changes none.

use devin_simulator::{Options, Organisation};

use crate::oracle::{Asked, Kind, differences, expect};
use crate::support::{Served, fixture, is_blessed, repository};

const GOLDEN: &str = "tests/golden/small.json";

/// The text with the one line that tells when it was written made the same.
fn timeless(json: &str) -> String {
    let line = |line: &str| match line.starts_with("  \"generated_at\": ") {
        true => "  \"generated_at\": \"whenever\",\n".to_owned(),
        false => format!("{line}\n"),
    };
    json.lines().map(line).collect()
}

#[test]
fn the_facts_of_a_small_organisation_are_as_they_were() {
    let sessions = fixture("small.json").as_array().expect("a list of sessions").clone();
    let asked = Asked {
        tz: chrono_tz::Europe::Berlin,
        kind: Kind::Week { year: 2026, week: 41 },
        trend: 1,
        now: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        v3: false,
        members: Some(4),
        compare: None,
    };
    let expected = expect(&sessions, &asked);
    let options = Options { max_page: 5, ..Options::default() };
    let served = Served::new(Organisation::from_values(sessions), options);
    let report = served.report(&["--week", "2026-W41", "--tz", "Europe/Berlin", "--trend", "1"]);
    // A blessing must not make a wrong number right.
    let wrong = differences(&report.json, &expected);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let found = timeless(&report.json);
    let path = repository(GOLDEN);
    if is_blessed() {
        std::fs::write(&path, &found).expect("a writable golden file");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let mut pairs = golden.lines().zip(found.lines());
    let differ = pairs.find(|(golden, found)| golden != found);
    assert!(
        golden == found,
        "{GOLDEN} differs ({} lines, now {}), first in\n  {differ:#?}\n\
         If the change is meant, run this test with ACUMEN_BLESS=1 and read the difference.",
        golden.lines().count(),
        found.lines().count()
    );
}
