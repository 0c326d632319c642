// Accepting an invitation: the phone's public key goes with the form.
import { publicJwk } from "./phone_key.js";

const form = document.querySelector("[data-accept]");
let sent = false;
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sent) return;
  sent = true;
  try {
    form.elements.phone_jwk.value = JSON.stringify(await publicJwk(form.dataset.accept));
    form.submit();
  } catch {
    sent = false;
    form.querySelector("[data-accept-fault]").hidden = false;
  }
});
window.addEventListener("pageshow", () => (sent = false));
