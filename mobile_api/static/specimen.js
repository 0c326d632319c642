// A made-up document for trying Anju: SPECIMEN across it, the portrait from the visitor's own camera or a chosen file.
import { toJpeg } from "./camera.js";

const WIDTH = 1280;
const HEIGHT = 808; // the proportions of an identity card (ISO/IEC 7810 ID-1)
const PORTRAIT = { x: 780, y: 130, width: 420, height: 525 };
const FACE = 'system-ui, "PingFang SC", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif';

/** Draw the card; `picture` is anything a canvas can draw, or null for an empty portrait. */
export function drawSpecimen(canvas, { name, number, word }, picture) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#eef3fb";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  waves(pen);
  pen.fillStyle = "#0b3f94";
  pen.fillRect(0, 0, WIDTH, 96);
  text(pen, word, 48, 64, "#ffffff", 44, 700);
  row(pen, "姓名 Name", name, 170);
  row(pen, "证件号码 Number", number, 300);
  row(pen, "签发 Issued by", "安居演示 Anju demo", 430);
  text(pen, "不是证件，没有任何效力。Not a document.", 48, 740, "#c00000", 30, 600);
  across(pen, word);
  portrait(pen, picture, word);
}

/** The drawn card as JPEG. */
export async function specimenJpeg(words, picture) {
  const canvas = document.createElement("canvas");
  drawSpecimen(canvas, words, picture);
  return toJpeg(canvas, 0.92);
}

function row(pen, label, value, y) {
  text(pen, label, 48, y, "#595959", 28, 400);
  text(pen, value, 48, y + 56, "#17212f", 46, 600);
}

function text(pen, words, x, y, colour, size, weight) {
  pen.fillStyle = colour;
  pen.font = `${weight} ${size}px ${FACE}`;
  pen.fillText(words, x, y);
}

function waves(pen) {
  pen.strokeStyle = "rgb(9 88 217 / 10%)";
  pen.lineWidth = 3;
  for (let line = 0; line < 14; line++) {
    pen.beginPath();
    for (let x = 0; x <= WIDTH; x += 20) pen.lineTo(x, 120 + line * 52 + 16 * Math.sin(x / 90 + line));
    pen.stroke();
  }
}

function portrait(pen, picture, word) {
  const { x, y, width, height } = PORTRAIT;
  pen.fillStyle = "#d7dde7";
  pen.fillRect(x, y, width, height);
  if (picture) fit(pen, picture);
  pen.fillStyle = "rgb(192 0 0 / 72%)"; // over the shoulders, clear of the face
  pen.fillRect(x, y + height - 56, width, 56);
  text(pen, word, x + 24, y + height - 16, "#ffffff", 34, 700);
}

function fit(pen, picture) {
  const { x, y, width, height } = PORTRAIT;
  const wide = picture.videoWidth ?? picture.width;
  const high = picture.videoHeight ?? picture.height;
  const scale = Math.min(wide / width, high / height);
  const [cutWidth, cutHeight] = [width * scale, height * scale];
  pen.drawImage(picture, (wide - cutWidth) / 2, (high - cutHeight) / 2, cutWidth, cutHeight, x, y, width, height);
}

function across(pen, word) {
  pen.save();
  pen.translate(WIDTH / 2, HEIGHT / 2 + 60);
  pen.rotate(-0.42);
  pen.textAlign = "center";
  pen.fillStyle = "rgb(192 0 0 / 16%)";
  pen.font = `800 150px ${FACE}`;
  pen.fillText(word, -40, 0);
  pen.restore();
}
