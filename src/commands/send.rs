//! `acumen send`.

use super::{Context, Ended, mail, output, settings_line};
use crate::cli::SendArgs;
use crate::environment;
use crate::exit::Exit;
use crate::settings::PRIVATE;
use crate::settings::mail::Destination;

/// Sends a report that was written before.
///
/// # Errors
/// The settings cannot be used, there is no such report, or the mail is not delivered to everybody.
pub async fn run(args: SendArgs, mut context: Context) -> Result<Exit, Ended> {
    let network = environment::network(&args.network);
    // The password may come from a command, which a signal need not wait for.
    let finding = async move {
        let password = environment::password(&args.post);
        Ok((args, password))
    };
    let (args, password) = context.signals.until(finding).await?;
    context.announce(settings_line::send(&args.post, &context.file, &password, &network));
    context.file.as_ref().map_err(Clone::clone)?;
    let state = environment::state(args.state);
    let settings = mail::settings(&args.post, password?, state, &network?)?;
    let mode = args.mode.unwrap_or(PRIVATE);
    if matches!(settings.destination, Destination::File(_)) {
        output::note_mode(mode, &context.console);
    }
    let sent = mail::send(args.report, settings, mode, &mut context).await;
    sent.map_err(|ended| ended.leaving("nothing sent"))?;
    Ok(Exit::Done)
}
