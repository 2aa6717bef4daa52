//! How the API is reached: what a report and a sync have in common.

use std::time::Duration;

use super::checks::{base_url, checked_key, generation, page_size};
use super::{FoundKey, Network, SettingsError};
use crate::cli::ApiArgs;
use devin_api::{Api, ApiConfig, Gate, Secret};

/// How long a whole fetch may take.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// The configuration of the API, and what decided on its generation.
///
/// # Errors
/// There is no key, or an option cannot be used.
pub(super) fn api_config(
    access: &ApiArgs,
    found: Option<&FoundKey>,
    network: &Network,
) -> Result<(ApiConfig, &'static str), SettingsError> {
    let key = checked_key(found)?;
    let key_source = found.expect("a key that was checked was found").source.clone();
    let (api, chosen_by) = generation(access.api.as_deref(), &key);
    let base_url = base_url(&access.base_url)?;
    let config = ApiConfig {
        api,
        proxy: network.proxy(&base_url)?,
        base_url,
        page_size: page_size(access.page_size, api)?,
        gate: Gate::new(access.concurrency as usize),
        deadline: DEADLINE,
        key_source,
        trust: network.trust.clone(),
        key: Secret::new(key),
    };
    Ok((config, chosen_by))
}

/// The generation that an option states.
pub(super) fn stated_api(access: &ApiArgs) -> Option<Api> {
    access.api.as_deref().map(|stated| generation(Some(stated), "").0)
}

/// Checks options of the API that are not used because no server is asked: a wrong one is
/// an error all the same.
///
/// # Errors
/// One of them cannot be used.
pub(super) fn check_unused(access: &ApiArgs) -> Result<(), SettingsError> {
    base_url(&access.base_url)?;
    page_size(access.page_size, Api::V2)?;
    Ok(())
}
