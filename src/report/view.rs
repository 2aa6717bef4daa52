//! The context of the page's template: finished strings in the order of the page.

use minijinja::Value;
use serde::Serialize;

use crate::unit::Unit;

/// The page.
#[derive(Debug, Serialize)]
pub struct PageView {
    /// Title of the document.
    pub title: String,
    /// The style sheet.
    pub style: Value,
    /// Its hash for the content security policy: `sha256-…`.
    pub style_hash: String,
    /// Scope, period and completeness.
    pub header: Header,
    /// Notices before any number.
    pub notices: Vec<String>,
    /// Whether the report hides people.
    pub covered: bool,
    /// What the tiles are compared with, or why not.
    pub comparison: String,
    /// Whether the tiles are compared.
    pub compared: bool,
    /// The headline numbers.
    pub tiles: Vec<Tile>,
    /// What stands out, most important first.
    pub insights: Vec<Vec<Piece>>,
    /// The charts.
    pub sections: Vec<SectionView>,
    /// Sessions worth a look.
    pub lists: Vec<SessionList>,
    /// Every number that the page shows.
    pub definitions: Vec<Definition>,
    /// Unreadable values, and the vendor's counts beside ours.
    pub quality: Vec<LabelledValue>,
    /// How to read the vendor's counts; empty if there are none.
    pub vendor: String,
    /// Other notes.
    pub notes: Vec<String>,
    /// The source of the data.
    pub source_entries: Vec<LabelledValue>,
    /// Name and version of this program.
    pub tool: String,
}

/// A piece of a sentence.
#[derive(Debug, PartialEq, Serialize)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is other people's text, which can be written from right to left.
    pub name: bool,
}

/// The header of the page.
#[derive(Debug, Serialize)]
pub struct Header {
    /// Organisation or enterprise.
    pub organisation: String,
    /// `Week 41`.
    pub period: String,
    /// `5 to 11 October 2026`.
    pub dates: String,
    /// IANA name.
    pub zone: String,
    /// The label before the time.
    pub taken_label: &'static str,
    /// When the sessions were obtained, in the report's zone.
    pub fetched: String,
    /// `complete`, `so far` or `incomplete`.
    pub badge: String,
    /// Class of the badge.
    pub badge_tone: &'static str,
    /// The filters.
    pub filters: Vec<String>,
}

/// A headline number.
#[derive(Debug, Serialize)]
pub struct Tile {
    /// Metric id, the anchor of its definition.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
    /// Value.
    pub value: String,
    /// Whether the value needs a smaller font.
    pub long: bool,
    /// Spend and basis; empty if there is neither.
    pub note: String,
    /// Whether it has too few cases to be trusted.
    pub faint: bool,
    /// Change against the previous period.
    pub change: Option<Change>,
    /// The sparkline; empty if there is none.
    pub sparkline: Value,
    /// The trend in words; empty if there is none.
    pub trend: String,
}

/// A change in words.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    /// `31 more (+8 %)`.
    pub text: String,
    /// `up`, `down` or `flat`.
    pub arrow: &'static str,
    /// `good`, `bad` or `neutral`.
    pub tone: &'static str,
}

/// A section of the page.
#[derive(Debug, Serialize)]
pub struct SectionView {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// An introduction.
    pub intro: String,
    /// Numbers of the whole period.
    pub numbers: Vec<NumberView>,
    /// Its charts.
    pub figures: Vec<FigureView>,
    /// The titles of charts without data.
    pub empty: Vec<&'static str>,
    /// The titles of hidden numbers and charts.
    pub withheld: Vec<&'static str>,
}

/// A number of the whole period, without a chart.
#[derive(Debug, Serialize)]
pub struct NumberView {
    /// Metric id, the anchor of its definition.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
    /// Value.
    pub value: String,
    /// Change against the previous period in words; empty for none.
    pub change: String,
    /// Whether it has too few cases to be trusted.
    pub faint: bool,
}

/// A chart with its table.
#[derive(Debug, Serialize)]
pub struct FigureView {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The metrics that it shows.
    pub terms: Vec<Term>,
    /// One line under the heading; empty for none.
    pub note: String,
    /// The chart; empty if the figure is a table.
    pub svg: Value,
    /// The data as a table.
    pub table: TableView,
    /// Whether it needs the full width of the page.
    pub wide: bool,
}

/// A metric by name.
#[derive(Debug, Serialize)]
pub struct Term {
    /// Metric id, the anchor of its definition.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
}

/// Rows under a chart.
#[derive(Debug, Default, Serialize)]
pub struct TableView {
    /// Heads; the first column is text, the others are numbers.
    pub heads: Vec<String>,
    /// Rows.
    pub rows: Vec<TableRow>,
    /// What is not in the rows; empty if all rows are shown.
    pub more: String,
}

/// A row of a table.
#[derive(Debug, Serialize)]
pub struct TableRow {
    /// Cells; the first is the row's name.
    pub cells: Vec<String>,
    /// Whether its ratio has too few cases to be trusted.
    pub faint: bool,
}

/// A list of sessions.
#[derive(Debug, Serialize)]
pub struct SessionList {
    /// Heading.
    pub title: &'static str,
    /// What the list contains.
    pub note: &'static str,
    /// The text of an empty list.
    pub empty: &'static str,
    /// The sessions.
    pub rows: Vec<SessionView>,
}

/// A session.
#[derive(Debug, Serialize)]
pub struct SessionView {
    /// Title, or a placeholder.
    pub title: String,
    /// URL, https only; empty if there is none.
    pub href: String,
    /// The value that orders the list.
    pub size: String,
    /// The unit of that value.
    pub unit: &'static str,
    /// Other facts, in a few words each.
    pub remarks: Vec<String>,
    /// User, or a placeholder.
    pub user: String,
    /// An excerpt of its prompt; empty unless prompts are included.
    pub prompt: String,
}

/// A number's definition.
#[derive(Debug, Serialize)]
pub struct Definition {
    /// Metric id, the anchor.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
    /// Definition.
    pub text: &'static str,
    /// Value of the whole period; empty for none.
    pub value: String,
}

/// A label and a value.
#[derive(Debug, Serialize)]
pub struct LabelledValue {
    /// Name.
    pub name: &'static str,
    /// The formatted value.
    pub value: String,
    /// The number, if it is one.
    #[serde(skip)]
    pub number: Option<f64>,
}

impl LabelledValue {
    /// A count, written for people.
    pub fn count(name: &'static str, number: u64) -> Self {
        let number = Some(number as f64);
        Self { name, value: Unit::Count.text(number), number }
    }

    /// A word.
    pub fn word(name: &'static str, value: String) -> Self {
        Self { name, value, number: None }
    }
}
