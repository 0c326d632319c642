// Online, beforehand: this phone is named for a lease's key, and keeps the page and what it needs to issue it.
import { momentInWords } from "./days.js";
import { keepKit, keptKits } from "./kept.js";
import { keepPages } from "./keep_pages.js";
import { publicJwk } from "./phone_key.js";
import { tell } from "./side_by_side.js";

const place = document.querySelector("[data-side-prepare]");
const words = place.dataset;
const button = place.querySelector("[data-prepare]");
button.hidden = false;
button.addEventListener("click", prepare);
const known = (await keptKits().catch(() => [])).find((kit) => kit.lease === words.lease);
if (known && Date.parse(known.expires_at) > Date.now()) await ready(known);

async function prepare() {
  button.disabled = true;
  const said = await tell(words.kit, { phone_jwk: JSON.stringify(await publicJwk(words.account)), once: crypto.randomUUID() });
  if (said && !said.refused) {
    const kit = { ...said, account: words.account, adopt_url: words.adopt };
    await keepKit(kit);
    await ready(kit);
  } else {
    place.querySelector("[data-word]").textContent = said ? `${said.refused.sentence} ${said.refused.remedy}` : words.lost;
  }
  button.disabled = false;
}

async function ready(kit) {
  await keepPages({ worker: words.worker, pages: [words.page], cache: "anju-side" }).catch(() => {});
  const day = momentInWords(new Date(kit.expires_at));
  place.querySelector("[data-word]").textContent = words.ready.replace("{at}", day);
  place.querySelector("[data-go]").hidden = false;
}
