//! Sessions as version 3 of the API gives them: pages by cursor, newest first,
//! and records of which [`session`] says what only this version tells.

mod analysis;
mod cursor;
mod family;
pub mod marks;
mod session;

pub use session::body;

use std::borrow::Cow;

use serde_json::json;

use self::cursor::Cursor;
use super::Organisation;
use super::faults::Shape;
use super::filter::Filter;
use super::listing::{Item, Listing, billed, end_v3, join};
use super::parameters::{Complaint, Wrong, bare, each, flag, number, unix};

/// Records a page where the request does not say.
const DEFAULT_FIRST: usize = 100;

/// What the envelope says about how many records there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// `"total": 142`.
    #[default]
    Number,
    /// `"total": null`.
    Null,
    /// No such field.
    Absent,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// As it was given out, or as somebody made it up.
    pub after: Option<String>,
    /// Records a page, as asked; the server may give fewer.
    pub first: Option<usize>,
    /// Which records.
    pub filter: Filter,
}

impl Query {
    /// Reads the part of the address after `?`. Unknown parameters are ignored;
    /// of a parameter that cannot be repeated the last one counts.
    ///
    /// # Errors
    ///
    /// Every parameter that cannot be read.
    pub fn read(text: &str) -> Result<Self, Vec<Complaint>> {
        let mut query = Self::default();
        each(text, |name, value| query.take(name, value))?;
        Ok(query)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Wrong> {
        let filter = &mut self.filter;
        match name {
            "after" => self.after = Some(value),
            "first" => self.first = Some(number(&value, 1)?),
            "created_after" => filter.created.from = Some(unix(&value)?),
            "created_before" => filter.created.to = Some(unix(&value)?),
            "updated_after" => filter.updated.from = Some(unix(&value)?),
            "updated_before" => filter.updated.to = Some(unix(&value)?),
            "tags" => drop(filter.tags.insert(value)),
            "user_ids" => drop(filter.users.insert(value)),
            "session_ids" => drop(filter.sessions.insert(bare(&value).to_owned())),
            "service_user_ids" => drop(filter.service_users.insert(value)),
            "origins" => drop(filter.origins.insert(value)),
            "org_ids" => drop(filter.orgs.insert(value)),
            "is_archived" => filter.archived = flag(&value)?,
            "playbook_id" => filter.playbooks = [value].into(),
            _ => {}
        }
        Ok(())
    }
}

/// The requested page; `None` if the cursor is not one of ours.
pub fn page(
    organisation: &Organisation,
    query: &Query,
    max_page: usize,
    total: Total,
    shape: &Shape,
) -> Option<String> {
    let after = match &query.after {
        Some(text) => Some(cursor::read(text)?),
        None => None,
    };
    let first = query.first.unwrap_or(DEFAULT_FIRST).min(max_page.max(1));
    let first = if shape.empty { 0 } else { shape.clamp.map_or(first, |most| first.min(most)) };
    let mut filter = query.filter.clone();
    if shape.hides_archived {
        filter.archived = filter.archived.or(Some(false));
    }
    let listing = Listing::new(organisation, &filter, false, shape);
    let start = after.as_ref().map_or(0, |after| cursor::resume(organisation, &listing, after));
    let end = start.saturating_add(first).min(listing.len()).max(start);

    let body = |item: Item| session::body(&organisation.records, listing.index(item.place)?, item.again);
    let bodies = (start..end).filter_map(|entry| listing.item(entry)).filter_map(body);
    let text = join(bodies.map(|body| billed(Cow::Owned(body), shape)));
    let has_next = shape.empty || (shape.loops && after.is_some()) || end < listing.len();
    let next = match (has_next, after) {
        (false, _) => None,
        (true, Some(after)) if shape.loops || shape.empty => Some(after),
        (true, _) => Some(cursor::after(organisation, &listing, end).unwrap_or_else(Cursor::of_the_start)),
    };
    let next = next.map(|next| next.write());
    Some(end_v3(text, total, listing.total, next, shape))
}

/// The prefix of a personal access token here; it is undocumented.
const PERSONAL_TOKEN: &str = "cog_pat_";

/// Whom the key belongs to: a service user of the whole enterprise, or a person.
pub fn myself(token: &str) -> String {
    if token.starts_with(PERSONAL_TOKEN) {
        return json!({
            "principal_type": "pat_user",
            "user_id": "email|5f0c1d7e9ab34862b1d09e4c",
            "user_name": "Priya Unger",
            "org_id": null
        })
        .to_string();
    }
    json!({
        "principal_type": "service_user",
        "service_user_id": "service-user-5f0c1d7e9ab34862b1d09e4c7a52f836",
        "service_user_name": "Weekly report",
        "org_id": null
    })
    .to_string()
}
