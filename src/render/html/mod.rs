//! The page: one self-contained HTML document.

mod fixes;
mod view;

use base64::Engine;
use minijinja::Value as Safe;
use minijinja::value::Serde;
use sha2::{Digest, Sha256};

use super::RenderError;
use super::templates::environment;
use super::text;
use crate::charts::{self, Caption, SparkPoint};
use crate::metrics::Metric;
use crate::report::{
    Definition, Entry, Figure, Number, Report, Section, SessionList, SessionOrder, SessionRow, Tile,
};
use crate::unit::Unit;
use view::{
    DefinitionView, EntryView, FigureView, Link, ListView, NumberView, PageView, SectionView, SessionView,
    Term, TileView,
};

const STYLE: &str = include_str!("../../../templates/style.css");

/// The page of a report. The same report gives the same bytes.
///
/// # Errors
/// A chart or a template failed: an internal error, never a property of the data.
pub fn html(report: &Report) -> Result<String, RenderError> {
    Ok(environment()?.get_template("report.html")?.render(Serde(&page(report)?))?)
}

/// The context of the page's template.
fn page(report: &Report) -> Result<PageView<'_>, RenderError> {
    let style = format!("{STYLE}{}", charts::STYLE);
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let header = &report.header;
    Ok(PageView {
        title: format!("{} · {} · Devin report", header.organisation, header.period),
        style_hash: format!("sha256-{hash}"),
        style: Safe::from_safe_string(style),
        alerts: &report.alerts,
        other_alerts: &report.other_alerts,
        notices: &report.notices,
        covered: report.is_covered,
        comparison: &report.comparison,
        compared: report.is_compared,
        tiles: report.tiles.iter().map(tile).collect::<Result<_, _>>()?,
        verdict: &report.verdict,
        insights: &report.insights,
        contents: contents(report),
        words: text::words(report),
        facts_file: format!("{}.json", report.name),
        fixes: report.fixes.as_ref().map(fixes::fixes),
        sections: report.sections.iter().map(section).collect::<Result<_, _>>()?,
        lists: report.session_lists.iter().map(list).collect(),
        definitions: report.definitions.iter().map(definition).collect(),
        quality: report.quality.iter().map(entry).collect(),
        vendor: &report.vendor_note,
        notes: &report.notes,
        source_entries: report.source.iter().map(entry).collect(),
        tool: &report.tool,
        header,
    })
}

/// The headings of the page.
fn contents(report: &Report) -> Vec<Link> {
    let link = |id, title| Link { id, title };
    let mut links = Vec::new();
    links.extend((!report.insights.is_empty()).then(|| link("stands-out", "What stands out")));
    links.extend(report.fixes.as_ref().map(|_| link("fix", "What to fix")));
    links.extend(report.sections.iter().map(|section| link(section.id, section.title)));
    links.extend((!report.session_lists.is_empty()).then(|| link("sessions", "Sessions")));
    links.extend([link("definitions", "Definitions"), link("quality", "Quality and source")]);
    links
}

fn tile(tile: &Tile) -> Result<TileView, RenderError> {
    // A running period would look like a decrease.
    let points: Vec<_> = tile.trend.iter().filter(|point| !point.is_running).collect();
    // A single point is no trend.
    let (sparkline, trend) = if points.len() > 1 {
        let drawn: Vec<SparkPoint> =
            points.iter().map(|point| SparkPoint { value: point.value, hollow: point.is_maturing }).collect();
        let words: Vec<String> = points.iter().map(|point| tile.number.unit.text(point.value)).collect();
        let drawn = charts::sparkline(&drawn)?.as_str().to_owned();
        (drawn, format!("Trend, oldest first: {}", words.join(", ")))
    } else {
        (String::new(), String::new())
    };
    Ok(TileView { text: text::tile(tile), sparkline: Safe::from_safe_string(sparkline), trend })
}

