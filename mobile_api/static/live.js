// Parts of a page that follow what happens: elements with data-live and an id. The page itself is asked for again with
// its mark; 304 means that nothing has moved. Nobody's focus and nothing that was typed is lost by it.
import { forgetEverything } from "./kept.js";
import { morph, isTyped } from "./morph.js";

const { liveMark, liveEvery } = document.body.dataset;
const word = document.querySelector("[data-live-word]");
const SLOWEST = 5; // times the page's own pace, while nothing moves and nobody touches it
const PATIENCE_MS = 8000;
const known = new Map(); // what the server last said of each part

let mark = liveMark;
let pace = 1;
let timer;
let asking = false;
let lostSince;
let heardAt = new Date();

if (liveMark) {
  for (const part of document.querySelectorAll("[data-live]")) known.set(part.id, saidIn(part));
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, () => (pace = 1), { passive: true });
  addEventListener("pageshow", (shown) => shown.persisted && atOnce());
  addEventListener("online", atOnce);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : atOnce()));
  wait();
}

/** Somebody is here again, or the network is: look now, and at the page's own pace from here on. */
function atOnce() {
  pace = 1;
  if (!document.hidden) look();
}

function wait() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, Number(liveEvery) * pace);
}

async function look() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  let goesOn = true;
  try {
    const headers = { "X-Anju-Live": "1", "If-None-Match": `"${mark}"` };
    goesOn = await take(await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }));
  } catch {
    lose();
  }
  asking = false;
  if (goesOn) wait();
}

/** Whether to ask again after this answer. */
async function take(answer) {
  if (answer.status === 304) {
    find();
    pace = Math.min(SLOWEST, pace * 1.2);
  } else if (answer.redirected) {
    location.assign(answer.url);
    return false;
  } else if (answer.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    find();
    const complete = renewAll(fresh);
    if (complete) mark = fresh.body.dataset.liveMark;
    pace = complete ? 1 : SLOWEST;
  } else if (answer.status >= 500 || answer.status === 429) {
    lose();
  } else {
    if (answer.status === 401 && (await answer.json()).ended) await forgetEverything();
    end(answer.status);
    return false;
  }
  return true;
}

/** Renew what the server says otherwise now; false when a part must wait, since somebody writes in it or it is at work. */
function renewAll(fresh) {
  const news = [];
  let complete = true;
  for (const part of document.querySelectorAll("[data-live]")) {
    const twin = fresh.getElementById(part.id);
    const said = twin && saidIn(twin);
    if (said === known.get(part.id)) continue;
    if (part.ariaBusy === "true" || isTyped(part)) {
      complete = false;
      continue;
    }
    if (!twin) return location.reload(); // another page by now
    known.set(part.id, said);
    news.push(...renew(part, twin));
  }
  if (news.length) {
    say(news.join(word.dataset.gap));
    word.classList.add("unseen");
  }
  return complete;
}

function renew(part, twin) {
  const before = new Set(textsOf(part));
  morph(part, twin);
  part.dispatchEvent(new Event("renewed", { bubbles: true }));
  for (const each of part.querySelectorAll("[data-say]")) each.classList.toggle("is-new", !before.has(textOf(each)));
  return textsOf(part).filter((text) => !before.has(text));
}

const textOf = (element) => element.textContent.replace(/\s+/g, " ").trim();
const textsOf = (part) => [...part.querySelectorAll("[data-say]")].map(textOf);

/** A part as the server wrote it, without what differs in every answer. */
function saidIn(part) {
  const copy = part.cloneNode(true);
  for (const each of copy.querySelectorAll("input[type=hidden]")) each.remove();
  return copy.outerHTML;
}

function say(text) {
  word.classList.remove("unseen");
  word.textContent = text;
}

function lose() {
  pace = Math.min(SLOWEST, pace * 2);
  if (lostSince) return;
  lostSince = heardAt;
  const time = heardAt.toLocaleTimeString("sv-SE", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
  say(word.dataset.lost.replace("{time}", time));
}

/** Heard from the server again. */
function find() {
  heardAt = new Date();
  if (!lostSince) return;
  lostSince = undefined;
  say(word.dataset.back);
  word.classList.add("unseen");
}

/** Signed out, or what the page is about is there no more: it stands still and says so. */
function end(status) {
  say(status === 401 ? word.dataset.ended : word.dataset.gone);
  const again = document.createElement("a");
  again.href = location.href;
  again.textContent = word.dataset.again;
  word.append(" ", again);
}
