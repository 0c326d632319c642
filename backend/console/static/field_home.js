// Today's round: kept for the time without a network, doors opened by their code, notes that still wait.
import { codeReader, filmCode } from "/assets/qr_camera.js";
import { CACHE, dropNote, isOf, keptNotes } from "./field_notes.js";

const { worker, home, offlinePage, officer } = document.body.dataset;
const TO_KEEP = { cache: "no-cache", headers: { "X-Anju-Keep": "1" } }; // never out of an older cache
const waiting = document.querySelector("[data-waiting]");
const door = document.querySelector("[data-door]");
const show = (name, yes) => (document.querySelector(name).hidden = !yes);

addEventListener("anju-tried", ({ detail }) => list(detail));
list("offline");
keepRound().then((isKept) => document.querySelector("[data-round-kept]")?.toggleAttribute("hidden", !isKept), () => {});
offerScanning();
door.addEventListener("submit", (event) => {
  event.preventDefault();
  open(door.number.value);
});

async function list(how) {
  const notes = await keptNotes();
  const had = !waiting.hidden;
  waiting.hidden = !notes.length;
  if (had && !notes.length && how === "sent") show("[data-sent]", true);
  if (how === "signed-out") waiting.querySelector("[data-why]").textContent = waiting.dataset.signIn;
  waiting.querySelector("[data-notes]").replaceChildren(...notes.map(line));
  const kept = new Set(notes.map((note) => note.visit));
  for (const stop of document.querySelectorAll("[data-visit]")) stop.querySelector("[data-kept]").hidden = !kept.has(stop.dataset.visit);
}

function line(note) {
  const shown = waiting.querySelector("[data-note]").content.cloneNode(true).firstElementChild;
  const part = (name) => shown.querySelector(`[data-${name}]`);
  const isMine = isOf(note, officer);
  const why = isMine && (note.refused ?? note.held);
  part("place").textContent = note.place;
  part("state").textContent = isMine && note.refused ? waiting.dataset.failed : waiting.dataset.one;
  part("state").classList.add(isMine && note.refused ? "state-bad" : "state-going");
  part("said").textContent = why ? `${why.sentence} ${why.remedy}` : isMine ? "" : waiting.dataset.theirs.replace("{badge}", note.badge);
  part("drop").hidden = !why;
  part("drop").addEventListener("click", async () => {
    await dropNote(note);
    list("offline");
  });
  return shown;
}

/** The round, its visits and all they are made of; what is no longer on the round goes. True when all of it is kept. */
async function keepRound() {
  if (!navigator.serviceWorker) return false;
  await navigator.serviceWorker.register(worker);
  const [kept, parts] = [new Set(), new Set()];
  const cache = await caches.open(CACHE);
  for (const page of [home, offlinePage, ...[...document.querySelectorAll("[data-keep]")].map((stop) => stop.href)]) {
    const answer = await fetch(page, { ...TO_KEEP, cache: "no-store" });
    if (!answer.ok || answer.redirected) return false; // signed out meanwhile: nothing of that is kept
    const address = new URL(page, location.href).href;
    const text = await answer.clone().text();
    await cache.put(address, answer);
    kept.add(address);
    const named = new DOMParser().parseFromString(text, "text/html").querySelectorAll("link[href], script[src]");
    for (const part of named) parts.add(new URL(part.getAttribute("href") ?? part.getAttribute("src"), location.href).href);
  }
  for (const part of ["./field_notes.js", "/assets/qr_camera.js"]) parts.add(new URL(part, import.meta.url).href);
  // What has its version in its address stays as it is; a module that others ask for is renewed with them.
  for (const address of parts) {
    if (!/[?]v=/.test(address) || !(await cache.match(address))) await cache.add(new Request(address, TO_KEEP));
  }
  for (const old of await cache.keys()) if (!kept.has(old.url) && !parts.has(old.url)) await cache.delete(old);
  return true;
}

/** Go to the visit of this door; without a network only to one of today's. */
function open(text) {
  const number = (text.match(/\/u\/([^/?#]+)/)?.[1] ?? text).trim().toUpperCase();
  const stop = [...document.querySelectorAll("[data-number]")].find((each) => each.dataset.number === number);
  const isAway = document.body.dataset.network === "away";
  show("[data-not-kept]", !stop && isAway);
  if (stop) location.assign(stop.href);
  else if (!isAway) location.assign(`${door.getAttribute("action")}?number=${encodeURIComponent(number)}`);
}

function offerScanning() {
  const reader = codeReader();
  if (!reader || !navigator.mediaDevices) return;
  show("[data-scan]", true);
  document.querySelector("[data-scan]").addEventListener("click", () => film(reader).catch(() => show("[data-no-camera]", true)));
}

async function film(reader) {
  const found = await filmCode(reader, document.querySelector("[data-video]"));
  show("[data-no-code]", !found);
  if (found) open(found);
}
