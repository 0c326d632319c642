// The page for the time without a network: the homes this phone keeps, each with its Bluetooth button.
import { keptHomes } from "./kept.js";
import { offerNear } from "./near_button.js";

const words = document.querySelector("[data-near-words]").dataset;
const shape = document.querySelector("[data-home]");
const list = document.querySelector("[data-homes]");
const asked = location.pathname.match(/\/homes\/([0-9a-f-]{36})/)?.[1];

const homes = await keptHomes().catch(() => []);
const chosen = homes.filter((home) => home.id === asked);
for (const home of chosen.length ? chosen : homes) {
  const card = shape.content.cloneNode(true).firstElementChild;
  card.querySelector("[data-unit]").textContent = home.unit;
  list.append(card);
  offerNear(card, home, words);
}
document.querySelector(homes.length ? "[data-some]" : "[data-none]").hidden = false;
