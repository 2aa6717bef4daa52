//! How the API is reached: what a report and a sync have in common.

use std::time::Duration;

use super::checks::{base_url, generation, page_size};
use super::{FoundKey, Network, SettingsError};
use crate::cli::ApiArgs;
use crate::fetch::{Api, ApiConfig, Gate, Secret};

/// How long a whole fetch may take.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// The configuration of the API, and what decided on its generation; `limits` are
/// those of another generation than the one that is asked.
pub(super) fn asked(
    access: &ApiArgs,
    key: Option<(String, FoundKey)>,
    network: &Network,
    limits: Option<Api>,
) -> Result<(ApiConfig, &'static str), SettingsError> {
    let (key, key_source) = key.map(|(key, found)| (key, found.source)).unwrap_or_default();
    let (api, api_from) = generation(access.api.as_deref(), &key);
    let base_url = base_url(&access.base_url)?;
    // Without a key no server is asked.
    let proxy = if key.is_empty() { None } else { network.proxy(&base_url)? };
    let config = ApiConfig {
        api,
        base_url,
        page_size: page_size(access.page_size, limits.unwrap_or(api))?,
        gate: Gate::new(access.concurrency as usize),
        deadline: DEADLINE,
        key_source,
        trust: network.trust.clone(),
        proxy,
        key: Secret::new(key),
    };
    Ok((config, api_from))
}
