//! What a record looks like in either generation, borrowed from its bytes.
//!
//! Only what a report needs has a field; everything else is skipped unread.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::exported::Exported;
use super::lenient::{self, List, Text, optional, raw};
use super::time::{self, Instant};

/// A record that does not fit, of which the id alone can still be read.
#[derive(Debug, Deserialize)]
pub struct IdOnly<'a> {
    /// With or without the `devin-` prefix; see [`bare_id`].
    #[serde(borrow, default)]
    pub session_id: Text<'a>,
}

/// An id to compare by: without the `devin-` prefix, trimmed before and after; `None` if nothing is left.
pub fn bare_id<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    let id = text.trimmed()?;
    Some(id.strip_prefix("devin-").unwrap_or(id).trim()).filter(|id| !id.is_empty())
}

/// A session; each generation tells some fields that the other does not.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Session<'a> {
    /// With or without the `devin-` prefix; see [`Session::id`].
    #[serde(borrow)]
    pub session_id: Text<'a>,
    /// Where a person can open it.
    #[serde(borrow)]
    pub url: Text<'a>,
    /// An open list of words.
    #[serde(borrow)]
    pub status: Text<'a>,
    /// Untrusted text.
    #[serde(borrow)]
    pub title: Text<'a>,
    /// Untrusted texts.
    #[serde(borrow)]
    pub tags: List<Text<'a>>,
    /// Who started it.
    #[serde(borrow)]
    pub user_id: Text<'a>,
    /// The service user that started it.
    #[serde(borrow)]
    pub service_user_id: Text<'a>,
    /// The organisation it belongs to.
    #[serde(borrow)]
    pub org_id: Text<'a>,
    /// When it was created, as JSON; see [`Session::created`].
    #[serde(borrow, deserialize_with = "raw")]
    pub created_at: Option<&'a str>,
    /// When it last changed, as JSON; see [`Session::updated`].
    #[serde(borrow, deserialize_with = "raw")]
    pub updated_at: Option<&'a str>,
    /// What it cost, as JSON; see [`Session::acus`].
    #[serde(borrow, deserialize_with = "raw")]
    pub acus_consumed: Option<&'a str>,
    /// The pull requests it lists.
    #[serde(borrow)]
    pub pull_requests: List<PullRequest<'a>>,
    /// The vendor's analysis in v2; see [`Session::analysis`].
    #[serde(borrow, deserialize_with = "optional")]
    pub session_analysis: Option<Analysis<'a>>,
    /// The same in v3.
    #[serde(borrow, deserialize_with = "optional")]
    pub analysis: Option<Analysis<'a>>,
    /// Where it was started from, in v3: an open list of words.
    #[serde(borrow)]
    pub origin: Text<'a>,
    /// The vendor's size of it, in v3: an open list of words.
    #[serde(borrow)]
    pub session_size: Text<'a>,
    /// What kind of work it was, in v3: an open list of words.
    #[serde(borrow)]
    pub category: Text<'a>,
    /// Why it stands where it stands, in v3: an open list of words.
    #[serde(borrow)]
    pub status_detail: Text<'a>,
    #[serde(borrow, deserialize_with = "raw")]
    pub(super) num_user_messages: Option<&'a str>,
    #[serde(borrow, deserialize_with = "raw")]
    pub(super) initial_user_message: Option<&'a str>,
    /// Fields that were left out when the record was rewritten; see [`Session::unreadable`].
    #[serde(skip)]
    pub unreadable: u32,
    /// What it tells as a record of the web app's export; none where it is not.
    #[serde(skip)]
    pub exported: Option<&'a Exported>,
}

/// How much there is of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Its tags, pull requests, issues and action items …
    pub entries: usize,
    /// … and how many there are of the most frequent of these.
    pub longest_list: usize,
    /// The bytes of its texts, prompts left out …
    pub texts: usize,
    /// … and of the longest of them.
    pub longest_text: usize,
}

impl Size {
    fn text(&mut self, text: &str) {
        self.texts += text.len();
        self.longest_text = self.longest_text.max(text.len());
    }

    fn list<'t>(&mut self, entries: impl ExactSizeIterator<Item = Option<&'t str>>) {
        self.entries += entries.len();
        self.longest_list = self.longest_list.max(entries.len());
        entries.flatten().for_each(|text| self.text(text));
    }
}

