//! What leadership is shown: money, teams, and people who are not named. Every
//! number is worked out a second time from the records, by plain loops.

mod file;
mod money;
mod names;
mod privacy;
mod teams;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use devin_simulator::{Options, Organisation, Recipe};
use serde_json::Value;

use crate::oracle::records::{self, Session};
use crate::support::{Facts, Report, Served};

/// A small organisation whose weeks hold enough people to tell apart.
fn recipe(seed: u64) -> Recipe {
    Recipe { seed, sessions: 500, first_day: day("2026-09-14"), days: 28, ..Recipe::demo() }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The sessions of week 41 of 2026 in Berlin.
fn week(organisation: &Organisation) -> Vec<Session> {
    let bodies = organisation.records.iter();
    let values: Vec<Value> = bodies.map(|record| serde_json::from_str(&record.body).unwrap()).collect();
    let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    records::sessions(&values, moment("2026-10-04T22:00:00Z"), moment("2026-10-11T22:00:00Z"))
}

/// The local date of a session in Berlin, which is two hours ahead in that week.
fn local_day(session: &Session) -> NaiveDate {
    (session.created + chrono::Duration::hours(2)).date_naive()
}

/// The report of that week with a settings file.
fn report(organisation: Organisation, settings: &str, flags: &[&str], files: &[(&str, &str)]) -> Report {
    let served = Served::new(organisation, Options::default());
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, format!("tz = \"Europe/Berlin\"\ntrend = 1\n{settings}")).unwrap();
    let path = path.to_str().unwrap();
    served.report(&[&["--week", "2026-W41", "--org", "org_demo", "--config", path], flags].concat())
}

/// The values of a metric by one dimension; a null group is the empty text.
fn by(facts: &Facts, metric: &str, dimension: &str) -> BTreeMap<String, Option<f64>> {
    let all = facts.0["facts"].as_array().unwrap().iter();
    let own = all.filter(|fact| fact["metric"] == metric);
    let own = own.filter(|fact| fact["group"].as_object().is_some_and(|group| group.len() == 1));
    own.filter_map(|fact| {
        let key = fact["group"].get(dimension)?.as_str().unwrap_or_default().to_owned();
        Some((key, fact["value"].as_f64()))
    })
    .collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}
