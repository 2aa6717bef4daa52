//! The HTML body of a mail: tables and inline styles only, which all mail programs display.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use serde::Serialize;

use super::EmailSummary;
use crate::colours;
use crate::render::RenderError;
use crate::render::templates::environment;
use crate::render::text::TileText;

/// Where the whole report is.
pub struct ReportLocation<'a> {
    /// The name of its page.
    pub page: &'a str,
    /// Whether the page is attached; else the sender has it.
    pub is_attached: bool,
    /// The name of its PDF, if that is attached.
    pub pdf: Option<&'a str>,
}

impl<'a> ReportLocation<'a> {
    /// A page of this name that is attached, without a PDF.
    pub fn attached(page: &'a str) -> Self {
        Self { page, is_attached: true, pdf: None }
    }

    /// A page of this name that is not attached.
    pub fn not_attached(page: &'a str) -> Self {
        Self { is_attached: false, ..Self::attached(page) }
    }

    /// What is attached, in sentences; the last one is about the page.
    pub fn sentence(&self) -> String {
        let page = match self.is_attached {
            true => format!("The full report is attached: {}.", self.page),
            false => format!("Ask the sender for the full report: {}.", self.page),
        };
        match self.pdf {
            Some(pdf) => format!("A PDF of two pages is attached: {pdf}. {page}"),
            None => page,
        }
    }
}

/// The context of the template besides the summary.
#[derive(Serialize)]
struct EmailContext<'a> {
    #[serde(flatten)]
    summary: &'a EmailSummary,
    preview: &'a str,
    rows: Vec<&'a [TileText]>,
    charts: Vec<ChartImage<'a>>,
    location: String,
    light: BTreeMap<&'static str, &'static str>,
    dark: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct ChartImage<'a> {
    title: &'a str,
    note: &'a str,
    source: String,
    alt: &'a str,
}

/// The HTML body. Each chart is an image whose Content-ID is `content_id` of the chart's id.
///
/// # Errors
/// The template could not be filled: an internal error.
pub fn html(
    summary: &EmailSummary,
    location: &ReportLocation<'_>,
    content_id: &dyn Fn(&str) -> String,
) -> Result<String, RenderError> {
    let context = EmailContext {
        summary,
        preview: summary.subject.split_once(": ").map_or(summary.subject.as_str(), |(_, rest)| rest),
        rows: summary.tiles.chunks(2).collect(),
        charts: (summary.charts.iter())
            .map(|chart| ChartImage {
                title: chart.title,
                note: &chart.note,
                source: format!("cid:{}", content_id(chart.id)),
                alt: chart.svg.description(),
            })
            .collect(),
        location: location.sentence(),
        light: colours::light(),
        dark: colours::dark(),
    };
    Ok(environment()?.get_template("mail.html")?.render(Serde(&context))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Dim, Facts};
    use crate::render::email::summarize;
    use crate::report::report;

    fn body(facts: &Facts) -> String {
        html(&summarize(&report(facts)).unwrap(), &ReportLocation::attached("a.html"), &|id| {
            format!("{id}@x")
        })
        .unwrap()
    }

    fn demo() -> Facts {
        Facts::from_json(include_str!("../../../reports/org_demo_2026-W41.json")).unwrap()
    }

    #[test]
    fn the_body_says_what_is_attached() {
        let page = ReportLocation::attached("a.html");
        assert_eq!(page.sentence(), "The full report is attached: a.html.");
        let pdf = ReportLocation { pdf: Some("a.pdf"), ..ReportLocation::not_attached("a.html") };
        assert_eq!(
            pdf.sentence(),
            "A PDF of two pages is attached: a.pdf. Ask the sender for the full report: a.html."
        );
        let both = ReportLocation { is_attached: true, ..pdf };
        assert_eq!(
            both.sentence(),
            "A PDF of two pages is attached: a.pdf. The full report is attached: a.html."
        );
    }

    #[test]
    fn a_body_is_small_and_refers_only_to_its_own_images() {
        let body = body(&demo());
        assert!(body.len() < 60_000, "{} bytes", body.len());
        for word in
            ["<svg", "<script", "data:", "http:", "https:", "href", "url(", "@import", "<link", "<form"]
        {
            assert!(!body.contains(word), "{word}");
        }
        assert!(!body.contains("{{") && !body.contains("{%"), "a template is left");
        assert_eq!(body.matches("src=\"cid:").count(), 3);
        assert_eq!(body.matches("src=").count(), 3);
        assert_eq!(body.matches("<img").count(), body.matches(" alt=\"").count());
        assert!(body.contains("The full report is attached: a.html."));
    }

    #[test]
    fn other_peoples_text_is_escaped_and_isolated() {
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
