//! argv, environment, clock -> run -> exit code; nothing else.

use std::ffi::OsString;
use std::process::ExitCode;

use acumen::cli::{self, Cli};
use acumen::commands::{self, Context, Ended, Signals};
use acumen::console::{Console, write_error};
use acumen::environment;
use acumen::error::Error;
use acumen::exit::Exit;
use acumen::logging;
use chrono::{DateTime, Utc};

fn main() -> ExitCode {
    keep_memory_private();
    let argv: Vec<OsString> = std::env::args_os().collect();
    let log_format = environment::log_format(&argv);
    // A file that cannot be used must not keep anybody from reading the help.
    let file = environment::settings_file(&argv);
    let options = file.as_ref().map_or_else(|_| Vec::new(), |file| file.options.clone());
    let cli::Read { cli, choices } = match Cli::read(argv.clone(), &environment::is_blank, &options) {
        Ok(read) => read,
        Err(error) => {
            logging::start(log_format, 0);
            return commands::usage(&error, &argv).into();
        }
    };
    logging::start(log_format, cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            write_error(
                &format!("could not start the runtime: {error}"),
                None,
                "check the limits of this machine",
            );
            return Exit::Bug.into();
        }
    };
    let ended = runtime.block_on(async move {
        let context = Context {
            console: Console::new(cli.quiet, cli.verbose > 0),
            now: clock(),
            clock,
            signals: Signals::listen(),
            ignores_local_file: environment::ignores_local_file(&argv),
            file,
            choices,
        };
        // A panic ends the run as an error with a hint.
        let run = tokio::spawn(commands::run(cli.command, context));
        run.await.unwrap_or_else(|_| Err(Ended::from(Error::Panicked)))
    });
    // Blocking work in flight must not hold back an interrupted run.
    runtime.shutdown_background();
    let exit = ended.unwrap_or_else(|ended| {
        ended.print();
        ended.exit()
    });
    exit.into()
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn clock() -> DateTime<Utc> {
    Utc::now()
}

/// Keeps the memory of this process, which holds the key, from other processes
/// of the same user and from core dumps. Where the system refuses, nothing else
/// depends on it.
fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
