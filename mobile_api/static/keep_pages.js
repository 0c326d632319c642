// Keeping pages for the time without a network, and all they are made of; nothing personal is in them.

/** Register the service worker and keep `pages` in the cache of this name; what is no longer needed goes out of it. */
export async function keepPages({ worker, pages, cache: name }) {
  await navigator.serviceWorker.register(worker);
  const wanted = new Set();
  for (const page of pages) {
    wanted.add(new URL(page, location.href).href);
    const text = await (await fetch(page)).text();
    for (const part of new DOMParser().parseFromString(text, "text/html").querySelectorAll("link[href], script[src]")) {
      const address = new URL(part.getAttribute("href") ?? part.getAttribute("src"), location.href).href;
      if (part.tagName === "SCRIPT") await addModule(address, wanted);
      else wanted.add(address);
    }
  }
  const cache = await caches.open(name);
  await cache.addAll([...wanted]);
  for (const old of await cache.keys()) if (!wanted.has(old.url)) await cache.delete(old);
}

/** A module and whatever it imports. */
async function addModule(address, wanted) {
  if (wanted.has(address)) return;
  wanted.add(address);
  const text = await (await fetch(address)).text();
  for (const [, name] of text.matchAll(/from "(\.\/[\w.]+)"/g)) await addModule(new URL(name, address).href, wanted);
}
