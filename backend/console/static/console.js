// The console's few lines of behaviour: idle lock, parts that renew themselves, keys to go through a queue, printing.
// Everything works without it; the server keeps the idle time by itself.

const idleSeconds = Number(document.body.dataset.idleSeconds || 0);
if (idleSeconds > 0) {
  let timer;
  const lock = () => location.assign("/sign-in?ended=idle&next=" + encodeURIComponent(location.pathname));
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(lock, idleSeconds * 1000);
  };
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, restart, { passive: true });
  restart();
}

for (const part of document.querySelectorAll("[data-live]")) {
  const renew = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(part.dataset.live, { headers: { "X-Anju-Live": "1" }, cache: "no-store" });
      if (answer.status === 401) location.reload();
      if (answer.ok) part.innerHTML = await answer.text();
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

const summary = document.querySelector(".summary");
if (summary) summary.focus();

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (sending) => {
    if (form.dataset.sent) sending.preventDefault();
    form.dataset.sent = "yes";
  });
}
