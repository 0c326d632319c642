// The identity check in two steps: a picture of the document, then a live burst under the server's movement challenge.
// Pictures stay in this page's memory and leave it with the check; the document's also before, to be told if it is usable.
import { closeCamera, openCamera, pause, shoot, toJpeg } from "./camera.js";
import { framesOf } from "./recording.js";
import { specimenJpeg } from "./specimen.js";

const FRAME_GAP_MS = 250; // about four frames a second
const LEAD_FRAMES = 3;
const ACTION_FRAMES = 8; // two seconds: half a second to read, the rest to move
const BACK_FRAMES = 3;
const LONGEST_SIDE = 1920;
const LOOK_PATIENCE_MS = 10_000; // a look takes a second; what waits longer is judged with the check

const root = document.querySelector("#face-check");
const words = root.querySelector("[data-words]").dataset;
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const video = (name) => root.querySelector(`[data-video="${name}"]`);
const csrf = root.querySelector("[name=csrf_token]").value;
const prompt = root.querySelector("[data-prompt]");
const bar = root.querySelector("[data-bar]");
let documentPicture = null;
let retake = null; // the way in which it was taken, for another one
let looking = null; // the look under way, to end it
let filmed = null; // the challenge a film by the phone's own camera answers

const acts = {
  "specimen-camera": openSpecimenCamera,
  "specimen-shoot": shootSpecimen,
  retake: () => retake(),
  "to-live": () => {
    if (endLook()) show(piece("later"));
    showStep("live");
  },
  start: () => runCheck().catch(fail),
  film: () => offerFilm().catch(fail),
  again: () => showStep("live"),
  "new-document": () => showStep("document"),
};
root.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (act) acts[act]();
});
onFile("#document", (file, again) => takePicture(file, shrink, again));
onFile("#film", (film) => takeFilm(film).catch(fail));
onFile("#specimen-file", (file, again) => takePicture(file, (picture) => specimenJpeg(specimenWords(), picture), again));

/** Take a chosen file; the button says so until it is worked through: a phone needs a second or more for its pictures.
 * `take` is given a way to choose another one too. */
function onFile(selector, take) {
  const input = root.querySelector(selector);
  input?.addEventListener("change", async () => {
    if (!input.files[0]) return;
    const face = input.previousElementSibling;
    const usual = [...face.childNodes];
    face.textContent = words.reading;
    try {
      await take(input.files[0], () => input.click());
    } finally {
      input.value = ""; // the same file, taken anew under its old name, is a change as well
      face.replaceChildren(...usual);
    }
  });
}

const specimenWords = () => ({ name: root.dataset.name, number: root.dataset.number, word: words.specimenWord });

/** Make the document's picture of a chosen file; its pixels, some 50 MB of a phone's camera, go at once. */
async function takePicture(file, make, again) {
  const picture = await readPicture(file);
  if (!picture) return;
  useDocument(await make(picture).finally(() => picture.close()), again);
}

async function readPicture(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    window.alert(words.unreadable);
    return null;
  }
}

/** A picture as JPEG, its longer side at most 1920 px: enough for a portrait, kind to the network. */
function shrink(picture) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return toJpeg(canvas, 0.92);
}

function useDocument(blob, again) {
  forgetDocument();
  documentPicture = blob;
  retake = again;
  root.querySelector('[data-shown="document"]').src = URL.createObjectURL(blob);
  part("document-shown").hidden = false;
  lookAtDocument();
}

function forgetDocument() {
  endLook();
  documentPicture = null;
  const shown = root.querySelector('[data-shown="document"]');
  URL.revokeObjectURL(shown.src);
  shown.removeAttribute("src");
  part("document-shown").hidden = true;
}

/** Say under the picture whether it can be used. Nothing waits for it: the check judges the picture as well. */
async function lookAtDocument() {
  const look = (looking = new AbortController());
  tell(piece("looking"));
  const patience = setTimeout(() => look.abort(), LOOK_PATIENCE_MS);
  const body = new FormData();
  body.set("csrf_token", csrf);
  body.set("document", documentPicture, "document.jpg");
  const said = await fetch(root.dataset.lookAt, { method: "POST", body, signal: look.signal })
    .then((answer) => answer.text())
    .then(saidIn, () => null);
  clearTimeout(patience);
  if (looking !== look) return; // another picture was taken, or nobody waits any more
  looking = null;
  tell(said ?? piece("later"));
}

/** End the look under way; answers whether there was one. */
function endLook() {
  const look = looking;
  looking = null;
  look?.abort();
  return look !== null;
}

/** What an answer says about the picture; null when it is some other page. */
function saidIn(html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  return answer.content.querySelector("[data-look]");
}

const piece = (said) => saidIn(root.querySelector(`template[data-said="${said}"]`).innerHTML);
const show = (said) => part("look").replaceChildren(said);

function tell(said) {
  show(said);
  part("look").scrollIntoView({ block: "end" }); // words and ways whole, and as much of the picture as there is room for
  said.querySelector("[data-title]").focus({ preventScroll: true });
}

async function openSpecimenCamera() {
  try {
    part("specimen-stage").hidden = false;
    await openCamera(video("specimen"));
    part("specimen-stage").scrollIntoView({ block: "center" });
  } catch (error) {
    part("specimen-stage").hidden = true;
    window.alert(words[error.message] ?? words.busy);
  }
}

