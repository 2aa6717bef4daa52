//! Facts and rows to one workbook, with a sheet for each section of the page.

mod sheets;
mod table;
mod write;

use std::error::Error;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use super::RenderError;
use crate::report::Report;
use crate::text::clean;

/// The longest notice above a sheet.
const LONGEST_NOTICE: usize = 1000;

/// The workbook's bytes: the same for the same report, and no clock is in them.
///
/// # Errors
/// The workbook could not be made: an internal error, never a property of the data.
pub fn workbook(report: &Report) -> Result<Vec<u8>, RenderError> {
    written(report).map_err(RenderError::Workbook)
}

fn written(report: &Report) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let header = &report.header;
    let title = format!("{} · {} · Devin report", header.organisation, header.period);
    let mut book = Workbook::new();
    book.set_properties(
        &DocProperties::new()
            .set_title(title)
            .set_author(&report.tool)
            .set_creation_datetime(&ExcelDateTime::parse_from_str(&report.generated_at)?),
    );
    let notices = header.filters.iter().chain(&report.notices);
    // Filters can be thousands, and a cell has a limit.
    let notices = notices.map(|notice| clean(notice, LONGEST_NOTICE)).collect();
    let header = write::SheetHeader {
        title: header.organisation.clone(),
        line: format!(
            "{}, {}, {} · {} · fetched {}",
            header.period, header.dates, header.zone, header.badge, header.fetched
        ),
        notices,
    };
    let styles = write::Styles::new();
    for sheet in sheets::sheets(report) {
        write::sheet(book.add_worksheet(), &sheet, &header, &styles)?;
    }
    Ok(book.save_to_buffer()?)
}

#[cfg(test)]
mod tests {
    use super::table::{Block, Cell, NumberFormat, Sheet, SheetTable, text};
    use super::*;
    use crate::metrics::{Facts, FinanceRow, Highlights, LabelRow, Labels, SessionHighlight};
    use crate::money::{Currency, Price, Prices};
    use crate::render::tests;
    use crate::report::report;
    use crate::unit::Unit;

    fn session(title: &str, url: &str) -> SessionHighlight {
        SessionHighlight {
            id: "s1".to_owned(),
            title: Some(title.to_owned()),
            url: Some(url.to_owned()),
            user: Some("u1".to_owned()),
            day: "2026-10-07".to_owned(),
            acus: Some(2.5),
            spend: None,
            prompt: None,
            prs: 1.0,
            merged: true,
            high_issues: 0.0,
        }
    }

    fn facts() -> Facts {
        let highlights = Highlights {
            costliest: vec![
                session("=HYPERLINK(\"https://evil.example\")", "https://app.devin.ai/sessions/s1"),
                session("\u{202e}", "javascript:alert(1)"),
            ],
            labels: vec![LabelRow { label: None, issues: 1.0, high: 0.0, sessions: 1.0, acus: 2.0 }],
            ..Highlights::default()
        };
        Facts { highlights, ..tests::facts() }
    }

