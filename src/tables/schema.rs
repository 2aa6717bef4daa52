//! Every table and column, once: its name, its type, its meaning, and where it is kept.
//! `docs/schema.md` is made from here.
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

/// Label of the period that a session was created in; null for none of the report's. Derived.
pub const PERIOD: &str = "period";
/// Who started a session: the service user, else the person, or null. Derived.
pub const USER: &str = "user";
/// What the report calls a user, or null. Derived.
pub const USER_NAME: &str = "user_name";
/// Team of a session, or null. Derived; null throughout without teams.
pub const TEAM: &str = "team";
/// Whether tags of a session are of several teams. Derived; null throughout without rules for tags.
pub const SEVERAL_TEAMS: &str = "several_teams";
/// Cost centre of a session's user at its creation, or null. Derived; null throughout without
/// cost centres.
pub const COST_CENTRE: &str = "cost_centre";
/// Whether no person started a session. Derived.
pub const AUTOMATION: &str = "automation";
/// Tags of a session. Derived.
pub const TAG_COUNT: &str = "tag_count";
/// Distinct pull requests of a session. Derived.
pub const PR_COUNT: &str = "pr_count";
/// What a session cost in money, or null. Derived.
pub const SPEND: &str = "spend";
/// The currency of [`SPEND`], or null. Derived.
pub const CURRENCY: &str = "currency";
/// Number of a pull request, the same in all its rows of a file; null for an entry without
/// an address. Derived.
pub const PULL_REQUEST: &str = "pull_request";
/// Whether a pull request counts for this session. Derived.
pub const CREDITED: &str = "credited";

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
    /// In exports only: derived from the frames of a report.
    Exports,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// Its type.
    pub column_type: ColumnType,
    /// What it holds, for `docs/schema.md`.
    pub meaning: &'static str,
    /// What a missing value means; `None` if every row has a value.
    pub null: Option<&'static str>,
    /// Where it is kept.
    pub place: Place,
    /// Whether exports have it.
    pub is_exported: bool,
    /// The version of the archive that added it; files of older ones lack it.
    pub since: u32,
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec {
    /// Its name, the same everywhere.
    pub name: &'static str,
    /// What a row is, for `docs/schema.md`.
    pub row: &'static str,
    /// Its columns, in order.
    pub columns: &'static [ColumnSpec],
    /// The version of the archive that added it.
    pub since: u32,
}

impl TableSpec {
    /// Its columns on disk.
    pub fn on_disk(&self) -> impl Iterator<Item = &'static ColumnSpec> + use<> {
        self.columns.iter().filter(|column| matches!(column.place, Place::Everywhere | Place::Disk))
    }

    /// Its columns in memory.
    pub fn in_memory(&self) -> impl Iterator<Item = &'static ColumnSpec> + use<> {
        self.columns.iter().filter(|column| matches!(column.place, Place::Everywhere | Place::Memory))
    }

    /// Its columns in exports.
    pub fn exported(&self) -> impl Iterator<Item = &'static ColumnSpec> + use<> {
        self.columns.iter().filter(|column| column.is_exported)
    }

    /// Whether older archives lack it.
    pub fn is_added(&self) -> bool {
        self.since > 1
    }
}

/// A column of which every row has a value, in memory, on disk and in exports.
const fn column(name: &'static str, column_type: ColumnType, meaning: &'static str) -> ColumnSpec {
    let place = Place::Everywhere;
    ColumnSpec { name, column_type, meaning, null: None, place, is_exported: true, since: 1 }
}

const fn category(name: &'static str, meaning: &'static str) -> ColumnSpec {
    column(name, ColumnType::Category(name), meaning)
}

/// A column that exports derive from the frames of a report.
const fn derived(name: &'static str, column_type: ColumnType, meaning: &'static str) -> ColumnSpec {
    ColumnSpec { place: Place::Exports, ..column(name, column_type, meaning) }
}

impl ColumnSpec {
    /// Whether a row may lack a value.
    pub fn is_nullable(&self) -> bool {
        self.null.is_some()
    }

    /// Whether files of older archives lack it.
    pub fn is_added(&self) -> bool {
        self.since > 1
    }

    /// A row may lack a value, which means this.
    const fn null(self, meaning: &'static str) -> Self {
        Self { null: Some(meaning), ..self }
    }

    /// On disk, and not in memory: exports have their own copy of it.
    const fn on_disk_only(self) -> Self {
        Self { place: Place::Disk, ..self }
    }

    const fn in_memory_only(self) -> Self {
        Self { place: Place::Memory, is_exported: false, ..self }
    }

