// What every page can use: focus, countdown, copy, share, print, parts that follow, the switches, and whose things are kept.
import "./live.js";
import "./owner.js";
import "./switches.js";

for (const place of document.querySelectorAll("[data-focus]")) place.focus();

for (const button of document.querySelectorAll("[data-countdown]")) {
  const words = button.textContent;
  let left = Number(button.dataset.countdown);
  const tick = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.countdownWords.replace("{n}", left) : words;
    if (left-- > 0) setTimeout(tick, 1000);
  };
  tick();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
    button.querySelector("span").textContent = button.dataset.copied;
  });
}

for (const button of document.querySelectorAll("[data-share]")) {
  if (!navigator.share) continue;
  button.hidden = false;
  button.addEventListener("click", () =>
    navigator.share({ title: button.dataset.shareTitle, url: button.dataset.share }).catch(() => {}));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
