//! Records of the API to columns, page by page.

use chrono::{DateTime, Utc};
use polars::chunked_array::builder::CategoricalChunkedBuilder;
use polars::prelude::*;

use super::schema::{self as c, ColumnType};
use super::{TableError, Tables, normal};
use devin_api::Row;
use devin_api::json::Text;
use devin_api::wire::{Analysis, Session};

/// The details of a suspension because of a limit.
const LIMITS: [&str; 9] = [
    "usage_limit_exceeded",
    "org_usage_limit_exceeded",
    "user_usage_limit_exceeded",
    "total_session_limit_exceeded",
    "out_of_quota",
    "no_quota_allocation",
    "out_of_credits",
    "payment_declined",
    "contract_expired",
];

/// The texts of sessions that tables keep.
#[derive(Clone, Copy, Debug)]
pub struct KeptTexts {
    /// Sessions created before this have neither title, address, prompt nor texts of their analyses.
    pub from: DateTime<Utc>,
    /// Whether the others have their prompts.
    pub prompts: bool,
}

impl KeptTexts {
    /// What an archive keeps: titles, addresses and texts of all sessions, and no prompt.
    pub const ARCHIVED: Self = Self { from: DateTime::<Utc>::MIN_UTC, prompts: false };
}

/// Tables that grow.
pub struct TablesBuilder {
    texts: KeptTexts,
    sessions: ColumnBuilders,
    pull_requests: ColumnBuilders,
    tags: ColumnBuilders,
    issues: ColumnBuilders,
    action_items: ColumnBuilders,
    feedback: ColumnBuilders,
    /// Of each session its place in the server's order …
    positions: Vec<u64>,
    /// … and in the order in which rows were read, over all builders that are joined.
    numbers: Vec<u64>,
    /// Whether a session may have come more than once.
    repeats: bool,
    /// The first column that could not take a value.
    failed: Option<PolarsError>,
}

impl TablesBuilder {
    /// Empty tables.
    pub fn new(texts: KeptTexts) -> Self {
        Self {
            texts,
            sessions: ColumnBuilders::of(&c::SESSIONS),
            pull_requests: ColumnBuilders::of(&c::PULL_REQUESTS),
            tags: ColumnBuilders::of(&c::TAGS),
            issues: ColumnBuilders::of(&c::ISSUES),
            action_items: ColumnBuilders::of(&c::ACTION_ITEMS),
            feedback: ColumnBuilders::of(&c::REMARKS),
            positions: Vec::new(),
            numbers: Vec::new(),
            repeats: false,
            failed: None,
        }
    }

