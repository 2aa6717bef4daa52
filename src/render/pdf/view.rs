//! The data of the PDF's template: finished strings, in the order of the pages. What can be long is cut here
//! or has a limit in the template, so that the two pages hold every report.

use std::collections::BTreeMap;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::super::RenderError;
use super::super::email::isolated;
use super::super::text::{self, TileText};
use crate::charts::{self, Caption, SparkPoint};
use crate::cli::Paper;
use crate::colours;
use crate::metrics::{ACUS_SPLIT, Metric, SPEND_SPLIT};
use crate::report::{Definition, Entry, Figure, Fixes, Piece, Report, Role, Row, Table, TextRow, Tile};
use crate::text::clean;
use crate::unit::Unit;

/// The font of charts.
const FAMILY: &str = "Inter";

/// The charts of a PDF, most important first: the first ones with data are shown, in the order of the page.
const CHARTS: [&str; 12] = [
    "acus-by-day",
    "sessions-by-day",
    "funnel",
    "merge-rate-trend",
    "issues-by-impact",
    "acus-trend",
    "sessions-trend",
    "acus-per-merged-pr-trend",
    "active-users-trend",
    "pr-states",
    "issues-per-session",
    "acus-by-session",
];
/// How many of them.
const MOST_CHARTS: usize = 4;

/// The tables of a PDF, as [`CHARTS`].
const TABLES: [&str; 12] = [
    "acus-by-team",
    "sessions-by-team",
    "acus-by-user",
    "sessions-by-user",
    "acus-by-tag",
    "sessions-by-tag",
    "merge-rate-by-repo",
    "labels",
    "acus-by-org",
    "sessions-by-org",
    "merge-rate-by-tag",
    "merge-rate-by-category",
];
/// How many of them.
const MOST_TABLES: usize = 4;
/// The most rows of a table; the template shows as many as fit.
const MOST_ROWS: usize = 20;

/// The most alerts and notices that are offered to the template.
const MOST_NOTES: usize = 8;
/// The longest of them, and of other sentences of unknown length.
const LONGEST_NOTE: usize = 280;
/// The most rows of what to fix that are offered to the template.
const MOST_FIXES: usize = 14;
/// The longest text of such a row: three lines.
const LONGEST_FIX: usize = 220;
/// The longest name in a table, which the template cuts to the width of its column.
const LONGEST_NAME: usize = 200;
/// The longest name in a line.
const LONGEST_IN_LINE: usize = 48;
/// A longer word may be broken anywhere.
const LONGEST_WORD: usize = 50;

/// The data of the template.
#[derive(Serialize)]
pub struct PdfView<'a> {
    paper: &'static str,
    colours: BTreeMap<&'static str, &'static str>,
    title: String,
    organisation: String,
    when: String,
    fetched: String,
    badge: &'a str,
    badge_tone: &'static str,
    invented: bool,
    filters: Vec<String>,
    alerts: Vec<String>,
    alerts_in_all: usize,
    more_alerts: &'a str,
    notices: Vec<String>,
    notices_in_all: usize,
    verdict: &'a str,
    comparison: String,
    compared: bool,
    tiles: Vec<TileView>,
    words: Vec<&'static str>,
    insights: Vec<String>,
    charts: Vec<ChartView>,
    fixes: Option<FixesView>,
    tables: Vec<TableView>,
    definitions: Vec<DefinitionView>,
    quality: Vec<EntryView>,
    source: Vec<EntryView>,
    completeness: &'static str,
    covered: bool,
    page: String,
    facts: String,
    tool: &'a str,
}

#[derive(Serialize)]
struct TileView {
    #[serde(flatten)]
    text: TileText,
    sparkline: String,
    trend: String,
}

#[derive(Serialize)]
struct ChartView {
    title: &'static str,
    note: String,
    svg: String,
    alt: String,
}

#[derive(Serialize)]
struct TableView {
    title: &'static str,
    note: &'static str,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    faint: Vec<bool>,
    in_all: usize,
}

#[derive(Serialize)]
struct FixesView {
    intro: String,
    rows: Vec<FixView>,
    in_all: usize,
}

#[derive(Serialize)]
struct FixView {
    size: String,
    unit: &'static str,
    text: String,
    kind: String,
    repo: String,
    example: String,
    address: String,
}

