// The key's button: feedback at once, one command for a double tap, an honest word when the result is late.
const form = document.querySelector("[data-unlock]");
const button = form?.querySelector(".key-button");
const face = button?.querySelector("[data-face]");
const word = document.querySelector("[data-key-word]");
const screen = form?.closest("[data-live]");
let busy = false;

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  screen.ariaBusy = "true"; // nothing else is shown in between
  show("sending", face.dataset.sending, form.dataset.pressed);
  const late = setTimeout(() => (word.textContent = form.dataset.waiting), 3000);
  try {
    const settled = await follow(await send());
    const opened = settled.state === "executed";
    show(opened ? "opened" : "refused", opened ? face.dataset.opened : face.dataset.again, settled.words);
    // what is not settled yet comes with the page that names the command
    history.replaceState(null, "", settled.settled ? location.pathname : `?command=${settled.id}`);
  } catch (error) {
    show("refused", face.dataset.again, error instanceof Said ? error.message : form.dataset.lost);
  }
  clearTimeout(late);
  form.elements.once.value = crypto.randomUUID(); // the next tap is a new command
  busy = false;
  setTimeout(() => {
    if (busy) return;
    show("ready", face.dataset.again);
    screen.ariaBusy = null;
  }, 5000);
});

class Said extends Error {}

function show(state, words, sentence) {
  button.dataset.state = state;
  face.textContent = words;
  if (sentence !== undefined) word.textContent = sentence;
}

async function ask(url, options) {
  const answer = await fetch(url, { ...options, headers: { Accept: "application/json", ...options?.headers } });
  const body = await answer.json();
  if (!answer.ok) throw new Said(`${body.sentence} ${body.remedy}`);
  return body;
}

const send = () => ask(form.action, { method: "POST", body: new FormData(form), headers: { Prefer: "wait=3" } });

async function follow(command) {
  for (let round = 0; !command.settled && round < 8; round++) {
    command = await ask(`${form.dataset.commands}${command.id}?wait_s=3`);
    if (!command.settled && round > 0) word.textContent = form.dataset.waiting;
  }
  return command;
}
