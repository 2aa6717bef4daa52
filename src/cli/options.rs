//! The options of a report and of its mail.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

/// `acumen report`.
#[derive(Debug, Default, Args)]
pub struct ReportArgs {
    /// Settings file [default: acumen/acumen.toml in the user's configuration folder].
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,

    /// First day, as 2026-10-05.
    #[arg(long, env = "ACUMEN_FROM", value_name = "DATE", requires = "to", help_heading = "Period",
          conflicts_with_all = ["week", "month", "quarter", "last"])]
    pub from: Option<String>,
    /// Last day, included.
    #[arg(long, env = "ACUMEN_TO", value_name = "DATE", requires = "from", help_heading = "Period",
          conflicts_with_all = ["week", "month", "quarter", "last"])]
    pub to: Option<String>,
    /// ISO week, as 2026-W41.
    #[arg(long, env = "ACUMEN_WEEK", value_name = "WEEK", help_heading = "Period",
          conflicts_with_all = ["month", "quarter", "last"])]
    pub week: Option<String>,
    /// Calendar month, as 2026-10.
    #[arg(
        long,
        env = "ACUMEN_MONTH",
        value_name = "MONTH",
        help_heading = "Period",
        conflicts_with_all = ["quarter", "last"]
    )]
    pub month: Option<String>,
    /// Quarter of a calendar year, as 2026-Q4.
    #[arg(
        long,
        env = "ACUMEN_QUARTER",
        value_name = "QUARTER",
        help_heading = "Period",
        conflicts_with = "last"
    )]
    pub quarter: Option<String>,
    /// Whole days or weeks before today, as 14d or 2w.
    #[arg(long, env = "ACUMEN_LAST", value_name = "SPAN", help_heading = "Period")]
    pub last: Option<String>,
    /// Time zone whose midnights bound days and periods, an IANA name.
    #[arg(long, env = "ACUMEN_TZ", value_name = "ZONE", default_value = "UTC", help_heading = "Period")]
    pub tz: String,
    /// Earlier periods to show as a trend.
    #[arg(long, env = "ACUMEN_TREND", value_name = "N", default_value_t = 7, help_heading = "Period",
          value_parser = clap::value_parser!(u32).range(0..=104))]
    pub trend: u32,

    /// Organisation id; left out, the whole enterprise.
    #[arg(long, env = "ACUMEN_ORG", value_name = "ID", help_heading = "Sessions")]
    pub org: Option<String>,
    /// Only sessions with this tag, in which * stands for any text; repeat for any of several
    /// (the environment gives one).
    #[arg(long = "tag", env = "ACUMEN_TAG", value_name = "TAG", value_delimiter = None, help_heading = "Sessions")]
    pub tags: Vec<String>,
    /// Only sessions of this user: an id, or an email or a name that the API's lists of people or
    /// the people file know; repeat for any of several (the environment gives one).
    #[arg(long = "user", env = "ACUMEN_USER", value_name = "ID", help_heading = "Sessions")]
    pub users: Vec<String>,

    /// Report from saved pages instead of asking: a file, a folder, or - for standard input.
    /// Answers of the API, arrays of sessions, a session a line, or the file of "Export session
    /// data" in Devin's web app (Settings, Analytics, Usage); plain, gzip or zstd.
    #[arg(long, env = "ACUMEN_PAGES", value_name = "PATH", help_heading = "Sessions")]
    pub pages: Option<PathBuf>,
    /// Report from an archive that acumen sync keeps, instead of asking; "" asks, and
    /// --pages beats it.
    #[arg(
        long,
        env = "ACUMEN_ARCHIVE",
        value_name = "DIR",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        help_heading = "Sessions"
    )]
    pub archive: Option<PathBuf>,

    /// How the API is asked.
    #[command(flatten)]
    pub access: ApiArgs,
    /// How servers are reached.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Who reads the report: lead shows names, titles and links to sessions; leadership
    /// shows nothing about single people or sessions.
    #[arg(long, env = "ACUMEN_PROFILE", value_name = "PROFILE", value_parser = ["lead", "leadership"],
          default_value = "lead", help_heading = "People")]
    pub profile: String,
    /// Show people by name (names), or nothing about single people and no group of
    /// fewer than five (hidden); by default as the profile says.
    #[arg(long, env = "ACUMEN_PEOPLE", value_name = "HOW", value_parser = people, help_heading = "People")]
    pub people: Option<People>,
    /// CSV of people with the columns user (id or email), name, team, from; it beats the API's lists.
    /// Commas, semicolons or tabs; UTF-8 or Excel's Unicode text.
    #[arg(long, env = "ACUMEN_PEOPLE_FILE", value_name = "FILE", help_heading = "People")]
    pub people_file: Option<PathBuf>,
    /// Print the beginning of each prompt with the sessions worth a look.
    #[arg(long, env = "ACUMEN_INCLUDE_PROMPTS", help_heading = "People",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub include_prompts: bool,

    /// What may be spent in a calendar month or billing cycle, in the currency of the prices, on
    /// all sessions: with --tag or --user it is left out.
    #[arg(long, env = "ACUMEN_BUDGET", value_name = "AMOUNT", help_heading = "Money")]
    pub budget: Option<String>,
    /// Day of the month on which the budget begins anew, as 23; "auto" asks the vendor for its
    /// billing cycles. Left out, the first.
    #[arg(long, env = "ACUMEN_BUDGET_CYCLE_DAY", value_name = "DAY", help_heading = "Money")]
    pub budget_cycle_day: Option<String>,

    /// Folder for the log of sent mails; made if missing.
    #[arg(long, env = "ACUMEN_STATE", value_name = "DIR", help_heading = "Mail")]
    pub state: Option<PathBuf>,
    /// Folder for the report and its facts; made if missing.
    #[arg(long, env = "ACUMEN_OUT", value_name = "DIR", default_value = "reports", help_heading = "Output")]
    pub out: PathBuf,
    /// Rights of the files that are written, in octal, as 0640; left out, 0600:
    /// only their owner reads them.
    #[arg(long, env = "ACUMEN_MODE", value_name = "MODE", value_parser = mode, help_heading = "Output")]
    pub mode: Option<u32>,
    /// Files beside the report for spreadsheets and analysts; several with commas between them,
    /// "" for none.
    #[arg(
        long,
        env = "ACUMEN_EXPORT",
        value_name = "FORMATS",
        value_delimiter = ',',
        ignore_case = true,
        help_heading = "Output"
    )]
    pub export: Vec<Format>,
    /// Folder in which the answers of the run are kept as they came, for --pages; made if missing.
    #[arg(long, env = "ACUMEN_SAVE_PAGES", value_name = "DIR", help_heading = "Output")]
    pub save_pages: Option<PathBuf>,
    /// Write a report even if sessions are missing; its first screen says so.
    #[arg(long, env = "ACUMEN_ALLOW_PARTIAL", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_partial: bool,
    /// Write an empty report where no session matches --org, --tag or --user; it is never mailed.
    #[arg(long, env = "ACUMEN_ALLOW_EMPTY", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_empty: bool,
    /// Do not ask for the vendor's own totals, which the page shows beside ours.
    #[arg(long, env = "ACUMEN_NO_RECONCILE", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub no_reconcile: bool,

    /// File to which a short Markdown summary is appended once the report stands.
    #[arg(long, env = "ACUMEN_SUMMARY", value_name = "FILE", help_heading = "Schedule")]
    pub summary: Option<PathBuf>,
    /// The monitor of the run.
    #[command(flatten)]
    pub monitor: PingArgs,

    /// Send the report by mail once it is written.
    #[arg(long, env = "ACUMEN_MAIL", help_heading = "Mail",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub mail: bool,
    /// How it is sent.
    #[command(flatten)]
    pub post: MailArgs,
}

