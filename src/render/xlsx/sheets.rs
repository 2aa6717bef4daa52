//! The sheets: one for each section of the report.

use super::table::{
    Block, CHANGES, Cell, NumberFormat, Sheet, SheetRow, SheetTable, cell, changes, count, text, value,
};
use crate::metrics::{Dim, FinanceRow, Judgement};
use crate::report::{
    Definition, Entry, Example, Figure, Finance, Fixes, Number, Report, Section, Sentence, SessionList,
    SessionRow, TextList, TextRow, Tile,
};
use crate::unit::Unit;

/// All sheets in the order of the page.
pub fn sheets(report: &Report) -> Vec<Sheet> {
    let mut sheets = vec![overview(report)];
    let fixes = report.fixes.iter().filter(|fixes| !fixes.lists.is_empty());
    sheets.extend(fixes.map(fixes_sheet));
    sheets.extend(report.sections.iter().map(|section| section_sheet(section, per_day(report))));
    sheets.extend(report.finance.iter().map(finance));
    sheets.extend((!report.session_lists.is_empty()).then(|| sessions_sheet(&report.session_lists)));
    sheets.extend([definitions(report), source(report)]);
    sheets
}

fn heads(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn words(title: &'static str, lines: Vec<String>) -> Block {
    Block::Words { title, lines }
}

fn overview(report: &Report) -> Sheet {
    let line = |sentence: &Sentence| sentence.iter().map(|piece| piece.text.as_str()).collect::<String>();
    let said = report.insights.iter().map(line);
    let alerts = report.alerts.iter().map(|alert| line(&alert.text));
    let others = Some(report.other_alerts.clone()).filter(|others| !others.is_empty());
    let alerts: Vec<String> = alerts.chain(others).collect();
    let shown = report.tiles.iter().filter(|tile| !tile.is_hidden);
    let rows = shown.flat_map(|tile| std::iter::once(&tile.number).chain(&tile.spend)).map(number_row);
    let verdict = Some(report.verdict.clone()).filter(|verdict| !verdict.is_empty());
    let mut blocks = Vec::new();
    blocks.extend((!alerts.is_empty()).then(|| words("Alerts", alerts)));
    blocks.extend([
        words("", verdict.into_iter().chain([report.comparison.clone()]).chain(per_day(report)).collect()),
        Block::Table(numbers("headlines", "Headline numbers", rows.collect())),
        words("What stands out", said.collect()),
    ]);
    let trend = over_time(&report.tiles);
    blocks.extend((trend.rows.len() > 1).then_some(Block::Table(trend)));
    Sheet { name: "Overview", blocks }
}

/// How changes in percent are computed where the lengths of the periods differ.
fn per_day(report: &Report) -> Option<String> {
    Some(report.per_day.clone()).filter(|text| !text.is_empty())
}

/// Numbers of the whole period with basis and previous value.
fn numbers(name: &str, title: &'static str, rows: Vec<SheetRow>) -> SheetTable {
    let heads =
        [&["Number", "Value"], CHANGES.as_slice(), &["Reading", "Based on", "Unit of the basis"]].concat();
    SheetTable { name: name.to_owned(), title, note: String::new(), heads: self::heads(&heads), rows }
}

fn number_row(number: &Number) -> SheetRow {
    let mut cells = vec![text(number.title), value(number.unit, number.value)];
    cells.extend(changes(number.unit, number.value, number.previous, number.scale));
    cells.extend([text(reading(number)), count(number.n), text(number.metric.basis.name())]);
    SheetRow { cells, faint: number.is_faint }
}

/// What a change says.
fn reading(number: &Number) -> &'static str {
    match number.judgement {
        _ if number.compared().is_none() => "not compared",
        _ if number.is_maturing => "still maturing",
        Judgement::Better => "better",
        Judgement::Worse => "worse",
        Judgement::Neutral if number.is_notable => "more than chance",
        Judgement::Neutral => "no more than chance",
    }
}

