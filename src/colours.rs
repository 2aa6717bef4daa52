//! The colours of the page's style sheet, for charts, mails and workbooks that cannot use it.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../templates/style.css");

/// The light theme: colours such as `#1c1f24` by name, without the leading dashes.
pub fn light() -> BTreeMap<&'static str, &'static str> {
    theme(STYLE)
}

/// The colours that the dark theme changes.
pub fn dark() -> BTreeMap<&'static str, &'static str> {
    let (_, dark) = STYLE.split_once("@media (prefers-color-scheme: dark)").expect("there is a dark theme");
    theme(dark)
}

/// The custom properties of the first `:root` of a style sheet.
fn theme(sheet: &'static str) -> BTreeMap<&'static str, &'static str> {
    let (_, root) = sheet.split_once(":root {").expect("the sheet has a root");
    let (root, _) = root.split_once('}').expect("the root ends");
    let property = |line: &'static str| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": ");
    root.lines().filter_map(property).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_themes_are_read() {
        let (light, dark) = (light(), dark());
        assert_eq!((light["paper"], dark["paper"]), ("#ffffff", "#1b1e23"));
        assert!(dark.keys().all(|name| light.contains_key(name)));
        let is_colour = |text: &&str| text.len() == 7 && text.starts_with('#');
        assert!(light.values().chain(dark.values()).all(is_colour));
    }
}
