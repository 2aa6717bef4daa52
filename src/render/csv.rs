//! Writes facts as CSV: one file a grouping, one line a fact.
//!
//! RFC 4180: UTF-8 without a byte order mark, CR LF, commas. Numbers equal those of `facts.json` to
//! the digit; those of the finance file are rounded to the currency's minor unit. Only null gives an empty cell: unprintable text becomes `(unprintable)`.

use std::collections::BTreeMap;

use csv::{Terminator, WriterBuilder};

use super::{RenderError, RenderedFile};
use crate::metrics::{
    ACUS, Dim, Fact, Facts, FinanceRow, Improvement, PromptFeedback, RecurringIssue, SessionExample, number,
};
use crate::report;
use crate::text::clean;

/// The longest cell: longer than any name, shorter than what spreadsheets reject.
const LONGEST: usize = 2000;

/// The columns after the dimensions.
const NUMBERS: [&str; 5] = ["value", "numerator", "denominator", "n", "previous"];

/// The columns after the numbers.
const MARKS: [&str; 2] = ["maturing", "notable"];

/// One file for each grouping of the facts, the whole period first.
///
/// # Errors
/// A line could not be written: an internal error, never a property of the data.
pub fn files(facts: &Facts) -> Result<Vec<RenderedFile>, RenderError> {
    let mut groupings: BTreeMap<Vec<Dim>, Vec<&Fact>> = BTreeMap::new();
    for fact in &facts.facts {
        groupings.entry(fact.dims().collect()).or_default().push(fact);
    }
    let file = |(by, rows): (Vec<Dim>, Vec<&Fact>)| {
        Ok(RenderedFile { ending: ending(&by), bytes: lines(&by, &rows, facts)? })
    };
    let mut files = groupings.into_iter().map(file).collect::<Result<Vec<_>, RenderError>>()?;
    files.extend(texts(facts)?);
    files.extend(finance(facts)?);
    Ok(files)
}

/// The ends of the names of the files with what analyses say.
pub const TEXTS: [&str; 3] = ["_improvements.csv", "_recurring-issues.csv", "_prompt-feedback.csv"];

