// The phone's own key: P-256, made by the browser, not exportable, kept in IndexedDB, one per account.
import { findKey, keepKey } from "./kept.js";

/** The account's key pair of this browser; made at first use. */
export async function phoneKey(account) {
  const known = await findKey(account);
  if (known) return known;
  const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  await keepKey(account, made);
  return made;
}

/** The public half as a JWK with nothing but its coordinates. */
export async function publicJwk(account) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", (await phoneKey(account)).publicKey);
  return { kty, crv, x, y };
}
