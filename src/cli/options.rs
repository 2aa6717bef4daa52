//! The options of a report and of its mail.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::ChatArgs;

/// `acumen report`.
#[derive(Debug, Default, Args)]
pub struct ReportArgs {
    /// Settings file [default: acumen/acumen.toml in the user's configuration folder].
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,

    /// First day, such as 2026-10-05.
    #[arg(long, env = "ACUMEN_FROM", value_name = "DATE", requires = "to", help_heading = "Period",
          conflicts_with_all = ["week", "month", "quarter", "last"])]
    pub from: Option<String>,
    /// Last day, included.
    #[arg(long, env = "ACUMEN_TO", value_name = "DATE", requires = "from", help_heading = "Period",
          conflicts_with_all = ["week", "month", "quarter", "last"])]
    pub to: Option<String>,
    /// ISO week, such as 2026-W41.
    #[arg(long, env = "ACUMEN_WEEK", value_name = "WEEK", help_heading = "Period",
          conflicts_with_all = ["month", "quarter", "last"])]
    pub week: Option<String>,
    /// Calendar month, such as 2026-10.
    #[arg(
        long,
        env = "ACUMEN_MONTH",
        value_name = "MONTH",
        help_heading = "Period",
        conflicts_with_all = ["quarter", "last"]
    )]
    pub month: Option<String>,
    /// Calendar quarter, such as 2026-Q4.
    #[arg(
        long,
        env = "ACUMEN_QUARTER",
        value_name = "QUARTER",
        help_heading = "Period",
        conflicts_with = "last"
    )]
    pub quarter: Option<String>,
    /// Whole days or weeks before today, such as 14d or 2w.
    #[arg(long, env = "ACUMEN_LAST", value_name = "SPAN", help_heading = "Period")]
    pub last: Option<String>,
    /// Time zone for day and week boundaries, an IANA name.
    #[arg(long, env = "ACUMEN_TZ", value_name = "ZONE", default_value = "UTC", help_heading = "Period")]
    pub tz: String,
    /// Number of earlier periods in the trend.
    #[arg(long, env = "ACUMEN_TREND", value_name = "N", default_value_t = 7, help_heading = "Period",
          value_parser = clap::value_parser!(u32).range(0..=104))]
    pub trend: u32,
    /// Period to compare with instead of the one before: 2026-W30, 2026-02, 2026-Q2,
    /// 2026-09-01_2026-09-15, same-week-last-year, same-month-last-year or same-quarter-last-year;
    /// "" for the one before.
    #[arg(long, env = "ACUMEN_COMPARE_WITH", value_name = "PERIOD", help_heading = "Period")]
    pub compare_with: Option<String>,

    /// Organisation id (default: the whole enterprise).
    #[arg(long, env = "ACUMEN_ORG", value_name = "ID", help_heading = "Sessions")]
    pub org: Option<String>,
    /// Only sessions with this tag; * matches any text; repeat to match any of several (the
    /// environment variable holds one).
    #[arg(long = "tag", env = "ACUMEN_TAG", value_name = "TAG", value_delimiter = None, help_heading = "Sessions")]
    pub tags: Vec<String>,
    /// Only sessions of this user: an id, or an email or name from the API's lists of people or the
    /// people file; repeat to match any of several (the environment variable holds one).
    #[arg(long = "user", env = "ACUMEN_USER", value_name = "ID", help_heading = "Sessions")]
    pub users: Vec<String>,

    /// Only sessions of this team, by the rules of `[[team]]` and the people file.
    #[arg(long, env = "ACUMEN_TEAM", value_name = "NAME", help_heading = "Sessions")]
    pub team: Option<String>,

    /// Read saved pages instead of the API: a file, a folder, or - for standard input. Accepts
    /// answers of the API, arrays of sessions, one session per line, or the file of "Export session
    /// data" in Devin's web app (Settings, Analytics, Usage); plain, gzip or zstd.
    #[arg(long, env = "ACUMEN_PAGES", value_name = "PATH", help_heading = "Sessions")]
    pub pages: Option<PathBuf>,
    /// Read an archive made by acumen sync instead of the API; "" selects the API; --pages takes precedence.
    #[arg(
        long,
        env = "ACUMEN_ARCHIVE",
        value_name = "DIR",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        help_heading = "Sessions"
    )]
    pub archive: Option<PathBuf>,

    /// API access.
    #[command(flatten)]
    pub access: ApiArgs,
    /// Network access.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Audience of the report: lead shows names, titles and links to sessions; leadership shows
    /// nothing about single people or sessions.
    #[arg(long, env = "ACUMEN_PROFILE", value_name = "PROFILE", value_parser = ["lead", "leadership"],
          default_value = "lead", help_heading = "People")]
    pub profile: String,
    /// Show people by name (names), or nothing about single people and no group of fewer than five
    /// (hidden); the default is set by the profile.
    #[arg(long, env = "ACUMEN_PEOPLE", value_name = "HOW", value_parser = people, help_heading = "People")]
    pub people: Option<People>,
    /// CSV file of people with the columns user (id or email), name, team, cost_centre, from;
    /// overrides the API's lists. Commas, semicolons or tabs; UTF-8 or Excel's Unicode text.
    #[arg(long, env = "ACUMEN_PEOPLE_FILE", value_name = "FILE", help_heading = "People")]
    pub people_file: Option<PathBuf>,
    /// Show the beginning of the prompt of each session worth a look.
    #[arg(long, env = "ACUMEN_INCLUDE_PROMPTS", help_heading = "People",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub include_prompts: bool,

    /// Budget for a calendar month or billing cycle, in the currency of the prices, for all
    /// sessions; not shown with --tag, --team or --user.
    #[arg(long, env = "ACUMEN_BUDGET", value_name = "AMOUNT", help_heading = "Money")]
    pub budget: Option<String>,
    /// Day of the month on which the budget restarts, such as 23, or "auto" for the billing cycles
    /// that Devin reports (default: 1).
    #[arg(long, env = "ACUMEN_BUDGET_CYCLE_DAY", value_name = "DAY", help_heading = "Money")]
    pub budget_cycle_day: Option<String>,

    /// Folder for the log of sent mails and chat messages; created if missing (default: the user's
    /// state folder).
    #[arg(long, env = "ACUMEN_STATE", value_name = "DIR", help_heading = "Mail")]
    pub state: Option<PathBuf>,
    /// Folder for the report and its facts; created if missing.
    #[arg(long, env = "ACUMEN_OUT", value_name = "DIR", default_value = "reports", help_heading = "Output")]
    pub out: PathBuf,
    /// Permissions of written files, in octal, such as 0640 (default: 0600, readable by the owner only).
    #[arg(long, env = "ACUMEN_MODE", value_name = "MODE", value_parser = mode, help_heading = "Output")]
    pub mode: Option<u32>,
    /// Also write these formats, separated by commas; "" for none.
    #[arg(
        long,
        env = "ACUMEN_EXPORT",
        value_name = "FORMATS",
        value_delimiter = ',',
        ignore_case = true,
        help_heading = "Output"
    )]
    pub export: Vec<Format>,
    /// Save the API's answers in this folder, for --pages; created if missing.
    #[arg(long, env = "ACUMEN_SAVE_PAGES", value_name = "DIR", help_heading = "Output")]
    pub save_pages: Option<PathBuf>,
    /// Write a report even if sessions are missing; its first screen says so.
    #[arg(long, env = "ACUMEN_ALLOW_PARTIAL", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_partial: bool,
    /// Write an empty report if no session matches --org, --tag, --team or --user; it is never mailed.
    #[arg(long, env = "ACUMEN_ALLOW_EMPTY", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_empty: bool,
    /// Skip Devin's own totals, which the page compares with Acumen's.
    #[arg(long, env = "ACUMEN_NO_RECONCILE", help_heading = "Output",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub no_reconcile: bool,

    /// Append a short Markdown summary to this file once the report is written.
    #[arg(long, env = "ACUMEN_SUMMARY", value_name = "FILE", help_heading = "Schedule")]
    pub summary: Option<PathBuf>,
    /// Exit with 6 if the report has an alert, once it is written and sent.
    #[arg(long, env = "ACUMEN_FAIL_ON_ALERT", help_heading = "Schedule",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub fail_on_alert: bool,
    /// Monitor of the run.
    #[command(flatten)]
    pub monitor: PingArgs,

    /// Send the report by mail once it is written.
    #[arg(long, env = "ACUMEN_MAIL", help_heading = "Mail",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub mail: bool,
    /// How it is sent.
    #[command(flatten)]
    pub post: MailArgs,

    /// The chats that it is posted to.
    #[command(flatten)]
    pub chat: ChatArgs,
}

