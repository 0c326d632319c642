// QR codes made in the browser, for a page without a network: ISO/IEC 18004, byte mode, error correction level L.

// Check words of one block, and blocks, by version 1 to 40 (table 9 of the standard, level L).
const CHECK_WORDS = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30,
  30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
const BLOCKS = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20,
  21, 22, 24, 25,
];
const LEVEL_L = 1; // as the format bits spell it
const QUIET = 4;
const MASKS = [
  (row, column) => (row + column) % 2,
  (row) => row % 2,
  (row, column) => column % 3,
  (row, column) => (row + column) % 3,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2,
  (row, column) => ((row * column) % 2) + ((row * column) % 3),
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2,
];

/** The modules of the smallest QR code that holds a text: rows of true (dark) and false. Throws when none is large enough. */
export function qrModules(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version < 40 && bytes.length + headerBytes(version) > dataWords(version)) version++;
  if (bytes.length + headerBytes(version) > dataWords(version)) throw new RangeError("too long for a QR code");
  const words = withChecks(version, dataOf(version, bytes));
  const tried = MASKS.map((_, mask) => drawn(version, words, mask));
  return tried.reduce((best, each) => (penalty(each) < penalty(best) ? each : best));
}

/** The same as an SVG element with a title for those who do not see it. */
export function drawQr(text, words) {
  const modules = qrModules(text);
  const width = modules.length + 2 * QUIET;
  const make = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const picture = make("svg", { viewBox: `0 0 ${width} ${width}`, role: "img", "shape-rendering": "crispEdges" });
  const title = make("title", {});
  title.textContent = words;
  const dark = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : [])));
  picture.append(title, make("path", { fill: "#fff", d: `M0 0h${width}v${width}H0z` }), make("path", { d: dark.join("") }));
  return picture;
}

const sizeOf = (version) => version * 4 + 17;
const headerBytes = (version) => (version < 10 ? 2 : 3); // mode and length in bits, and the end; rounded up to bytes

function allWords(version) {
  const marks = version < 2 ? 0 : Math.floor(version / 7) + 2;
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) modules -= (25 * marks - 10) * marks - 55;
  if (version >= 7) modules -= 36;
  return Math.floor(modules / 8);
}

const dataWords = (version) => allWords(version) - CHECK_WORDS[version - 1] * BLOCKS[version - 1];

function dataOf(version, bytes) {
  const bits = [];
  const push = (value, count) => {
    for (let at = count - 1; at >= 0; at--) bits.push((value >>> at) & 1);
  };
  push(4, 4);
  push(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) push(byte, 8);
  push(0, 4);
  while (bits.length % 8) bits.push(0);
  const words = [];
  for (let at = 0; at < bits.length; at += 8) words.push(bits.slice(at, at + 8).reduce((all, bit) => all * 2 + bit, 0));
  for (let pad = 0xec; words.length < dataWords(version); pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

// Arithmetic in GF(256) over x^8+x^4+x^3+x^2+1.
function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> bit) & 1) * a;
  }
  return product;
}

function divisor(degree) {
  let polynomial = [1];
  let root = 1;
  for (let step = 0; step < degree; step++) {
    const next = [...polynomial, 0];
    polynomial.forEach((factor, at) => (next[at + 1] ^= times(factor, root)));
    polynomial = next;
    root = times(root, 2);
  }
  return polynomial.slice(1);
}

function checksOf(data, by) {
  const rest = by.map(() => 0);
  for (const word of data) {
    const lead = word ^ rest.shift();
    rest.push(0);
    by.forEach((factor, at) => (rest[at] ^= times(factor, lead)));
  }
  return rest;
}

/** Data and check words, block after block, woven as the standard wants them. */
function withChecks(version, data) {
  const count = BLOCKS[version - 1];
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const by = divisor(CHECK_WORDS[version - 1]);
  const blocks = [];
  for (let at = 0, number = 0; number < count; number++) {
    const length = short + (number >= count - longer ? 1 : 0);
    blocks.push(data.slice(at, (at += length)));
  }
  const checks = blocks.map((block) => checksOf(block, by));
  const woven = [];
  for (const rows of [blocks, checks]) {
    for (let at = 0; at < Math.max(...rows.map((row) => row.length)); at++) {
      for (const row of rows) if (at < row.length) woven.push(row[at]);
    }
  }
  return woven;
}

