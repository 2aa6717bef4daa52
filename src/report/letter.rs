//! The HTML body of a mail: tables and inline styles alone, because that is all
//! that every mail program shows.

use minijinja::value::Serde;
use serde::Serialize;

use super::brief::Brief;
use super::view::{Header, Piece, Row, Tile};
use super::{ReportError, environment};

/// Where the whole report is.
pub enum Enclosed<'a> {
    /// Attached, under this name.
    Attached(&'a str),
    /// With the sender, under this name.
    Elsewhere(&'a str),
}

impl Enclosed<'_> {
    /// The sentence that says so.
    pub fn sentence(&self) -> String {
        match self {
            Self::Attached(name) => format!("The whole report is attached: {name}."),
            Self::Elsewhere(name) => format!("Ask the sender for the whole report: {name}."),
        }
    }
}

#[derive(Serialize)]
struct Letter<'a> {
    subject: &'a str,
    preview: &'a str,
    header: &'a Header,
    notices: &'a [String],
    comparison: &'a str,
    compared: bool,
    rows: Vec<&'a [Tile]>,
    insights: &'a [Vec<Piece>],
    pictures: Vec<Shown<'a>>,
    rankings: Vec<Listed<'a>>,
    enclosed: String,
    tool: &'a str,
}

#[derive(Serialize)]
struct Shown<'a> {
    title: &'a str,
    note: &'a str,
    source: String,
    alt: &'a str,
}

#[derive(Serialize)]
struct Listed<'a> {
    title: &'a str,
    heads: &'a [String],
    rows: &'a [Row],
    more: &'a str,
    spare: usize,
}

/// The body, which shows each picture by the Content-ID that `content_id` gives
/// for its name.
///
/// # Errors
/// The template failed: a defect.
pub fn letter(
    brief: &Brief,
    enclosed: &Enclosed<'_>,
    content_id: &dyn Fn(&str) -> String,
) -> Result<String, ReportError> {
    let headline = brief.subject.split_once(": ").map_or(brief.subject.as_str(), |(_, rest)| rest);
    let letter = Letter {
        subject: &brief.subject,
        preview: headline,
        header: &brief.header,
        notices: &brief.notices,
        comparison: &brief.comparison,
        compared: brief.compared,
        rows: brief.tiles.chunks(2).collect(),
        insights: &brief.insights,
        pictures: (brief.pictures.iter())
            .map(|picture| Shown {
                title: picture.title,
                note: &picture.note,
                source: format!("cid:{}", content_id(picture.id)),
                alt: picture.svg.description(),
            })
            .collect(),
        rankings: (brief.rankings.iter())
            .map(|ranking| Listed {
                title: &ranking.title,
                heads: &ranking.heads,
                rows: &ranking.rows,
                more: &ranking.more,
                spare: ranking.spare,
            })
            .collect(),
        enclosed: enclosed.sentence(),
        tool: &brief.tool,
    };
    Ok(environment()?.get_template("mail.html")?.render(Serde(&letter))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Dim, Facts};
    use crate::report::brief;

    fn body(facts: &Facts) -> String {
        letter(&brief(facts).unwrap(), &Enclosed::Attached("a.html"), &|id| format!("{id}@x")).unwrap()
    }

    fn demo() -> Facts {
        Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap()
    }

    #[test]
    fn a_body_is_small_and_refers_to_nothing_but_its_own_pictures() {
        let body = body(&demo());
        assert!(body.len() < 60_000, "{} bytes", body.len());
        for word in
            ["<svg", "<script", "data:", "http:", "https:", "href", "url(", "@import", "<link", "<form"]
        {
            assert!(!body.contains(word), "{word}");
        }
        assert_eq!(body.matches("src=\"cid:").count(), 3);
        assert_eq!(body.matches("src=").count(), 3);
        assert_eq!(body.matches("<img").count(), body.matches(" alt=\"").count());
        assert!(body.contains("The whole report is attached: a.html."));
    }

    #[test]
    fn what_others_wrote_stays_text_that_keeps_its_direction() {
        let mut facts = demo();
        let evil = "<img src=x>\u{202e}\"&";
        for fact in &mut facts.facts {
            for (dim, key) in &mut fact.group {
                if matches!(dim, Dim::Tag | Dim::User | Dim::Label) && key.is_some() {
                    *key = Some(evil.to_owned());
                }
            }
        }
        facts.source.scope = evil.to_owned();
        facts.source.tags = vec![evil.to_owned()];
        let body = body(&facts);
        assert!(!body.contains("<img src=x>") && !body.contains('\u{202e}'));
        assert!(body.contains("<bdi>&lt;img src=x&gt;&quot;&amp;</bdi>"), "names stand on their own");
    }
}
