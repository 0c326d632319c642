// Accepting an invitation: the phone's public key goes with the form.
import { publicJwk } from "./phone_key.js";

const form = document.querySelector("[data-accept]");
form?.addEventListener("submit", async (event) => {
  const key = form.elements.phone_jwk;
  if (key.value) return;
  event.preventDefault();
  try {
    key.value = JSON.stringify(await publicJwk(form.dataset.accept));
    form.requestSubmit();
  } catch {
    form.querySelector("[data-accept-fault]").hidden = false;
  }
});