impl ReportArgs {
    /// Whether the sessions lie on the disk, so that no key is needed.
    pub fn is_offline(&self) -> bool {
        self.pages.is_some() || self.archive().is_some()
    }

    /// The archive that is read, if one is; pages that were named this once beat it,
    /// and an empty name is none.
    pub fn archive(&self) -> Option<&PathBuf> {
        let named = self.archive.as_ref().filter(|path| !path.as_os_str().is_empty());
        named.filter(|_| self.pages.is_none())
    }
}

/// How a report shows people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People {
    /// By name.
    Names,
    /// Not at all, and no group of fewer than five.
    Hidden,
}

fn people(text: &str) -> Result<People, String> {
    match text {
        "names" => Ok(People::Names),
        "hidden" => Ok(People::Hidden),
        "pseudonyms" => {
            Err("pseudonyms are gone, because they can be traced back to people; use hidden".to_owned())
        }
        _ => Err("use names or hidden".to_owned()),
    }
}

/// The rights of a file. Four digits, so that a number that was meant to be
/// decimal is not taken for an octal one.
pub fn mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix('0').filter(|rest| rest.len() == 3);
    let mode = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
    let mode = mode.ok_or("write it as four octal digits, as 0640")?;
    match mode {
        _ if mode & 0o600 != 0o600 => Err("the owner must be able to read and write".to_owned()),
        _ if mode & 0o111 != 0 => Err("the files are no programs".to_owned()),
        _ if mode & 0o002 != 0 => Err("everybody could change the files".to_owned()),
        _ => Ok(mode),
    }
}

