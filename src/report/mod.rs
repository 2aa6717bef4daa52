//! Renders facts and figures as one HTML page; the only user of minijinja.
//!
//! The view contains finished strings; templates loop and place.

pub(crate) mod change;
pub mod email;
pub(crate) mod figures;
pub(crate) mod head;
pub(crate) mod insights;
pub(crate) mod layout;
mod markdown;
pub(crate) mod money;
pub(crate) mod names;
pub(crate) mod quality;
pub(crate) mod saved;
pub(crate) mod sessions;
pub(crate) mod table;
pub(crate) mod tiles;
pub(crate) mod view;

use base64::Engine;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

use crate::charts::{self, ChartError};
use crate::metrics::{ANALYSIS_COVERAGE, Fact, Facts, Metric, PRS, PeopleMode, SESSIONS, Withheld, known_to};
use crate::money::Price;
use crate::period::Period;
use crate::text::clean;
use crate::unit::{Unit, count};
use devin_api::Records;
pub use head::{unreadable, warnings, without_acus, without_address};
use view::{Definition, LabelledValue, NumberView, SectionView};

pub use markdown::markdown;
pub use saved::{beyond_export, export_limits, saved_notices};
pub use view::{Change, Header, PageView, Piece, TableRow, Tile};

/// The page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart failed: an internal error.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A template failed: an internal error.
    #[error("could not fill the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
}

const TEMPLATES: [(&str, &str); 7] = [
    ("report.html", include_str!("../../templates/report.html")),
    ("header.html", include_str!("../../templates/header.html")),
    ("tiles.html", include_str!("../../templates/tiles.html")),
    ("section.html", include_str!("../../templates/section.html")),
    ("sessions.html", include_str!("../../templates/sessions.html")),
    ("footer.html", include_str!("../../templates/footer.html")),
    ("mail.html", include_str!("../../templates/mail.html")),
];
const STYLE: &str = include_str!("../../templates/style.css");

/// Renders the page as one self-contained HTML document.
///
/// # Errors
/// A chart or a template failed: an internal error, never a property of the data.
pub fn render(facts: &Facts) -> Result<String, ReportError> {
    let view = contents(facts)?;
    Ok(environment()?.get_template("report.html")?.render(minijinja::value::Serde(&view))?)
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    // By name, minijinja would escape only some extensions.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// The contents of the page, formatted, in its order: the context of its template.
///
/// # Errors
/// A chart could not be drawn: an internal error.
pub fn contents(facts: &Facts) -> Result<PageView, ReportError> {
    let style = format!("{STYLE}{}", charts::STYLE);
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let header = head::header(facts);
    Ok(PageView {
        compared: is_compared(facts),
        title: format!("{} · {} · Devin report", header.organisation, header.period),
        style_hash: format!("sha256-{hash}"),
        style: Value::from_safe_string(style),
        notices: head::notices(facts),
        covered: facts.is_covered(),
        comparison: comparison(facts),
        tiles: tiles::tiles(facts, &facts.trend_periods())?,
        insights: insights::insights(facts),
        sections: sections(facts)?,
        lists: if facts.is_covered() { Vec::new() } else { sessions::lists(facts) },
        definitions: defined(facts).map(|metric| definition(facts, metric)).collect(),
        quality: quality::entries(facts),
        vendor: quality::note(facts),
        notes: facts.notes.iter().map(|note| sentence(note)).chain(withheld(facts)).collect(),
        source_entries: source_entries(facts),
        tool: tool(facts),
        header,
    })
}

/// The program that made the facts, with its version.
pub(crate) fn tool(facts: &Facts) -> String {
    format!("{} {}", clean(&facts.tool.name, 40), clean(&facts.tool.version, 40))
}

/// The metrics that the page defines; without people only those it shows.
pub(crate) fn defined(facts: &Facts) -> impl Iterator<Item = &'static Metric> {
    let is_shown = |metric: &Metric| facts.facts.iter().any(|fact| fact.metric.id == metric.id);
    known_to(facts.capabilities())
        .filter(|metric| facts.source.metered || !metric.is_of_acus())
        .filter(move |metric| !facts.is_covered() || is_shown(metric))
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
pub(crate) fn comparison(facts: &Facts) -> String {
    let previous = facts.previous_period();
    if !facts.is_over() {
        return "The period is not over, so it is not compared with the previous one.".to_owned();
    }
    if !is_uncompared(facts) {
        return format!("Compared with {} ({}).", in_sentence(&previous), previous.dates_in_words());
    }
    let is_saved = saved::is_saved(facts) && facts.source.archive.is_none();
    let why = match (facts.is_covered(), is_saved) {
        (true, true) => "fewer than five people were active in it, or the saved data does not cover it",
        (true, false) => "fewer than five people were active in it",
        (false, _) => "the saved data does not cover both",
    };
    format!("Not compared with {}: {why}.", in_sentence(&previous))
}

/// Whether a completed period is not compared: the previous period has too few people, or the saved
/// sessions do not cover both.
fn is_uncompared(facts: &Facts) -> bool {
    facts.is_over() && facts.whole(&SESSIONS).is_some_and(|fact| fact.previous.is_none())
}

/// Whether the report compares periods.
pub(crate) fn is_compared(facts: &Facts) -> bool {
    facts.is_over() && !is_uncompared(facts)
}

fn sections(facts: &Facts) -> Result<Vec<SectionView>, ReportError> {
    let source = figure_inputs(facts);
    let mut sections = Vec::new();
    for section in layout::sections(facts.capabilities()) {
        let mut drawn = Vec::new();
        let (mut empty, mut withheld) = (Vec::new(), Vec::new());
        for figure in section.figures {
            match figures::state(figure, &source) {
                figures::FigureState::Omitted => {}
                figures::FigureState::Withheld => withheld.push(figure.title),
                figures::FigureState::Empty => empty.push(figure.title),
                figures::FigureState::Drawn => drawn.push(figures::draw(figure, &source)?),
            }
        }
        let shown = || section.numbers.iter().filter(|metric| metric.is_shown(&[], facts.capabilities()));
        let hidden = shown().filter(|metric| facts.withholds(metric, &[]));
        withheld.splice(..0, hidden.map(|metric| metric.title));
        let numbers = shown().filter_map(|metric| facts.whole(metric).map(number)).collect();
        sections.push(SectionView {
            id: section.id,
            title: section.title,
            intro: intro(section, facts),
            numbers,
            figures: drawn,
            empty,
            withheld,
        });
    }
    Ok(sections)
}

/// The inputs of all figures.
pub(crate) fn figure_inputs(facts: &Facts) -> figures::FigureInputs<'_> {
    let against = is_compared(facts).then(|| format!("Change from {}", previous_name(facts)));
    figures::FigureInputs { facts, periods: facts.trend_periods(), against }
}

