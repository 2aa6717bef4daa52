//! Every table and column, once: its name, its type, and where it is kept.
//!
//! The same tables are in memory, in the archive and, with what a report derives
//! from them, in the Parquet exports. Texts that repeat are categoricals in memory
//! and plain strings on disk.

use polars::prelude::*;

use super::normal::{IMPACTS, STATES};

/// Version of the tables in an archive. A new column or another meaning of one raises it.
pub const VERSION: u32 = 5;

/// Place of a session in the order of sessions: by creation, then by id. Child
/// tables are joined by it; in an archive it counts within one month.
pub const ROW: &str = "row";

/// Session id without prefix.
pub const SESSION: &str = "session";
/// Creation.
pub const CREATED: &str = "created";
/// Last change; null where it could not be read.
pub const UPDATED: &str = "updated";
/// Id of the organisation, or null.
pub const ORG: &str = "org";
/// Id of the person that started the session, or null.
pub const USER_ID: &str = "user_id";
/// Id of the service user that started the session, or null.
pub const SERVICE_USER_ID: &str = "service_user_id";
/// Status as the API gave it, or null.
pub const STATUS: &str = "status";
/// The reason of the status as the API gave it, or null; v3 only.
pub const STATUS_DETAIL: &str = "status_detail";
/// ACUs, finite and not negative; null is unknown.
pub const ACUS: &str = "acus";
/// Where the session was started from, or null; v3 only.
pub const ORIGIN: &str = "origin";
/// The vendor's size of the session, or null; v3 only.
pub const SIZE: &str = "size";
/// Kind of work, or null; v3 only.
pub const CATEGORY: &str = "category";
/// Id of the playbook that the session follows, or null; v3 only.
pub const PLAYBOOK: &str = "playbook";
/// The mode that Devin worked in, or null; v3 only.
pub const MODE: &str = "mode";
/// Whether the session is suspended because a limit was reached; v3 only.
pub const LIMITED: &str = "limited";
/// Messages that people wrote in the session, or null; v3 only.
pub const MESSAGES: &str = "messages";
/// Whether the session has an analysis.
pub const ANALYSED: &str = "analysed";
/// Remarks of the analysis on the prompt.
pub const FEEDBACK: &str = "feedback";
/// Fields of the session that could not be read.
pub const UNREADABLE: &str = "unreadable";
/// Title, or null.
pub const TITLE: &str = "title";
/// Address of the session, or null.
pub const URL: &str = "url";
/// Prompt, where prompts are to be printed; else null. Never on disk.
pub const PROMPT: &str = "prompt";

/// State of a pull request: of disagreeing rows the first of [`STATES`] counts.
pub const STATE: &str = "state";
/// Repository: host and path; null for an entry without an address.
pub const REPO: &str = "repo";
/// Canonical address of a pull request; null for an entry without one.
pub const ADDRESS: &str = "address";
/// Tag, trimmed; distinct within its session.
pub const TAG: &str = "tag";
/// Impact of an issue.
pub const IMPACT: &str = "impact";
/// Label of an issue, or null.
pub const LABEL: &str = "label";
/// Type of an action item, or null.
pub const TYPE: &str = "type";
/// What an issue, an action item or a remark on the prompt says, or null: customer text,
/// of sessions that may be named.
pub const TEXT: &str = "text";
/// The issue that an action item is about, as its place among those of the session, or
/// null; v3 only, and where there is a text.
pub const ISSUE: &str = "issue";
/// The beginning of the last sync that saw a pull request undecided; null where none did.
/// Archives only.
pub const UNDECIDED_UNTIL: &str = "undecided_until";
/// The beginning of the first sync that saw a pull request merged or closed; null while it
/// is undecided, and where that was before schema 5. Archives only.
pub const DECIDED_BY: &str = "decided_by";