impl ReportArgs {
    /// Whether the sessions are read from disk, so that no key is needed.
    pub fn is_offline(&self) -> bool {
        self.pages.is_some() || self.archive().is_some()
    }

    /// The archive to read, if any; `--pages` takes precedence, and an empty name means no archive.
    pub fn archive(&self) -> Option<&PathBuf> {
        let named = self.archive.as_ref().filter(|path| !path.as_os_str().is_empty());
        named.filter(|_| self.pages.is_none())
    }
}

/// `acumen run`.
#[derive(Debug, Default, Args)]
// The reports of the settings file have their own periods, filters and recipients.
#[command(mut_args(|arg| { let is_hidden = NOT_OF_RUN.contains(&arg.get_id().as_str()); arg.hide(is_hidden) }))]
pub struct RunArgs {
    /// Options of all reports.
    #[command(flatten)]
    pub report: ReportArgs,
    /// Make only the report of this name, and of a report for each team all of them; repeat for several.
    #[arg(long, env = "ACUMEN_ONLY", value_name = "NAME", help_heading = "Reports")]
    pub only: Vec<String>,
    /// Day on which the run pretends to take place: each report covers the last period that was over by then
    /// (default: today).
    #[arg(long, env = "ACUMEN_AS_OF", value_name = "DATE", help_heading = "Reports")]
    pub as_of: Option<String>,
    /// Read the archive as it is, without bringing it up to date first.
    #[arg(long, env = "ACUMEN_NO_SYNC", help_heading = "Reports",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub no_sync: bool,
    /// Fetch and compute, and print what would be written and sent; write and send nothing.
    #[arg(long, env = "ACUMEN_DRY_RUN", help_heading = "Reports",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub dry_run: bool,
}

