// The second select follows the first: the counties of the chosen province.
const group = document.querySelector("[data-divisions]");
const province = group?.querySelector("#province");
province?.addEventListener("change", async () => {
  const county = group.querySelector("#hukou_division");
  county.replaceChildren();
  if (!province.value) return;
  const answer = await fetch(group.dataset.divisions + province.value);
  if (answer.ok) county.innerHTML = await answer.text();
});
