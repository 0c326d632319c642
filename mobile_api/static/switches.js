// The two switches of every page lose nothing that was typed: large text is switched in place, the language with the form.
import { isTyped } from "./morph.js";

const elder = document.querySelector("[data-elder]");
const language = document.querySelector("[data-language]");

elder?.addEventListener("submit", (sending) => {
  sending.preventDefault();
  const button = elder.querySelector("button");
  const body = new FormData(elder, button);
  const isElder = document.documentElement.classList.toggle("elder", button.value === "1");
  fetch(elder.action, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => {});
  button.value = isElder ? "0" : "1";
  button.ariaPressed = String(isElder);
  button.textContent = isElder ? elder.dataset.plain : elder.dataset.large;
});

language?.addEventListener("submit", () => {
  for (const carried of language.querySelectorAll("[data-carried]")) carried.remove();
  const form = begun();
  if (!form) return;
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string"); // no pictures
  const { pathname, search } = new URL(form.action);
  for (const [name, value] of [["path", pathname + search], ["filled", JSON.stringify(fields)]]) {
    const carried = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    carried.dataset.carried = "";
    language.append(carried);
  }
});

/** The form in which something was typed; on a page that answers a form (a next step, a refusal) that form. */
function begun() {
  if (language.querySelector("[name=kept]")) return undefined; // it takes care of itself
  const forms = [...document.querySelectorAll("main form[method=post]")];
  const isAnswer = (form) => "answer" in language.dataset && new URL(form.action).pathname === location.pathname;
  return forms.find(isTyped) ?? forms.find(isAnswer);
}

// A page that was opened again with its form filled is at its own address.
const { page } = document.querySelector(".back-in-place[data-page]")?.dataset ?? {};
if (page) history.replaceState(null, "", page);
