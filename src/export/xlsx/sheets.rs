//! The sheets: one for each section of the page.

use super::table::{Block, CHANGES, Cell, Sheet, SheetRow, SheetTable, changes, count, text, value};
use crate::metrics::*;
use crate::report::figures::{self, FigureInputs, FigureState, table_note};
use crate::report::layout::{Figure, Headline, Section, headlines, sections};
use crate::report::view::LabelledValue;
use crate::report::{self, ReportError, change::faint, names, sessions};
use crate::unit::Unit;

/// All sheets in the order of the page.
///
/// # Errors
/// A figure could not be made: an internal error.
pub fn sheets(facts: &Facts) -> Result<Vec<Sheet>, ReportError> {
    let mut sheets = vec![overview(facts)];
    for section in sections(facts.capabilities()) {
        sheets.push(section_sheet(section, facts)?);
    }
    // A report without people has no sessions.
    let is_look = !facts.is_covered() && sessions::are_shown(facts).contains(&true);
    sheets.extend(is_look.then(|| sessions_sheet(facts)));
    sheets.extend([definitions(facts), source(facts)]);
    Ok(sheets)
}

fn heads(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn words(title: &'static str, lines: Vec<String>) -> Block {
    Block::Words { title, lines }
}

fn overview(facts: &Facts) -> Sheet {
    let sentences = report::insights::insights(facts);
    let said = sentences.iter().map(|sentence| sentence.iter().map(|piece| piece.text.as_str()).collect());
    let mut rows = Vec::new();
    for headline in headlines(facts.capabilities()) {
        let fact = report::tiles::fact_of_group(facts, headline.metric, headline.keys);
        rows.extend(fact.map(|fact| number_row(headline.title, fact)));
        let spend = fact.and_then(|fact| report::money::spend_fact(facts, fact));
        rows.extend(spend.map(|fact| number_row(fact.metric.title, fact)));
    }
    let mut blocks = vec![
        words("", vec![report::comparison(facts)]),
        Block::Table(numbers("headlines", "Headline numbers", rows)),
        words("What stands out", said.collect()),
    ];
    let trend = over_time(facts);
    blocks.extend((trend.rows.len() > 1).then_some(Block::Table(trend)));
    Sheet { name: "Overview", blocks }
}

/// Numbers of the whole period with basis and previous value.
fn numbers(name: &str, title: &'static str, rows: Vec<SheetRow>) -> SheetTable {
    let heads = [&["Number", "Value"], CHANGES.as_slice(), &["Based on", "Unit of the basis"]].concat();
    SheetTable { name: name.to_owned(), title, note: String::new(), heads: self::heads(&heads), rows }
}

fn number_row(title: &str, fact: &Fact) -> SheetRow {
    let mut cells = vec![text(title), value(fact.unit, fact.value)];
    cells.extend(changes(fact.unit, fact.value, fact.previous));
    cells.extend([count(fact.n), text(fact.metric.basis.name())]);
    SheetRow { cells, faint: faint(fact) }
}

/// The headline numbers of the trend's periods, oldest first.
fn over_time(facts: &Facts) -> SheetTable {
    let number = |headline: &Headline, label: &str| {
        let keys: Vec<_> =
            std::iter::once((Dim::Period, label)).chain(headline.keys.iter().copied()).collect();
        let fact = report::tiles::fact_of_group(facts, headline.metric, &keys);
        let unit = fact.map_or(headline.metric.unit, |fact| fact.unit);
        value(unit, fact.and_then(|fact| fact.value))
    };
    let row = |label: &String| {
        let is_running = !facts.is_over() && *label == facts.period.label;
        let name = if is_running { format!("{label} so far") } else { label.clone() };
        let cells = headlines(facts.capabilities()).map(|headline| number(headline, label));
        SheetRow { cells: std::iter::once(text(&name)).chain(cells).collect(), faint: is_running }
    };
    SheetTable {
        name: "headlines_trend".to_owned(),
        title: "Over time",
        note: String::new(),
        heads: std::iter::once("Period")
            .chain(headlines(facts.capabilities()).map(|one| one.title))
            .map(str::to_owned)
            .collect(),
        rows: facts.trend.iter().rev().map(row).collect(),
    }
}

fn section_sheet(section: &Section, facts: &Facts) -> Result<Sheet, ReportError> {
    let drawn = report::figure_inputs(facts);
    let row = |metric: &&'static Metric| facts.whole(metric).map(|fact| number_row(metric.title, fact));
    let shown = || section.numbers.iter().filter(|metric| metric.is_shown(&[], facts.capabilities()));
    let of_whole: Vec<SheetRow> = shown().filter_map(row).collect();
    let name = format!("{}_numbers", section.id);
    let mut blocks = vec![words("", vec![report::intro(section, facts)])];
    if !of_whole.is_empty() {
        blocks.push(Block::Table(numbers(&name, "", of_whole)));
    }
    let hidden = shown().filter(|metric| facts.withholds(metric, &[]));
    let (mut empty, mut withheld) = (Vec::new(), hidden.map(|metric| metric.title).collect::<Vec<_>>());
    for figure in section.figures {
        match report::figures::state(figure, &drawn) {
            FigureState::Omitted => {}
            FigureState::Withheld => withheld.push(figure.title),
            FigureState::Empty => empty.push(figure.title),
            FigureState::Drawn => blocks.push(Block::Table(figure_table(figure, &drawn)?)),
        }
    }
    if !withheld.is_empty() {
        let why = "Left out, because a number would rest on fewer than five people";
        blocks.push(words("", vec![format!("{why}: {}.", withheld.join(", "))]));
    }
    if !empty.is_empty() {
        blocks.push(words("", vec![format!("No data in this period: {}.", empty.join(", "))]));
    }
    Ok(Sheet { name: section.title, blocks })
}

fn figure_table(figure: &Figure, inputs: &FigureInputs<'_>) -> Result<SheetTable, ReportError> {
    let note = table_note(figure, inputs.facts);
    // Notes about the look of bars do not apply to tables.
    let note = if note.starts_with("Faded") { "" } else { note };
    let table = figures::parts(figure, inputs)?.table;
    Ok(SheetTable::of_figure(figure.id, figure.title, note.to_owned(), &table))
}

/// Sessions worth a look, linked if their URLs are safe.
fn sessions_sheet(facts: &Facts) -> Sheet {
    let highlights = &facts.highlights;
    let [metered, _, analysed] = sessions::are_shown(facts);
    let currency = facts.capabilities().currency.filter(|_| metered);
    let row = |session: &SessionHighlight| {
        let title = match text(session.title.as_deref().unwrap_or_default()) {
            Cell::Text(title) if !title.is_empty() => title,
            _ => sessions::untitled(session),
        };
        let title = match session.url.as_deref().and_then(sessions::safe_link) {
            Some(address) => Cell::Link { text: title, address },
            None => Cell::Text(title),
        };
        let mut cells = vec![title, text(&names::of(facts, Dim::User, session.user.as_deref()))];
        cells.extend(metered.then(|| value(Unit::Acu, session.acus)));
        cells.extend(currency.map(|currency| value(Unit::Money(currency), session.spend)));
        cells.extend([count(session.prs), text(if session.merged { "yes" } else { "no" })]);
        cells.extend(analysed.then(|| count(session.high_issues)));
        SheetRow::firm(cells)
    };
    let heads: Vec<String> = ["Session", "User"]
        .into_iter()
        .chain(metered.then_some("ACUs"))
        .chain(currency.map(|_| SPEND.title))
        .chain(["Pull requests", "Merged"])
        .chain(analysed.then_some("High-impact issues"))
        .map(str::to_owned)
        .collect();
    let lists = [
        ("costliest", &highlights.costliest),
        ("costly_without_merge", &highlights.costly_without_merge),
        ("high_impact", &highlights.high_impact),
    ];
    let shown = lists.into_iter().zip(sessions::are_shown(facts)).filter(|(_, is_shown)| *is_shown);
    let lists: Vec<_> = shown.map(|(list, _)| list).collect();
    let block = |((name, rows), list): ((&str, &Vec<SessionHighlight>), report::view::SessionList)| match rows
        .is_empty()
    {
        true => words(list.title, vec![list.empty.to_owned()]),
        false => Block::Table(SheetTable {
            name: name.to_owned(),
            title: list.title,
            note: list.note.to_owned(),
            heads: heads.clone(),
            rows: rows.iter().map(row).collect(),
        }),
    };
    Sheet {
        name: "Sessions worth a look",
        blocks: lists.into_iter().zip(sessions::lists(facts)).map(block).collect(),
    }
}

fn definitions(facts: &Facts) -> Sheet {
    let row = |metric: &'static Metric| {
        let fact = facts.whole(metric);
        let unit = fact.map_or(metric.unit, |fact| fact.unit);
        SheetRow::firm(vec![
            text(metric.title),
            value(unit, fact.and_then(|fact| fact.value)),
            text(metric.definition),
            text(metric.id),
        ])
    };
    let table = SheetTable {
        name: "definitions".to_owned(),
        title: "",
        note: String::new(),
        heads: heads(&["Metric", "Whole period", "Definition", "Name in the files"]),
        rows: report::defined(facts).map(row).collect(),
    };
    Sheet { name: "Definitions", blocks: vec![Block::Table(table)] }
}