/// Options of a report that a run of several does not take, by their ids.
pub const NOT_OF_RUN: [&str; 14] = [
    "from",
    "to",
    "week",
    "month",
    "quarter",
    "last",
    "compare_with",
    "tags",
    "users",
    "team",
    "mail",
    "eml",
    "summary",
    "chat",
];

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
            Err("pseudonyms were removed because they can be traced back to people; use hidden".to_owned())
        }
        _ => Err("use names or hidden".to_owned()),
    }
}

/// The permissions of a file. Four digits, so that a decimal number is not read as octal.
pub fn mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix('0').filter(|rest| rest.len() == 3);
    let mode = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
    let mode = mode.ok_or("write four octal digits, such as 0640")?;
    match mode {
        _ if mode & 0o600 != 0o600 => Err("the owner must be able to read and write".to_owned()),
        _ if mode & 0o111 != 0 => Err("the files must not be executable".to_owned()),
        _ if mode & 0o002 != 0 => Err("the files must not be writable by everybody".to_owned()),
        _ => Ok(mode),
    }
}

/// API access.
#[derive(Clone, Debug, Default, Args)]
pub struct ApiArgs {
    /// API version (default: by the key's prefix: cog_ is v3, apk_ is v2).
    #[arg(long, env = "ACUMEN_API", value_name = "API", value_parser = ["v2", "v3"], help_heading = "API")]
    pub api: Option<String>,
    /// Base URL of the API: https, or http on loopback.
    #[arg(
        long,
        env = "ACUMEN_BASE_URL",
        value_name = "URL",
        default_value = "https://api.devin.ai",
        help_heading = "API"
    )]
    pub base_url: String,
    /// File with the API key.
    #[arg(long, env = "ACUMEN_API_KEY_FILE", value_name = "FILE", help_heading = "API")]
    pub api_key_file: Option<PathBuf>,
    /// Sessions per page.
    #[arg(long, env = "ACUMEN_PAGE_SIZE", value_name = "N", default_value_t = 200, help_heading = "API",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub page_size: u32,
    /// Maximum number of concurrent requests.
    #[arg(long, env = "ACUMEN_CONCURRENCY", value_name = "N", default_value_t = 4, help_heading = "API",
          value_parser = clap::value_parser!(u32).range(1..=32))]
    pub concurrency: u32,
}

