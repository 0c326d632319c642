// Signing out, on every page of staff. The pages of the round go with whoever leaves; notes that have not arrived stay on
// the phone for whoever wrote them: that is said first, and the platform asked not to have the browser wipe them.
import { CACHE, keptNotes } from "./field_notes.js";

for (const form of document.querySelectorAll("[data-leave]")) form.addEventListener("submit", (event) => leave(event, form));

async function leave(event, form) {
  event.preventDefault();
  await caches.delete(CACHE).catch(() => {}); // no caches: nothing of the round is kept
  const notes = await keptNotes().catch(() => []);
  if (notes.length && !form.querySelector("[name=keep]")) return warn(form);
  form.submit();
}

function warn(form) {
  const keep = Object.assign(document.createElement("input"), { type: "hidden", name: "keep", value: "notes" });
  const words = Object.assign(document.createElement("p"), { className: "note", textContent: form.dataset.warning });
  words.setAttribute("role", "alert");
  form.append(keep, words);
}
