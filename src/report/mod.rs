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
pub(crate) mod tiles;
pub(crate) mod view;

use base64::Engine;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

use crate::charts::{self, ChartError};
use crate::metrics::{ANALYSIS_COVERAGE, Fact, Facts, Highlights, Metric, PRS, SESSIONS, Withheld, known_to};
use crate::money::{Price, Prices};
use crate::period::Period;
use crate::saved_pages::Saved;
use crate::text::clean;
use crate::unit::{Unit, count};
use devin_api::{Records, Vendor};
pub use head::{SourceKind, unreadable, warnings, without_acus, without_address};
use view::{Definition, LabelledValue, NumberView, PageView, SectionView};

pub use markdown::markdown;
pub use saved::{beyond_export, export_limits, fetched};
pub use view::{Change, Header, Piece, TableRow, Tile};

/// The page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart failed: an internal error.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A template failed: an internal error.
    #[error("could not fill the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The facts have an unreadable period.
    #[error("the facts are of a period that cannot be read: {0:?}")]
    Period(String),
}

/// What is known about the run besides the facts.
pub struct ReportContext<'a> {
    /// The periods of the trend, newest first, with the previous one at least.
    pub periods: &'a [Period],
    /// How many of them are points of the trend.
    pub points: usize,
    /// Organisation id, or `None` for the enterprise.
    pub organisation: Option<&'a str>,
    /// When the sessions were fetched, or the archive was updated, in words and in the report's
    /// zone.
    pub fetched: String,
    /// The tag filter.
    pub tags: &'a [String],
    /// The user filter.
    pub users: &'a [String],
    /// The prices of an ACU, by the settings.
    pub prices: Option<&'a Prices>,
    /// What was noticed of filters, prices, the budget and people.
    pub notes: &'a [String],
    /// Facts about saved pages, if they are the source.
    pub saved: Option<&'a Saved>,
    /// The vendor's own counts of the period.
    pub vendor: &'a Vendor,
    /// Whether the data is invented.
    pub demo: bool,
}

impl<'a> ReportContext<'a> {
    /// The period of the report.
    pub fn period(&self) -> &Period {
        self.periods.first().expect("a report has a period")
    }

    /// The periods that are points of the trend, newest first.
    pub fn trend(&self) -> &'a [Period] {
        // Before the first year of the calendar there are fewer.
        self.periods.get(..self.points).unwrap_or(self.periods)
    }

    /// What the period is compared with, inside a sentence; empty at the start of the calendar.
    pub fn previous_name(&self) -> String {
        self.periods.get(1).map(in_sentence).unwrap_or_default()
    }
}

/// Whether the report's period was over when the report was made.
pub(crate) fn is_over(facts: &Facts) -> bool {
    facts.period.complete.unwrap_or(true)
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
pub fn render(
    facts: &Facts,
    highlights: &Highlights,
    run: &ReportContext<'_>,
) -> Result<String, ReportError> {
    let view = view(facts, highlights, run)?;
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

/// The context of the template.
fn view(facts: &Facts, highlights: &Highlights, run: &ReportContext<'_>) -> Result<PageView, ReportError> {
    let style = format!("{STYLE}{}", charts::STYLE);
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let header = head::header(facts, run);
    Ok(PageView {
        compared: is_compared(facts),
        title: format!("{} · {} · Devin report", header.organisation, header.period),
        style_hash: format!("sha256-{hash}"),
        style: Value::from_safe_string(style),
        notices: head::notices(facts, run),
        covered: facts.is_covered(),
        comparison: comparison(facts, run),
        tiles: tiles::tiles(facts, run.trend())?,
        insights: insights::insights(facts, highlights, &run.previous_name()),
        sections: sections(facts, highlights, run)?,
        lists: if facts.is_covered() { Vec::new() } else { sessions::lists(facts, highlights) },
        definitions: defined(facts).map(|metric| definition(facts, metric)).collect(),
        quality: quality::entries(facts, run.vendor),
        vendor: quality::note(facts, run.vendor),
        notes: run.notes.iter().map(|note| sentence(note)).chain(withheld(facts)).collect(),
        source_entries: source_entries(facts, run),
        tool: format!("acumen {}", env!("CARGO_PKG_VERSION")),
        header,
    })
}

/// The metrics that the page defines; without people only those it shows.
pub(crate) fn defined(facts: &Facts) -> impl Iterator<Item = &'static Metric> {
    let is_shown = |metric: &Metric| facts.facts.iter().any(|fact| fact.metric.id == metric.id);
    known_to(facts.capabilities)
        .filter(|metric| facts.capabilities.metered || !metric.is_of_acus())
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
pub(crate) fn comparison(facts: &Facts, run: &ReportContext<'_>) -> String {
    match run.periods.get(1) {
        Some(previous) if is_uncompared(facts) => {
            let is_saved = saved::is_saved(facts) && facts.source.archive.is_none();
            let why = match (facts.is_covered(), is_saved) {
                (true, true) => {
                    "fewer than five people were at work in it, or what was saved does not cover it"
                }
                (true, false) => "fewer than five people were at work in it",
                (false, _) => "what was saved does not cover both",
            };
            format!("Not compared with {}: {why}.", in_sentence(previous))
        }
        Some(previous) if is_over(facts) => {
            format!("Compared with {} ({}).", in_sentence(previous), previous.dates_in_words())
        }
        _ => "The period is not over, so it is not compared with the one before it.".to_owned(),
    }
}

/// Whether a completed period is not compared: the previous period has too few people, or the saved
/// sessions do not cover both.
fn is_uncompared(facts: &Facts) -> bool {
    is_over(facts) && facts.whole(&SESSIONS).is_some_and(|fact| fact.previous.is_none())
}

/// Whether the report compares periods.
pub(crate) fn is_compared(facts: &Facts) -> bool {
    is_over(facts) && !is_uncompared(facts)
}

fn sections(
    facts: &Facts,
    highlights: &Highlights,
    run: &ReportContext<'_>,
) -> Result<Vec<SectionView>, ReportError> {
    let source = figure_inputs(facts, highlights, run);
    let mut sections = Vec::new();
    for section in layout::sections(facts.capabilities) {
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
        let shown = || section.numbers.iter().filter(|metric| metric.is_shown(&[], facts.capabilities));
        let hidden = shown().filter(|metric| facts.withholds(metric, &[]));
        withheld.splice(..0, hidden.map(|metric| metric.title));
        let numbers = shown().filter_map(|metric| facts.whole(metric).map(number)).collect();
        sections.push(SectionView {
            id: section.id,
            title: section.title,
            intro: intro(section, facts, run),
            numbers,
            figures: drawn,
            empty,
            withheld,
        });
    }
    Ok(sections)
}

/// The inputs of all figures.
pub(crate) fn figure_inputs<'a>(
    facts: &'a Facts,
    highlights: &'a Highlights,
    run: &ReportContext<'a>,
) -> figures::FigureInputs<'a> {
    let previous = run.periods.get(1).filter(|_| is_compared(facts));
    let against = previous.map(|previous| format!("Against {}", in_sentence(previous)));
    figures::FigureInputs { facts, highlights, periods: run.trend(), against }
}