#[derive(Serialize)]
struct DefinitionView {
    title: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct EntryView {
    name: &'static str,
    value: String,
}

/// The view of a report on paper of this size.
///
/// # Errors
/// A chart could not be drawn: an internal error.
pub fn view(report: &Report, paper: Paper) -> Result<PdfView<'_>, RenderError> {
    let header = &report.header;
    let priced = if report.is_priced { " Money uses the prices in the settings of this report." } else { "" };
    let notes = |notes: &[String]| notes.iter().take(MOST_NOTES).map(|note| sentence(note)).collect();
    Ok(PdfView {
        paper: match paper {
            Paper::A4 => "a4",
            Paper::Letter => "us-letter",
        },
        colours: colours::light(),
        title: format!("{} · {}, {} · Devin report", header.organisation, header.period, header.dates),
        organisation: header.organisation.clone(),
        when: format!("{}, {}, {}", header.period, header.dates, header.zone),
        fetched: format!("{} {}", header.taken_label, header.fetched),
        badge: &header.badge,
        badge_tone: header.badge_tone,
        invented: report.is_invented,
        filters: header.filters.iter().take(MOST_NOTES).map(|filter| sentence(filter)).collect(),
        alerts: report.alerts.iter().take(MOST_NOTES).map(|alert| pieces(&alert.text)).collect(),
        alerts_in_all: report.alerts.len(),
        more_alerts: &report.other_alerts,
        notices: notes(&report.notices),
        notices_in_all: report.notices.len(),
        verdict: &report.verdict,
        comparison: format!("{}{priced}", report.comparison),
        compared: report.is_compared,
        tiles: report.tiles.iter().map(tile).collect::<Result<_, _>>()?,
        words: text::words(report),
        insights: report.insights.iter().map(|sentence| pieces(sentence)).collect(),
        charts: charts(report)?,
        fixes: report.fixes.as_ref().map(fixes),
        tables: chosen(report, &TABLES, MOST_TABLES, is_table).into_iter().map(table).collect(),
        definitions: definitions(report),
        quality: report.quality.iter().map(entry).collect(),
        source: report.source.iter().map(entry).collect(),
        completeness: report.completeness,
        covered: report.is_covered,
        page: breakable(&format!("{}.html", report.name)),
        facts: breakable(&format!("{}.json", report.name)),
        tool: &report.tool,
    })
}

/// A sentence of unknown length, cut, in which every line can be broken.
fn sentence(text: &str) -> String {
    foreign(&clean(text, LONGEST_NOTE))
}

/// A text in which long words can be broken, so that none is wider than its line. The invisible character for that
/// is in what a reader copies, so addresses of usual length have none.
fn breakable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut length = 0;
    for cluster in text.graphemes(true) {
        length = if cluster.chars().all(char::is_whitespace) { 0 } else { length + 1 };
        if length > LONGEST_WORD {
            out.push(ZERO_WIDTH_SPACE);
            length = 1;
        }
        out.push_str(cluster);
    }
    out
}

/// Other people's text, which keeps its writing direction to itself.
fn foreign(text: &str) -> String {
    isolated(&breakable(text))
}

/// Where a line may be broken.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

fn pieces(sentence: &[Piece]) -> String {
    let piece = |piece: &Piece| if piece.name { foreign(&piece.text) } else { breakable(&piece.text) };
    sentence.iter().map(piece).collect()
}

fn tile(tile: &Tile) -> Result<TileView, RenderError> {
    // A running period would look like a decrease.
    let points: Vec<_> = tile.trend.iter().filter(|point| !point.is_running).collect();
    let (mut sparkline, mut trend) = (String::new(), String::new());
    // A single point is no trend.
    if points.len() > 1 {
        let drawn: Vec<SparkPoint> =
            points.iter().map(|point| SparkPoint { value: point.value, hollow: point.is_maturing }).collect();
        sparkline = charts::standalone(&charts::sparkline(&drawn)?, FAMILY, 0);
        let words: Vec<String> = points.iter().map(|point| tile.number.unit.text(point.value)).collect();
        trend = format!("Trend of {}, oldest first: {}", tile.number.title, words.join(", "));
    }
    Ok(TileView { text: text::tile(tile), sparkline, trend })
}

/// The first figures of a list that are fit, in the order of the page.
fn chosen<'a>(report: &'a Report, ids: &[&str], most: usize, is_fit: fn(&Figure) -> bool) -> Vec<&'a Figure> {
    let figures = || report.sections.iter().flat_map(|section| &section.figures);
    let found = ids.iter().filter_map(|id| figures().find(|figure| figure.id == *id && is_fit(figure)));
    let found: Vec<&str> = found.map(|figure| figure.id).take(most).collect();
    figures().filter(|figure| found.contains(&figure.id)).collect()
}

fn charts(report: &Report) -> Result<Vec<ChartView>, RenderError> {
    chosen(report, &CHARTS, MOST_CHARTS, |figure| figure.drawing.is_some()).into_iter().map(chart).collect()
}

