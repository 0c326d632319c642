// The tenant's page side by side: this phone's key as a QR code or at the lock, then the key that was issued for it.
import { forgetHome, keepHome, keepReceiver, keptHomes, keptReceivers } from "./kept.js";
import { keepPages } from "./keep_pages.js";
import { offerNear } from "./near_button.js";
import { atLock, isPossible, leaveAt, takeFrom } from "./near_link.js";
import { settled } from "./owner.js";
import { publicJwk } from "./phone_key.js";
import { drawQr } from "./qr_code.js";
import { asItem, checkDigits, fromItem, handed, linkTo, readIssued, tell } from "./side_by_side.js";

const page = document.querySelector("[data-side-receive]");
const part = (name) => page.querySelector(`[data-${name}]`);
const words = page.dataset;

await settled;
if (words.account && navigator.onLine) await prepare(words.account);
const receivers = await keptReceivers().catch(() => []);
const me = words.account ? receivers.find((each) => each.account === words.account) : receivers.at(-1);
if (!me) part("none").hidden = false;
else await show();

/** While there is a network: the phone's key, and the platform's word on who holds it, once the identity is settled. */
async function prepare(account) {
  const phone_jwk = JSON.stringify(await publicJwk(account));
  const said = await tell(words.activation, { phone_jwk });
  const known = (await keptReceivers()).find((each) => each.account === account);
  if (said?.activation) await keepReceiver({ account, activation: said.activation });
  else if (!known) await keepReceiver({ account });
}

async function show() {
  const own = await publicJwk(me.account);
  part("qr").replaceChildren(drawQr(linkTo(words.issue, "k", [own.x, own.y]), words.qrWords));
  part("digits").textContent = await checkDigits(own);
  part("own").hidden = false;
  part("unknown").hidden = Boolean(me.activation);
  if (isPossible()) offerBox(own);
  addEventListener("hashchange", () => readAddress(own));
  addEventListener("online", tellPlatform);
  await readAddress(own);
  await list();
  await tellPlatform();
  await keepPages({ worker: words.worker, pages: [location.pathname], cache: "anju-receive" }).catch(() => {});
}

async function readAddress(own) {
  const [kind, parts] = handed();
  if (kind === "g") await take(parts, own);
}

async function take(parts, own) {
  const home = await readIssued(parts, own);
  const isGood = home !== undefined && Date.parse(home.expires_at) > Date.now();
  part("wrong").hidden = isGood;
  if (!isGood) return;
  await keepHome({ ...home, account: me.account, received: true });
  history.replaceState(null, "", location.pathname); // what opens a door does not stay in the address
  await list();
  await tellPlatform();
}

async function received() {
  return (await keptHomes()).filter((home) => home.received && home.account === me.account);
}

async function list() {
  part("received").replaceChildren();
  for (const home of await received()) {
    if (Date.parse(home.expires_at) <= Date.now()) {
      await forgetHome(home.id);
      continue;
    }
    const fresh = { ...home, activation: me.activation };
    await keepHome(fresh); // so that the offline page has the platform's word too
    const card = document.querySelector("[data-home]").content.cloneNode(true).firstElementChild;
    card.dataset.lease = home.id;
    card.querySelector("[data-unit]").textContent = home.unit;
    card.querySelector("[data-told]").textContent = home.told ? words.adopted : words.waiting;
    part("received").append(card);
    if (me.activation) offerNear(card, fresh, document.querySelector("[data-near-words]").dataset);
  }
}

async function tellPlatform() {
  if (!navigator.onLine) return;
  for (const home of await received()) {
    if (home.told) continue;
    const { credential, delegate } = home.doors[0];
    const said = await tell(`/t/leases/${home.id}/issued-key`, { credential, delegate });
    if (!said) continue;
    const line = page.querySelector(`[data-lease="${home.id}"] [data-told]`);
    if (said.refused) line.textContent = `${words.refused}${said.refused.sentence} ${said.refused.remedy}`;
    else {
      await keepHome({ ...home, activation: me.activation, told: true });
      line.textContent = words.adopted;
    }
  }
}

/** Through the lock: this phone's key goes into a box, what the landlord's phone puts there comes out of it. */
function offerBox(own) {
  part("near").hidden = false;
  const box = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1e6).padStart(6, "0");
  part("box").textContent = box;
  part("leave").addEventListener("click", async () => {
    const said = await atLock((line) => leaveAt(line, box, asItem([own.x, own.y])), sayFar);
    if (said) say(said.state === "kept" ? words.left : words.full);
  });
  part("take").addEventListener("click", async () => {
    const said = await atLock((line) => takeFrom(line, box), sayFar);
    if (said?.state === "given") await take(fromItem(said.item), own);
    if (said) say(said.state === "given" ? "" : words.nothing);
  });
}

function sayFar() {
  say(words.far);
}

function say(sentence) {
  part("near-word").textContent = sentence;
}
