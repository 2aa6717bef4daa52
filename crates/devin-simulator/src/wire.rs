//! The JSON that is served. `Option<Option<…>>` tells absent from null: real
//! answers hold both.

use serde::Serialize;

/// A session.
#[derive(Debug, Serialize)]
pub struct Session {
    pub session_id: String,
    pub url: String,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_user_id: Option<String>,
    pub org_id: String,
    pub created_at: String,
    pub updated_at: String,
    pub acus_consumed: Option<Acus>,
    pub pull_requests: Option<Vec<PullRequest>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_analysis: Option<Option<Analysis>>,
    pub initial_user_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_profile: Option<SecurityProfile>,
}

/// A number, or now and then a number written as text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Acus {
    Number(f64),
    Text(&'static str),
}

/// A key that no document lists, as live answers carry them.
#[derive(Debug, Serialize)]
pub struct SecurityProfile {
    pub selection: &'static str,
    pub profile_id: Option<String>,
}

/// A pull request in any of its three spellings.
#[derive(Debug, Default, Serialize)]
pub struct PullRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pr_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pr_state: Option<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Option<&'static str>>,
}

/// An analysis.
#[derive(Debug, Default, Serialize)]
pub struct Analysis {
    pub issues: Vec<Issue>,
    pub timeline: Vec<Event>,
    pub action_items: Vec<ActionItem>,
    pub suggested_prompt: Option<SuggestedPrompt>,
}

/// Something that went wrong or slowly.
#[derive(Debug, Serialize)]
pub struct Issue {
    pub issue: String,
    pub impact: Option<&'static str>,
    pub label: Option<String>,
}

/// A step on the way.
#[derive(Debug, Serialize)]
pub struct Event {
    pub title: &'static str,
    pub description: String,
}

/// A proposal.
#[derive(Debug, Serialize)]
pub struct ActionItem {
    pub issue_id: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    pub action_item: &'static str,
}

/// A better prompt.
#[derive(Debug, Serialize)]
pub struct SuggestedPrompt {
    pub original_prompt: String,
    pub suggested_prompt: String,
    pub feedback_items: Vec<Feedback>,
}

/// A remark on the prompt.
#[derive(Debug, Serialize)]
pub struct Feedback {
    pub issue_id: Option<String>,
    pub summary: &'static str,
    pub excerpt: String,
    pub details: &'static str,
}
