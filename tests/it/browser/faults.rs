//! The judge judged: one small page for each kind of fault, and one that has none although it uses
//! all that looks like a fault and is not.

use super::cdp::Connection;
use super::{Browser, Look, Verdict, pdf_pages};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tempfile::TempDir;

/// Tests that run at the same time share one browser; the last one to finish ends it.
fn with_browser<T>(work: impl FnOnce(&mut Browser) -> T) -> Option<T> {
    static SHARED: Mutex<Weak<Mutex<Browser>>> = Mutex::new(Weak::new());
    let browser = {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(browser) = shared.upgrade() {
            browser
        } else {
            let browser = Arc::new(Mutex::new(Browser::start()?));
            *shared = Arc::downgrade(&browser);
            browser
        }
    };
    let mut browser = browser.lock().unwrap_or_else(PoisonError::into_inner);
    Some(work(&mut browser))
}

fn file(html: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a page, 100 % ä.html");
    std::fs::write(&path, html).expect("a writable folder");
    (folder, path)
}

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
    <meta name=viewport content='width=device-width, initial-scale=1'><title>Page</title>";
const POLICY: &str = "<meta http-equiv=Content-Security-Policy \
    content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";

fn judge(look: Look, style: &str, body: &str) -> Option<Verdict> {
    let (_folder, path) = file(&format!("{HEAD}{POLICY}<style>{style}</style><h1>Page</h1>{body}"));
    with_browser(|browser| browser.judge(&path, &look))
}

/// The page has faults of this kind, as many as said, and no other.
#[track_caller]
fn finds(kind: &str, count: usize, look: Look, style: &str, body: &str) {
    let Some(verdict) = judge(look, style, body) else { return };
    let of_kind = |fault: &&String| fault.starts_with(kind);
    assert_eq!(verdict.faults.iter().filter(of_kind).count(), count, "{kind}: {verdict:#?}");
    assert!(verdict.faults.iter().all(|fault| of_kind(&fault)), "only {kind}: {verdict:#?}");
}

