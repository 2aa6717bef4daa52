//! A small XML reader for tests: strict enough to notice what is not well formed.

use super::text;

/// An element as it was written.
pub(super) struct Element {
    pub(super) tag: String,
    attributes: Vec<(String, String)>,
    /// Its own text, unescaped, without that of its children.
    content: String,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> f64 {
        self.get(name).unwrap_or_else(|| panic!("<{}> has no {name}", self.tag)).parse().unwrap()
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = &str> {
        self.get("class").unwrap_or_default().split(' ')
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Every element in document order; panics on anything not well formed.
pub(super) fn elements(svg: &str) -> Vec<Element> {
    let mut out: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let before = unescape(&rest[..start]);
        match open.last() {
            Some(&parent) => out[parent].content.push_str(&before),
            None => assert_eq!(before.trim(), "", "text outside the root"),
        }
        let end = start + rest[start..].find('>').expect("a tag that ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().expect("something to close");
            assert_eq!(out[closed].tag, name, "closed in order");
            continue;
        }
        let (tag, alone) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut left) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_lowercase()) && !name.is_empty(), "tag {name:?}");
        assert_eq!(out.is_empty(), open.is_empty(), "one root");
        let mut attributes: Vec<(String, String)> = Vec::new();
        while !left.trim().is_empty() {
            let (key, value) = left.split_once("=\"").expect("name=\"value\"");
            let (value, more) = value.split_once('"').expect("a closing quote");
            assert!(!attributes.iter().any(|(other, _)| other == key.trim()), "{key} twice");
            attributes.push((key.trim().to_owned(), unescape(value)));
            left = more;
        }
        out.push(Element { tag: name.to_owned(), attributes, content: String::new() });
        if !alone {
            open.push(out.len() - 1);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "left open");
    out
}

fn unescape(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "unescaped: {text}");
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (entity, tail) = piece.split_once(';').expect("an entity that ends");
        out.push_str(match entity {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "#39" => "'",
            other => panic!("entity {other}"),
        });
        out.push_str(tail);
    }
    out
}

/// A visible text and the box it takes by its measure, in units.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) content: String,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Every visible text with its box.
pub(super) fn texts(svg: &str) -> Vec<Placed> {
    let placed = |element: Element| {
        let has = |class: &str| element.classes().any(|c| c == class);
        let size = if has("s") { 11.0 } else { 13.0 };
        let width = f64::from(text::width(&element.content, (size * 10.0) as i32, has("b"))) / 10.0;
        let (x, y) = (element.number("x"), element.number("y"));
        let left = match (has("c"), has("e")) {
            (true, _) => x - width / 2.0,
            (_, true) => x - width,
            _ => x,
        };
        Placed {
            left,
            right: left + width,
            top: y - size * 0.93,
            bottom: y + size * 0.24,
            content: element.content,
        }
    };
    elements(svg).into_iter().filter(|element| element.tag == "text").map(placed).collect()
}

#[test]
fn what_is_not_well_formed_is_noticed() {
    assert_eq!(elements("<svg><a b=\"1\"/>x<c>&amp;</c></svg>").len(), 3);
    for broken in
        ["<svg>", "<svg></a>", "<svg/><svg/>", "<svg a=1/>", "<svg>&nbsp;</svg>", "<svg>></svg>", "x<svg/>"]
    {
        assert!(std::panic::catch_unwind(|| elements(broken)).is_err(), "{broken}");
    }
}
