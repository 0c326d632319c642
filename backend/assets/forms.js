// What every form of both doors does: after an error the summary takes the focus and its links lead into the fields; a
// form is sent once, and while it is on its way its button says so. Everything works without it.
// A page's own script that sends a form itself says "anju:sending" and "anju:free" on the form.

const FIELD = "input:not([type=hidden]), select, textarea";
const HELD_MS = 30_000; // without an answer: it may be sent again, and makes one record all the same
const FILE_MS = 5_000; // a file leaves the page where it is, and nothing tells that it has come
const words = document.querySelector("[role=status][data-sending]"); // a live region that holds the words of every form
const faces = new Map(); // button -> what stood on it

document.querySelector(".summary, .back-in-place")?.focus();
document.addEventListener("click", (press) => {
  const link = press.target.closest(".summary a[href^='#']");
  const place = link && document.getElementById(link.hash.slice(1));
  const field = place && (place.matches(FIELD) ? place : (place.querySelector(`:is(${FIELD})[aria-invalid=true]`) ?? place.querySelector(FIELD)));
  if (!field) return;
  press.preventDefault();
  place.scrollIntoView({ block: "center" });
  field.focus({ preventScroll: true });
});

document.addEventListener("submit", (sending) => {
  const form = sending.target;
  if (sending.defaultPrevented || form.getAttribute("method") !== "post") return; // a field may be named "method"
  if (form.dataset.sent) sending.preventDefault();
  else hold(form, sending.submitter);
});
document.addEventListener("anju:sending", ({ target }) => hold(target));
document.addEventListener("anju:free", ({ target }) => free(target));
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) for (const form of document.querySelectorAll("form[data-sent]")) free(form);
});

function hold(form, pressed) {
  form.dataset.sent = "yes";
  form.ariaBusy = "true";
  setTimeout(free, form.hasAttribute("data-file") ? FILE_MS : HELD_MS, form);
  const button = pressed ?? form.querySelector("button:not([type=button])");
  if (!words || !button) return;
  const said = form.dataset.sending ?? words.dataset.sending;
  faces.set(button, [...button.childNodes]);
  button.ariaDisabled = "true"; // not disabled: its name and value go with the form, and it keeps the focus
  button.replaceChildren(said);
  words.textContent = said;
}

function free(form) {
  delete form.dataset.sent;
  form.ariaBusy = null;
  for (const [button, face] of faces) {
    if (button.form !== form) continue;
    button.replaceChildren(...face);
    button.ariaDisabled = null;
    faces.delete(button);
    words.textContent = "";
  }
}
