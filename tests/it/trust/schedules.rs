//! Random bad days: within the retry budget the facts are those of a good day,
//! beyond it the earlier report stays as it was. A seed gives the same day again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use acumen::cli::{ApiArgs, ReportArgs};
use acumen::commands::report::prepare_within;
use acumen::error::Error;
use acumen::exit::Explain;
use acumen::settings::{Found, FoundKey, Settings};
use devin_api::{Api, FetchError, FetchStats, Limits, PageEvent, fetch_within};
use devin_simulator::{Fault, FaultKind, Options, Organisation, Recipe, Total, start};
use tokio::runtime::Runtime;

use crate::support::{CANARY, SERVICE_CANARY, files, holds_no_key, shows_no_key, slow_tests};

const BOTH: [Api; 2] = [Api::V2, Api::V3];
/// Sessions in the two weeks that are asked about, about.
const SESSIONS: usize = 140;

fn organisation() -> Arc<Organisation> {
    let first_day = "2026-09-28".parse().unwrap();
    Arc::new(Organisation::invent(&Recipe { sessions: SESSIONS, first_day, days: 14, ..Recipe::demo() }))
}

fn settings(url: &str, api: Api, out: &Path, page_size: u32, concurrency: u32) -> Settings {
    let args = ReportArgs {
        week: Some("2026-W41".to_owned()),
        tz: "UTC".to_owned(),
        trend: 1,
        org: Some("org_demo".to_owned()),
        out: out.to_owned(),
        access: ApiArgs { base_url: url.to_owned(), page_size, concurrency, ..ApiArgs::default() },
        ..ReportArgs::default()
    };
    let key = match api {
        Api::V2 => CANARY,
        Api::V3 => SERVICE_CANARY,
    };
    let key = FoundKey::new(key, "a test");
    let settings = Settings::resolve(
        &args,
        Found { key: Some(key), ..Found::default() },
        "2026-10-12T06:00:00Z".parse().unwrap(),
    )
    .unwrap();
    holds_no_key(&format!("{settings:?}"));
    settings
}