/// What the period is compared with, inside a sentence.
fn previous_name(facts: &Facts) -> String {
    in_sentence(&facts.previous_period())
}

/// The introduction of a section.
pub(crate) fn intro(section: &layout::Section, facts: &Facts) -> String {
    match section.id {
        "spend" => spend(facts),
        "usage" => "A session counts on the day it was created.".to_owned(),
        "delivery" => delivery(facts),
        _ => coverage(facts),
    }
}

fn number(fact: &Fact) -> NumberView {
    NumberView {
        id: fact.metric.id,
        title: fact.metric.title,
        value: fact.unit.text(fact.value),
        change: change::change(fact).map(|change| change.text).unwrap_or_default(),
        faint: change::faint(fact),
    }
}

/// When spend counts, and at which prices.
fn spend(facts: &Facts) -> String {
    let mut sentences = vec!["All ACUs of a session count on the day it was created.".to_owned()];
    if let Some(prices) = &facts.prices {
        let unit = Unit::Money(prices.currency());
        let price = |price: &Price| {
            format!("{} per ACU from {}", unit.price(price.per_acu), price.from.format("%-d %B %Y"))
        };
        let all: Vec<String> = prices.steps().iter().map(price).collect();
        sentences.push(format!(
            "Money is ACUs times the prices in the settings of this report: {}.",
            all.join(", ")
        ));
    }
    sentences.join(" ")
}

/// The age of the states of pull requests, and how many can still change.
fn delivery(facts: &Facts) -> String {
    let all = facts.whole(&PRS).and_then(|fact| fact.value).unwrap_or(0.0);
    let open = match insights::open_prs(facts).filter(|_| all > 0.0) {
        None => String::new(),
        Some(0.0) => ", and no pull request is open".to_owned(),
        Some(1.0) => {
            format!(": 1 of {} pull requests is open or in draft and may still be merged", count(all))
        }
        Some(open) => {
            let (open, all) = (count(open), count(all));
            format!(": {open} of {all} pull requests are open or in draft and may still be merged")
        }
    };
    format!("States are as of the fetch{open}. A pull request closed without merge is not a failure.")
}

/// How many sessions the issue numbers cover.
fn coverage(facts: &Facts) -> String {
    let Some(fact) = facts.whole(&ANALYSIS_COVERAGE) else { return String::new() };
    if fact.denominator() == 0.0 {
        return "No sessions, so there is no data on issues.".to_owned();
    }
    if fact.numerator() == 0.0 {
        return format!(
            "None of {} sessions has an analysis, so there is no data on issues. Analyses are made on \
             request.",
            count(fact.denominator())
        );
    }
    format!(
        "{} of {} sessions ({}) have an analysis; the numbers here cover only these.",
        count(fact.numerator()),
        count(fact.denominator()),
        Unit::Share.text(fact.value)
    )
}

fn definition(facts: &Facts, metric: &'static crate::metrics::Metric) -> Definition {
    let whole = facts.whole(metric).map(|fact| fact.unit.text(fact.value));
    Definition {
        id: metric.id,
        title: metric.title,
        text: metric.definition,
        value: whole.unwrap_or_default(),
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
pub(crate) fn source_entries(facts: &Facts) -> Vec<LabelledValue> {
    let source = &facts.source;
    let mut entries = vec![
        match source.records {
            Records::Api(api) => LabelledValue::word("API", api.to_string()),
            Records::Export => LabelledValue::word("Records", "of the web app's export".to_owned()),
        },
        LabelledValue::word("Scope", clean(&source.scope, 80)),
        LabelledValue::word("People", people(source.people).to_owned()),
    ];
    entries.extend(match saved::is_saved(facts) {
        true => saved::entries(facts),
        false => {
            vec![
                LabelledValue::count("Requests", source.requests),
                LabelledValue::count("Retries among them", source.retries),
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
    entries.extend(rows.into_iter().filter_map(|(name, rows)| Some(LabelledValue::count(name, rows?))));
    entries.push(LabelledValue::word("Complete", saved::completeness(facts).to_owned()));
    entries
}

/// A period's name within a sentence: `week 40`, `September 2026`, `the 3 days before`.
pub(crate) fn in_sentence(period: &Period) -> String {
    match period.kind() {
        crate::period::PeriodKind::Week => period.name().to_lowercase(),
        crate::period::PeriodKind::Month => period.name(),
        crate::period::PeriodKind::Quarter => period.name().to_lowercase(),
        crate::period::PeriodKind::Days if period.name() == "1 day" => "the day before".to_owned(),
        crate::period::PeriodKind::Days => format!("the {} before", period.name()),
    }
}