async function shootSpecimen() {
  useDocument(await specimenJpeg(specimenWords(), video("specimen")), openSpecimenCamera);
  closeCamera(video("specimen"));
  part("specimen-stage").hidden = true;
}

function showStep(step) {
  for (const name of ["document", "live", "outcome"]) part(name).hidden = name !== step;
  part("decline").hidden = step === "outcome"; // the outcome has its own ways on
  document.querySelector("#face-step").textContent = step === "document" ? root.dataset.stepOne : root.dataset.stepTwo;
  const start = root.querySelector('[data-act="start"]');
  start.hidden = false;
  part("camera-trouble").hidden = part("film").hidden = true;
  say(words.begin, "waiting");
  part(step).querySelector("h2")?.focus();
  if (step === "live") part("stage").scrollIntoView({ block: "center" });
}

async function runCheck() {
  root.querySelector('[data-act="start"]').hidden = true;
  part("camera-trouble").hidden = part("film").hidden = true;
  say(words.opening, "opening");
  const challenge = await askForChallenge();
  if (challenge === null) return;
  await openCamera(video("live"));
  say(words.ready, "ready");
  await pause(1500);
  const frames = await record(challenge.actions);
  closeCamera(video("live"));
  say(words.sending, "sending");
  await sendCheck(challenge, frames);
}

async function askForChallenge() {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await documentPicture.arrayBuffer()));
  const body = new URLSearchParams({
    csrf_token: csrf,
    document_sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  });
  const answer = await fetch(root.dataset.challenge, { method: "POST", body, headers: { Accept: "application/json" } });
  const found = await answer.json();
  if (answer.ok) return found;
  say(words.begin, "waiting");
  trouble(`${found.sentence} ${found.remedy}`);
  return null;
}

/** Take the burst: look straight, then each movement and back, about four frames a second with their times. */
async function record(actions) {
  const plan = [...Array(LEAD_FRAMES).fill([words.hold, "still"])];
  actions.forEach((action, number) => {
    plan.push(...Array(ACTION_FRAMES).fill([inWords(action), "moving", `${number + 1} / ${actions.length}`]));
    plan.push(...Array(BACK_FRAMES).fill([words.back, "still"]));
  });
  const canvas = document.createElement("canvas");
  const begun = performance.now();
  const frames = [];
  for (const [index, [sentence, moment, count]] of plan.entries()) {
    await pause(Math.max(0, begun + index * FRAME_GAP_MS - performance.now()));
    say(sentence, moment, count);
    const at = Math.round(performance.now() - begun);
    frames.push({ at, picture: await shoot(video("live"), canvas) });
    bar.value = (100 * (index + 1)) / plan.length;
  }
  return frames;
}

const inWords = (action) => words[action.replace(/_(.)/g, (_, letter) => letter.toUpperCase())];

/** Say the movements beforehand, in their order: the phone's own camera does not show our prompts. */
async function offerFilm() {
  filmed = await askForChallenge();
  if (filmed === null) return;
  const lines = filmed.actions.map((action) => Object.assign(document.createElement("li"), { textContent: inWords(action) }));
  part("film").querySelector("ol").replaceChildren(...lines);
  part("film").hidden = false;
  part("film").querySelector("h3").focus();
}

async function takeFilm(film) {
  part("camera-trouble").hidden = true;
  root.querySelector('[data-act="start"]').hidden = true;
  say(words.sending, "sending");
  part("stage").scrollIntoView({ block: "center" });
  await sendCheck(filmed, await framesOf(film));
}

async function sendCheck(challenge, frames) {
  const body = new FormData();
  body.set("csrf_token", csrf);
  body.set("challenge_id", challenge.id);
  body.set("nonce", challenge.nonce);
  body.set("document", documentPicture, "document.jpg");
  for (const frame of frames) {
    body.append("frames", frame.picture, "frame.jpg");
    body.append("at_ms", String(frame.at));
  }
  const answer = await fetch(root.dataset.check, { method: "POST", body });
  const said = await answer.text();
  if (!said.includes("data-title")) throw new Error(answer.status === 401 ? "ended" : "refused"); // a page, no outcome
  part("outcome").innerHTML = said;
  if (!part("outcome").querySelector("[data-act]")) forgetDocument(); // nothing is taken again
  showStep("outcome");
}

function say(sentence, moment, count) {
  part("stage").dataset.moment = moment;
  if (moment === "waiting") bar.value = 0;
  if (moment === "opening" || moment === "sending") bar.removeAttribute("value"); // it runs, nobody knows how far
  if (prompt.dataset.said === sentence) return;
  prompt.dataset.said = sentence;
  prompt.textContent = sentence;
  if (count) prompt.append(Object.assign(document.createElement("small"), { textContent: count }));
  if (moment === "moving") navigator.vibrate?.(60);
}

function trouble(sentence) {
  part("camera-trouble").hidden = false;
  part("camera-trouble").querySelector("[data-trouble]").textContent = sentence;
  root.querySelector('[data-act="start"]').hidden = false;
}

function fail(error) {
  closeCamera(video("live"));
  say(words.begin, "waiting");
  trouble(words[error.message] ?? words.failed);
}
