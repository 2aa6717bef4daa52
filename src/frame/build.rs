//! Columns that grow row by row.

use std::collections::HashMap;

use polars::prelude::*;

use super::columns as c;
use super::normal;
use crate::fetch::Row;
use crate::fetch::lenient::Text;
use crate::fetch::wire::{Analysis, PullRequest};

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
    /// One row an issue.
    Issues {
        row: Numbers<UInt32Type> = c::ROW,
        impact: Strings = c::IMPACT,
        label: Strings = c::LABEL,
    }
}

table! {
    /// One row an action item.
    ActionItems {
        row: Numbers<UInt32Type> = c::ROW,
        kind: Strings = c::TYPE,
    }
}

impl Sessions {
    pub(super) fn push(&mut self, key: u32, row: &Row<'_>) {
        let session = &row.session;
        let service_user = session.service_user_id.trimmed();
        let user = session.user_id.trimmed();
        self.row.append_value(key);
        self.position.append_value(row.position);
        self.id.append_option(session.id());
        self.created.append_value(row.created.timestamp_micros());
        self.updated.append_option(session.updated().map(|moment| moment.timestamp_micros()));
        self.org.append_option(session.org_id.trimmed());
        self.user.append_option(service_user.or(user));
        self.automation.append_value(service_user.is_some() || user == Some(BOT));
        self.status.append_option(session.status.trimmed());
        self.acus.append_option(session.acus());
        self.title.append_option(session.title.trimmed());
        self.url.append_option(session.url.trimmed());
        self.analysed.append_value(session.session_analysis.is_some());
        let feedback = session.session_analysis.as_ref().map_or(0, Analysis::prompt_feedback);
        self.feedback.append_value(u32::try_from(feedback).unwrap_or(u32::MAX));
    }
}

impl PullRequests {
    pub(super) fn push(&mut self, key: u32, entry: &PullRequest<'_>, addresses: &mut Register) {
        let address = entry.address().and_then(normal::address);
        self.row.append_value(key);
        self.repo.append_option(address.as_deref().map(normal::repo));
        self.address.append_option(address.map(|address| addresses.number(&address)));
        self.state.append_value(normal::state_rank(entry.state()));
    }
}

impl Tags {
    pub(super) fn push(&mut self, key: u32, tags: &[Text<'_>]) {
        for (index, tag) in tags.iter().enumerate() {
            let Some(tag) = tag.trimmed() else { continue };
            if tags.iter().take(index).all(|earlier| earlier.trimmed() != Some(tag)) {
                self.row.append_value(key);
                self.tag.append_value(tag);
            }
        }
    }
}

impl Issues {
    pub(super) fn push(&mut self, key: u32, impact: &Text<'_>, label: &Text<'_>) {
        self.row.append_value(key);
        self.impact.append_value(normal::impact(impact.get()));
        self.label.append_option(label.trimmed());
    }
}

impl ActionItems {
    pub(super) fn push(&mut self, key: u32, kind: &Text<'_>) {
        self.row.append_value(key);
        self.kind.append_option(kind.trimmed());
    }
}
