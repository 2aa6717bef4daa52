//! Stored tables to frames.

use std::borrow::Cow;
use std::ops::Range;

use polars::prelude::*;

use super::{Tables, failed};
use crate::frame::columns as c;
use crate::frame::normal;
use crate::frame::record::{Parts, Record};
use crate::frame::{FrameError, FramesBuilder};

/// Which sessions of stored tables are in question: as [`crate::fetch`] judges them.
#[derive(Clone, Debug)]
pub struct Wanted<'q> {
    /// When they were created: UTC, microseconds.
    pub created: Range<i64>,
    /// Only those of this organisation.
    pub org: Option<&'q str>,
    /// Only those with any of these tags; empty is all.
    pub tags: &'q [String],
    /// Only those of any of these users; empty is all.
    pub users: &'q [String],
}

impl Wanted<'_> {
    fn takes<'t>(&self, record: &Record<'_>, tags: impl Iterator<Item = &'t str>) -> bool {
        let is_of = |wanted: &[String], text: &str| wanted.iter().any(|one| one.trim() == text);
        let users = [record.user_id, record.service_user_id];
        self.created.contains(&record.created)
            && self.org.is_none_or(|org| record.org == Some(org))
            && (self.tags.is_empty() || { tags }.any(|tag| is_of(self.tags, tag)))
            && (self.users.is_empty() || users.into_iter().flatten().any(|user| is_of(self.users, user)))
    }
}

impl FramesBuilder {
    /// Takes over the sessions of stored tables that are in question, and gives
    /// how many they are. Titles and addresses of sessions may be missing as columns.
    ///
    /// # Errors
    /// A table is not as it should be, or tells of a session that is not there.
    pub fn push_tables(&mut self, tables: &Tables, wanted: &Wanted<'_>) -> Result<u64, FrameError> {
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
            if !wanted.takes(&record, own_tags.clone()) {
                continue;
            }
            let parts = Parts {
                tags: own_tags,
                pull_requests: entries
                    .map(|[state, address]| (address.map(Cow::Borrowed), normal::state(state))),
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

type Texts<'t> = Vec<Option<&'t str>>;

/// The columns of the sessions, to be read row by row.
struct Sessions<'t> {
    rows: usize,
    id: Texts<'t>,
    created: Vec<Option<i64>>,
    updated: Vec<Option<i64>>,
    org: Texts<'t>,
    user_id: Texts<'t>,
    service_user_id: Texts<'t>,
    status: Texts<'t>,
    acus: Vec<Option<f64>>,
    origin: Texts<'t>,
    size: Texts<'t>,
    category: Texts<'t>,
    limited: Vec<Option<bool>>,
    messages: Vec<Option<i64>>,
    analysed: Vec<Option<bool>>,
    feedback: Vec<Option<i64>>,
    title: Texts<'t>,
    url: Texts<'t>,
}

impl<'t> Sessions<'t> {
    fn of(table: &'t DataFrame) -> PolarsResult<Self> {
        let texts = |name| texts(table, name);
        let numbers = |name| PolarsResult::Ok(table.column(name)?.i64()?.iter().collect());
        let flags = |name| PolarsResult::Ok(table.column(name)?.bool()?.iter().collect());
        let moments = |name| PolarsResult::Ok(table.column(name)?.datetime()?.physical().iter().collect());
        // Left out where nobody will read them.
        let perhaps = |name| if table.column(name).is_ok() { texts(name) } else { Ok(Vec::new()) };
        Ok(Self {
            rows: table.height(),
            id: texts(c::SESSION)?,
            created: moments(c::CREATED)?,
            updated: moments(c::UPDATED)?,
            org: texts(c::ORG)?,
            user_id: texts(c::USER_ID)?,
            service_user_id: texts(c::SERVICE_USER_ID)?,
            status: texts(c::STATUS)?,
            acus: table.column(c::ACUS)?.f64()?.iter().collect(),
            origin: texts(c::ORIGIN)?,
            size: texts(c::SIZE)?,
            category: texts(c::CATEGORY)?,
            limited: flags(c::LIMITED)?,
            messages: numbers(c::MESSAGES)?,
            analysed: flags(c::ANALYSED)?,
            feedback: numbers(c::FEEDBACK)?,
            title: perhaps(c::TITLE)?,
            url: perhaps(c::URL)?,
        })
    }

    fn record(&self, row: usize) -> Record<'t> {
        let count = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
        Record {
            id: at(&self.id, row).unwrap_or_default(),
            created: at(&self.created, row).unwrap_or_default(),
            updated: at(&self.updated, row),
            org: at(&self.org, row),
            user_id: at(&self.user_id, row),
            service_user_id: at(&self.service_user_id, row),
            status: at(&self.status, row),
            acus: at(&self.acus, row),
            origin: at(&self.origin, row),
            size: at(&self.size, row),
            category: at(&self.category, row),
            limited: at(&self.limited, row).unwrap_or_default(),
            messages: count(at(&self.messages, row)),
            title: at(&self.title, row),
            url: at(&self.url, row),
            analysed: at(&self.analysed, row).unwrap_or_default(),
            feedback: count(at(&self.feedback, row)).unwrap_or_default(),
        }
    }
}

/// A cell; null where there is no such row.
fn at<T: Copy>(column: &[Option<T>], row: usize) -> Option<T> {
    column.get(row).copied().flatten()
}

fn texts<'t>(table: &'t DataFrame, name: &str) -> PolarsResult<Texts<'t>> {
    Ok(table.column(name)?.str()?.iter().collect())
}

/// Two columns of what hangs on sessions, in the order of those.
struct Hanging<'t> {
    sessions: Texts<'t>,
    columns: [Texts<'t>; 2],
    /// The first row of the next session.
    row: usize,
}

impl<'t> Hanging<'t> {
    fn of(table: &'t DataFrame, columns: [&str; 2]) -> PolarsResult<Self> {
        let [first, second] = columns;
        let columns = [texts(table, first)?, texts(table, second)?];
        Ok(Self { sessions: texts(table, c::SESSION)?, columns, row: 0 })
    }

    /// The cells of a session; each must be asked about once, in order.
    fn next<'h>(&'h mut self, id: &str) -> impl Iterator<Item = [Option<&'t str>; 2]> + Clone + use<'t, 'h> {
        let begin = self.row;
        while self.sessions.get(self.row).is_some_and(|own| *own == Some(id)) {
            self.row += 1;
        }
        let [first, second] = &self.columns;
        let (first, second) = (first.get(begin..self.row), second.get(begin..self.row));
        let rows = first.unwrap_or_default().iter().zip(second.unwrap_or_default());
        rows.map(|(first, second)| [*first, *second])
    }

    /// Whether every row was some session's.
    fn end(&self) -> PolarsResult<()> {
        match self.sessions.get(self.row) {
            None => Ok(()),
            Some(_) => Err(polars_err!(ComputeError: "row {} is of no session in its place", self.row)),
        }
    }
}
