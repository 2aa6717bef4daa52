//! Writes sheets into a workbook: positions and formats of cells.

use chrono::Datelike;
use rust_xlsxwriter::{
    ColNum, Color, ExcelDateTime, Format, FormatAlign, FormatBorder, RowNum, Table as Filtered, TableColumn,
    TableStyle, Worksheet, XlsxError,
};

use super::table::{Block, Cell, NumberFormat, Sheet, SheetRow, SheetTable};
use crate::colours;
use crate::unit::{cell_change_format, cell_format, cell_percent_format, cell_price_format};

/// The narrowest and the widest column, in characters.
const WIDTHS: (usize, usize) = (14, 60);
/// The width of a filter's arrow, in characters.
const FILTER_ARROW: usize = 3;

/// How days are shown: the same in all languages.
const DAY_FORMAT: &str = "yyyy-mm-dd";

/// The height of a line, in points.
const LINE_HEIGHT: f64 = 15.75;

/// The first lines of every sheet.
pub struct SheetHeader {
    /// The scope.
    pub title: String,
    /// Period and completeness.
    pub line: String,
    /// Notices before any number.
    pub notices: Vec<String>,
}

/// The formats of cells.
#[derive(Clone)]
pub struct Styles {
    title: Format,
    heading: Format,
    muted: Format,
    plain: Format,
    notice: Format,
    head: Format,
    number_head: Format,
    cell: Format,
    faint: Format,
    link: Format,
}

impl Styles {
    /// Created once a workbook.
    pub fn new() -> Self {
        let colours = colours::light();
        let colour = |name| Color::from(*colours.get(name).expect("the style sheet has the colour"));
        let plain = Format::new().set_font_color(colour("ink"));
        let cell = plain
            .clone()
            .set_align(FormatAlign::Top)
            .set_border_bottom(FormatBorder::Thin)
            .set_border_bottom_color(colour("line"));
        let head = plain
            .clone()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::Bottom)
            .set_background_color(colour("track"))
            .set_border_bottom(FormatBorder::Medium)
            .set_border_bottom_color(colour("accent"));
        Self {
            title: plain.clone().set_bold().set_font_size(16),
            heading: plain.clone().set_bold().set_font_size(12),
            muted: plain.clone().set_font_color(colour("muted")),
            faint: cell.clone().set_font_color(colour("muted")).set_italic(),
            notice: plain.clone().set_bold().set_font_color(colour("bad")),
            number_head: head.clone().set_align(FormatAlign::Right),
            link: cell.clone().set_font_color(colour("accent")).set_text_wrap(),
            head,
            cell,
            plain,
        }
    }

    fn number(&self, format: NumberFormat, value: f64, faint: bool) -> Format {
        let format = match format {
            NumberFormat::Value(unit) => cell_format(unit, value),
            NumberFormat::Change(unit) => cell_change_format(unit, value),
            NumberFormat::Percent => cell_percent_format(),
            NumberFormat::Price(currency) => cell_price_format(currency, value),
        };
        let look = if faint { &self.faint } else { &self.cell };
        look.clone().set_num_format(format)
    }
}

/// Fills a worksheet.
///
/// # Errors
/// The library rejects a cell or a table.
pub fn sheet(
    to: &mut Worksheet,
    sheet: &Sheet,
    header: &SheetHeader,
    styles: &Styles,
) -> Result<(), XlsxError> {
    to.set_name(sheet.name)?;
    to.set_screen_gridlines(false);
    to.set_landscape().set_print_fit_to_pages(1, 0).set_paper_size(9);
    to.write_string_with_format(0, 0, &header.title, &styles.title)?;
    to.write_string_with_format(1, 0, &header.line, &styles.muted)?;
    let mut row = 2;
    for notice in &header.notices {
        to.write_string_with_format(row, 0, notice, &styles.notice)?;
        row += 1;
    }
    to.set_repeat_rows(0, row - 1)?;
    let widths = widths(sheet);
    let (mut frozen, kept) = (row, sheet.blocks.len() == 1);
    for block in &sheet.blocks {
        row += 1;
        match block {
            Block::Words { title, lines } => row = words(to, row, title, lines, styles)?,
            Block::Table(table) if table.rows.is_empty() => row -= 1,
            Block::Table(table) => {
                let (head, end) = self::table(to, row, table, &widths, styles)?;
                // The heads of a single table stay visible. With several tables, spreadsheets show
                // the heads of the selected one.
                frozen = if kept { head + 1 } else { frozen };
                row = end;
            }
            Block::Totals(cells) => {
                let bold = Styles { cell: styles.cell.clone().set_bold(), ..styles.clone() };
                for (column, cell) in (0..).zip(cells) {
                    self::cell(to, row, column, cell, false, &bold)?;
                }
                row += 1;
            }
        }
    }
    to.set_freeze_panes(frozen, 0)?;
    for (column, width) in (0..).zip(widths) {
        to.set_column_width(column, width as f64)?;
    }
    Ok(())
}

/// Returns the row after the last one.
fn words(
    to: &mut Worksheet,
    mut row: RowNum,
    title: &str,
    lines: &[String],
    styles: &Styles,
) -> Result<RowNum, XlsxError> {
    if !title.is_empty() {
        to.write_string_with_format(row, 0, title, &styles.heading)?;
        row += 1;
    }
    let look = if title.is_empty() { &styles.muted } else { &styles.plain };
    for line in lines {
        to.write_string_with_format(row, 0, line, look)?;
        row += 1;
    }
    Ok(row)
}

