//! Posts a message to a chat, once for each report and chat.
//!
//! The send log works as for mail: `sending` is on disk before a request, `sent` or `refused` after
//! its answer. If the last entry is `sending`, the chat may have the message, and it is not posted
//! again unless the user asks for it.

use std::path::Path;
use std::time::Duration;

use super::send::LOCK_PATIENCE;
use super::send_log::{PastDelivery, SendLog, SendLogEntry, SendLogError, SendState};
use crate::exit::{Exit, Explain};
use crate::mail;
use crate::settings::chat::{Chat, ChatService};
use crate::text::clean;
use devin_api::{WebhookError, WebhookLimits};

/// The most requests for one message: only a chat that wants no messages for now is asked again.
const ATTEMPTS: u32 = 5;
/// The first wait if the chat does not say how long to wait; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest time to wait for a chat in all.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A message was not posted, or it is not known.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Sessions are missing, and readers should not have to judge that.
    #[error("the report is incomplete, so it is not posted; its files are kept")]
    Incomplete,
    /// The report is empty because its filters match nothing.
    #[error("no session matches the filters of the report, so it is not posted; its files are kept")]
    NoMatch,
    /// No connection.
    #[error("could not reach {} ({host}): {cause}", .service.name())]
    Unsent {
        /// The chat.
        service: ChatService,
        /// Its host.
        host: String,
        /// The cause.
        cause: String,
        /// What to do about it; empty if the cause does not tell.
        hint: String,
        /// Whether no other attempt will do better.
        is_final: bool,
    },
    /// The chat wants no more messages for now.
    #[error("{} accepts no more messages for now (HTTP 429)", .service.name())]
    Busy {
        /// The chat.
        service: ChatService,
        /// How long it asks to wait.
        wait: Duration,
    },
    /// The chat refused the message.
    #[error("{} refused the message (HTTP {status}){}", .service.name(), quotation(.said))]
    Refused {
        /// The chat.
        service: ChatService,
        /// The HTTP status.
        status: u16,
        /// Its words; may be empty.
        said: String,
    },
    /// The chat got the request and did not say that it took the message.
    #[error("{} did not confirm the message: {cause}", .service.name())]
    Unconfirmed {
        /// The chat.
        service: ChatService,
        /// What happened instead.
        cause: String,
    },
    /// An earlier run ended between sending the request and the answer.
    #[error(
        "an earlier run, of {}, ended while it posted this report: {} may have got it",
        clean(.at, 40),
        .service.name()
    )]
    PossiblyPosted {
        /// The chat.
        service: ChatService,
        /// When that run had started.
        at: String,
    },
    /// The send log failed.
    #[error(transparent)]
    SendLog(#[from] SendLogError),
}

fn quotation(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": “{said}”") }
}

impl Explain for ChatError {
    fn hint(&self) -> String {
        match self {
            Self::Incomplete => {
                "run the report again without --allow-partial; a report that lacks sessions is never posted"
                    .to_owned()
            }
            Self::NoMatch => "check --org, --tag and --user, or omit --chat".to_owned(),
            Self::Unsent { hint, .. } if !hint.is_empty() => hint.clone(),
            Self::Unsent { .. } => {
                "nothing posted; check the network, the proxy and the URL of the webhook, and run again"
                    .to_owned()
            }
            Self::Busy { wait, .. } => {
                format!("nothing posted; run again in {} s", wait.as_secs().max(1))
            }
            Self::Refused { service, status: 401 | 403 | 404 | 410, .. } => format!(
                "nothing posted; the webhook may have been removed: make a new one in {}, and put its URL \
                 into the file of {}",
                service.name(),
                service.flag()
            ),
            Self::Refused { service, .. } => format!(
                "nothing posted; check that the URL is that of a webhook of {} for messages to a channel",
                service.name()
            ),
            Self::Unconfirmed { .. } | Self::PossiblyPosted { .. } => {
                "look into the channel; if the message is not there, post it again with --repost".to_owned()
            }
            Self::SendLog(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Incomplete => Exit::Incomplete,
            Self::NoMatch => Exit::Usage,
            Self::Unsent { is_final: true, .. } => Exit::Usage,
            Self::Unsent { .. } => Exit::Unreachable,
            Self::Busy { .. } => Exit::Later,
            Self::Refused { .. } | Self::Unconfirmed { .. } | Self::PossiblyPosted { .. } => Exit::Output,
            Self::SendLog(error) => error.exit(),
        }
    }
}

/// A message about a report.
#[derive(Clone, Debug)]
pub struct ChatMessage {
    /// The report's key.
    pub report: String,
    /// The report in one line.
    pub subject: String,
    /// The body of the request.
    pub payload: Vec<u8>,
    /// Keys of what the message shows besides and what is shown once only, such as an alert of a
    /// period.
    pub topics: Vec<String>,
}

/// The log of what was posted, locked for this run.
#[derive(Debug)]
pub struct ChatLog(SendLog);

impl ChatLog {
    /// Opens the log of a state folder, and waits for another run that sends or posts.
    ///
    /// # Errors
    /// The log cannot be kept, or the other run takes too long.
    pub async fn open(state: &Path) -> Result<Self, ChatError> {
        Ok(Self(SendLog::open(state, LOCK_PATIENCE).await?))
    }