const CLEAN_STYLE: &str = "
    :root { color-scheme: light dark }
    body { font: 16px/1.4 sans-serif; margin: 16px }
    h1, h2 { font-size: 32px; line-height: 1 }
    a { color: light-dark(#00409f, #9ecbff) }
    .cut { width: 120px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
    .clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; width: 100px }
    .aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
    .slide { overflow-x: auto }
    .slide table { width: 1500px }
    .faint { color: color-mix(in oklch, CanvasText 80%, Canvas) }
    .tile { display: inline-block; padding: 8px; background: light-dark(#eee, #222) }
    svg { max-width: 100%; color: CanvasText }
    svg text { font-size: 24px; fill: currentColor }
    @media print { .slide { overflow: visible } .slide table { width: 100% } }";
const CLEAN_BODY: &str = "
    <a href='#part' style='position: absolute; left: -100vw'>Skip</a>
    <p>Text with a <a href='https://example.org/'>link</a> and <a href='#part'>another</a>.</p>
    <p class=cut>A name that is far too long for the small box in which it stands</p>
    <p class=clamp>A name that is far too long for the two lines of the box in which it stands</p>
    <p class=aside>Only for those who listen</p>
    <div class=slide><table><tr><td>one<td>two<td>three</table></div>
    <h2 id=part>A heading that is long enough to be set in two lines, even on a wide screen, with
    <em>tight</em> lines and <small>small</small> words</h2>
    <p class=faint>Less important</p>
    <div class=tile><h3>Sessions</h3><p>312</p><svg aria-hidden=true width=60 height=20><path d='M0 20L60 0' stroke='red'/></svg></div>
    <img alt='' src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='>
    <details><summary>More</summary><h3>Details</h3><p>Hidden until asked for</p></details>
    <svg role=img viewBox='0 0 600 200' width=600><title>A chart</title>
      <rect x=0 y=20 width=300 height=40 fill='#0b3d91'/>
      <text x=10 y=48 style='fill: #fff'>on the bar</text><text x=310 y=48>beside it</text>
      <rect x=0 y=80 width=100 height=40 fill='#0b3d91'/>
      <text x=80 y=108 style='fill: #000; stroke: #fff; stroke-width: 4px; paint-order: stroke'>halo</text>
      <text transform='translate(300 190) rotate(-45)'>turned</text>
      <text transform='translate(354 190) rotate(-45)'>turned</text>
      <text x=590 y=190 text-anchor=end>right</text>
    </svg>";

#[test]
fn a_clean_page_has_no_faults() {
    // Browsers print in light colours whatever the screen prefers.
    let looks = [Look::PHONE, Look::PHONE.dark(), Look::DESK, Look::DESK.dark(), Look::PAPER];
    for look in looks {
        let Some(verdict) = judge(look, CLEAN_STYLE, CLEAN_BODY) else { return };
        assert!(verdict.faults.is_empty(), "{look:?} {verdict:#?}");
        assert!(verdict.console.is_empty() && verdict.requests.is_empty(), "{look:?} {verdict:#?}");
        assert!(verdict.texts > 15, "{look:?} {verdict:#?}");
        assert!(verdict.scroll_width <= verdict.inner_width, "{look:?} {verdict:#?}");
        assert!((verdict.inner_width - f64::from(look.width)).abs() < 1.0, "{look:?} {verdict:#?}");
    }
}

#[test]
fn a_box_that_leaves_the_window() {
    let wide = "<div style='width: 500px; background: #eee'>wide<p>inside</p></div>";
    finds("leaves window", 1, Look::PHONE, "", wide);
    finds("leaves window", 0, Look::DESK, "", wide);
    let Some(verdict) = judge(Look::PHONE, "", wide) else { return };
    assert!(verdict.scroll_width > verdict.inner_width, "{verdict:#?}");
}

#[test]
fn a_page_without_a_viewport() {
    let (_folder, path) = file("<!doctype html><html lang=en><title>Page</title><h1>Page</h1>");
    let Some(verdict) = with_browser(|browser| browser.judge(&path, &Look::PHONE)) else { return };
    assert!(verdict.faults.iter().any(|fault| fault.starts_with("viewport")), "{verdict:#?}");
}

#[test]
fn text_cut_by_its_box() {
    let narrow = "<div style='width: 60px; overflow: hidden; white-space: nowrap'>far too long a name</div>";
    finds("cut text", 1, Look::DESK, "", narrow);
    let low = "<div style='height: 20px; overflow: hidden; width: 60px'>far too long a name</div>";
    finds("cut text", 1, Look::DESK, "", low);
    let outer =
        "<div style='width: 60px; overflow: hidden'><p style='width: 200px'>far too long a name</p></div>";
    finds("cut text", 1, Look::DESK, "", outer);
}

#[test]
fn text_that_can_be_scrolled_to_on_a_screen_is_cut_on_paper() {
    let slide = "<div style='width: 60px; overflow-x: auto; white-space: nowrap'>far too long a name</div>";
    finds("cut text", 0, Look::DESK, "", slide);
    finds("cut text", 1, Look::PAPER, "", slide);
}

#[test]
fn chart_text_that_leaves_its_picture() {
    let chart =
        "<svg role=img aria-label=chart width=100 height=50><text x=60 y=30>too far right</text></svg>";
    finds("leaves picture", 1, Look::DESK, "", chart);
    let turned = "<svg role=img aria-label=chart width=100 height=50>\
        <text transform='translate(50 45) rotate(-90)'>too high up</text></svg>";
    finds("leaves picture", 1, Look::DESK, "", turned);
}

#[test]
fn chart_texts_on_one_another() {
    let chart = "<svg role=img aria-label=chart width=300 height=90>\
        <text x=10 y=30>Monday</text><text x=40 y=34>Tuesday</text><text x=10 y=60>clear</text></svg>";
    finds("overlap", 1, Look::DESK, "", chart);
}

#[test]
fn html_text_on_other_text() {
    let tile = "<div class=tile style='width: 90px'><span style='display: inline-block; width: 40px; \
        white-space: nowrap'>12,345,678</span><span>+12 %</span></div>";
    finds("overlap", 1, Look::DESK, "", tile);
    let cells =
        "<table style='table-layout: fixed; width: 100px'><tr><td>Mississippi<td>Massachusetts</table>";
    finds("overlap", 1, Look::DESK, "", cells);
}

#[test]
fn a_picture_on_text() {
    let tile = "<div class=tile>Sessions<svg aria-hidden=true width=60 height=20 style='margin-left: -30px'></svg></div>";
    finds("overlap", 1, Look::DESK, "", tile);
}

#[test]
fn faint_text() {
    finds("contrast", 1, Look::DESK, "", "<p style='color: #999'>faint</p>");
    finds("contrast", 1, Look::DESK, "", "<p style='opacity: .4'>faint</p>");
    let on = "<p style='color: #fff; background: oklch(0.8 0.1 250)'>faint</p>";
    finds("contrast", 1, Look::DESK, "", on);
    let gradient = "<p style='color: #fff; background: linear-gradient(90deg, #000, #eee)'>half faint</p>";
    finds("contrast", 1, Look::DESK, "", gradient);
}

#[test]
fn large_text_may_be_fainter() {
    let text = "<p style='color: #888; font-size: 24px'>large</p><p style='color: #888'>small</p>";
    finds("contrast: <p> \"small\"", 1, Look::DESK, "", text);
}

#[test]
fn text_that_is_faint_in_the_dark_alone() {
    let style = ":root { color-scheme: light dark }";
    let text = "<p style='color: #333'>dark on dark</p>";
    finds("contrast", 0, Look::DESK, style, text);
    finds("contrast", 1, Look::DESK.dark(), style, text);
}

#[test]
fn light_text_whose_background_is_not_printed() {
    let badge = "<p style='color: #fff; background: #000'>badge</p>";
    finds("contrast", 0, Look::DESK, "", badge);
    finds("contrast", 1, Look::PAPER, "", badge);
    finds("contrast", 0, Look::PAPER, "p { print-color-adjust: exact }", badge);
}

#[test]
fn a_faint_label_in_a_chart() {
    let chart = "<svg role=img aria-label=chart width=300 height=90><rect width=120 height=40 fill='#0b3d91'/>\
        <text x=10 y=25>on the bar</text><text x=150 y=25>beside</text></svg>";
    finds("contrast: <text> \"on the bar\"", 1, Look::DESK, "", chart);
    let straddles = "<svg role=img aria-label=chart width=300 height=90><rect width=40 height=40 fill='#0b3d91'/>\
        <text x=10 y=25 fill=white>longer than its bar</text></svg>";
    finds("contrast", 1, Look::DESK, "", straddles);
}

#[test]
fn pictures_without_an_alternative() {
    let pictures = "<svg width=10 height=10></svg><svg role=img width=10 height=10></svg>\
        <img src='data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='>\
        <svg role=img aria-labelledby=nowhere width=10 height=10></svg>";
    finds("no alternative", 4, Look::DESK, "", pictures);
}

#[test]
fn a_heading_that_skips_a_level() {
    finds("heading", 1, Look::DESK, "", "<h3>Deep</h3><h2>Back</h2><h3>Down</h3>");
}

#[test]
fn an_id_that_occurs_twice() {
    finds("id", 1, Look::DESK, "", "<p id=a>one</p><p id=a>two</p><p id=b>three</p>");
}

#[test]
fn links_that_lead_elsewhere() {
    let links = "<p><a href='http://example.org/'>plain</a> <a href='javascript:void(0)'>script</a> \
        <a href='other.html'>file</a> <a href='#nowhere'>nowhere</a> <a href='#top'>top</a> \
        <a href='#100%'>odd</a></p>";
    finds("link", 5, Look::DESK, "", links);
}

#[test]
fn text_too_small_on_a_phone() {
    let text = "<p style='font-size: 10px'>tiny</p><svg role=img aria-label=chart viewBox='0 0 800 100' width=350>\
        <text x=10 y=50 font-size=20>shrunk</text><text x=10 y=90 font-size=30>fine</text></svg>";
    finds("small text", 2, Look::PHONE, "", text);
    finds("small text", 0, Look::DESK, "", text);
}

#[test]
fn faults_behind_details_are_found_when_opened() {
    let closed = "<details name=x><summary>More</summary><p style='color: #999'>faint</p></details>\
        <details name=x><summary>More</summary><p style='color: #999'>faint as well</p></details>";
    finds("opened: contrast", 2, Look::DESK, "", closed);
}

#[test]
fn scripts_handlers_and_frames() {
    let body =
        "<p onclick='x()'>click</p><script>document.title</script><iframe srcdoc='x' title=x></iframe>";
    finds("active", 3, Look::DESK, "", body);
}

#[test]
fn a_blocked_script_reaches_the_console() {
    let Some(verdict) = judge(Look::DESK, "", "<script>console.log(1)</script>") else { return };
    assert!(verdict.console.iter().any(|line| line.contains("Content Security Policy")), "{verdict:#?}");
}

#[test]
fn console_messages_and_requests_are_seen() {
    let (_folder, path) = file(&format!(
        "{HEAD}<h1>Page</h1><img alt='' src='http://127.0.0.1:9/picture.png'>\
        <script>console.warn('careful'); throw new Error('broken')</script>"
    ));
    let Some(verdict) = with_browser(|browser| browser.judge(&path, &Look::DESK)) else { return };
    assert_eq!(verdict.requests, ["http://127.0.0.1:9/picture.png"], "{verdict:#?}");
    for words in ["careful", "broken", "ERR_UNSAFE_PORT"] {
        assert!(verdict.console.iter().any(|line| line.contains(words)), "{words}: {verdict:#?}");
    }
}

#[test]
fn a_page_in_no_language_without_a_title() {
    let (_folder, path) = file("<!doctype html><h1>Page</h1>");
    let Some(verdict) = with_browser(|browser| browser.judge(&path, &Look::DESK)) else { return };
    assert_eq!(verdict.faults, ["page: no language on <html>", "page: no title"]);
}

#[test]
fn many_faults_of_a_kind_are_summed() {
    let body = "<p style='color: #999'>faint</p>".repeat(25);
    let Some(verdict) = judge(Look::DESK, "", &body) else { return };
    assert_eq!(verdict.faults.len(), 11, "{verdict:#?}");
    assert_eq!(verdict.faults[10], "contrast: and 15 more");
}

#[test]
fn the_pages_of_a_pdf_are_counted() {
    let (_folder, path) =
        file(&format!("{HEAD}<h1>Page</h1><p style='break-before: page'>2<p style='break-before: page'>3"));
    let Some(pdf) = with_browser(|browser| browser.pdf(&path)) else { return };
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    assert_eq!(pdf_pages(&pdf), 3);
}

#[test]
fn a_screenshot_holds_the_whole_page() {
    let (folder, path) = file(&format!("{HEAD}<h1>Page</h1><div style='height: 3000px'></div>"));
    let to = folder.path().join("page.png");
    if with_browser(|browser| browser.screenshot(&path, &Look::PHONE, &to)).is_none() {
        return;
    }
    // A PNG's first chunk begins with its width and height.
    let png = std::fs::read(&to).expect("the picture");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!(number(16), 390);
    assert!(number(20) > 3000, "{}", number(20));
}

#[test]
fn a_browser_that_dies_at_once_is_an_error() {
    // A program that knows none of the flags, says so and ends.
    let error = Connection::start("ls").err().expect("an error");
    assert!(error.contains("gone") && error.contains("headless"), "{error}");
}
