// Without a network, or with one that does not answer, a page of the round falls back to itself as it was kept this
// morning, else to the round. Pages that name a person are never kept.

const HOME = new URL("./", self.location.href).href;
const PATIENCE_MS = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(soon(request).catch(async () => (await kept(bare(request.url))) ?? (await kept(HOME)) ?? Response.error()));
  else if (/\.(js|css|svg)$/.test(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(async () => (await kept(request.url)) ?? Response.error()));
  }
});

const bare = (address) => address.replace(/[?#].*$/, "");
const kept = (address) => caches.match(address);

function soon(request) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS);
    fetch(request).then(resolve, reject);
  });
}
