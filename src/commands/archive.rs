//! `acumen archive`.

use super::{Context, Ended, output};
use crate::archive::{self, ArchiveError};
use crate::cli::VerifyArgs;
use crate::console::write_line;
use crate::error::Error;
use crate::exit::Exit;
use crate::text::shown;

/// Checks an archive: prints what it holds, or all its faults on standard error.
///
/// # Errors
/// It has faults, or cannot be read.
pub async fn verify(args: VerifyArgs, mut context: Context) -> Result<Exit, Ended> {
    context.announce(None);
    let Context { file, signals, .. } = &mut context;
    file.as_ref().map_err(Clone::clone)?;
    let text = signals.until(async move { verified(&args) }).await?;
    output::print(&text)?;
    Ok(Exit::Done)
}

fn verified(args: &VerifyArgs) -> Result<String, Error> {
    let path = shown(&args.archive);
    let found = archive::verify(&args.archive)?;
    if !found.faults.is_empty() {
        found.faults.iter().for_each(|fault| write_line(&format!("fault: {fault}")));
        return Err(ArchiveError::Faulty { path, count: found.faults.len() }.into());
    }
    let archive::Soundness { sessions, months, bytes, .. } = found;
    Ok(format!("{path} is intact: {sessions} sessions in {months} months, {bytes} bytes\n"))
}
