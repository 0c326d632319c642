// A receipt judged in the browser: the same verdicts as backend/wire/receipts.py, without asking anybody.
import { base64url, bytesOf } from "./jws.js";

const LARGEST = 65536;
const TOKEN = /eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/;
const RECORD = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NUMBER = /^R-([0-9]{9})-([0-9]{8})-([0-9]{6})-([0-9])$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})$/;
const OPS = ["UPSERT", "AMEND", "CHECKOUT", "VOID"];
const LEGS = ["TENANT", "LANDLORD"];
const NAMES = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

class Refused extends Error {}
const refuse = (reason) => {
  throw new Refused(reason);
};

/** Judge the receipt in a text against a JWK set: { valid: true, number, op, leg, version, … } or { valid: false, reason }. */
export async function checkReceipt(text, jwks) {
  try {
    if (!jwks?.keys?.length) refuse("no_keys");
    const token = text.match(TOKEN)?.[0] ?? refuse("not_found");
    return { valid: true, ...claimsOf(await payloadOf(token, jwks)) };
  } catch (error) {
    if (error instanceof Refused) return { valid: false, reason: error.message };
    throw error;
  }
}

async function payloadOf(token, { keys }) {
  if (token.length > LARGEST) refuse("too_large");
  const [head, payload, signature] = token.split(".");
  const header = objectOf(unbase64(head));
  if (header.alg !== "ES256") refuse("wrong_algorithm");
  const { alg, typ, kid } = header;
  if (Object.keys(header).length !== 3 || [alg, typ, kid].some((each) => typeof each !== "string")) refuse("wrong_header");
  if (typ !== "receipt+jwt") refuse("wrong_kind");
  const jwk = keys.find((each) => each.kid === kid) ?? refuse("unknown_key");
  const [said, mark] = [unbase64(payload), unbase64(signature)];
  const form = { name: "ECDSA", namedCurve: "P-256" };
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, form, false, ["verify"]);
  const signed = bytesOf(`${head}.${payload}`);
  if (!(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, mark, signed))) refuse("bad_signature");
  return objectOf(said);
}

function claimsOf(claims) {
  if (["iss", "sub", "iat"].some((name) => !(name in claims))) refuse("missing_claim");
  const times = ["iat", "nbf", "exp"].filter((name) => name in claims).map((name) => claims[name]);
  const texts = ["iss", "sub", "jti"].filter((name) => name in claims).map((name) => claims[name]);
  const sound =
    times.every((each) => Number.isInteger(each) && each >= 0) &&
    texts.every((each) => typeof each === "string" && each) &&
    claims.iss === "residence-registry" &&
    RECORD.test(claims.sub) &&
    isNumber(claims.jti) &&
    Number.isInteger(claims.ver) &&
    OPS.includes(claims.op) &&
    LEGS.includes(claims.leg) &&
    typeof claims.hash === "string" &&
    /^[0-9a-f]{64}$/.test(claims.hash) &&
    [claims.declared_at, claims.accepted_at].every(isTime);
  if (!sound) refuse("bad_claim");
  const { jti: number, op, leg, ver: version, declared_at, accepted_at } = claims;
  return { number, op, leg, version, declared_at, accepted_at };
}

/** ISO 7064 MOD 11,10 over town, day and sequence; the day must be one of the calendar. */
function isNumber(text) {
  const parts = typeof text === "string" ? text.match(NUMBER) : null;
  if (!parts) return false;
  let check = 5;
  for (const digit of parts.slice(1).join("").slice(0, -1)) check = (((check || 10) * 2) % 11 + Number(digit)) % 10;
  const day = parts[2].replace(/(....)(..)(..)/, "$1-$2-$3");
  return (((check || 10) * 2) % 11 + Number(parts[4])) % 10 === 1 && isDay(day);
}

function isDay(text) {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text) && !text.startsWith("0000");
}

const isTime = (text) =>
  typeof text === "string" && TIME.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(new Date(text).getTime());

function unbase64(text) {
  try {
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
    if (base64url(bytes) === text) return bytes; // one value has one spelling
  } catch {
    // Not base64 at all.
  }
  return refuse("malformed");
}

/** A JSON object in which no name stands twice. */
function objectOf(bytes) {
  let value;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
    if (hasDoubles(text)) value = null;
  } catch {
    value = null;
  }
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : refuse("malformed");
}

function hasDoubles(text) {
  const open = [];
  let last = null;
  for (const [piece] of text.matchAll(NAMES)) {
    if (piece === "{" || piece === "[") open.push(new Set());
    else if (piece === "}" || piece === "]") open.pop();
    else if (piece === ":") {
      if (open.at(-1).has(last)) return true;
      open.at(-1).add(last);
    } else if (piece !== ",") last = JSON.parse(piece);
  }
  return false;
}
