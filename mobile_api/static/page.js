// What every page can use: focus after an error, one submit only, countdown, copy, share, print, live pieces.

for (const place of document.querySelectorAll("[data-focus]")) place.focus();

// A form is sent once; coming back with the browser's "back" makes it usable again.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}

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

// A live piece is asked for again and again while the page is looked at; what has not changed is not touched. Once what
// it waits for (data-until) has come, the whole page is shown anew.
for (const piece of document.querySelectorAll("[data-live]")) {
  const again = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(piece.dataset.live, { cache: "no-cache" });
        if (answer.status === 401 || answer.status === 404) return;
        if (answer.ok) renew(piece, await answer.text());
        if (piece.dataset.until && piece.querySelector(piece.dataset.until)) return location.reload();
      } catch {
        // No network now: the next round tries again.
      }
    }
    setTimeout(again, Number(piece.dataset.every));
  };
  setTimeout(again, 500);
}

function renew(piece, text) {
  const fresh = document.createElement("div");
  fresh.innerHTML = text;
  if (fresh.innerHTML.trim() === piece.innerHTML.trim()) return;
  const inside = piece.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  piece.replaceChildren(...fresh.childNodes);
  if (inside) piece.querySelector(`[href="${CSS.escape(inside)}"]`)?.focus();
}
