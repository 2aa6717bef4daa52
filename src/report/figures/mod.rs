//! Turns facts into charts with tables: one file a kind of figure.

mod columns;
pub(crate) mod funnel;
pub(crate) mod impacts;
mod labels;
pub(crate) mod ranking;
pub(crate) mod teams;
mod trend;

use minijinja::Value;

use super::layout::{Figure, FigureKind};
use super::table::Table;
use super::view::{FigureView, Term};
use crate::charts::{Caption, ChartError, Svg};
use crate::metrics::{Dim, Fact, Facts, Metric, SESSIONS};
use crate::period::Period;

/// The longest table under a chart; the facts file has all rows.
const LONGEST_TABLE: usize = 40;

/// The parts of a figure.
pub struct FigureParts {
    /// `None` if the figure is a table.
    pub svg: Option<Svg>,
    /// The numbers, all of them.
    pub table: Table,
    /// The rows of the table on the page.
    pub most: usize,
    /// Metrics in the table besides the figure's own.
    pub also: &'static [&'static Metric],
    /// A note of this report; empty if there is none.
    pub note: &'static str,
}

impl FigureParts {
    fn new(svg: Svg, table: Table) -> Self {
        Self { svg: Some(svg), ..Self::table(table) }
    }

    fn table(table: Table) -> Self {
        Self { svg: None, table, most: LONGEST_TABLE, also: &[], note: "" }
    }
}

/// The inputs of figures.
pub struct FigureInputs<'a> {
    /// The numbers.
    pub facts: &'a Facts,
    /// The trend's periods, newest first.
    pub periods: Vec<Period>,
    /// The head of a column of changes, such as `Against week 40`; `None` if nothing is compared.
    pub against: Option<String>,
}

impl FigureInputs<'_> {
    /// The facts of a figure; empty if all have a basis of 0, so that the chart says "No data"
    /// instead of drawing zeros.
    pub fn of(&self, figure: &Figure) -> Vec<&Fact> {
        let facts = self.facts.by(figure.metric, figure.by);
        if facts.iter().all(|fact| fact.n == 0.0 || fact.n.is_nan()) {
            Vec::new()
        } else {
            facts.iter().collect()
        }
    }
}

/// What the page does with a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureState {
    /// It is drawn.
    Drawn,
    /// It has no data, and the page says so.
    Empty,
    /// It is hidden to protect people, and the page says so.
    Withheld,
    /// It is left out without notice.
    Omitted,
}

/// What the page does with a figure.
pub fn state(figure: &Figure, inputs: &FigureInputs<'_>) -> FigureState {
    let facts = inputs.facts;
    let shown = facts.by(figure.metric, figure.by);
    let is_empty = || match figure.kind {
        FigureKind::Funnel => {
            facts.whole(&SESSIONS).and_then(|fact| fact.value).is_none_or(|sessions| sessions == 0.0)
        }
        _ => inputs.of(figure).iter().all(|fact| fact.value.is_none()),
    };
    if !figure.metric.is_shown(figure.by, facts.capabilities()) {
        FigureState::Omitted
    } else if facts.withholds(figure.metric, figure.by) {
        FigureState::Withheld
    } else if facts.is_covered() && matches!(figure.by, [Dim::User] | [Dim::Day]) && shown.is_empty()
        || shown.len() < figure.min_groups
    {
        FigureState::Omitted
    } else if is_empty() {
        FigureState::Empty
    } else {
        FigureState::Drawn
    }
}

/// Draws a figure.
///
/// # Errors
/// The chart could not be drawn: an internal error.
pub fn draw(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureView, ChartError> {
    let parts = parts(figure, inputs)?;
    let own = std::iter::once(figure.metric);
    let terms = own.chain(parts.also.iter().copied());
    let svg = parts.svg.map(|svg| svg.as_str().to_owned()).unwrap_or_default();
    Ok(FigureView {
        id: figure.id,
        title: figure.title,
        terms: terms.map(|metric| Term { id: metric.id, title: metric.title }).collect(),
        note: note(figure, parts.note, inputs.facts),
        svg: Value::from_safe_string(svg),
        table: parts.table.view(parts.most),
        wide: figure.kind == FigureKind::Teams,
    })
}

/// A figure's chart and note; `None` if it has no chart.
///
/// # Errors
/// The chart could not be drawn: an internal error.
pub fn chart_and_note(
    figure: &Figure,
    inputs: &FigureInputs<'_>,
) -> Result<Option<(Svg, String)>, ChartError> {
    let parts = parts(figure, inputs)?;
    Ok(parts.svg.map(|svg| (svg, note(figure, parts.note, inputs.facts))))
}

/// The chart and the table of a figure.
///
/// # Errors
/// The chart could not be drawn: an internal error.
pub fn parts(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<FigureParts, ChartError> {
    match figure.kind {
        FigureKind::Columns => columns::draw(figure, inputs),
        FigureKind::Ranking => ranking::amounts(figure, inputs),
        FigureKind::Rates => ranking::rates(figure, inputs),
        FigureKind::Trend => trend::draw(figure, inputs),
        FigureKind::Stacks => impacts::stacks(figure, inputs),
        FigureKind::Multiples => impacts::multiples(figure, inputs),
        FigureKind::Funnel => funnel::draw(figure, inputs),
        // The issues and ACUs of labels are not in the facts.
        FigureKind::Labels if inputs.facts.is_covered() => ranking::amounts(figure, inputs),
        FigureKind::Labels => Ok(labels::draw(&inputs.facts.highlights.labels, inputs.facts.source.metered)),
        FigureKind::Teams => Ok(teams::draw(inputs)),
    }
}

fn note(figure: &Figure, more: &str, facts: &Facts) -> String {
    [table_note(figure, facts), more].join(" ").trim().to_owned()
}

/// The note of a figure, by the columns of its table.
pub(crate) fn table_note(figure: &Figure, facts: &Facts) -> &'static str {
    match figure.kind {
        FigureKind::Labels if facts.is_covered() => "A session can have several labels.",
        FigureKind::Labels if !facts.source.metered => {
            "With the number of distinct sessions. A session can have several labels."
        }
        _ => figure.note,
    }
}

fn caption<'a>(figure: &'a Figure, description: &'a str) -> Caption<'a> {
    Caption { id: figure.id, title: figure.title, description }
}

/// A text alternative: the first items of a list, and their number.
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
