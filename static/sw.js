// Keeps the page for when there is no network. app.js registers it with the build in its address, so that another build is
// another worker, with files of its own; it is never registered on the machine that serves the page.
//
// A build is kept whole or not at all: build.json has the digest of each of its files. Every file is asked for by its build, so
// a page never gets another build's. The index, which names the build, comes from the network if that answers soon; and so do the rules
// for JavaScript, which many visitors never need: they are kept once somebody has asked for them, and only together.

const build = new URL(location.href).searchParams.get("b");
const PREFIX = "umem-";
const INDEX = new URL("./", location.href).href;
/** The rules for JavaScript. The element asks for them, too, in documents that know no build. */
const RULES = ["plan/umem_plan.js", "plan/umem_plan_bg.wasm"].map((file) => new URL(file, location.href).href);
/** How long the network may take to answer with what it has of its own, in milliseconds. */
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
  if (request.mode === "navigate" && url.origin + url.pathname === INDEX) event.respondWith(ours(INDEX).then((found) => fresh(request, found)));
  else if (url.href === RULES[0]) {
    event.respondWith(rules(request));
    event.waitUntil(keepRules().catch(() => {}));
  }
  else if (url.href === RULES[1]) event.respondWith(code(request));
  else if (url.searchParams.has("b")) event.respondWith(kept(request, url));
});

/** Keeps the rules for the next time: all of them or none. Where that fails they are asked for again. */
async function keepRules() {
  const cache = await caches.open(PREFIX + build);
  if (await cache.match(RULES[1])) return;
  await cache.addAll(RULES.map((url) => new Request(url, { cache: "no-cache" })));
}

/** Whether what calls the rules is the one that was kept: then their code is, too. */
let isKept = false;
async function rules(request) {
  const found = await ours(RULES[0]);
  const answer = await fresh(request, found);
  isKept = answer === found;
  return answer;
}
const code = async (request) => (isKept && (await ours(RULES[1]))) || fetch(request);

/** What was kept of this build. */
const ours = async (url) => (await caches.open(PREFIX + build)).match(url);

/** A file from the network; the one that was `found` here where that does not answer soon. */
async function fresh(request, found) {
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
