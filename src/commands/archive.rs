//! What the commands of an archive do.

use chrono::{DateTime, Utc};

use crate::archive::{self, ArchiveError};
use crate::cli::{SyncArgs, VerifyArgs};
use crate::error::Error;
use crate::pipeline;
use crate::progress::{Voice, write_line};
use crate::settings::{self, FoundKey, Network};
use crate::text::shown;

/// Brings an archive up to date, and tells where it lies.
///
/// # Errors
/// The first step that fails; those before it hold.
pub async fn sync(
    args: &SyncArgs,
    key: Option<FoundKey>,
    network: &Network,
    now: DateTime<Utc>,
    voice: &Voice,
) -> Result<String, Error> {
    let settings = settings::Sync::resolve(args, key, network, now)?;
    voice.say(&format!("speaking API {} ({})", settings.api.api, settings.api_from));
    let synced = pipeline::sync(&settings, &|progress| voice.tell(progress)).await;
    voice.finish();
    let synced = synced?;
    let counted = |number: u64, what: &str| match number {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    };
    if synced.rejected > 0 {
        let records = counted(synced.rejected, "record");
        let are = if synced.rejected == 1 { "is" } else { "are" };
        voice.warn(&format!("{records} could not be read and {are} not in the archive."));
    }
    if synced.gone > 0 {
        let sessions = counted(synced.gone, "session");
        voice.say(&format!(
            "{sessions} of the archive: the API no longer tells of them; they stay as they were"
        ));
    }
    synced.notes.iter().for_each(|note| voice.say(&format!("note: {note}")));
    let (received, all) = (counted(synced.received, "session"), counted(synced.sessions, "session"));
    voice.say(&format!("{received} new or asked for again; {all} in the archive"));
    Ok(format!("{}\n", settings.archive.display()))
}

/// Checks an archive: what it holds, or all its faults on stderr.
///
/// # Errors
/// It has faults, or cannot be read.
pub fn verify(args: &VerifyArgs) -> Result<String, Error> {
    let path = shown(&args.archive);
    let found = archive::verify(&args.archive)?;
    if !found.faults.is_empty() {
        found.faults.iter().for_each(|fault| write_line(&format!("fault: {fault}")));
        return Err(ArchiveError::Faulty { path, count: found.faults.len() }.into());
    }
    let archive::Soundness { sessions, months, bytes, .. } = found;
    Ok(format!("{path} is sound: {sessions} sessions in {months} months, {bytes} bytes\n"))
}
