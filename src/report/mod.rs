//! Facts to a report: typed values in the order of the page. Every output is made from it.

mod alerts;
mod comparable;
mod entries;
mod figures;
mod file_name;
mod finance;
mod fixes;
mod header;
mod insights;
mod intro;
mod layout;
mod limits;
mod money;
mod names;
mod number;
mod quality;
mod saved;
mod sections;
mod sessions;
mod subject;
mod table;
mod tiles;
mod verdict;

use chrono::Datelike;
use serde::Serialize;

use crate::metrics::{Fact, Facts, Metric, PeopleMode, SESSIONS, Withheld, known_to};
use crate::period::{Period, PeriodKind};
use crate::text::clean;
use crate::unit::{Unit, counted};
use devin_api::Records;

pub use alerts::AlertText;
pub use comparable::Standard;
pub use entries::Entry;
pub use figures::{Drawing, Figure};
pub use finance::{Finance, finance};
pub use fixes::{Example, Fixes, TextList, TextRow};
pub use header::{Header, unreadable, warnings, without_acus, without_address};
pub use insights::{Piece, Sentence};
pub use layout::MailPlace;
pub use number::{Number, is_one};
pub use saved::{beyond_export, export_limits, saved_notices};
pub use sections::Section;
pub use sessions::{SessionList, SessionOrder, SessionRow};
pub use table::{Role, Row, Table, TableColumn, Value};
pub use tiles::{Tile, TrendPoint};

/// A report: everything that any output shows, as typed values.
#[derive(Serialize)]
pub struct Report {
    /// The name of its files, without extension.
    pub name: String,
    /// Scope, period and completeness.
    pub header: Header,
    /// The report in one line, for the subject of a mail.
    pub subject: String,
    /// Numbers that exceed a threshold of the settings: the first thing that is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertText>,
    /// How many alerts are not shown; empty if all are.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub other_alerts: String,
    /// Notices before any number.
    pub notices: Vec<String>,
    /// Whether its organisation is invented.
    #[serde(skip)]
    pub is_invented: bool,
    /// Whether the report hides people.
    pub is_covered: bool,
    /// What the numbers are compared with, or why not.
    pub comparison: String,
    /// How changes in percent are computed where the lengths of the periods differ; empty where they
    /// are equal, or nothing is compared.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub per_day: String,
    /// Whether they are compared.
    pub is_compared: bool,
    /// Whether the period was over.
    pub is_over: bool,
    /// Whether money is shown.
    pub is_priced: bool,
    /// The headline numbers.
    pub tiles: Vec<Tile>,
    /// Whether the period was better or worse, in one sentence; empty if that is said elsewhere.
    pub verdict: String,
    /// What stands out, most important first.
    pub insights: Vec<Sentence>,
    /// What to fix; `None` without analyses.
    pub fixes: Option<Fixes>,
    /// Numbers and figures.
    pub sections: Vec<Section>,
    /// What teams and cost centres spent at each price; in the workbook and as CSV, not on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finance: Option<Finance>,
    /// Sessions worth a look.
    pub session_lists: Vec<SessionList>,
    /// The metrics that the report defines.
    pub definitions: Vec<Definition>,
    /// Unreadable values, and the vendor's counts beside ours.
    pub quality: Vec<Entry>,
    /// How to read the vendor's counts; empty if there are none.
    pub vendor_note: String,
    /// Other notes.
    pub notes: Vec<String>,
    /// The exact period, and when and by what the report was made.
    pub identity: Vec<Entry>,
    /// The source of the data.
    pub source: Vec<Entry>,
    /// Sessions of the period; null where it is not known.
    pub sessions: Option<f64>,
    /// Whether all of them are there, in one sentence.
    pub completeness: &'static str,
    /// RFC 3339, UTC: when the report was made.
    pub generated_at: String,
    /// Name and version of the program that made the facts.
    pub tool: String,
}

/// A metric with its definition.
#[derive(Serialize)]
pub struct Definition {
    /// The metric.
    pub metric: &'static Metric,
    /// Its definition.
    pub text: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Whether there is a number of the whole period.
    pub is_of_whole: bool,
    /// That number; null where there is none.
    pub value: Option<f64>,
}

/// Makes the report of facts.
pub fn report(facts: &Facts) -> Report {
    let header = header::header(facts);
    let tiles = tiles::tiles(facts);
    Report {
        name: file_name::file_name(facts),
        subject: subject::subject(facts),
        alerts: alerts::alerts(facts),
        other_alerts: alerts::others(facts),
        notices: header::notices(facts),
        is_invented: facts.source.demo,
        is_covered: facts.is_covered(),
        comparison: comparison(facts),
        per_day: per_day(facts),
        is_compared: is_compared(facts),
        is_over: facts.is_over(),
        is_priced: facts.prices.is_some() && facts.source.metered,
        verdict: verdict::verdict(facts, &tiles),
        tiles,
        insights: insights::insights(facts),
        fixes: fixes::fixes(facts),
        sections: sections::sections(facts),
        finance: finance::finance(facts),
        session_lists: sessions::lists(facts),
        definitions: defined(facts).map(|metric| definition(facts, metric)).collect(),
        quality: quality::entries(facts),
        vendor_note: quality::note(facts),
        notes: facts.notes.iter().map(|note| sentence(note)).chain(withheld(facts)).collect(),
        identity: identity(facts),
        source: source_entries(facts),
        sessions: facts.whole(&SESSIONS).and_then(|fact| fact.value),
        completeness: saved::completeness_sentence(facts),
        generated_at: facts.generated_at.clone(),
        tool: tool(facts),
        header,
    }
}

