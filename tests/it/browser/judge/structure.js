// What a screen reader and a careful reader of the source need.
function labelled(el) {
  const ids = (el.getAttribute('aria-labelledby') || '').split(/\s+/).filter(Boolean);
  const words = ids.map((id) => document.getElementById(id)?.textContent.trim() ?? '').join('');
  const title = [...el.children].find((c) => c.namespaceURI === SVG && c.localName === 'title');
  return Boolean(words || el.getAttribute('aria-label')?.trim() || title?.textContent.trim());
}

function decoded(fragment) {
  try { return decodeURIComponent(fragment); } catch { return fragment; }
}

function judgeStructure() {
  if (!document.documentElement.lang) fault('page', 'no language on <html>');
  if (!document.title.trim()) fault('page', 'no title');

  for (const el of document.querySelectorAll('svg, img, [role=img]')) {
    if (!shown(el) || el.closest('[aria-hidden=true]') || el.parentElement.closest('[role=img], svg')) continue;
    const image = el.localName === 'img' && el.hasAttribute('alt');
    if (!image && !(el.getAttribute('role') === 'img' && labelled(el))) fault('no alternative', name(el));
  }

  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    if (!shown(heading) && !clippedAway(heading)) continue;
    const next = Number(heading.localName[1]);
    if (next > level + 1) fault('heading', `${name(heading)} follows level ${level}`);
    level = next;
  }

  const ids = new Map();
  for (const el of document.querySelectorAll('[id]')) ids.set(el.id, (ids.get(el.id) || 0) + 1);
  for (const [id, times] of ids) if (times > 1) fault('id', `#${id} stands ${times} times`);

  for (const link of document.querySelectorAll('a, area')) {
    const href = link.getAttribute('href') ?? link.getAttributeNS('http://www.w3.org/1999/xlink', 'href');
    if (href === null) continue;
    const target = href.startsWith('#') && decoded(href.slice(1));
    const isFactsFile = /^[A-Za-z0-9._+-]+\.json$/.test(href);
    if (!href.startsWith('#') && !href.startsWith('https://') && !isFactsFile) fault('link', `${name(link)} to ${short(href)}`);
    if (target && target !== 'top' && !ids.has(target)) fault('link', `${name(link)} to #${short(target)}, which is nowhere`);
  }

  for (const el of document.querySelectorAll('script, iframe, object, embed, form, base, link[href]')) {
    fault('active', `<${el.localName}> has no place in a report`);
  }
  for (const el of document.querySelectorAll('*')) {
    for (const a of el.attributes) if (/^on/.test(a.name)) fault('active', `${name(el)} has ${a.name}`);
  }
}
