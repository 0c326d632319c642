// Without a network, or with one that does not answer, a page falls back to itself as it was kept, else to the page kept
// for that time. The same program serves the tenant's pages and the landlord's; its own address says which.

const SHELL = new URL("offline", self.location.href).href;
const PATIENCE_MS = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(soon(request).catch(async () => (await caches.match(request.url)) ?? kept(SHELL)));
  else if (request.method === "GET" && /\.(js|css|svg)$/.test(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => kept(request)));
  }
});

const kept = async (request) => (await caches.match(request)) ?? Response.error();

// What changes something is waited for: nobody is told "no network" about a form that arrived.
function soon(request) {
  if (request.method !== "GET") return fetch(request);
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS);
    fetch(request).then(resolve, reject);
  });
}
