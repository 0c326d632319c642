// Forms about a person: the counties follow the province, and what an identity card's number says is not asked again.

for (const group of document.querySelectorAll("[data-divisions]")) {
  const [province, county] = group.querySelectorAll("select");
  const offer = async () => {
    county.replaceChildren();
    if (!province.value) return;
    const answer = await fetch(group.dataset.divisions + province.value);
    if (answer.ok) county.innerHTML = await answer.text();
    county.value = county.dataset.kept ?? ""; // what was chosen before the screen was locked
    delete county.dataset.kept;
  };
  province.addEventListener("change", offer);
  if (province.value && county.options.length < 2) offer(); // put back by the browser or from a locked screen
}

const said = document.querySelectorAll("[data-in-number]");
const idType = document.querySelector("select[name=id_type]");

function ask() {
  const card = idType.value === "111";
  for (const field of said) field.hidden = card && !field.querySelector(".fault");
}

if (idType && said.length) {
  idType.addEventListener("change", ask);
  ask();
}
