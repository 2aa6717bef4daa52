//! Columns that grow row by row.

use polars::prelude::*;

use super::Kept;
use super::columns as c;
use super::normal;
use super::words::Registers;
use crate::fetch::Row;
use crate::fetch::lenient::Text;
use crate::fetch::wire::{ActionItem, Analysis, Issue, PullRequest, Session};

/// The user id that stands for "a service user" in place of a person's.
const BOT: &str = "bot_apk";

type Strings = StringChunkedBuilder;
type Numbers<T> = PrimitiveChunkedBuilder<T>;

macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $builder:ty = $column:expr),* $(,)? }) => {
        $(#[$doc])*
        pub(super) struct $name { $($field: $builder),* }

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
        title: Strings = c::TITLE,
        url: Strings = c::URL,
        prompt: Strings = c::PROMPT,
        analysed: BooleanChunkedBuilder = c::ANALYSED,
        feedback: Numbers<UInt32Type> = c::FEEDBACK,
        tag_count: Numbers<UInt32Type> = c::TAG_COUNT,
        pr_count: Numbers<UInt32Type> = c::PR_COUNT,
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

impl Sessions {
    pub(super) fn push(
        &mut self,
        key: u32,
        row: &Row<'_>,
        counts: (u32, u32),
        registers: &mut Registers,
        kept: &Kept,
    ) {
        let session = row.session;
        let (tags, pull_requests) = counts;
        let is_named = row.created >= kept.named_from;
        self.row.append_value(key);
        self.position.append_value(row.position);
        self.id.append_option(session.id());
        self.created.append_value(row.created.timestamp_micros());
        self.updated.append_option(session.updated().map(|moment| moment.timestamp_micros()));
        self.org.append_option(session.org_id.trimmed().map(|org| registers.org.number(org)));
        self.user.append_option(user(session).map(|user| registers.user.number(user)));
        self.team.append_option(team(row, kept).map(|team| registers.team.number(team)));
        let is_service = session.service_user_id.trimmed().is_some();
        self.automation.append_value(is_service || session.user_id.trimmed() == Some(BOT));
        self.status.append_option(session.status.trimmed().map(|status| registers.status.number(status)));
        self.acus.append_option(session.acus());
        self.origin.append_option(session.origin.trimmed().map(|origin| registers.origin.number(origin)));
        self.size.append_option(session.session_size.trimmed().map(|size| registers.size.number(size)));
        let category = session.category.trimmed();
        self.category.append_option(category.map(|category| registers.category.number(category)));
        self.limited.append_value(is_limited(session));
        self.messages.append_option(session.user_messages());
        self.title.append_option(session.title.trimmed().filter(|_| is_named));
        self.url.append_option(session.url.trimmed().filter(|_| is_named));
        let prompt = (is_named && kept.prompts).then(|| session.prompt()).flatten();
        self.prompt.append_option(prompt.as_deref());
        self.analysed.append_value(session.analysis().is_some());
        let feedback = session.analysis().map_or(0, Analysis::prompt_feedback);
        self.feedback.append_value(u32::try_from(feedback).unwrap_or(u32::MAX));
        self.tag_count.append_value(tags);
        self.pr_count.append_value(pull_requests);
    }
}

/// The details of a suspension that a limit, and nobody's will, brought about.
const LIMITS: [&str; 7] = [
    "usage_limit_exceeded",
    "org_usage_limit_exceeded",
    "total_session_limit_exceeded",
    "out_of_quota",
    "no_quota_allocation",
    "out_of_credits",
    "payment_declined",
];

/// Whether a session is suspended because a limit was reached.
fn is_limited(session: &Session<'_>) -> bool {
    session.status.trimmed() == Some("suspended")
        && session.status_detail.trimmed().is_some_and(|detail| LIMITS.contains(&detail))
}

fn team<'k>(row: &'k Row<'_>, kept: &'k Kept) -> Option<&'k str> {
    let tags = row.session.tags.0.iter().filter_map(Text::trimmed);
    kept.teams.as_ref()?.of(user(row.session), tags, row.created.timestamp_micros())
}

/// Who started a session: the service user before the person.
fn user<'s>(session: &'s Session<'_>) -> Option<&'s str> {
    session.service_user_id.trimmed().or_else(|| session.user_id.trimmed())
}

impl PullRequests {
    /// Gives the number of distinct addresses.
    pub(super) fn push(&mut self, key: u32, entries: &[PullRequest<'_>], registers: &mut Registers) -> u32 {
        let mut met = Vec::new();
        for entry in entries {
            let address = entry.address().and_then(normal::address);
            let numbers = address.as_deref().map(|address| registers.pull_request(address));
            let (number, repo) = numbers.unzip();
            self.row.append_value(key);
            self.address.append_option(number);
            self.repo.append_option(repo);
            self.state.append_value(normal::state(entry.state()));
            met.extend(number.filter(|number| !met.contains(number)));
        }
        u32::try_from(met.len()).unwrap_or(u32::MAX)
    }
}

impl Tags {
    /// Gives the number of distinct tags.
    pub(super) fn push(&mut self, key: u32, tags: &[Text<'_>], registers: &mut Registers) -> u32 {
        let mut met = Vec::new();
        for tag in tags.iter().filter_map(Text::trimmed) {
            let tag = registers.tag.number(tag);
            if !met.contains(&tag) {
                met.push(tag);
                self.row.append_value(key);
                self.tag.append_value(tag);
            }
        }
        u32::try_from(met.len()).unwrap_or(u32::MAX)
    }
}

impl Issues {
    pub(super) fn push(&mut self, key: u32, row: &Row<'_>, issue: &Issue<'_>, registers: &mut Registers) {
        self.row.append_value(key);
        self.created.append_value(row.created.timestamp_micros());
        self.user.append_option(user(row.session).map(|user| registers.user.number(user)));
        self.impact.append_value(normal::impact(issue.impact.get()));
        self.label.append_option(issue.label.trimmed().map(|label| registers.label.number(label)));
    }
}

impl ActionItems {
    pub(super) fn push(&mut self, key: u32, row: &Row<'_>, item: &ActionItem<'_>, registers: &mut Registers) {
        self.row.append_value(key);
        self.created.append_value(row.created.timestamp_micros());
        self.kind.append_option(item.kind.trimmed().map(|kind| registers.kind.number(kind)));
    }
}
