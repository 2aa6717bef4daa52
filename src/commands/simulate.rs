//! `acumen simulate`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, Utc};

use super::{Context, Ended, output};
use crate::cli::SimulateArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::settings::SettingsError;
use devin_simulator::{Fault, Options, Organisation, Recipe, Simulator, fault_names};

/// The organisation that the simulator invents.
pub const ORG: &str = "org_demo";
/// The key that the demo uses; any that looks like a personal one would do.
pub const KEY: &str = "apk_user_demo";
/// The same for the third version of the API.
const SERVICE_KEY: &str = "cog_demo";

/// Serves an invented organisation until a signal comes.
///
/// # Errors
/// A fault has no such name, the port cannot be listened on, or the signal.
pub async fn run(args: SimulateArgs, mut context: Context) -> Result<Exit, Ended> {
    let (console, now) = (context.console.clone(), context.now);
    let serving = async move {
        let simulator = simulator(&args, now).await?;
        let base_url = simulator.base_url();
        console.say(&hint(&base_url));
        // Without a reader of the address it is served all the same.
        let _ = output::print(&format!("{base_url}\n"));
        std::future::pending().await
    };
    context.signals.until(serving).await
}

/// A running simulator with the sessions of the days up to now.
async fn simulator(args: &SimulateArgs, now: DateTime<Utc>) -> Result<Simulator, Error> {
    let faults = args.faults.iter().map(|text| fault(text)).collect::<Result<Vec<_>, _>>()?;
    let first_day = now.date_naive().checked_sub_days(Days::new(args.days.into()));
    let first_day = first_day
        .ok_or_else(|| SettingsError::new("the clock is out of range", "check the machine's date"))?;
    let recipe = Recipe {
        seed: args.seed,
        sessions: args.sessions as usize,
        first_day,
        days: args.days + 1,
        ..Recipe::demo()
    };
    let latency = Duration::from_millis(args.latency);
    let options = Options { port: args.port, latency, faults, ..Options::default() };
    serve(Organisation::invent(&recipe), options).await
}

fn fault(text: &str) -> Result<Fault, SettingsError> {
    text.parse().map_err(|error| {
        SettingsError::new(format!("--fault {text}: {error}"), format!("choose from {}", fault_names()))
    })
}

/// What to type against a running simulator.
fn hint(base_url: &str) -> String {
    format!(
        "Serving {ORG}; v2 accepts keys that begin with apk_user_, v3 keys that begin with cog_. Stop \
         with Ctrl-C. In another shell run one of:\n  \
         DEVIN_API_KEY={KEY} acumen report --base-url {base_url} --org {ORG}\n  \
         DEVIN_API_KEY={SERVICE_KEY} acumen report --api v3 --base-url {base_url} --org {ORG}"
    )
}

/// A simulator that serves an organisation.
///
/// # Errors
/// The port cannot be listened on.
pub async fn serve(organisation: Organisation, options: Options) -> Result<Simulator, Error> {
    let port = options.port;
    devin_simulator::start(Arc::new(organisation), options)
        .await
        .map_err(|source| Error::Simulator { port, source })
}
