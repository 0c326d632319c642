// Signing out: first everything is forgotten that this browser kept for a door, then the form is sent.
import { forgetErrands, forgetHomes, forgetSides } from "./kept.js";

const form = document.querySelector("[data-forget]");
let forgotten = false;
form?.addEventListener("submit", async (event) => {
  if (forgotten) return;
  event.preventDefault();
  await Promise.allSettled([forgetHomes(), forgetErrands(), forgetSides(), caches.delete("anju-offline"), caches.delete("anju-side")]);
  forgotten = true;
  form.requestSubmit();
});