/// Who started a session: the service user, else the person, or null. Derived.
pub const USER: &str = "user";
/// Team of a session, or null. Derived; null throughout without teams.
pub const TEAM: &str = "team";
/// Whether no person started a session. Derived.
pub const AUTOMATION: &str = "automation";
/// Tags of a session. Derived.
pub const TAG_COUNT: &str = "tag_count";
/// Distinct pull requests of a session. Derived.
pub const PR_COUNT: &str = "pr_count";

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text that is in few rows.
    Text,
    /// Text that is in many rows, with the name of its categories. Columns of the
    /// same categories can be compared.
    Category(&'static str),
    /// One of [`STATES`].
    State,
    /// One of [`IMPACTS`].
    Impact,
    /// UTC, microseconds.
    Moment,
    /// Finite and not negative.
    Number,
    /// From 0 to `u32::MAX`.
    Count,
    /// True or false.
    Flag,
    /// A place in the sessions table.
    Row,
}

impl ColumnType {
    /// The type in memory.
    pub fn in_memory(self) -> DataType {
        match self {
            Self::Category(name) => categories(name),
            Self::State => closed(&STATES),
            Self::Impact => closed(&IMPACTS),
            other => other.on_disk(),
        }
    }

    /// The type in an archive.
    pub fn on_disk(self) -> DataType {
        match self {
            Self::Text | Self::Category(_) | Self::State | Self::Impact => DataType::String,
            Self::Moment => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Self::Number => DataType::Float64,
            Self::Count => DataType::Int64,
            Self::Flag => DataType::Boolean,
            Self::Row => DataType::UInt32,
        }
    }
}

/// The categorical type of this name. All frames of the process share its texts as
/// long as one of them is alive; their numbers depend on the order of insertion.
pub fn categories(name: &'static str) -> DataType {
    let (name, namespace) = (PlSmallStr::from_static(name), PlSmallStr::from_static("acumen"));
    DataType::from_categories(Categories::new(name, namespace, CategoricalPhysical::U32))
}

fn closed(words: &[&'static str]) -> DataType {
    let words = FrozenCategories::new(words.iter().copied()).expect("the words are distinct");
    DataType::from_frozen_categories(words)
}

/// Where a column is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory and on disk.
    Everywhere,
    /// On disk only: a copy of the session's, for readers that join by it.
    Disk,
    /// In memory only.
    Memory,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether a row may lack a value.
    pub nullable: bool,
    /// Where it is kept.
    pub place: Place,
    /// Whether files of older archives lack it.
    pub added: bool,
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: &'static [ColumnSpec],
    /// Whether older archives lack it.
    pub added: bool,
}

impl TableSpec {
    /// Its columns on disk.
    pub fn on_disk(&self) -> impl Iterator<Item = &'static ColumnSpec> + use<> {
        self.columns.iter().filter(|column| column.place != Place::Memory)
    }

    /// Its columns in memory.
    pub fn in_memory(&self) -> impl Iterator<Item = &'static ColumnSpec> + use<> {
        self.columns.iter().filter(|column| column.place != Place::Disk)
    }
}

const fn column(name: &'static str, column_type: ColumnType) -> ColumnSpec {
    ColumnSpec { name, column_type, nullable: true, place: Place::Everywhere, added: false }
}

const fn category(name: &'static str) -> ColumnSpec {
    column(name, ColumnType::Category(name))
}

impl ColumnSpec {
    /// Every row has a value.
    const fn required(self) -> Self {
        Self { nullable: false, ..self }
    }

    const fn on_disk_only(self) -> Self {
        Self { place: Place::Disk, ..self }
    }

    const fn in_memory_only(self) -> Self {
        Self { place: Place::Memory, ..self }
    }

    /// Files of older archives lack it.
    const fn added(self) -> Self {
        Self { added: true, ..self }
    }
}

