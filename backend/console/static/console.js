// The console's few lines of behaviour: parts that renew themselves, keys to go through a queue, printing, one sending.
// Everything works without it.

for (const part of document.querySelectorAll("[data-live]")) {
  const renew = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(part.dataset.live, { headers: { "X-Anju-Live": "1" }, cache: "no-store" });
      if (answer.status === 401) document.dispatchEvent(new Event("anju:locked"));
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

for (const form of document.querySelectorAll("form[method=post]:not([data-open-screen])")) {
  form.addEventListener("submit", (sending) => {
    if (form.dataset.sent) sending.preventDefault();
    form.dataset.sent = "yes";
  });
}

// The rail may be longer than the screen: the place one is at stays in sight.
document.querySelector('.rail [aria-current]')?.scrollIntoView({ block: 'nearest' });
