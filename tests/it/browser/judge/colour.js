// Contrast as WCAG 2.2 defines it (relative luminance), text against what lies behind it.
const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
// A canvas reads every notation that CSS can compute: rgb(), color(), oklch(), …
const rgba = cached((colour) => {
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
  return { r, g, b, a: a / 255 };
});
function over(top, alpha, below) {
  const a = top.a * alpha;
  const mix = (x, y) => x * a + y * (1 - a);
  return { r: mix(top.r, below.r), g: mix(top.g, below.g), b: mix(top.b, below.b), a: 1 };
}
function luminance({ r, g, b }) {
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}
function contrast(x, y) {
  const [a, b] = [luminance(x), luminance(y)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
function canvasColour() {
  if (look.print) return { r: 255, g: 255, b: 255, a: 1 };
  const probe = document.createElement('div');
  probe.style.backgroundColor = 'Canvas';
  document.documentElement.append(probe);
  const colour = { ...rgba(getComputedStyle(probe).backgroundColor) };
  probe.remove();
  return colour;
}
const paper = canvasColour();

// All colours that may lie behind an element: one, or each stop of a gradient.
const behind = cached((el) => {
  if (!el) return [paper];
  const below = behind(el.parentElement), s = style(el);
  // Browsers leave such backgrounds off the paper unless the person who prints asks for them.
  if (el.namespaceURI === SVG && el.localName !== 'svg') return below;
  if (look.print && (s.printColorAdjust || s.webkitPrintColorAdjust) !== 'exact') return below;
  const layered = below.map((c) => over(rgba(s.backgroundColor), 1, c));
  const stops = s.backgroundImage.match(/(?:rgba?|color|oklch|oklab|lab|lch|hsla?)\([^()]*\)/g);
  return stops ? stops.flatMap((stop) => layered.map((c) => over(rgba(stop), 1, c))) : layered;
});
const opacity = cached((el) => (el ? parseFloat(style(el).opacity) * opacity(el.parentElement) : 1));

function checkContrast(el, colour, alpha, grounds, px) {
  const wanted = px >= 24 ? 3 : 4.5;
  const worst = Math.min(...grounds.map((c) => contrast(over(colour, alpha, c), c)));
  if (worst < wanted) fault('contrast', `${name(el)} has ${worst.toFixed(2)}:1, wanted ${wanted}:1`);
}

function judgeContrast(runs) {
  for (const el of new Set(runs.map((run) => run.el))) {
    const s = style(el);
    checkContrast(el, rgba(s.webkitTextFillColor), opacity(el), behind(el), parseFloat(s.fontSize));
  }
}

// A label's ground is the last shape drawn before it; at both ends and in the middle, since a bar
// may end under its label. A halo (stroke painted first) is the ground where there is one.
function judgeChartContrast() {
  for (const svg of outermostSvgs) {
    const shapes = drawn(svg, 'rect, circle, ellipse, path, polygon').filter((s) => {
      const fill = style(s).fill;
      return fill !== 'none' && !fill.startsWith('url') && s.getScreenCTM();
    });
    for (const text of chartTexts(svg)) {
      const s = style(text), [a, b, c, d] = quad(text);
      if (s.fill === 'none' || s.fill.startsWith('url')) continue;
      const halo = s.stroke !== 'none' && s.paintOrder.startsWith('stroke') && parseFloat(s.strokeWidth) > 0;
      const grounds = halo ? [rgba(s.stroke)] : [0.05, 0.5, 0.95].flatMap((t) => {
        const at = new DOMPoint(a.x + (b.x - a.x) * t + (d.x - a.x) / 2, a.y + (b.y - a.y) * t + (d.y - a.y) / 2);
        let below = behind(svg);
        for (const shape of shapes) {
          const r = box(shape);
          if (!(text.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_PRECEDING)) break;
          if (at.x < r.left || at.x > r.right || at.y < r.top || at.y > r.bottom) continue;
          if (!shape.isPointInFill(at.matrixTransform(shape.getScreenCTM().inverse()))) continue;
          const alpha = parseFloat(style(shape).fillOpacity) * opacity(shape);
          below = below.map((ground) => over(rgba(style(shape).fill), alpha, ground));
        }
        return below;
      });
      checkContrast(text, rgba(s.fill), parseFloat(s.fillOpacity) * opacity(text), grounds, parseFloat(s.fontSize) * scale(text));
    }
  }
}
