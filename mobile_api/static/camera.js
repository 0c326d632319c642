// The camera: opened only on a tap, closed as soon as it is not needed.

const WORDS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "missing",
  NotReadableError: "busy", AbortError: "busy" };

/** Start the front camera in `video`; throws an Error whose message is denied, missing, busy or insecure. */
export async function openCamera(video) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("insecure");
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
    });
  } catch (error) {
    throw new Error(WORDS[error.name] ?? "busy");
  }
  await video.play();
}

/** Stop the camera of `video`. */
export function closeCamera(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

/** The present frame as JPEG, unmirrored, its longer side at most 640 px. */
export function shoot(video, canvas) {
  const scale = Math.min(1, 640 / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return toJpeg(canvas, 0.88);
}

/** A canvas as a JPEG blob. */
export const toJpeg = (canvas, quality) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