    /// Whether a chat got the message about a report.
    pub fn past(&self, chat: &Chat, report: &str) -> PastDelivery {
        self.0.past_delivery(&key(chat, report))
    }

    /// Whether a chat has not been shown a topic. One that may have been shown by a run that ended
    /// before the answer counts as shown.
    pub fn is_new(&self, chat: &Chat, topic: &str) -> bool {
        self.past(chat, topic) == PastDelivery::None
    }

    /// Posts a message of a run that started at this time.
    pub fn posting<'p>(&'p mut self, chat: &'p Chat, message: &'p ChatMessage, at: &str) -> Posting<'p> {
        let topics = message.topics.iter().map(|topic| key(chat, topic));
        let entry = SendLogEntry {
            at: at.to_owned(),
            state: SendState::Sending,
            report: message.report.clone(),
            message_id: chat.service.name().to_lowercase(),
            subject: message.subject.clone(),
            recipient_keys: std::iter::once(key(chat, &message.report)).chain(topics).collect(),
        };
        Posting { log: &mut self.0, chat, message, entry, attempts: 0, waited: Duration::ZERO }
    }
}

/// The key of something shown in a chat.
pub fn key(chat: &Chat, topic: &str) -> String {
    mail::chat_key(topic, chat.service.name(), chat.webhook.expose())
}

/// A message that is being posted.
pub struct Posting<'p> {
    log: &'p mut SendLog,
    chat: &'p Chat,
    message: &'p ChatMessage,
    entry: SendLogEntry,
    attempts: u32,
    waited: Duration,
}

