// What was noted on a round and has not arrived yet: an outcome and two numbers per visit, never anything about a person.
// Each note has an id of its own; the platform counts it once, however often it is sent. It is sent for whoever wrote it
// alone: a colleague who signs in on the same phone neither sends nor loses it.

export const CACHE = "anju-round"; // the round's pages for the time without a network
const STORE = "notes";
const BY_ITSELF = { "X-Anju-Live": "1" }; // nobody is there: the idle time goes on

const done = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

async function within(mode, work) {
  const asked = indexedDB.open("anju-round", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
  const database = await done(asked);
  try {
    return await done(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

export const keptNotes = () => within("readonly", (store) => store.getAll());
export const keepNote = (note) => within("readwrite", (store) => store.put(note, note.note_id));
export const dropNote = (note) => within("readwrite", (store) => store.delete(note.note_id));

/** Whether a note is this officer's. Those of before notes bore a name are whoever's is signed in. */
export const isOf = (note, officer) => !note.officer || note.officer === officer;

/**
 * Send what is kept of the one who is signed in, one after the other. Answers 'sent', 'offline' or 'signed-out'.
 *
 * A note that can never be saved stays as `refused`, with why; any other refusal as `held`, and is tried again.
 */
export async function sendNotes(home) {
  const waiting = (await keptNotes()).filter((note) => !note.refused);
  if (!waiting.length) return "sent";
  try {
    const { token, officer } = await whoIsIn(home);
    if (!token) return "signed-out";
    for (const note of waiting.filter((each) => isOf(each, officer))) {
      const answer = await post(note, token);
      if (answer.status === 401) return "signed-out";
      if (answer.ok) await dropNote(note);
      else if (answer.status < 500) await putAside(note, answer);
      else return "offline"; // it is not well: tried again later
    }
    return "sent";
  } catch {
    return "offline";
  }
}

const OVER = ["field.done", "field.withdrawn"];

async function putAside({ held: _, ...note }, answer) {
  const why = await answer.json().catch(() => ({ sentence: "", remedy: "" }));
  const isOver = answer.status === 422 || OVER.includes(why.code);
  await keepNote({ ...note, [isOver ? "refused" : "held"]: why });
}

/** Who is signed in, and the token of the page as the platform gives it now: one kept from the morning is old. */
async function whoIsIn(home) {
  const answer = await fetch(home, { cache: "no-store", headers: BY_ITSELF });
  if (!answer.ok) return {};
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { token: page.querySelector("[data-leave] [name=csrf_token]")?.value, officer: page.body.dataset.officer };
}

function post({ refused: _, held: __, place: ___, officer: ____, badge: _____, visit, ...said }, token) {
  const body = new URLSearchParams({ ...said, csrf_token: token });
  return fetch(`/g/visits/${visit}`, { method: "POST", body, headers: { "X-Anju-Script": "1", ...BY_ITSELF } });
}
