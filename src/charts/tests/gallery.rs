//! Every kind of chart with ordinary and with odd data: looked at by people
//! (see `page`) and checked here against what no chart may ever do.

use super::markup;
use crate::charts::*;

const STRANGE: [&str; 8] = [
    "Ada Lovelace",
    "علي بن أبي طالب (platform)",
    "משה כהן / QA",
    "山田太郎・データ基盤チーム",
    "김민준 👩\u{200d}👩\u{200d}👧 e\u{301}quipe",
    "<script>alert('1')</script> & \"co\"",
    "\u{202e}gnp.exe \u{0}control",
    "Щукина Юлия Александровна",
];

fn caption(id: &str) -> Caption<'_> {
    Caption { id, title: "A chart & its <title>", description: "What it says.\nIn two lines." }
}

fn count(value: f64) -> String {
    crate::unit::Unit::Count.text(Some(value))
}

fn percent(value: f64) -> String {
    format!("{:.0}%", value * 100.0)
}

fn bar(name: &str, value: Option<f64>, tone: Tone) -> Bar {
    let text = value.map_or("–".to_owned(), count);
    Bar { name: name.to_owned(), value, text, note: None, tone, muted: false }
}

fn rate(name: &str, value: Option<f64>, n: u32) -> Bar {
    let text = value.map_or("–".to_owned(), percent);
    Bar { text, note: Some(format!("n\u{a0}{n}")), muted: n < 10, ..bar(name, value, Tone::Accent) }
}

fn days(values: &[f64], label: &dyn Fn(usize) -> String) -> Vec<Column> {
    let column = |(index, value): (usize, &f64)| Column {
        label: label(index),
        value: Some(*value),
        text: count(*value),
        tone: Tone::Accent,
    };
    values.iter().enumerate().map(column).collect()
}

fn weeks(values: &[Option<f64>], write: &dyn Fn(f64) -> String) -> Vec<Point> {
    let point = |(index, value): (usize, &Option<f64>)| Point {
        label: format!("W{}", index + 34),
        value: *value,
        text: value.map_or("–".to_owned(), write),
        muted: false,
        hollow: index + 1 == values.len(),
    };
    values.iter().enumerate().map(point).collect()
}

fn sparks(values: &[Option<f64>]) -> Vec<SparkPoint> {
    values.iter().map(|value| SparkPoint { value: *value, hollow: false }).collect()
}

const IMPACT: [(Tone, &str); 4] =
    [(Tone::High, "high"), (Tone::Medium, "medium"), (Tone::Low, "low"), (Tone::Other, "other")];
const STATES: [(Tone, &str); 5] = [
    (Tone::Merged, "merged"),
    (Tone::Open, "open"),
    (Tone::Closed, "closed without merge"),
    (Tone::Draft, "draft"),
    (Tone::Unknown, "unknown"),
];

fn stack(name: &str, legend: &[(Tone, &str)], values: &[f64]) -> Stack {
    let part = |(&(tone, _), &value): (&(Tone, &str), &f64)| Segment { value, text: count(value), tone };
    Stack {
        name: name.to_owned(),
        segments: legend.iter().zip(values).map(part).collect(),
        total: count(values.iter().sum()),
    }
}

fn panels(values: &[[f64; 6]; 4]) -> Vec<Panel> {
    let label = |index: usize| if index == 5 { "5+".to_owned() } else { index.to_string() };
    let panel = |(&(tone, title), values): (&(Tone, &str), &[f64; 6])| Panel {
        title: title.to_owned(),
        tone,
        columns: days(values, &label).into_iter().map(|column| Column { tone, ..column }).collect(),
    };
    IMPACT.iter().zip(values).map(panel).collect()
}

fn step(name: &str, value: f64, note: Option<&str>) -> FunnelStep {
    FunnelStep { name: name.to_owned(), value, text: count(value), note: note.map(str::to_owned) }
}