impl Posting<'_> {
    /// Sends the request once. `None` if the message is posted; else how long to wait before the
    /// next attempt: nothing is posted then, and the run may end. If this future is dropped, it is
    /// not known whether the message is posted.
    ///
    /// # Errors
    /// The message is not posted and another attempt is of no use, or it is not known.
    pub async fn attempt(&mut self) -> Result<Option<Duration>, ChatError> {
        let with = |state| SendLogEntry { state, ..self.entry.clone() };
        self.log.add(with(SendState::Sending))?;
        let payload = self.message.payload.clone();
        let posted = self.chat.webhook.post(payload, WebhookLimits::default()).await;
        match &posted {
            Ok(()) => self.log.add(with(SendState::Sent))?,
            Err(WebhookError::Unconfirmed { .. }) => {}
            Err(_) => self.log.add(with(SendState::Refused))?,
        }
        let service = self.chat.service;
        match posted {
            Ok(()) => Ok(None),
            Err(WebhookError::Busy { wait }) => self.wait(wait).map(Some),
            Err(WebhookError::Refused { status, said }) => Err(ChatError::Refused { service, status, said }),
            Err(WebhookError::Unconfirmed { cause }) => Err(ChatError::Unconfirmed { service, cause }),
            Err(WebhookError::Unsent { cause, hint, is_final }) => {
                Err(ChatError::Unsent { service, host: self.chat.webhook.host(), cause, hint, is_final })
            }
        }
    }

    /// How long to wait for a chat that wants no messages for now, within what a run has to spare.
    fn wait(&mut self, asked: Option<Duration>) -> Result<Duration, ChatError> {
        let wait = asked.unwrap_or(FIRST_WAIT * (1 << self.attempts));
        self.attempts += 1;
        if self.attempts >= ATTEMPTS || wait > LONGEST_WAIT.saturating_sub(self.waited) {
            return Err(ChatError::Busy { service: self.chat.service, wait });
        }
        self.waited += wait;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FoundKey;
    use crate::settings::Network;
    use crate::settings::chat::ChatSettings;

    fn chats(folder: &Path) -> Vec<Chat> {
        let found = [
            (ChatService::Slack, "https://a.example/t0ken"),
            (ChatService::Teams, "https://a.example/t0ken"),
        ];
        let found = found.map(|(service, url)| (service, FoundKey::new(url, "a test")));
        ChatSettings::resolve(found.into(), Some(folder.to_owned()), false, &Network::default())
            .unwrap()
            .chats
    }

    fn message(report: &str, topics: &[&str]) -> ChatMessage {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        ChatMessage { report: report.to_owned(), subject: "Devin".to_owned(), payload: Vec::new(), topics }
    }

    #[tokio::test]
    async fn waits_are_those_of_the_chat_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let (chats, message) = (chats(folder.path()), message("r", &[]));
        let mut log = ChatLog::open(folder.path()).await.unwrap();
        let mut waits = |asked: &[Option<u64>]| {
            let mut posting = log.posting(&chats[0], &message, "now");
            let wait = |asked: &Option<u64>| posting.wait(asked.map(Duration::from_secs)).ok();
            asked.iter().map(wait).map(|wait| wait.map(|wait| wait.as_secs())).collect::<Vec<_>>()
        };
        assert_eq!(waits(&[None; 6]), [Some(1), Some(2), Some(4), Some(8), None, None]);
        assert_eq!(waits(&[Some(0); 5]), [Some(0), Some(0), Some(0), Some(0), None]);
        assert_eq!(waits(&[Some(60), Some(1)]), [Some(60), None]);
        assert_eq!(waits(&[Some(61)]), [None]);
        assert_eq!(waits(&[Some(u64::MAX)]), [None]);
        assert_eq!(waits(&[Some(30), None, Some(28), Some(1)]), [Some(30), Some(2), Some(28), None]);
    }

    #[tokio::test]
    async fn a_report_and_its_topics_are_known_by_chat() {
        let folder = tempfile::tempdir().unwrap();
        let chats = chats(folder.path());
        let mut log = ChatLog::open(folder.path()).await.unwrap();
        let new = |log: &ChatLog, chat| ["a", "b"].map(|topic| log.is_new(chat, topic));
        assert_eq!(new(&log, &chats[0]), [true, true]);
        let message = message("r", &["a"]);
        let posting = log.posting(&chats[0], &message, "then");
        let entry = SendLogEntry { state: SendState::Sent, ..posting.entry.clone() };
        posting.log.add(entry).unwrap();
        drop(log);
        let log = ChatLog::open(folder.path()).await.unwrap();
        assert_eq!(log.past(&chats[0], "r"), PastDelivery::Sent("then".to_owned()));
        assert_eq!(new(&log, &chats[0]), [false, true]);
        // The same URL for another service, and another report, are others.
        assert_eq!(log.past(&chats[1], "r"), PastDelivery::None);
        assert_eq!(new(&log, &chats[1]), [true, true]);
        assert_eq!(log.past(&chats[0], "s"), PastDelivery::None);
        let text = std::fs::read_to_string(folder.path().join("sent.jsonl")).unwrap();
        assert!(!text.contains("t0ken") && !text.contains("a.example"), "{text}");
    }
}
