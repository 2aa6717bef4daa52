//! A strict reader of pages. It knows every element and attribute that the
//! templates and charts write, and what their values may look like; whatever
//! else is in a page, well formed or not, stops it.

/// Elements with the attributes they may have.
const KNOWN: &[(&str, &[&str])] = &[
    ("html", &["lang"]),
    ("head", &[]),
    ("meta", &["charset", "http-equiv", "content", "name"]),
    ("title", &["id"]),
    ("style", &[]),
    ("body", &[]),
    ("a", &["class", "href", "rel"]),
    ("bdi", &[]),
    ("circle", &["class", "cx", "cy", "r"]),
    ("dd", &[]),
    ("desc", &["id"]),
    ("details", &["class"]),
    ("div", &["class", "id", "role", "aria-label", "tabindex"]),
    ("dl", &["class"]),
    ("dt", &[]),
    ("figcaption", &[]),
    ("figure", &["class"]),
    ("footer", &[]),
    ("h1", &[]),
    ("h2", &["id", "class"]),
    ("h3", &[]),
    ("header", &["class"]),
    ("li", &["class"]),
    ("main", &["id"]),
    ("nav", &["class", "aria-label"]),
    ("p", &["class", "role"]),
    ("path", &["class", "d"]),
    ("rect", &["class", "x", "y", "width", "height"]),
    ("section", &["aria-labelledby", "class"]),
    ("span", &["class", "aria-hidden"]),
    ("strong", &[]),
    ("summary", &[]),
    ("svg", &["class", "role", "viewBox", "aria-labelledby", "aria-describedby", "aria-hidden", "focusable"]),
    ("table", &["class"]),
    ("tbody", &[]),
    ("td", &["data-head"]),
    ("text", &["class", "x", "y"]),
    ("th", &["scope"]),
    ("thead", &[]),
    ("tr", &[]),
    ("ul", &["class"]),
];

/// An element as it was written.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    /// With their values decoded.
    pub attributes: Vec<(String, String)>,
    /// Its text, decoded, without that of its children.
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The elements of a page in their order.
///
/// # Errors
/// The first thing that no template and no chart would write.
pub fn read(html: &str) -> Result<Vec<Element>, String> {
    let mut rest = html.strip_prefix("<!doctype html>\n").ok_or("no doctype")?;
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some((text, tag)) = rest.split_once('<') {
        let text = decode(text)?;
        match open.last() {
            Some(at) => elements[*at].text.push_str(&text),
            None if text.trim().is_empty() => {}
            None => return Err(format!("text outside: {}", start(&text))),
        }
        if let Some(closing) = tag.strip_prefix('/') {
            let (name, after) = closing.split_once('>').ok_or("a tag without end")?;
            let closed = open.pop().ok_or_else(|| format!("nothing to close: {}", start(name)))?;
            if elements[closed].name != name {
                return Err(format!("</{}> closes <{}>", start(name), elements[closed].name));
            }
            rest = after;
            continue;
        }
        let (element, alone, after) = tag_of(tag)?;
        rest = after;
        let name = element.name.clone();
        elements.push(element);
        if !alone && name != "meta" {
            open.push(elements.len() - 1);
        }
        if name == "style" {
            // Not markup: everything up to the end tag, whatever it looks like.
            let (style, after) = rest.split_once("</style>").ok_or("a style without end")?;
            elements.last_mut().ok_or("no style")?.text.push_str(style);
            open.pop();
            rest = after;
        }
    }
    if !open.is_empty() || !rest.trim().is_empty() {
        return Err(format!("left open, or more after the end: {}", start(rest)));
    }
    Ok(elements)
}

