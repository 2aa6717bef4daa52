//! The context of the page's template: finished strings in the order of the page.

use minijinja::Value;
use serde::Serialize;

use crate::render::text::{TableText, TileText};
use crate::report::{AlertText, Header, Piece};

/// The page.
#[derive(Serialize)]
pub struct PageView<'a> {
    /// Title of the document.
    pub title: String,
    /// The style sheet.
    pub style: Value,
    /// Its hash for the content security policy: `sha256-…`.
    pub style_hash: String,
    /// Scope, period and completeness.
    pub header: &'a Header,
    /// Numbers that exceed a threshold.
    pub alerts: &'a [AlertText],
    /// How many others there are; empty for none.
    pub other_alerts: &'a str,
    /// Notices before any number.
    pub notices: &'a [String],
    /// Whether the report hides people.
    pub covered: bool,
    /// What the tiles are compared with, or why not.
    pub comparison: &'a str,
    /// Whether the tiles are compared.
    pub compared: bool,
    /// The headline numbers.
    pub tiles: Vec<TileView>,
    /// Whether the period was better or worse; empty for nothing to say.
    pub verdict: &'a str,
    /// What stands out, most important first.
    pub insights: &'a [Vec<Piece>],
    /// Anchors and headings, in order.
    pub contents: Vec<Link>,
    /// What the words of the tiles mean.
    pub words: Vec<&'static str>,
    /// The name of the facts file beside the page.
    pub facts_file: String,
    /// What to fix; `None` without analyses.
    pub fixes: Option<FixesView<'a>>,
    /// The charts.
    pub sections: Vec<SectionView<'a>>,
    /// Sessions worth a look.
    pub lists: Vec<ListView<'a>>,
    /// Every number that the page shows.
    pub definitions: Vec<DefinitionView>,
    /// Unreadable values, and the vendor's counts beside ours.
    pub quality: Vec<EntryView>,
    /// How to read the vendor's counts; empty if there are none.
    pub vendor: &'a str,
    /// Other notes.
    pub notes: &'a [String],
    /// The source of the data.
    pub source_entries: Vec<EntryView>,
    /// Name and version of this program.
    pub tool: &'a str,
}

/// A section of the page.
#[derive(Serialize)]
pub struct SectionView<'a> {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// An introduction.
    pub intro: &'a str,
    /// Numbers of the whole period.
    pub numbers: Vec<NumberView>,
    /// Its charts.
    pub figures: Vec<FigureView>,
    /// The titles of charts without data.
    pub empty: &'a [&'static str],
    /// The titles of hidden numbers and charts.
    pub withheld: &'a [&'static str],
}

/// A number of the whole period, without a chart.
#[derive(Serialize)]
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
#[derive(Serialize)]
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
    pub table: TableText,
    /// Whether it needs the full width of the page.
    pub wide: bool,
}

/// A metric by name.
#[derive(Serialize)]
pub struct Term {
    /// Metric id, the anchor of its definition.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
}

/// A list of sessions.
#[derive(Serialize)]
pub struct ListView<'a> {
    /// Heading.
    pub title: &'static str,
    /// What the list contains.
    pub note: String,
    /// The text of an empty list.
    pub empty: &'static str,
    /// The sessions.
    pub rows: Vec<SessionView<'a>>,
}

/// A session.
#[derive(Serialize)]
pub struct SessionView<'a> {
    /// Title, or a placeholder.
    pub title: &'a str,
    /// URL, https only; empty if there is none.
    pub href: &'a str,
    /// The value that orders the list.
    pub size: String,
    /// The unit of that value.
    pub unit: &'static str,
    /// Other facts, in a few words each.
    pub remarks: Vec<String>,
    /// User, or a placeholder.
    pub user: &'a str,
    /// An excerpt of its prompt; empty unless prompts are included.
    pub prompt: &'a str,
}

/// A number's definition.
#[derive(Serialize)]
pub struct DefinitionView {
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
#[derive(Serialize)]
pub struct EntryView {
    /// Name.
    pub name: &'static str,
    /// The formatted value.
    pub value: String,
}

/// A headline number with its trend.
#[derive(Serialize)]
pub struct TileView {
    /// The number.
    #[serde(flatten)]
    pub text: TileText,
    /// The sparkline; empty if there is none.
    pub sparkline: Value,
    /// The trend in words; empty if there is none.
    pub trend: String,
}

/// A link within the page.
#[derive(Serialize)]
pub struct Link {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
}

/// What to fix.
#[derive(Serialize)]
pub struct FixesView<'a> {
    /// An introduction.
    pub intro: &'a str,
    /// The rows that everybody sees; empty if there are none.
    pub first: Vec<FixView<'a>>,
    /// Rows on demand.
    pub more: Vec<FixListView<'a>>,
}

/// A list of rows on demand.
#[derive(Serialize)]
pub struct FixListView<'a> {
    /// Heading.
    pub title: String,
    /// The rows.
    pub rows: Vec<FixView<'a>>,
    /// What is not in the rows; empty if all rows are shown.
    pub rest: String,
}

/// A recommendation, issue or remark.
#[derive(Serialize)]
pub struct FixView<'a> {
    /// Number of sessions.
    pub size: String,
    /// `session` or `sessions`.
    pub unit: &'static str,
    /// The text.
    pub text: &'a str,
    /// Its type or label; empty for none.
    pub kind: &'a str,
    /// Other facts, in a few words each.
    pub remarks: Vec<String>,
    /// Repositories.
    pub repos: &'a [String],
    /// Some of the sessions.
    pub examples: Vec<ExampleView<'a>>,
}

/// A session as an example.
#[derive(Serialize)]
pub struct ExampleView<'a> {
    /// Title, or a placeholder.
    pub title: &'a str,
    /// Its address; empty if there is none.
    pub href: &'a str,
}
