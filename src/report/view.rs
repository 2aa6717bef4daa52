//! What the template gets: finished strings in the order of the page.

use minijinja::Value;
use serde::Serialize;

use crate::unit::Unit;

/// The page.
#[derive(Debug, Serialize)]
pub struct PageView {
    /// Title of the document.
    pub title: String,
    /// Style sheet, and its hash for the content security policy.
    pub style: Value,
    /// `sha256-…`.
    pub style_hash: String,
    /// Who, when, how complete.
    pub header: Header,
    /// What must be known before any number is read.
    pub notices: Vec<String>,
    /// Whether the report tells nothing of single people.
    pub covered: bool,
    /// What the tiles are compared with, or why they are not.
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
    /// What could not be read as documented, and the vendor's counts beside ours.
    pub quality: Vec<LabelledValue>,
    /// What to know about the vendor's counts; empty for nothing.
    pub vendor: String,
    /// What else could not be had.
    pub notes: Vec<String>,
    /// Where the data comes from.
    pub source_entries: Vec<LabelledValue>,
    /// Name and version of this program.
    pub tool: String,
}

/// A piece of a sentence.
#[derive(Debug, PartialEq, Serialize)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// Whether they are other people's, who may write from right to left.
    pub name: bool,
}

/// The head of the page.
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
    /// How it was had, before the time.
    pub taken: &'static str,
    /// When it was fetched, in the zone.
    pub fetched: String,
    /// `complete`, `so far` or `incomplete`.
    pub badge: String,
    /// Class of the badge.
    pub badge_tone: &'static str,
    /// What the sessions were narrowed to.
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
    /// Whether the value needs a smaller letter.
    pub long: bool,
    /// What a ratio rests on; empty for none.
    pub note: String,
    /// Whether it rests on too few to trust.
    pub faint: bool,
    /// Change against the previous period.
    pub change: Option<Change>,
    /// The trend; empty for none.
    pub sparkline: Value,
    /// The trend in words; empty for none.
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

/// A part of the page.
#[derive(Debug, Serialize)]
pub struct SectionView {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What to know before reading it.
    pub intro: String,
    /// Numbers of the whole period.
    pub numbers: Vec<NumberView>,
    /// Its charts.
    pub figures: Vec<FigureView>,
    /// The headings of charts that have nothing to show.
    pub empty: Vec<&'static str>,
    /// The names of numbers and charts that a covered report leaves out.
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
    /// Whether it rests on too few to trust.
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
    /// The chart; empty where the table says it all.
    pub svg: Value,
    /// The same as a table.
    pub table: TableView,
    /// Whether it needs the whole width of a desk.
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
    /// What is not in the rows; empty for none.
    pub more: String,
}

/// A row of a table.
#[derive(Debug, Serialize)]
pub struct TableRow {
    /// Cells; the first is the row's name.
    pub cells: Vec<String>,
    /// Whether its ratio rests on too few to trust.
    pub faint: bool,
}

/// A list of sessions.
#[derive(Debug, Serialize)]
pub struct SessionList {
    /// Heading.
    pub title: &'static str,
    /// What is in it.
    pub note: &'static str,
    /// What to say when nothing is.
    pub empty: &'static str,
    /// The sessions.
    pub rows: Vec<SessionView>,
}

/// A session.
#[derive(Debug, Serialize)]
pub struct SessionView {
    /// Title, or a word for none.
    pub title: String,
    /// Address, https only; empty for none.
    pub href: String,
    /// What the list is ordered by.
    pub size: String,
    /// What that counts.
    pub unit: &'static str,
    /// What else is to be known, in a few words each.
    pub remarks: Vec<String>,
    /// User, or a word for none.
    pub user: String,
    /// The beginning of its prompt; empty unless that is to be printed.
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

/// A name and a number.
#[derive(Debug, Serialize)]
pub struct LabelledValue {
    /// Name.
    pub name: &'static str,
    /// Number or word.
    pub value: String,
    /// The number, where it is one.
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
