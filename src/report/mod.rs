//! Facts and figures to one HTML page: the only home of minijinja.
//!
//! The view holds finished strings; the templates loop and place.

mod brief;
pub(crate) mod change;
pub(crate) mod figures;
pub(crate) mod head;
pub(crate) mod insights;
pub(crate) mod layout;
mod letter;
pub(crate) mod money;
pub(crate) mod names;
pub(crate) mod quality;
pub(crate) mod saved;
pub(crate) mod sessions;
mod summary;
pub(crate) mod tiles;
pub(crate) mod view;

use base64::Engine;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

use crate::charts::{self, ChartError};
use crate::fetch::{Records, Saved, Vendor};
use crate::metrics::{ANALYSIS_COVERAGE, Fact, Facts, Highlights, Metric, PRS, SESSIONS, Withheld, known_to};
use crate::money::{Price, Prices};
use crate::period::Period;
use crate::text::clean;
use crate::unit::Unit;
pub use head::{Way, doubts, unreadable, without_acus, without_address};
use view::{Definition, Entry, Number, SectionView, View};

pub use brief::labels;
pub use brief::{Brief, Picture, Ranking, brief};
pub use letter::{Enclosed, letter};
pub use saved::{beyond, fetched, lacks};
pub use summary::summary;
pub use view::{Change, Header, Piece, Row, Tile};

/// The page could not be made: a defect, not a state of the data.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A template.
    #[error("could not fill the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The facts speak of a period that is none.
    #[error("the facts are of a period that cannot be read: {0:?}")]
    Period(String),
}

/// What is known of the run besides the numbers.
pub struct Run<'a> {
    /// The trend's periods, newest first, with the previous one at least.
    pub periods: &'a [Period],
    /// How many of them, from the first, are points of the trend.
    pub points: usize,
    /// Organisation id, or `None` for the enterprise.
    pub organisation: Option<&'a str>,
    /// When it was fetched, or its archive brought up to date, in words, in the
    /// report's zone.
    pub fetched: String,
    /// Tags the sessions were narrowed to.
    pub tags: &'a [String],
    /// Users the sessions were narrowed to.
    pub users: &'a [String],
    /// What an ACU costs, by the settings.
    pub prices: Option<&'a Prices>,
    /// Lists of people that could not be read.
    pub notes: &'a [String],
    /// What there is to say of saved pages, where nobody was asked.
    pub saved: Option<&'a Saved>,
    /// The vendor's own counts of the period.
    pub vendor: &'a Vendor,
    /// The data is invented.
    pub demo: bool,
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

/// The page, one self-contained HTML document.
///
/// # Errors
/// A chart or a template failed: a defect, not a state of the data.
pub fn render(facts: &Facts, highlights: &Highlights, run: &Run<'_>) -> Result<String, ReportError> {
    let view = view(facts, highlights, run)?;
    Ok(environment()?.get_template("report.html")?.render(minijinja::value::Serde(&view))?)
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    // By name alone some endings would not be escaped.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// What the template gets.
fn view(facts: &Facts, highlights: &Highlights, run: &Run<'_>) -> Result<View, ReportError> {
    let style = format!("{STYLE}{}", charts::STYLE);
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let header = head::header(facts, run);
    let previous = run.periods.get(1);
    Ok(View {
        compared: is_compared(facts),
        title: format!("{} · {} · Devin report", header.organisation, header.period),
        style_hash: format!("sha256-{hash}"),
        style: Value::from_safe_string(style),
        notices: head::notices(facts, run),
        covered: facts.is_covered(),
        comparison: comparison(facts, run),
        tiles: tiles::tiles(facts, run.periods, run.points)?,
        insights: insights::insights(facts, highlights, &previous.map(in_sentence).unwrap_or_default()),
        sections: sections(facts, highlights, run)?,
        lists: if facts.is_covered() { Vec::new() } else { sessions::lists(facts, highlights) },
        definitions: defined(facts).map(|metric| definition(facts, metric)).collect(),
        quality: quality::entries(facts, run.vendor),
        vendor: quality::note(facts, run.vendor),
        notes: run.notes.iter().map(|note| sentence(note)).chain(withheld(facts)).collect(),
        ledger: ledger(facts, run),
        tool: format!("acumen {}", env!("CARGO_PKG_VERSION")),
        header,
    })
}

/// The metrics that the page defines: in a covered report those that it shows.
pub(crate) fn defined(facts: &Facts) -> impl Iterator<Item = &'static Metric> {
    let is_shown = |metric: &Metric| facts.facts.iter().any(|fact| fact.metric.id == metric.id);
    known_to(facts.capabilities)
        .filter(|metric| facts.capabilities.metered || !metric.is_of_acus())
        .filter(move |metric| !facts.is_covered() || is_shown(metric))
}

/// Everything that a covered report leaves out, in one sentence; none where it is nothing.
fn withheld(facts: &Facts) -> Option<String> {
    let name = |withheld: &Withheld| match withheld.by.as_slice() {
        [] => withheld.metric.title.to_owned(),
        by => {
            let by: Vec<String> = by.iter().map(|dim| names::head(*dim).to_lowercase()).collect();
            format!("{} by {}", withheld.metric.title, by.join(" and "))
        }
    };
    let all: Vec<String> = facts.withheld.iter().map(name).collect();
    (!all.is_empty()).then(|| format!("Left out to hide people: {}.", all.join("; ")))
}

/// What the numbers are compared with, or why they are not.
pub(crate) fn comparison(facts: &Facts, run: &Run<'_>) -> String {
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
        Some(previous) if facts.period.complete.unwrap_or(true) => {
            format!("Compared with {} ({}).", in_sentence(previous), previous.dates_in_words())
        }
        _ => "The period is not over, so it is not compared with the one before it.".to_owned(),
    }
}

