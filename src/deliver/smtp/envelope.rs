//! The envelope of a message: the sender, and as many recipients as the server takes at a time.

use tokio::io::{AsyncRead, AsyncWrite};

use lettre::Address;

use super::conversation::{Conversation, SmtpReply, StepError};
use crate::mail::Recipient;

/// The server's answers to sender and recipients. Each recipient is in one of the lists.
#[derive(Debug, Default)]
pub struct MailEnvelope {
    /// Accepted recipients.
    pub accepted: Vec<Recipient>,
    /// Refused recipients, temporarily or permanently, with the answers.
    pub refused: Vec<(Recipient, SmtpReply)>,
    /// Recipients for another envelope; empty if no recipient was accepted.
    pub left: Vec<Recipient>,
}

/// Sends MAIL FROM.
///
/// # Errors
/// The sender was refused, or the conversation failed.
pub async fn sender<S: AsyncRead + AsyncWrite + Unpin>(
    conversation: &mut Conversation<S>,
    from: &Address,
) -> Result<(), StepError> {
    conversation.command(&format!("MAIL FROM:<{from}>")).await?.require(2)?;
    conversation.check_no_early_reply()
}

/// Sends RCPT TO for each recipient until the server takes no more; at most `max_recipients`.
///
/// # Errors
/// The conversation failed at this recipient. A refusal is no error, unless it ends the
/// conversation.
pub async fn recipients<S: AsyncRead + AsyncWrite + Unpin>(
    conversation: &mut Conversation<S>,
    to: Vec<Recipient>,
    max_recipients: usize,
) -> Result<MailEnvelope, (Address, StepError)> {
    let mut envelope = MailEnvelope::default();
    let mut is_full = false;
    for recipient in to {
        if is_full || envelope.accepted.len() >= max_recipients {
            envelope.left.push(recipient);
            continue;
        }
        let address = recipient.address.clone();
        let reply = conversation.command(&format!("RCPT TO:<{address}>")).await;
        let reply = reply.and_then(|reply| conversation.check_no_early_reply().map(|()| reply));
        let reply = reply.map_err(|failure| (address.clone(), failure))?;
        let is_first = envelope.accepted.is_empty();
        match reply.code {
            200..300 => envelope.accepted.push(recipient),
            421 => return Err((address, StepError::Refused(reply))),
            300..400 => return Err((address, StepError::Unexpected(reply))),
            // Said to the first recipient, it cannot mean that there are too many.
            _ if !is_first && is_too_many(&reply) => {
                is_full = true;
                envelope.left.push(recipient);
            }
            400..500 if !is_first => envelope.left.push(recipient),
            _ => envelope.refused.push((recipient, reply)),
        }
    }
    Ok(envelope)
}

/// Whether an answer means that there are too many recipients: 452, and the code that RFC 821 used.
fn is_too_many(reply: &SmtpReply) -> bool {
    let text = reply.lines.join(" ").to_ascii_lowercase();
    let is_said =
        text.starts_with("4.5.3") || text.starts_with("5.5.3") || text.contains("too many recipients");
    matches!(reply.code, 452 | 552) || is_said
}

/// How many recipients a server takes at a time, by its capabilities (RFC 9422).
pub fn max_recipients(capabilities: &[Vec<String>]) -> usize {
    let limits = capabilities.iter().find(|words| words.first().is_some_and(|word| word == "LIMITS"));
    let value = limits.and_then(|words| words.iter().skip_while(|word| *word != "RCPTMAX").nth(1));
    value.and_then(|value| value.parse().ok()).filter(|max| *max > 0).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::*;

    fn recipient(name: &str) -> Recipient {
        Recipient { address: format!("{name}@x.example").parse().unwrap(), key: name.to_owned() }
    }

    /// What becomes of a list where the server answers so to each name, in order.
    async fn lists_of(max_recipients: usize, answers: &[(&str, &str)]) -> [String; 3] {
        let (client, server) = tokio::io::duplex(1 << 16);
        let texts: Vec<String> = answers.iter().map(|(_, answer)| format!("{answer}\r\n")).collect();
        tokio::spawn(async move {
            let mut server = BufReader::new(server);
            for text in texts {
                server.read_line(&mut String::new()).await.unwrap();
                // Nobody listens if no recipient was offered.
                let _ = server.write_all(text.as_bytes()).await;
            }
        });
        let mut conversation = Conversation::new(client, Duration::from_secs(60));
        let to = answers.iter().map(|(name, _)| recipient(name)).collect();
        let envelope = recipients(&mut conversation, to, max_recipients).await.unwrap();
        let names = |list: &[Recipient]| list.iter().map(|one| one.key.as_str()).collect::<Vec<_>>().join("");
        let refused: Vec<Recipient> = envelope.refused.into_iter().map(|(one, _)| one).collect();
        [names(&envelope.accepted), names(&refused), names(&envelope.left)]
    }

    #[tokio::test]
    async fn refused_recipients_are_distinguished_from_excess_ones() {
        const OK: &str = "250 ok";
        const FULL: &str = "452 4.5.3 too many recipients";
        for (max_recipients, answers, lists) in [
            (9, &[("a", OK), ("b", "550 unknown"), ("c", OK)][..], ["ac", "b", ""]),
            (2, &[("a", OK), ("b", OK), ("c", ""), ("d", "")], ["ab", "", "cd"]),
            (9, &[("a", OK), ("b", FULL), ("c", ""), ("d", "")], ["a", "", "bcd"]),
            (9, &[("a", OK), ("b", "554 5.5.3 enough"), ("c", "")], ["a", "", "bc"]),
            (9, &[("a", OK), ("b", "550 Too many recipients"), ("c", "")], ["a", "", "bc"]),
            // A waiting recipient may be accepted with the next envelope, and does not stop the others.
            (9, &[("a", OK), ("b", "450 greylisted"), ("c", OK)], ["ac", "", "b"]),
            // The first is refused for its own sake.
            (9, &[("a", FULL), ("b", "450 greylisted"), ("c", OK)], ["c", "ab", ""]),
            (9, &[("a", "550 no"), ("b", "451 later")], ["", "ab", ""]),
            (1, &[("a", "550 no"), ("b", OK), ("c", "")], ["b", "a", "c"]),
        ] {
            assert_eq!(lists_of(max_recipients, answers).await, lists, "{answers:?}");
        }
    }

    #[test]
    fn recipient_limits_are_parsed() {
        let offer = |line: &str| vec![line.split([' ', '=']).map(str::to_owned).collect::<Vec<_>>()];
        assert_eq!(max_recipients(&offer("LIMITS RCPTMAX=20 MAILMAX=5")), 20);
        assert_eq!(max_recipients(&offer("LIMITS MAILMAX=5 RCPTMAX=3")), 3);
        for none in ["LIMITS", "LIMITS RCPTMAX", "LIMITS RCPTMAX=x", "LIMITS RCPTMAX=0", "SIZE 20", ""] {
            assert_eq!(max_recipients(&offer(none)), usize::MAX, "{none}");
        }
    }
}