/// Every chart of the gallery, with a heading.
fn gallery() -> Vec<(&'static str, Svg)> {
    let day = |index: usize| {
        ["Mon 5", "Tue 6", "Wed 7", "Thu 8", "Fri 9", "Sat 10", "Sun 11"]
            .get(index % 7)
            .copied()
            .unwrap()
            .to_owned()
    };
    let date = |index: usize| format!("{} Oct", index + 1);
    let long = "organisation-platform-".repeat(10);
    let mut team: Vec<Bar> = (0..15)
        .map(|i| {
            bar(&format!("person.number-{i}@example.org"), Some(f64::from(1500 / (i + 1))), Tone::Accent)
        })
        .collect();
    team.push(bar("184 others", Some(2210.0), Tone::Rest));
    let strange: Vec<Bar> =
        STRANGE.iter().map(|name| bar(name, Some(name.len() as f64), Tone::Accent)).collect();
    let month: Vec<f64> =
        (0..31).map(|d| if d % 7 > 4 { 2.0 } else { f64::from(40 + d * 37 % 61) }).collect();
    let trend = [Some(0.61), Some(0.64), None, Some(0.7), Some(0.66), Some(0.72), Some(0.75), Some(0.79)];
    let falling = [
        Some(910.0),
        Some(870.0),
        Some(640.0),
        Some(655.0),
        Some(400.0),
        Some(380.0),
        Some(310.0),
        Some(12.0),
    ];
    let busy = [
        [60.0, 30.0, 20.0, 8.0, 3.0, 1.0],
        [40.0, 41.0, 22.0, 12.0, 5.0, 2.0],
        [30.0, 35.0, 33.0, 14.0, 6.0, 4.0],
        [118.0, 4.0, 0.0, 0.0, 0.0, 0.0],
    ];
    let labels = ["Testing", "Environment setup", "Ambiguous requirements", "CI and build"];
    let stacked: Vec<Stack> = labels
        .iter()
        .zip([[12.0, 30.0, 9.0, 2.0], [7.0, 11.0, 14.0, 0.0], [1.0, 4.0, 22.0, 6.0], [0.0, 0.0, 1.0, 0.0]])
        .map(|(name, values)| stack(name, &IMPACT, &values))
        .collect();
    let chart = |svg: Result<Svg, ChartError>| svg.unwrap();
    vec![
        ("ACUs by user", chart(bars(&caption("g1"), &team, None))),
        (
            "Merge rate by tag",
            chart(bars(
                &caption("g2"),
                &[
                    rate("auth", Some(0.7948), 39),
                    rate("billing", Some(1.0), 12),
                    rate("search", Some(0.5), 4),
                    rate("docs", Some(0.0), 11),
                    rate("never-decided", None, 0),
                    rate(&long, Some(0.333), 120),
                ],
                Some(1.0),
            )),
        ),
        ("Names of the world", chart(bars(&caption("g3"), &strange, None))),
        (
            "Very long names",
            chart(bars(
                &caption("g4"),
                &[
                    bar(&long, Some(1e9), Tone::Accent),
                    bar(&"統計".repeat(100), Some(3e8), Tone::Accent),
                    bar(&"علي".repeat(67), Some(1.0), Tone::Rest),
                    Bar {
                        text: "a value that goes on ".repeat(9),
                        note: Some("a note ".repeat(30)),
                        ..bar(&long, Some(5e8), Tone::Accent)
                    },
                ],
                None,
            )),
        ),
        ("One bar", chart(bars(&caption("g5"), &[bar("only", Some(3.0), Tone::Accent)], None))),
        (
            "All zero",
            chart(bars(
                &caption("g6"),
                &[
                    bar("a", Some(0.0), Tone::Accent),
                    bar("b", Some(0.0), Tone::Accent),
                    bar("c", None, Tone::Rest),
                ],
                None,
            )),
        ),
        (
            "One giant",
            chart(bars(
                &caption("g7"),
                &[
                    bar("giant", Some(1e9), Tone::Accent),
                    bar("tiny", Some(1.0), Tone::Accent),
                    bar("small", Some(2e6), Tone::Accent),
                ],
                None,
            )),
        ),
        ("No bars", chart(bars(&caption("g8"), &[], None))),
        (
            "ACUs by day",
            chart(columns(&caption("g9"), &days(&[61.0, 80.0, 74.0, 102.0, 66.0, 4.0, 0.0], &day), &count)),
        ),
        ("ACUs by day, a month", chart(columns(&caption("g10"), &days(&month, &date), &count))),
        ("Days without ACUs", chart(columns(&caption("g11"), &days(&[0.0; 7], &day), &count))),
        ("One column", chart(columns(&caption("g12"), &days(&[1.0], &day), &count))),
        ("A billion", chart(columns(&caption("g13"), &days(&[1e9, 1.0, 3.0, 2e6, 9.4e8], &day), &count))),
        (
            "Distribution",
            chart(columns(
                &caption("g14"),
                &days(&[20.0, 31.0, 64.0, 41.0, 18.0, 7.0, 2.0], &|i| {
                    ["0–1", "1–2", "2–5", "5–10", "10–20", "20–50", "50+"].get(i).copied().unwrap().to_owned()
                }),
                &count,
            )),
        ),
        (
            "Many columns, long labels",
            chart(columns(&caption("g15"), &days(&month.repeat(3), &|i| format!("{long} {i}")), &count)),
        ),
        ("No columns", chart(columns(&caption("g16"), &[], &count))),
        ("Impact by label", chart(stacks(&caption("g17"), &IMPACT, &stacked))),
        (
            "States by repository",
            chart(stacks(
                &caption("g18"),
                &STATES,
                &[
                    stack("github.com/acme/api", &STATES, &[30.0, 12.0, 9.0, 4.0, 3.0]),
                    stack(&long, &STATES, &[1e9, 1.0, 1.0, 1.0, 1.0]),
                    stack("nothing", &STATES, &[0.0; 5]),
                ],
            )),
        ),
        ("No stacks", chart(stacks(&caption("g19"), &IMPACT, &[]))),
        ("Issues a session", chart(small_multiples(&caption("g20"), &panels(&busy)))),
        ("Issues a session, none", chart(small_multiples(&caption("g21"), &panels(&[[0.0; 6]; 4])))),
        (
            "Issues a session, huge",
            chart(small_multiples(&caption("g22"), &panels(&[[1e9; 6], [1.0; 6], [0.0; 6], [5e8; 6]]))),
        ),
        (
            "Panels of a month",
            chart(small_multiples(
                &caption("g23"),
                &[Panel { title: long.clone(), tone: Tone::Open, columns: days(&month, &date) }],
            )),
        ),
        ("Merge rate, trend", chart(line(&caption("g24"), &weeks(&trend, &percent), &percent, Some(1.0)))),
        ("ACUs, trend", chart(line(&caption("g25"), &weeks(&falling, &count), &count, None))),
        ("Trend of one", chart(line(&caption("g26"), &weeks(&[Some(7.0)], &count), &count, None))),
        ("Trend all zero", chart(line(&caption("g27"), &weeks(&[Some(0.0); 8], &count), &count, None))),
        (
            "Trend of points apart",
            chart(line(
                &caption("g28"),
                &weeks(&[Some(1e9), None, Some(2.0), None, Some(9e8), None], &count),
                &count,
                None,
            )),
        ),
        (
            "Long trend",
            chart(line(
                &caption("g29"),
                &weeks(&month.iter().map(|v| Some(*v)).collect::<Vec<_>>().repeat(3), &count),
                &count,
                None,
            )),
        ),
        ("No trend", chart(line(&caption("g30"), &weeks(&[None, None], &count), &count, None))),
        (
            "Trend with long texts",
            chart(line(
                &caption("g31"),
                &weeks(&trend, &|v| format!("{v} {long}")),
                &|v| format!("{v} {long}"),
                None,
            )),
        ),
        (
            "Funnel",
            chart(funnel(
                &caption("g32"),
                &[
                    step("Sessions", 300.0, None),
                    step("with a pull request", 187.0, Some("62% of sessions")),
                    step(
                        "with a merged pull request",
                        121.0,
                        Some("40% of sessions · 65% of those with a pull request"),
                    ),
                ],
            )),
        ),
        (
            "Funnel of none",
            chart(funnel(
                &caption("g33"),
                &[step("Sessions", 0.0, None), step("with a pull request", 0.0, Some("–"))],
            )),
        ),
        ("No funnel", chart(funnel(&caption("g34"), &[]))),
        ("Sparkline", chart(sparkline(&sparks(&trend)))),
        ("Sparkline, falling", chart(sparkline(&sparks(&falling)))),
        ("Sparkline, one", chart(sparkline(&sparks(&[Some(2.0)])))),
        ("Sparkline, none", chart(sparkline(&[]))),
        (
            "Not numbers",
            chart(bars(
                &caption("g35"),
                &[
                    bar("nan", Some(f64::NAN), Tone::Accent),
                    bar("inf", Some(f64::INFINITY), Tone::Accent),
                    bar("minus", Some(-1.0), Tone::Accent),
                ],
                Some(f64::NAN),
            )),
        ),
        (
            "Not numbers, line",
            chart(line(
                &caption("g36"),
                &weeks(&[Some(f64::NAN), Some(1.0), Some(f64::NEG_INFINITY), Some(-4.0)], &count),
                &count,
                Some(f64::INFINITY),
            )),
        ),
        (
            "Not numbers, stacks",
            chart(stacks(
                &caption("g37"),
                &IMPACT,
                &[stack("x", &IMPACT, &[f64::NAN, -1.0, f64::INFINITY, 2.0])],
            )),
        ),
        (
            "Not numbers, columns",
            chart(columns(&caption("g38"), &days(&[f64::NAN, 1e308, f64::INFINITY, 5e-324], &day), &|v| {
                format!("{v:e}")
            })),
        ),
    ]
}

