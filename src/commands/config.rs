//! `acumen config`.

use std::path::PathBuf;

use super::{Context, Ended, output};
use crate::cli::{InitArgs, ReportArgs};
use crate::deliver;
use crate::environment;
use crate::error::Error;
use crate::exit::Exit;
use crate::settings::{self, SettingsError};

/// Prints each setting and where it came from.
///
/// # Errors
/// The settings file or the key file cannot be read.
pub fn show(args: &ReportArgs, context: &Context) -> Result<Exit, Ended> {
    context.announce(None);
    let key = environment::find_key(&args.access)?.map(|key| key.source);
    let file = context.file.as_ref().map_err(Clone::clone)?;
    output::print(&settings::show(&context.choices, file, key.as_deref()))?;
    Ok(Exit::Done)
}

/// Writes an example of a settings file to the file that is named, else to the
/// user's own, whose folder it makes; prints its path.
///
/// # Errors
/// There is a file already, or none can be written there.
pub fn init(args: InitArgs, context: &Context) -> Result<Exit, Ended> {
    context.warn_of_settings();
    let path = place(args.config, environment::user_settings_file())?;
    deliver::begin(&path, settings::EXAMPLE)?;
    output::print(&format!("{}\n", path.display()))?;
    Ok(Exit::Done)
}

fn place(named: Option<PathBuf>, of_user: Option<PathBuf>) -> Result<PathBuf, Error> {
    match (named, of_user) {
        (Some(path), _) => Ok(path),
        (None, Some(path)) => {
            path.parent().map_or(Ok(()), deliver::make_private)?;
            Ok(path)
        }
        (None, None) => Err(SettingsError::new(
            "there is no configuration folder: neither XDG_CONFIG_HOME nor HOME is an absolute path",
            "name the file with --config",
        )
        .into()),
    }
}
