// The landlord's page without a network: which room, whose phone, then the key as a QR code or through the lock.
import { momentInWords } from "./days.js";
import { findKey, forgetIssue, forgetKit, keepIssue, keptIssues, keptKits } from "./kept.js";
import { atLock, isPossible, leaveAt, takeFrom } from "./near_link.js";
import { settled } from "./owner.js";
import { drawQr } from "./qr_code.js";
import { asItem, checkDigits, fromItem, handed, issue, linkTo, readHolder, tell } from "./side_by_side.js";

const page = document.querySelector("[data-side-issue]");
const part = (name) => page.querySelector(`[data-${name}]`);
const words = page.dataset;
let holder; // the public key of the tenant's phone
let box; // the lock's box it came from, if it came that way

await settled;
const kits = await unexpired();
part(kits.length ? "some" : "none").hidden = false;
for (const kit of kits) part("kits").append(choiceOf(kit));
if (kits.length === 1) page.querySelector("[name=kit]").checked = true;
if (isPossible()) part("near").hidden = false;
page.addEventListener("change", ready);
part("take").addEventListener("click", takeHolder);
part("issue").addEventListener("click", giveKey);
addEventListener("hashchange", readAddress);
addEventListener("online", tellPlatform);
await readAddress();
await tellPlatform();

async function unexpired() {
  const found = await keptKits().catch(() => []);
  const [living, over] = [found.filter(isLiving), found.filter((kit) => !isLiving(kit))];
  for (const kit of over) await forgetKit(kit.lease);
  return living;
}

function isLiving(kit) {
  return Date.parse(kit.expires_at) > Date.now();
}

function choiceOf(kit) {
  const made = document.querySelector("[data-kit]").content.cloneNode(true).firstElementChild;
  made.querySelector("input").value = kit.lease;
  made.querySelector("[data-unit]").textContent = kit.unit;
  made.querySelector("[data-alias]").textContent = kit.alias;
  return made;
}

function chosen() {
  return kits.find((kit) => kit.lease === page.querySelector("[name=kit]:checked")?.value);
}

function ready() {
  part("issue").disabled = !(holder && chosen());
}

async function readAddress() {
  const [kind, parts] = handed();
  if (kind === "k") await holdOut(readHolder(parts));
}

async function holdOut(found) {
  if (!found) return false;
  holder = found;
  part("digits").textContent = await checkDigits(found);
  part("holder").hidden = false;
  part("holder-missing").hidden = true;
  part("issued").hidden = true;
  ready();
  return true;
}

async function takeHolder() {
  const typed = page.querySelector("#box").value.trim();
  if (!/^\d{6}$/.test(typed)) {
    say("near-word", words.box);
    return;
  }
  const item = await atLock((line) => takeFrom(line, typed), sayFar);
  if (item === undefined) return;
  const taken = item.state === "given" && (await holdOut(readHolder(fromItem(item.item))));
  if (taken) box = typed;
  say("near-word", taken ? words.took : words.nothing);
}

function sayFar() {
  say("near-word", words.far);
}

function say(name, sentence) {
  part(name).textContent = sentence;
}

async function giveKey() {
  const kit = chosen();
  try {
    const parts = await issue(kit, await findKey(kit.account), holder);
    await keepIssue({ account: kit.account, lease: kit.lease, url: kit.adopt_url, credential: parts[0], delegate: parts[1] });
    part("qr").replaceChildren(drawQr(linkTo(words.receive, "g", parts), words.qrWords));
    part("until").textContent = momentInWords(new Date(kit.expires_at));
    part("issued").hidden = false;
    part("issued").focus();
    say("issued-word", words.waiting);
    if (box) {
      const left = await atLock((line) => leaveAt(line, box, asItem(parts)), sayFar);
      if (left?.state === "kept") say("issued-word", words.left);
    }
  } catch {
    say("near-word", words.fault);
  }
  await tellPlatform();
}

async function tellPlatform() {
  if (!navigator.onLine) return;
  for (const { lease, url, credential, delegate } of await keptIssues().catch(() => [])) {
    const said = await tell(url, { credential, delegate });
    if (!said) continue;
    await forgetIssue(lease);
    say("issued-word", said.refused ? `${said.refused.sentence} ${said.refused.remedy}` : words.adopted);
  }
}
