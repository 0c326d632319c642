// The public check of a receipt: pasted, scanned or come with the address behind #, judged here and sent nowhere.
import { codeIn, codeReader, filmCode } from "/assets/qr_camera.js";
import { keepPages } from "./keep_pages.js";
import { checkReceipt } from "./receipt_check.js";

const form = document.querySelector("[data-check]");
const field = form.querySelector("#text");
const place = document.querySelector("[data-verdict]");
const words = document.querySelector("[data-words]").dataset;
const group = {
  wrong_kind: "other", wrong_header: "other", wrong_algorithm: "other", bad_claim: "content", missing_claim: "content",
  bad_signature: "changed", malformed: "changed", too_large: "changed",
};

form.addEventListener("submit", (event) => {
  if (!field.value.trim()) return; // the server's words for an empty field
  event.preventDefault();
  judge(field.value);
});
addEventListener("hashchange", ofAddress);
ofAddress();
offerScanning();
if (navigator.serviceWorker) keepPages({ worker: form.dataset.worker, pages: [location.pathname], also: [form.dataset.keys], cache: "anju-receipts" }).catch(() => {}); // without a network later: as far as this browser can

/** The receipt behind # stays in this browser; afterwards it is in the field and no longer in the address. */
function ofAddress() {
  if (location.hash.length < 2) return;
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  judge(field.value);
}

async function judge(text) {
  const jwks = await fetch(form.dataset.keys).then((answer) => answer.json()).catch(() => null);
  const verdict = await checkReceipt(text, jwks);
  const { valid, reason } = verdict;
  const shape = document.querySelector(valid ? "[data-genuine]" : `[data-reason="${group[reason] ?? reason}"]`);
  const shown = shape.content.cloneNode(true);
  if (valid) fill(shown, verdict);
  place.replaceChildren(shown);
  place.querySelector("[data-focus]").focus();
}

function fill(card, { number, op, leg, version, declared_at, accepted_at }) {
  const say = (name, text) => (card.querySelector(`[data-${name}]`).textContent = text);
  say("number", number);
  say("matter", words[op.toLowerCase()] + words[leg.toLowerCase()]);
  say("version", version);
  say("declared", moment(declared_at));
  say("accepted", moment(accepted_at));
}

function moment(text) {
  const form = { dateStyle: "long", timeStyle: "short", timeZone: "Asia/Shanghai" };
  return new Date(text).toLocaleString(document.documentElement.lang, form);
}

function offerScanning() {
  const reader = codeReader();
  if (!reader) return;
  const scan = form.querySelector("[data-scan]");
  const picture = form.querySelector("[data-picture]");
  form.querySelector("[data-picture-field]").hidden = false;
  picture.addEventListener("change", async () => {
    if (picture.files.length) take(await codeIn(reader, await createImageBitmap(picture.files[0])));
  });
  scan.hidden = !navigator.mediaDevices;
  scan.addEventListener("click", () =>
    filmCode(reader, form.querySelector("[data-video]")).then(take, () => show("[data-no-camera]", true)));
}

function take(text) {
  show("[data-no-code]", !text);
  if (!text) return;
  field.value = text;
  judge(text);
}

function show(name, yes) {
  form.querySelector(name).hidden = !yes;
}
