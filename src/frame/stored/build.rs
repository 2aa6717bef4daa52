//! Rows of pages to stored tables.

use polars::prelude::*;

use super::{Tables, failed, sorted};
use crate::fetch::Row;
use crate::frame::FrameError;
use crate::frame::build::table;
use crate::frame::columns as c;
use crate::frame::finish::winners;
use crate::frame::normal::{self, IMPACTS, STATES};
use crate::frame::parquet::moments;
use crate::frame::record::{Record, parts};

type Strings = StringChunkedBuilder;
type Numbers<T> = PrimitiveChunkedBuilder<T>;

table! {
    /// One row a session, duplicates included.
    Sessions {
        row: Numbers<UInt32Type> = c::ROW,
        position: Numbers<UInt64Type> = c::POSITION,
        session: Strings = c::SESSION,
        created: Numbers<Int64Type> = c::CREATED,
        updated: Numbers<Int64Type> = c::UPDATED,
        org: Strings = c::ORG,
        user_id: Strings = c::USER_ID,
        service_user_id: Strings = c::SERVICE_USER_ID,
        status: Strings = c::STATUS,
        acus: Numbers<Float64Type> = c::ACUS,
        origin: Strings = c::ORIGIN,
        size: Strings = c::SIZE,
        category: Strings = c::CATEGORY,
        limited: BooleanChunkedBuilder = c::LIMITED,
        messages: Numbers<Int64Type> = c::MESSAGES,
        analysed: BooleanChunkedBuilder = c::ANALYSED,
        feedback: Numbers<Int64Type> = c::FEEDBACK,
        unreadable: Numbers<Int64Type> = c::UNREADABLE,
        title: Strings = c::TITLE,
        url: Strings = c::URL,
    }
}

table! {
    PullRequests {
        row: Numbers<UInt32Type> = c::ROW,
        session: Strings = c::SESSION,
        created: Numbers<Int64Type> = c::CREATED,
        state: Strings = c::STATE,
        repo: Strings = c::REPO,
        address: Strings = c::ADDRESS,
    }
}

table! {
    Tags {
        row: Numbers<UInt32Type> = c::ROW,
        session: Strings = c::SESSION,
        created: Numbers<Int64Type> = c::CREATED,
        tag: Strings = c::TAG,
    }
}

table! {
    Issues {
        row: Numbers<UInt32Type> = c::ROW,
        session: Strings = c::SESSION,
        created: Numbers<Int64Type> = c::CREATED,
        impact: Strings = c::IMPACT,
        label: Strings = c::LABEL,
    }
}

table! {
    ActionItems {
        row: Numbers<UInt32Type> = c::ROW,
        session: Strings = c::SESSION,
        created: Numbers<Int64Type> = c::CREATED,
        kind: Strings = c::TYPE,
    }
}

/// Tables that still grow.
pub struct TablesBuilder {
    next_row: u32,
    sessions: Sessions,
    pull_requests: PullRequests,
    tags: Tags,
    issues: Issues,
    action_items: ActionItems,
}

impl Default for TablesBuilder {
    fn default() -> Self {
        Self {
            next_row: 0,
            sessions: Sessions::new(),
            pull_requests: PullRequests::new(),
            tags: Tags::new(),
            issues: Issues::new(),
            action_items: ActionItems::new(),
        }
    }
}

impl TablesBuilder {
    /// Takes over the rows of one page; pages may come in any order.
    pub fn push(&mut self, rows: &[Row<'_>]) {
        for row in rows {
            let key = self.next_row;
            self.next_row += 1;
            let record = Record::of(row);
            self.session(key, row.position, &record);
            let parts = parts(row);
            let mut met: Vec<&str> = Vec::new();
            for tag in parts.tags {
                if !met.contains(&tag) {
                    met.push(tag);
                    let table = &mut self.tags;
                    table.row.append_value(key);
                    table.session.append_value(record.id);
                    table.created.append_value(record.created);
                    table.tag.append_value(tag);
                }
            }
            for (address, state) in parts.pull_requests {
                let table = &mut self.pull_requests;
                table.row.append_value(key);
                table.session.append_value(record.id);
                table.created.append_value(record.created);
                table.state.append_option(word(&STATES, state));
                table.repo.append_option(address.as_deref().map(normal::repo));
                table.address.append_option(address.as_deref());
            }
            for (impact, label) in parts.issues {
                let table = &mut self.issues;
                table.row.append_value(key);
                table.session.append_value(record.id);
                table.created.append_value(record.created);
                table.impact.append_option(word(&IMPACTS, impact));
                table.label.append_option(label);
            }
            for kind in parts.action_items {
                let table = &mut self.action_items;
                table.row.append_value(key);
                table.session.append_value(record.id);
                table.created.append_value(record.created);
                table.kind.append_option(kind);
            }
        }
    }

    fn session(&mut self, key: u32, position: u64, record: &Record<'_>) {
        let table = &mut self.sessions;
        table.row.append_value(key);
        table.position.append_value(position);
        table.session.append_value(record.id);
        table.created.append_value(record.created);
        table.updated.append_option(record.updated);
        table.org.append_option(record.org);
        table.user_id.append_option(record.user_id);
        table.service_user_id.append_option(record.service_user_id);
        table.status.append_option(record.status);
        table.acus.append_option(record.acus);
        table.origin.append_option(record.origin);
        table.size.append_option(record.size);
        table.category.append_option(record.category);
        table.limited.append_value(record.limited);
        table.messages.append_option(record.messages.map(i64::from));
        table.analysed.append_value(record.analysed);
        table.feedback.append_value(i64::from(record.feedback));
        table.unreadable.append_value(i64::from(record.unreadable));
        table.title.append_option(record.title);
        table.url.append_option(record.url);
    }

    /// The finished tables: of a session that came several times the row with the
    /// greatest `updated` stays, then the one later in the server's order.
    ///
    /// # Errors
    /// Polars could not assemble a table: a defect, not a state of the data.
    pub fn finish(self) -> Result<Tables, FrameError> {
        let sessions = self.sessions.finish().and_then(|all| winners(all, c::SESSION));
        let sessions = sessions.map_err(failed("sessions"))?;
        let kept = sessions.clone().lazy().select([col(c::ROW)]);
        let kept = |table: PolarsResult<DataFrame>| {
            table?.lazy().semi_join(kept.clone(), col(c::ROW), col(c::ROW)).collect().and_then(stored)
        };
        Ok(Tables([
            sessions.drop(c::POSITION).and_then(stored).map_err(failed("sessions"))?,
            kept(self.pull_requests.finish()).map_err(failed("pull requests"))?,
            kept(self.tags.finish()).map_err(failed("tags"))?,
            kept(self.issues.finish()).map_err(failed("issues"))?,
            kept(self.action_items.finish()).map_err(failed("action items"))?,
        ]))
    }
}

fn word(words: &'static [&'static str], place: u32) -> Option<&'static str> {
    words.get(place as usize).copied()
}

/// Without the number that joins it in this run, moments as such, in order.
fn stored(table: DataFrame) -> PolarsResult<DataFrame> {
    let mut table = table.drop(c::ROW)?;
    for column in [c::CREATED, c::UPDATED] {
        if table.column(column).is_ok() {
            table.with_column(moments(&table, column)?)?;
        }
    }
    sorted(table)
}
