//! Stored tables to frames.

use std::ops::Range;

use polars::prelude::*;

use super::{Tables, failed};
use crate::frame::columns as c;
use crate::frame::normal;
use crate::frame::record::{Parts, Record};
use crate::frame::{FrameError, FramesBuilder};
use crate::people::fits;

/// The most tags or pull requests of a session; no session is stored with more.
const MOST_ENTRIES: usize = 2_000;

/// Whether [`FramesBuilder::push_tables`] reads a column of a table.
pub fn is_read(table: &str, column: &str) -> bool {
    match (table, column) {
        // Repositories are told by addresses, and the rest by the session.
        ("pull_requests", c::REPO) => false,
        ("sessions", _) => true,
        (_, column) => column != c::CREATED,
    }
}

/// Which sessions of stored tables are in question: as [`crate::fetch`] judges them.
#[derive(Clone, Debug)]
pub struct Wanted<'q> {
    /// When they were created: UTC, microseconds.
    pub created: Range<i64>,
    /// Only those of this organisation.
    pub org: Option<&'q str>,
    /// Only those with any of these tags, in which `*` stands for any text; empty is all.
    pub tags: &'q [String],
    /// Only those of any of these users; empty is all.
    pub users: &'q [String],
}

impl Wanted<'_> {
    fn takes<'t>(&self, record: &Record<'_>, tags: impl Iterator<Item = &'t str>) -> bool {
        let is_of = |wanted: &[String], text: &str| wanted.iter().any(|one| one.trim() == text);
        let is_tagged = |tag: &str| self.tags.iter().any(|pattern| fits(pattern.trim(), tag));
        let users = [record.user_id, record.service_user_id];
        self.created.contains(&record.created)
            && self.org.is_none_or(|org| record.org == Some(org))
            && (self.tags.is_empty() || { tags }.any(is_tagged))
            && (self.users.is_empty() || users.into_iter().flatten().any(|user| is_of(self.users, user)))
    }
}

impl FramesBuilder {
    /// Takes over the sessions of stored tables that are in question, numbered from
    /// `first` on, and gives how many they are. Titles and addresses of sessions may be missing as columns.
    ///
    /// # Errors
    /// A table is not as it should be, or tells of a session that is not there.
    pub fn push_tables(
        &mut self,
        first: u32,
        tables: &Tables,
        wanted: &Wanted<'_>,
    ) -> Result<u64, FrameError> {
        self.next_row = first;
        // Nobody has counted these ids.
        self.repeats = true;
        let Tables([sessions, pull_requests, tags, issues, action_items]) = tables;
        let sessions = Sessions::of(sessions).map_err(failed("sessions"))?;
        let mut entries =
            Hanging::of(pull_requests, [c::STATE, c::ADDRESS]).map_err(failed("pull requests"))?;
        let mut tags = Hanging::of(tags, [c::TAG, c::TAG]).map_err(failed("tags"))?;
        let mut issues = Hanging::of(issues, [c::IMPACT, c::LABEL]).map_err(failed("issues"))?;
        let mut items = Hanging::of(action_items, [c::TYPE, c::TYPE]).map_err(failed("action items"))?;
        let mut taken = 0;
        for row in 0..sessions.rows {
            let record = sessions.record(row);
            let own_tags = tags.next(record.id).filter_map(|[tag, _]| tag);
            let (entries, issues, items) =
                (entries.next(record.id), issues.next(record.id), items.next(record.id));
            // Tags and addresses of a session are compared with each other.
            if own_tags.clone().count().max(entries.clone().count()) > MOST_ENTRIES {
                return Err(failed("tags")(polars_err!(ComputeError: "a session has too many")));
            }
            if !wanted.takes(&record, own_tags.clone()) {
                continue;
            }
            let parts = Parts {
                tags: own_tags,
                pull_requests: entries
                    .map(|[state, address]| (address.and_then(normal::address), normal::state(state))),
                issues: issues.map(|[impact, label]| (normal::impact(impact), label)),
                action_items: items.map(|[kind, _]| kind),
            };
            self.session(taken, &record, parts, None);
            taken += 1;
        }
        entries.end().map_err(failed("pull requests"))?;
        tags.end().map_err(failed("tags"))?;
        issues.end().map_err(failed("issues"))?;
        items.end().map_err(failed("action items"))?;
        Ok(taken)
    }
}

