//! Wire records to flat, typed frames, grown page by page.

mod build;
pub mod columns;
mod finish;
pub mod normal;
pub mod parquet;
mod record;
pub mod stored;
mod words;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use polars::prelude::*;

use crate::fetch::Row;
use crate::people::Teams;
use record::{Parts, Record};
use words::Registers;

/// The frames could not be built.
#[derive(Debug, thiserror::Error)]
#[error("could not build the table of {table}: {source}")]
pub struct FrameError {
    table: &'static str,
    source: PolarsError,
}

/// The sessions of a window and what hangs on them, joined by [`columns::ROW`].
/// Each session is there once.
#[derive(Clone, Debug)]
pub struct Frames {
    /// One row a session, by creation, then by id.
    pub sessions: DataFrame,
    /// One row a session that may be named, with the texts of it that are kept.
    pub names: DataFrame,
    /// One row a pull request entry.
    pub pull_requests: DataFrame,
    /// One row a session and distinct tag.
    pub tags: DataFrame,
    /// One row an issue.
    pub issues: DataFrame,
    /// One row an action item.
    pub action_items: DataFrame,
}

/// What is kept of sessions besides their numbers.
#[derive(Clone, Debug)]
pub struct Kept {
    /// A session created before this is counted but never named, so that its
    /// title and address need not be kept.
    pub named_from: DateTime<Utc>,
    /// Whether addresses of pull requests are kept as texts, which no number of
    /// the report needs.
    pub addresses: bool,
    /// Whether prompts are kept of the named ones.
    pub prompts: bool,
    /// What tells the team of a session; none where nobody told of teams.
    pub teams: Option<Teams>,
}

impl Frames {
    /// How many sessions have a field that could not be read, of how many.
    ///
    /// # Errors
    /// A column is not there: an internal error.
    pub fn unreadable(&self) -> Result<(u64, u64), FrameError> {
        let failed = |source| FrameError { table: "sessions", source };
        let counts = self.sessions.column(columns::UNREADABLE).and_then(|column| column.i64());
        let counts = counts.map_err(failed)?;
        Ok((counts.iter().flatten().filter(|count| *count > 0).count() as u64, counts.len() as u64))
    }

    /// The distinct texts of a column of one of the frames, in alphabetical order.
    ///
    /// # Errors
    /// The column is not there or has no texts: an internal error.
    pub fn texts(frame: &DataFrame, column: &'static str) -> Result<Vec<String>, FrameError> {
        let texts = frame.column(column).and_then(|column| column.unique()?.cast(&DataType::String));
        let texts = texts.and_then(|texts| Ok(texts.str()?.sort(false)));
        let texts = texts.map_err(|source| FrameError { table: column, source })?;
        Ok(texts.iter().flatten().map(str::to_owned).collect())
    }

    /// How many sessions do not tell their ACUs, of how many.
    ///
    /// # Errors
    /// A column is not there: an internal error.
    pub fn without_acus(&self) -> Result<(u64, u64), FrameError> {
        let failed = |source| FrameError { table: "sessions", source };
        let acus = self.sessions.column(columns::ACUS).map_err(failed)?;
        Ok((acus.null_count() as u64, acus.len() as u64))
    }

    /// How many entries of pull requests have no address, and so are none, of how many.
    ///
    /// # Errors
    /// A column is not there: an internal error.
    pub fn without_address(&self) -> Result<(u64, u64), FrameError> {
        let failed = |source| FrameError { table: "pull_requests", source };
        let addresses = self.pull_requests.column(columns::ADDRESS).map_err(failed)?;
        Ok((addresses.null_count() as u64, addresses.len() as u64))
    }
}

/// Frames that still grow.
pub struct FramesBuilder {
    next_row: u32,
    sessions: build::Sessions,
    names: build::Names,
    pull_requests: build::PullRequests,
    tags: build::Tags,
    issues: build::Issues,
    action_items: build::ActionItems,
    registers: Registers,
    /// Tags, then pull requests of the session that is being taken over: here, so
    /// that the space for them is used again.
    met: Vec<u32>,
    /// Whether a session may have come more than once.
    repeats: bool,
    kept: Kept,
    /// Ids of sessions that are taken out in the end.
    left_out: Vec<String>,
    /// What other builders took of the same sessions' pages.
    others: Vec<Self>,
}

