// Every page of the round: finds out whether the platform can be reached, sends what waits, and locks a page that names
// somebody. What the browser believes about its network is not enough: behind a wall it says "online" and reaches nobody.
import { sendNotes } from "./field_notes.js";

const PATIENCE_MS = 6000;
const AGAIN_MS = 10_000;
const { home, idleSeconds } = document.body.dataset;
let isTrying = false;

async function tryNetwork() {
  if (isTrying || document.hidden) return;
  isTrying = true;
  const isReached = await reach();
  showNetwork(isReached);
  const how = isReached ? await sendNotes(home) : "offline";
  dispatchEvent(new CustomEvent("anju-tried", { detail: how }));
  isTrying = false;
}

function reach() {
  const asked = fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  return asked.then(({ ok }) => ok, () => false);
}

function showNetwork(isReached) {
  document.body.dataset.network = isReached ? "here" : "away";
  document.querySelector("[data-offline]").hidden = isReached;
  for (const part of document.querySelectorAll("[data-network]:not(body)")) {
    if (part.matches("input")) part.disabled = !isReached;
    else part.hidden = !isReached;
  }
  for (const part of document.querySelectorAll("[data-needs-network]")) part.hidden = isReached;
}

for (const sign of ["online", "offline"]) addEventListener(sign, tryNetwork);
setInterval(() => document.body.dataset.network === "away" && tryNetwork(), AGAIN_MS);
tryNetwork();

if (idleSeconds) {
  let timer;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => location.replace("/sign-in?ended=idle"), idleSeconds * 1000);
  };
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, restart, { passive: true });
  restart();
}