    /// Exports do not have it.
    const fn archive_only(self) -> Self {
        Self { is_exported: false, ..self }
    }

    /// Archives have it since this version.
    const fn since(self, version: u32) -> Self {
        Self { since: version, ..self }
    }
}

/// The period of a session, in every exported table.
const OF_PERIOD: ColumnSpec = derived(
    PERIOD,
    ColumnType::Text,
    "period of the report that the session was created in, such as `2026-W41`",
)
.null("in none of them");
/// The user of a session, in every exported table.
const OF_USER: ColumnSpec =
    derived(USER, ColumnType::Text, "id of the service user, else of the person, that started the session")
        .null("not in the record");

/// One row a session, by creation, then by id.
pub const SESSIONS: TableSpec = TableSpec {
    name: "sessions",
    row: "a session",
    columns: &[
        column(SESSION, ColumnType::Text, "id of the session, without the prefix `devin-`"),
        column(CREATED, ColumnType::Moment, "creation"),
        OF_PERIOD,
        OF_USER,
        derived(USER_NAME, ColumnType::Text, "what the report calls the user").null("no name or email known"),
        column(UPDATED, ColumnType::Moment, "last change").null("not readable"),
        derived(TEAM, ColumnType::Text, "team, by the rules of the report").null("no team, or no rules"),
        derived(
            COST_CENTRE,
            ColumnType::Text,
            "cost centre of the user when the session was created, by the people file",
        )
        .null("no cost centre, or no people file"),
        category(ORG, "id of the organisation").null("not in the record"),
        column(USER_ID, ColumnType::Category(USER), "id of the person that started the session")
            .null("none")
            .archive_only(),
        column(
            SERVICE_USER_ID,
            ColumnType::Category(USER),
            "id of the service user that started the session",
        )
        .null("none")
        .archive_only(),
        derived(AUTOMATION, ColumnType::Flag, "whether no person started the session"),
        category(STATUS, "status").null("not in the record"),
        category(STATUS_DETAIL, "reason of the status; v3 only").null("none").since(5),
        column(ACUS, ColumnType::Number, "ACUs").null("unknown"),
        derived(SPEND, ColumnType::Number, "ACUs times the price on the local day of creation")
            .null("no price on that day, unknown ACUs, or an account that is not metered"),
        derived(CURRENCY, ColumnType::Text, "ISO 4217 code of the currency of `spend`").null("no prices"),
        category(ORIGIN, "where the session was started from; v3 only").null("not in the record"),
        category(SIZE, "Devin's size of the session; v3 only").null("not in the record"),
        category(CATEGORY, "kind of work; v3 only").null("not in the record"),
        category(PLAYBOOK, "id of the playbook that the session follows; v3 only").null("none").since(5),
        category(MODE, "mode that Devin worked in; v3 only").null("not in the record").since(5),
        column(LIMITED, ColumnType::Flag, "whether the session is suspended because a limit was reached"),
        column(MESSAGES, ColumnType::Count, "messages that people wrote; v3 only").null("not in the record"),
        column(ANALYSED, ColumnType::Flag, "whether the session has an analysis"),
        column(FEEDBACK, ColumnType::Count, "remarks of the analysis on the prompt"),
        column(UNREADABLE, ColumnType::Count, "fields of the record that could not be read")
            .archive_only()
            .since(2),
        derived(TAG_COUNT, ColumnType::Count, "distinct tags"),
        derived(PR_COUNT, ColumnType::Count, "distinct pull requests that the session lists"),
        column(TITLE, ColumnType::Text, "title").null("none; in exports also outside the report's period"),
        column(URL, ColumnType::Text, "address of the session")
            .null("none; in exports also outside the report's period"),
        column(PROMPT, ColumnType::Text, "prompt").null("not to be printed").in_memory_only(),
    ],
    since: 1,
};

/// Joins a child row to its session.
const OF_ROW: ColumnSpec =
    column(ROW, ColumnType::Row, "place of the session in the `sessions` file of the same month, from 0")
        .archive_only()
        .since(4);
/// Id of the session of a child row, for readers that join by it.
const OF_SESSION: ColumnSpec = column(SESSION, ColumnType::Text, "id of the session").on_disk_only();
/// Creation of the session of a child row.
const OF_CREATED: ColumnSpec = column(CREATED, ColumnType::Moment, "creation of the session").on_disk_only();
/// The repository of the session of a child row.
const OF_REPO: ColumnSpec = derived(
    REPO,
    ColumnType::Text,
    "repository that most pull requests of the session are in; of several the first by name",
)
.null("the session lists none in a known repository");
/// What an issue, an action item or a remark says. Texts of many rows are alike, and most rows
/// of a report have none: a category takes four bytes there, a text sixteen.
const OF_TEXT: ColumnSpec = category(TEXT, "what it says, up to 2,000 characters")
    .null("none; in exports also outside the report's period");