function alignmentMarks(version) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = version === 32 ? 26 : Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const places = [];
  for (let place = sizeOf(version) - 7; places.length < count - 1; place -= step) places.unshift(place);
  return [6, ...places];
}

function drawn(version, words, mask) {
  const size = sizeOf(version);
  const modules = Array.from({ length: size }, () => Array(size).fill(undefined));
  const put = (row, column, dark) => {
    if (row >= 0 && row < size && column >= 0 && column < size) modules[row][column] = Boolean(dark);
  };
  const square = (row, column, reach, isDark) => {
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) put(row + y, column + x, isDark(Math.max(Math.abs(x), Math.abs(y))));
    }
  };
  for (let at = 0; at < size; at++) {
    put(6, at, at % 2 === 0);
    put(at, 6, at % 2 === 0);
  }
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]]) {
    square(row, column, 4, (ring) => ring !== 2 && ring !== 4);
  }
  const marks = alignmentMarks(version);
  const last = marks.at(-1);
  const underFinder = (row, column) => row + column === 12 || (row === 6 && column === last) || (row === last && column === 6);
  for (const row of marks) {
    for (const column of marks) if (!underFinder(row, column)) square(row, column, 2, (ring) => ring !== 1);
  }
  writeFormat(put, size, mask);
  if (version >= 7) writeVersion(put, size, version);
  fill(modules, words, MASKS[mask]);
  return modules;
}

function withRemainder(value, shift, generator, top) {
  let rest = value << shift;
  for (let bit = top; bit >= shift; bit--) if ((rest >>> bit) & 1) rest ^= generator << (bit - shift);
  return (value << shift) | rest;
}

function writeFormat(put, size, mask) {
  const bits = withRemainder((LEVEL_L << 3) | mask, 10, 0x537, 14) ^ 0x5412;
  for (let at = 0; at < 15; at++) {
    const dark = (bits >>> at) & 1;
    if (at < 6) put(at, 8, dark);
    else if (at < 8) put(at + 1, 8, dark);
    else if (at === 8) put(8, 7, dark);
    else put(8, 14 - at, dark);
    if (at < 8) put(8, size - 1 - at, dark);
    else put(size - 15 + at, 8, dark);
  }
  put(size - 8, 8, true);
}

function writeVersion(put, size, version) {
  const bits = withRemainder(version, 12, 0x1f25, 17);
  for (let at = 0; at < 18; at++) {
    const dark = (bits >>> at) & 1;
    put(Math.floor(at / 3), size - 11 + (at % 3), dark);
    put(size - 11 + (at % 3), Math.floor(at / 3), dark);
  }
}

/** Zigzag in pairs of columns from the lower right corner, over what is still free. */
function fill(modules, words, isFlippedAt) {
  const size = modules.length;
  let bit = 0;
  let up = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      const row = up ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (modules[row][column] !== undefined) continue;
        const dark = bit < words.length * 8 && ((words[bit >>> 3] >>> (7 - (bit & 7))) & 1) === 1;
        modules[row][column] = dark !== (isFlippedAt(row, column) === 0);
        bit++;
      }
    }
    up = !up;
  }
}

/** How hard a camera would find it: long runs, blocks of one colour, uneven shares. */
function penalty(modules) {
  const size = modules.length;
  let points = 0;
  let dark = 0;
  for (let row = 0; row < size; row++) {
    let [across, down] = [0, 0];
    for (let column = 0; column < size; column++) {
      dark += modules[row][column];
      across = column && modules[row][column] === modules[row][column - 1] ? across + 1 : 1;
      down = column && modules[column][row] === modules[column - 1][row] ? down + 1 : 1;
      for (const run of [across, down]) points += run === 5 ? 3 : run > 5 ? 1 : 0;
      if (row && column) {
        const one = modules[row][column];
        if (one === modules[row - 1][column] && one === modules[row][column - 1] && one === modules[row - 1][column - 1]) points += 3;
      }
    }
  }
  return points + Math.floor(Math.abs((dark * 20) / (size * size) - 10)) * 10;
}
