//! The monitor of a run, which hears of its beginning and its end.

use super::Ended;
use crate::cli::PingArgs;
use crate::console::Console;
use crate::environment;
use crate::exit::Exit;
use crate::settings::{self, Network, SettingsError};
use devin_api::{Heartbeat, HeartbeatEvent, Monitor};

/// The monitor that the options or the environment name.
///
/// # Errors
/// Its address, or the way to it, cannot be used.
pub fn monitor(
    args: &PingArgs,
    network: &Result<Network, SettingsError>,
) -> Result<Option<Monitor>, SettingsError> {
    let Some(url) = settings::ping(environment::find_ping(args)?.as_ref())? else { return Ok(None) };
    let network = network.as_ref().map_err(Clone::clone)?;
    let proxy = network.proxy(&url)?;
    Ok(Some(Monitor::new(url, network.trust.clone(), proxy)))
}

/// Runs the work between the two messages to its monitor, if it has one.
///
/// # Errors
/// Those of the work; a monitor that does not answer is none.
pub async fn around(
    monitor: Option<Monitor>,
    console: &Console,
    work: impl Future<Output = Result<Exit, Ended>>,
) -> Result<Exit, Ended> {
    let heartbeat = monitor.map(Heartbeat::begin);
    let ended = work.await;
    if let Some(heartbeat) = heartbeat {
        let event = ended.as_ref().map_or_else(Ended::event, |_| HeartbeatEvent::Succeeded);
        // Before the error is printed, whose hint is the last line that a user sees.
        heartbeat.end(&event).await.iter().for_each(|missed| console.say(missed));
    }
    ended
}