/// The program that made the facts, with its version.
fn tool(facts: &Facts) -> String {
    format!("{} {}", clean(&facts.tool.name, 40), clean(&facts.tool.version, 40))
}

/// The metrics that the report has a number of.
fn defined(facts: &Facts) -> impl Iterator<Item = &'static Metric> {
    let is_shown = |metric: &Metric| facts.facts.iter().any(|fact| fact.metric.id == metric.id);
    known_to(facts.capabilities())
        .filter(|metric| facts.source.metered || !metric.is_of_acus())
        .filter(move |metric| is_shown(metric))
}

fn definition(facts: &Facts, metric: &'static Metric) -> Definition {
    let whole = facts.whole(metric);
    Definition {
        metric,
        text: metric.definition,
        unit: whole.map_or(metric.unit, |fact| fact.unit),
        is_of_whole: whole.is_some(),
        value: whole.and_then(|fact: &Fact| fact.value),
    }
}

/// One sentence that lists what is hidden to protect people; `None` if nothing is.
fn withheld(facts: &Facts) -> Option<String> {
    let name = |withheld: &Withheld| match withheld.by.as_slice() {
        [] => withheld.metric.title.to_owned(),
        by => {
            let by: Vec<String> = by.iter().map(|dim| dim.head().to_lowercase()).collect();
            format!("{} by {}", withheld.metric.title, by.join(" and "))
        }
    };
    let all: Vec<String> = facts.withheld.iter().map(name).collect();
    (!all.is_empty()).then(|| format!("Left out to hide people: {}.", all.join("; ")))
}

/// What the numbers are compared with, or why they are not.
fn comparison(facts: &Facts) -> String {
    let previous = facts.previous_period();
    if !facts.is_over() {
        let other = match facts.is_comparison_chosen() {
            true => previous_name(facts),
            false => "the previous one".to_owned(),
        };
        return format!("The period is not over, so it is not compared with {other}.");
    }
    let (name, dates) = (previous_name(facts), previous.dates_in_words());
    if !is_uncompared(facts) {
        let dates = if name == dates { String::new() } else { format!(" ({dates})") };
        let how = if are_equally_long(facts) { "" } else { ", per day because the lengths differ" };
        return format!("Compared with {name}{dates}{how}.");
    }
    let is_saved = saved::is_saved(facts) && facts.source.archive.is_none();
    let why = match (facts.is_covered(), is_saved) {
        (true, true) => "fewer than five people were active in it, or the saved data does not cover it",
        (true, false) => "fewer than five people were active in it",
        (false, _) => "the saved data does not cover both",
    };
    format!("Not compared with {name}: {why}.")
}

/// Whether both periods have as many days, so that totals are compared as they are.
fn are_equally_long(facts: &Facts) -> bool {
    facts.report_period().day_count() == facts.previous_period().day_count()
}

/// How changes in percent are computed where the lengths differ.
fn per_day(facts: &Facts) -> String {
    if are_equally_long(facts) || !is_compared(facts) {
        return String::new();
    }
    let days = |period: &Period| counted(period.day_count() as f64, "day", "days");
    let (own, other) = (days(&facts.report_period()), days(&facts.previous_period()));
    format!(
        "The period has {own}, the other {other}: a change of a total in % is that of its amount per day."
    )
}

/// Whether a completed period is not compared: the previous period has too few people, or the saved
/// sessions do not cover both.
fn is_uncompared(facts: &Facts) -> bool {
    facts.is_over() && facts.whole(&SESSIONS).is_some_and(|fact| fact.previous.is_none())
}

/// Whether the report compares periods.
fn is_compared(facts: &Facts) -> bool {
    facts.is_over() && !is_uncompared(facts)
}

/// What the period is compared with, inside a sentence. One that was chosen is named so that it
/// cannot be taken for the one right before: with its days, or its year.
fn previous_name(facts: &Facts) -> String {
    let (period, previous) = (facts.report_period(), facts.previous_period());
    let year = |period: &Period| period.first().iso_week().year();
    match previous.kind() {
        PeriodKind::Days if facts.is_comparison_chosen() => previous.dates_in_words(),
        PeriodKind::Week if facts.is_comparison_chosen() && year(&period) != year(&previous) => {
            format!("{} of {}", in_sentence(&previous), year(&previous))
        }
        _ => in_sentence(&previous),
    }
}

/// A note of another stage as a sentence.
fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    clean(&format!("{first}{}.", letters.as_str().trim_end_matches('.')), 300)
}

