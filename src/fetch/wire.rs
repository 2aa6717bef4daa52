//! What a v2 answer looks like, borrowed from its bytes.
//!
//! Only what a report needs has a field; everything else is skipped unread.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lenient::{List, Text, optional};
use super::time::{self, Instant};

/// One page of sessions; its envelope is read apart.
#[derive(Debug, Deserialize)]
pub struct Page<'a> {
    /// The sessions of this page.
    #[serde(borrow)]
    pub items: Vec<Session<'a>>,
}

/// The same page with its records unread: a record that does not fit the
/// documented shape is then rejected alone, instead of its whole page.
#[derive(Debug, Deserialize)]
pub struct RawPage<'a> {
    /// The sessions of this page, as bytes.
    #[serde(borrow)]
    pub items: Vec<&'a RawValue>,
}

/// A record that does not fit, of which the id alone can still be read.
#[derive(Debug, Deserialize)]
pub struct IdOnly<'a> {
    /// With or without the `devin-` prefix; see [`bare_id`].
    #[serde(borrow, default)]
    pub session_id: Text<'a>,
}

/// An id to compare by: trimmed, without the `devin-` prefix; `None` if nothing is left.
pub fn bare_id<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    let id = text.trimmed()?;
    Some(id.strip_prefix("devin-").unwrap_or(id)).filter(|id| !id.is_empty())
}

/// A session as v2 tells it.
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
    /// When it was created; see [`Session::created`].
    #[serde(borrow)]
    pub created_at: Option<&'a RawValue>,
    /// When it last changed; see [`Session::updated`].
    #[serde(borrow)]
    pub updated_at: Option<&'a RawValue>,
    /// What it cost; see [`Session::acus`].
    #[serde(borrow)]
    pub acus_consumed: Option<&'a RawValue>,
    /// The pull requests it lists.
    #[serde(borrow)]
    pub pull_requests: List<PullRequest<'a>>,
    /// What the vendor's analysis found; absent when nobody asked for one.
    #[serde(borrow, deserialize_with = "optional")]
    pub session_analysis: Option<Analysis<'a>>,
}

impl Session<'_> {
    /// The id to compare by: trimmed, without the `devin-` prefix.
    pub fn id(&self) -> Option<&str> {
        bare_id(&self.session_id)
    }

    /// When it was created, or `None` where that cannot be read.
    pub fn created(&self) -> Option<Instant> {
        self.created_at.and_then(|raw| time::read(raw.get()))
    }

    /// When it last changed, or `None` where that cannot be read.
    pub fn updated(&self) -> Option<DateTime<Utc>> {
        self.updated_at.and_then(|raw| time::read(raw.get())).map(|instant| instant.utc)
    }

    /// ACUs, or `None` for unknown: null, negative, not finite or not a number.
    /// A number written as text is read.
    pub fn acus(&self) -> Option<f64> {
        // Raw, because a JSON number such as 1e999 would fail the whole page.
        let text = self.acus_consumed?.get().trim_matches('"').trim();
        let plain = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
        let acus = text.parse::<f64>().ok().filter(|_| plain)?;
        (acus.is_finite() && acus >= 0.0).then_some(acus.abs())
    }
}

/// A pull request under a session; the documents disagree on its keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PullRequest<'a> {
    #[serde(borrow)]
    pr_url: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow)]
    pr_state: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
}

impl PullRequest<'_> {
    /// The address from `pr_url`, else `url`.
    pub fn address(&self) -> Option<&str> {
        self.pr_url.trimmed().or_else(|| self.url.trimmed())
    }

    /// The state from `pr_state`, else `state`.
    pub fn state(&self) -> Option<&str> {
        self.pr_state.trimmed().or_else(|| self.state.trimmed())
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
    #[serde(deserialize_with = "optional")]
    pub suggested_prompt: Option<SuggestedPrompt>,
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

/// The part of a suggested prompt that is counted; its texts are not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SuggestedPrompt {
    /// Remarks on the prompt.
    pub feedback_items: List<Remark>,
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
