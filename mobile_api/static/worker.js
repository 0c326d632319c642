// Without a network, or with one that does not answer, a page falls back to itself as it was kept, else to the page kept
// for that time. The same program serves the tenant's pages and the landlord's; its own address says which.

const SHELL = new URL("offline", self.location.href).href;
const CACHES = ["anju-offline", "anju-receive", "anju-side"]; // each was filled at a time of its own
const PATIENCE_MS = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request, clientId } = event;
  if (request.headers.has("X-Anju-Keep")) return; // what is kept anew comes from the server or not at all
  if (request.mode === "navigate") event.respondWith(soon(request).catch(() => instead(request)));
  else if (request.method === "GET" && /\.(js|css|svg)$/.test(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => partFor(clientId, request.url)));
  }
});

/** What stands for a page that cannot be reached; a form that did not arrive is never answered by a page of before. */
async function instead({ method, url }) {
  const page = method === "GET" ? url : SHELL;
  const cacheName = await cacheOf(page);
  return (await found(page, cacheName)) ?? (await found(SHELL, cacheName)) ?? Response.error();
}

/** A part of a page out of that page's own cache: one of another age may not fit it. */
async function partFor(clientId, address) {
  const client = await self.clients.get(clientId);
  return (await found(address, await cacheOf(client?.url ?? SHELL))) ?? Response.error();
}

/** The cache that holds a page, else the one that holds the page for the time without a network. */
async function cacheOf(page) {
  for (const address of [page, SHELL]) {
    for (const cacheName of CACHES) if (await found(address, cacheName)) return cacheName;
  }
  return undefined;
}

const found = async (address, cacheName) => cacheName && (await caches.match(address, { cacheName }));

// What changes something is waited for: nobody is told "no network" about a form that arrived.
function soon(request) {
  if (request.method !== "GET") return fetch(request);
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS);
    fetch(request).then(resolve, reject);
  });
}
