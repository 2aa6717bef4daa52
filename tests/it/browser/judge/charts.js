// Text inside SVG: within its picture, and clear of other text, also where it is turned.
const quad = cached((text) => {
  const m = text.getScreenCTM(), b = text.getBBox();
  const at = (x, y) => ({ x: m.a * x + m.c * y + m.e, y: m.b * x + m.d * y + m.f });
  return [at(b.x, b.y), at(b.x + b.width, b.y), at(b.x + b.width, b.y + b.height), at(b.x, b.y + b.height)];
});

// By how many pixels two turned rectangles enter each other: the least over the directions of their
// sides (separating axes), zero where any direction separates them.
function entered(p, q) {
  const depths = [];
  for (const [a, b] of [[p[0], p[1]], [p[1], p[2]], [q[0], q[1]], [q[1], q[2]]]) {
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const along = (c) => (c.x * (b.x - a.x) + c.y * (b.y - a.y)) / length;
    const [ps, qs] = [p.map(along), q.map(along)];
    depths.push(Math.min(Math.max(...ps), Math.max(...qs)) - Math.max(Math.min(...ps), Math.min(...qs)));
  }
  return Math.min(...depths);
}

function chartTexts(svg) {
  return drawn(svg, 'text').filter((t) => {
    const b = t.getBBox();
    return b.width > 0 && b.height > 0 && t.getScreenCTM();
  });
}

function judgeCharts() {
  for (const svg of outermostSvgs) {
    const frame = box(svg), texts = chartTexts(svg);
    for (const t of texts) {
      const xs = quad(t).map((c) => c.x), ys = quad(t).map((c) => c.y);
      const over = Math.max(frame.left - Math.min(...xs), Math.max(...xs) - frame.right,
        frame.top - Math.min(...ys), Math.max(...ys) - frame.bottom);
      if (over > 1) fault('leaves picture', `${name(t)} by ${over.toFixed(1)} px`);
    }
    for (const [i, a] of texts.entries()) {
      for (const b of texts.slice(i + 1)) {
        const depth = entered(quad(a), quad(b));
        if (depth > 2) fault('overlap', `${name(a)} and ${name(b)} by ${depth.toFixed(1)} px`);
      }
    }
  }
}
