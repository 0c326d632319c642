// Makes one element like another, keeping whatever is alike: focus, what was typed and open details stay where they are.

// What scripts have changed, or drawn, stays as it is while the answer still has it.
const KEPT = "[data-keep], [data-copy], [data-share], [data-print]";

/** Make `old` like `fresh`; the focus stays on the same link, button or field, else on `old`. */
export function morph(old, fresh) {
  const at = document.activeElement;
  const inside = old.contains(at);
  shape(old, fresh);
  if (!inside || old.contains(document.activeElement)) return;
  const same = [...old.querySelectorAll("a, button, input, select, textarea, summary")].find((each) => alike(each, at));
  if (!same) old.tabIndex = -1;
  (same ?? old).focus({ preventScroll: true });
}

/** Whether something was typed or chosen in `part`, or is being. */
export function isTyped(part) {
  const fields = [...part.querySelectorAll("input:not([type=hidden]), textarea, select")];
  return fields.some((field) => field === document.activeElement || isChanged(field));
}

function isChanged(field) {
  if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) return field.value !== ([...field.options].find((each) => each.defaultSelected) ?? field.options[0])?.value;
  return field.value !== field.defaultValue;
}

function shape(old, fresh) {
  if (old.matches(KEPT)) return;
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS")) old.removeAttribute(name);
  }
  let next = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const twin = twinFrom(next, wanted);
    if (!twin) {
      old.insertBefore(document.importNode(wanted, true), next);
      continue;
    }
    while (next !== twin) next = drop(next);
    if (twin.nodeType === Node.ELEMENT_NODE) shape(twin, wanted);
    else if (twin.data !== wanted.data) twin.data = wanted.data;
    next = twin.nextSibling;
  }
  while (next) next = drop(next);
}

/** The next sibling that `wanted` may be made of; a text only at its own place. */
function twinFrom(next, wanted) {
  if (wanted.nodeType !== Node.ELEMENT_NODE) return next?.nodeType === wanted.nodeType ? next : undefined;
  for (let each = next; each; each = each.nextSibling) if (alike(each, wanted)) return each;
  return undefined;
}

const alike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
const keyOf = (node) => node.id || node.getAttribute?.("href") || node.getAttribute?.("action") || node.getAttribute?.("name") || "";

function drop(node) {
  const following = node.nextSibling;
  node.remove();
  return following;
}
