//! What a message says: the numbers of the facts, within the limits, whatever the facts hold.

use acumen::metrics::{Dim, Facts};
use acumen::render::chat;
use acumen::report::report;
use serde_json::{Value, json};

use super::limits::{self, EVIL};
use crate::support::{Served, repository};

fn demo_text() -> String {
    std::fs::read_to_string(repository("reports/org_demo_2026-W41.json")).unwrap()
}

fn demo() -> Facts {
    Facts::from_json(&demo_text()).unwrap()
}

/// The same as any program reads it.
fn demo_json() -> Value {
    serde_json::from_str(&demo_text()).unwrap()
}

/// The messages about facts, which keep the limits.
fn messages(facts: &Facts, alerts: &[String]) -> (Value, Value) {
    let report = report(facts);
    let (slack, teams) = (chat::slack(&report, alerts), chat::teams(&report, alerts));
    assert_eq!(limits::slack(slack.to_string().as_bytes()), [""; 0]);
    assert_eq!(limits::teams(teams.to_string().as_bytes()), [""; 0]);
    (slack, teams)
}

/// The headline numbers of a message to Slack: title and lines.
fn fields(slack: &Value) -> Vec<(String, String)> {
    let fields = slack["blocks"].as_array().unwrap().iter().filter_map(|block| block["fields"].as_array());
    let parts = |field: &Value| {
        let (title, rest) = field["text"].as_str().unwrap().split_once("*\n").unwrap();
        (title.trim_start_matches('*').to_owned(), rest.replacen('\n', ": ", 1))
    };
    fields.flatten().map(parts).collect()
}

/// Those of a message to Teams.
fn facts_of(teams: &Value) -> Vec<(String, String)> {
    let body = teams["attachments"][0]["content"]["body"].as_array().unwrap();
    let facts = body.iter().filter_map(|element| element["facts"].as_array());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    facts.flatten().map(|fact| (text(&fact["title"]), text(&fact["value"]))).collect()
}

/// All texts of a message, in order.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => {
            let own = map.get("text").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(map.values().flat_map(texts)).collect()
        }
        _ => Vec::new(),
    }
}

/// The titles, links and texts of sessions and analyses.
fn own_texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().flat_map(own_texts).collect(),
        Value::Object(map) => {
            let own = ["title", "url", "text"].map(|key| map.get(key).and_then(Value::as_str));
            own.into_iter().flatten().chain(map.values().flat_map(own_texts)).collect()
        }
        _ => Vec::new(),
    }
}

/// The fact of the whole period.
fn whole<'f>(facts: &'f Value, metric: &str) -> &'f Value {
    let mut all = facts["facts"].as_array().unwrap().iter();
    all.find(|fact| fact["metric"] == metric && fact["group"] == json!({})).unwrap()
}

/// A whole number with commas, written a second time.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap());
    groups.collect::<Vec<_>>().join(",")
}

