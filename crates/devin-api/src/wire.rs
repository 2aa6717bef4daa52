//! What a record looks like in either generation, borrowed from its bytes.
//!
//! Only what a report needs has a field; everything else is skipped unread.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::exported::Exported;
use super::json::{self, Object, Text, list, object, objects, raw};
use super::time::{self, Instant};

/// What is read of a record that may be of any shape.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Marks<'a> {
    #[serde(borrow)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
}

/// The id of a record of any shape; `None` where it has none that can be read.
pub fn id_of_any(record: &str) -> Option<String> {
    let Object(marks) = serde_json::from_str::<Object<Marks<'_>>>(record).ok()?;
    bare_id(&Text::lenient(marks.session_id)).map(str::to_owned)
}

/// Whether a JSON value of any shape is a session, by its id or creation time.
pub fn is_session(value: &str) -> bool {
    serde_json::from_str::<Object<Marks<'_>>>(value).is_ok_and(|Object(marks)| {
        marks.created_at.is_some() || Text::lenient(marks.session_id).get().is_some()
    })
}

/// An id to compare by: without the `devin-` prefix, trimmed before and after; `None` if nothing is left.
pub fn bare_id<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    let id = text.trimmed()?;
    Some(id.strip_prefix("devin-").unwrap_or(id).trim()).filter(|id| !id.is_empty())
}

/// A session; each generation has some fields that the other does not.
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
    #[serde(borrow, deserialize_with = "list")]
    pub tags: Vec<Text<'a>>,
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
    #[serde(borrow, deserialize_with = "objects")]
    pub pull_requests: Vec<PullRequest<'a>>,
    /// The vendor's analysis in v2; see [`Session::analysis`].
    #[serde(borrow, deserialize_with = "object")]
    pub session_analysis: Option<Analysis<'a>>,
    /// The same in v3.
    #[serde(borrow, deserialize_with = "object")]
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
    /// The reason of its status, in v3: an open list of words.
    #[serde(borrow)]
    pub status_detail: Text<'a>,
    /// The playbook that it follows, in v3.
    #[serde(borrow)]
    pub playbook_id: Text<'a>,
    /// How Devin worked on it, in v3: an open list of words.
    #[serde(borrow)]
    pub devin_mode: Text<'a>,
    #[serde(borrow, deserialize_with = "raw")]
    pub(super) num_user_messages: Option<&'a str>,
    #[serde(borrow, deserialize_with = "raw")]
    pub(super) initial_user_message: Option<&'a str>,
    /// Fields that were left out when the record was rewritten; see [`Session::unreadable`].
    #[serde(skip)]
    pub unreadable: u32,
    /// Its further fields as a record of the web app's export; `None` for other records.
    #[serde(skip)]
    pub exported: Option<&'a Exported>,
}

/// The most characters of a text of an analysis that are read.
pub const LONGEST_TEXT: usize = 2_000;

/// A text of an analysis: without surrounding white space, and cut to [`LONGEST_TEXT`]
/// characters; `None` for blank text and for what is no text.
fn text_of_analysis(raw: Option<&str>) -> Option<String> {
    let text: Text<'_> = serde_json::from_str(raw?).ok()?;
    let text = text.trimmed()?;
    let end = text.char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(end, _)| end);
    text.get(..end).map(|text| text.trim_end().to_owned())
}

/// How much there is of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Its tags, pull requests, issues, action items and remarks …
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

    /// A text of an analysis, of which no more than its beginning is kept, however long it is.
    fn cut_text(&mut self, raw: Option<&str>) {
        self.texts += raw.map_or(0, |raw| raw.len().min(4 * LONGEST_TEXT));
    }
}

