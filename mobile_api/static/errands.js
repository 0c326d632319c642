// What the phone does for a lock without network: it carries the lock's sealed events to the platform, and the word back.
import { findErrand, keepErrand, keptErrands } from "./kept.js";
import { collect } from "./near_link.js";

const ITEMS_A_VISIT = 2; // a few seconds of Bluetooth, while the person goes in
const WORTHLESS = ["not_found", "key.not_active", "courier.item"]; // the lock still has what was in them

/** The platform's word that is to be carried to a lock, if there is one. */
export const wordFor = (lock) => findErrand(lock).then((errand) => errand?.ack, () => undefined);

/**
 * After an opening, on the same line: collect what the lock has, and bring it at once if there is a network.
 *
 * The lock has taken the word that was carried, and gives everything again that is not known to be stored; so what was
 * kept of it before is replaced. Ends when the line is closed, never fails, and does not wait for the network.
 */
export async function runErrand(line, { lock, url, account }) {
  try {
    await keepErrand({ lock, url, account, items: await collect(line, ITEMS_A_VISIT) });
  } catch {
    return; // gone out of reach, or an older lock: what was kept before is kept
  } finally {
    line.close();
  }
  bringErrands();
}

/** Bring what is kept; what cannot be brought now is for the next time. */
export async function bringErrands() {
  if (!navigator.onLine) return;
  for (const errand of await keptErrands().catch(() => [])) {
    if (errand.items.length) await bring(errand).catch(() => {});
  }
}

async function bring({ lock, url, account, items }) {
  const body = new FormData();
  body.set("csrf_token", document.querySelector("[name=csrf_token]").value);
  body.set("lock_id", lock);
  for (const item of items) body.append("items", item);
  const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
  const { ack, code } = await answer.json();
  if (answer.ok) await keepErrand({ lock, url, account, items: [], ack });
  else if (WORTHLESS.includes(code)) await keepErrand({ lock, url, account, items: [] });
}
