// Keeps the page for when there is no network. app.js registers it with the build in its address, so that another build is
// another worker, with files of its own; it is never registered on the machine that serves the page.
//
// What the network has comes first: nobody sees an old page while there is a new one.

const build = new URL(location.href).searchParams.get("build");
const kept = `umem-${build}`;
const FILES = ["./", "style.css", "app.js", "icon.svg", "story.json", "umem-split.js", "element/umem_split.js", "element/umem_split_bg.wasm", "pkg/web.js", "pkg/web_bg.wasm"];

addEventListener("install", (event) => {
  const all = FILES.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(kept).then((cache) => cache.addAll(all)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("umem-") && name !== kept);
    await Promise.all(names.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(old());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(fetch(request).catch(() => fallback(request)));
});

/** What was kept of a file, whatever it was asked for with. */
async function fallback(request) {
  const cache = await caches.open(kept);
  const isPage = request.url.split(/[?#]/)[0] === new URL("./", location.href).href;
  const found = await cache.match(isPage ? "./" : request, { ignoreSearch: true });
  return found ?? Response.error();
}
