// Keeps the page for when there is no network. app.js registers it with the build in its address, so that another build is
// another worker, with files of its own; it is never registered on the machine that serves the page.
//
// A build is kept whole or not at all: build.json has the digest of each of its files. Every file is asked for by its build, so
// a page never gets another build's. The index, which names the build, comes from the network if that answers soon.

const build = new URL(location.href).searchParams.get("b");
const PREFIX = "umem-";
const INDEX = new URL("./", location.href).href;
/** How long the network may take to answer with the index, in milliseconds. */
const SOON = 2500;

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A file whose content has this digest: from the browser's own cache if it is there, since the page has just loaded it. */
async function whole(url, digest) {
  for (const cache of ["default", "reload"]) {
    const answer = await fetch(url, { cache });
    if (!answer.ok) continue;
    const body = await answer.clone().arrayBuffer();
    if (hex(await crypto.subtle.digest("SHA-256", body)) === digest) return answer;
  }
  throw new Error(`${url} is not what build ${build} has`);
}

async function fill() {
  const manifest = await (await fetch("build.json", { cache: "no-cache" })).json();
  if (manifest.build !== build) throw new Error(`the server has build ${manifest.build} by now, and this is ${build}`);
  const files = Object.entries(manifest.files).map(([file, digest]) => {
    const url = file === "index.html" ? INDEX : new URL(`${file}?b=${build}`, location.href).href;
    return whole(url, digest).then((answer) => [url, answer]);
  });
  const all = await Promise.all(files);
  const cache = await caches.open(PREFIX + build);
  try {
    for (const [url, answer] of all) await cache.put(url, answer);
  } catch (error) {
    await caches.delete(PREFIX + build);
    throw error;
  }
}

addEventListener("install", (event) => event.waitUntil(fill().then(() => skipWaiting())));

addEventListener("activate", (event) => {
  const tidy = async () => {
    // The build before this one stays: a tab may still show it, and ask for its story. Names come in the order in which they were made.
    const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + build);
    await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(tidy());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.origin + url.pathname === INDEX) event.respondWith(index(request));
  else if (url.searchParams.has("b")) event.respondWith(kept(request, url));
});

/** The index from the network; the one that was kept where that does not answer soon. */
async function index(request) {
  const found = await (await caches.open(PREFIX + build)).match(INDEX);
  const network = fetch(request);
  if (!found) return network;
  network.catch(() => {});
  const late = new Promise((done) => setTimeout(done, SOON));
  const answer = await Promise.race([network.catch(() => undefined), late]);
  return answer?.ok ? answer : found;
}

/** A file of a build: one that is kept never changes. */
async function kept(request, url) {
  // Some libraries end a query with an "&".
  url.search = `?b=${url.searchParams.get("b")}`;
  return (await caches.match(url.href)) ?? fetch(request);
}