/// The introduction of a section.
pub(crate) fn intro(section: &layout::Section, facts: &Facts, run: &ReportContext<'_>) -> String {
    match section.id {
        "spend" => spend(run),
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
fn spend(run: &ReportContext<'_>) -> String {
    let mut sentences = vec!["A session counts with all its ACUs on the day it was created.".to_owned()];
    if let Some(prices) = run.prices {
        let unit = Unit::Money(prices.currency());
        let price = |price: &Price| {
            format!("{} an ACU from {}", unit.price(price.per_acu), price.from.format("%-d %B %Y"))
        };
        let all: Vec<String> = prices.steps().iter().map(price).collect();
        sentences
            .push(format!("Money is ACUs at the prices in this report's own settings: {}.", all.join(", ")));
    }
    sentences.join(" ")
}

/// The age of the states of pull requests, and how many can still change.
fn delivery(facts: &Facts) -> String {
    let all = facts.whole(&PRS).and_then(|fact| fact.value).unwrap_or(0.0);
    let open = match insights::open_prs(facts).filter(|_| all > 0.0) {
        None => String::new(),
        Some(0.0) => ", and no pull request is open any more".to_owned(),
        Some(1.0) => {
            format!(": 1 of {} pull requests is open or in draft and may still be merged", count(all))
        }
        Some(open) => {
            let (open, all) = (count(open), count(all));
            format!(": {open} of {all} pull requests are open or in draft and may still be merged")
        }
    };
    format!("States are as of the fetch{open}. Closed without merge is not failure.")
}

/// How many sessions the issue numbers cover.
fn coverage(facts: &Facts) -> String {
    let Some(fact) = facts.whole(&ANALYSIS_COVERAGE) else { return String::new() };
    if fact.denominator == 0.0 {
        return "No sessions, so nothing is known about issues.".to_owned();
    }
    if fact.numerator == 0.0 {
        return format!(
            "None of {} sessions has an analysis, so nothing is known about issues. \
             Analyses are made when somebody asks for them.",
            count(fact.denominator)
        );
    }
    format!(
        "{} of {} sessions ({}) have an analysis; the numbers here speak for these alone.",
        count(fact.numerator),
        count(fact.denominator),
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
fn people(how: Option<&str>) -> &'static str {
    match how {
        None => "by name, or by id where none is known",
        Some(_) => "not shown; every number rests on at least five people",
    }
}

/// The source of the data.
pub(crate) fn source_entries(facts: &Facts, run: &ReportContext<'_>) -> Vec<LabelledValue> {
    let source = &facts.source;
    let stats = &source.stats;
    let mut entries = vec![
        match source.records {
            Records::Api(api) => LabelledValue::word("API", api.to_string()),
            Records::Export => LabelledValue::word("Records", "of the web app's export".to_owned()),
        },
        LabelledValue::word("Scope", clean(&source.scope, 80)),
        LabelledValue::word("People", people(source.people).to_owned()),
    ];
    entries.extend(match saved::is_saved(facts) {
        true => saved::entries(facts, run),
        false => {
            vec![
                LabelledValue::count("Requests", stats.requests),
                LabelledValue::count("Of these, retries", stats.retries),
            ]
        }
    });
    // These minus the visible points of the trend would reveal a hidden point.
    let rows = [
        LabelledValue::count("Pages", stats.pages),
        LabelledValue::count("Rows received", stats.received),
        LabelledValue::count("Distinct sessions, trend included", stats.unique),
        LabelledValue::count("Duplicate rows", stats.duplicates),
        LabelledValue::count("Rows outside the question, dropped", stats.outside),
    ];
    entries.extend(rows.into_iter().filter(|_| !facts.is_covered()));
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
