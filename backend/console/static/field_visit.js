// One visit: what came of it is kept on the phone first and sent at once where there is a network.
import { keepNote, keptNotes, sendNotes } from "./field_notes.js";

const form = document.querySelector("[data-note]");
if (form) {
  form.addEventListener("submit", note);
  form.addEventListener("change", askForNumbers);
  askForNumbers();
  if ((await keptNotes()).some((kept) => kept.visit === form.dataset.visit && !kept.refused)) showNoted();
}

/** Where people were counted both numbers are asked for; where nobody was met there are none. */
function askForNumbers() {
  const counts = form.querySelector("[name=outcome]:checked")?.dataset.counts;
  const none = counts === "no" || counts === "zero";
  form.querySelector("[data-count]").hidden = none;
  const numbers = [form.adults, form.children];
  for (const field of numbers) {
    if (none) field.value = "";
    field.required = counts === "must" || (!none && numbers.some((each) => each.value));
  }
}

async function note(event) {
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dispatchEvent(new Event("anju:sending", { bubbles: true }));
  const said = Object.fromEntries(new FormData(form));
  delete said.csrf_token;
  const { visit, place } = form.dataset;
  const { home, officer, badge } = document.body.dataset;
  const made = { note_id: crypto.randomUUID(), visited_at: new Date().toISOString(), visit, place, officer, badge };
  await keepNote({ ...said, ...made });
  if ((await sendNotes(home)) === "offline") return showNoted();
  const isLeft = (await keptNotes()).some((kept) => kept.visit === visit);
  location.assign(isLeft ? home : `${home}?noted=1`);
}

function showNoted() {
  form.dispatchEvent(new Event("anju:free", { bubbles: true }));
  form.hidden = true;
  document.querySelector("[data-noted]").hidden = false;
  document.querySelector("[data-noted]").scrollIntoView();
}
