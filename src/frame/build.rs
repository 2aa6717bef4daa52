//! Columns that grow row by row.

use std::collections::HashMap;

use polars::prelude::*;

use super::columns as c;
use super::normal;
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

/// Texts, each with a number of its own: numbers are compared and grouped much faster.
#[derive(Default)]
pub(super) struct Register(HashMap<Box<str>, u32>);

impl Register {
    /// The text's number, a new one where it was never met.
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.into(), number);
        number
    }
}

table! {
    /// One row a session, duplicates included.
    Sessions {
        row: Numbers<UInt32Type> = c::ROW,
        position: Numbers<UInt64Type> = c::POSITION,
        id: Strings = c::ID,
        created: Numbers<Int64Type> = c::CREATED,
        updated: Numbers<Int64Type> = c::UPDATED,
        org: Strings = c::ORG,
        user: Strings = c::USER,
        automation: BooleanChunkedBuilder = c::AUTOMATION,
        status: Strings = c::STATUS,
        acus: Numbers<Float64Type> = c::ACUS,
        title: Strings = c::TITLE,
        url: Strings = c::URL,
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
        repo: Strings = c::REPO,
        state: Numbers<Int32Type> = c::STATE,
    }
}

table! {
    /// One row a session and distinct tag.
    Tags {
        row: Numbers<UInt32Type> = c::ROW,
        tag: Strings = c::TAG,
    }
}

table! {
    /// One row an issue, with what it is grouped by of its session.
    Issues {
        row: Numbers<UInt32Type> = c::ROW,
        created: Numbers<Int64Type> = c::CREATED,
        user: Strings = c::USER,
        impact: Strings = c::IMPACT,
        label: Strings = c::LABEL,
    }
}

table! {
    /// One row an action item.
    ActionItems {
        row: Numbers<UInt32Type> = c::ROW,
        created: Numbers<Int64Type> = c::CREATED,
        kind: Strings = c::TYPE,
    }
}

impl Sessions {
    pub(super) fn push(&mut self, key: u32, row: &Row<'_>, tags: u32, pull_requests: u32) {
        let session = &row.session;
        self.row.append_value(key);
        self.position.append_value(row.position);
        self.id.append_option(session.id());
        self.created.append_value(row.created.timestamp_micros());
        self.updated.append_option(session.updated().map(|moment| moment.timestamp_micros()));
        self.org.append_option(session.org_id.trimmed());
        self.user.append_option(user(session));
        let is_service = session.service_user_id.trimmed().is_some();
        self.automation.append_value(is_service || session.user_id.trimmed() == Some(BOT));
        self.status.append_option(session.status.trimmed());
        self.acus.append_option(session.acus());
        self.title.append_option(session.title.trimmed());
        self.url.append_option(session.url.trimmed());
        self.analysed.append_value(session.session_analysis.is_some());
        let feedback = session.session_analysis.as_ref().map_or(0, Analysis::prompt_feedback);
        self.feedback.append_value(u32::try_from(feedback).unwrap_or(u32::MAX));
        self.tag_count.append_value(tags);
        self.pr_count.append_value(pull_requests);
    }
}

/// Who started a session: the service user before the person.
fn user<'s>(session: &'s Session<'_>) -> Option<&'s str> {
    session.service_user_id.trimmed().or_else(|| session.user_id.trimmed())
}

impl PullRequests {
    /// Gives the number of distinct addresses.
    pub(super) fn push(&mut self, key: u32, entries: &[PullRequest<'_>], addresses: &mut Register) -> u32 {
        let mut met = Vec::new();
        for entry in entries {
            let address = entry.address().and_then(normal::address);
            let number = address.as_deref().map(|address| addresses.number(address));
            self.row.append_value(key);
            self.repo.append_option(address.as_deref().map(normal::repo));
            self.address.append_option(number);
            self.state.append_value(normal::state_rank(entry.state()));
            met.extend(number.filter(|number| !met.contains(number)));
        }
        u32::try_from(met.len()).unwrap_or(u32::MAX)
    }
}

impl Tags {
    /// Gives the number of distinct tags.
    pub(super) fn push(&mut self, key: u32, tags: &[Text<'_>]) -> u32 {
        let mut count = 0;
        for (index, tag) in tags.iter().enumerate() {
            let Some(tag) = tag.trimmed() else { continue };
            if tags.iter().take(index).all(|earlier| earlier.trimmed() != Some(tag)) {
                self.row.append_value(key);
                self.tag.append_value(tag);
                count += 1;
            }
        }
        count
    }
}

impl Issues {
    pub(super) fn push(&mut self, key: u32, row: &Row<'_>, issue: &Issue<'_>) {
        self.row.append_value(key);
        self.created.append_value(row.created.timestamp_micros());
        self.user.append_option(user(&row.session));
        self.impact.append_value(normal::impact(issue.impact.get()));
        self.label.append_option(issue.label.trimmed());
    }
}

impl ActionItems {
    pub(super) fn push(&mut self, key: u32, row: &Row<'_>, item: &ActionItem<'_>) {
        self.row.append_value(key);
        self.created.append_value(row.created.timestamp_micros());
        self.kind.append_option(item.kind.trimmed());
    }
}