/// The headline numbers of the trend's periods, oldest first.
fn over_time(tiles: &[Tile]) -> SheetTable {
    let periods = tiles.first().map(|tile| tile.trend.as_slice()).unwrap_or_default();
    let row = |(at, point): (usize, &crate::report::TrendPoint)| {
        let name = if point.is_running { format!("{} so far", point.period) } else { point.period.clone() };
        let own = |tile: &Tile| {
            value(tile.number.unit, tile.trend.get(at).expect("all tiles have the same periods").value)
        };
        let cells = std::iter::once(text(&name)).chain(tiles.iter().map(own)).collect();
        SheetRow { cells, faint: point.is_running }
    };
    let titles = tiles.iter().map(|tile| tile.number.title);
    SheetTable {
        name: "headlines_trend".to_owned(),
        title: "Over time",
        note: String::new(),
        heads: std::iter::once("Period").chain(titles).map(str::to_owned).collect(),
        rows: periods.iter().enumerate().map(row).collect(),
    }
}

fn section_sheet(section: &Section, per_day: Option<String>) -> Sheet {
    let mut blocks = vec![words("", std::iter::once(section.intro.clone()).chain(per_day).collect())];
    if !section.numbers.is_empty() {
        let name = format!("{}_numbers", section.id);
        let rows = section.numbers.iter().map(number_row).collect();
        blocks.push(Block::Table(numbers(&name, "", rows)));
    }
    let table = |figure: &Figure| SheetTable::of_figure(figure.id, figure.title, &figure.note, &figure.table);
    blocks.extend(section.figures.iter().map(|figure| Block::Table(table(figure))));
    if !section.withheld.is_empty() {
        let why = "Left out, because a number would rest on fewer than five people";
        blocks.push(words("", vec![format!("{why}: {}.", section.withheld.join(", "))]));
    }
    if !section.empty.is_empty() {
        blocks.push(words("", vec![format!("No data in this period: {}.", section.empty.join(", "))]));
    }
    Sheet { name: section.title, blocks }
}

/// What to fix, with its examples linked.
fn fixes_sheet(fixes: &Fixes) -> Sheet {
    let intro = words("", vec![fixes.intro.clone()]);
    let lists = fixes.lists.iter().map(|list| Block::Table(fixes_table(list)));
    Sheet { name: "What to fix", blocks: std::iter::once(intro).chain(lists).collect() }
}

fn fixes_table(list: &TextList) -> SheetTable {
    let first = list.rows.first().expect("a list without rows is left out");
    // The rows of a list all have the same numbers.
    let heads = std::iter::once("Text")
        .chain(Some(list.kind_head).filter(|head| !head.is_empty()))
        .chain(["Sessions"])
        .chain(first.acus.as_ref().map(|_| "ACUs"))
        .chain(first.high_issues.map(|_| "High-impact issues"))
        .chain(first.impacts.iter().flat_map(|_| ["High", "Medium", "Low", "Other"]))
        .chain(["Repositories", "Example 1", "Example 2", "Example 3"]);
    let row = |row: &TextRow| {
        let mut cells = vec![text(&row.text)];
        cells.extend((!list.kind_head.is_empty()).then(|| text(&row.kind)));
        cells.push(count(row.sessions));
        cells.extend(row.acus.as_ref().map(cell));
        cells.extend(row.high_issues.map(count));
        cells.extend(row.impacts.into_iter().flatten().map(count));
        cells.push(text(&row.repos.join(", ")));
        cells.extend((0..3).map(|at| match row.examples.get(at) {
            Some(Example { title, address: Some(address) }) => {
                Cell::Link { text: title.clone(), address: address.clone() }
            }
            Some(Example { title, address: None }) => text(title),
            None => text(""),
        }));
        SheetRow::firm(cells)
    };
    SheetTable {
        name: list.id.to_owned(),
        title: list.title,
        note: String::new(),
        heads: heads.map(str::to_owned).collect(),
        rows: list.rows.iter().map(row).collect(),
    }
}