/// The tag after its `<`, whether it closes itself, and what follows it.
fn tag_of(tag: &str) -> Result<(Element, bool, &str), String> {
    let end = tag.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at(end);
    let known = KNOWN.iter().find(|(known, _)| *known == name);
    let Some((_, may_have)) = known else { return Err(format!("no element of ours: <{}", start(tag))) };
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((Element { name: name.to_owned(), attributes, text: String::new() }, false, after));
        }
        if let Some(after) = rest.strip_prefix("/>") {
            return Ok((Element { name: name.to_owned(), attributes, text: String::new() }, true, after));
        }
        let attribute = rest.strip_prefix(' ').and_then(|rest| rest.split_once("=\""));
        let (key, after) = attribute.ok_or_else(|| format!("in <{name}: {}", start(rest)))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("no closing quote: {key}"))?;
        if !may_have.contains(&key) || attributes.iter().any(|(other, _)| other == key) {
            return Err(format!("no attribute of ours: <{name} {}", start(key)));
        }
        let value = decode(value)?;
        if !fits(name, key, &value) {
            return Err(format!("<{name} {key}={value:?}"));
        }
        attributes.push((key.to_owned(), value));
        rest = after;
    }
}

/// Whether a value is one that this attribute may have. None but `href` may
/// hold other people's text.
fn fits(element: &str, key: &str, value: &str) -> bool {
    let all = |more: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    match key {
        "x" | "y" | "cx" | "cy" | "r" | "width" | "height" => value.parse::<f64>().is_ok(),
        "viewBox" => value.split(' ').filter(|number| number.parse::<f64>().is_ok()).count() == 4,
        "d" => value.chars().all(|c| c.is_ascii_digit() || "MLZ .-".contains(c)),
        "aria-label" | "data-head" => all(" :,-/"),
        "content" => element == "meta" && all(" '-=+/;,"),
        "href" => {
            let is_anchor = value.starts_with('#') && value.len() > 1 && all("#-_");
            let is_facts_file = value.ends_with(".json") && all("._-");
            is_anchor || is_facts_file || value.starts_with("https://")
        }
        _ => !value.is_empty() && all("-_ "),
    }
}

/// Text without escapes, or why it is not well escaped.
fn decode(text: &str) -> Result<String, String> {
    if text.contains(['<', '>']) {
        return Err(format!("not escaped: {}", start(text)));
    }
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let entity = piece.split_once(';').and_then(|(entity, rest)| {
            let c = match entity {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "#39" | "#x27" => '\'',
                "#x2f" => '/',
                _ => return None,
            };
            Some((c, rest))
        });
        let (c, rest) = entity.ok_or_else(|| format!("no escape of ours: &{}", start(piece)))?;
        out.push(c);
        out.push_str(rest);
    }
    Ok(out)
}

/// Enough of a text to find it by.
fn start(text: &str) -> String {
    text.chars().take(80).collect()
}

#[test]
fn what_no_template_writes_is_noticed() {
    let page = |inner: &str| read(&format!("<!doctype html>\n<html lang=\"en\">{inner}</html>\n"));
    let good = page(
        "<p class=\"a b\">1 &lt; 2<a href=\"#x\">x</a></p><meta charset=\"utf-8\"><svg><path d=\"M0 1\"/></svg>",
    );
    assert_eq!(good.unwrap()[1].text, "1 < 2");
    assert_eq!(page("<style>a > b</style>").unwrap()[1].text, "a > b");
    for bad in [
        "<script>",
        "<p>",
        "<p></div>",
        "<p onclick=\"x\"></p>",
        "<p style=\"x\"></p>",
        "<p class=x></p>",
        "<p class='x'></p>",
        "<p class=\"x\" class=\"y\"></p>",
        "<p class=\"x\"y></p>",
        "<p  class=\"x\"></p>",
        "<p class=\"&quot;\"></p>",
        "<img src=\"x\"/>",
        "<IMG>",
        "<a href=\"javascript:alert(1)\"></a>",
        "<a href=\"http://x/\"></a>",
        "<a href=\"data:x\"></a>",
        "<a href=\"#\"></a>",
        "<a href=\"//x\"></a>",
        "<a href=\"/etc/x.json\"></a>",
        "<!-- x -->",
        "<![CDATA[",
        "a > b",
        "a & b",
        "&nbsp;",
        "&#60;",
        "</html><p>",
        "<style></style><script>",
    ] {
        assert!(page(bad).is_err(), "{bad} passed");
    }
}