/// The columns of the sessions, to be read row by row.
struct Sessions<'t> {
    rows: usize,
    id: &'t StringChunked,
    created: &'t Int64Chunked,
    updated: &'t Int64Chunked,
    org: &'t StringChunked,
    user_id: &'t StringChunked,
    service_user_id: &'t StringChunked,
    status: &'t StringChunked,
    acus: &'t Float64Chunked,
    origin: &'t StringChunked,
    size: &'t StringChunked,
    category: &'t StringChunked,
    limited: &'t BooleanChunked,
    messages: &'t Int64Chunked,
    analysed: &'t BooleanChunked,
    feedback: &'t Int64Chunked,
    unreadable: &'t Int64Chunked,
    /// Left out where nobody will read them.
    title: Option<&'t StringChunked>,
    url: Option<&'t StringChunked>,
}

impl<'t> Sessions<'t> {
    fn of(table: &'t DataFrame) -> PolarsResult<Self> {
        let texts = |name| texts(table, name);
        Ok(Self {
            rows: table.height(),
            id: texts(c::SESSION)?,
            created: table.column(c::CREATED)?.datetime()?.physical(),
            updated: table.column(c::UPDATED)?.datetime()?.physical(),
            org: texts(c::ORG)?,
            user_id: texts(c::USER_ID)?,
            service_user_id: texts(c::SERVICE_USER_ID)?,
            status: texts(c::STATUS)?,
            acus: table.column(c::ACUS)?.f64()?,
            origin: texts(c::ORIGIN)?,
            size: texts(c::SIZE)?,
            category: texts(c::CATEGORY)?,
            limited: table.column(c::LIMITED)?.bool()?,
            messages: table.column(c::MESSAGES)?.i64()?,
            analysed: table.column(c::ANALYSED)?.bool()?,
            feedback: table.column(c::FEEDBACK)?.i64()?,
            unreadable: table.column(c::UNREADABLE)?.i64()?,
            title: texts(c::TITLE).ok(),
            url: texts(c::URL).ok(),
        })
    }

    /// A row below `rows`.
    fn record(&self, row: usize) -> Record<'t> {
        let count = |column: &Int64Chunked| u32::try_from(column.get(row)?).ok();
        Record {
            id: self.id.get(row).unwrap_or_default(),
            created: self.created.get(row).unwrap_or_default(),
            updated: self.updated.get(row),
            org: self.org.get(row),
            user_id: self.user_id.get(row),
            service_user_id: self.service_user_id.get(row),
            status: self.status.get(row),
            acus: self.acus.get(row).filter(|acus| acus.is_finite() && *acus >= 0.0),
            origin: self.origin.get(row),
            size: self.size.get(row),
            category: self.category.get(row),
            limited: self.limited.get(row).unwrap_or_default(),
            messages: count(self.messages),
            title: self.title.and_then(|title| title.get(row)),
            url: self.url.and_then(|url| url.get(row)),
            analysed: self.analysed.get(row).unwrap_or_default(),
            feedback: count(self.feedback).unwrap_or_default(),
            unreadable: count(self.unreadable).unwrap_or_default(),
        }
    }
}

fn texts<'t>(table: &'t DataFrame, name: &str) -> PolarsResult<&'t StringChunked> {
    table.column(name)?.str()
}

/// Two columns of what hangs on sessions, in the order of those.
struct Hanging<'t> {
    rows: usize,
    sessions: &'t StringChunked,
    columns: [&'t StringChunked; 2],
    /// The first row of the next session.
    row: usize,
}

impl<'t> Hanging<'t> {
    fn of(table: &'t DataFrame, columns: [&str; 2]) -> PolarsResult<Self> {
        let [first, second] = columns;
        let columns = [texts(table, first)?, texts(table, second)?];
        Ok(Self { rows: table.height(), sessions: texts(table, c::SESSION)?, columns, row: 0 })
    }

    /// The cells of a session; each must be asked about once, in order.
    fn next(&mut self, id: &str) -> impl Iterator<Item = [Option<&'t str>; 2]> + Clone + use<'t> {
        let begin = self.row;
        while self.row < self.rows && self.sessions.get(self.row) == Some(id) {
            self.row += 1;
        }
        let columns = self.columns;
        (begin..self.row).map(move |row| columns.map(|column| column.get(row)))
    }

    /// Whether every row was some session's.
    fn end(&self) -> PolarsResult<()> {
        match self.row == self.rows {
            true => Ok(()),
            false => Err(polars_err!(ComputeError: "row {} is of no session in its place", self.row)),
        }
    }
}
