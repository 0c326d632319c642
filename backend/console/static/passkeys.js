// Passkeys: asks the server for a question, the device for its answer, and takes the answer back.

import { say, send } from "./calls.js";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const written = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function read(options) {
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const each of [...(options.excludeCredentials ?? []), ...(options.allowCredentials ?? [])]) each.id = bytes(each.id);
  return options;
}

function write({ id, rawId, type, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const said = parts.filter((name) => response[name]).map((name) => [name, written(response[name])]);
  return JSON.stringify({ id, rawId: written(rawId), type, response: Object.fromEntries(said), clientExtensionResults: {} });
}

async function ask(place) {
  const asked = await send(place.dataset.ask);
  if (asked.refused) return asked;
  const question = { publicKey: read(asked) };
  const made = place.dataset.passkey === "make";
  const credential = made ? await navigator.credentials.create(question) : await navigator.credentials.get(question);
  const label = document.getElementById(place.dataset.label ?? "")?.value ?? "";
  return send(place.dataset.answer, { credential: write(credential), label, next: place.dataset.next ?? "" });
}

function goOn(place, { next }) {
  const kind = place.dataset.passkey;
  if (kind === "screen") place.closest("dialog").dispatchEvent(new Event("anju:shown"));
  else if (kind === "again") place.closest("form").submit();
  else if (kind !== "screen-page") location.assign(next);
  else if (document.querySelector("form[data-resume]")) document.querySelector("form[data-resume]").submit();
  else location.assign(place.dataset.next);
}

async function press(place) {
  const button = place.querySelector("button");
  const fault = place.querySelector(".fault");
  button.disabled = true;
  say(fault, null);
  try {
    const answer = await ask(place);
    if (answer.refused) say(fault, answer.refused);
    else goOn(place, answer);
  } catch (error) {
    // "NotAllowedError": the person has closed the device's window, which needs no words of ours
    if (error.name === "InvalidStateError") location.reload();
    else if (error.name !== "NotAllowedError") throw error;
  } finally {
    button.disabled = false;
  }
}

if (window.PublicKeyCredential) {
  for (const place of document.querySelectorAll("[data-passkey]")) {
    if (place.dataset.origin !== location.origin) continue;
    place.hidden = false;
    place.closest("[data-needs-passkey]")?.removeAttribute("hidden");
    place.querySelector("button").addEventListener("click", () => press(place));
  }
}
