// Compact JWS, ES256, the kind pinned by `typ`: the browser's half of backend/wire/tokens.py.

const ES256 = { name: "ECDSA", hash: "SHA-256" };
const utf8 = new TextEncoder();
export const bytesOf = (text) => utf8.encode(text);
export const textOf = (bytes) => new TextDecoder().decode(bytes);

/** A token or a message that is not what it should be. */
export class Rejected extends Error {}

export const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export const unbase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

/** SHA-256 in base64url, of bytes or of a text. */
export const digest = async (said) =>
  base64url(await crypto.subtle.digest("SHA-256", typeof said === "string" ? bytesOf(said) : said));

/** The name of a public key (RFC 7638). */
export const thumbprint = ({ kty, crv, x, y }) => digest(JSON.stringify({ crv, kty, x, y }));

/** Sign claims with a private key of WebCrypto; `kid` is the thumbprint of its public half. */
export async function sign(typ, claims, privateKey, kid) {
  const parts = [{ alg: "ES256", kid, typ }, claims].map((part) => base64url(bytesOf(JSON.stringify(part))));
  const signature = await crypto.subtle.sign(ES256, privateKey, bytesOf(parts.join(".")));
  return [...parts, base64url(signature)].join(".");
}

/** The claims of a token of this kind, signed by exactly this key (JWK). Throws Rejected for any other. */
export async function verify(typ, token, jwk) {
  const [head, payload, signature, ...more] = token.split(".");
  if (!signature || more.length) throw new Rejected("malformed");
  const header = JSON.parse(textOf(unbase64(head)));
  if (header.alg !== "ES256" || header.typ !== typ) throw new Rejected("wrong_kind");
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]);
  const right = await crypto.subtle.verify(ES256, key, unbase64(signature), bytesOf(`${head}.${payload}`));
  if (!right) throw new Rejected("bad_signature");
  return JSON.parse(textOf(unbase64(payload)));
}
