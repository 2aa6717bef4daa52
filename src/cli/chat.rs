//! The options of chats.

use std::path::PathBuf;

use clap::Args;

/// The chats that a report is posted to. The URL of a webhook is a secret: it is enough to post.
#[derive(Debug, Default, Args)]
pub struct ChatArgs {
    /// Post the headline numbers and what stands out to the configured chats once the report is
    /// written.
    #[arg(long, env = "ACUMEN_CHAT", help_heading = "Chat",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub chat: bool,
    /// Post again even if already, or possibly, posted.
    #[arg(long, env = "ACUMEN_REPOST", help_heading = "Chat",
          value_parser = clap::builder::FalseyValueParser::new())]
    pub repost: bool,
    /// File with the URL of an incoming webhook of Slack.
    #[arg(long, env = "ACUMEN_SLACK_WEBHOOK_FILE", value_name = "FILE", help_heading = "Chat")]
    pub slack_webhook_file: Option<PathBuf>,
    /// File with the URL of a webhook of Microsoft Teams (Workflows).
    #[arg(long, env = "ACUMEN_TEAMS_WEBHOOK_FILE", value_name = "FILE", help_heading = "Chat")]
    pub teams_webhook_file: Option<PathBuf>,
}