/// As patient as a real run, thirty times as fast.
fn hurried() -> Limits {
    Limits::default().hurried(30)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Numbers that look random; a seed gives the same ones again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

/// A bad day, and how it is met.
#[derive(Debug)]
struct Day {
    api: Api,
    page_size: u32,
    concurrency: u32,
    options: Options,
}

/// A day that a patient reader survives: never more failures than one request may
/// have, nor more walks spoilt than there are walks to spare.
fn day(seed: u64) -> Day {
    let mut dice = Dice(seed);
    let api = dice.one_of(&BOTH);
    let page_size = dice.one_of(&[7, 20, 50, 200]);
    let concurrency = dice.one_of(&[1, 2, 4, 9]);
    let pages = (SESSIONS as u64).div_ceil(page_size.into());
    let mut kinds = Vec::new();
    let failures = match dice.below(12) {
        0..=2 => vec![FaultKind::Html, FaultKind::Reset, FaultKind::Html, FaultKind::Unavailable],
        3 => vec![FaultKind::Stall, FaultKind::Reset],
        _ => (0..dice.below(5))
            .map(|_| dice.one_of(&[FaultKind::Unavailable, FaultKind::Reset, FaultKind::Truncate]))
            .collect(),
    };
    kinds.extend(failures.into_iter().map(|kind| Fault::every(kind, 1)));
    // These ask to stay away for a whole second.
    if seed.is_multiple_of(40) {
        kinds.push(Fault::new(dice.one_of(&[FaultKind::Busy, FaultKind::BusyUntil])));
    }
    if dice.below(2) == 0 {
        kinds.push(Fault::new(FaultKind::EmptyMore));
    }
    for _ in 0..dice.below(4) {
        kinds.push(Fault::every(FaultKind::Clamp, 3 + dice.below(20)));
    }
    let has_total = api == Api::V2 || dice.below(3) > 0;
    // Without a count missing sessions cannot be detected.
    if has_total && dice.below(2) == 0 {
        kinds.push(Fault::every(FaultKind::Drop, 3 + dice.below(5)));
    }
    let mut script = vec![None; kinds.len() + usize::try_from(pages + dice.below(2 * pages)).unwrap()];
    for kind in kinds {
        let free: Vec<usize> = (0..script.len()).filter(|line| script[*line].is_none()).collect();
        script[dice.one_of(&free)] = Some(kind);
    }
    // Sessions that appear while the first walk goes on.
    let appears = has_total && pages > 1 && dice.below(2) == 0;
    let faults = appears.then(|| Fault::every(FaultKind::Drift, 2 + dice.below(pages - 1)));
    let total = if has_total { Total::Number } else { dice.one_of(&[Total::Null, Total::Absent]) };
    let options = Options { total, script, faults: faults.into_iter().collect(), ..Options::default() };
    Day { api, page_size, concurrency, options }
}

/// Sessions by id, by the latest row.
type Sessions = BTreeMap<String, String>;

/// What a fetch through this day brings, and what it says on the way.
async fn fetched(organisation: &Arc<Organisation>, day: &Day) -> Result<(FetchStats, Sessions), FetchError> {
    let simulator = start(Arc::clone(organisation), day.options.clone()).await.unwrap();
    let settings = settings(&simulator.base_url(), day.api, Path::new("."), day.page_size, day.concurrency);
    let mut rows: BTreeMap<String, (String, u64, String)> = BTreeMap::new();
    let mut deliver = |event: PageEvent<'_>| match event {
        PageEvent::Restart => rows.clear(),
        PageEvent::Answer { .. } => {}
        PageEvent::Page(page) => {
            for row in page {
                let session = &row.session;
                let output = format!("{} {:?} {:?}", row.created, session.acus(), session.status.get());
                let fresh = (format!("{:?}", session.updated()), row.position, output);
                let known = rows.entry(session.id().unwrap().to_owned()).or_insert_with(|| fresh.clone());
                *known = fresh.max(known.clone());
            }
        }
    };
    let said = Mutex::new(String::new());
    let progress = |news| said.lock().unwrap().push_str(&format!("{news:?}"));
    let outcome =
        fetch_within(settings.source.api().unwrap(), &settings.query, &hurried(), &mut deliver, &progress)
            .await;
    assert!(
        simulator.most_in_flight() <= day.concurrency as usize,
        "{} in flight at once, {day:?}",
        simulator.most_in_flight()
    );
    holds_no_key(&format!("{} {outcome:?}", said.into_inner().unwrap()));
    if let Err(error) = &outcome {
        holds_no_key(&format!("{error} {}", error.hint()));
    }
    let stats = outcome?;
    Ok((stats, rows.into_iter().map(|(id, (_, _, output))| (id, output)).collect()))
}

#[test]
fn whatever_passes_within_the_budget_changes_no_session() {
    let organisation = organisation();
    let runtime = runtime();
    let good = |api| Day { api, page_size: 200, concurrency: 1, options: Options::default() };
    let truth = BOTH.map(|api| runtime.block_on(fetched(&organisation, &good(api))).unwrap().1);
    assert!(truth[0].len() > 100 && truth[0].keys().eq(truth[1].keys()));
    let (mut retries, mut walks) = (0, 0);
    let seeds = if slow_tests() { 160 } else { 40 };
    for seed in 0..seeds {
        let day = day(seed);
        let (stats, sessions) = runtime
            .block_on(fetched(&organisation, &day))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{day:?}"));
        let expected = &truth[usize::from(day.api == Api::V3)];
        assert!(sessions == *expected, "seed {seed}: {} sessions\n{day:?}", sessions.len());
        assert!(stats.complete, "seed {seed}: {stats:?}");
        retries += stats.retries;
        walks += u64::from(stats.requests - stats.retries > 2 * stats.pages);
    }
    // A schedule that nothing of happened proves nothing.
    assert!(retries > seeds && walks > seeds / 32, "{retries} retries, {walks} walks again");
}

