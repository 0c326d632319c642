// Every page of the round: says when there is no network, sends what waits, and locks a page that names somebody.
import { CACHE, sendNotes } from "./field_notes.js";

const { home, idleSeconds } = document.body.dataset;

function showNetwork() {
  document.querySelector("[data-offline]").hidden = navigator.onLine;
  for (const part of document.querySelectorAll("[data-network]")) {
    if (part.matches("input")) part.disabled = !navigator.onLine;
    else part.hidden = !navigator.onLine;
  }
  for (const part of document.querySelectorAll("[data-needs-network]")) part.hidden = navigator.onLine;
}

async function send() {
  showNetwork();
  if (!navigator.onLine) return;
  const how = await sendNotes(home);
  dispatchEvent(new CustomEvent("anju-sent", { detail: how }));
}

addEventListener("online", send);
addEventListener("offline", showNetwork);
send();

if (idleSeconds) {
  let timer;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => location.replace("/sign-in?ended=idle"), idleSeconds * 1000);
  };
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, restart, { passive: true });
  restart();
}

document.querySelector("[data-leave]").addEventListener("submit", () => caches.delete(CACHE));
document.querySelector(".summary")?.focus();
