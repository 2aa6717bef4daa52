//! Turns facts into charts with tables: one file a kind of figure.

mod columns;
mod cycle_limits;
pub(crate) mod funnel;
pub(crate) mod impacts;
mod labels;
mod pay_off;
pub(crate) mod ranking;
pub(crate) mod teams;
mod trend;

use serde::Serialize;

use super::layout::{FigureKind, FigureSpec, MailPlace};
use super::limits;
use super::number::FEW;
use super::table::{Role, Table};
use crate::charts::Chart;
use crate::metrics::{Dim, Fact, Facts, Metric, SESSIONS};
use crate::period::Period;

/// The longest table under a chart; the facts file has all rows.
const LONGEST_TABLE: usize = 40;

/// A figure: its numbers, and how they are drawn.
#[derive(Serialize)]
pub struct Figure {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The metrics that it shows.
    pub metrics: Vec<&'static Metric>,
    /// What the numbers are; empty for nothing to add.
    pub note: String,
    /// How the chart is to be read; empty for nothing to add.
    pub chart_note: String,
    /// `None` if the figure is a table.
    pub drawing: Option<Drawing>,
    /// The numbers, all of them.
    pub table: Table,
    /// The rows of the table on the page.
    pub most_rows: usize,
    /// Whether it needs the full width of the page.
    pub is_wide: bool,
    /// Whether one of its groups has a name.
    pub is_named: bool,
    /// Whether its groups overlap, so that they do not add up.
    pub overlaps: bool,
    /// What a mail shows of it.
    pub mail: MailPlace,
}

/// A chart with its text alternative.
#[derive(Serialize)]
pub struct Drawing {
    /// What a reader would take from the chart.
    pub description: String,
    /// The chart.
    #[serde(skip)]
    pub chart: Chart,
}

/// What differs from kind to kind.
pub(super) struct FigureParts {
    /// `None` if the figure is a table.
    drawing: Option<Drawing>,
    table: Table,
    most: usize,
    /// Metrics in the table besides the figure's own.
    also: &'static [&'static Metric],
    /// A note of this report; empty if there is none.
    note: String,
}

impl FigureParts {
    fn drawn(description: String, chart: Chart, table: Table) -> Self {
        Self { drawing: Some(Drawing { description, chart }), ..Self::table(table) }
    }

    fn table(table: Table) -> Self {
        Self { drawing: None, table, most: LONGEST_TABLE, also: &[], note: String::new() }
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
    /// What totals of the compared period are multiplied by: its length may differ.
    pub scale: f64,
}

impl FigureInputs<'_> {
    /// The facts of a figure; empty if all have a basis of 0, so that the chart says "No data"
    /// instead of drawing zeros.
    pub fn of(&self, figure: &FigureSpec) -> Vec<&Fact> {
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
pub fn state(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureState {
    let facts = inputs.facts;
    let shown = facts.by(figure.metric, figure.by);
    let is_empty = || match figure.kind {
        FigureKind::Funnel => {
            facts.whole(&SESSIONS).and_then(|fact| fact.value).is_none_or(|sessions| sessions == 0.0)
        }
        _ => inputs.of(figure).iter().all(|fact| fact.value.is_none()),
    };
    if figure.kind == FigureKind::Teams && facts.source.team.is_some() {
        return if facts.whole.is_empty() { FigureState::Omitted } else { FigureState::Drawn };
    }
    if figure.kind == FigureKind::CycleLimits {
        return if facts.cycle_limits.is_empty() { FigureState::Omitted } else { FigureState::Drawn };
    }
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

/// A figure with data.
pub fn figure(spec: &'static FigureSpec, inputs: &FigureInputs<'_>) -> Figure {
    let parts = parts(spec, inputs);
    let faded = match spec.faded {
        "" => String::new(),
        cases => format!("Faded: fewer than {FEW} {cases}."),
    };
    let facts = inputs.facts.by(spec.metric, spec.by).iter();
    let is_maturing = facts.filter(|fact| fact.key(Dim::Period).is_none()).any(|fact| fact.maturing);
    let has_change = parts.table.columns.iter().any(|column| matches!(column.role, Role::Change { .. }));
    let maturing = if is_maturing && has_change { MATURING } else { "" };
    Figure {
        id: spec.id,
        title: title(spec, inputs.facts),
        metrics: std::iter::once(spec.metric).chain(parts.also.iter().copied()).collect(),
        note: note(spec, inputs.facts),
        chart_note: joined(&[&faded, &parts.note, maturing]),
        drawing: parts.drawing,
        table: parts.table,
        most_rows: parts.most,
        is_wide: matches!(spec.kind, FigureKind::Teams | FigureKind::PayOff),
        is_named: is_named(spec, inputs.facts),
        overlaps: spec.by.contains(&Dim::Tag) || spec.by.contains(&Dim::Label),
        mail: spec.mail,
    }
}

/// What to know of the changes of outcomes that are still open.
const MATURING: &str = "Changes cannot be compared yet: more pull requests are undecided.";

/// Sentences that are there.
fn joined(sentences: &[&str]) -> String {
    let some: Vec<&str> = sentences.iter().copied().filter(|sentence| !sentence.is_empty()).collect();
    some.join(" ")
}

/// Whether one of the groups of a figure is not that of null.
fn is_named(spec: &FigureSpec, facts: &Facts) -> bool {
    facts.by(spec.metric, spec.by).iter().any(|fact| fact.group.iter().any(|(_, key)| key.is_some()))
}

fn parts(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
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
        FigureKind::Labels => labels::draw(&inputs.facts.highlights.labels, inputs.facts.source.metered),
        FigureKind::Teams => teams::draw(inputs),
        FigureKind::PayOff => pay_off::draw(inputs),
        FigureKind::CycleLimits => cycle_limits::draw(inputs),
    }
}

/// The title of a figure, by what the report is about.
fn title(figure: &FigureSpec, facts: &Facts) -> &'static str {
    match figure.kind {
        FigureKind::Teams if facts.source.team.is_some() => "The team and all sessions",
        _ => figure.title,
    }
}

/// The note of a figure, by the columns of its table.
fn note(figure: &FigureSpec, facts: &Facts) -> String {
    let note = match figure.kind {
        FigureKind::CycleLimits => return limits::note(facts),
        FigureKind::Labels if facts.is_covered() => "A session can have several labels.",
        FigureKind::Labels if !facts.source.metered => {
            "With the number of distinct sessions. A session can have several labels."
        }
        _ => figure.note,
    };
    note.to_owned()
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
