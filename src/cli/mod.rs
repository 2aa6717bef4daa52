//! What was typed: flags, their environment names and their help.

mod archive;
mod chat;
mod meant;
mod options;
mod read;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use archive::{SyncArgs, VerifyArgs};
pub use chat::ChatArgs;
pub use meant::meant;
pub use options::{
    ApiArgs, Attach, Format, MailArgs, NOT_OF_RUN, NetworkArgs, Paper, People, PingArgs, RenderArgs,
    RenderFormat, ReportArgs, RunArgs, SendArgs,
};
pub use read::{
    Choice, FileOption, Origin, Read, config_flag, fault_of_file, flags_of_file, is_not_for_files,
    log_format_flag, report_args, takes_options,
};

const AFTER: &str = "\
Exit codes:
  0    success
  1    internal error (bug)
  2    usage or settings; or a certificate, TLS version or proxy that does not
       let the run through
  3    the key, or the login to the mail server, was refused
  4    incomplete data: no report written, or none sent
  5    the API, the mail server or a chat could not be reached, or kept failing
  6    the report has an alert (--fail-on-alert); it is written, and sent if asked
  65   the API returned unexpected data, a file is not what it should be, or an
       archive is damaged
  74   the report, the archive or standard output could not be written; or the
       mail or the chat message was not delivered, or delivery is uncertain
  75   the API, the mail server or a chat asks to retry later, or another run
       is active
  130  interrupted (SIGINT)
  143  terminated (SIGTERM)

Start with `acumen demo`: it needs no account and no network.";

/// Turns an organisation's Devin sessions into a report.
#[derive(Debug, Parser)]
#[command(name = "acumen", version, after_help = AFTER, max_term_width = 100, infer_subcommands = false)]
pub struct Cli {
    /// Command.
    #[command(subcommand)]
    pub command: Command,
    /// Print only errors and missing-data warnings.
    #[arg(long, short, global = true, env = "ACUMEN_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,
    /// Log stages, walks and archive steps to standard error; -vv also logs requests and pages.
    #[arg(long, short, global = true, env = "ACUMEN_VERBOSE", action = ArgAction::Count)]
    pub verbose: u8,
    /// Format of standard error: text, or one JSON object per line.
    #[arg(
        long,
        global = true,
        env = "ACUMEN_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        ignore_case = true
    )]
    pub log_format: LogFormat,
}

/// How standard error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetch the sessions of a period and write the report.
    ///
    /// Without a period, the report covers the last complete ISO week in the time zone, so a
    /// scheduled run that starts late or twice makes the same report.
    #[command(after_help = "\
The key cannot be an option. It is read from --api-key-file, else from the
systemd credential `devin-api-key`, else from DEVIN_API_KEY.

Examples:
  acumen report --org org_789
  acumen report --org org_789 --month 2026-03 --tag team:payments --tz Europe/Berlin
  acumen report --from 2026-10-05 --to 2026-10-11 --out /srv/reports
  acumen report --org org_789 --ping-file /etc/acumen/ping --summary summary.md

`acumen --help` lists the exit codes.")]
    Report(Box<ReportArgs>),
    /// Make and send all reports of the settings file from one fetch.
    ///
    /// Each `[[report]]` table of the settings file is a report, or with each = "team" one for each
    /// team, with filters, a profile and recipients of its own. The sessions are fetched once; with
    /// --archive, the archive is brought up to date first. A report that fails does not stop the
    /// others. Nothing is sent twice: a run that was interrupted is repeated.
    #[command(after_help = "\
Examples:
  acumen run --dry-run
  acumen run --only leadership
  acumen run --as-of 2026-10-12")]
    Run(Box<RunArgs>),
    /// Store all sessions in a local archive for offline reports.
    ///
    /// The first run fetches everything since --since, month by month. Later runs
    /// read what was created or changed since the last one, and sessions that still
    /// run or have open pull requests. An interrupted or killed run damages nothing;
    /// the next one continues where it ended. Concurrent runs are refused.
    #[command(after_help = "\
Examples:
  acumen sync --org org_789 --archive /srv/devin
  acumen report --archive /srv/devin --month 2026-03 --tag team:payments
  acumen archive verify --archive /srv/devin")]
    Sync(Box<SyncArgs>),
    /// Check an archive.
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Check configuration and connectivity; writes nothing.
    ///
    /// Takes the options of a report and prints one line per check: settings, key,
    /// API, certificates, proxy, address, access, organisation, sessions, clock,
    /// time window, page size, the last complete week, output folder. If sender,
    /// recipients and mail server are set, or --mail is given, it also checks the
    /// state folder and the mail: it talks to the mail server as far as the
    /// recipients, then cancels; nothing is sent. A line begins with `ok`, `note`,
    /// `FAILED` with a hint below it, or `skipped` if another check failed first.
    /// The exit code is that of the first failure. Takes a minute at most.
    #[command(after_help = "\
Examples:
  acumen doctor --org org_789
  acumen doctor --api v3 --base-url https://devin.example.com --out /srv/reports")]
    Doctor(Box<ReportArgs>),
    /// Send an existing report by mail.
    ///
    /// The mail is made from the report's facts only and is identical to the one that `acumen
    /// report --mail` sends. Recipients who already got the report are skipped unless --force is
    /// given.
    #[command(after_help = "\
The password cannot be an option. It is read from --smtp-password-command, else
from --smtp-password-file, else from the systemd credential `smtp-password`,
else from ACUMEN_SMTP_PASSWORD.

