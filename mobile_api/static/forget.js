// Signing out: first everything is forgotten that this browser kept for a door, then the form is sent.
import { forgetEverything } from "./kept.js";

const form = document.querySelector("[data-forget]");
let forgotten = false;
form?.addEventListener("submit", async (event) => {
  if (forgotten) return;
  event.preventDefault();
  await forgetEverything();
  forgotten = true;
  form.requestSubmit();
});
