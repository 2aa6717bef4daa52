//! The options of an archive's own commands.

use std::path::PathBuf;

use clap::Args;

use super::options::{ApiArgs, NetworkArgs, PingArgs};

/// `acumen sync`.
#[derive(Debug, Default, Args)]
pub struct SyncArgs {
    /// Settings file [default: acumen/acumen.toml in the user's configuration folder].
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Folder of the archive; made if missing.
    #[arg(
        long,
        env = "ACUMEN_ARCHIVE",
        value_name = "DIR",
        default_value = "archive",
        help_heading = "Sessions"
    )]
    pub archive: PathBuf,
    /// First day of the archive, as 2025-01-31 in UTC; it stays what it was when the archive began
    /// (2024-01-01 unless given).
    #[arg(long, env = "ACUMEN_SINCE", value_name = "DATE", help_heading = "Sessions")]
    pub since: Option<String>,
    /// Ask for everything since the first day again, and take over what differs.
    #[arg(long, env = "ACUMEN_FULL", help_heading = "Sessions",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub full: bool,
    /// Time zone whose weeks and months the vendor's own counts are kept of, an IANA name.
    #[arg(long, env = "ACUMEN_TZ", value_name = "ZONE", default_value = "UTC", help_heading = "Sessions")]
    pub tz: String,
    /// Organisation id; left out, that of the archive, and of a new one the whole enterprise.
    #[arg(long, env = "ACUMEN_ORG", value_name = "ID", help_heading = "Sessions")]
    pub org: Option<String>,
    /// How the API is asked.
    #[command(flatten)]
    pub access: ApiArgs,
    /// How servers are reached.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The monitor of the run.
    #[command(flatten)]
    pub monitor: PingArgs,
}

/// `acumen archive verify`.
#[derive(Debug, Default, Args)]
pub struct VerifyArgs {
    /// Settings file [default: acumen/acumen.toml in the user's configuration folder].
    #[arg(long, env = "ACUMEN_CONFIG", value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Folder of the archive.
    #[arg(
        long,
        env = "ACUMEN_ARCHIVE",
        value_name = "DIR",
        default_value = "archive",
        help_heading = "Sessions"
    )]
    pub archive: PathBuf,
}