impl FramesBuilder {
    /// Empty frames.
    pub fn new(kept: Kept) -> Self {
        Self {
            next_row: 0,
            sessions: build::Sessions::new(),
            names: build::Names::new(),
            pull_requests: build::PullRequests::new(),
            tags: build::Tags::new(),
            issues: build::Issues::new(),
            action_items: build::ActionItems::new(),
            registers: Registers::default(),
            met: Vec::new(),
            repeats: false,
            kept,
            left_out: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Takes over the rows of one page; pages may come in any order.
    pub fn push(&mut self, rows: &[Row<'_>]) {
        self.push_from(self.next_row, rows);
    }

    /// The same for rows that are numbered from here on among those of all
    /// builders that are joined in the end.
    pub fn push_from(&mut self, first: u32, rows: &[Row<'_>]) {
        self.next_row = first;
        for row in rows {
            self.repeats |= row.again;
            let prompt = self.prompt(row);
            self.session(row.position, &Record::of(row), record::parts(row), prompt.as_deref());
        }
    }

    /// Customer text, which is read only where it is to be printed.
    fn prompt(&self, row: &Row<'_>) -> Option<String> {
        (self.kept.prompts && row.created >= self.kept.named_from).then(|| row.session.prompt()).flatten()
    }

    fn session<'a>(
        &mut self,
        position: u64,
        record: &Record<'a>,
        parts: Parts<
            impl Iterator<Item = &'a str> + Clone,
            impl Iterator<Item = (Option<Cow<'a, str>>, u32)>,
            impl Iterator<Item = (u32, Option<&'a str>)>,
            impl Iterator<Item = Option<&'a str>>,
        >,
        prompt: Option<&str>,
    ) {
        let key = self.next_row;
        self.next_row += 1;
        let registers = &mut self.registers;
        let user = record.user().map(|user| registers.user.number(user));
        let owner = build::Owner { key, created: record.created, user };
        let count = |numbers: &[u32]| u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let met = &mut self.met;
        met.clear();
        for tag in parts.tags.clone() {
            let tag = registers.tag.number(tag);
            if !met.contains(&tag) {
                met.push(tag);
                self.tags.push(key, tag);
            }
        }
        let tags = count(met);
        met.clear();
        for (address, state) in parts.pull_requests {
            let number = self.pull_requests.push(key, address.as_deref(), state, registers);
            let is_met = |number: &u32| met.iter().any(|one| registers.is_same(*one, *number));
            met.extend(number.filter(|number| !is_met(number)));
        }
        let pull_requests = count(met);
        for (impact, label) in parts.issues {
            self.issues.push(owner, impact, label, registers);
        }
        for kind in parts.action_items {
            self.action_items.push(owner, kind, registers);
        }
        // A tag lives longer than the rules; what either names need not.
        let own_tags = parts.tags.map(|tag| -> &str { tag });
        let teams = self.kept.teams.as_ref();
        let team = teams.and_then(|teams| teams.of(record.user(), own_tags, record.created));
        self.sessions.push(owner, position, record, (tags, pull_requests), team, registers);
        if record.created >= self.kept.named_from.timestamp_micros() {
            self.names.push(key, record, prompt);
        }
    }

    /// Both builders as one; no two of their rows have the same number.
    #[must_use]
    pub fn join(mut self, mut other: Self) -> Self {
        self.repeats |= other.repeats;
        self.left_out.append(&mut other.left_out);
        self.others.append(&mut other.others);
        self.others.push(other);
        self
    }

    /// The same without the sessions of these ids.
    #[must_use]
    pub fn without(mut self, mut ids: Vec<String>) -> Self {
        self.left_out.append(&mut ids);
        self
    }
}