impl<'a> Session<'a> {
    /// What the vendor's analysis found; `None` without an analysis.
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
            &self.status_detail,
            &self.playbook_id,
            &self.devin_mode,
        ];
        own.into_iter().filter_map(Text::get).for_each(|text| size.text(text));
        let names = self.exported.into_iter().flat_map(|names| [&names.user, &names.organisation]);
        names.flatten().for_each(|name| size.text(name));
        size.list(self.tags.iter().map(Text::get));
        size.list(self.pull_requests.iter().map(PullRequest::address));
        if let Some(analysis) = self.analysis() {
            size.list(analysis.issues.iter().map(|issue| issue.label.get()));
            size.list(analysis.action_items.iter().map(|item| item.kind.get()));
            size.list(analysis.remarks().iter().map(|_| None));
            analysis.issues.iter().for_each(|issue| size.cut_text(issue.issue));
            analysis.action_items.iter().for_each(|item| size.cut_text(item.action_item));
            analysis.remarks().iter().for_each(|remark| size.cut_text(remark.summary));
        }
        size
    }

    /// What the session was asked to do: customer text, which is skipped until
    /// somebody asks for it here. v3 has it in the analysis only.
    pub fn prompt(&self) -> Option<String> {
        let of_analysis = || self.analysis()?.suggested_prompt.as_ref()?.original_prompt;
        let read = |raw: &str| serde_json::from_str::<String>(raw).ok();
        let reported = |raw: Option<&str>| raw.and_then(read).filter(|text| !text.trim().is_empty());
        reported(self.initial_user_message).or_else(|| reported(of_analysis()))
    }

    /// How many messages people wrote in it, or `None` where v3 does not say.
    pub fn user_messages(&self) -> Option<u32> {
        let text = json::scalar(self.num_user_messages?);
        let text = text.trim();
        text.strip_suffix(".0").unwrap_or(text).parse().ok()
    }

    /// Fields, and elements of lists, whose values could not be read. Unknown ACUs
    /// and pull requests without an address are counted elsewhere.
    pub fn unreadable(&self) -> u32 {
        let is_present = |raw: Option<&str>| raw.is_some_and(|raw| !json::scalar(raw).trim().is_empty());
        let updated = is_present(self.updated_at) && self.updated().is_none();
        let messages = is_present(self.num_user_messages) && self.user_messages().is_none();
        self.unreadable + u32::from(updated) + u32::from(messages)
    }

    /// Whether it has an id of any form.
    pub fn is_named(&self) -> bool {
        self.session_id.get().is_some()
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
        let text = json::scalar(self.acus_consumed?);
        let text = text.trim();
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
    #[serde(borrow, deserialize_with = "objects")]
    pub issues: Vec<Issue<'a>>,
    /// What could be done about it.
    #[serde(borrow, deserialize_with = "objects")]
    pub action_items: Vec<ActionItem<'a>>,
    /// A better prompt, and why.
    #[serde(borrow, deserialize_with = "object")]
    pub suggested_prompt: Option<SuggestedPrompt<'a>>,
}

impl<'a> Analysis<'a> {
    /// The remarks on the prompt.
    pub fn remarks(&self) -> &[Remark<'a>] {
        self.suggested_prompt.as_ref().map_or(&[], |prompt| &prompt.feedback_items)
    }

    /// How many remarks on the prompt the analysis holds.
    pub fn prompt_feedback(&self) -> usize {
        self.remarks().len()
    }

    /// The place among the issues of the one that an action item is about; `None` where
    /// it names none. v2 gives its issues no ids, so that no item names one.
    pub fn issue_of(&self, item: &ActionItem<'_>) -> Option<usize> {
        let asked = id_of_issue(item.issue_id)?;
        self.issues.iter().position(|issue| id_of_issue(issue.id).is_some_and(|id| id == asked))
    }
}

/// The id of an issue, which may be text or a number.
fn id_of_issue(raw: Option<&str>) -> Option<Cow<'_, str>> {
    let id = json::scalar(raw?);
    let is_id = !id.trim().is_empty() && !id.starts_with(['[', '{']);
    is_id.then_some(id)
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
    /// What happened; see [`Issue::text`].
    #[serde(borrow, deserialize_with = "raw")]
    issue: Option<&'a str>,
    /// In v3; see [`Analysis::issue_of`].
    #[serde(borrow, deserialize_with = "raw")]
    id: Option<&'a str>,
}

