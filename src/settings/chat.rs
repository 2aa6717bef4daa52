//! What a post to chats needs, checked before any work is done.

use std::path::PathBuf;

use super::checks::secret_url;
use super::{FoundKey, Network, SettingsError};
use devin_api::Webhook;

/// A chat service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatService {
    /// Slack, by an incoming webhook.
    Slack,
    /// Microsoft Teams, by a webhook of Workflows.
    Teams,
}

impl ChatService {
    /// All services, in the order in which they are posted to.
    pub const ALL: [Self; 2] = [Self::Slack, Self::Teams];

    /// Its name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Teams => "Teams",
        }
    }

    /// The option that names the file with its webhook.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Slack => "--slack-webhook-file",
            Self::Teams => "--teams-webhook-file",
        }
    }

    /// The systemd credential that holds its webhook.
    pub fn credential(self) -> &'static str {
        match self {
            Self::Slack => "slack-webhook",
            Self::Teams => "teams-webhook",
        }
    }

    /// The variable that holds its webhook.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Slack => "ACUMEN_SLACK_WEBHOOK",
            Self::Teams => "ACUMEN_TEAMS_WEBHOOK",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Slack => {
                "use the URL of an incoming webhook of Slack, which begins with https://hooks.slack.com/"
            }
            Self::Teams => {
                "use the URL that Workflows in Teams shows for “Send webhook alerts to a channel”; it begins \
                 with https://"
            }
        }
    }
}

/// A chat that reports are posted to.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Its service.
    pub service: ChatService,
    /// Its webhook.
    pub webhook: Webhook,
}

/// Everything that a post needs besides its report.
#[derive(Clone, Debug)]
pub struct ChatSettings {
    /// The chats, at least one.
    pub chats: Vec<Chat>,
    /// The folder of the send log.
    pub state: PathBuf,
    /// Whether it is posted again to chats that have it.
    pub repost: bool,
}

impl ChatSettings {
    /// Checks the webhooks and the state folder that were found.
    ///
    /// # Errors
    /// There is no webhook, or one that cannot be used; there is no state folder.
    pub fn resolve(
        found: Vec<(ChatService, FoundKey)>,
        state: Option<PathBuf>,
        repost: bool,
        network: &Network,
    ) -> Result<Self, SettingsError> {
        let chats = found.iter().map(|(service, found)| chat(*service, found, network));
        let chats = chats.collect::<Result<Vec<_>, _>>()?;
        if chats.is_empty() {
            return Err(SettingsError::new(
                "--chat: no chat is configured",
                "put the URL of a webhook into a file and name it with --slack-webhook-file or \
                 --teams-webhook-file",
            ));
        }
        let state = state.ok_or_else(|| {
            SettingsError::new("no folder for the log of chat messages", "set it with --state")
        })?;
        Ok(Self { chats, state, repost })
    }
}

/// The chat at the URL that was found.
///
/// # Errors
/// It is no URL, one over which the token could be read, or the proxy to it cannot be used.
fn chat(service: ChatService, found: &FoundKey, network: &Network) -> Result<Chat, SettingsError> {
    let url = secret_url(found, service.example())?;
    let proxy = network.proxy(&url)?;
    Ok(Chat { service, webhook: Webhook::new(url, network.trust.clone(), proxy) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(texts: &[&str]) -> Result<ChatSettings, SettingsError> {
        let found = texts.iter().map(|text| (ChatService::Slack, FoundKey::new(text, "a test"))).collect();
        ChatSettings::resolve(found, Some(PathBuf::from("/s")), false, &Network::default())
    }

    #[test]
    fn a_webhook_is_https_or_on_loopback_and_never_shown() {
        for url in [" https://hooks.slack.com/services/T0/t0ken\r\n", "http://127.0.0.1:80/t0ken"] {
            let settings = resolve(&[url]).unwrap();
            assert_eq!((settings.chats.len(), format!("{settings:?}").contains("t0ken")), (1, false));
        }
        for url in [
            "",
            "t0ken",
            "http://hooks.slack.com/t0ken",
            "https://h.example/t0ken\nhttps://h.example/t0ken",
            "https:///",
            "file:///t0ken",
            "SLACK=https://hooks.slack.com/t0ken",
        ] {
            let error = resolve(&[url]).unwrap_err();
            let said = format!("{error:?} {error}; {}", error.hint);
            assert!(said.contains("a test: ") && said.contains("https://hooks.slack.com/"), "{said}");
            assert!(!said.contains("t0ken"), "{said}");
        }
    }

    #[test]
    fn a_post_needs_a_webhook_and_a_place_for_its_log() {
        assert!(resolve(&[]).unwrap_err().hint.contains("--slack-webhook-file"));
        let found = vec![(ChatService::Teams, FoundKey::new("https://h.example/x", "a test"))];
        let error = ChatSettings::resolve(found, None, false, &Network::default()).unwrap_err();
        assert!(error.hint.contains("--state"));
    }
}
