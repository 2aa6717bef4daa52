// Shared by all judgements: what is visible, how an element is named, how faults are collected.
const SVG = 'http://www.w3.org/2000/svg';
const PER_KIND = 10;
const found = new Map();
function fault(kind, text) {
  if (!found.has(kind)) found.set(kind, []);
  found.get(kind).push(`${kind}: ${text}`);
}
function short(text) {
  const clean = text.replace(/\s+/g, ' ').trim();
  return clean.length > 40 ? clean.slice(0, 39) + '…' : clean;
}
function name(el) {
  const id = el.id ? '#' + el.id : '';
  const classes = [...el.classList].map((c) => '.' + c).join('');
  const within = el.closest('section[id], details[id], figure[id]');
  const place = within && within !== el ? ` in #${within.id}` : '';
  return `<${el.localName}${id}${classes}> "${short(el.textContent)}"${place}`;
}
function cached(work) {
  const known = new Map();
  return (el) => {
    if (!known.has(el)) known.set(el, work(el));
    return known.get(el);
  };
}
const style = cached((el) => getComputedStyle(el));
const box = cached((el) => el.getBoundingClientRect());

// The usual ways to keep text for screen readers alone: a box of a pixel, or clipped to nothing.
const clippedAway = cached((el) => {
  if (el === document.documentElement || el === document.body) return false;
  const s = style(el);
  // Pictures clip by nature, and one of a pixel is still a picture.
  const tiny = !['img', 'svg'].includes(el.localName) && s.overflowX !== 'visible' && (box(el).width <= 1 || box(el).height <= 1);
  const clip = /^rect\((0|1)px, (0|1)px, (0|1)px, (0|1)px\)$/.test(s.clip) || /^inset\((50|100)%/.test(s.clipPath);
  return tiny || clip || (el.parentElement ? clippedAway(el.parentElement) : false);
});
const shown = cached((el) =>
  el.checkVisibility({ opacityProperty: true, visibilityProperty: true, checkOpacity: true, checkVisibilityCSS: true })
  && !clippedAway(el));

// The part of the page in which an element's content can be seen: the boxes of all that clip it.
function inner(el) {
  const b = box(el);
  const left = b.left + el.clientLeft, top = b.top + el.clientTop;
  return { left, top, right: left + el.clientWidth, bottom: top + el.clientHeight };
}
function clips(el) {
  return el !== document.body && el !== document.documentElement && el.namespaceURI !== SVG
    && style(el).overflowX !== 'visible' && style(el).display !== 'inline';
}
const window_ = cached((el) => {
  if (!el) return { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };
  const outer = window_(el.parentElement);
  if (!clips(el)) return outer;
  const own = inner(el);
  return {
    left: Math.max(outer.left, own.left), top: Math.max(outer.top, own.top),
    right: Math.min(outer.right, own.right), bottom: Math.min(outer.bottom, own.bottom),
  };
});

// Every visible piece of HTML text with its lines. A line's box is as high as the font, which is
// more than the ink: the margins are taken off so that tight line spacing is no fault.
function textRuns() {
  const runs = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, el = node.parentElement;
    if (!node.data.trim() || el.namespaceURI === SVG || el.closest('script,style,template,noscript')) continue;
    if (!shown(el)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter((r) => r.width > 0.5 && r.height > 0.5).map((r) => ({
      left: r.left, right: r.right, top: r.top + r.height * 0.15, bottom: r.bottom - r.height * 0.15,
    }));
    if (lines.length) runs.push({ node, el, lines });
  }
  return runs;
}
const outermostSvgs = [...document.querySelectorAll('svg')].filter((s) => !s.parentElement.closest('svg') && shown(s));
function drawn(svg, selector) {
  return [...svg.querySelectorAll(selector)].filter((el) =>
    !el.closest('defs,symbol,clipPath,mask,pattern,marker') && shown(el));
}
const scale = cached((el) => {
  const m = el.getScreenCTM();
  return m ? Math.sqrt(Math.abs(m.a * m.d - m.b * m.c)) : 1;
});
