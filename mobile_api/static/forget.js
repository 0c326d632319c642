// Signing out: first everything is forgotten that this browser kept for opening a door, then the form is sent.
import { forgetHomes } from "./kept.js";

const form = document.querySelector("[data-forget]");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  await Promise.allSettled([forgetHomes(), caches.delete("anju-offline")]);
  form.submit();
});
