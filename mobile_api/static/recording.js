// A film the phone's own camera has taken, as frames with their times: the way round a camera this page may not open.
import { shoot } from "./camera.js";

const GAP_SECONDS = 0.25; // as many a second as the live burst
const MOST_FRAMES = 38;
const LONGEST_SECONDS = 19;
const LEAST_SECONDS = 6.5;

/** The frames of a film, `{at, picture}`; throws an Error whose message is unreadable or short. */
export async function framesOf(file) {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, preload: "auto" });
  video.src = URL.createObjectURL(file);
  try {
    const seconds = Math.min(await lengthOf(video), LONGEST_SECONDS);
    if (seconds < LEAST_SECONDS) throw new Error("short");
    const count = Math.min(MOST_FRAMES, Math.floor(seconds / GAP_SECONDS));
    const canvas = document.createElement("canvas");
    const frames = [];
    for (let number = 0; number < count; number++) {
      const at = (number * seconds) / count;
      await seek(video, at);
      frames.push({ at: Math.round(at * 1000), picture: await shoot(video, canvas) });
    }
    return frames;
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
  }
}

async function lengthOf(video) {
  await once(video, "loadeddata");
  // A film straight from a recorder does not know its length until its end has been looked for.
  if (video.duration === Infinity) {
    const known = once(video, "durationchange");
    video.currentTime = Number.MAX_SAFE_INTEGER;
    await known;
  }
  return video.duration;
}

async function seek(video, seconds) {
  const there = once(video, "seeked");
  video.currentTime = seconds;
  await there;
}

const once = (video, event) =>
  new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error("unreadable")), { once: true });
  });