/// What teams and cost centres spent at each price, with real days and rounded amounts.
fn finance(finance: &Finance) -> Sheet {
    let money = |amount: Option<f64>| value(Unit::Money(finance.currency), amount);
    let name = |key: &Option<String>, none: &str| text(key.as_deref().unwrap_or(none));
    let row = |row: &FinanceRow| {
        SheetRow::firm(vec![
            name(&row.team, Dim::Team.none()),
            name(&row.cost_centre, "no cost centre"),
            Cell::Day(row.from),
            Cell::Day(row.to),
            value(Unit::Acu, Some(row.acus)),
            Cell::Number { value: row.per_acu, format: NumberFormat::Price(finance.currency) },
            money(row.amount),
            money(row.previous_amount),
        ])
    };
    let table = SheetTable {
        name: "finance".to_owned(),
        title: "",
        note: String::new(),
        heads: heads(&["Team", "Cost centre", "From", "To", "ACUs", "Price", "Amount", "Previous period"]),
        rows: finance.rows.iter().map(row).collect(),
    };
    let none = || text("");
    let totals = vec![
        text("Total"),
        none(),
        none(),
        none(),
        value(Unit::Acu, Some(finance.acus)),
        none(),
        money(finance.amount),
        money(finance.previous_amount),
    ];
    let blocks = vec![words("", vec![finance.note.clone()]), Block::Table(table), Block::Totals(totals)];
    Sheet { name: "Finance", blocks }
}

/// Sessions worth a look, linked if their addresses are safe.
fn sessions_sheet(lists: &[SessionList]) -> Sheet {
    Sheet { name: "Sessions worth a look", blocks: lists.iter().map(session_block).collect() }
}

fn session_block(list: &SessionList) -> Block {
    let Some(first) = list.rows.first() else { return words(list.title, vec![list.empty.to_owned()]) };
    let row = |session: &SessionRow| {
        let title = match session.address.clone() {
            Some(address) => Cell::Link { text: session.title.clone(), address },
            None => text(&session.title),
        };
        let mut cells = vec![title, text(&session.user)];
        cells.extend(session.acus.iter().chain(&session.spend).map(cell));
        cells.extend([count(session.prs), text(if session.is_merged { "yes" } else { "no" })]);
        cells.extend(session.high_issues.map(count));
        SheetRow::firm(cells)
    };
    // The sessions of a report all have the same numbers.
    let heads = ["Session", "User"]
        .into_iter()
        .chain(first.acus.as_ref().map(|_| "ACUs"))
        .chain(first.spend.as_ref().map(|_| "Spend"))
        .chain(["Pull requests", "Merged"])
        .chain(first.high_issues.map(|_| "High-impact issues"));
    Block::Table(SheetTable {
        name: list.id.to_owned(),
        title: list.title,
        note: list.note.to_owned(),
        heads: heads.map(str::to_owned).collect(),
        rows: list.rows.iter().map(row).collect(),
    })
}

fn definitions(report: &Report) -> Sheet {
    let row = |definition: &Definition| {
        SheetRow::firm(vec![
            text(definition.metric.title),
            value(definition.unit, definition.value),
            text(definition.text),
            text(definition.metric.id),
        ])
    };
    let table = SheetTable {
        name: "definitions".to_owned(),
        title: "",
        note: String::new(),
        heads: heads(&["Metric", "Whole period", "Definition", "Name in the files"]),
        rows: report.definitions.iter().map(row).collect(),
    };
    Sheet { name: "Definitions", blocks: vec![Block::Table(table)] }
}

/// Quality and source of the data.
fn source(report: &Report) -> Sheet {
    let row = |entry: &Entry| SheetRow::firm(vec![text(entry.name), cell(&entry.value)]);
    let table = |name: &str, title, rows: Vec<SheetRow>| {
        let heads = heads(&["What", "Value"]);
        Block::Table(SheetTable { name: name.to_owned(), title, note: String::new(), heads, rows })
    };
    let mut blocks = vec![table("quality", "Quality of the data", report.quality.iter().map(row).collect())];
    blocks.extend((!report.vendor_note.is_empty()).then(|| words("", vec![report.vendor_note.clone()])));
    let source = report.identity.iter().chain(&report.source);
    blocks.push(table("source", "Source", source.map(row).collect()));
    Sheet { name: "Source and quality", blocks }
}
