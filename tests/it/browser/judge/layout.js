// Boxes that leave the window, text that is cut off, text on text.
function judgeViewport() {
  const laidOut = document.documentElement.clientWidth;
  if (Math.abs(laidOut - look.width) > 1) {
    fault('viewport', `the page is laid out ${laidOut} px wide in a window of ${look.width} px (no viewport meta?)`);
  }
  const out = new Set();
  for (const el of document.body.querySelectorAll('*')) {
    if (out.has(el.parentElement)) { out.add(el); continue; }
    if (el.namespaceURI === SVG && el.localName !== 'svg') continue;
    const b = box(el);
    if (b.width === 0 || b.height === 0 || !shown(el)) continue;
    if (b.left >= -1 && b.right <= look.width + 1) continue;
    const seen = window_(el.parentElement);
    if (Math.max(b.left, seen.left) >= -1 && Math.min(b.right, seen.right) <= look.width + 1) continue;
    // A link that comes in when it has the focus waits to the left, where nobody can scroll to.
    if (b.right <= 0 && el.matches('a[href^="#"]')) continue;
    out.add(el);
    fault('leaves window', `${name(el)} spans ${b.left.toFixed(0)} to ${b.right.toFixed(0)} of ${look.width} px`);
  }
}

function judgeCutText(runs) {
  const reported = new Set();
  for (const run of runs) {
    let ellipsis = false, clamped = false;
    for (let a = run.el; a && a !== document.body; a = a.parentElement) {
      const s = style(a);
      ellipsis ||= s.textOverflow === 'ellipsis' && s.overflowX !== 'visible';
      clamped ||= s.webkitLineClamp !== 'none' && s.overflowY !== 'visible';
      if (!clips(a)) continue;
      // What can be scrolled to can be read, but not on paper.
      const sliding = (v) => !look.print && (v === 'auto' || v === 'scroll');
      const b = inner(a);
      const wide = !ellipsis && !sliding(s.overflowX)
        && run.lines.some((l) => l.right > b.right + 1 || l.left < b.left - 1);
      const high = !clamped && !ellipsis && !sliding(s.overflowY)
        && run.lines.some((l) => l.bottom > b.bottom + 1 || l.top < b.top - 1);
      if ((wide || high) && !reported.has(run.el)) {
        reported.add(run.el);
        fault('cut text', `${name(run.el)} is cut by ${a === run.el ? 'its own box' : name(a)}`);
      }
      if (wide || high || ellipsis || clamped || sliding(s.overflowX)) break;
    }
  }
}

function judgeTextOnText(runs) {
  const items = [];
  const add = (l, el, node, what) => {
    const w = window_(node === el ? el.parentElement : el);
    const r = {
      left: Math.max(l.left, w.left), right: Math.min(l.right, w.right),
      top: Math.max(l.top, w.top), bottom: Math.min(l.bottom, w.bottom), el, node, what,
    };
    if (r.right - r.left > 2 && r.bottom - r.top > 2) items.push(r);
  };
  for (const run of runs) for (const line of run.lines) add(line, run.el, run.node, 'text');
  for (const svg of outermostSvgs) add(box(svg), svg, svg, 'picture');
  for (const img of document.querySelectorAll('img')) if (shown(img)) add(box(img), img, img, 'picture');
  items.sort((a, b) => a.top - b.top);
  const reported = new Set();
  let open = [];
  for (const b of items) {
    open = open.filter((a) => a.bottom > b.top + 2);
    for (const a of open) {
      if (a.node === b.node || (a.what === 'picture' && b.what === 'picture')) continue;
      if (a.what !== b.what && (a.el.contains(b.el) && a.what === 'picture' || b.el.contains(a.el) && b.what === 'picture')) continue;
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width <= 2 || height <= 2 || reported.has(a.node)) continue;
      reported.add(a.node);
      fault('overlap', `${name(a.el)} and ${name(b.el)} by ${width.toFixed(0)} x ${height.toFixed(0)} px`);
    }
    open.push(b);
  }
}

function judgeTextSize(runs) {
  if (look.print || look.width >= 600) return;
  const reported = new Set();
  const check = (el, px) => {
    if (px >= 10.49 || reported.has(el)) return;
    reported.add(el);
    fault('small text', `${name(el)} is ${px.toFixed(1)} px`);
  };
  for (const run of runs) check(run.el, parseFloat(style(run.el).fontSize));
  for (const svg of outermostSvgs) {
    for (const t of drawn(svg, 'text, tspan')) {
      const own = [...t.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
      if (own) check(t, parseFloat(style(t).fontSize) * scale(t.closest('text')));
    }
  }
}
