// The ledger board: opens rows in place, renews itself by the answer's tag, and is walked by the arrow keys.
// Without it every link and the filter lead to a page of their own.
import { showParts, askAgain, announce, walkRows } from "./parts.js";

const board = document.querySelector("[data-board]");
const form = board.querySelector("form");

/** Show what an address of the board leads to, without leaving the page. */
async function go(address, { push = true, focus = null } = {}) {
  board.ariaBusy = "true";
  const parts = await askAgain(address, { byHand: true });
  board.ariaBusy = null;
  if (parts === null) {
    location.assign(address);
    return;
  }
  if (push) history.pushState({}, "", address);
  const asked = new URL(address, location.href).searchParams;
  for (const field of form.elements) if (field.name) field.value = asked.get(field.name) ?? "";
  const narrowed = ["division", "state", "road", "building", "text"].some((name) => asked.get(name));
  form.querySelector("[data-clear]").hidden = !narrowed;
  showParts(parts, board);
  fit();
  if (focus) focus();
  const opened = asked.get("dwelling") ? "#opened .card-head" : "[data-said]";
  announce(board.querySelector(opened)?.textContent);
}

/** One column while villages are listed, two beside an opened dwelling. */
function fit() {
  board.querySelector("[data-split]").classList.toggle("split-one", board.querySelector('[data-part="opened"]').hidden);
}

function firstRow() {
  board.querySelector("[data-row]")?.focus();
}

board.addEventListener("click", (press) => {
  const link = press.target.closest("a[data-go]");
  if (!link || link.matches("[data-unit]") || press.ctrlKey || press.metaKey || press.shiftKey || press.button) return;
  press.preventDefault();
  const deeper = link.matches('[data-go^="village"], [data-go="next"], [data-go="first"]');
  go(link.href, { focus: deeper ? firstRow : null });
});

form.addEventListener("submit", (sending) => {
  sending.preventDefault();
  const wishes = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  go(`${form.getAttribute("action")}?${wishes}`);
});

form.addEventListener("keydown", (press) => {
  if (press.key !== "Escape") return;
  press.preventDefault();
  firstRow();
});

addEventListener("popstate", () => go(location.href, { push: false }));

walkRows(board);

setInterval(async () => {
  if (document.hidden) return;
  const parts = await askAgain(location.href);
  if (parts && showParts(parts, board)) {
    fit();
    announce(board.dataset.changed);
  }
}, Number(board.dataset.every) * 1000);