impl<'a> Session<'a> {
    /// What the vendor's analysis found; none when nobody asked for one.
    pub fn analysis(&self) -> Option<&Analysis<'a>> {
        self.session_analysis.as_ref().or(self.analysis.as_ref())
    }

    /// How much there is of it.
    pub fn size(&self) -> Size {
        let mut size = Size::default();
        let own = [
            &self.session_id,
            &self.url,
            &self.status,
            &self.title,
            &self.user_id,
            &self.service_user_id,
            &self.org_id,
            &self.origin,
            &self.session_size,
            &self.category,
        ];
        own.into_iter().filter_map(Text::get).for_each(|text| size.text(text));
        let names = self.exported.into_iter().flat_map(|names| [&names.user, &names.organisation]);
        names.flatten().for_each(|name| size.text(name));
        size.list(self.tags.0.iter().map(Text::get));
        size.list(self.pull_requests.0.iter().map(PullRequest::address));
        if let Some(analysis) = self.analysis() {
            size.list(analysis.issues.0.iter().map(|issue| issue.label.get()));
            size.list(analysis.action_items.0.iter().map(|item| item.kind.get()));
        }
        size
    }

    /// What the session was asked to do: customer text, which is skipped until
    /// somebody asks for it here. v3 tells it with the analysis alone.
    pub fn prompt(&self) -> Option<String> {
        let of_analysis = || self.analysis()?.suggested_prompt.as_ref()?.original_prompt;
        let read = |raw: &str| serde_json::from_str::<String>(raw).ok();
        let told = |raw: Option<&str>| raw.and_then(read).filter(|text| !text.trim().is_empty());
        told(self.initial_user_message).or_else(|| told(of_analysis()))
    }

    /// How many messages people wrote in it, or `None` where v3 does not tell.
    pub fn user_messages(&self) -> Option<u32> {
        let text = lenient::scalar(self.num_user_messages?);
        let text = text.trim();
        text.strip_suffix(".0").unwrap_or(text).parse().ok()
    }

    /// Fields, and elements of lists, whose values could not be read. Unknown ACUs
    /// and pull requests without an address are counted elsewhere.
    pub fn unreadable(&self) -> u32 {
        let is_told = |raw: Option<&str>| raw.is_some_and(|raw| !lenient::scalar(raw).trim().is_empty());
        let updated = is_told(self.updated_at) && self.updated().is_none();
        let messages = is_told(self.num_user_messages) && self.user_messages().is_none();
        self.unreadable.saturating_add(u32::from(updated)).saturating_add(u32::from(messages))
    }

    /// The id to compare by: trimmed, without the `devin-` prefix.
    pub fn id(&self) -> Option<&str> {
        bare_id(&self.session_id)
    }

    /// When it was created, or `None` where that cannot be read.
    pub fn created(&self) -> Option<Instant> {
        self.created_at.and_then(time::read)
    }

    /// When it last changed, or `None` where that cannot be read.
    pub fn updated(&self) -> Option<DateTime<Utc>> {
        self.updated_at.and_then(time::read).map(|instant| instant.utc)
    }

    /// ACUs, or `None` for unknown: null, negative, not finite or not a number.
    /// A number written as text is read.
    pub fn acus(&self) -> Option<f64> {
        // Raw, because a JSON number such as 1e999 would fail the whole page.
        let text = lenient::scalar(self.acus_consumed?);
        let text = text.trim();
        let plain = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
        let acus = text.parse::<f64>().ok().filter(|_| plain)?;
        (acus.is_finite() && acus >= 0.0).then_some(acus.abs())
    }
}

/// A pull request under a session. An entry that is no object is one without
/// an address: it is counted as such instead of vanishing.
#[derive(Debug, Default)]
pub struct PullRequest<'a>(pub(super) PullRequestFields<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for PullRequest<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PullRequestVisitor(PhantomData))
    }
}

struct PullRequestVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for PullRequestVisitor<'a> {
    type Value = PullRequest<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pull request")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        PullRequestFields::deserialize(MapAccessDeserializer::new(map)).map(PullRequest)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(PullRequest::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(PullRequest::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(PullRequest::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(PullRequest::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(PullRequest::default())
    }
}

/// The documents disagree on its keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PullRequestFields<'a> {
    #[serde(borrow)]
    pub pr_url: Text<'a>,
    #[serde(borrow)]
    pub url: Text<'a>,
    #[serde(borrow)]
    pub pr_state: Text<'a>,
    #[serde(borrow)]
    pub state: Text<'a>,
}

impl PullRequest<'_> {
    /// The address from `pr_url`, else `url`.
    pub fn address(&self) -> Option<&str> {
        self.0.pr_url.trimmed().or_else(|| self.0.url.trimmed())
    }

    /// The state from `pr_state`, else `state`.
    pub fn state(&self) -> Option<&str> {
        self.0.pr_state.trimmed().or_else(|| self.0.state.trimmed())
    }
}

/// The vendor's analysis of a session; every list may be empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Analysis<'a> {
    /// What went wrong or slowly.
    #[serde(borrow)]
    pub issues: List<Issue<'a>>,
    /// What could be done about it.
    #[serde(borrow)]
    pub action_items: List<ActionItem<'a>>,
    /// A better prompt, and why.
    #[serde(borrow, deserialize_with = "optional")]
    pub suggested_prompt: Option<SuggestedPrompt<'a>>,
}

impl Analysis<'_> {
    /// How many remarks on the prompt the analysis holds.
    pub fn prompt_feedback(&self) -> usize {
        self.suggested_prompt.as_ref().map_or(0, |prompt| prompt.feedback_items.0.len())
    }
}

/// One issue of an analysis.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Issue<'a> {
    /// How much it mattered: an open list of words in any case.
    #[serde(borrow)]
    pub impact: Text<'a>,
    /// Free text.
    #[serde(borrow)]
    pub label: Text<'a>,
}

/// One proposal of an analysis.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActionItem<'a> {
    /// An open list of words.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
}

/// The part of a suggested prompt that is counted, and the prompt itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SuggestedPrompt<'a> {
    /// Remarks on the prompt.
    pub feedback_items: List<Remark>,
    /// The prompt that the remarks are on; see [`Session::prompt`].
    #[serde(borrow, deserialize_with = "raw")]
    pub(super) original_prompt: Option<&'a str>,
}

/// A remark on a prompt, counted only: any object is one, and is skipped unread.
#[derive(Debug)]
pub struct Remark;

impl<'de> Deserialize<'de> for Remark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RemarkVisitor)
    }
}

struct RemarkVisitor;

impl<'de> Visitor<'de> for RemarkVisitor {
    type Value = Remark;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Remark, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Remark)
    }
}
