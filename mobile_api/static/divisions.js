// The second select follows the first: the counties of the chosen province.
const group = document.querySelector("[data-divisions]");
const province = group?.querySelector("#province");
const county = group?.querySelector("#hukou_division");

province?.addEventListener("change", offer);
if (county?.dataset.kept) offer(); // chosen before the form was put back

async function offer() {
  county.replaceChildren();
  if (!province.value) return;
  const answer = await fetch(group.dataset.divisions + province.value);
  if (!answer.ok) return;
  county.innerHTML = await answer.text();
  if (county.dataset.kept) county.value = county.dataset.kept;
  delete county.dataset.kept;
}