/// One row a pull request entry of a session.
pub const PULL_REQUESTS: TableSpec = TableSpec {
    name: "pull_requests",
    row: "a pull request that a session lists; several sessions can list the same one",
    columns: &[
        OF_ROW,
        OF_SESSION,
        OF_CREATED,
        OF_PERIOD,
        OF_USER,
        derived(
            PULL_REQUEST,
            ColumnType::Count,
            "number of the pull request in this file, the same in all its rows",
        )
        .null("the entry has no address"),
        column(
            STATE,
            ColumnType::State,
            "`merged`, `closed`, `open`, `draft` or `unknown`; in exports, of rows of one pull request and \
             period that differ, the first of these in all of them",
        ),
        category(REPO, "repository: host and path, or `unknown`").null("the entry has no address"),
        column(ADDRESS, ColumnType::Text, "address, the same for all spellings").null("the entry has none"),
        derived(
            CREDITED,
            ColumnType::Flag,
            "whether the pull request counts for this session: the earliest session of the period that lists \
             it, then the smallest id. True in one row of each pull request and period",
        ),
        column(UNDECIDED_UNTIL, ColumnType::Moment, "beginning of the last sync that saw it undecided")
            .null("none did")
            .archive_only()
            .since(5),
        column(DECIDED_BY, ColumnType::Moment, "beginning of the first sync that saw it merged or closed")
            .null("undecided, or decided before the archive had schema 5")
            .archive_only()
            .since(5),
    ],
    since: 1,
};

/// One row a session and tag.
pub const TAGS: TableSpec = TableSpec {
    name: "tags",
    row: "a session and one of its distinct tags",
    columns: &[OF_ROW, OF_SESSION, OF_CREATED, OF_PERIOD, OF_USER, category(TAG, "tag")],
    since: 1,
};

/// One row an issue of a session's analysis.
pub const ISSUES: TableSpec = TableSpec {
    name: "issues",
    row: "an issue in the analysis of a session",
    columns: &[
        OF_ROW,
        OF_SESSION,
        OF_CREATED,
        OF_PERIOD,
        OF_USER,
        OF_REPO,
        column(IMPACT, ColumnType::Impact, "`high`, `medium`, `low` or `other`"),
        category(LABEL, "label").null("none"),
        OF_TEXT.since(5),
    ],
    since: 1,
};

/// One row an action item of a session's analysis.
pub const ACTION_ITEMS: TableSpec = TableSpec {
    name: "action_items",
    row: "an action item in the analysis of a session",
    columns: &[
        OF_ROW,
        OF_SESSION,
        OF_CREATED,
        OF_PERIOD,
        OF_USER,
        OF_REPO,
        category(TYPE, "type").null("none"),
        column(
            ISSUE,
            ColumnType::Count,
            "place of the issue that it is about among those of the session, from 0; v3 only",
        )
        .null("none known")
        .archive_only()
        .since(5),
        OF_TEXT.since(5),
    ],
    since: 1,
};

/// One row a remark of a session's analysis on the prompt; in memory those of sessions
/// that may be named.
pub const REMARKS: TableSpec = TableSpec {
    name: "feedback",
    row: "a remark on the prompt in the analysis of a session",
    columns: &[OF_ROW, OF_SESSION, OF_CREATED, OF_PERIOD, OF_USER, OF_REPO, OF_TEXT],
    since: 5,
};

/// How many tables there are.
pub const COUNT: usize = 6;

/// All tables, sessions first.
pub const TABLES: [TableSpec; COUNT] = [SESSIONS, PULL_REQUESTS, TAGS, ISSUES, ACTION_ITEMS, REMARKS];

/// Their names.
pub const NAMES: [&str; COUNT] =
    [SESSIONS.name, PULL_REQUESTS.name, TAGS.name, ISSUES.name, ACTION_ITEMS.name, REMARKS.name];

/// The columns that only sessions which may be named have values in.
pub const OF_NAMED: [&str; 4] = [TITLE, URL, TEXT, ISSUE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_know_no_column_that_is_newer_than_they_are() {
        for table in TABLES {
            assert!(table.since <= VERSION, "{}", table.name);
            assert!(table.columns.iter().all(|column| (1..=VERSION).contains(&column.since)));
        }
    }
}