/// How people are shown, in words.
fn people(how: Option<PeopleMode>) -> &'static str {
    match how {
        None => "by name, or by id if the name is unknown",
        Some(PeopleMode::Hidden) => "not shown; every number rests on at least five people",
    }
}

/// The source of the data.
fn source_entries(facts: &Facts) -> Vec<Entry> {
    let source = &facts.source;
    let mut entries = vec![
        match source.records {
            Records::Api(api) => Entry::word("API", api.to_string()),
            Records::Export => Entry::word("Records", "of the web app's export".to_owned()),
        },
        Entry::word("Scope", clean(&source.scope, 80)),
        Entry::word("People", people(source.people).to_owned()),
    ];
    entries.extend(match saved::is_saved(facts) {
        true => saved::entries(facts),
        false => {
            vec![
                Entry::count("Requests", source.requests),
                Entry::count("Retries among them", source.retries),
            ]
        }
    });
    // A covered report has none of them.
    let rows = [
        ("Pages", source.pages),
        ("Rows received", source.received),
        ("Distinct sessions, trend included", source.unique),
        ("Duplicate rows", source.duplicates),
        ("Rows outside the request, dropped", source.outside),
    ];
    entries.extend(rows.into_iter().filter_map(|(name, rows)| Some(Entry::count(name, rows?))));
    entries.push(Entry::word("Complete", saved::completeness(facts).to_owned()));
    entries
}

/// The exact period, and when and by what the report was made.
fn identity(facts: &Facts) -> Vec<Entry> {
    let period = &facts.period;
    let entry = |name, value: &str| Entry::word(name, value.to_owned());
    vec![
        entry("Period", &period.label),
        entry("From", &period.from),
        entry("To, not included", &period.to),
        entry("Time zone", facts.tz().name()),
        entry("Made at", &facts.generated_at),
        entry("Made by", &tool(facts)),
    ]
}

/// A period's name within a sentence: `week 40`, `September 2026`, `the 3 days before`.
fn in_sentence(period: &Period) -> String {
    match period.kind() {
        PeriodKind::Week => period.name().to_lowercase(),
        PeriodKind::Month => period.name(),
        PeriodKind::Quarter => period.name().to_lowercase(),
        PeriodKind::Days if period.name() == "1 day" => "the day before".to_owned(),
        PeriodKind::Days => format!("the {} before", period.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The demo's facts as those of another period and of what that is compared with.
    fn compared(own: &str, previous: &str) -> Facts {
        let mut facts = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        (facts.period.label, facts.previous.label) = (own.to_owned(), previous.to_owned());
        facts
    }

    #[test]
    fn the_comparison_names_the_period_and_says_that_it_is_per_day() {
        for (own, previous, expected) in [
            ("2026-W41", "2026-W40", "Compared with week 40 (28 September to 4 October 2026)."),
            ("2026-W41", "2026-W30", "Compared with week 30 (20 to 26 July 2026)."),
            ("2026-W41", "2025-W41", "Compared with week 41 of 2025 (6 to 12 October 2025)."),
            // Weeks that follow one another over a turn of the year are named as always.
            ("2026-W01", "2025-W52", "Compared with week 52 (22 to 28 December 2025)."),
            (
                "2026-03",
                "2026-02",
                "Compared with February 2026 (1 to 28 February 2026), per day because the lengths differ.",
            ),
            ("2026-08", "2026-07", "Compared with July 2026 (1 to 31 July 2026)."),
            (
                "2026-Q3",
                "2026-Q2",
                "Compared with quarter 2 of 2026 (1 April to 30 June 2026), per day because the lengths differ.",
            ),
            (
                "2026-10-05_2026-10-07",
                "2026-10-02_2026-10-04",
                "Compared with the 3 days before (2 to 4 October 2026).",
            ),
            ("2026-10-05_2026-10-07", "2026-09-02_2026-09-04", "Compared with 2 to 4 September 2026."),
            ("2026-W41", "2026-09-01", "Compared with 1 September 2026, per day because the lengths differ."),
        ] {
            let facts = compared(own, previous);
            assert_eq!(comparison(&facts), expected);
            assert_eq!(per_day(&facts).is_empty(), !expected.contains("per day"), "{own} {previous}");
        }
        let february = per_day(&compared("2026-03", "2026-02"));
        assert!(february.starts_with("The period has 31 days, the other 28 days: "), "{february}");
    }

    #[test]
    fn without_a_comparison_the_chosen_period_is_named() {
        let running = |previous: &str| {
            let mut facts = compared("2026-W41", previous);
            facts.period.complete = Some(false);
            comparison(&facts)
        };
        let what = "The period is not over, so it is not compared with";
        assert_eq!(running("2026-W40"), format!("{what} the previous one."));
        assert_eq!(running("2025-W41"), format!("{what} week 41 of 2025."));
        let mut facts = compared("2026-W41", "2026-09");
        for fact in facts.facts.iter_mut().filter(|fact| fact.metric.id == SESSIONS.id) {
            fact.previous = None;
        }
        assert!(comparison(&facts).starts_with("Not compared with September 2026: "));
        assert_eq!(per_day(&facts), "");
    }
}