/// What analyses recommend, find and remark: one file a list, one line a row; none without rows.
fn texts(facts: &Facts) -> Result<Vec<RenderedFile>, RenderError> {
    let [improvements, issues, feedback] = TEXTS;
    let found = &facts.highlights;
    let amount = |value: f64| number(Some(value));
    let improvement = |row: &Improvement| {
        let kind = cell(row.kind.as_deref());
        let numbers = [amount(row.sessions), amount(row.items), number(row.acus), number(row.high_issues)];
        [vec![cell(Some(&row.text)), kind], numbers.into(), places(&row.repos, &row.examples)].concat()
    };
    let issue = |row: &RecurringIssue| {
        let impacts = [row.high, row.medium, row.low, row.other].map(amount);
        let numbers = [amount(row.sessions), number(row.acus)];
        let words = vec![cell(row.label.as_deref()), cell(Some(&row.text))];
        [words, numbers.into(), impacts.into(), places(&row.repos, &row.examples)].concat()
    };
    let remark = |row: &PromptFeedback| {
        let numbers = [amount(row.sessions), amount(row.items), number(row.acus)];
        [vec![cell(Some(&row.text))], numbers.into(), places(&row.repos, &row.examples)].concat()
    };
    let heads = |own: &[&'static str]| [own, &["repos", "examples"]].concat();
    let files = [
        (
            improvements,
            heads(&["text", "type", "sessions", "items", "acus", "high_issues"]),
            found.improvements.iter().map(improvement).collect::<Vec<_>>(),
        ),
        (
            issues,
            heads(&["label", "text", "sessions", "acus", "high", "medium", "low", "other"]),
            found.issues.iter().map(issue).collect(),
        ),
        (
            feedback,
            heads(&["text", "sessions", "items", "acus"]),
            found.feedback.iter().map(remark).collect(),
        ),
    ];
    let files = files.into_iter().filter(|(_, _, rows)| !rows.is_empty());
    files.map(|(ending, heads, rows)| written(ending, &heads, &rows)).collect()
}

/// The end of the name of the file with what teams and cost centres spent.
pub const FINANCE: &str = "_finance.csv";

/// What teams and cost centres spent at each price, with the amounts of the workbook; none without
/// rows.
fn finance(facts: &Facts) -> Result<Option<RenderedFile>, RenderError> {
    let Some(finance) = report::finance(facts) else { return Ok(None) };
    let places = finance.currency.places();
    let amount = |amount: Option<f64>| amount.map(|amount| format!("{amount:.places$}")).unwrap_or_default();
    let row = |row: &FinanceRow| {
        [
            cell(row.team.as_deref()),
            cell(row.cost_centre.as_deref()),
            row.from.to_string(),
            row.to.to_string(),
            number(Some(row.acus)),
            number(row.per_acu),
            amount(row.amount),
            amount(row.previous_amount),
            finance.currency.code().to_owned(),
        ]
    };
    let heads =
        ["team", "cost_centre", "from", "to", "acus", "per_acu", "amount", "previous_amount", "currency"];
    let rows: Vec<_> = finance.rows.iter().map(row).collect();
    written(FINANCE, &heads, &rows).map(Some)
}

/// A file of rows with their heads.
fn written<Row>(ending: &str, heads: &[&str], rows: &[Row]) -> Result<RenderedFile, RenderError>
where
    Row: AsRef<[String]>,
{
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(heads)?;
    rows.iter().try_for_each(|row| writer.write_record(row.as_ref()))?;
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(RenderedFile { ending: ending.to_owned(), bytes })
}

/// Repositories, and ids of sessions, separated by spaces.
fn places(repos: &[String], examples: &[SessionExample]) -> Vec<String> {
    let repos: Vec<String> = repos.iter().map(|repo| cell(Some(repo))).collect();
    let ids: Vec<String> = examples.iter().map(|session| cell(Some(&session.id))).collect();
    vec![repos.join(" "), ids.join(" ")]
}

/// The end of a grouping's file name: `_whole.csv`, `_by-label-impact.csv`. It contains no second
/// `_`, so that it cannot be confused with a file of a report whose name begins alike.
pub fn ending(by: &[Dim]) -> String {
    match by {
        [] => "_whole.csv".to_owned(),
        dims => format!("_by-{}.csv", dims.iter().map(|dim| dim.name()).collect::<Vec<_>>().join("-")),
    }
}

fn lines(by: &[Dim], rows: &[&Fact], facts: &Facts) -> Result<Vec<u8>, csv::Error> {
    let names = &facts.labels.user;
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    // The id is for joins, the name for readers.
    let named = by.contains(&Dim::User) && !names.is_empty();
    let heads = by.iter().map(|dim| dim.name()).chain(named.then_some("user_name"));
    writer.write_record(["metric", "unit"].into_iter().chain(heads).chain(NUMBERS).chain(MARKS))?;
    for fact in rows {
        let key = |dim: &Dim| fact.key(*dim).flatten();
        let name = || key(&Dim::User).and_then(|user| names.get(user)).map(String::as_str);
        let keys = by.iter().map(|dim| cell(key(dim))).chain(named.then(|| cell(name())));
        // Once, in the row that is read first; all numbers of ACUs are null.
        let is_said = !facts.source.metered && by.is_empty() && fact.metric.id == ACUS.id;
        let unit = if is_said { "not metered" } else { fact.unit.name() };
        let ours = [fact.metric.id, unit].map(str::to_owned);
        let marks = [fact.maturing, fact.notable].map(|mark| mark.to_string());
        writer.write_record(ours.into_iter().chain(keys).chain(numbers(fact)).chain(marks))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The numbers of a fact in the order of [`NUMBERS`], to the digit those of `facts.json`.
fn numbers(fact: &Fact) -> [String; 5] {
    let parts = [fact.numerator, fact.denominator, Some(fact.n)].map(number);
    let [numerator, denominator, n] = parts;
    [number(fact.value), numerator, denominator, n, number(fact.previous)]
}

/// Other people's text as a cell: on one line, never a formula.
fn cell(text: Option<&str>) -> String {
    let Some(text) = text else { return String::new() };
    match clean(text, LONGEST) {
        text if text.is_empty() => "(unprintable)".to_owned(),
        text => guarded(&text),
    }
}

/// Escapes formulas with an apostrophe, at the start and after semicolons, where spreadsheets in
/// many locales begin a new cell even within quotes.
fn guarded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for c in text.chars() {
        if begins && is_formula(c) {
            out.push('\'');
        }
        // Leading spaces and quotes do not keep a formula from being one.
        begins = c == ';' || (begins && (c.is_whitespace() || c == '"'));
        out.push(c);
    }
    out
}

/// Whether a formula can begin with it, including full-width forms.
fn is_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '−' | '﹢' | '﹣' | '﹦' | '﹫')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Labels;
    use crate::render::tests::facts;

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn file(facts: &Facts, ending: &str) -> Vec<Vec<String>> {
        let files = files(facts).unwrap();
        rows(&files.iter().find(|file| file.ending == ending).unwrap().bytes)
    }

    #[test]
    fn one_file_per_grouping_and_one_line_per_fact() {
        let facts = facts();
        let files = files(&facts).unwrap();
        let endings: Vec<&str> = files.iter().map(|file| file.ending.as_str()).collect();
        assert_eq!(endings, ["_whole.csv", "_by-impact.csv", "_by-user.csv", "_by-user-impact.csv"]);
        let text = String::from_utf8(files[2].bytes.clone()).unwrap();
        assert_eq!(
            text,
            "metric,unit,user,value,numerator,denominator,n,previous,maturing,notable\r\n\
             acus,acu,,0.1,,,3,,false,false\r\n\
             acus,acu,u1,0.30000000000000004,,,3,2,false,false\r\n\
             merge_rate,share,u1,,0,0,0,0.5,false,false\r\n"
        );
        let lines: usize = files.iter().map(|file| rows(&file.bytes).len() - 1).sum();
        assert_eq!(lines, facts.facts.len());
    }

    #[test]
    fn what_analyses_say_has_a_file_for_each_list() {
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let improvements = file(&demo, "_improvements.csv");
        let head = ["text", "type", "sessions", "items", "acus", "high_issues", "repos", "examples"];
        assert_eq!(improvements[0], head);
        assert_eq!(improvements.len() - 1, demo.highlights.improvements.len());
        let first = &demo.highlights.improvements[0];
        assert_eq!(improvements[1][0], first.text);
        assert_eq!(improvements[1][2], first.sessions.to_string());
        assert_eq!(improvements[1][6], first.repos.join(" "));
        for (ending, rows) in [
            ("_recurring-issues.csv", demo.highlights.issues.len()),
            ("_prompt-feedback.csv", demo.highlights.feedback.len()),
        ] {
            assert_eq!(file(&demo, ending).len() - 1, rows, "{ending}");
        }
    }

    #[test]
    fn finance_rows_have_rounded_amounts_and_harmless_texts() {
        let mut demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        assert!(files(&demo).unwrap().iter().all(|file| file.ending != FINANCE), "no rows, no file");
        let price = |currency: &str| {
            let text =
                format!(r#"{{"currency": "{currency}", "steps": [{{"from": "2026-01-01", "per_acu": 2}}]}}"#);
            Some(serde_json::from_str(&text).unwrap())
        };
        let rows = r#"[
            {"team": "=cmd()", "cost_centre": "a;=1", "from": "2026-10-05", "to": "2026-10-06", "acus": 0.1,
             "per_acu": 2.255, "amount": 3.333333333333333, "previous_amount": 0},
            {"team": "\u202e", "cost_centre": "-1,\"x\"\r\ny", "from": "2026-10-05", "to": "2026-10-11",
             "acus": 1, "per_acu": 2, "amount": 3.333333333333333, "previous_amount": 12.5},
            {"team": null, "cost_centre": null, "from": "2026-10-07", "to": "2026-10-11", "acus": 0,
             "per_acu": null, "amount": null, "previous_amount": null}]"#;
        demo.finance = serde_json::from_str(rows).unwrap();
        demo.prices = price("EUR");
        let found = file(&demo, FINANCE);
        assert_eq!(
            found[0].join(","),
            "team,cost_centre,from,to,acus,per_acu,amount,previous_amount,currency"
        );
        assert_eq!(
            found[1..],
            [
                ["'=cmd()", "a;'=1", "2026-10-05", "2026-10-06", "0.1", "2.255", "3.34", "0.00", "EUR"],
                [
                    "(unprintable)",
                    "'-1,\"x\" y",
                    "2026-10-05",
                    "2026-10-11",
                    "1",
                    "2",
                    "3.33",
                    "12.50",
                    "EUR"
                ],
                ["", "", "2026-10-07", "2026-10-11", "0", "", "", "", "EUR"],
            ]
        );
        demo.prices = price("JPY");
        assert_eq!(file(&demo, FINANCE)[1][6..], ["4", "0", "JPY"]);
        demo.prices = price("KWD");
        assert_eq!(file(&demo, FINANCE)[1][6..], ["3.334", "0.000", "KWD"]);
    }

    #[test]
    fn numbers_equal_the_facts_to_the_digit() {
        let facts = facts();
        let json = facts.to_json();
        for fact in &facts.facts {
            let line = json.lines().find(|line| {
                let keys = serde_json::from_str::<serde_json::Value>(line.trim().trim_end_matches(','));
                keys.is_ok_and(|line| {
                    let group =
                        fact.group.iter().map(|(dim, key)| (dim.name().to_owned(), key.clone().into()));
                    line["metric"] == fact.metric.id
                        && line["group"] == serde_json::Value::Object(group.collect())
                })
            });
            let line = line.unwrap();
            for (name, text) in NUMBERS.iter().zip(numbers(fact)) {
                let text = if text.is_empty() { "null" } else { &text };
                let part = format!("\"{name}\":{text}");
                let is_left_out = text == "null" && !line.contains(&format!("\"{name}\":"));
                assert!(is_left_out || line.contains(&part), "{part} in {line}");
            }
        }
    }

    #[test]
    fn known_names_are_in_a_column_beside_ids() {
        let names = [("u1".to_owned(), "=Ann".to_owned()), ("u2".to_owned(), "Bo".to_owned())];
        let rows = file(
            &Facts { labels: Labels { user: names.into(), ..Labels::default() }, ..facts() },
            "_by-user.csv",
        );
        assert_eq!(rows[0][2..4], ["user", "user_name"]);
        assert_eq!([&rows[1][2..4], &rows[2][2..4]], [["", ""], ["u1", "'=Ann"]]);
    }

    #[test]
    fn text_is_never_a_formula_or_null() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'=1"),
            ("\r\n=1", "'=1"),
            ("\u{200b}\u{a0} =1", "\u{a0} '=1"),
            ("＝1", "'＝1"),
            ("\"=1", "\"'=1"),
            ("a; =cmd()", "a; '=cmd()"),
            ("a=b, -c", "a=b, -c"),
            ("'x", "'x"),
            ("a\u{202e}\u{0}b", "a b"),
            ("\u{200b}", "(unprintable)"),
            ("", "(unprintable)"),
        ] {
            assert_eq!(cell(Some(text)), expected, "{text:?}");
        }
        assert_eq!(cell(None), "");
        assert_eq!(cell(Some(&"x".repeat(9999))).chars().count(), LONGEST + 1);
    }

    #[test]
    fn commas_quotes_and_line_ends_round_trip() {
        let mut facts = facts();
        for fact in &mut facts.facts {
            for (_, key) in fact.group.iter_mut().filter(|(dim, _)| *dim == Dim::User) {
                *key = key.as_deref().map(|_| "a,\"b\"\r\nc".to_owned());
            }
        }
        assert_eq!(file(&facts, "_by-user.csv")[2][2], "a,\"b\" c");
    }
}
