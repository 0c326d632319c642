// The phone's side of the near link over Web Bluetooth: M1 to M5 of backend/wire/near_messages.py, without any server.
import { Rejected, base64url, bytesOf, digest, sign, textOf, thumbprint, verify } from "./jws.js";

const SERVICE = "978d7102-a314-4486-8f6c-ab666727fd94";
const WRITE = "978d7103-a314-4486-8f6c-ab666727fd94";
const READ = "978d7104-a314-4486-8f6c-ab666727fd94";
const CHUNK_BYTES = 180;
const LAST = 0x80;
const EMPTY_READS = 60; // 50 ms each: a lock that says nothing for three seconds is gone

export const isPossible = () => "bluetooth" in navigator;

/** Why it did not come to an answer of the lock: `off`, `cancelled`, `far` or `wrong_lock`. */
export class NotReached extends Error {}

/** A connection to one lock: whole messages out, whole messages in. */
export class NearLine {
  /** Let the person choose a lock; the browser shows those that offer our service. */
  static async choose() {
    if (!(await navigator.bluetooth.getAvailability())) throw new NotReached("off");
    try {
      return await navigator.bluetooth.requestDevice({ filters: [{ services: [SERVICE] }] });
    } catch {
      throw new NotReached("cancelled");
    }
  }

  static async reach(device) {
    const line = new NearLine();
    try {
      line.device = device;
      const service = await (await device.gatt.connect()).getPrimaryService(SERVICE);
      line.writing = await service.getCharacteristic(WRITE);
      line.reading = await service.getCharacteristic(READ);
      return line;
    } catch {
      line.close();
      throw new NotReached("far");
    }
  }

  async ask(message) {
    try {
      for (const chunk of chunksOf(message)) await this.writing.writeValueWithResponse(chunk);
      return await this.#answer();
    } catch (error) {
      throw error instanceof Rejected ? error : new NotReached("far");
    }
  }

  async #answer() {
    const parts = [];
    for (let empty = 0; empty < EMPTY_READS; ) {
      const { buffer, byteOffset, byteLength } = await this.reading.readValue();
      const chunk = new Uint8Array(buffer, byteOffset, byteLength);
      if (chunk.length === 0) {
        empty++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      if ((chunk[0] & ~LAST) !== parts.length % LAST) throw new Rejected("chunk_out_of_order");
      parts.push(chunk.subarray(1));
      if (chunk[0] & LAST) return joined(...parts);
    }
    throw new NotReached("far");
  }

  close() {
    this.device.gatt.disconnect();
  }
}

/** Chunks of a message: one byte of number (0 to 127, wrapping; top bit on the last), then data. */
export function chunksOf(message) {
  const step = CHUNK_BYTES - 1;
  const count = Math.max(1, Math.ceil(message.length / step));
  return Array.from({ length: count }, (_, number) => {
    const last = number === count - 1 ? LAST : 0;
    return Uint8Array.of(last | (number % LAST), ...message.subarray(number * step, (number + 1) * step));
  });
}

function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const spell = (message) => bytesOf(JSON.stringify({ v: 1, ...message }));

/**
 * Ask the lock behind a line to open, with what is kept of its door.
 *
 * `fetchTime(nonce)` gives the platform's signed time for a lock that lost its own, or undefined without a network;
 * `ack` is the platform's word that it has stored the lock's events, if this phone carries one.
 * Answers the result: opened, refused or need_time. Throws NotReached, also when another lock answers.
 */
export async function openNear(line, { door, activation, pair, fetchTime, ack }) {
  const m1 = spell({ nonce: base64url(crypto.getRandomValues(new Uint8Array(16))) });
  const m2 = await line.ask(m1);
  const state = await checkChallenge(m1, m2, door);
  const time = state.q === "ok" ? undefined : await fetchTime(state.nonce);
  const crd = await digest(door.credential);
  const claims = { tag: "anju/near/v1", hs: await digest(joined(m1, m2)), act: "unlock", crd };
  const { publicKey, privateKey } = pair;
  const kid = await thumbprint(await crypto.subtle.exportKey("jwk", publicKey));
  const m3 = spell({
    credential: door.credential,
    action: "unlock",
    proof: await sign("nearproof+jwt", claims, privateKey, kid),
    delegate: door.delegate, // only where a landlord's phone has issued the credential
    activation: activation ?? undefined, // a visitor has none, and null is no member of the message
    revocation: door.revocations,
    time,
    ack,
  });
  const { result, receipt } = JSON.parse(textOf(await line.ask(m3)));
  const said = await verify("nearreceipt+jwt", receipt, door.lock_key);
  if (said.nonce !== state.nonce || said.crd !== crd || said.res !== result) throw new Rejected("bad_receipt");
  return result;
}

/** Collect what the lock has for the platform, `most` sealed items; on the line on which it has just opened. */
export async function collect(line, most) {
  const items = [];
  for (let more = true; more && items.length < most; ) {
    const given = JSON.parse(textOf(await line.ask(spell({ collect: "events" }))));
    if (given.item) items.push(given.item);
    more = given.more && given.item;
  }
  return items;
}

/** Leave a thing at the lock in the box of six digits, or take out what the other phone left; the answer's state and item. */
export const leaveAt = async (line, box, item) => JSON.parse(textOf(await line.ask(spell({ box, item }))));
export const takeFrom = async (line, box) => JSON.parse(textOf(await line.ask(spell({ box }))));

async function checkChallenge(m1, m2, door) {
  try {
    const state = await verify("nearhello+jwt", JSON.parse(textOf(m2)).token, door.lock_key);
    if (state.iss === door.lock_id && state.m1 === (await digest(m1))) return state;
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
  }
  throw new NotReached("wrong_lock");
}

let chosen; // the lock a person has chosen on this page, so that the browser asks once

/** Do `work` with a line to the lock, chosen at the first time; undefined after `onFar` when it is not reached. */
export async function atLock(work, onFar) {
  try {
    chosen ??= await NearLine.choose();
    const line = await NearLine.reach(chosen);
    try {
      return await work(line);
    } finally {
      line.close();
    }
  } catch {
    onFar();
    return undefined;
  }
}
