// The phone's own key: P-256, made by the browser, not exportable, kept in IndexedDB, one per account.

const open = () =>
  new Promise((resolve, reject) => {
    const asked = indexedDB.open("anju", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("keys");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

const done = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

/** The account's key pair of this browser; made at first use. */
export async function phoneKey(account) {
  const database = await open();
  const known = await done(database.transaction("keys").objectStore("keys").get(account));
  if (known) return known;
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  await done(database.transaction("keys", "readwrite").objectStore("keys").put(made, account));
  return made;
}

/** The public half as a JWK with nothing but its coordinates. */
export async function publicJwk(account) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", (await phoneKey(account)).publicKey);
  return { kty, crv, x, y };
}
