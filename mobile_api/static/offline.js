// The page for the time without a network: the homes this phone keeps, each with its Bluetooth button.
import { nearDayInWords } from "./days.js";
import { bringErrands } from "./errands.js";
import { keptHomes } from "./kept.js";
import { offerNear } from "./near_button.js";
import { settled } from "./owner.js";

const words = document.querySelector("[data-near-words]").dataset;
const shape = document.querySelector("[data-home]");
const list = document.querySelector("[data-homes]");
const asked = location.pathname.match(/\/(?:homes|visits)\/([0-9a-f-]{36})/)?.[1];

await settled;
const homes = await keptHomes().catch(() => []);
const chosen = homes.filter((home) => home.id === asked);
for (const home of chosen.length ? chosen : homes) {
  const card = shape.content.cloneNode(true).firstElementChild;
  card.querySelector("[data-unit]").textContent = home.unit;
  list.append(card);
  offerNear(card, home, words);
  showCodes(card, home.codes);
}
document.querySelector(homes.length ? "[data-some]" : "[data-none]").hidden = false;
addEventListener("online", bringErrands);

/** Today's code large and those of the next days, or the one code of a visitor; which day it is says this phone. */
function showCodes(card, codes) {
  const today = new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
  const days = codes?.days.filter(({ day }) => day >= today) ?? [];
  const code = codes?.period ?? days[0]?.code;
  if (!code) return;
  const title = card.querySelector("[data-code-title]");
  const isPeriod = codes.period !== null;
  title.textContent = isPeriod ? title.dataset.period : days[0].day === today ? title.dataset.today : nearDayInWords(days[0].day);
  card.querySelector("[data-code]").textContent = grouped(code);
  for (const next of days.slice(1, 8)) {
    const line = document.createElement("div");
    line.append(cell("dt", nearDayInWords(next.day)), cell("dd", grouped(next.code), "number code-small"));
    card.querySelector("[data-next]").append(line);
  }
  card.querySelector("[data-codes]").hidden = false;
}

function cell(tag, text, classes = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = classes;
  return made;
}

function grouped(code) {
  return `${code.slice(0, 4)} ${code.slice(4)}`;
}
