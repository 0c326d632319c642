// Two phones side by side, without a network: what one shows the other, as a link in a QR code or a thing left at the lock.
//
// The tenant's phone holds out its public key; the landlord's, which the platform has named for some days (delegate+jwt),
// signs a credential for it (ekey+jwt, demanding `idv`). Neither is worth anything at the door without the platform's own
// word on who holds the tenant's phone (activation+jwt).
import { base64url, bytesOf, sign, textOf, thumbprint, unbase64, verify } from "./jws.js";

const COORDINATE = /^[A-Za-z0-9_-]{43}$/;
const jwkOf = (x, y) => ({ kty: "EC", crv: "P-256", x, y });

/** What stands behind the # of the page's address, as [kind, parts]; a camera brings it here. */
export function handed() {
  const [kind, text] = location.hash.slice(1).split("=");
  return [kind, (text ?? "").split("~")];
}

export const linkTo = (page, kind, parts) => `${location.origin}${page}#${kind}=${parts.join("~")}`;

/** The tenant's half: the coordinates of the phone's key. Undefined when it is none. */
export function readHolder(parts) {
  const [x, y] = parts;
  return COORDINATE.test(x ?? "") && COORDINATE.test(y ?? "") ? jwkOf(x, y) : undefined;
}

/** Eight digits that are the same on both phones for one key: who reads them aloud has the right phone before them. */
export async function checkDigits(jwk) {
  const bytes = unbase64(await thumbprint(jwk));
  const number = bytes.slice(0, 6).reduce((all, byte) => all * 256 + byte, 0) % 1e8;
  return String(number).padStart(8, "0").replace(/^(....)/, "$1 ");
}

/** Sign the credential of a lease's key for the tenant's phone, as long as the landlord's phone may; answers its parts. */
export async function issue(kit, pair, holder) {
  const now = Math.floor(Date.now() / 1000);
  const { jti, nbf, exp, occ, aud } = claimsIn(kit.delegate);
  const kid = await thumbprint(await crypto.subtle.exportKey("jwk", pair.publicKey));
  const claims = {
    iss: jti, sub: kit.key, aud, nbf: Math.max(now, nbf, kit.begins), exp, iat: now,
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))), cnf: { jwk: holder }, rights: ["unlock", "lock"],
    occ, cond: ["idv"], crit: ["cond", "occ", "cnf", "rights"],
  };
  const credential = await sign("ekey+jwt", claims, pair.privateKey, kid);
  const { x, y } = kit.lock_key;
  return [credential, kit.delegate, x, y, kit.lease, base64url(bytesOf(kit.unit))];
}

/** The landlord's half, looked at by the phone it is for: a home to keep. Undefined when it is not for this phone's key. */
export async function readIssued(parts, own) {
  const [credential, delegate, x, y, lease, unit] = parts;
  try {
    const { cnf, iss, exp: delegateEnds, jti } = claimsIn(delegate);
    const claims = await verify("ekey+jwt", credential, cnf.jwk);
    const isOurs = (await thumbprint(claims.cnf.jwk)) === (await thumbprint(own));
    if (!isOurs || iss !== "anju" || claims.iss !== jti || claims.exp > delegateEnds || !/^[0-9a-f-]{36}$/.test(lease)) return undefined;
    const door = { lock_id: claims.aud, lock_key: readHolder([x, y]), credential, delegate };
    const expires_at = new Date(claims.exp * 1000).toISOString();
    return { id: lease, unit: textOf(unbase64(unit)), doors: [door], expires_at, codes: null };
  } catch {
    return undefined;
  }
}

const claimsIn = (token) => JSON.parse(textOf(unbase64(token.split(".")[1])));

/** Send a form's fields and read the JSON answer; undefined while it cannot be done now, `refused` when it never will. */
export async function tell(url, fields) {
  const body = new FormData();
  body.set("csrf_token", document.querySelector("[name=csrf_token]").value);
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  try {
    const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    const said = await answer.json();
    if (answer.ok) return said;
    return [401, 403, 429].includes(answer.status) || answer.status >= 500 ? undefined : { refused: said };
  } catch {
    return undefined;
  }
}

/** The parts as a lock's box takes them, and back: a token has no two dots side by side. */
export const asItem = (parts) => parts.join("..");
export const fromItem = (item) => item.split("..");