impl Issue<'_> {
    /// What happened: customer text, which is skipped until somebody asks for it here,
    /// as are those of action items and remarks.
    pub fn text(&self) -> Option<String> {
        text_of_analysis(self.issue)
    }
}

/// One proposal of an analysis.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActionItem<'a> {
    /// An open list of words.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// What to do; see [`ActionItem::text`].
    #[serde(borrow, deserialize_with = "raw")]
    action_item: Option<&'a str>,
    /// The issue that it is about; see [`Analysis::issue_of`].
    #[serde(borrow, deserialize_with = "raw")]
    issue_id: Option<&'a str>,
}

impl ActionItem<'_> {
    /// What to do: customer text.
    pub fn text(&self) -> Option<String> {
        text_of_analysis(self.action_item)
    }
}

/// The part of a suggested prompt that is counted, and the prompt itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SuggestedPrompt<'a> {
    /// Remarks on the prompt.
    #[serde(borrow, deserialize_with = "objects")]
    pub feedback_items: Vec<Remark<'a>>,
    /// The prompt that the remarks are on; see [`Session::prompt`].
    #[serde(borrow, deserialize_with = "raw")]
    pub(super) original_prompt: Option<&'a str>,
}

/// A remark on a prompt.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Remark<'a> {
    /// The remark in short; see [`Remark::text`].
    #[serde(borrow, deserialize_with = "raw")]
    summary: Option<&'a str>,
}

impl Remark<'_> {
    /// The remark in short: customer text.
    pub fn text(&self) -> Option<String> {
        text_of_analysis(self.summary)
    }
}

/// How a field is read.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Text, or a number.
    Word,
    /// Any value, judged later.
    Raw,
    /// A known field that no report needs.
    Ignored,
    List(Entry),
    Object(Fields),
}

/// What the elements of a list are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Tag,
    PullRequest,
    Issue,
    ActionItem,
    Remark,
}

/// The shapes of an object's fields by their names; `None` for an unknown name.
pub(super) type Fields = fn(&str) -> Option<Shape>;

pub(super) fn session_field(name: &str) -> Option<Shape> {
    Some(match name {
        "session_id" | "url" | "status" | "title" | "user_id" | "service_user_id" | "org_id" | "origin"
        | "session_size" | "category" | "status_detail" | "playbook_id" | "devin_mode" => Shape::Word,
        "created_at" | "updated_at" | "acus_consumed" | "num_user_messages" | "initial_user_message" => {
            Shape::Raw
        }
        "tags" => Shape::List(Entry::Tag),
        "pull_requests" => Shape::List(Entry::PullRequest),
        "session_analysis" | "analysis" => Shape::Object(analysis_field),
        _ => return None,
    })
}

fn analysis_field(name: &str) -> Option<Shape> {
    Some(match name {
        "issues" => Shape::List(Entry::Issue),
        "action_items" => Shape::List(Entry::ActionItem),
        "suggested_prompt" => Shape::Object(prompt_field),
        _ => return None,
    })
}

fn prompt_field(name: &str) -> Option<Shape> {
    Some(match name {
        "feedback_items" => Shape::List(Entry::Remark),
        "original_prompt" => Shape::Raw,
        _ => return None,
    })
}

impl Entry {
    pub(super) fn fields(self) -> Fields {
        match self {
            Self::Tag => |name| (name == "name").then_some(Shape::Word),
            Self::PullRequest => |name| {
                matches!(name, "pr_url" | "url" | "pr_state" | "state" | "pr_status").then_some(Shape::Word)
            },
            Self::Issue => |name| match name {
                "impact" | "label" => Some(Shape::Word),
                "issue" | "id" => Some(Shape::Raw),
                "title" => Some(Shape::Ignored),
                _ => None,
            },
            Self::ActionItem => |name| match name {
                "type" => Some(Shape::Word),
                "action_item" | "issue_id" => Some(Shape::Raw),
                _ => None,
            },
            Self::Remark => |name| match name {
                "summary" => Some(Shape::Raw),
                "excerpt" | "details" | "issue_id" => Some(Shape::Ignored),
                _ => None,
            },
        }
    }
}