/// Returns the row of the heads, and the row after the last one.
fn table(
    to: &mut Worksheet,
    mut row: RowNum,
    table: &SheetTable,
    widths: &[usize],
    styles: &Styles,
) -> Result<(RowNum, RowNum), XlsxError> {
    for (line, look) in [(table.title, &styles.heading), (&table.note, &styles.muted)] {
        if !line.is_empty() {
            to.write_string_with_format(row, 0, line, look)?;
            row += 1;
        }
    }
    let head = row;
    let is_number = |column: usize| {
        let own = |row: &SheetRow| matches!(row.cells.get(column), Some(Cell::Number { .. } | Cell::Day(_)));
        table.rows.first().is_some_and(own)
    };
    let column = |(at, head): (usize, &String)| {
        let look = match (is_number(at), at) {
            (true, _) => styles.number_head.clone(),
            (false, 0) => styles.head.clone(),
            (false, _) => styles.head.clone().set_align(FormatAlign::Left).set_indent(1),
        };
        TableColumn::new().set_header(head).set_header_format(look)
    };
    // Not every program adapts the height of a head of several lines.
    let lines = |(head, width): (&String, &usize)| (head.chars().count() + FILTER_ARROW).div_ceil(*width);
    let lines = table.heads.iter().zip(widths).map(lines).max().expect("a table has columns");
    to.set_row_height(head, LINE_HEIGHT * lines as f64)?;
    let columns: Vec<TableColumn> = table.heads.iter().enumerate().map(column).collect();
    for cells in &table.rows {
        row += 1;
        let lines = cells.cells.iter().zip(widths).map(|(cell, width)| self::lines(cell, *width)).max();
        if let Some(lines) = lines.filter(|lines| *lines > 1) {
            to.set_row_height(row, LINE_HEIGHT * lines as f64)?;
        }
        for (column, cell) in (0..).zip(&cells.cells) {
            self::cell(to, row, column, cell, cells.faint, styles)?;
        }
    }
    let last = ColNum::try_from(table.heads.len() - 1).expect("a table has some dozens of columns");
    // Formats are in the cells, because not every program draws table styles.
    let filtered = Filtered::new().set_name(&table.name).set_columns(&columns).set_style(TableStyle::None);
    to.add_table(head, 0, row, last, &filtered)?;
    Ok((head, row + 1))
}

/// The number of lines of a cell: only the longest texts are wrapped.
fn lines(cell: &Cell, width: usize) -> usize {
    match cell {
        // Wrapping at words leaves part of a line empty.
        Cell::Text(text) if text.chars().count() > WIDTHS.1 => {
            (text.chars().count() + text.chars().count() / 8).div_ceil(width)
        }
        _ => 1,
    }
}

fn cell(
    to: &mut Worksheet,
    row: RowNum,
    column: ColNum,
    cell: &Cell,
    faint: bool,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match cell {
        // Always a string: a workbook marks formulas by cell type.
        Cell::Text(text) => {
            let look = styles.cell.clone();
            let look = if text.chars().count() > WIDTHS.1 { look.set_text_wrap() } else { look };
            // Keeps a distance from a number in the column before.
            let look = if column > 0 { look.set_align(FormatAlign::Left).set_indent(1) } else { look };
            to.write_string_with_format(row, column, text, &look)?;
        }
        Cell::Link { text, address } => {
            to.write_url_with_options(row, column, address.as_str(), text, "", Some(&styles.link))?;
        }
        Cell::Day(day) => {
            let date = u16::try_from(day.year()).ok().and_then(|year| {
                let [month, day] = [day.month(), day.day()].map(u8::try_from);
                ExcelDateTime::from_ymd(year, month.ok()?, day.ok()?).ok()
            });
            match date {
                Some(date) => {
                    let look = styles.cell.clone().set_num_format(DAY_FORMAT).set_align(FormatAlign::Right);
                    to.write_datetime_with_format(row, column, &date, &look)?;
                }
                // Spreadsheets have no days before 1900.
                None => {
                    to.write_string_with_format(row, column, day.to_string(), &styles.cell)?;
                }
            }
        }
        Cell::Number { value: Some(value), format } => {
            to.write_number_with_format(row, column, *value, &styles.number(*format, *value, faint))?;
        }
        Cell::Number { value: None, .. } => {
            to.write_blank(row, column, &styles.cell)?;
        }
    }
    Ok(())
}

/// Column widths for all texts, and for the longest word of the heads.
fn widths(sheet: &Sheet) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    let is_shared = sheet.blocks.len() > 1;
    for block in &sheet.blocks {
        let Block::Table(table) = block else { continue };
        widths.resize(widths.len().max(table.heads.len()), WIDTHS.0);
        for (column, width) in widths.iter_mut().enumerate().take(table.heads.len()) {
            let head = table.heads.get(column).into_iter().flat_map(|head| head.split(' '));
            let head = head.map(|word| word.chars().count() + FILTER_ARROW);
            // There is free space after the last column, and other tables do not use it.
            let most =
                if is_shared && column > 0 && column + 1 == table.heads.len() { WIDTHS.0 } else { WIDTHS.1 };
            let cells = table.rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| match cell {
                Cell::Text(text) | Cell::Link { text, .. } => (text.chars().count() + 2).min(most),
                Cell::Number { .. } | Cell::Day(_) => WIDTHS.0,
            });
            *width = head.chain(cells).fold(*width, usize::max).min(WIDTHS.1);
        }
    }
    widths
}
