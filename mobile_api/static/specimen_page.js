// The specimen page: choose an invented identity, put one's own portrait on the card, save it.
import { closeCamera, openCamera, toJpeg } from "./camera.js";
import { drawSpecimen } from "./specimen.js";

const root = document.querySelector("#specimen");
const canvas = root.querySelector("canvas");
const stage = root.querySelector("[data-stage]");
const video = stage.querySelector("video");
const camera = root.querySelector("[data-camera]");
const label = camera.querySelector("span");
let portrait = null;

function draw() {
  const chosen = root.querySelector("[name=person]:checked");
  drawSpecimen(canvas, { name: chosen.dataset.name, number: chosen.value, word: root.dataset.word }, portrait);
}

root.addEventListener("change", async (event) => {
  if (event.target.type === "file" && event.target.files[0]) {
    portrait = await createImageBitmap(event.target.files[0], { imageOrientation: "from-image" }).catch(() => portrait);
  }
  draw();
});

camera.addEventListener("click", async () => {
  if (stage.hidden) {
    stage.hidden = false;
    try {
      await openCamera(video);
      camera.scrollIntoView({ block: "end" }); // preview and shutter together: the page is longer than a phone
      label.textContent = label.dataset.shoot;
    } catch {
      stage.hidden = true;
    }
    return;
  }
  portrait = await createImageBitmap(video);
  closeCamera(video);
  stage.hidden = true;
  label.textContent = label.dataset.open;
  draw();
});

root.querySelector("[data-save]").addEventListener("click", async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await toJpeg(canvas, 0.92));
  link.download = "anju-specimen.jpg";
  link.click();
  URL.revokeObjectURL(link.href);
});

draw();
