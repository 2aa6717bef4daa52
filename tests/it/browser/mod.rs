//! A report opened in a real browser and judged: what is cut, covered, too faint, too small, or
//! loaded from elsewhere. Where no Chromium is installed the tests say so and pass.
//!
//! With `ACUMEN_LOOK=FOLDER` the page tests also leave full-page pictures and the PDF there.
#![cfg(test)]

mod cdp;
mod faults;
mod pages;

use cdp::{Connection, base64};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// The judge: one function body in JavaScript, run in the page with `look` in scope. It is evaluated
/// by the debugger, which a content security policy does not stop.
const JUDGE: &str = concat!(
    include_str!("judge/tools.js"),
    include_str!("judge/layout.js"),
    include_str!("judge/charts.js"),
    include_str!("judge/colour.js"),
    include_str!("judge/structure.js"),
    include_str!("judge/verdict.js"),
);

/// Fonts are there and two frames were drawn.
const SETTLED: &str = "document.fonts.ready.then(() => \
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))";

/// A group of `<details>` with one name holds one open at a time: the name goes first.
const OPEN_DETAILS: &str = "for (const d of document.querySelectorAll('details')) \
    { d.removeAttribute('name'); d.setAttribute('open', ''); }";

/// A headless Chromium of its own; it is ended when this is dropped.
pub struct Browser {
    connection: Connection,
}

/// How a page is looked at. Below 600 px the browser acts as a phone.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    pub print: bool,
}

/// What the browser saw.
#[derive(Debug)]
pub struct Verdict {
    /// Console messages, security violations and exceptions, as `level: text`.
    pub console: Vec<String>,
    /// Addresses asked for, other than the file itself and `data:`.
    pub requests: Vec<String>,
    /// Width of the content in CSS px, the larger of closed and opened details.
    pub scroll_width: f64,
    /// Width the page is laid out for, in CSS px; a phone's zoom does not hide an overflow in it.
    pub inner_width: f64,
    /// Pieces of visible text with all details opened: a page that shows nothing has no faults.
    pub texts: u64,
    /// `kind: element and number`; those seen only with details opened begin with `opened: `.
    pub faults: Vec<String>,
}

struct Tab {
    target: String,
    session: String,
    loader: String,
}

impl Look {
    pub const PHONE: Self = Self { width: 390, height: 844, dark: false, print: false };
    pub const DESK: Self = Self { width: 1280, height: 900, dark: false, print: false };
    /// A4 at 96 dpi less margins of 10 mm.
    pub const PAPER: Self = Self { width: 718, height: 1047, dark: false, print: true };

    pub fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

impl Browser {
    /// A running browser, or nothing, with a line that says so, where none is installed.
    pub fn start() -> Option<Self> {
        let Some(program) = cdp::find() else {
            println!("skipped: no Chromium found");
            return None;
        };
        let connection = Connection::start(&program).unwrap_or_else(|error| panic!("{program}: {error}"));
        Some(Self { connection })
    }

    /// Opens the file and judges it twice: as delivered, and with all `<details>` opened.
    pub fn judge(&mut self, path: &Path, look: &Look) -> Verdict {
        let tab = self.open(path, look);
        let closed = self.look_at(&tab, look);
        self.evaluate(&tab, OPEN_DETAILS);
        let opened = self.look_at(&tab, look);
        let events = self.connection.take_events(&tab.session);
        let console = events.iter().filter_map(complaint).collect();
        let requests = events.iter().filter_map(|event| request(event, &tab.loader)).collect();
        self.close(&tab);

        let mut faults = strings(&closed["faults"]);
        let more = strings(&opened["faults"]).into_iter().filter(|fault| !faults.contains(fault));
        let more: Vec<_> = more.map(|fault| format!("opened: {fault}")).collect();
        faults.extend(more);
        let width = |verdict: &Value, key: &str| verdict[key].as_f64().expect("a width");
        Verdict {
            console,
            requests,
            scroll_width: width(&closed, "scrollWidth").max(width(&opened, "scrollWidth")),
            inner_width: width(&closed, "innerWidth"),
            texts: opened["texts"].as_u64().expect("a count"),
            faults,
        }
    }

