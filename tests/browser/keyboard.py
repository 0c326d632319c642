"""A7 on one page: every control is reached by Tab (or by the arrows of what it belongs to), in the order of the page,
with a focus that is seen; nothing answers to a click alone; what renews itself has a place that says so aloud."""

from __future__ import annotations

from typing import Any

# Runs before the page's own scripts: which elements listen to clicks, and each stop of the focus as it comes.
NOTE = r"""(() => {
  const listening = (window.__listening = new Set());
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (kind, ...more) {
    if (kind === 'click' && this instanceof Element) listening.add(this);
    return add.call(this, kind, ...more);
  };
  window.__stops = [];
  window.__unseen = new Set();
  const marked = ({ outlineStyle, outlineWidth, boxShadow }) =>
    (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none';
  add.call(document, 'focusin', ({ target }) => {
    window.__stops.push(target);
    const around = [target, ...(target.closest('label') ? [target.closest('label')] : [])];  // a card around its button
    if (!around.some((each) => marked(getComputedStyle(each)))) window.__unseen.add(target);
  });
})()"""
BEGIN = """() => { document.activeElement?.blur(); getSelection().removeAllRanges(); scrollTo(0, 0);
  window.__stops = [];
  window.__unseen.clear();
  window.__wanted = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable], iframe')].filter((each) =>
      each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.type !== 'hidden'
      && each.tabIndex >= 0 && !each.closest('[inert]'));
  const parts = { date: 4, time: 3, 'datetime-local': 6, file: 1 };  // a date is gone through part by part
  return window.__wanted.reduce((sum, each) => sum + (parts[each.type] ?? 1), 2); }"""
TELL = r"""() => {
  const short = (each) => each.outerHTML.slice(0, 110), said = [];
  const stops = window.__stops, met = new Set(stops);
  const group = (each) => each.type === 'radio' && [...document.getElementsByName(each.name)].some((one) =>
    one.form === each.form && met.has(one));  // the arrows go through a group of radio buttons
  for (const each of window.__wanted) if (!met.has(each) && !group(each)) said.push(`not reached: ${short(each)}`);
  for (const each of window.__unseen) said.push(`its focus is not seen: ${short(each)}`);
  const first = stops.filter((each, at) => stops.indexOf(each) === at);
  for (let at = 1; at < first.length; at++)
    if (first[at - 1].compareDocumentPosition(first[at]) & Node.DOCUMENT_POSITION_PRECEDING)
      said.push(`out of order: ${short(first[at])}`);
  for (const each of document.querySelectorAll('[tabindex]'))
    if (each.tabIndex > 0) said.push(`a tabindex of its own: ${short(each)}`);
  const rows = '[data-row], [data-unit]';  // walked by the arrow keys (parts.js)
  for (const each of document.querySelectorAll('a[href], button, input, select, textarea'))
    if (each.tabIndex < 0 && each.checkVisibility() && !each.matches(rows))
      said.push(`by the mouse alone: ${short(each)}`);
  const reached = 'a[href], button, input, select, textarea, summary, label, [tabindex]';
  for (const each of window.__listening)
    if (each.isConnected && each.checkVisibility() && !each.matches(reached) && !each.querySelector(reached))
      said.push(`answers to clicks alone: ${short(each)}`);
  const renewed = '[data-live], [data-part], [data-board], [data-map-page], [data-waiting]';
  const aloud = '[role=status]:not([data-sending]), [role=alert], [aria-live]';
  for (const each of document.querySelectorAll(renewed))
    if (!each.matches(aloud) && !document.querySelector(aloud)) said.push(`renews itself in silence: ${short(each)}`);
  document.activeElement.blur();
  scrollTo(0, 0);
  return said; }"""


def find_troubles(page: Any) -> list[str]:
    """What a person without a mouse would stumble over on the page shown; `NOTE` must have run before it."""
    for _ in range(page.evaluate(BEGIN)):
        page.keyboard.press("Tab")
    troubles: list[str] = page.evaluate(TELL)
    return troubles