/// Facts alone: the counts of requests differ.
fn facts(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("org_demo_2026-W41.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json["facts"].clone()
}

/// A whole run, as the program makes it once its settings are known.
fn report(runtime: &Runtime, organisation: &Arc<Organisation>, day: &Day, out: &Path) -> Result<(), Error> {
    runtime.block_on(async {
        let simulator = start(Arc::clone(organisation), day.options.clone()).await.unwrap();
        let settings = settings(&simulator.base_url(), day.api, out, day.page_size, day.concurrency);
        // A bomb has to be unpacked to its limit, which a busy machine takes seconds for.
        let is_bomb = day.options.faults.iter().any(|fault| fault.kind == FaultKind::Bomb);
        let limits = if is_bomb { Limits::default().hurried(3) } else { hurried() };
        let prepared = prepare_within(&settings, &limits, &|news| holds_no_key(&format!("{news:?}"))).await;
        if let Err(error) = &prepared {
            holds_no_key(&format!("{error} {error:?} {}", error.hint()));
        }
        prepared?.deliver().map(drop)
    })
}

#[test]
fn the_facts_of_a_bad_day_are_those_of_a_good_one() {
    let (runtime, organisation) = (runtime(), organisation());
    let folder = tempfile::tempdir().unwrap();
    let truth = BOTH.map(|api| {
        let good = Day { api, page_size: 200, concurrency: 1, options: Options::default() };
        report(&runtime, &organisation, &good, folder.path()).unwrap();
        facts(folder.path())
    });
    for seed in 1000..1012 {
        let day = day(seed);
        report(&runtime, &organisation, &day, folder.path())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{day:?}"));
        assert!(facts(folder.path()) == truth[usize::from(day.api == Api::V3)], "seed {seed}: {day:?}");
        shows_no_key(folder.path());
    }
}

#[test]
fn beyond_the_budget_the_earlier_report_stays_as_it_was() {
    let cases = [
        (FaultKind::Unavailable, 1, 5),
        (FaultKind::Reset, 1, 5),
        (FaultKind::Truncate, 1, 5),
        (FaultKind::Stall, 1, 5),
        (FaultKind::Html, 1, 65),
        (FaultKind::Redirect, 1, 2),
        (FaultKind::Bomb, 1, 65),
        (FaultKind::NoHasMore, 1, 65),
        (FaultKind::NoHasMore, 3, 65),
        (FaultKind::Loop, 1, 65),
        (FaultKind::EmptyMore, 1, 65),
        (FaultKind::Drop, 7, 4),
        (FaultKind::IgnoreFilter, 1, 65),
        (FaultKind::Drift, 60, 4),
    ];
    let (runtime, organisation) = (runtime(), organisation());
    let folder = tempfile::tempdir().unwrap();
    let good = |api| Day { api, page_size: 20, concurrency: 4, options: Options::default() };
    report(&runtime, &organisation, &good(Api::V2), folder.path()).unwrap();
    let bytes = || {
        files(folder.path()).into_iter().map(|name| {
            let bytes = std::fs::read(folder.path().join(&name)).unwrap();
            (name, bytes)
        })
    };
    let before: Vec<_> = bytes().collect();
    assert_eq!(before.len(), 2);
    for api in BOTH {
        for (kind, number, code) in cases {
            let faults = vec![Fault::every(kind, number)];
            // Most sessions are outside the two weeks, to catch readers that ignore the window.
            let organisation = match kind {
                FaultKind::IgnoreFilter => Arc::new(Organisation::invent(&Recipe::demo())),
                _ => Arc::clone(&organisation),
            };
            let day = Day { options: Options { faults, ..Options::default() }, ..good(api) };
            let error = report(&runtime, &organisation, &day, folder.path());
            let error = error.err().unwrap_or_else(|| panic!("{api} {kind:?} was not noticed"));
            assert_eq!(error.exit().code(), code, "{api} {kind:?}: {error}");
            assert!(bytes().eq(before.iter().cloned()), "{api} {kind:?} changed the older report");
        }
    }
}
