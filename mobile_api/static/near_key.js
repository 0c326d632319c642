// The key page while it is online: fetches and keeps what the next opening without a network will need.
import { bringErrands } from "./errands.js";
import { thumbprint } from "./jws.js";
import { keepPages } from "./keep_pages.js";
import { findKey, forgetHome, keepHome, keptHomes } from "./kept.js";
import { offerNear, withdrawNear } from "./near_button.js";

const CACHE = "anju-offline";
const place = document.querySelector("[data-near]");
if (place) {
  let active = place.dataset.active;
  const armed = arm();
  place.addEventListener("renewed", () => {
    if (place.dataset.active === active) return;
    active = place.dataset.active;
    arm();
  });
  addEventListener("online", bringErrands);
  bringErrands();
  await armed;
  const { worker, offline } = place.dataset;
  // a browser without service workers has the page while it is open
  await keepPages({ worker, pages: [offline], cache: CACHE }).catch(() => {});
}

/** Offer what this key opens now, or take the offer back. */
async function arm() {
  const words = document.querySelector("[data-near-words]").dataset;
  const home = (await refresh(place.dataset)) ?? (await kept(place.dataset.near));
  if (home) offerNear(place, home, words);
  else withdrawNear(place);
}

async function kept(id) {
  return (await keptHomes()).find((home) => home.id === id);
}

/** What opens this home, fresh from the platform; undefined without a network, or when this phone has no key to it. */
async function refresh({ near: id, account, unit, boundTo, active, documents, time, report }) {
  const pair = await findKey(account);
  const own = pair && (await thumbprint(await crypto.subtle.exportKey("jwk", pair.publicKey)));
  const note = document.querySelector("[data-other-phone]");
  if (note && boundTo && own !== boundTo) note.hidden = false;
  if (active !== "yes" || own !== boundTo) {
    await forgetHome(id);
    return undefined;
  }
  const body = new FormData();
  body.set("csrf_token", document.querySelector("[name=csrf_token]").value);
  try {
    const answer = await fetch(documents, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.status === 404 || answer.status === 409) await forgetHome(id);
    if (!answer.ok) return undefined;
    const home = { ...(await answer.json()), id, account, unit, time_url: time, report_url: report };
    await keepHome(home);
    return home;
  } catch {
    return undefined;
  }
}
