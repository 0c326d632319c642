// How the console's scripts speak with the server: forms with the page's token; a refusal comes back in words.

const token = document.querySelector("input[name=csrf_token]")?.value ?? "";

export async function send(address, fields = {}) {
  const answer = await fetch(address, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { "X-CSRFToken": token, "X-Anju-Script": "1" },
    cache: "no-store",
  });
  if (answer.status === 204) return {};
  const said = await answer.json();
  return answer.ok ? said : { refused: said };
}

export function say(place, refused) {
  place.textContent = refused ? `${refused.sentence} ${refused.remedy}` : "";
  place.hidden = !refused;
}
