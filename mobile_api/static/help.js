// A request for help: one tap, then five seconds in which it can be taken back; without a network it says so at once.
const form = document.querySelector("[data-help]");
const dialog = form?.closest("dialog");
const word = form?.querySelector("[data-help-word]");
const send = form?.querySelector("[data-help-send]");
const status = form?.querySelector("[data-help-status]");
const cancel = form?.querySelector("[data-help-cancel]");
const face = send?.querySelector("span");
const words = face?.textContent;
let left = 0;
let timer;

for (const opener of document.querySelectorAll("[data-help-open]")) {
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
    begin();
  });
}
dialog?.addEventListener("close", stop); // Escape takes it back too

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  if (send.disabled) return;
  if (left > 0) go();
  else begin();
});
cancel?.addEventListener("click", () => {
  stop();
  status.textContent = form.dataset.takenBack;
  dialog?.close();
});

function begin() {
  if (!navigator.onLine) return say(form.dataset.offline);
  say("");
  left = Number(form.dataset.seconds);
  cancel.hidden = false;
  status.textContent = form.dataset.begun.replace("{n}", left);
  tick();
}

function tick() {
  if (left === 0) return void go();
  face.textContent = form.dataset.counting.replace("{n}", left);
  timer = setTimeout(() => ((left -= 1), tick()), 1000);
}

function stop() {
  clearTimeout(timer);
  left = 0;
  send.disabled = false;
  face.textContent = words;
  if (!dialog) cancel.hidden = true;
}

async function go() {
  clearTimeout(timer);
  send.disabled = true;
  face.textContent = form.dataset.sending;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    const body = await answer.json();
    if (answer.ok) return location.assign(body.page);
    say(`${body.sentence} ${body.remedy}`);
  } catch {
    say(navigator.onLine ? form.dataset.lost : form.dataset.offline);
  }
  stop(); // the same request may be tried again: its once-id makes it one
}

function say(sentence) {
  word.textContent = sentence;
  word.hidden = sentence === "";
}