fn section(section: &Section) -> Result<SectionView<'_>, RenderError> {
    Ok(SectionView {
        id: section.id,
        title: section.title,
        intro: &section.intro,
        numbers: section.numbers.iter().map(number).collect(),
        figures: section.figures.iter().map(figure).collect::<Result<_, _>>()?,
        empty: &section.empty,
        withheld: &section.withheld,
    })
}

fn number(number: &Number) -> NumberView {
    NumberView {
        id: number.metric.id,
        title: number.title,
        value: number.unit.text(number.value),
        change: match text::change(number) {
            Some(change) if number.is_maturing => format!("{}, still maturing", change.text),
            Some(change) => change.text,
            None => String::new(),
        },
        faint: number.is_faint,
    }
}

fn figure(figure: &Figure) -> Result<FigureView, RenderError> {
    let svg = match &figure.drawing {
        Some(drawing) => {
            let caption = Caption { id: figure.id, title: figure.title, description: &drawing.description };
            charts::draw(&caption, &drawing.chart)?.as_str().to_owned()
        }
        None => String::new(),
    };
    let term = |metric: &&'static Metric| Term { id: metric.id, title: metric.title };
    Ok(FigureView {
        id: figure.id,
        title: figure.title,
        terms: figure.metrics.iter().map(term).collect(),
        note: [figure.note.as_str(), &figure.chart_note].join(" ").trim().to_owned(),
        svg: Safe::from_safe_string(svg),
        table: text::table(&figure.table, figure.most_rows),
        wide: figure.is_wide,
    })
}

fn list(list: &SessionList) -> ListView<'_> {
    ListView {
        title: list.title,
        note: match list.is_shortened && !list.rows.is_empty() {
            true => format!("{} Sessions that are listed above are not repeated.", list.note),
            false => list.note.to_owned(),
        },
        empty: list.empty,
        rows: list.rows.iter().map(|row| session(row, list.order)).collect(),
    }
}

fn session(row: &SessionRow, order: SessionOrder) -> SessionView<'_> {
    let counted = |number: f64, one: &'static str, many: &'static str| {
        (Unit::Count.text(Some(number)), if number == 1.0 { one } else { many })
    };
    let joined = |(number, unit): (String, &str)| format!("{number} {unit}");
    let prs = joined(counted(row.prs, "PR", "PRs"));
    let prs = match (row.prs, row.is_merged) {
        (0.0, _) => "no PR".to_owned(),
        (1.0, true) => format!("{prs}, merged"),
        (_, true) => format!("{prs}, at least one merged"),
        (1.0, false) => format!("{prs}, not merged"),
        (_, false) => format!("{prs}, none merged"),
    };
    let acus = row.acus.as_ref().map(|acus| {
        let acus = text::value(acus);
        let unit = if acus == "1.00" { "ACU" } else { "ACUs" };
        (acus, unit)
    });
    let mut remarks: Vec<String> =
        row.spend.iter().filter(|spend| spend.is_known()).map(text::value).collect();
    remarks.push(prs);
    let high = row.high_issues.unwrap_or(0.0);
    let (size, unit) = match order {
        SessionOrder::Acus => {
            if high > 0.0 {
                remarks.push(joined(counted(high, "high-impact issue", "high-impact issues")));
            }
            acus.expect("a list by ACUs has their number")
        }
        SessionOrder::HighIssues => {
            if let Some(acus) = acus {
                remarks.insert(0, joined(acus));
            }
            counted(high, "issue", "issues")
        }
    };
    SessionView {
        title: &row.title,
        href: row.address.as_deref().unwrap_or_default(),
        size,
        unit,
        remarks,
        user: &row.user,
        prompt: &row.prompt,
    }
}

fn definition(definition: &Definition) -> DefinitionView {
    let value = definition.is_of_whole.then(|| definition.unit.text(definition.value));
    DefinitionView {
        id: definition.metric.id,
        title: definition.metric.title,
        text: definition.text,
        value: value.unwrap_or_default(),
    }
}

fn entry(entry: &Entry) -> EntryView {
    EntryView { name: entry.name, value: text::value(&entry.value) }
}