#[test]
fn the_numbers_are_those_of_the_facts() {
    let facts = demo_json();
    let (slack, teams) = messages(&demo(), &[]);
    let shown = fields(&slack);
    assert_eq!(shown, facts_of(&teams));
    assert_eq!(shown.len(), 8);
    let line = |title: &str| &shown.iter().find(|(own, _)| own == title).unwrap().1;
    for (title, metric) in [
        ("ACUs", "acus"),
        ("Sessions", "sessions"),
        ("Active users", "active_users"),
        ("Pull requests", "prs"),
    ] {
        let fact = whole(&facts, metric);
        let (value, previous) = (fact["value"].as_f64().unwrap(), fact["previous"].as_f64().unwrap());
        let change = match value.round() - previous.round() {
            0.0 => ": no change".to_owned(),
            more if more > 0.0 => format!(": {} more (", grouped(more)),
            less => format!(": {} fewer (", grouped(-less)),
        };
        assert!(line(title).starts_with(&format!("{}{change}", grouped(value))), "{title}: {}", line(title));
    }
    let rate = whole(&facts, "merge_rate");
    let (merged, decided) = (rate["numerator"].as_f64().unwrap(), rate["denominator"].as_f64().unwrap());
    let rate = line("Merge rate");
    assert!(rate.starts_with(&format!("{:.0}%", 100.0 * merged / decided)), "{rate}");
    assert!(rate.contains(&format!("{merged} of {decided} decided")), "{rate}");
    // A number that is still maturing is neither better nor worse.
    assert!(
        rate.contains("still maturing: ") && !rate.contains("better") && !rate.contains("worse"),
        "{rate}"
    );
    assert!(line("High-impact issues per 100").contains(", worse"));
    // The notification has the first numbers.
    let text = slack["text"].as_str().unwrap();
    let expected = format!("ACUs {}, Sessions ", grouped(whole(&facts, "acus")["value"].as_f64().unwrap()));
    assert!(text.starts_with("Devin: Week 41, 5 to 11 October 2026, complete, invented: "), "{text}");
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn a_message_has_what_a_mail_has_and_nothing_more() {
    let facts = demo_json();
    let alerts = ["Spend of the month is above 80% of the budget".to_owned()];
    let (slack, teams) = messages(&demo(), &alerts);
    for message in [&slack, &teams] {
        let texts = texts(message);
        let place = |words: &str| {
            texts.iter().position(|text| text.contains(words)).unwrap_or_else(|| panic!("{words}: {texts:?}"))
        };
        let places = [
            place("Week 41, 5 to 11 October 2026, complete, invented"),
            place("Halden demo · UTC"),
            place("Alert: Spend of the month is above 80% of the budget"),
            place("This organisation is invented"),
            place("Worse than week 40 in high-impact issues per 100"),
            place("Compared with week 40"),
            place("“team:payments” grew most"),
            place("Ask the sender for the full report: org_demo_2026-W41.html."),
        ];
        // The notification of Slack begins with the title as well.
        assert!(places[1..].is_sorted(), "{places:?} {texts:?}");
        let all = texts.join("\n");
        // Titles of sessions, links, people and texts of analyses are in the facts.
        let own = own_texts(&facts["highlights"]);
        assert!(own.len() > 20, "{own:?}");
        own.iter().for_each(|own| assert!(!all.contains(own), "{own}"));
        for name in facts["labels"]["user"].as_object().unwrap().values() {
            assert!(!all.contains(name.as_str().unwrap()), "{name}");
        }
    }
}

/// Replaces every name in the facts.
fn renamed(facts: &mut Facts, name: &str) {
    for fact in &mut facts.facts {
        for (dim, key) in &mut fact.group {
            if matches!(dim, Dim::Tag | Dim::User | Dim::Label | Dim::Repo | Dim::Org) && key.is_some() {
                *key = Some(name.to_owned());
            }
        }
    }
    facts.source.scope = name.to_owned();
    facts.source.tags = vec![name.to_owned(); 50];
    facts.notices = vec![name.to_owned(); 40];
    facts.tool.version = name.to_owned();
}

#[test]
fn hostile_and_long_names_format_nothing_and_keep_the_limits() {
    let names = [
        format!("{EVIL} <!channel> <@U012AB3CD> <#C01> <https://{EVIL}.example|x> & &lt; @here"),
        format!("*{EVIL}* _{EVIL}_ ~{EVIL}~ `{EVIL}` ```{EVIL}``` > {EVIL}\n# {EVIL}\r\n- {EVIL}"),
        format!(
            "[{EVIL}](https://{EVIL}.example) ![x](https://{EVIL}.example/x.png) <at>{EVIL}</at> https://{EVIL}.example"
        ),
        format!("{EVIL}\u{202e}\u{0}\u{1b}[31m\u{2066}{}", "\u{5d0}".repeat(300)),
        format!("{EVIL}{}", "<".repeat(5000)),
        format!("{EVIL}{}", "😀".repeat(5000)),
        format!("{EVIL}{}", "\"\\".repeat(5000)),
        format!("{EVIL}{}", "&".repeat(5000)),
    ];
    for name in names {
        for count in [0, 1, 100] {
            let mut facts = demo();
            renamed(&mut facts, &name);
            let (slack, teams) = messages(&facts, &vec![name.clone(); count]);
            for message in [slack, teams] {
                let all = texts(&message).join("\n");
                assert!(all.contains(EVIL), "the names are shown: {all}");
                assert!(!all.contains(['\u{202e}', '\u{0}', '\u{1b}']), "{all}");
                assert_eq!(all.contains("92 more alerts are in the full report."), count == 100, "{all}");
            }
        }
    }
}

#[test]
fn numbers_of_any_size_keep_the_limits() {
    let mut facts = demo();
    for fact in &mut facts.facts {
        for number in [&mut fact.value, &mut fact.previous, &mut fact.numerator, &mut fact.denominator] {
            *number = number.map(|_| 1e300);
        }
        fact.n = 1e300;
    }
    messages(&facts, &[]);
}

/// The facts of a week that a server has, with these options.
fn of_week(served: &Served, week: &str, flags: &[&str]) -> Facts {
    let flags = [&["--week", week, "--trend", "1", "--org", "org_demo"][..], flags].concat();
    Facts::from_json(&served.report(&flags).json).unwrap()
}

#[test]
fn every_kind_of_report_makes_messages() {
    use devin_simulator::{Options, Organisation, Recipe};
    let first_day = "2026-09-28".parse().unwrap();
    let recipe = Recipe { sessions: 400, first_day, days: 14, ..Recipe::demo() };
    let serve = |fault: &[&str]| {
        let faults = fault.iter().map(|fault| fault.parse().unwrap()).collect();
        Served::new(Organisation::invent(&recipe), Options { faults, ..Options::default() })
    };
    let says = |facts: &Facts, words: &[&str]| {
        let (slack, teams) = messages(facts, &[]);
        for message in [&slack, &teams] {
            let all = format!("{}\n{:?}", texts(message).join("\n"), facts_of(&teams));
            words.iter().for_each(|words| assert!(all.contains(words), "{words}: {all}"));
        }
        (slack, teams)
    };
    let covered = of_week(&serve(&[]), "2026-W41", &["--profile", "leadership"]);
    let (slack, _) = says(&covered, &["complete", "People are hidden"]);
    assert!(!slack["text"].as_str().unwrap().contains("invented"));
    let unmetered = of_week(&serve(&["unmetered"]), "2026-W41", &[]);
    let (_, teams) = says(&unmetered, &["Not metered", "Sessions"]);
    assert!(facts_of(&teams).iter().all(|(title, _)| title != "ACUs"), "{teams}");
    says(
        &of_week(&serve(&["drop=9"]), "2026-W41", &["--allow-partial"]),
        &["incomplete", "Do not base decisions"],
    );
    says(&of_week(&Served::values(Vec::new()), "2026-W41", &[]), &["No session was created in this period."]);
    let served = serve(&[]);
    let filtered = of_week(&served, "2026-W41", &["--tag", "team:payments"]);
    says(&filtered, &["Only sessions tagged team:payments"]);
    let days = of_week(&served, "2026-W40", &[]);
    says(&days, &["Week 40"]);
}
