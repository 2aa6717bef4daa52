//! What is made: the same reports as one by one, and teams that add up.

use super::*;

const TEAMS: &str = "[[team]]\ntag = \"team:*\"\n";

/// Metrics of which the teams' numbers add up to that of all.
const ADDITIVE: [&str; 14] = [
    "sessions",
    "automation_sessions",
    "acus",
    "prs",
    "prs_merged",
    "undecided_prs",
    "sessions_with_pr",
    "sessions_with_merged_pr",
    "analysed_sessions",
    "issues",
    "sessions_with_prompt_feedback",
    "action_items",
    "acus_histogram",
    "issue_count_histogram",
];

/// The sum of a metric over all groups that have no key of a team.
fn groups(facts: &Facts, metric: &str) -> BTreeMap<String, f64> {
    let all = facts.0["facts"].as_array().expect("facts").iter();
    let own = all.filter(|fact| fact["metric"] == metric);
    let is_kept = |fact: &&Value| {
        let group = fact["group"].as_object().expect("a group");
        !["team", "user", "tag", "period"].iter().any(|dim| group.contains_key(*dim))
    };
    let value = |fact: &Value| (fact["group"].to_string(), fact["value"].as_f64().expect("a number"));
    own.filter(is_kept).map(value).collect()
}

#[test]
fn the_editions_of_teams_add_up_to_the_whole() {
    for seed in [3, 8, 21] {
        let mut records = records(seed, 7);
        // People change teams within the period by the file; two sessions of two teams list the same pull
        // request; some sessions have no team.
        let mut people = "user,name,team,from\n".to_owned();
        let mut users: Vec<String> =
            records.iter().filter_map(|record| record["user_id"].as_str().map(str::to_owned)).collect();
        users.sort();
        users.dedup();
        for user in users.iter().take(8) {
            people += &format!("{user},,Harbour,\n{user},,Lighthouse,2026-10-08\n");
        }
        for (number, record) in records.iter_mut().enumerate() {
            match number % 11 {
                0 | 1 => record["tags"] = json!([]),
                2 | 3 => {
                    let shared = json!({"pr_url": format!("https://github.com/o/r/pull/{}", number / 11), "pr_state": "merged"});
                    record["pull_requests"] = json!([shared]);
                }
                _ => {}
            }
        }
        let is_of_week = |record: &&Value| {
            let created = record["created_at"].as_str().unwrap();
            ("2026-10-05".."2026-10-12").contains(&created)
        };
        let teams = |record: &&Value| record["tags"].as_array().unwrap().len() > 1;
        let several = records.iter().filter(is_of_week).filter(teams).count();
        assert!(several > 3);
        let served = served(records);
        let tables = format!(
            "people_file = \"people.csv\"\ntrend = 1\n{TEAMS}[[report]]\nname = \"all\"\n[[report]]\nname = \"teams\"\neach = \"team\"\n"
        );
        let folder = folder(&served.url(), None, &tables);
        std::fs::write(folder.path().join("people.csv"), people).unwrap();
        let outcome = runs(folder.path(), &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let mut facts = all_facts(&folder.path().join("out"));
        let whole = facts.remove("all/org_demo_2026-W41.json").expect("the report about all");
        assert_eq!(whole.0["quality"]["several_teams"], several);
        assert!(facts.len() == 9, "seven teams by tag, two by person: {:?}", facts.keys());
        for metric in ADDITIVE {
            let mut sums: BTreeMap<String, f64> = BTreeMap::new();
            for of_team in facts.values() {
                for (group, value) in groups(of_team, metric) {
                    *sums.entry(group).or_default() += value;
                }
            }
            // Sessions without a team have no edition: what the report about all says of them is added.
            for (group, expected) in groups(&whole, metric) {
                let sum = sums.remove(&group).unwrap_or(0.0);
                let rest = expected - sum;
                assert!(rest > -1e-9, "{metric} {group}: {sum} in teams, {expected} in all");
                if group == "{}" && ["sessions", "acus", "prs", "prs_merged"].contains(&metric) {
                    let none = whole.value(metric, json!({"team": null})).as_f64().unwrap();
                    assert!((rest - none).abs() < 1e-6, "{metric}: {rest} left, {none} without a team");
                }
            }
            assert!(sums.values().all(|sum| *sum == 0.0), "{metric} has groups in teams only: {sums:?}");
        }
        for of_team in facts.values() {
            let team = of_team.0["source"]["team"].as_str().unwrap();
            for beside in of_team.0["whole"].as_array().unwrap() {
                let metric = beside["metric"].as_str().unwrap();
                assert_eq!(beside["value"], *whole.value(metric, json!({})), "{metric} of all beside {team}");
                let own = whole.0["facts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|fact| fact["metric"] == metric && fact["group"] == json!({"team": team}));
                let own = own.unwrap_or_else(|| panic!("no {metric} of {team}"));
                let shown = of_team.value(metric, json!({}));
                let close = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
                    (Some(a), Some(b)) => (a - b).abs() < 1e-9 * b.abs().max(1.0),
                    _ => a == b,
                };
                assert!(close(shown, &own["value"]), "{metric} of {team}: {shown}, {own}");
            }
        }
    }
}

/// A person who changes teams is counted in the team of each session's day.
#[test]
fn a_person_in_two_teams_counts_in_both() {
    let session = |id: &str, day: &str| {
        json!({"session_id": id, "created_at": format!("{day}T10:00:00Z"), "updated_at": format!("{day}T11:00:00Z"),
            "status": "exit", "user_id": "email|1", "org_id": "org_demo", "acus_consumed": 1.5, "tags": []})
    };
    let served =
        served(vec![session("a", "2026-10-06"), session("b", "2026-10-07"), session("c", "2026-10-08")]);
    let tables = "people_file = \"people.csv\"\ntrend = 0\n[[report]]\nname = \"teams\"\neach = \"team\"\n";
    let folder = folder(&served.url(), None, tables);
    std::fs::write(folder.path().join("people.csv"), "user,team,from\nemail|1,A,\nemail|1,B,2026-10-07\n")
        .unwrap();
    assert_eq!(runs(folder.path(), &[]).code, Some(0));
    let facts = all_facts(&folder.path().join("out"));
    let of = |team: &str, metric: &str| {
        facts[&format!("teams/org_demo_2026-W41_team-{team}.json")].value(metric, json!({})).as_f64().unwrap()
    };
    assert_eq!(["A", "B"].map(|team| of(team, "sessions")), [1.0, 2.0]);
    assert_eq!(["A", "B"].map(|team| of(team, "active_users")), [1.0, 1.0]);
    assert_eq!(["A", "B"].map(|team| of(team, "acus")), [1.5, 3.0]);
}

/// What a report has of its own, apart from what tells of the fetch.
fn own(text: &str) -> Value {
    let mut facts: Value = serde_json::from_str(text).unwrap();
    for count in ["requests", "retries", "pages", "received", "unique", "duplicates", "outside", "rejected"] {
        facts["source"].as_object_mut().unwrap().remove(count);
    }
    facts.as_object_mut().unwrap().remove("generated_at");
    facts
}

#[test]
fn an_edition_is_the_report_that_its_options_give() {
    let mut records = records(5, 5);
    for (number, record) in records.iter_mut().enumerate() {
        if number % 3 == 0 {
            record["tags"].as_array_mut().unwrap().push(json!("docs"));
        }
    }
    let user = records.iter().find_map(|record| record["user_id"].as_str()).unwrap().to_owned();
    let served = served(records);
    let tables = format!(
        "tz = \"Europe/Berlin\"\nbudget = \"5000\"\nbudget_cycle_day = 23\n{TEAMS}\
         [[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n\
         [[report]]\nname = \"lead\"\ninclude_prompts = true\n\
         [[report]]\nname = \"board\"\nprofile = \"leadership\"\ntrend = 2\n\
         [[report]]\nname = \"docs\"\ntag = \"docs\"\n\
         [[report]]\nname = \"one\"\nuser = \"{user}\"\ncompare_with = \"2026-W39\"\n\
         [[report]]\nname = \"september\"\nperiod = \"month\"\ntrend = 0\n\
         [[report]]\nname = \"a team\"\nteam = \"t01\"\n\
         [[report]]\nname = \"each\"\neach = \"team\"\n"
    );
    let folder = folder(&served.url(), None, &tables);
    let outcome = runs(folder.path(), &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let week = ["--week", "2026-W41"];
    let user_flag = ["--user", user.as_str()];
    let cases: [(&str, Vec<&str>); 7] = [
        ("lead/org_demo_2026-W41", [&week[..], &["--include-prompts"]].concat()),
        (
            "board/org_demo_2026-W41_leadership",
            [&week[..], &["--profile", "leadership", "--trend", "2"]].concat(),
        ),
        ("docs/org_demo_2026-W41_docs", [&week[..], &["--tag", "docs"]].concat()),
        ("one", [&week[..], &user_flag, &["--compare-with", "2026-W39"]].concat()),
        ("september/org_demo_2026-09", vec!["--month", "2026-09", "--trend", "0"]),
        ("a team/org_demo_2026-W41_team-t01", [&week[..], &["--team", "t01"]].concat()),
        ("each/org_demo_2026-W41_team-t03", [&week[..], &["--team", "t03"]].concat()),
    ];
    let files = all_facts(&folder.path().join("out"));
    for (place, flags) in cases {
        let (name, _) = files
            .iter()
            .find(|(name, _)| name.starts_with(place))
            .unwrap_or_else(|| panic!("no {place} among {:?}", files.keys()));
        let edition = std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
        let mut command = acumen(folder.path());
        command.args(["report", "--config", "acumen.toml", "--out", "single"]).args(flags);
        let outcome = run(&mut command);
        assert_eq!(outcome.code, Some(0), "{place}: {}", outcome.stderr);
        let json = outcome.stdout.lines().find(|line| line.ends_with(".json")).unwrap();
        let single = std::fs::read_to_string(folder.path().join(json)).unwrap();
        let (edition, single) = (own(&edition), own(&single));
        let parts = |facts: &Value| facts.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(parts(&edition), parts(&single), "{place}");
        for (part, value) in single.as_object().unwrap() {
            let other = &edition[part];
            let different = match (value.as_array(), other.as_array()) {
                (Some(one), Some(two)) if one.len() == two.len() => {
                    one.iter().zip(two).find(|(one, two)| one != two).map(|(one, two)| format!("{one} {two}"))
                }
                _ => (value != other).then(|| format!("{value} {other}")),
            };
            assert_eq!(different, None, "{place}: {part}");
        }
        assert_eq!(Path::new(json).file_name(), Path::new(name).file_name());
    }
}

#[test]
fn a_covered_team_of_few_people_gets_no_report() {
    let session = |number: usize| {
        let (team, user) = if number < 24 { ("large", number % 6) } else { ("small", 10 + number % 3) };
        json!({"session_id": format!("s{number:03}"), "created_at": format!("2026-10-{:02}T10:00:00Z", 5 + number % 7),
            "updated_at": "2026-10-11T11:00:00Z", "status": "exit", "user_id": format!("email|{user}"),
            "org_id": "org_demo", "acus_consumed": 1.5, "tags": [format!("team:{team}"), "CANARYTAG"],
            "title": "CANARYTITLE"})
    };
    // Two large teams, so that hiding the small one does not give it away.
    let more = |number: usize| {
        let mut session = session(number % 24);
        session["session_id"] = json!(format!("m{number:03}"));
        session["user_id"] = json!(format!("email|2{}", number % 9));
        session["tags"] = json!(["team:wide"]);
        session
    };
    let records: Vec<Value> = (0..36).map(session).chain((0..36).map(more)).collect();
    let served = served(records);
    let tables = format!(
        "{TEAMS}[[team]]\nname = \"small\"\nlead = \"small@example.com\"\n\
         [[report]]\nname = \"teams\"\neach = \"team\"\npeople = \"hidden\"\ntrend = 0\n"
    );
    let mail = mail_server();
    let folder = folder(&served.url(), Some(&mail), &tables);
    let outcome = runs(folder.path(), &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("teams: small"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("no report: it would describe fewer than five people"),
        "{}",
        outcome.stdout
    );
    let made = all_facts(&folder.path().join("out"));
    assert!(made.keys().all(|name| !name.contains("small")), "{:?}", made.keys());
    assert!(mail.received().is_empty());
    for (name, facts) in &made {
        let text = facts.0.to_string();
        assert!(!text.contains("CANARYTITLE") && !text.contains("email|"), "{name}");
        let people = facts.value("active_users", json!({})).as_f64().unwrap();
        assert!(people >= 5.0, "{name}: {people}");
        for beside in facts.0["whole"].as_array().into_iter().flatten() {
            let rest = beside["value"].as_f64().unwrap()
                - facts.value(beside["metric"].as_str().unwrap(), json!({})).as_f64().unwrap();
            assert!(rest >= 0.0 || beside["metric"].as_str().unwrap().contains("per"), "{name} {beside}");
        }
    }
    // By hand: nobody may have a report about three people.
    let named = tables.replace("people = \"hidden\"\n", "");
    std::fs::write(
        folder.path().join("acumen.toml"),
        std::fs::read_to_string(folder.path().join("acumen.toml")).unwrap().replace(&tables, &named),
    )
    .unwrap();
    assert_eq!(runs(folder.path(), &[]).code, Some(0));
    assert_eq!(copies(&mail), BTreeMap::from([("small@example.com".to_owned(), 1)]));
}

/// All others may have been few people in the compared period, although they are enough now.
#[test]
fn a_covered_team_has_no_previous_values_of_all_sessions() {
    let on = |team: &'static str, people: usize, date: &'static str| {
        (0..people * 2).map(move |number| {
            json!({"session_id": format!("{team}-{date}-{number}"), "created_at": format!("{date}T10:00:00Z"),
                "updated_at": "2026-10-11T11:00:00Z", "status": "exit", "org_id": "org_demo",
                "user_id": format!("email|{team}{}", number % people), "acus_consumed": 1.5,
                "tags": [format!("team:{team}")]})
        })
    };
    let records: Vec<Value> = on("ash", 6, "2026-09-30")
        .chain(on("elm", 2, "2026-09-30"))
        .chain(on("ash", 6, "2026-10-07"))
        .chain(on("elm", 6, "2026-10-07"))
        .collect();
    let served = served(records);
    let tables =
        format!("trend = 1\n{TEAMS}[[report]]\nname = \"t\"\neach = \"team\"\npeople = \"hidden\"\n");
    let folder = folder(&served.url(), None, &tables);
    let outcome = runs(folder.path(), &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let facts = all_facts(&folder.path().join("out"));
    let ash = &facts["t/org_demo_2026-W41_team-ash_hidden.json"];
    assert_eq!(ash.fact("sessions", json!({}))["previous"], 12, "the team's own is enough");
    let whole = ash.0["whole"].as_array().unwrap();
    assert!(whole.iter().any(|fact| fact["metric"] == "sessions" && fact["value"] == 24), "{whole:?}");
    assert!(whole.iter().all(|fact| fact["previous"].is_null()), "{whole:?}");
}