    /// Writes a PNG of the whole page as delivered, cut at 16,000 px of height.
    pub fn screenshot(&mut self, path: &Path, look: &Look, to: &Path) {
        let tab = self.open(path, look);
        let metrics = self.call(&tab, "Page.getLayoutMetrics", json!({}));
        let height = metrics["cssContentSize"]["height"].as_f64().expect("a height").min(16_000.0);
        let clip = json!({ "x": 0, "y": 0, "width": look.width, "height": height, "scale": 1 });
        let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.call(&tab, "Page.captureScreenshot", shot);
        self.close(&tab);
        std::fs::write(to, base64(picture["data"].as_str().expect("a picture"))).expect("a writable folder");
    }

    /// The page as PDF on A4, without background colours, as a browser prints unless asked for them.
    pub fn pdf(&mut self, path: &Path) -> Vec<u8> {
        let tab = self.open(path, &Look::PAPER);
        let paper = json!({ "paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": true });
        let print = self.call(&tab, "Page.printToPDF", paper);
        self.close(&tab);
        base64(print["data"].as_str().expect("a PDF"))
    }

    fn open(&mut self, path: &Path, look: &Look) -> Tab {
        let path = path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let target = self.call_browser("Target.createTarget", json!({ "url": "about:blank" }));
        let target = string(&target["targetId"]);
        let attached =
            self.call_browser("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let mut tab = Tab { target, session: string(&attached["sessionId"]), loader: String::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&tab, &format!("{domain}.enable"), json!({}));
        }
        let phone = look.width < 600 && !look.print;
        let screen = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": phone,
        });
        self.call(&tab, "Emulation.setDeviceMetricsOverride", screen);
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({
            "media": if look.print { "print" } else { "screen" },
            "features": [{ "name": "prefers-color-scheme", "value": scheme }],
        });
        self.call(&tab, "Emulation.setEmulatedMedia", media);
        let navigated = self.call(&tab, "Page.navigate", json!({ "url": file_url(&path) }));
        assert!(navigated.get("errorText").is_none(), "{}: {navigated}", path.display());
        tab.loader = string(&navigated["loaderId"]);
        self.connection.wait(&tab.session, "Page.loadEventFired", PATIENCE).expect("the page loads");
        self.evaluate(&tab, SETTLED);
        tab
    }

    fn look_at(&mut self, tab: &Tab, look: &Look) -> Value {
        self.evaluate(tab, SETTLED);
        let look = json!({ "width": look.width, "print": look.print });
        self.evaluate(tab, &format!("((look) => {{ 'use strict';\n{JUDGE}\n}})({look})"))
    }

    fn close(&mut self, tab: &Tab) {
        self.call_browser("Target.closeTarget", json!({ "targetId": tab.target }));
    }

    fn evaluate(&mut self, tab: &Tab, expression: &str) -> Value {
        let question = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call(tab, "Runtime.evaluate", question);
        assert!(answer.get("exceptionDetails").is_none(), "the judge itself failed: {answer}");
        answer["result"]["value"].take()
    }

    fn call(&mut self, tab: &Tab, method: &str, params: Value) -> Value {
        let answer = self.connection.call(Some(&tab.session), method, params, PATIENCE);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    fn call_browser(&mut self, method: &str, params: Value) -> Value {
        let answer = self.connection.call(None, method, params, PATIENCE);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Pages of a PDF as Chromium writes them: page objects lie in the file as plain text.
pub fn pdf_pages(pdf: &[u8]) -> usize {
    const PAGE: &[u8] = b"/Type /Page";
    pdf.windows(PAGE.len() + 1).filter(|bytes| bytes.starts_with(PAGE) && bytes.last() != Some(&b's')).count()
}

fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Log.entryAdded" => {
            let entry = &params["entry"];
            Some(format!("{}: {}", string(&entry["level"]), string(&entry["text"])))
        }
        "Runtime.consoleAPICalled" => Some(format!("{}: {}", string(&params["type"]), params["args"])),
        "Runtime.exceptionThrown" => Some(format!("exception: {}", params["exceptionDetails"])),
        _ => None,
    }
}

fn request(event: &Value, loader: &str) -> Option<String> {
    let params = &event["params"];
    let url = params["request"]["url"].as_str()?;
    let asked = event["method"] == "Network.requestWillBeSent";
    (asked && params["requestId"] != loader && !url.starts_with("data:")).then(|| url.to_owned())
}

fn file_url(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(string).collect()
}
