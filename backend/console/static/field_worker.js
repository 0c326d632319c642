// Without a network, or with one that does not answer, a page of the round falls back to itself as it was kept this
// morning, any other to a page that says so. Pages that name a person are never kept.

const OFFLINE = new URL("offline", self.location.href).href;
const CACHE = "anju-round"; // the parts of its pages are of one age
const PATIENCE_MS = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.headers.has("X-Anju-Keep")) return; // what is kept anew comes from the server or not at all
  if (request.mode === "navigate") event.respondWith(soon(request).catch(() => instead(request)));
  else if (request.method === "GET" && /\.(js|css|svg)$/.test(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(async () => (await kept(request.url)) ?? Response.error()));
  }
});

const bare = (address) => address.replace(/[?#].*$/, "");
const kept = (address) => caches.match(address, { cacheName: CACHE });

/** What stands for a page that cannot be reached; a form that did not arrive is never answered by a page of before. */
async function instead({ method, url }) {
  return (method === "GET" && (await kept(bare(url)))) || ((await kept(OFFLINE)) ?? Response.error());
}

// What changes something is waited for: nobody is told "no network" about a form that arrived.
function soon(request) {
  if (request.method !== "GET") return fetch(request);
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS);
    fetch(request).then(resolve, reject);
  });
}
