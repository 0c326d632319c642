// The console's few lines of behaviour: parts that renew themselves, keys to go through a queue, printing.
// Everything works without it.

import { announce } from "./parts.js";

const saidOf = (part) => part.querySelector("[data-said]")?.textContent ?? "";

for (const part of document.querySelectorAll("[data-live]")) {
  const renew = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(part.dataset.live, { headers: { "X-Anju-Live": "1" }, cache: "no-store" });
      if (answer.status === 401) document.dispatchEvent(new Event("anju:locked"));
      if (!answer.ok) return;
      const before = saidOf(part);
      part.innerHTML = await answer.text();
      if (saidOf(part) !== before) announce(saidOf(part));
    } catch {
      // the server is away: the time shown stays old, and says so
    }
  };
  setInterval(renew, Number(part.dataset.every) * 1000);
}

addEventListener("keydown", (press) => {
  if (press.ctrlKey || press.metaKey || press.altKey) return;
  if (press.target.matches("input, select, textarea")) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(press.key)}"]`);
  if (wanted) {
    press.preventDefault();
    if (wanted.matches("input")) wanted.focus();
    else wanted.click();
  }
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// The rail may be longer than the screen: the place one is at stays in sight.
// The list itself is scrolled: from what is scrolled into view the first Tab would go on, past the link to the content.
const places = document.querySelector(".places");
const here = places?.querySelector("[aria-current]");
if (here) places.scrollTop = here.offsetTop - places.offsetTop + here.offsetHeight - places.clientHeight;
