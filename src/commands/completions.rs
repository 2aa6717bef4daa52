//! `acumen completions`.

use clap::CommandFactory;

use super::{Ended, output};
use crate::cli::{Cli, CompletionsArgs};
use crate::exit::Exit;

/// Prints the completion script of a shell.
///
/// # Errors
/// Standard output cannot be written to.
pub fn run(args: &CompletionsArgs) -> Result<Exit, Ended> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "acumen", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
