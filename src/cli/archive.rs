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
    /// Folder of the archive; created if missing.
    #[arg(
        long,
        env = "ACUMEN_ARCHIVE",
        value_name = "DIR",
        default_value = "archive",
        help_heading = "Sessions"
    )]
    pub archive: PathBuf,
    /// First day of the archive in UTC, such as 2025-01-31; fixed once the archive exists
    /// (default: 2024-01-01).
    #[arg(long, env = "ACUMEN_SINCE", value_name = "DATE", help_heading = "Sessions")]
    pub since: Option<String>,
    /// Read everything since the first day again and apply the differences.
    #[arg(long, env = "ACUMEN_FULL", help_heading = "Sessions",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub full: bool,
    /// Time zone of the weeks and months for which Devin's own counts are stored, an IANA name.
    #[arg(long, env = "ACUMEN_TZ", value_name = "ZONE", default_value = "UTC", help_heading = "Sessions")]
    pub tz: String,
    /// Organisation id (default: the archive's; for a new archive, the whole enterprise).
    #[arg(long, env = "ACUMEN_ORG", value_name = "ID", help_heading = "Sessions")]
    pub org: Option<String>,
    /// API access.
    #[command(flatten)]
    pub access: ApiArgs,
    /// Network access.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Monitor of the run.
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
