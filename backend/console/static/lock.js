// The screen locks when nobody is there, on every open page of the session; opening it leaves the page as it was.
// The server keeps the same time by itself: these lines hide what is on the screen, and keep what was typed.

import { say, send } from "./calls.js";

const STAY_SECONDS = 20; // how often somebody who types without asking for a page is noted
const WARNED_SECONDS = 60; // the server's clock may be 40 s ahead of what is noted, so that 20 s are left to go on
const idle = Number(document.body.dataset.idleSeconds) * 1000;
const dialog = document.getElementById("lock");
const form = dialog.querySelector("[data-open-screen]");
const soon = document.querySelector("[data-lock-soon]");
const fault = form.querySelector(".fault");
const others = new BroadcastChannel("anju-screen");
let seenAt = Date.now();
let notedAt = seenAt;

function hide() {
  if (dialog.open) return;
  soon.hidden = true;
  document.body.classList.add("locked");
  dialog.showModal();
}

function open() {
  seenAt = notedAt = Date.now();
  document.body.classList.remove("locked");
  form.reset();
  say(fault, null);
  dialog.close();
}

async function lock() {
  hide();
  others.postMessage("lock");
  try {
    await send("/screen/lock");
  } catch {
    // the server is away: it locks by itself when its time is over
  }
}

function present() {
  if (dialog.open) return;
  seenAt = Date.now();
  soon.hidden = true;
  others.postMessage("present");
  if (seenAt - notedAt < STAY_SECONDS * 1000) return;
  notedAt = seenAt;
  send("/screen/stay").then(({ refused }) => refused && hide(), () => {});
}

for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, present, { passive: true });
// A look each second, not one long timer: a machine that was asleep locks when it wakes.
setInterval(() => {
  const alone = Date.now() - seenAt;
  if (dialog.open) return;
  if (alone > idle) lock();
  else soon.hidden = alone < idle - Math.min(WARNED_SECONDS * 1000, idle / 2);
}, 1000);

others.addEventListener("message", ({ data }) => {
  if (data === "lock") hide();
  if (data === "open" && dialog.open) open();
  if (data === "present") seenAt = Date.now();
});
document.addEventListener("anju:locked", hide);
document.querySelector("[data-lock]")?.addEventListener("submit", (sending) => {
  sending.preventDefault();
  lock();
});
dialog.addEventListener("cancel", (pressed) => pressed.preventDefault());
dialog.addEventListener("anju:shown", () => {
  open();
  others.postMessage("open");
});
form.addEventListener("submit", async (sending) => {
  sending.preventDefault();
  try {
    const { refused } = await send(form.getAttribute("action"), { password: form.elements.password.value });
    if (refused?.code === "unauthenticated") location.assign("/sign-in?ended=over&next=" + encodeURIComponent(location.pathname + location.search));
    else if (refused) {
      say(fault, refused);
      form.elements.password.select();
    } else dialog.dispatchEvent(new Event("anju:shown"));
  } catch {
    location.reload();
  }
});

// The task's time, in the strip: when it is over nothing about a person stays on the screen, unless a form is being filled.
const left = document.querySelector("[data-until]");
if (left) {
  const ends = Date.now() + (Date.parse(left.dataset.until) - Date.parse(left.dataset.now));
  let filling = false;
  addEventListener("input", (typed) => (filling ||= typed.target.closest("main form") !== null));
  setInterval(() => {
    const minutes = Math.ceil((ends - Date.now()) / 60000);
    left.textContent = left.dataset.words.replace("{n}", Math.max(0, minutes));
    if (Date.now() >= ends && !filling && !dialog.open) location.reload();
  }, 15000);
}