    /// Adds the rows of one page; pages may come in any order.
    pub fn push(&mut self, rows: &[Row<'_>]) {
        self.push_from(self.numbers.len() as u64, rows);
    }

    /// The same for rows that are numbered from `first` on among the rows of all
    /// builders that are joined in the end.
    pub fn push_from(&mut self, first: u64, rows: &[Row<'_>]) {
        for (number, row) in (first..).zip(rows) {
            self.repeats |= row.again;
            let pushed = self.row(row);
            self.positions.push(row.position);
            self.numbers.push(number);
            if let Err(error) = pushed {
                self.failed.get_or_insert(error);
            }
        }
    }

    fn row(&mut self, row: &Row<'_>) -> PolarsResult<()> {
        let place = u32::try_from(self.numbers.len());
        let place = place.map_err(|_| polars_err!(ComputeError: "more rows than a table can have"))?;
        let session = row.session;
        let analysis = session.analysis();
        let is_named = row.created >= self.texts.from;
        let of_named = |text: &dyn Fn() -> Option<String>| if is_named { text() } else { None };
        let prompt = if is_named && self.texts.prompts { session.prompt() } else { None };
        let [title, url] = [&session.title, &session.url].map(|text| text.trimmed().filter(|_| is_named));
        self.sessions.push([
            (c::SESSION, Cell::Text(Some(row.id()))),
            (c::CREATED, Cell::Moment(Some(row.created))),
            (c::UPDATED, Cell::Moment(row.updated)),
            (c::ORG, Cell::Text(session.org_id.trimmed())),
            (c::USER_ID, Cell::Text(session.user_id.trimmed())),
            (c::SERVICE_USER_ID, Cell::Text(session.service_user_id.trimmed())),
            (c::STATUS, Cell::Text(session.status.trimmed())),
            (c::STATUS_DETAIL, Cell::Text(session.status_detail.trimmed())),
            (c::ACUS, Cell::Number(session.acus())),
            (c::ORIGIN, Cell::Text(session.origin.trimmed())),
            (c::SIZE, Cell::Text(session.session_size.trimmed())),
            (c::CATEGORY, Cell::Text(session.category.trimmed())),
            (c::PLAYBOOK, Cell::Text(session.playbook_id.trimmed())),
            (c::MODE, Cell::Text(session.devin_mode.trimmed())),
            (c::LIMITED, Cell::Flag(is_limited(session))),
            (c::MESSAGES, Cell::Count(session.user_messages().map(u64::from))),
            (c::ANALYSED, Cell::Flag(analysis.is_some())),
            (c::FEEDBACK, Cell::Count(Some(analysis.map_or(0, Analysis::prompt_feedback) as u64))),
            (c::UNREADABLE, Cell::Count(Some(u64::from(session.unreadable())))),
            (c::TITLE, Cell::Text(title)),
            (c::URL, Cell::Text(url)),
            (c::PROMPT, Cell::Text(prompt.as_deref())),
        ])?;
        for entry in &session.pull_requests {
            let address = entry.address().and_then(normal::address);
            self.pull_requests.push([
                (c::ROW, Cell::Row(place)),
                (c::STATE, Cell::Text(Some(normal::state(entry.state())))),
                (c::REPO, Cell::Text(address.as_deref().map(normal::repo))),
                (c::ADDRESS, Cell::Text(address.as_deref())),
                (c::UNDECIDED_UNTIL, Cell::Moment(None)),
                (c::DECIDED_BY, Cell::Moment(None)),
            ])?;
        }
        let mut tags: Vec<&str> = Vec::new();
        for tag in session.tags.iter().filter_map(Text::trimmed) {
            if !tags.contains(&tag) {
                tags.push(tag);
                self.tags.push([(c::ROW, Cell::Row(place)), (c::TAG, Cell::Text(Some(tag)))])?;
            }
        }
        for issue in analysis.iter().flat_map(|analysis| &analysis.issues) {
            self.issues.push([
                (c::ROW, Cell::Row(place)),
                (c::IMPACT, Cell::Text(Some(normal::impact(issue.impact.get())))),
                (c::LABEL, Cell::Text(issue.label.trimmed())),
                (c::TEXT, Cell::Text(of_named(&|| issue.text()).as_deref())),
            ])?;
        }
        for (analysis, item) in analysis
            .iter()
            .flat_map(|analysis| analysis.action_items.iter().map(move |item| (analysis, item)))
        {
            let issue = if is_named { analysis.issue_of(item) } else { None };
            self.action_items.push([
                (c::ROW, Cell::Row(place)),
                (c::TYPE, Cell::Text(item.kind.trimmed())),
                (c::ISSUE, Cell::Count(issue.map(|place| place as u64))),
                (c::TEXT, Cell::Text(of_named(&|| item.text()).as_deref())),
            ])?;
        }
        for remark in analysis.iter().filter(|_| is_named).flat_map(|analysis| analysis.remarks()) {
            self.feedback
                .push([(c::ROW, Cell::Row(place)), (c::TEXT, Cell::Text(remark.text().as_deref()))])?;
        }
        Ok(())
    }

    /// The finished tables: of a session that came several times the row with the
    /// greatest `updated` stays, then the later one in the server's order.
    ///
    /// # Errors
    /// Polars could not make a column or a table: an internal error.
    pub fn finish(self) -> Result<Tables, TableError> {
        Self::join(vec![self])
    }

    /// The tables of several builders, no two of whose rows have the same number.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn join(builders: Vec<Self>) -> Result<Tables, TableError> {
        let repeats = builders.iter().any(|builder| builder.repeats);
        let (mut positions, mut numbers, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for mut builder in builders {
            positions.append(&mut builder.positions);
            numbers.append(&mut builder.numbers);
            parts.push(builder.tables()?);
        }
        let all = Tables::concat(parts)?;
        let rows = match repeats && all.may_have_repeats()? {
            true => latest(&all.sessions, positions, numbers).map_err(TableError::of("sessions"))?,
            false => all.rows(),
        };
        all.in_order(rows)
    }

    /// The rows of this builder alone.
    fn tables(self) -> Result<Tables, TableError> {
        if let Some(source) = self.failed {
            return Err(TableError { table: "sessions", source });
        }
        Ok(Tables {
            sessions: self.sessions.finish()?,
            pull_requests: self.pull_requests.finish()?,
            tags: self.tags.finish()?,
            issues: self.issues.finish()?,
            action_items: self.action_items.finish()?,
            feedback: self.feedback.finish()?,
        })
    }
}

/// The row that stays of each session. Places in different walks can be the same;
/// then the row that was read first stays.
pub(super) fn latest(
    sessions: &DataFrame,
    positions: Vec<u64>,
    numbers: Vec<u64>,
) -> PolarsResult<Vec<IdxSize>> {
    let (position, number) = ("position", "number");
    let mut order = sessions.select([c::SESSION, c::UPDATED])?;
    order.with_column(Column::new(position.into(), positions))?;
    order.with_column(Column::new(number.into(), numbers))?;
    let descending = SortMultipleOptions::default()
        .with_order_descending_multi([true, true, false])
        .with_nulls_last(true)
        .with_maintain_order(true);
    let latest = order
        .lazy()
        .with_row_index(c::ROW, None)
        .sort([c::UPDATED, position, number], descending)
        .unique_stable(Some(cols([c::SESSION])), UniqueKeepStrategy::First)
        .collect()?;
    Ok(latest.column(c::ROW)?.idx()?.iter().flatten().collect())
}

fn is_limited(session: &Session<'_>) -> bool {
    session.status.trimmed() == Some("suspended")
        && session.status_detail.trimmed().is_some_and(|detail| LIMITS.contains(&detail))
}

/// The value of a cell.
enum Cell<'a> {
    Text(Option<&'a str>),
    Moment(Option<DateTime<Utc>>),
    Number(Option<f64>),
    Count(Option<u64>),
    Flag(bool),
    Row(u32),
}

/// The columns of a table in memory, row by row.
struct ColumnBuilders {
    table: &'static str,
    columns: Vec<(&'static c::ColumnSpec, ColumnBuilder)>,
}

/// The values of a column so far.
enum ColumnBuilder {
    Text(StringChunkedBuilder),
    Category(CategoricalChunkedBuilder<Categorical32Type>),
    /// Of a closed set of words.
    Word(CategoricalChunkedBuilder<Categorical8Type>),
    Moment(PrimitiveChunkedBuilder<Int64Type>),
    Number(PrimitiveChunkedBuilder<Float64Type>),
    Count(PrimitiveChunkedBuilder<Int64Type>),
    Flag(BooleanChunkedBuilder),
    Row(PrimitiveChunkedBuilder<UInt32Type>),
}

impl ColumnBuilders {
    fn of(table: &'static c::TableSpec) -> Self {
        let columns = table.in_memory().map(|column| (column, ColumnBuilder::of(column))).collect();
        Self { table: table.name, columns }
    }

    /// Adds a row: the cells of all columns of the schema, in its order.
    fn push<const N: usize>(&mut self, cells: [(&str, Cell<'_>); N]) -> PolarsResult<()> {
        debug_assert_eq!(self.columns.len(), N, "cells of {}", self.table);
        for ((column, values), (name, cell)) in self.columns.iter_mut().zip(cells) {
            debug_assert_eq!(column.name, name, "a cell of {}", self.table);
            values.push(cell)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<DataFrame, TableError> {
        let columns = self.columns.into_iter().map(|(_, values)| values.finish()).collect();
        DataFrame::new_infer_height(columns).map_err(TableError::of(self.table))
    }
}

impl ColumnBuilder {
    fn of(column: &c::ColumnSpec) -> Self {
        let name: PlSmallStr = column.name.into();
        match column.column_type {
            ColumnType::Text => Self::Text(StringChunkedBuilder::new(name, 0)),
            kind @ ColumnType::Category(_) => {
                Self::Category(CategoricalChunkedBuilder::new(name, kind.in_memory()))
            }
            kind @ (ColumnType::State | ColumnType::Impact) => {
                Self::Word(CategoricalChunkedBuilder::new(name, kind.in_memory()))
            }
            ColumnType::Moment => Self::Moment(PrimitiveChunkedBuilder::new(name, 0)),
            ColumnType::Number => Self::Number(PrimitiveChunkedBuilder::new(name, 0)),
            ColumnType::Count => Self::Count(PrimitiveChunkedBuilder::new(name, 0)),
            ColumnType::Flag => Self::Flag(BooleanChunkedBuilder::new(name, 0)),
            ColumnType::Row => Self::Row(PrimitiveChunkedBuilder::new(name, 0)),
        }
    }

    fn push(&mut self, cell: Cell<'_>) -> PolarsResult<()> {
        match (self, cell) {
            (Self::Text(values), Cell::Text(text)) => values.append_option(text),
            (Self::Category(values), Cell::Text(Some(text))) => values.append_str(text)?,
            (Self::Category(values), Cell::Text(None)) => values.append_null(),
            (Self::Word(values), Cell::Text(Some(word))) => values.append_str(word)?,
            (Self::Moment(values), Cell::Moment(moment)) => {
                values.append_option(moment.map(|moment| moment.timestamp_micros()));
            }
            (Self::Number(values), Cell::Number(number)) => values.append_option(number),
            (Self::Count(values), Cell::Count(count)) => {
                let count = count.map(i64::try_from).transpose();
                values.append_option(count.map_err(|_| polars_err!(ComputeError: "a count is too large"))?);
            }
            (Self::Flag(values), Cell::Flag(flag)) => values.append_value(flag),
            (Self::Row(values), Cell::Row(row)) => values.append_value(row),
            _ => polars_bail!(ComputeError: "a cell is of another type than its column"),
        }
        Ok(())
    }

    fn finish(self) -> Column {
        match self {
            Self::Text(values) => values.finish().into_column(),
            Self::Category(values) => values.finish().into_column(),
            Self::Word(values) => values.finish().into_column(),
            Self::Moment(values) => {
                let utc = Some(TimeZone::UTC);
                values.finish().into_datetime(TimeUnit::Microseconds, utc).into_column()
            }
            Self::Number(values) => values.finish().into_column(),
            Self::Count(values) => values.finish().into_column(),
            Self::Flag(values) => values.finish().into_column(),
            Self::Row(values) => values.finish().into_column(),
        }
    }
}