/// Network access.
#[derive(Clone, Debug, Default, Args)]
pub struct NetworkArgs {
    /// File with certificates (PEM or DER) to trust in addition to the system's, for the API, the
    /// monitor, the mail server and chats.
    #[arg(long, env = "ACUMEN_CA_FILE", value_name = "FILE", help_heading = "Network")]
    pub ca_file: Option<PathBuf>,
}

/// The monitor of a run. Its URL is a secret: it is enough to report in the name of the run.
#[derive(Clone, Debug, Default, Args)]
pub struct PingArgs {
    /// Report start (URL/start), success (URL) and failure (URL/fail) to this monitor, with the
    /// protocol of Healthchecks; other users of the machine can read the argument.
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
    /// File with the URL of the monitor.
    #[arg(long, env = "ACUMEN_PING_FILE", value_name = "FILE", help_heading = "Schedule")]
    pub ping_file: Option<PathBuf>,
}

/// `acumen send`.
#[derive(Debug, Default, Args)]
pub struct SendArgs {
    /// Page or facts of the report, NAME.html or NAME.json.
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// Settings file [default: acumen/acumen.toml in the user's configuration folder].
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Folder for the log of sent mails; created if missing (default: the user's state folder).
    #[arg(long, env = "ACUMEN_STATE", value_name = "DIR", help_heading = "Mail")]
    pub state: Option<PathBuf>,
    /// Permissions of the --eml file, in octal, such as 0640 (default: 0600, readable by the owner only).
    #[arg(long, env = "ACUMEN_MODE", value_name = "MODE", value_parser = mode, help_heading = "Output")]
    pub mode: Option<u32>,
    /// How it is sent.
    #[command(flatten)]
    pub post: MailArgs,
    /// Network access.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// `acumen render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Facts of a report, NAME.json.
    #[arg(value_name = "FACTS")]
    pub facts: PathBuf,
    /// Outputs, separated by commas.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', required = true, ignore_case = true)]
    pub format: Vec<RenderFormat>,
    /// Folder for the outputs (default: the folder of the facts).
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Permissions of written files, in octal, such as 0640 (default: 0600, readable by the owner only).
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<u32>,
    /// Sender of the message.
    #[arg(long, value_name = "ADDRESS", required_if_eq("format", "eml"))]
    pub mail_from: Option<String>,
    /// Recipients of the message, separated by commas.
    #[arg(long, value_name = "ADDRESS", required_if_eq("format", "eml"))]
    pub mail_to: Vec<String>,
    /// Recipients of a copy.
    #[arg(long, value_name = "ADDRESS")]
    pub mail_cc: Vec<String>,
    /// Attachments of the message, separated by commas (default: pdf where it is built in, else html).
    #[arg(long, value_name = "WHAT", value_delimiter = ',', ignore_case = true)]
    pub mail_attach: Vec<Attach>,
    /// Paper size of the PDF.
    #[arg(long, value_name = "SIZE", default_value = "a4", ignore_case = true)]
    pub paper: Paper,
}

/// An output of `acumen render`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// The page.
    Html,
    /// Two pages for print and phones; only where it is built in.
    Pdf,
    /// The workbook.
    Xlsx,
    /// One CSV file for each grouping.
    Csv,
    /// A short Markdown summary.
    Md,
    /// A Markdown checklist of the proposed improvements, by repository.
    Improvements,
    /// The message, as it would be mailed.
    Eml,
}

