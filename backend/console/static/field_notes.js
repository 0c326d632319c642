// What was noted on a round and has not arrived yet: an outcome and two numbers per visit, never anything about a person.
// Each note has an id of its own; the platform counts it once, however often it is sent.

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

/** Send what is kept, one after the other. Answers 'sent', 'offline' or 'signed-out'; a refused note stays, with why. */
export async function sendNotes(home) {
  const waiting = (await keptNotes()).filter((note) => !note.refused);
  if (!waiting.length) return "sent";
  try {
    const token = await freshToken(home);
    if (!token) return "signed-out";
    for (const note of waiting) {
      const answer = await post(note, token);
      if (answer.status === 401) return "signed-out";
      if (answer.ok) await dropNote(note);
      else if (answer.status < 500) await keepNote({ ...note, refused: await answer.json() });
      else return "offline"; // it is not well: tried again later
    }
    return "sent";
  } catch {
    return "offline";
  }
}

/** The token of the page as the platform gives it now: a page kept from the morning has an old one. */
async function freshToken(home) {
  const answer = await fetch(home, { cache: "no-store", headers: BY_ITSELF });
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-leave] [name=csrf_token]")?.value;
}

function post({ refused: _, place: __, visit, ...said }, token) {
  const body = new URLSearchParams({ ...said, csrf_token: token });
  return fetch(`/g/visits/${visit}`, { method: "POST", body, headers: { "X-Anju-Script": "1", ...BY_ITSELF } });
}
