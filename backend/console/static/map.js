// The map beside the list: a mark for each dwelling of the GeoJSON; a click on either opens the same dwelling.
// The list is the way by keyboard and works alone; no tiles are asked of anybody.
import { announce, askAgain, showParts, walkRows } from "./parts.js";

const page = document.querySelector("[data-map-page]");
const room = page.querySelector("[data-map]");
const SIZES = { least: 9, letter: 17, most: 28 }; // of a mark, in pixels; below `letter` its shape alone is shown
const ROOM_FOR_NAMES = 44; // pixels between neighbours from which door numbers stand beside the marks
const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
const map = L.map(room, {
  attributionControl: false, // nothing on it is somebody else's
  keyboard: false,
  zoomSnap: 0.25,
  minZoom: 10,
  maxZoom: 22,
  zoomAnimation: !reduced,
  fadeAnimation: !reduced,
});
L.control.scale({ imperial: false }).addTo(map);
const shapes = new Map(); // dwelling id -> {marker, outline, feature}

function pictureOf(state) {
  return page.querySelector(`template[data-mark="${CSS.escape(state)}"]`).content.firstElementChild.cloneNode(true);
}

function drawMark(feature) {
  const picture = document.createElement("span");
  const door = document.createElement("small");
  door.textContent = feature.properties.door;
  picture.append(pictureOf(feature.properties.state), door);
  return L.divIcon({ className: "map-mark", html: picture, iconSize: [28, 28] });
}

function draw(collection) {
  for (const feature of collection.features) {
    const { id, point, state, address, state_word } = feature.properties;
    const known = shapes.get(id);
    if (known?.feature.properties.state === state) continue;
    known?.marker.remove();
    known?.outline?.remove();
    const at = L.latLng(point[1], point[0]);
    const marker = L.marker(at, { icon: drawMark(feature), keyboard: false, title: `${address} · ${state_word}` });
    const outline = feature.geometry.type === "Polygon" && L.geoJSON(feature, { className: `outline outline-${state}` });
    for (const shape of [marker, outline]) if (shape) shape.addTo(map).on("click", () => open(id));
    shapes.set(id, { marker, outline, feature });
    const row = page.querySelector(`[data-row][data-id="${CSS.escape(id)}"]`);
    if (known && row) {
      row.querySelector("[data-mark-of]").replaceChildren(pictureOf(state));
      row.querySelector("[data-word]").textContent = state_word;
    }
  }
}

/** The usual distance from a dwelling to its next neighbour, in metres, from at most 200 of them. */
function usualDistance() {
  const points = [...shapes.values()].map(({ marker }) => marker.getLatLng());
  const step = Math.max(1, Math.floor(points.length / 200));
  const nearest = points
    .filter((_, place) => place % step === 0)
    .map((one) => Math.min(...points.filter((other) => other !== one).map((other) => map.distance(one, other))))
    .sort((one, other) => one - other);
  return nearest[Math.floor(nearest.length / 2)] ?? Infinity;
}

/** Marks as large as their neighbours leave room for. */
function fitMarks(metres) {
  const bottom = map.getSize().y;
  const perPixel = map.distance(map.containerPointToLatLng([0, 0]), map.containerPointToLatLng([0, bottom])) / bottom;
  const between = metres / perPixel;
  const size = Math.max(SIZES.least, Math.min(SIZES.most, between * 0.8));
  room.style.setProperty("--mark", `${size}px`);
  room.classList.toggle("without-letters", size < SIZES.letter);
  room.classList.toggle("without-names", between < ROOM_FOR_NAMES);
}

/** Open a dwelling, wherever it was clicked: row and mark are chosen, its units are shown. */
async function open(id) {
  const row = page.querySelector(`[data-row][data-id="${CSS.escape(id)}"]`);
  for (const other of page.querySelectorAll('[data-row][aria-current="true"]')) other.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
  for (const [each, { marker, outline }] of shapes) {
    marker.getElement()?.classList.toggle("is-chosen", each === id);
    marker.setZIndexOffset(each === id ? 1000 : 0);
    outline?.eachLayer((layer) => layer.getElement()?.classList.toggle("is-chosen", each === id));
  }
  const chosen = shapes.get(id);
  if (chosen) map.panInside(chosen.marker.getLatLng(), { padding: [60, 60], animate: !reduced });
  page.ariaBusy = "true";
  const parts = await askAgain(row.href, { byHand: true });
  page.ariaBusy = null;
  if (parts === null) {
    location.assign(row.href);
    return;
  }
  showParts(parts, page);
  announce(page.querySelector("#opened .card-head")?.textContent);
  const address = new URL(location.href);
  address.searchParams.set("dwelling", id);
  history.replaceState({}, "", address);
}

page.querySelector("[data-list]")?.addEventListener("click", (press) => {
  const row = press.target.closest("[data-row]");
  if (!row || press.ctrlKey || press.metaKey || press.shiftKey || press.button) return;
  press.preventDefault();
  open(row.dataset.id);
});

walkRows(page);

async function renew(byHand) {
  const text = await askAgain(page.dataset.shapes, { byHand });
  if (text) draw(JSON.parse(text));
}

await renew(true);
if (shapes.size) {
  map.fitBounds(L.latLngBounds([...shapes.values()].map(({ marker }) => marker.getLatLng())).pad(0.08), { maxZoom: 19 });
  const metres = usualDistance();
  map.on("zoomend", () => fitMarks(metres));
  fitMarks(metres);
} else {
  map.setView([35, 105], 10);
}
page.dataset.drawn = String(shapes.size);
const wished = new URL(location.href).searchParams.get("dwelling");
if (wished && page.querySelector(`[data-row][data-id="${CSS.escape(wished)}"]`)) open(wished);
setInterval(() => document.hidden || renew(false), Number(page.dataset.every) * 1000);