/// The options of a mail.
#[derive(Clone, Debug, Default, Args)]
pub struct MailArgs {
    /// Recipients, such as `lead@example.com` or `"Doe, Jane" <jane@example.com>`; separate several
    /// by commas, or repeat the option.
    #[arg(long, env = "ACUMEN_MAIL_TO", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_to: Vec<String>,
    /// Recipients of a copy; several as for --mail-to.
    #[arg(long, env = "ACUMEN_MAIL_CC", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_cc: Vec<String>,
    /// The sender.
    #[arg(long, env = "ACUMEN_MAIL_FROM", value_name = "ADDRESS", help_heading = "Mail")]
    pub mail_from: Option<String>,
    /// Attachments, separated by commas: the page, the PDF, the workbook, or none (default: pdf where it
    /// is built in, else html).
    #[arg(
        long,
        env = "ACUMEN_MAIL_ATTACH",
        value_name = "WHAT",
        value_delimiter = ',',
        ignore_case = true,
        help_heading = "Mail"
    )]
    pub mail_attach: Vec<Attach>,
    /// Mail server: smtps://HOST for TLS (port 465), smtp://HOST for STARTTLS (587),
    /// smtp+plain://HOST for no TLS (25, loopback only).
    #[arg(long, env = "ACUMEN_SMTP", value_name = "URL", help_heading = "Mail")]
    pub smtp: Option<String>,
    /// Name of this machine in EHLO (default: its full host name, else its address, such as [192.0.2.1]).
    #[arg(long, env = "ACUMEN_SMTP_HELO", value_name = "NAME", help_heading = "Mail")]
    pub smtp_helo: Option<String>,
    /// User name on the mail server (default: no login).
    #[arg(long, env = "ACUMEN_SMTP_USER", value_name = "NAME", help_heading = "Mail")]
    pub smtp_user: Option<String>,
    /// Login mechanism: auto is PLAIN, else LOGIN, as the server offers; with xoauth2 the password
    /// is an OAuth 2.0 access token.
    #[arg(long, env = "ACUMEN_SMTP_AUTH", value_name = "HOW", default_value = "auto",
          value_parser = ["auto", "plain", "login", "xoauth2"], help_heading = "Mail")]
    pub smtp_auth: String,
    /// File with the password or access token.
    #[arg(long, env = "ACUMEN_SMTP_PASSWORD_FILE", value_name = "FILE", help_heading = "Mail")]
    pub smtp_password_file: Option<PathBuf>,
    /// Command that prints the password or access token on its first line, within 30 s; takes
    /// precedence over the file. It is split into words as in a shell, but runs without one; for a
    /// pipeline use sh -c '…'.
    #[arg(long, env = "ACUMEN_SMTP_PASSWORD_COMMAND", value_name = "CMD", help_heading = "Mail")]
    pub smtp_password_command: Vec<String>,
    /// Write the message to a file whose name ends in .eml; send nothing.
    #[arg(long, env = "ACUMEN_EML", value_name = "FILE", help_heading = "Mail")]
    pub eml: Option<PathBuf>,
    /// Resend even if already, or possibly, delivered.
    #[arg(long, env = "ACUMEN_FORCE", help_heading = "Mail",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub force: bool,
    /// Paper size of the PDF, exported or attached.
    #[arg(
        long,
        env = "ACUMEN_PAPER",
        value_name = "SIZE",
        default_value = "a4",
        ignore_case = true,
        help_heading = "Output"
    )]
    pub paper: Paper,
}

/// An attachment of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Attach {
    /// The page.
    Html,
    /// The PDF.
    Pdf,
    /// The workbook.
    Xlsx,
    /// Nothing.
    None,
}

/// The paper size of a PDF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Paper {
    /// 210 by 297 mm.
    #[default]
    A4,
    /// 8.5 by 11 inches.
    Letter,
}

/// An export format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Format {
    /// One CSV file per grouping, with all its facts.
    Csv,
    /// One workbook, with one sheet per section.
    Xlsx,
    /// Two pages for print and phones; only where it is built in.
    Pdf,
    /// Sessions and their child records, one Parquet file per table.
    Parquet,
    /// A Markdown checklist of the proposed improvements, by repository.
    Improvements,
    /// No export: `--export ""` overrides the settings file.
    #[value(name = "", hide = true)]
    Nothing,
}