    fn table<'s>(sheets: &'s [Sheet], name: &str) -> &'s SheetTable {
        let tables = sheets.iter().flat_map(|sheet| &sheet.blocks).filter_map(|block| match block {
            Block::Table(table) => Some(table),
            Block::Words { .. } | Block::Totals(_) => None,
        });
        tables.into_iter().find(|table| table.name == name).unwrap()
    }

    #[test]
    fn one_sheet_per_section_and_unique_names() {
        let sheets = sheets::sheets(&report(&facts()));
        let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name).collect();
        assert_eq!(names[..4], ["Overview", "Usage", "Delivery", "Friction"]);
        assert_eq!(names[4..], ["Sessions worth a look", "Definitions", "Source and quality"]);
        let mut tables = Vec::new();
        for block in sheets.iter().flat_map(|sheet| &sheet.blocks) {
            let Block::Table(table) = block else { continue };
            tables.push(table.name.clone());
            let mut heads = table.heads.clone();
            heads.sort();
            heads.dedup();
            assert_eq!(heads.len(), table.heads.len(), "{}: {:?}", table.name, table.heads);
            assert!(table.rows.iter().all(|row| row.cells.len() == heads.len()), "{}", table.name);
        }
        let all = tables.len();
        tables.sort();
        tables.dedup();
        assert_eq!(tables.len(), all);
    }

    #[test]
    fn tables_have_unrounded_facts_and_names_of_people() {
        let names = [("u1".to_owned(), "Ann".to_owned())].into();
        let facts = Facts { labels: Labels { user: names, ..Labels::default() }, ..facts() };
        let sheets = sheets::sheets(&report(&facts));
        let rows = &table(&sheets, "acus_by_user").rows;
        let names: Vec<&Cell> = rows.iter().map(|row| &row.cells[0]).collect();
        assert_eq!(names, [&text("Ann"), &text("no user")]);
        let number = |value, format| Cell::Number { value, format };
        assert_eq!(rows[0].cells[1], number(Some(0.1 + 0.2), NumberFormat::Value(Unit::Acu)));
        assert_eq!(rows[0].cells[4], number(Some(0.1 + 0.2 - 2.0), NumberFormat::Change(Unit::Acu)));
        assert_eq!(
            rows[1].cells[3..],
            [NumberFormat::Value(Unit::Acu), NumberFormat::Change(Unit::Acu), NumberFormat::Percent]
                .map(|format| number(None, format))
        );
        assert_eq!(table(&sheets, "costliest").rows[0].cells[1], text("Ann"));
    }

    #[test]
    fn changes_in_percent_are_per_day_where_lengths_differ_and_every_sheet_says_so() {
        let mut facts = facts();
        let percents = |facts: &Facts| {
            let sheets = sheets::sheets(&report(facts));
            let said = |sheet: &&Sheet| {
                let is_it = |block: &Block| match block {
                    Block::Words { lines, .. } => {
                        lines.iter().any(|line| line.contains("in % is that of its"))
                    }
                    Block::Table(_) | Block::Totals(_) => false,
                };
                sheet.blocks.iter().any(is_it)
            };
            let names: Vec<&str> = sheets.iter().filter(said).map(|sheet| sheet.name).collect();
            let cells = &table(&sheets, "acus_by_user").rows[0].cells;
            (names, cells[3..6].to_vec())
        };
        let numbers = |values: [f64; 3]| {
            let formats =
                [NumberFormat::Value(Unit::Acu), NumberFormat::Change(Unit::Acu), NumberFormat::Percent];
            let cell = |(value, format)| Cell::Number { value: Some(value), format };
            values.into_iter().zip(formats).map(cell).collect::<Vec<_>>()
        };
        let now = 0.1 + 0.2;
        assert_eq!(percents(&facts), (vec![], numbers([2.0, now - 2.0, now / 2.0 - 1.0])));
        facts.previous.label = "2026-09".to_owned();
        let per_day = now / (2.0 * (7.0 / 30.0)) - 1.0;
        let everywhere = vec!["Overview", "Usage", "Delivery", "Friction"];
        assert_eq!(percents(&facts), (everywhere, numbers([2.0, now - 2.0, per_day])));
    }

    #[test]
    fn finance_is_a_sheet_with_days_and_its_totals_below_the_table() {
        let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
        let currency = Currency::parse("EUR").unwrap();
        let row = |team: &str, amount, previous_amount| FinanceRow {
            team: Some(team.to_owned()),
            cost_centre: None,
            from: day("2026-10-05"),
            to: day("2026-10-11"),
            acus: 1.5,
            per_acu: Some(2.255),
            amount: Some(amount),
            previous_amount,
        };
        let price = Price { from: day("2026-01-01"), per_acu: 2.255 };
        let finance = vec![row("=A", 0.004, Some(1.0)), row("B", 0.004, Some(2.0))];
        let facts = Facts { finance, prices: Prices::new(currency, vec![price]), ..facts() };
        let sheets = sheets::sheets(&report(&facts));
        let sheet = sheets.iter().find(|sheet| sheet.name == "Finance").unwrap();
        let number = |value, format| Cell::Number { value: Some(value), format };
        let money = |amount| number(amount, NumberFormat::Value(Unit::Money(currency)));
        let acus = |acus| number(acus, NumberFormat::Value(Unit::Acu));
        let cells = |team: &str, amount, previous| {
            vec![
                text(team),
                text("no cost centre"),
                Cell::Day(day("2026-10-05")),
                Cell::Day(day("2026-10-11")),
                acus(1.5),
                number(2.255, NumberFormat::Price(currency)),
                money(amount),
                money(previous),
            ]
        };
        let rows: Vec<_> = table(&sheets, "finance").rows.iter().map(|row| row.cells.clone()).collect();
        assert_eq!(rows, [cells("=A", 0.01, 1.0), cells("B", 0.0, 2.0)]);
        let Some(Block::Totals(totals)) = sheet.blocks.last() else { panic!("no totals") };
        assert_eq!([&totals[0], &totals[4]], [&text("Total"), &acus(3.0)]);
        assert_eq!(totals[6..], [money(0.01), money(3.0)]);
        assert!(workbook(&report(&facts)).unwrap().starts_with(b"PK"));
        // No spreadsheet has days before 1900, but facts may.
        let old = [("1899-12-31", "1899-12-31"), ("0001-01-01", "9999-12-31")];
        for (from, to) in old {
            let mut facts = facts.clone();
            (facts.finance[0].from, facts.finance[0].to) = (day(from), day(to));
            assert!(workbook(&report(&facts)).unwrap().starts_with(b"PK"), "{from}");
        }
    }

    #[test]
    fn only_safe_addresses_are_links() {
        let sheets = sheets::sheets(&report(&facts()));
        let titles: Vec<&Cell> = table(&sheets, "costliest").rows.iter().map(|row| &row.cells[0]).collect();
        let Cell::Link { text, address } = titles[0] else { panic!("no link") };
        assert_eq!(address, "https://app.devin.ai/sessions/s1");
        assert!(text.starts_with("=HYPERLINK"));
        assert_eq!(titles[1], &Cell::Text("Session of Wednesday, 7 October".to_owned()));
    }

    #[test]
    fn the_same_facts_give_the_same_bytes() {
        let book = || workbook(&report(&facts())).unwrap();
        let first = book();
        assert!(first.starts_with(b"PK") && first == book());
        let other = Facts { generated_at: "2026-10-13T06:00:00Z".to_owned(), ..facts() };
        assert!(workbook(&report(&other)).unwrap() != first);
    }

    /// What a cell holds is decided by the call that writes it; tests/readers opens
    /// the file itself.
    #[test]
    fn no_cell_is_written_as_a_formula() {
        let calls = include_str!("write.rs").split(".write_").skip(1);
        let calls: Vec<&str> = calls.filter_map(|rest| rest.split('(').next()).collect();
        assert!(calls.len() > 6);
        for call in calls {
            let is_known = [
                "string_with_format",
                "number_with_format",
                "datetime_with_format",
                "url_with_options",
                "blank",
            ];
            assert!(is_known.contains(&call), "{call}");
        }
        assert!(!include_str!("write.rs").contains(".write("), "its kind would be guessed");
    }
}
