//! Vertical columns over days or bins.

use chrono::NaiveDate;

use super::{FigureInputs, FigureParts};
use crate::charts::{Chart, Column, Tone};
use crate::metrics::{BINS, Dim, Fact, Metric, SPEND};
use crate::report::layout::FigureSpec;
use crate::report::table::{Role, Row, Table, Value, column as column_of};
use crate::report::{money, names};
use crate::unit::Unit;

/// Up to this many columns are listed in the text alternative.
const MOST_WORDS: usize = 8;

/// A note of reports without people.
const HIDDEN_COLUMNS: &str = "Columns with fewer than five people have no value.";

pub fn draw(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
    let facts = inputs.of(figure);
    let unit = inputs.facts.unit(figure.metric);
    let columns: Vec<Column> = match figure.by {
        [Dim::Bin] => bins(&facts, inputs.facts.is_covered()),
        _ => days(&facts),
    };
    let words: Vec<_> = columns.iter().map(|column| (column.label.clone(), column.text.clone())).collect();
    let description = description(figure.title, &columns, &words);
    let table = match figure.by {
        [Dim::Bin] => bin_table(&columns),
        _ => day_table(figure, &facts, inputs),
    };
    let is_priced = money::spend_head(inputs.facts, figure.metric).is_some();
    let also: &[&Metric] = if is_priced { &[&SPEND] } else { &[] };
    let is_hidden = inputs.facts.is_covered() && columns.iter().any(|column| column.value.is_none());
    let note = if is_hidden { HIDDEN_COLUMNS } else { "" }.to_owned();
    let chart = Chart::Columns { columns, unit };
    FigureParts { also, note, ..FigureParts::drawn(description, chart, table) }
}

fn bin_table(columns: &[Column]) -> Table {
    let row = |column: &Column| {
        Row::firm(vec![Value::Text(column.label.clone()), Value::number(Unit::Count, column.value)])
    };
    let heads = [column_of(Dim::Bin.head(), Role::Name), column_of("Sessions", Role::Value)];
    Table::new(heads, columns.iter().map(row))
}

fn day_table(figure: &FigureSpec, facts: &[&Fact], inputs: &FigureInputs<'_>) -> Table {
    let spend = money::spend_head(inputs.facts, figure.metric);
    let basis = figure.basis_head();
    let row = |fact: &&Fact| {
        let day = fact.key(Dim::Day).flatten();
        let name = match day.and_then(|day| day.parse().ok()) {
            Some(date) => Value::Day(date),
            None => Value::Text(names::name(Dim::Day, day)),
        };
        let money = spend.map(|_| money::spend_value(inputs.facts, fact));
        let basis = basis.map(|_| Value::number(Unit::Count, Some(fact.n)));
        Row::firm([name, Value::of(fact)].into_iter().chain(money).chain(basis).collect())
    };
    let heads = [column_of(Dim::Day.head(), Role::Name), column_of(figure.metric.title, Role::Value)];
    let heads = heads.into_iter().chain(spend.map(|head| column_of(head, Role::Spend)));
    Table::new(heads.chain(basis.map(|head| column_of(head, Role::Basis))), facts.iter().map(row))
}

/// All columns if there are few, else the highest and the lowest.
fn description(title: &str, columns: &[Column], words: &[(String, String)]) -> String {
    if columns.is_empty() {
        return format!("{title}: none.");
    }
    if columns.len() <= MOST_WORDS {
        // Without the colon a day's number and its value would look like one number.
        let each: Vec<String> = words.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        return format!("{title}. {}.", each.join(", "));
    }
    let value = |column: &&Column| column.value.unwrap_or(0.0);
    let highest = columns.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    let lowest = columns.iter().min_by(|a, b| value(a).total_cmp(&value(b)));
    let in_words = |word, column: Option<&Column>| {
        let column = column.expect("there are more than a few columns");
        format!("{word} {} {}", column.label, column.text)
    };
    format!(
        "{title}, {} in all: {}, {}.",
        columns.len(),
        in_words("highest", highest),
        in_words("lowest", lowest)
    )
}

fn days(facts: &[&Fact]) -> Vec<Column> {
    let long = facts.len() > 8;
    let label = |day: Option<&str>| match day.and_then(|day| day.parse::<NaiveDate>().ok()) {
        Some(date) if long => date.format("%-d %b").to_string(),
        Some(date) => date.format("%a %-d").to_string(),
        None => names::name(Dim::Day, day),
    };
    facts.iter().map(|fact| column(label(fact.key(Dim::Day).flatten()), fact)).collect()
}

/// All bins, including empty ones.
fn bins(facts: &[&Fact], is_covered: bool) -> Vec<Column> {
    let bin = |edge: u32| {
        let key = edge.to_string();
        let label = names::name(Dim::Bin, Some(&key));
        match facts.iter().find(|fact| fact.key(Dim::Bin).flatten() == Some(&key)) {
            Some(fact) => column(label, fact),
            // The report does not reveal whether the bin is empty or small.
            None => {
                let value = (!is_covered).then_some(0.0);
                Column { label, value, text: Unit::Count.text(value), tone: Tone::Accent }
            }
        }
    };
    if facts.is_empty() { Vec::new() } else { BINS.into_iter().map(bin).collect() }
}

fn column(label: String, fact: &Fact) -> Column {
    Column { label, value: fact.value, text: fact.unit.text(fact.value), tone: Tone::Accent }
}