/// Whether a period that is over is not compared: a covered report has too few people
/// in the period before, or saved sessions do not cover both.
fn is_uncompared(facts: &Facts) -> bool {
    let is_over = facts.period.complete.unwrap_or(true);
    is_over && facts.whole(&SESSIONS).is_some_and(|fact| fact.previous.is_none())
}

/// Whether anything is compared with the period before.
pub(crate) fn is_compared(facts: &Facts) -> bool {
    facts.period.complete.unwrap_or(true) && !is_uncompared(facts)
}

fn sections(facts: &Facts, highlights: &Highlights, run: &Run<'_>) -> Result<Vec<SectionView>, ReportError> {
    let source = figure_source(facts, highlights, run);
    let mut sections = Vec::new();
    for section in layout::sections(facts.capabilities) {
        let mut drawn = Vec::new();
        let (mut empty, mut withheld) = (Vec::new(), Vec::new());
        for figure in section.figures {
            match figures::state(figure, &source) {
                figures::State::Superfluous => {}
                figures::State::Withheld => withheld.push(figure.title),
                figures::State::Empty => empty.push(figure.title),
                figures::State::Full => drawn.push(figures::draw(figure, &source)?),
            }
        }
        let shown = || section.numbers.iter().filter(|metric| metric.is_shown(&[], facts.capabilities));
        let hidden = shown().filter(|metric| facts.withholds(metric, &[]));
        withheld.splice(..0, hidden.map(|metric| metric.title));
        let numbers = shown().filter_map(|metric| facts.whole(metric).map(number)).collect();
        sections.push(SectionView {
            id: section.id,
            title: section.title,
            lead: lead(section, facts, run),
            numbers,
            figures: drawn,
            empty,
            withheld,
        });
    }
    Ok(sections)
}

/// What figures are drawn from.
pub(crate) fn figure_source<'a>(
    facts: &'a Facts,
    highlights: &'a Highlights,
    run: &Run<'a>,
) -> figures::Source<'a> {
    let periods = run.periods.get(..run.points).unwrap_or(run.periods);
    let complete = facts.period.complete.unwrap_or(true);
    let previous = run.periods.get(1).filter(|_| complete);
    let previous = previous.filter(|_| !is_uncompared(facts));
    let against = previous.map(|previous| format!("Against {}", in_sentence(previous)));
    figures::Source { facts, highlights, periods, against }
}

/// What to know before reading a section.
pub(crate) fn lead(section: &layout::Section, facts: &Facts, run: &Run<'_>) -> String {
    match section.id {
        "spend" => spend(run),
        "usage" => "A session counts on the day it was created.".to_owned(),
        "delivery" => delivery(facts),
        _ => coverage(facts),
    }
}

fn number(fact: &Fact) -> Number {
    Number {
        id: fact.metric.id,
        title: fact.metric.title,
        value: fact.unit.text(fact.value),
        change: change::change(fact).map(|change| change.text).unwrap_or_default(),
        faint: change::faint(fact),
    }
}

/// What to know of the spend: when it counts, and at whose prices.
fn spend(run: &Run<'_>) -> String {
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

/// As of when the states of pull requests are, and how many may still change.
fn delivery(facts: &Facts) -> String {
    let count = |number: f64| Unit::Count.text(Some(number));
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

/// How many sessions the issue numbers speak for.
fn coverage(facts: &Facts) -> String {
    let Some(fact) = facts.whole(&ANALYSIS_COVERAGE) else { return String::new() };
    let count = |number: f64| Unit::Count.text(Some(number));
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

/// A note of another stage as a sentence of the page.
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

/// Where the data comes from, and how it came.
pub(crate) fn ledger(facts: &Facts, run: &Run<'_>) -> Vec<Entry> {
    let source = &facts.source;
    let ledger = &source.ledger;
    let mut entries = vec![
        match source.records {
            Records::Api(api) => Entry::word("API", api.to_string()),
            Records::Export => Entry::word("Records", "of the web app's export".to_owned()),
        },
        Entry::word("Scope", clean(&source.scope, 80)),
        Entry::word("People", people(source.people).to_owned()),
    ];
    entries.extend(match saved::is_saved(facts) {
        true => saved::entries(facts, run),
        false => {
            vec![Entry::count("Requests", ledger.requests), Entry::count("Of these, retries", ledger.retries)]
        }
    });
    // Minus the points of the trend they would give away one that is not shown.
    let rows = [
        Entry::count("Pages", ledger.pages),
        Entry::count("Rows received", ledger.received),
        Entry::count("Distinct sessions, trend included", ledger.unique),
        Entry::count("Duplicate rows", ledger.duplicates),
        Entry::count("Rows outside the question, dropped", ledger.outside),
    ];
    entries.extend(rows.into_iter().filter(|_| !facts.is_covered()));
    entries.push(Entry::word("Complete", saved::completeness(facts).to_owned()));
    entries
}

/// A period's name inside a sentence: `week 40`, `September 2026`, `the 3 days before`.
pub(crate) fn in_sentence(period: &Period) -> String {
    match period.kind() {
        crate::period::Kind::Week => period.name().to_lowercase(),
        crate::period::Kind::Month => period.name(),
        crate::period::Kind::Quarter => period.name().to_lowercase(),
        crate::period::Kind::Days if period.name() == "1 day" => "the day before".to_owned(),
        crate::period::Kind::Days => format!("the {} before", period.name()),
    }
}
