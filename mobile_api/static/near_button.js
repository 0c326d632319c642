// The button "open over Bluetooth": works with what this phone has kept, with a server or without.
import { dayInWords } from "./days.js";
import { runErrand, wordFor } from "./errands.js";
import { Rejected } from "./jws.js";
import { findKey } from "./kept.js";
import { NearLine, NotReached, isPossible, openNear } from "./near_link.js";

const TIME_PATIENCE_MS = 3000; // the lock's nonce lives ten seconds
const offered = new WeakMap(); // the home a button opens
const devices = new Map(); // chosen once while the page lives
let behind; // the errand that goes on behind the last opening, and its line

/** Offer the button inside `place` for a kept home; its words stand in the page. */
export function offerNear(place, home, words) {
  const button = place.querySelector("[data-near-open]");
  const word = place.querySelector("[data-key-word]");
  const until = place.querySelector("[data-near-until]");
  until.textContent = words.until.replace("{day}", dayInWords(new Date(home.expires_at)));
  until.hidden = false;
  if (!isPossible()) return;
  button.hidden = false;
  const isNew = !offered.has(button);
  offered.set(button, home);
  if (!isNew) return;
  let busy = false;
  button.addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    button.dataset.result = "";
    word.textContent = words.connecting;
    const result = await open(offered.get(button)).catch((error) => reasonOf(error));
    word.textContent = words[result];
    button.dataset.result = result;
    busy = false;
  });
}

/** The key opens nothing any more: neither the button nor its day stays. */
export function withdrawNear(place) {
  for (const each of place.querySelectorAll("[data-near-open], [data-near-until]")) each.hidden = true;
}

async function open(home) {
  behind?.line.close(); // it gives way
  await behind?.errand;
  behind = undefined;
  const pair = await findKey(home.account);
  if (!pair) throw new NotReached("other_phone");
  if (!devices.has(home.id)) devices.set(home.id, await NearLine.choose());
  const { account, activation, doors: [door], report_url: url } = home;
  const ack = await wordFor(door.lock_id);
  const line = await NearLine.reach(devices.get(home.id));
  let result;
  try {
    result = await openNear(line, { door, activation, pair, ack, fetchTime: (nonce) => timeFor(home, door, nonce) });
  } finally {
    if (result === "opened" && url) behind = { line, errand: runErrand(line, { lock: door.lock_id, url, account }) };
    else line.close();
  }
  return result;
}

function reasonOf(error) {
  if (error instanceof NotReached) {
    if (error.message === "wrong_lock") devices.clear();
    return error.message;
  }
  return error instanceof Rejected ? "fault" : "far";
}

async function timeFor(home, door, nonce) {
  if (!home.time_url) return undefined; // a key the platform does not know yet
  const body = new FormData();
  body.set("csrf_token", document.querySelector("[name=csrf_token]").value);
  body.set("lock_id", door.lock_id);
  body.set("nonce", nonce);
  try {
    const signal = AbortSignal.timeout(TIME_PATIENCE_MS);
    const answer = await fetch(home.time_url, { method: "POST", body, signal, headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).time : undefined;
  } catch {
    return undefined; // no network: the lock decides without
  }
}