/// How the API is asked.
#[derive(Debug, Default, Args)]
pub struct ApiArgs {
    /// Generation of the API; left out, the key tells: cog_ is v3, apk_ is v2.
    #[arg(long, env = "ACUMEN_API", value_name = "API", value_parser = ["v2", "v3"], help_heading = "API")]
    pub api: Option<String>,
    /// Where the API answers: https, or http on loopback.
    #[arg(
        long,
        env = "ACUMEN_BASE_URL",
        value_name = "URL",
        default_value = "https://api.devin.ai",
        help_heading = "API"
    )]
    pub base_url: String,
    /// File that holds the API key.
    #[arg(long, env = "ACUMEN_API_KEY_FILE", value_name = "FILE", help_heading = "API")]
    pub api_key_file: Option<PathBuf>,
    /// Sessions asked for per page.
    #[arg(long, env = "ACUMEN_PAGE_SIZE", value_name = "N", default_value_t = 200, help_heading = "API",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub page_size: u32,
    /// Requests in flight at once.
    #[arg(long, env = "ACUMEN_CONCURRENCY", value_name = "N", default_value_t = 4, help_heading = "API",
          value_parser = clap::value_parser!(u32).range(1..=32))]
    pub concurrency: u32,
}

/// How servers are reached.
#[derive(Debug, Default, Args)]
pub struct NetworkArgs {
    /// File of certificates in PEM or DER that are trusted in addition to the system's: for the
    /// API, the monitor and the mail server.
    #[arg(long, env = "ACUMEN_CA_FILE", value_name = "FILE", help_heading = "Network")]
    pub ca_file: Option<PathBuf>,
}

/// The monitor of a run. Its address is a secret: whoever knows it can speak for the run.
#[derive(Debug, Default, Args)]
pub struct PingArgs {
    /// Monitor to tell of start (URL/start), success (URL) and failure (URL/fail), as Healthchecks has it;
    /// other users of the machine can read it among the arguments.
    #[arg(
        long,
        env = "ACUMEN_PING",
        value_name = "URL",
        hide_env_values = true,
        hide_default_value = true,
        conflicts_with = "ping_file",
        help_heading = "Schedule"
    )]
    pub ping: Option<SecretString>,
    /// File that holds the URL of the monitor.
    #[arg(long, env = "ACUMEN_PING_FILE", value_name = "FILE", help_heading = "Schedule")]
    pub ping_file: Option<PathBuf>,
}

/// `acumen send`.
#[derive(Debug, Default, Args)]
pub struct SendArgs {
    /// The report: its page or its facts, NAME.html or NAME.json.
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// Settings file [default: acumen/acumen.toml in the user's configuration folder].
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Folder that remembers what was sent; left out, the user's state folder.
    #[arg(long, env = "ACUMEN_STATE", value_name = "DIR", help_heading = "Mail")]
    pub state: Option<PathBuf>,
    /// Rights of the file of --eml, in octal, as 0640; left out, 0600:
    /// only its owner reads it.
    #[arg(long, env = "ACUMEN_MODE", value_name = "MODE", value_parser = mode, help_heading = "Output")]
    pub mode: Option<u32>,
    /// How it is sent.
    #[command(flatten)]
    pub post: MailArgs,
    /// How servers are reached.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// `acumen render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Facts of a report: NAME.json.
    #[arg(value_name = "FACTS")]
    pub facts: PathBuf,
    /// Outputs to make, with commas between them.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', required = true, ignore_case = true)]
    pub format: Vec<RenderFormat>,
    /// Folder for the outputs; left out, the folder of the facts.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Rights of the files that are written, in octal, as 0640; left out, 0600:
    /// only their owner reads them.
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<u32>,
    /// Sender of the message.
    #[arg(long, value_name = "ADDRESS", required_if_eq("format", "eml"))]
    pub mail_from: Option<String>,
    /// Recipients of the message, with commas between them.
    #[arg(long, value_name = "ADDRESS", required_if_eq("format", "eml"))]
    pub mail_to: Vec<String>,
    /// Recipients of a copy.
    #[arg(long, value_name = "ADDRESS")]
    pub mail_cc: Vec<String>,
    /// Attachment of the message.
    #[arg(long, value_name = "WHAT", default_value = "html", value_parser = ["html", "xlsx", "none"])]
    pub mail_attach: String,
}

