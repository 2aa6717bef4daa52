//! Facts to charts with their tables: one file a shape.

mod columns;
pub(crate) mod funnel;
pub(crate) mod impacts;
mod labels;
pub(crate) mod ranking;
pub(crate) mod teams;
mod trend;

use minijinja::Value;

use super::layout::{Draw, Figure};
use super::view::{FigureView, Row, Table, Term};
use crate::charts::{ChartError, Frame, Svg};
use crate::metrics::{Dim, Fact, Facts, Highlights, Metric, SESSIONS};
use crate::period::Period;

/// The longest table under a chart; the facts file has all rows.
const LONGEST_TABLE: usize = 40;

/// A drawn figure.
pub struct Drawn {
    /// None where the table says it all.
    svg: Option<Svg>,
    table: Table,
    /// What the table shows besides the figure's own metric.
    also: &'static [&'static Metric],
    /// What else is to be known of it; empty for nothing.
    note: &'static str,
}

impl Drawn {
    fn new(svg: Svg, table: Table) -> Self {
        Self { svg: Some(svg), table, also: &[], note: "" }
    }
}

/// What figures are drawn from.
pub struct Source<'a> {
    /// The numbers.
    pub facts: &'a Facts,
    /// Rows that are no facts.
    pub highlights: &'a Highlights,
    /// The trend's periods, newest first.
    pub periods: &'a [Period],
    /// Head of a column of changes: `Against week 40`; none where nothing is compared.
    pub against: Option<String>,
}

impl Source<'_> {
    /// The facts that a figure shows; none where all of them rest on nothing,
    /// so that a chart says "no data" instead of drawing zeros.
    pub fn of(&self, figure: &Figure) -> Vec<&Fact> {
        let facts = self.facts.by(figure.metric, figure.by);
        if facts.iter().all(|fact| fact.n == 0.0 || fact.n.is_nan()) {
            Vec::new()
        } else {
            facts.iter().collect()
        }
    }
}

/// What becomes of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is drawn.
    Full,
    /// It has nothing to show, and the page says so.
    Empty,
    /// A covered report leaves it out, and the page says so.
    Withheld,
    /// The page is better without it.
    Superfluous,
}

/// What becomes of a figure.
pub fn state(figure: &Figure, source: &Source<'_>) -> State {
    let facts = source.facts;
    let shown = facts.by(figure.metric, figure.by);
    let is_empty = || match figure.draw {
        Draw::Funnel => facts.whole(&SESSIONS).and_then(|fact| fact.value).unwrap_or(0.0) == 0.0,
        _ => source.of(figure).iter().all(|fact| fact.value.is_none()),
    };
    if !figure.metric.is_shown(figure.by, facts.capabilities) {
        State::Superfluous
    } else if facts.withholds(figure.metric, figure.by) {
        State::Withheld
    } else if facts.is_covered() && matches!(figure.by, [Dim::User] | [Dim::Day]) && shown.is_empty()
        || shown.len() < figure.at_least
    {
        State::Superfluous
    } else if is_empty() {
        State::Empty
    } else {
        State::Full
    }
}

/// Draws a figure.
///
/// # Errors
/// The chart could not be drawn: a defect.
pub fn draw(figure: &Figure, source: &Source<'_>) -> Result<FigureView, ChartError> {
    let drawn = drawn(figure, source)?;
    let own = std::iter::once(figure.metric);
    let terms = own.chain(drawn.also.iter().copied());
    let svg = drawn.svg.map(|svg| svg.as_str().to_owned()).unwrap_or_default();
    Ok(FigureView {
        id: figure.id,
        title: figure.title,
        terms: terms.map(|metric| Term { id: metric.id, title: metric.title }).collect(),
        note: note(figure, drawn.note, source.facts),
        svg: Value::from_safe_string(svg),
        table: drawn.table,
        wide: figure.draw == Draw::Teams,
    })
}

/// A figure's chart alone, and what is to be known of it; none where there is only a table.
///
/// # Errors
/// The chart could not be drawn: a defect.
pub fn picture(figure: &Figure, source: &Source<'_>) -> Result<Option<(Svg, String)>, ChartError> {
    let drawn = drawn(figure, source)?;
    Ok(drawn.svg.map(|svg| (svg, note(figure, drawn.note, source.facts))))
}

fn drawn(figure: &Figure, source: &Source<'_>) -> Result<Drawn, ChartError> {
    match figure.draw {
        Draw::Columns => columns::draw(figure, source),
        Draw::Ranking => ranking::amounts(figure, source),
        Draw::Rates => ranking::rates(figure, source),
        Draw::Trend => trend::draw(figure, source),
        Draw::Stacks => impacts::stacks(figure, source),
        Draw::Multiples => impacts::multiples(figure, source),
        Draw::Funnel => funnel::draw(figure, source),
        // How many issues a label has, and the ACUs of its sessions, are no facts.
        Draw::Labels if source.facts.is_covered() => ranking::amounts(figure, source),
        Draw::Labels => Ok(labels::draw(source.highlights, source.facts.capabilities.metered)),
        Draw::Teams => Ok(teams::draw(source)),
    }
}

fn note(figure: &Figure, more: &str, facts: &Facts) -> String {
    [own_note(figure, facts), more].join(" ").trim().to_owned()
}

/// What is to be known of a figure, whatever it is drawn as: of the columns that its
/// table has.
pub(crate) fn own_note(figure: &Figure, facts: &Facts) -> &'static str {
    match figure.draw {
        Draw::Labels if facts.is_covered() => "A session can have several labels.",
        Draw::Labels if !facts.capabilities.metered => {
            "With the distinct sessions that they touched. A session can have several labels."
        }
        _ => figure.note,
    }
}

fn frame<'a>(figure: &'a Figure, description: &'a str) -> Frame<'a> {
    Frame { id: figure.id, title: figure.title, description }
}

/// A table of as many rows as a page can carry; only these are made.
fn table(heads: &[&str], rows: impl ExactSizeIterator<Item = Row>) -> Table {
    let hidden = rows.len().saturating_sub(LONGEST_TABLE);
    let rows = rows.take(LONGEST_TABLE).collect();
    let more = match hidden {
        0 => String::new(),
        1 => "One more row is in the facts file.".to_owned(),
        hidden => format!("{hidden} more rows are in the facts file."),
    };
    Table { heads: heads.iter().map(|head| (*head).to_owned()).collect(), rows, more }
}

/// A row that can be trusted.
fn firm(cells: Vec<String>) -> Row {
    Row { cells, faint: false }
}

/// A text alternative: the first few of a list and how many there are.
fn in_words(what: &str, items: &[(String, String)]) -> String {
    if items.is_empty() {
        return format!("{what}: none.");
    }
    let first: Vec<String> = items.iter().take(5).map(|(name, text)| format!("{name} {text}")).collect();
    let rest = match items.len().saturating_sub(5) {
        0 => String::new(),
        rest => format!(", and {rest} more"),
    };
    format!("{what}: {}{rest}.", first.join(", "))
}