/// Quality and source of the data.
fn source(facts: &Facts) -> Sheet {
    let row = |entry: &LabelledValue| {
        let value = match entry.number {
            Some(number) => count(number),
            None => text(&entry.value),
        };
        SheetRow::firm(vec![text(entry.name), value])
    };
    let table = |name: &str, title, entries: Vec<LabelledValue>| {
        Block::Table(SheetTable {
            name: name.to_owned(),
            title,
            note: String::new(),
            heads: heads(&["What", "Value"]),
            rows: entries.iter().map(row).collect(),
        })
    };
    let mut blocks = vec![table("quality", "Quality of the data", report::quality::entries(facts))];
    let note = report::quality::note(facts);
    blocks.extend((!note.is_empty()).then(|| words("", vec![note])));
    let period = &facts.period;
    let entry = |name, value: &str| LabelledValue::word(name, value.to_owned());
    let mut entries = vec![
        entry("Period", &period.label),
        entry("From", &period.from),
        entry("To, not included", &period.to),
        entry("Time zone", facts.tz().name()),
        entry("Made at", &facts.generated_at),
        entry("Made by", &report::tool(facts)),
    ];
    entries.extend(report::source_entries(facts));
    blocks.push(table("source", "Source", entries));
    Sheet { name: "Source and quality", blocks }
}
