// Signing out: first everything is forgotten that this browser kept for a door, then the form is sent.
import { forgetErrands, forgetHomes } from "./kept.js";

const form = document.querySelector("[data-forget]");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  await Promise.allSettled([forgetHomes(), forgetErrands(), caches.delete("anju-offline")]);
  form.submit();
});
