// What board and map share: asking for parts of a page by tag, putting them in place, saying so, walking rows by keys.

const tags = new Map(); // address -> the tag of what is shown
let waiting = false;
let turn = 0;

/**
 * The parts of the page at an address as text; "" when they are what is shown already, null when there is no answer to
 * show here (signed out, refused, the server away). `byHand` tells that somebody asked, and asks whatever the tag.
 * What was asked before something newer by hand is dropped.
 */
export async function askAgain(address, { byHand = false } = {}) {
  if (waiting && !byHand) return "";
  const mine = byHand ? ++turn : turn;
  const headers = { "X-Anju-Part": "1" };
  if (!byHand) {
    headers["X-Anju-Live"] = "1";
    if (tags.has(address)) headers["If-None-Match"] = tags.get(address);
  }
  waiting = true;
  try {
    const answer = await fetch(address, { headers, cache: "no-store" });
    if (mine !== turn) return "";
    if (answer.status === 401 && !byHand) location.reload();
    if (answer.status !== 304 && !answer.ok) return null;
    tags.set(new URL(address, location.href).href, answer.headers.get("ETag"));
    tellMoment(answer.headers.get("X-Anju-As-Of"));
    return answer.status === 304 ? "" : await answer.text();
  } catch {
    tellMoment(null);
    return null;
  } finally {
    waiting = false;
  }
}

/** The moment of the last answer; without one, that it is an old one. */
function tellMoment(text) {
  const shown = document.querySelector("[data-as-of]");
  if (shown && text) shown.textContent = text;
  const stale = document.querySelector("[data-stale]");
  if (stale) stale.hidden = text !== null;
}

/** Put the parts that differ in place; focus and scroll stay where they were. Answers whether anything differed. */
export function showParts(text, room) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const kept = document.activeElement?.dataset?.go;
  let changed = false;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const shown = room.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!shown) continue;
    shown.hidden = part.hidden;
    if (shown.innerHTML === part.innerHTML) continue;
    const scrolled = shown.querySelector(".opened")?.scrollTop ?? 0;
    shown.replaceChildren(...part.childNodes);
    const again = shown.querySelector(".opened");
    if (again) again.scrollTop = scrolled;
    changed = true;
  }
  if (kept && document.activeElement?.dataset?.go !== kept)
    room.querySelector(`[data-go="${CSS.escape(kept)}"]`)?.focus({ preventScroll: true });
  return changed;
}

/** Let a screen reader say it. */
export function announce(words) {
  const place = document.querySelector("[data-announce]");
  if (place && words) place.textContent = words.replace(/\s+/g, " ").trim();
}

/** Arrow keys go through the rows of a room and, to the right, into the units of what is opened. */
export function walkRows(room) {
  addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || press.target.matches("input, select, textarea")) return;
    const here = document.activeElement;
    const kind = here.matches("[data-unit]") ? "[data-unit]" : "[data-row]";
    const all = [...room.querySelectorAll(kind)];
    const at = all.indexOf(here);
    if (at < 0 && here !== document.body) return;
    const next = {
      ArrowDown: () => all[Math.min(at + 1, all.length - 1)],
      ArrowUp: () => all[Math.max(at - 1, 0)],
      Home: () => all[0],
      End: () => all.at(-1),
      ArrowRight: () => room.querySelector("[data-unit]"),
      ArrowLeft: () => room.querySelector('[data-row][aria-current="true"]') ?? room.querySelector("[data-row]"),
    }[press.key]?.();
    if (!next) return;
    press.preventDefault();
    next.focus();
  });
}
