//! How the API is asked: what a report and a sync have in common.

use std::time::Duration;

use chrono::DateTime;

use super::checks::{base_url, generation, page_size, word};
use super::{FoundKey, Network, SettingsError};
use crate::cli::ApiArgs;
use crate::fetch::{Api, Gate, Question, Secret};

/// How long a whole fetch may take.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// What the options say of the API: a question about no time yet.
pub(super) struct Asked {
    pub question: Question,
    /// What decided on the generation.
    pub api_from: &'static str,
}

/// How the API is asked; `limits` are those of another generation than the one
/// that is asked.
pub(super) fn asked(
    access: &ApiArgs,
    org: Option<&str>,
    key: Option<(String, FoundKey)>,
    network: &Network,
    limits: Option<Api>,
) -> Result<Asked, SettingsError> {
    let (key, key_source) = key.map(|(key, found)| (key, found.source)).unwrap_or_default();
    let (api, api_from) = generation(access.api.as_deref(), &key);
    let base_url = base_url(&access.base_url)?;
    // Without a key no server is asked.
    let proxy = if key.is_empty() { None } else { network.proxy(&base_url)? };
    let question = Question {
        api,
        base_url,
        org: org.map(|org| word("--org", org)).transpose()?,
        from: DateTime::UNIX_EPOCH,
        to: DateTime::UNIX_EPOCH,
        updated_from: None,
        ids: Vec::new(),
        tags: Vec::new(),
        users: Vec::new(),
        page_size: page_size(access.page_size, limits.unwrap_or(api))?,
        gate: Gate::new(access.concurrency as usize),
        allow_partial: false,
        deadline: DEADLINE,
        key_source,
        trust: network.trust.clone(),
        proxy,
        key: Secret::new(key),
    };
    Ok(Asked { question, api_from })
}
