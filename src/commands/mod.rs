//! The commands, a file each: from arguments to the end of the run.

mod archive;
mod chat;
mod completions;
mod config;
mod demo;
mod doctor;
mod ended;
mod heartbeat;
pub mod mail;
mod metrics;
mod output;
mod render;
pub mod report;
mod run;
mod send;
mod settings_line;
mod signals;
mod simulate;
mod stored;
mod sync;
mod usage;

use chrono::{DateTime, Utc};

pub use ended::Ended;
pub use signals::Signals;
pub use usage::usage;

use crate::cli::{ArchiveCommand, Choice, Command, ConfigCommand};
use crate::console::Console;
use crate::exit::Exit;
use crate::regular_file;
use crate::settings::{SettingsError, SettingsFile};
use crate::text::shown;

/// What surrounds a command.
pub struct Context {
    /// Standard error.
    pub console: Console,
    /// When the run began.
    pub now: DateTime<Utc>,
    /// The clock, for whatever has a date of its own.
    pub clock: fn() -> DateTime<Utc>,
    /// The signals that end the run.
    pub signals: Signals,
    /// The settings file; empty for commands that take none.
    pub file: Result<SettingsFile, SettingsError>,
    /// The options as they will be used, for `config show`.
    pub choices: Vec<Choice>,
    /// Whether the working directory has a settings file that is not read.
    pub ignores_local_file: bool,
}

/// Runs a command to its end.
///
/// # Errors
/// The first stage that fails, or the signal that ended the run.
pub async fn run(command: Command, context: Context) -> Result<Exit, Ended> {
    match command {
        Command::Report(args) => report::run(*args, context).await,
        Command::Run(args) => run::run(*args, context).await,
        Command::Sync(args) => sync::run(*args, context).await,
        Command::Archive(ArchiveCommand::Verify(args)) => archive::verify(args, context).await,
        Command::Doctor(args) => doctor::run(*args, context).await,
        Command::Send(args) => send::run(*args, context).await,
        Command::Render(args) => render::run(&args, &context),
        Command::Config(ConfigCommand::Show(args)) => config::show(&args, &context),
        Command::Config(ConfigCommand::Init(args)) => config::init(args, &context),
        Command::Demo(args) => demo::run(args, context).await,
        Command::Simulate(args) => simulate::run(args, context).await,
        Command::Metrics(args) => metrics::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

/// Earlier versions read the file, and a schedule may still rely on that.
const NOT_READ: &str =
    "acumen.toml in the working directory is not read; to use it, pass --config acumen.toml";

impl Context {
    /// Prints the settings line, if there is one, and warnings about settings files.
    fn announce(&self, settings_line: Option<String>) {
        settings_line.iter().for_each(|line| self.console.say(line));
        self.warn_of_settings();
        if self.ignores_local_file {
            self.console.warn(NOT_READ);
        }
    }

    /// Warns of a settings file that every user of this machine can change: it
    /// decides where the key is sent.
    fn warn_of_settings(&self) {
        let Some(path) = self.file.as_ref().ok().and_then(|file| file.path.as_ref()) else { return };
        if regular_file::exposure(path).is_some_and(|exposure| exposure.write) {
            let path = shown(path);
            self.console.warn(&format!(
                "every user of this machine can change the settings file {path}, which decides where the \
                 key is sent: chmod go-w the file and its folder"
            ));
        }
    }
}