Examples:
  acumen send reports/org_789_2026-W41.html --mail-from acumen@example.com \\
    --mail-to lead@example.com --smtp smtps://mail.example.com --smtp-user acumen
  acumen send reports/org_789_2026-W41.json --mail-from a@example.com \\
    --mail-to b@example.com --eml week-41.eml")]
    Send(Box<SendArgs>),
    /// Render the outputs of a report from its facts.
    ///
    /// Reads only the facts file, and writes the same bytes as the run that wrote the facts. A
    /// message gets a new date and id.
    #[command(after_help = "\
Examples:
  acumen render reports/org_789_2026-W41.json --format html,xlsx
  acumen render facts.json --format eml --mail-from a@example.com --mail-to b@example.com")]
    Render(Box<RenderArgs>),
    /// Show the settings and their sources, or write an example settings file.
    ///
    /// Precedence: command line, environment, settings file, default. The settings file is the one
    /// in --config or ACUMEN_CONFIG, else acumen/acumen.toml in the user's configuration folder
    /// ($XDG_CONFIG_HOME, or ~/.config). An acumen.toml in the working directory is read only if
    /// --config names it.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a report about an invented organisation; needs no account and no network.
    Demo(DemoArgs),
    /// Serve an invented organisation on loopback, for testing.
    ///
    /// Serves both versions of the API: v2 accepts any key that begins with apk_user_, v3 any key
    /// that begins with cog_.
    #[command(after_help = "\
Faults for --fault NAME[=N]; they affect every Nth request (default 7) unless noted:
  503, 429, 429date   temporary refusals; 429 and 429date say when to retry
  reset, truncate     the connection is reset, the body is cut short
  stall               part of the body, then nothing
  html, redirect      an HTML page, a redirect to another host
  bomb                a small gzip body that unpacks to hundreds of megabytes
  clamp               pages of N sessions (default 50), whatever is requested
  drift               sessions appear while pages are read, until request N
  dup, drop           every Nth session is listed twice, or is missing
  ignorefilter        time window and filters are ignored
  nohasmore           the field that marks the last page is missing
  emptymore           an empty page that announces more
  loop                skip is ignored (v2), the cursor repeats (v3)
  nomembers           the lists of people and organisations are forbidden
  hidearchived        archived sessions are listed only on request (v3)
  unmetered           every session has 0 ACUs

Examples:
  acumen simulate --sessions 5000 --fault 503=3 --fault drift
  DEVIN_API_KEY=apk_user_demo acumen report --base-url http://127.0.0.1:8765 --org org_demo
  DEVIN_API_KEY=cog_demo acumen report --api v3 --base-url http://127.0.0.1:8765 --org org_demo")]
    Simulate(SimulateArgs),
    /// Print metric definitions.
    Metrics(MetricsArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// `acumen archive`.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Check that all files are intact and that each session occurs once.
    Verify(VerifyArgs),
}

/// `acumen config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print each setting and its source; secrets are hidden.
    Show(Box<ReportArgs>),
    /// Write a commented example to the user's configuration folder, or to --config FILE.
    Init(InitArgs),
}

/// `acumen config init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// File to write [default: acumen/acumen.toml in the user's configuration folder]; an existing
    /// file is never overwritten.
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `acumen demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the report and its facts; created if missing.
    #[arg(long, env = "ACUMEN_OUT", value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Permissions of written files, in octal, such as 0640 (default: 0600, readable by the owner only).
    #[arg(long, env = "ACUMEN_MODE", value_name = "MODE", value_parser = options::mode)]
    pub mode: Option<u32>,
    /// Also write these formats, separated by commas.
    #[arg(long, env = "ACUMEN_EXPORT", value_name = "FORMATS", value_delimiter = ',', ignore_case = true)]
    pub export: Vec<Format>,
}

/// `acumen simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Port on loopback; 0 selects a free port.
    #[arg(long, env = "ACUMEN_SIMULATE_PORT", value_name = "N", default_value_t = 8765)]
    pub port: u16,
    /// Number of sessions, spread over the days.
    #[arg(long, env = "ACUMEN_SIMULATE_SESSIONS", value_name = "N", default_value_t = 2500,
          value_parser = clap::value_parser!(u32).range(0..=2_000_000))]
    pub sessions: u32,
    /// Number of days, up to today.
    #[arg(long, env = "ACUMEN_SIMULATE_DAYS", value_name = "N", default_value_t = 56,
          value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// Seed; another seed invents another organisation.
    #[arg(long, env = "ACUMEN_SIMULATE_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Delay of each answer, in milliseconds.
    #[arg(long, env = "ACUMEN_SIMULATE_LATENCY", value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Inject a fault, see below; repeat for several (the environment variable holds one).
    #[arg(long = "fault", env = "ACUMEN_SIMULATE_FAULT", value_name = "NAME[=N]")]
    pub faults: Vec<String>,
}

/// `acumen metrics`.
#[derive(Debug, Args)]
pub struct MetricsArgs {
    /// Print only this metric, by its name in the files, such as merge_rate.
    #[arg(value_name = "NAME", conflicts_with = "markdown")]
    pub name: Option<String>,
    /// Print Markdown, as in METRICS.md.
    #[arg(long)]
    pub markdown: bool,
}

/// `acumen completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_report_has_an_environment_name_and_none_takes_the_key() {
        let cli = Cli::command();
        let flags = ["report", "send", "sync"].map(|name| cli.find_subcommand(name).unwrap().get_opts());
        for flag in
            flags.into_iter().flatten().filter(|flag| !matches!(flag.get_id().as_str(), "help" | "version"))
        {
            assert!(flag.get_env().is_some(), "{} has no environment name", flag.get_id());
            assert!(!matches!(flag.get_id().as_str(), "key" | "api_key" | "token" | "smtp_password"));
        }
    }
}
