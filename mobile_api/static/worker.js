// Without a network, or with one that does not answer, the tenant's pages fall back to the page kept for that.

const SHELL = "/t/offline";
const PATIENCE_MS = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(soon(request).catch(() => kept(SHELL)));
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
