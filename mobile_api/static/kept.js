// What this browser keeps in IndexedDB: per account the phone's key, per home what opens its door without a network.

const STORES = ["keys", "homes"];

const done = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

async function within(store, mode, work) {
  const asked = indexedDB.open("anju", 2);
  asked.onupgradeneeded = () => {
    const known = asked.result.objectStoreNames;
    for (const name of STORES) if (!known.contains(name)) asked.result.createObjectStore(name);
  };
  const database = await done(asked);
  try {
    return await done(work(database.transaction(store, mode).objectStore(store)));
  } finally {
    database.close();
  }
}

export const findKey = (account) => within("keys", "readonly", (store) => store.get(account));
export const keepKey = (account, pair) => within("keys", "readwrite", (store) => store.put(pair, account));

/** All homes kept here; `home.id` is the address part of its key page. */
export const keptHomes = () => within("homes", "readonly", (store) => store.getAll());
export const keepHome = (home) => within("homes", "readwrite", (store) => store.put(home, home.id));
export const forgetHome = (id) => within("homes", "readwrite", (store) => store.delete(id));

/** Nothing that opens a door stays behind; the phone's key does, since it is worth nothing alone. */
export const forgetHomes = () => within("homes", "readwrite", (store) => store.clear());