/// An output of `acumen render`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// The page.
    Html,
    /// The workbook.
    Xlsx,
    /// One CSV file for each grouping.
    Csv,
    /// A short Markdown summary.
    Md,
    /// The message, as it would be mailed.
    Eml,
}

/// What a mail needs.
#[derive(Debug, Default, Args)]
pub struct MailArgs {
    /// Recipients, as `lead@example.com` or `"Doe, Jane" <jane@example.com>`; several with commas
    /// between them, or the option again.
    #[arg(long, env = "ACUMEN_MAIL_TO", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_to: Vec<String>,
    /// Who gets a copy; several as for --mail-to.
    #[arg(long, env = "ACUMEN_MAIL_CC", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_cc: Vec<String>,
    /// The sender.
    #[arg(long, env = "ACUMEN_MAIL_FROM", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_from: Option<String>,
    /// What is attached: the page, the workbook of `--export xlsx`, or nothing.
    #[arg(long, env = "ACUMEN_MAIL_ATTACH", value_name = "WHAT", default_value = "html",
          value_parser = ["html", "xlsx", "none"], help_heading = "Mail")]
    pub mail_attach: String,
    /// The mail server: smtps://HOST is TLS (port 465), smtp://HOST is STARTTLS (587),
    /// smtp+plain://HOST is neither (25) and for loopback alone.
    #[arg(long, env = "ACUMEN_SMTP", value_name = "URL", help_heading = "Mail")]
    pub smtp: Option<String>,
    /// What this machine calls itself there (EHLO); left out, its full host name, or else its
    /// address, as [192.0.2.1].
    #[arg(long, env = "ACUMEN_SMTP_HELO", value_name = "NAME", help_heading = "Mail")]
    pub smtp_helo: Option<String>,
    /// Who logs in there; left out, nobody does.
    #[arg(long, env = "ACUMEN_SMTP_USER", value_name = "NAME", help_heading = "Mail")]
    pub smtp_user: Option<String>,
    /// How to log in: auto is PLAIN, else LOGIN, as the server offers; with xoauth2 the
    /// password is an OAuth 2.0 access token.
    #[arg(long, env = "ACUMEN_SMTP_AUTH", value_name = "HOW", default_value = "auto",
          value_parser = ["auto", "plain", "login", "xoauth2"], help_heading = "Mail")]
    pub smtp_auth: String,
    /// File that holds the password, or the access token.
    #[arg(long, env = "ACUMEN_SMTP_PASSWORD_FILE", value_name = "FILE", help_heading = "Mail")]
    pub smtp_password_file: Option<PathBuf>,
    /// Command that prints the password, or the access token, on its first line, within 30 s; it
    /// beats the file. Words as a shell has them, but no shell reads them: for a pipeline, sh -c '…'.
    #[arg(long, env = "ACUMEN_SMTP_PASSWORD_COMMAND", value_name = "CMD", help_heading = "Mail")]
    pub smtp_password_command: Vec<String>,
    /// Write the message to a file, whose name ends in .eml, instead of sending it.
    #[arg(long, env = "ACUMEN_EML", value_name = "FILE", help_heading = "Mail")]
    pub eml: Option<PathBuf>,
    /// Send even what was, or may have been, sent to these people before.
    #[arg(long, env = "ACUMEN_FORCE", help_heading = "Mail",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub force: bool,
}

/// A kind of file beside the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Format {
    /// One CSV file a grouping, with all its facts.
    Csv,
    /// One workbook, with a sheet a section.
    Xlsx,
    /// The sessions and what hangs on them, one Parquet file a table.
    Parquet,
    /// No file: what `--export ""` says against a settings file.
    #[value(name = "", hide = true)]
    Nothing,
}
