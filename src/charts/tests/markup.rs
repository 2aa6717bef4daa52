//! The markup of a chart, read back.

use crate::charts::text;

/// An element as it was written.
pub(in crate::charts) struct Element {
    pub(in crate::charts) tag: String,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of its children.
    content: String,
}

impl Element {
    pub(in crate::charts) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(in crate::charts) fn number(&self, name: &str) -> f64 {
        self.get(name).unwrap_or_else(|| panic!("<{}> has no {name}", self.tag)).parse().unwrap()
    }

    pub(in crate::charts) fn classes(&self) -> impl Iterator<Item = &str> {
        self.get("class").unwrap_or_default().split(' ')
    }

    pub(in crate::charts) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Every element in document order; panics on markup that is not well formed.
pub(in crate::charts) fn elements(svg: &str) -> Vec<Element> {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
    let element = |node: roxmltree::Node<'_, '_>| Element {
        tag: node.tag_name().name().to_owned(),
        attributes: node.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
        content: node.text().unwrap_or_default().to_owned(),
    };
    document.descendants().filter(roxmltree::Node::is_element).map(element).collect()
}

/// A visible text and the box it takes by its measure, in units.
#[derive(Debug)]
pub(in crate::charts) struct Placed {
    pub(in crate::charts) content: String,
    pub(in crate::charts) left: f64,
    pub(in crate::charts) right: f64,
    pub(in crate::charts) top: f64,
    pub(in crate::charts) bottom: f64,
}

/// Every visible text with its box.
pub(in crate::charts) fn texts(svg: &str) -> Vec<Placed> {
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