/// One row a session, by creation, then by id.
pub const SESSIONS: TableSpec = TableSpec {
    name: "sessions",
    columns: &[
        column(SESSION, ColumnType::Text).required(),
        column(CREATED, ColumnType::Moment).required(),
        column(UPDATED, ColumnType::Moment),
        category(ORG),
        column(USER_ID, ColumnType::Category(USER)),
        column(SERVICE_USER_ID, ColumnType::Category(USER)),
        category(STATUS),
        // Since schema 5 of the archive, as are the playbook and the mode.
        category(STATUS_DETAIL).added(),
        column(ACUS, ColumnType::Number),
        category(ORIGIN),
        category(SIZE),
        category(CATEGORY),
        category(PLAYBOOK).added(),
        category(MODE).added(),
        column(LIMITED, ColumnType::Flag).required(),
        column(MESSAGES, ColumnType::Count),
        column(ANALYSED, ColumnType::Flag).required(),
        column(FEEDBACK, ColumnType::Count).required(),
        // Since schema 2 of the archive.
        column(UNREADABLE, ColumnType::Count).required().added(),
        column(TITLE, ColumnType::Text),
        column(URL, ColumnType::Text),
        column(PROMPT, ColumnType::Text).in_memory_only(),
    ],
    added: false,
};

/// Joins a child row to its session; since schema 4 of the archive.
const OF_ROW: ColumnSpec = column(ROW, ColumnType::Row).required().added();
/// Id of the session of a child row, for readers that join by it.
const OF_SESSION: ColumnSpec = column(SESSION, ColumnType::Text).required().on_disk_only();
/// Creation of the session of a child row.
const OF_CREATED: ColumnSpec = column(CREATED, ColumnType::Moment).required().on_disk_only();

/// One row a pull request entry of a session.
pub const PULL_REQUESTS: TableSpec = TableSpec {
    name: "pull_requests",
    columns: &[
        OF_ROW,
        OF_SESSION,
        OF_CREATED,
        column(STATE, ColumnType::State).required(),
        category(REPO),
        column(ADDRESS, ColumnType::Text),
        // Since schema 5.
        column(UNDECIDED_UNTIL, ColumnType::Moment).added(),
        column(DECIDED_BY, ColumnType::Moment).added(),
    ],
    added: false,
};

/// One row a session and tag.
pub const TAGS: TableSpec = TableSpec {
    name: "tags",
    columns: &[OF_ROW, OF_SESSION, OF_CREATED, category(TAG).required()],
    added: false,
};

/// One row an issue of a session's analysis.
pub const ISSUES: TableSpec = TableSpec {
    name: "issues",
    columns: &[
        OF_ROW,
        OF_SESSION,
        OF_CREATED,
        column(IMPACT, ColumnType::Impact).required(),
        category(LABEL),
        // Since schema 5, as are those of action items. Texts of many rows are alike, and
        // most rows of a report have none: a category takes four bytes there, a text sixteen.
        category(TEXT).added(),
    ],
    added: false,
};

/// One row an action item of a session's analysis.
pub const ACTION_ITEMS: TableSpec = TableSpec {
    name: "action_items",
    columns: &[
        OF_ROW,
        OF_SESSION,
        OF_CREATED,
        category(TYPE),
        column(ISSUE, ColumnType::Count).added(),
        category(TEXT).added(),
    ],
    added: false,
};

/// One row a remark of a session's analysis on the prompt; in memory those of sessions
/// that may be named. Since schema 5 of the archive.
pub const REMARKS: TableSpec =
    TableSpec { name: "feedback", columns: &[OF_ROW, OF_SESSION, OF_CREATED, category(TEXT)], added: true };

/// How many tables there are.
pub const COUNT: usize = 6;

/// All tables, sessions first.
pub const TABLES: [TableSpec; COUNT] = [SESSIONS, PULL_REQUESTS, TAGS, ISSUES, ACTION_ITEMS, REMARKS];

/// Their names.
pub const NAMES: [&str; COUNT] =
    [SESSIONS.name, PULL_REQUESTS.name, TAGS.name, ISSUES.name, ACTION_ITEMS.name, REMARKS.name];

/// The columns that only sessions which may be named have values in.
pub const OF_NAMED: [&str; 4] = [TITLE, URL, TEXT, ISSUE];
