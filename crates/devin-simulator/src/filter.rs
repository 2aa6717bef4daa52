//! Which records a request is about.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::parameters::bare;
use super::v3::marks::{Marks, marks};
use super::{Organisation, Record};

/// A half-open span of time; open where an end is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub to: Option<DateTime<Utc>>,
}

/// What restricts the records; an empty set lets everything pass, any other one
/// what has any of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub created: Window,
    pub updated: Window,
    pub tags: BTreeSet<String>,
    pub users: BTreeSet<String>,
    /// Without the `devin-` prefix.
    pub sessions: BTreeSet<String>,
    pub orgs: BTreeSet<String>,
    pub service_users: BTreeSet<String>,
    pub origins: BTreeSet<String>,
    pub playbooks: BTreeSet<String>,
    /// Only archived sessions, or only others.
    pub archived: Option<bool>,
}

impl Filter {
    /// Nothing but the window of creation restricts the records.
    pub fn is_plain(&self) -> bool {
        let sets = [
            &self.tags,
            &self.users,
            &self.sessions,
            &self.orgs,
            &self.service_users,
            &self.origins,
            &self.playbooks,
        ];
        sets.iter().all(|set| set.is_empty()) && self.updated == Window::default() && self.archived.is_none()
    }

    /// Whether a record passes everything but the window of creation.
    pub fn passes(&self, record: &Record) -> bool {
        (!record.has_updated_at() || self.updated.holds(record.updated_at))
            && any(&self.tags, |tag| record.tags.contains(tag))
            && any(&self.users, |user| record.user_id.as_ref() == Some(user))
            && (self.sessions.is_empty() || self.sessions.contains(bare(&record.session_id)))
            && (record.org_id.is_empty() || any(&self.orgs, |org| record.org_id == *org))
            && self.passes_marks(record)
    }

    /// Only the body has these, so it is read when they are requested.
    fn passes_marks(&self, record: &Record) -> bool {
        let is_any = self.service_users.is_empty() && self.origins.is_empty() && self.playbooks.is_empty();
        if is_any && self.archived.is_none() {
            return true;
        }
        let Marks { service_user, origin, playbook, is_archived } = marks(record);
        any(&self.service_users, |wanted| service_user.as_ref() == Some(wanted))
            && any(&self.origins, |wanted| origin.as_ref() == Some(wanted))
            && any(&self.playbooks, |wanted| playbook.as_ref() == Some(wanted))
            && self.archived.is_none_or(|wanted| is_archived == wanted)
    }
}

impl Window {
    /// Whether it contains a moment.
    pub fn holds(&self, moment: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.to.is_none_or(|to| moment < to)
    }
}

fn any(wanted: &BTreeSet<String>, has: impl Fn(&String) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(has)
}

/// The records that passed, by their index, oldest first.
#[derive(Clone, Debug)]
pub enum Found {
    /// The first so many, then a run: what a window alone leaves over, without a
    /// look at each record of a large organisation.
    Window { undated: usize, from: usize, to: usize },
    /// These.
    Picked(Vec<usize>),
}

impl Found {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Window { undated, from, to } => undated + to.saturating_sub(*from),
            Self::Picked(picked) => picked.len(),
        }
    }

    /// The index of one of them.
    pub fn get(&self, place: usize) -> Option<usize> {
        match self {
            Self::Window { undated, .. } if place < *undated => Some(place),
            Self::Window { undated, from, to } => Some(from + place - undated).filter(|index| index < to),
            Self::Picked(picked) => picked.get(place).copied(),
        }
    }

    /// Without those at these places.
    pub fn without(self, places: &BTreeSet<usize>) -> Self {
        if places.is_empty() {
            return self;
        }
        let rest = (0..self.len()).filter(|place| !places.contains(place));
        Self::Picked(rest.filter_map(|place| self.get(place)).collect())
    }
}

/// The records that pass. Those without a creation time lie in every window.
pub fn find(organisation: &Organisation, filter: &Filter) -> Found {
    let records = &organisation.records;
    let undated = records.partition_point(|record| record.created_at <= DateTime::UNIX_EPOCH);
    let before =
        |moment: DateTime<Utc>| records.partition_point(|record| record.created_at < moment).max(undated);
    let from = filter.created.from.map_or(undated, before);
    let to = filter.created.to.map_or(records.len(), before);
    let window = Found::Window { undated, from, to };
    // A filter looks at every record of the window; without one the length is known.
    if filter.is_plain() {
        return window;
    }
    let passes = |index: &usize| records.get(*index).is_some_and(|record| filter.passes(record));
    Found::Picked((0..window.len()).filter_map(|place| window.get(place)).filter(passes).collect())
}
