//! A page's records, each judged on its own: accepted, outside the question, or rejected.

use std::cell::OnceCell;

use super::wire::{IdOnly, Page, RawPage, Session, bare_id};
use super::{Question, Row};

/// What becomes of one record.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every record is accepted")]
pub(super) enum Verdict<'a> {
    /// It is part of the answer; `naive` if its creation time named no zone.
    Accepted {
        /// The record in its place.
        row: Row<'a>,
        /// Its creation time named no zone.
        naive: bool,
    },
    /// It lies outside the window, the tags or the users; its id still counts.
    Outside(String),
    /// It has no id, no readable creation time, or does not fit at all.
    Rejected(Option<String>),
}

/// Judges the records of a page whose first one stands at `skip` in the server's order.
///
/// `spare` is where a mended copy of the body lives, should one be needed.
///
/// # Errors
///
/// A body that cannot be split into records.
pub(super) fn judge<'a>(
    body: &'a str,
    spare: &'a OnceCell<String>,
    skip: u64,
    question: &Question,
) -> Result<Vec<Verdict<'a>>, serde_json::Error> {
    let places = skip..;
    if let Ok(page) = serde_json::from_str::<Page<'a>>(body) {
        return Ok(places.zip(page.items).map(|(place, one)| verdict(place, one, question)).collect());
    }
    let page: RawPage<'a> = serde_json::from_str(spare.get_or_init(|| mended(body)))?;
    let judged =
        places.zip(page.items).map(|(place, raw)| match serde_json::from_str::<Session<'a>>(raw.get()) {
            Ok(session) => verdict(place, session, question),
            Err(_) => {
                let id = serde_json::from_str::<IdOnly<'a>>(raw.get()).ok();
                Verdict::Rejected(id.and_then(|one| bare_id(&one.session_id).map(str::to_owned)))
            }
        });
    Ok(judged.collect())
}

fn verdict<'a>(position: u64, session: Session<'a>, question: &Question) -> Verdict<'a> {
    let Some(id) = session.id() else {
        return Verdict::Rejected(None);
    };
    let Some(created) = session.created() else {
        return Verdict::Rejected(Some(id.to_owned()));
    };
    let in_window = created.utc >= question.from && created.utc < question.to;
    if !in_window || !is_wanted(&session, question) {
        return Verdict::Outside(id.to_owned());
    }
    Verdict::Accepted { row: Row { position, created: created.utc, session }, naive: created.naive }
}

/// Whether a session has one of the tags and one of the users that were asked for.
fn is_wanted(session: &Session<'_>, question: &Question) -> bool {
    let asked = |wanted: &[String], text: Option<&str>| {
        text.is_some_and(|text| wanted.iter().any(|one| one.trim() == text))
    };
    let tagged = || session.tags.0.iter().any(|tag| asked(&question.tags, tag.trimmed()));
    let users = [&session.user_id, &session.service_user_id];
    let used = || users.into_iter().any(|user| asked(&question.users, user.trimmed()));
    (question.tags.is_empty() || tagged()) && (question.users.is_empty() || used())
}

