//! Columns that grow row by row.

use polars::prelude::*;

use super::columns as c;
use super::record::Record;
use super::words::Registers;

type Strings = StringChunkedBuilder;
type Numbers<T> = PrimitiveChunkedBuilder<T>;

/// Columns that grow, and the frame that they become.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $builder:ty = $column:expr),* $(,)? }) => {
        $(#[$doc])*
        pub(super) struct $name { $(pub(super) $field: $builder),* }

        impl $name {
            pub(super) fn new() -> Self {
                Self { $($field: <$builder>::new($column.into(), 0)),* }
            }

            pub(super) fn finish(self) -> PolarsResult<DataFrame> {
                DataFrame::new_infer_height(vec![$(self.$field.finish().into_column()),*])
            }
        }
    };
}

pub(super) use table;

table! {
    /// One row a session, duplicates included.
    Sessions {
        row: Numbers<UInt32Type> = c::ROW,
        position: Numbers<UInt64Type> = c::POSITION,
        id: Strings = c::ID,
        created: Numbers<Int64Type> = c::CREATED,
        updated: Numbers<Int64Type> = c::UPDATED,
        org: Numbers<UInt32Type> = c::ORG,
        user: Numbers<UInt32Type> = c::USER,
        team: Numbers<UInt32Type> = c::TEAM,
        automation: BooleanChunkedBuilder = c::AUTOMATION,
        status: Numbers<UInt32Type> = c::STATUS,
        acus: Numbers<Float64Type> = c::ACUS,
        origin: Numbers<UInt32Type> = c::ORIGIN,
        size: Numbers<UInt32Type> = c::SIZE,
        category: Numbers<UInt32Type> = c::CATEGORY,
        limited: BooleanChunkedBuilder = c::LIMITED,
        messages: Numbers<UInt32Type> = c::MESSAGES,
        analysed: BooleanChunkedBuilder = c::ANALYSED,
        feedback: Numbers<UInt32Type> = c::FEEDBACK,
        unreadable: Numbers<UInt32Type> = c::UNREADABLE,
        tag_count: Numbers<UInt32Type> = c::TAG_COUNT,
        pr_count: Numbers<UInt32Type> = c::PR_COUNT,
    }
}

table! {
    /// One row a session that may be named, duplicates included.
    Names {
        row: Numbers<UInt32Type> = c::ROW,
        title: Strings = c::TITLE,
        url: Strings = c::URL,
        prompt: Strings = c::PROMPT,
    }
}

table! {
    /// One row a pull request entry.
    PullRequests {
        row: Numbers<UInt32Type> = c::ROW,
        address: Numbers<UInt32Type> = c::ADDRESS,
        repo: Numbers<UInt32Type> = c::REPO,
        state: Numbers<UInt32Type> = c::STATE,
    }
}

table! {
    /// One row a session and distinct tag.
    Tags {
        row: Numbers<UInt32Type> = c::ROW,
        tag: Numbers<UInt32Type> = c::TAG,
    }
}

table! {
    /// One row an issue, with what it is grouped by of its session.
    Issues {
        row: Numbers<UInt32Type> = c::ROW,
        created: Numbers<Int64Type> = c::CREATED,
        user: Numbers<UInt32Type> = c::USER,
        impact: Numbers<UInt32Type> = c::IMPACT,
        label: Numbers<UInt32Type> = c::LABEL,
    }
}

table! {
    /// One row an action item.
    ActionItems {
        row: Numbers<UInt32Type> = c::ROW,
        created: Numbers<Int64Type> = c::CREATED,
        kind: Numbers<UInt32Type> = c::TYPE,
    }
}

/// What the rows that hang on a session tell of it.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    /// Its row.
    pub key: u32,
    /// Its creation: UTC, microseconds.
    pub created: i64,
    /// Number of who started it.
    pub user: Option<u32>,
}

impl Sessions {
    /// `counts` are those of distinct tags and pull requests.
    pub(super) fn push(
        &mut self,
        owner: Owner,
        position: u64,
        record: &Record<'_>,
        counts: (u32, u32),
        team: Option<&str>,
        registers: &mut Registers,
    ) {
        let (tags, pull_requests) = counts;
        self.row.append_value(owner.key);
        self.position.append_value(position);
        self.id.append_value(record.id);
        self.created.append_value(owner.created);
        self.updated.append_option(record.updated);
        self.org.append_option(record.org.map(|org| registers.org.number(org)));
        self.user.append_option(owner.user);
        self.team.append_option(team.map(|team| registers.team.number(team)));
        self.automation.append_value(record.is_automation());
        self.status.append_option(record.status.map(|status| registers.status.number(status)));
        self.acus.append_option(record.acus);
        self.origin.append_option(record.origin.map(|origin| registers.origin.number(origin)));
        self.size.append_option(record.size.map(|size| registers.size.number(size)));
        self.category.append_option(record.category.map(|category| registers.category.number(category)));
        self.limited.append_value(record.limited);
        self.messages.append_option(record.messages);
        self.analysed.append_value(record.analysed);
        self.feedback.append_value(record.feedback);
        self.unreadable.append_value(record.unreadable);
        self.tag_count.append_value(tags);
        self.pr_count.append_value(pull_requests);
    }
}

impl Names {
    pub(super) fn push(&mut self, key: u32, record: &Record<'_>, prompt: Option<&str>) {
        self.row.append_value(key);
        self.title.append_option(record.title);
        self.url.append_option(record.url);
        self.prompt.append_option(prompt);
    }
}

impl PullRequests {
    /// An entry, by its canonical address; gives the number of that.
    pub(super) fn push(
        &mut self,
        key: u32,
        address: Option<&str>,
        state: u32,
        registers: &mut Registers,
    ) -> Option<u32> {
        let (number, repo) = address.map(|address| registers.pull_request(address)).unzip();
        self.row.append_value(key);
        self.address.append_option(number);
        self.repo.append_option(repo);
        self.state.append_value(state);
        number
    }
}

impl Tags {
    /// A tag that the session does not have yet.
    pub(super) fn push(&mut self, key: u32, tag: u32) {
        self.row.append_value(key);
        self.tag.append_value(tag);
    }
}

impl Issues {
    pub(super) fn push(&mut self, owner: Owner, impact: u32, label: Option<&str>, registers: &mut Registers) {
        self.row.append_value(owner.key);
        self.created.append_value(owner.created);
        self.user.append_option(owner.user);
        self.impact.append_value(impact);
        self.label.append_option(label.map(|label| registers.label.number(label)));
    }
}

impl ActionItems {
    pub(super) fn push(&mut self, owner: Owner, kind: Option<&str>, registers: &mut Registers) {
        self.row.append_value(owner.key);
        self.created.append_value(owner.created);
        self.kind.append_option(kind.map(|kind| registers.kind.number(kind)));
    }
}