#[test]
fn markup_is_well_formed_and_holds_numbers_only_where_numbers_go() {
    let drawing = ["x", "y", "width", "height", "cx", "cy", "r"];
    let mut ids = Vec::new();
    for (name, svg) in gallery() {
        for element in markup::elements(svg.as_str()) {
            let known = ["svg", "title", "desc", "rect", "path", "circle", "text"];
            assert!(known.contains(&element.tag.as_str()), "{name}: {}", element.tag);
            for (key, value) in element.attributes() {
                if drawing.contains(&key) {
                    assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{name}: {key} {value}");
                }
                if key == "d" {
                    let allowed = |c: char| c.is_ascii_digit() || " .-MZ".contains(c);
                    assert!(value.starts_with('M') && value.chars().all(allowed), "{name}: {value}");
                }
                assert!(!["style", "fill", "stroke", "href", "onload"].contains(&key), "{name}: {key}");
            }
            ids.extend(element.get("id").map(str::to_owned));
        }
        let stripped = svg
            .as_str()
            .chars()
            .all(|c| (!c.is_control() || c == '\n') && !('\u{202a}'..='\u{202e}').contains(&c));
        assert!(stripped, "{name}: control characters");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique in a page");
}

#[test]
fn every_class_has_a_rule() {
    for (name, svg) in gallery() {
        for element in markup::elements(svg.as_str()) {
            for class in element.classes().filter(|class| !class.is_empty()) {
                let ruled = STYLE.contains(&format!(".{class}{{")) || STYLE.contains(&format!(".{class},"));
                assert!(ruled, "{name}: .{class}");
            }
        }
    }
}

#[test]
fn marks_stay_inside_the_chart() {
    for (name, svg) in gallery() {
        let elements = markup::elements(svg.as_str());
        let view: Vec<f64> =
            elements[0].get("viewBox").unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
        // Middles and baselines are rounded to a tenth.
        let within = |x: f64, y: f64| x >= -0.1 && x <= view[2] + 0.1 && y >= -0.1 && y <= view[3] + 0.1;
        for text in markup::texts(svg.as_str()) {
            let inside = within(text.left, text.top) && within(text.right, text.bottom);
            assert!(inside, "{name} {view:?}: {text:?}");
        }
        for element in elements.iter().filter(|element| element.tag == "rect") {
            let (x, y) = (element.number("x"), element.number("y"));
            assert!(within(x, y), "{name}: {x} {y}");
            assert!(within(x + element.number("width"), y + element.number("height")), "{name}: {x} {y}");
        }
    }
}

#[test]
fn texts_do_not_overlap() {
    for (name, svg) in gallery() {
        let texts = markup::texts(svg.as_str());
        for (index, one) in texts.iter().enumerate() {
            for other in texts.iter().skip(index + 1) {
                let across = one.left + 0.2 < other.right && other.left + 0.2 < one.right;
                let down = one.top + 0.2 < other.bottom && other.top + 0.2 < one.bottom;
                assert!(!(across && down), "{name}:\n{one:?}\n{other:?}");
            }
        }
    }
}

#[test]
fn charts_are_deterministic_and_small() {
    for ((name, one), (_, other)) in gallery().into_iter().zip(gallery()) {
        assert_eq!(one, other, "{name}");
        let limit = match name {
            "Many columns, long labels" => 40_000,
            "Long trend" => 16_384,
            _ => 8_192,
        };
        assert!(one.as_str().len() < limit, "{name}: {} bytes", one.as_str().len());
    }
}

/// Prints the gallery as a page, to be looked at after a change of any look:
/// `cargo test --lib charts::tests::gallery::page -- --ignored --nocapture`
#[test]
#[ignore = "for eyes, not for machines"]
fn page() {
    println!(
        "<!doctype html><meta charset=utf-8><style>{STYLE}{}</style><main>",
        include_str!("gallery.css")
    );
    for (name, svg) in gallery() {
        let tile = if name.starts_with("Sparkline") { " class=tile" } else { "" };
        println!("<figure{tile}><figcaption>{name}</figcaption>{}</figure>", svg.as_str());
    }
    println!("</main>");
}
