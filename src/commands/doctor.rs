//! `acumen doctor`.

use super::{Context, Ended, chat, mail, output};
use crate::cli::ReportArgs;
use crate::doctor;
use crate::environment;
use crate::exit::Exit;
use crate::settings::{self, Network};
use devin_api::Progress;

/// Checks configuration and connectivity, and prints a line for each thing.
///
/// # Errors
/// Standard output cannot be written to, or the signal; what fails in a check is a line.
pub async fn run(args: ReportArgs, context: Context) -> Result<Exit, Ended> {
    context.announce(None);
    let Context { mut signals, console, now, file, .. } = context;
    let network = environment::network(&args.network);
    let key = environment::find_key(&args.access);
    let examined = async move {
        let ping =
            environment::find_ping(&args.monitor).and_then(|found| settings::ping(found.as_ref()).map(drop));
        let chat = chat::check(&args, network.as_ref().unwrap_or(&Network::default()));
        let found = file
            .and_then(|file| environment::around(&args, file))
            .and_then(|found| ping.and(chat).map(|()| found));
        // A CA file that cannot be used has a line of its own; no server is asked then.
        let reachable = network.as_ref().ok().filter(|_| mail::is_possible(&args));
        let mail = reachable.map(|network| mail::of_report(&args, network)).transpose();
        // Of the way there only what makes one wait is worth a line.
        let retries = |progress| {
            if matches!(progress, Progress::Retry { .. }) {
                console.tell(progress);
            }
        };
        Ok(doctor::examine(&args, key, found, network, now, mail, &retries).await)
    };
    let diagnosis = signals.until(examined).await?;
    output::print(&diagnosis.text)?;
    Ok(diagnosis.exit)
}