/// Half of an escaped surrogate pair stands for no character, and serde refuses
/// the whole page for it; U+FFFD takes its place.
fn mended(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 12,
            (Some(_), _) => {
                out.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // A backslash and what it escapes, which may be another backslash.
            (None, _) => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (kept, after) = escape.split_at(length);
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    out
}

enum Half {
    High,
    Low,
}

fn surrogate(escape: &str) -> Option<Half> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::question;
    use super::*;

    /// Each verdict in a few letters.
    fn judged(body: &str, question: &Question) -> Vec<String> {
        let spare = OnceCell::new();
        let verdicts = judge(body, &spare, 100, question).unwrap();
        let letters = verdicts.into_iter().map(|verdict| match verdict {
            Verdict::Accepted { row, naive } => {
                format!("{}@{}{}", row.session.id().unwrap(), row.position, if naive { "n" } else { "" })
            }
            Verdict::Outside(id) => format!("out {id}"),
            Verdict::Rejected(id) => format!("no {}", id.unwrap_or_default()),
        });
        letters.collect()
    }

    fn page(records: &[&str]) -> String {
        format!(r#"{{"items": [{}], "has_more": false, "total": 0}}"#, records.join(","))
    }

    const WITHIN: &str = r#""created_at": "2026-10-07T00:00:00Z""#;

    #[test]
    fn the_window_is_half_open() {
        let body = page(&[
            r#"{"session_id": "devin-a", "created_at": "2026-10-05T00:00:00Z"}"#,
            r#"{"session_id": "b", "created_at": "2026-10-04T23:59:59.999Z"}"#,
            r#"{"session_id": "c", "created_at": "2026-10-12T00:00:00Z"}"#,
            r#"{"session_id": "d", "created_at": "2026-10-11T23:59:59.999999"}"#,
            r#"{"session_id": "e", "created_at": "2026-10-12T01:00:00+02:00"}"#,
        ]);
        let question = question("https://h.example");
        assert_eq!(judged(&body, &question), ["a@100", "out b", "out c", "d@103n", "e@104"]);
    }

    #[test]
    fn what_cannot_be_placed_is_rejected_alone() {
        let good = format!(r#"{{"session_id": "good", {WITHIN}}}"#);
        let nameless = format!("{{{WITHIN}}}");
        let body =
            page(&[r#"{"session_id": "a"}"#, &nameless, "null", "7", &good, r#"{"session_id": "devin-"}"#]);
        let question = question("https://h.example");
        assert_eq!(judged(&body, &question), ["no a", "no ", "no ", "no ", "good@104", "no "]);
        let twice = format!(r#"{{"session_id": "t", "url": "u", "url": "v", {WITHIN}}}"#);
        assert_eq!(judged(&page(&[&twice, &good]), &question), ["no t", "good@101"]);
    }

    #[test]
    fn half_a_surrogate_pair_costs_no_session() {
        let broken =
            format!(r#"{{"session_id": "a", "title": "x\ud83d\\\ude00\ud83d\ude00é\udead", {WITHIN}}}"#);
        let body = page(&[&broken]);
        let spare = OnceCell::new();
        let question = question("https://h.example");
        let verdicts = judge(&body, &spare, 0, &question).unwrap();
        let Some(Verdict::Accepted { row, .. }) = verdicts.first() else { panic!("{verdicts:?}") };
        assert_eq!(row.session.title.get(), Some("x\u{fffd}\\\u{fffd}😀é\u{fffd}"));
    }

    #[test]
    fn mending_leaves_everything_else_alone() {
        for text in ["", r#"{"a": "\\ud800 \n \" \u00e9 \ud83d\ude00"}"#, "\\", "\\u", "\\ud8", "é\\é"] {
            assert_eq!(mended(text), text);
        }
    }

    #[test]
    fn filters_are_checked() {
        let body = page(&[
            &format!(r#"{{"session_id": "a", "tags": ["x", " y "], "user_id": "u", {WITHIN}}}"#),
            &format!(r#"{{"session_id": "b", "tags": ["z"], "user_id": "u", {WITHIN}}}"#),
            &format!(
                r#"{{"session_id": "c", "tags": ["y"], "user_id": "bot", "service_user_id": "v", {WITHIN}}}"#
            ),
            &format!(r#"{{"session_id": "d", "tags": null, {WITHIN}}}"#),
        ]);
        let mut question = question("https://h.example");
        question.tags = vec!["y".to_owned(), "w".to_owned()];
        assert_eq!(judged(&body, &question), ["a@100", "out b", "c@102", "out d"]);
        question.users = vec!["v".to_owned()];
        assert_eq!(judged(&body, &question), ["out a", "out b", "c@102", "out d"]);
        question.tags = Vec::new();
        assert_eq!(judged(&body, &question), ["out a", "out b", "c@102", "out d"]);
    }
}
