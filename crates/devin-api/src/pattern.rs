//! Patterns of tags: `*` stands for any text.

/// Whether a tag fits a pattern, in which `*` stands for any text.
pub fn fits(pattern: &str, tag: &str) -> bool {
    stands_for(pattern, tag).is_some()
}

/// What the first `*` of a pattern stands for in a text; `None` where they differ.
pub fn stands_for<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let Some((before, after)) = pattern.split_once('*') else {
        return (pattern == text).then_some(text);
    };
    let rest = text.strip_prefix(before)?;
    let Some((middle, last)) = after.rsplit_once('*') else { return rest.strip_suffix(after) };
    let mut rest = rest.strip_suffix(last)?;
    let mut first = None;
    // Whatever fits, fits with each part as far to the left as it can be.
    for part in middle.split('*') {
        let (skipped, next) = rest.split_once(part)?;
        first.get_or_insert(skipped);
        rest = next;
    }
    first
}
