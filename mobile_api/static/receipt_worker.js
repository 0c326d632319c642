// The public check of a receipt without a network: the page, its parts and the registry's keys as they were last seen.

const CACHE = "anju-receipts";
const PATIENCE_MS = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || event.request.headers.has("X-Anju-Keep")) return;
  event.respondWith(soon(event.request).catch(() => kept(event.request)));
});

async function kept(request) {
  const cache = await caches.open(CACHE);
  const same = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
  return same ?? Response.error();
}

function soon(request) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS);
    fetch(request).then(resolve, reject);
  });
}
