// Keeping pages for the time without a network, and all they are made of; nothing personal is in them.

// Straight from the server, never out of an older cache; a page then does not say whose it is, since it may outlive that.
const TO_KEEP = { headers: { "X-Anju-Keep": "1" } };

/**
 * Register the service worker and keep `pages`, and what `also` names, in the cache of this name; what is no longer needed
 * goes out of it. Each cache is filled at once and serves its own pages alone: the parts of a page are of one age.
 */
export async function keepPages({ worker, pages, also = [], cache: name }) {
  await navigator.serviceWorker.register(worker);
  const wanted = new Set(also.map((part) => new URL(part, location.href).href));
  for (const page of pages) {
    wanted.add(new URL(page, location.href).href);
    const text = await (await fetch(page, TO_KEEP)).text();
    for (const part of new DOMParser().parseFromString(text, "text/html").querySelectorAll("link[href], script[src]")) {
      const address = new URL(part.getAttribute("href") ?? part.getAttribute("src"), location.href).href;
      if (part.tagName === "SCRIPT") await addModule(address, wanted);
      else wanted.add(address);
    }
  }
  const cache = await caches.open(name);
  await cache.addAll([...wanted].map((address) => new Request(address, TO_KEEP)));
  for (const old of await cache.keys()) if (!wanted.has(old.url)) await cache.delete(old);
}

/** A module and whatever it imports. */
async function addModule(address, wanted) {
  if (wanted.has(address)) return;
  wanted.add(address);
  const text = await (await fetch(address, TO_KEEP)).text();
  for (const [, name] of text.matchAll(/(?:from|import) "([./][\w./]+)"/g)) await addModule(new URL(name, address).href, wanted);
}