fn chart(figure: &Figure) -> Result<ChartView, RenderError> {
    let drawing = figure.drawing.as_ref().expect("the figure was chosen for its chart");
    let caption = Caption { id: figure.id, title: figure.title, description: &drawing.description };
    let svg = charts::draw(&caption, &drawing.chart)?;
    Ok(ChartView {
        title: figure.title,
        note: sentence([figure.note.as_str(), &figure.chart_note].join(" ").trim()),
        alt: svg.description().to_owned(),
        svg: charts::standalone(&svg, FAMILY, 0),
    })
}

/// Whether a figure is a table with names.
fn is_table(figure: &Figure) -> bool {
    figure.is_named && !figure.table.rows.is_empty()
}

/// The columns of a table that is half a page wide: name, number, spend or else basis, and change. A table without
/// spend, basis and change has all its columns.
fn columns(table: &Table) -> Vec<usize> {
    let has = |is_it: fn(Role) -> bool| table.columns.iter().any(|column| is_it(column.role));
    let has_spend = has(|role| role == Role::Spend);
    let has_others = !has(|role| matches!(role, Role::Basis | Role::Spend | Role::Change { .. }));
    let is_shown = |role| match role {
        Role::Name | Role::Value | Role::Spend | Role::Change { .. } => true,
        Role::Basis => !has_spend,
        Role::Other => has_others,
    };
    let shown = table.columns.iter().enumerate().filter(|(_, column)| is_shown(column.role));
    shown.map(|(at, _)| at).take(MOST_COLUMNS).collect()
}

/// The most columns of a table.
const MOST_COLUMNS: usize = 5;

fn table(figure: &Figure) -> TableView {
    let table = &figure.table;
    let columns = columns(table);
    let head = |at: &usize| {
        let column = table.columns.get(*at)?;
        Some(match column.role {
            Role::Change { .. } => "Change".to_owned(),
            _ => clean(&column.head, LONGEST_NAME),
        })
    };
    let row = |row: &Row| {
        let cell = |at: &usize| Some(clean(&text::value(row.cells.get(*at)?), LONGEST_NAME));
        columns.iter().filter_map(cell).collect()
    };
    TableView {
        title: figure.title,
        note: if figure.overlaps { "Groups overlap and do not add up." } else { "" },
        heads: columns.iter().filter_map(head).collect(),
        rows: table.rows.iter().take(MOST_ROWS).map(row).collect(),
        faint: table.rows.iter().take(MOST_ROWS).map(|row| row.faint).collect(),
        in_all: table.rows.len(),
    }
}

/// The list of what to fix that is shown.
const IMPROVEMENTS: &str = "improvements";

fn fixes(fixes: &Fixes) -> FixesView {
    let list = fixes.lists.iter().find(|list| list.id == IMPROVEMENTS);
    FixesView {
        intro: sentence(&fixes.intro),
        rows: list.iter().flat_map(|list| &list.rows).take(MOST_FIXES).map(fix).collect(),
        in_all: list.map_or(0, |list| list.rows.len()),
    }
}

fn fix(row: &TextRow) -> FixView {
    let in_line = |text: &str| isolated(&clean(text, LONGEST_IN_LINE));
    let example = row.examples.first();
    FixView {
        size: Unit::Count.text(Some(row.sessions)),
        unit: if row.sessions == 1.0 { "session" } else { "sessions" },
        text: foreign(&clean(&row.text, LONGEST_FIX)),
        kind: in_line(&row.kind),
        repo: row.repos.first().map(|repo| in_line(repo)).unwrap_or_default(),
        example: example.map(|example| in_line(&example.title)).unwrap_or_default(),
        address: example.and_then(|example| example.address.clone()).unwrap_or_default(),
    }
}

/// What the shown numbers mean: of the tiles, the charts and the tables, each once.
fn definitions(report: &Report) -> Vec<DefinitionView> {
    let tiles = report
        .tiles
        .iter()
        .flat_map(|tile| std::iter::once(&tile.number).chain(&tile.spend).map(|number| number.metric));
    let figures = chosen(report, &CHARTS, MOST_CHARTS, |figure| figure.drawing.is_some());
    let figures = figures.into_iter().chain(chosen(report, &TABLES, MOST_TABLES, is_table));
    // The tables omit the columns of ACUs and spend that are split among tags.
    let is_in_column = |metric: &&Metric| ![ACUS_SPLIT.id, SPEND_SPLIT.id].contains(&metric.id);
    let figures = figures.flat_map(|figure| figure.metrics.iter().copied()).filter(is_in_column);
    let shown: Vec<&Metric> = tiles.chain(figures).collect();
    let is_shown = |definition: &&Definition| shown.iter().any(|metric| metric.id == definition.metric.id);
    let view =
        |definition: &Definition| DefinitionView { title: definition.metric.title, text: definition.text };
    report.definitions.iter().filter(is_shown).map(view).collect()
}

fn entry(entry: &Entry) -> EntryView {
    EntryView { name: entry.name, value: sentence(&text::value(&entry.value)) }
}
