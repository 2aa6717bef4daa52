//! Parses addresses as people write them: one, or several separated by commas.

use lettre::Address;
use lettre::message::Mailbox;

use super::{MailError, Recipient, identity};
use crate::metrics::Facts;
use crate::text::clean;

const WRITTEN: &str = "write it as lead@example.com or Ada <ada@example.com>, in ASCII before and after \
    the @; separate several by commas";
const QUOTE: &str = "quote a name that contains a comma: \"Doe, Jane\" <jane@example.com>";
const ONE: &str = "name one sender, such as acumen@example.com or Acumen <acumen@example.com>";

/// The addresses of a mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Addresses {
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    pub(super) cc: Vec<Mailbox>,
}

impl Addresses {
    /// The sender.
    pub fn sender(&self) -> &Address {
        &self.from.email
    }

    /// All recipients of a report including copies, each once, sorted by address.
    pub fn recipients_of(&self, facts: &Facts) -> Vec<Recipient> {
        self.recipients(&identity::report(facts))
    }

    /// The same for the key of a report.
    pub fn recipients(&self, report: &str) -> Vec<Recipient> {
        let all = self.to.iter().chain(&self.cc).map(|mailbox| mailbox.email.clone());
        identity::recipients(report, all)
    }
}

/// Parses the addresses of a mail; each text may contain several.
///
/// # Errors
/// A text contains an invalid address, or none.
pub fn addresses(from: &str, to: &[String], cc: &[String]) -> Result<Addresses, MailError> {
    let all = |flag, texts: &[String]| {
        let lists = texts.iter().map(|text| list(flag, text)).collect::<Result<Vec<_>, _>>();
        lists.map(|lists| lists.concat())
    };
    let flag = "--mail-from";
    let Ok([from]) = <[Mailbox; 1]>::try_from(list(flag, from)?) else {
        return Err(MailError::Address { flag, text: clean(from, 80), hint: ONE });
    };
    Ok(Addresses { from, to: all("--mail-to", to)?, cc: all("--mail-cc", cc)? })
}

/// The mailboxes in a text, at least one.
fn list(flag: &'static str, text: &str) -> Result<Vec<Mailbox>, MailError> {
    let refuse = |text: &str, hint| MailError::Address { flag, text: clean(text, 80), hint };
    // A line break could add a header.
    if text.chars().any(char::is_control) {
        return Err(refuse(text, WRITTEN));
    }
    let parts: Vec<&str> = split(text).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Err(refuse(text, WRITTEN));
    }
    let read = |(index, part): (usize, &&str)| {
        let mailbox = mailbox(part);
        mailbox.ok_or_else(|| match parts.get(index + 1) {
            // The first half of a name, with the address in the second.
            Some(next) if !part.contains('@') && next.contains('<') => {
                refuse(&format!("{part}, {next}"), QUOTE)
            }
            _ => refuse(part, WRITTEN),
        })
    };
    parts.iter().enumerate().map(read).collect()
}

/// Splits a text at commas, and at semicolons, which some programs use; not within quotes or angle
/// brackets.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped, mut is_address) = (false, false, false);
    text.split(move |c| {
        let is_end = matches!(c, ',' | ';') && !is_quoted && !is_address;
        match c {
            _ if is_escaped => {}
            '"' => is_quoted = !is_quoted,
            '<' | '>' if !is_quoted => is_address = c == '<',
            _ => {}
        }
        is_escaped = c == '\\' && is_quoted && !is_escaped;
        is_end
    })
}

fn mailbox(text: &str) -> Option<Mailbox> {
    let read = text.parse::<Mailbox>().ok()?;
    // Few servers accept other addresses.
    let address: &str = read.email.as_ref();
    address.is_ascii().then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::{Exit, Explain};

    fn read(text: &str) -> Result<Vec<String>, String> {
        let read = addresses("a@example.com", &[text.to_owned()], &[]);
        read.map(|read| read.to.iter().map(ToString::to_string).collect()).map_err(|error| {
            assert!(
                error.to_string().starts_with("--mail-to") && error.exit() == Exit::Usage,
                "{text:?} {error}"
            );
            error.hint()
        })
    }

    #[test]
    fn addresses_are_read_one_or_several_at_a_time() {
        for (text, all) in [
            (" b@example.com ", &["b@example.com"][..]),
            ("Ada Lovelace <ada@example.com>", &["Ada Lovelace <ada@example.com>"]),
            ("a@x.example,b@x.example", &["a@x.example", "b@x.example"]),
            (" a@x.example ; b@x.example,", &["a@x.example", "b@x.example"]),
            ("\"Doe, Jane\" <j@x.example>, b@x.example", &["\"Doe, Jane\" <j@x.example>", "b@x.example"]),
            ("\"Doe; \\\"J, D\\\"\" <j@x.example>", &["\"Doe; \\\"J, D\\\"\" <j@x.example>"]),
            ("Löv, <l@x.example>", &[]),
        ] {
            let all: Vec<String> = all.iter().map(|one| (*one).to_owned()).collect();
            match read(text) {
                Ok(read) => assert_eq!(read, all, "{text}"),
                Err(hint) => assert!(all.is_empty() && !hint.is_empty(), "{text}: {hint}"),
            }
        }
    }

    #[test]
    fn invalid_addresses_are_rejected_with_a_hint() {
        for text in
            ["", " ", ",", "ada", "ada@", "a@b@c", "ada@exämple.com", "a@x.com\nBcc: b@x.com", "a@x.com, b"]
        {
            assert!(read(text).unwrap_err().contains("separate several by commas"), "{text:?}");
        }
        for text in
            ["Doe, Jane <j@x.example>", "a@x.example, Doe, Jane <j@x.example>", "Löv, Ada <a@x.example>"]
        {
            assert!(read(text).unwrap_err().contains("\"Doe, Jane\" <"), "{text:?}");
        }
        let two = addresses("a@x.example, b@x.example", &[], &[]).unwrap_err();
        assert!(two.to_string().starts_with("--mail-from") && two.hint().contains("one sender"), "{two}");
    }
}
