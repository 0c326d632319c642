// QR codes read by the browser's own reader, where it has one; what is seen stays in this browser.
const LONGEST_MS = 60_000;
const GAP_MS = 150;

/** A reader of QR codes; undefined where the browser has none. */
export const codeReader = () => ("BarcodeDetector" in window ? new BarcodeDetector({ formats: ["qr_code"] }) : undefined);

/** The text of the first code in a picture or film; null when there is none. */
export const codeIn = async (reader, source) => (await reader.detect(source).catch(() => []))[0]?.rawValue ?? null;

/** Film through `video` until a code is seen, a minute at most; its text or null. Throws where no camera may be used. */
export async function filmCode(reader, video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const until = Date.now() + LONGEST_MS;
  video.hidden = false;
  video.srcObject = stream;
  try {
    await video.play();
    let found = null;
    while (!found && Date.now() < until) {
      found = await codeIn(reader, video);
      if (!found) await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
    return found;
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.hidden = true;
  }
}
