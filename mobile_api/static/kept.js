// What this browser keeps in IndexedDB: per account the phone's key, per home what opens its door without a network, per
// lock what is carried between it and the platform; what two phones side by side hand each other. All but the keys says of
// which `account` it is; beside it stand the pages for the time without a network.

const OF_ACCOUNT = ["homes", "errands", "kits", "issues", "receivers"];
const STORES = ["keys", ...OF_ACCOUNT];
const PAGES = ["anju-offline", "anju-receive", "anju-side"]; // caches, a page in each

const done = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

async function within(store, mode, work) {
  const asked = indexedDB.open("anju", 4);
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

/** What is carried for a lock: `items` to the platform's `url`, `ack` to the lock with the next opening. */
export const findErrand = (lock) => within("errands", "readonly", (store) => store.get(lock));
export const keptErrands = () => within("errands", "readonly", (store) => store.getAll());
export const keepErrand = (errand) => within("errands", "readwrite", (store) => store.put(errand, errand.lock));

/** The landlord's: per lease what lets this phone issue its key without a network, and what it has issued. */
export const keptKits = () => within("kits", "readonly", (store) => store.getAll());
export const keepKit = (kit) => within("kits", "readwrite", (store) => store.put(kit, kit.lease));
export const forgetKit = (lease) => within("kits", "readwrite", (store) => store.delete(lease));
export const keptIssues = () => within("issues", "readonly", (store) => store.getAll());
export const keepIssue = (issue) => within("issues", "readwrite", (store) => store.put(issue, issue.lease));
export const forgetIssue = (lease) => within("issues", "readwrite", (store) => store.delete(lease));

/** The tenant's: the account whose key this phone holds out to a landlord, with the platform's word on its holder. */
export const keptReceivers = () => within("receivers", "readonly", (store) => store.getAll());
export const keepReceiver = (receiver) => within("receivers", "readwrite", (store) => store.put(receiver, receiver.account));

/** Nothing that opens a door stays behind; the phone's key does, since it is worth nothing alone. */
export const forgetEverything = () =>
  Promise.allSettled([
    ...OF_ACCOUNT.map((name) => within(name, "readwrite", (store) => store.clear())),
    ...PAGES.map((name) => caches.delete(name)),
  ]);

/** What is kept of other accounts goes, and with it the pages and whatever does not say of which account it is. */
export async function forgetAllBut(account) {
  const all = await Promise.all(OF_ACCOUNT.map(listed));
  if (!all.flat().some((each) => each.account && each.account !== account)) return;
  for (const { name, key } of all.flat().filter((each) => each.account !== account)) {
    await within(name, "readwrite", (store) => store.delete(key));
  }
  for (const name of PAGES) await caches.delete(name);
}

async function listed(name) {
  const keys = await within(name, "readonly", (store) => store.getAllKeys());
  const kept = await Promise.all(keys.map((key) => within(name, "readonly", (store) => store.get(key))));
  return keys.map((key, place) => ({ name, key, account: kept[place]?.account }));
}
