// The page without a network, after the first visit: the server is stopped, and one build never mixes with another. It is never
// kept where it is served to its own machine.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { named, press } from "./fields.mjs";
import { launch, onlyChromium, start, status } from "./support.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";
const STATIC = fileURLToPath(new URL("../../static/", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".json": "application/json" };

let site;
before(async () => { site = await start(); });
after(() => site?.stop());

const digest = (content) => createHash("sha256").update(content).digest("hex");

/** A server of the page on another machine, as the browser has it: it counts what it sends, can be stopped, and `changed` has files of its own. */
async function elsewhere(t) {
  const sent = [];
  const changed = {};
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://any").pathname.slice(1) || "index.html";
    const content = changed[path] ?? (await readFile(join(STATIC, path)).catch(() => null));
    const etag = content && `"${digest(content)}"`;
    const headers = { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Cache-Control": "no-cache", ...(etag && { ETag: etag }) };
    if (content === null) return response.writeHead(404).end();
    if (request.headers["if-none-match"] === etag) return response.writeHead(304, headers).end();
    sent.push(path);
    response.writeHead(200, headers).end(content);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  const origin = `http://umem.test:${port}`;
  const browser = await launch(["--host-resolver-rules=MAP umem.test 127.0.0.1", `--unsafely-treat-insecure-origin-as-secure=${origin}`]);
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  t.after(async () => {
    await browser.close();
    await stop();
  });
  const page = await browser.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  return { page, address: `${origin}/`, sent, changed, stop };
}

const kept = (page) => page.evaluate(() => caches.keys());
const build = async () => JSON.parse(await readFile(join(STATIC, "build.json"))).build;

test("what this machine serves to itself is never kept", async () => {
  const page = await site.open();
  await new Promise((wait) => setTimeout(wait, 500));
  const workers = await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
  assert.equal(workers, 0);
  await page.close();
});

test("after the first visit the page opens though its server is gone", onlyChromium("keep it from its sandbox"), async (t) => {
  const { page, address, sent, stop } = await elsewhere(t);
  await page.goto(address);
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.scriptURL);
  assert.deepEqual(await kept(page), [`umem-${await build()}`]);
  const large = sent.filter((path) => path.endsWith(".wasm")).sort();
  assert.deepEqual(large, ["pkg/split_more.wasm", "pkg/web_bg.wasm"], "the code is sent once");
  await stop();
  await page.goto(`${address}#story=1`);
  await page.reload();
  await page.waitForSelector(".story h2");
  await page.goto(`${address}?away=2#case=mana-2m`);
  await page.waitForFunction(() => document.querySelector(".about")?.textContent.startsWith("Public report"));
  await page.goto(`${address}?away=1#preset=mail`);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  assert.equal(await status(page), MAIL);
  assert.deepEqual(page.complaints, []);
});

/** Pastes a scenario, and waits for its answer. */
async function paste(page) {
  await press(page, "Paste");
  const text = await named(page, "textbox", "Paste a log line, smaps or JSON");
  await text.evaluate((field) => { field.value = '{"version": 1, "region": {"length": "8M"}, "memory": {"page_size": "2M", "layout": "contiguous"}, "device": "efa"}'; });
  await press(page, "Read");
  await page.waitForFunction(() => location.hash.startsWith("#s="));
}

test("what is pasted is read without a network, once something was pasted", onlyChromium("keep it from its sandbox"), async (t) => {
  const { page, address, sent, stop } = await elsewhere(t);
  await page.goto(address);
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.scriptURL);
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  assert.ok(!sent.some((path) => path.startsWith("plan/")), "who only looks does not load it");
  await paste(page);
  await page.waitForFunction(async () => (await (await caches.open((await caches.keys())[0])).keys()).some(({ url }) => url.endsWith("umem_plan_bg.wasm")));
  await stop();
  await page.goto(`${address}#preset=scattered`);
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  await paste(page);
  assert.equal(await status(page), "1 entry: 1 × 8M");
  assert.deepEqual(page.complaints, []);
});

test("without a network, before that, the page says what it lacks, and later it works", onlyChromium("keep it from its sandbox"), async (t) => {
  const { page, address, stop } = await elsewhere(t);
  await page.goto(address);
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.scriptURL);
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  await stop();
  await press(page, "Paste");
  await page.waitForSelector(".notice[role=alert]");
  assert.match(await page.$eval(".notice[role=alert]", (alert) => alert.textContent), /^The rules could not be loaded .*try again once the network is back/);
});

test("a build that did not come whole is not kept at all", onlyChromium("keep it from its sandbox"), async (t) => {
  const { page, address, changed } = await elsewhere(t);
  changed["story.json"] = '{"chapters": []}';
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  const state = await page.evaluate(async () => {
    const { installing, waiting, active } = await navigator.serviceWorker.getRegistration().then((found) => found ?? {});
    const worker = installing ?? waiting ?? active;
    while (worker && !["redundant", "activated"].includes(worker.state)) await new Promise((done) => worker.addEventListener("statechange", done, { once: true }));
    return worker?.state ?? "redundant";
  });
  assert.equal(state, "redundant");
  assert.deepEqual(await kept(page), []);
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  assert.equal(await status(page), MAIL, "the page itself works");
});

test("a new build arrives whole, and the story with it", onlyChromium("keep it from its sandbox"), async (t) => {
  const { page, address, changed, stop } = await elsewhere(t);
  await page.goto(address);
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active.scriptURL);
  // The same page with another story: all that differs is what `cargo xtask build` would make differ.
  const [old, next] = [await build(), "0123456789abcdef"];
  const story = (await readFile(join(STATIC, "story.json"), "utf8")).replace("A header of 4K", "What is new");
  const index = (await readFile(join(STATIC, "index.html"), "utf8")).replaceAll(old, next);
  const manifest = JSON.parse(await readFile(join(STATIC, "build.json"), "utf8"));
  manifest.build = next;
  Object.assign(manifest.files, { "story.json": digest(story), "index.html": digest(index) });
  Object.assign(changed, { "story.json": story, "index.html": index, "build.json": JSON.stringify(manifest) });
  await page.goto("about:blank");
  await page.goto(`${address}#story=1`);
  await page.waitForFunction(() => document.querySelector(".story h2")?.textContent === "What is new");
  await page.waitForFunction(async (next) => (await caches.keys()).includes(`umem-${next}`), {}, next);
  await page.waitForFunction(async (next) => (await navigator.serviceWorker.ready).active.scriptURL.endsWith(next), {}, next);
  await stop();
  await page.reload();
  await page.waitForFunction(() => document.querySelector(".story h2")?.textContent === "What is new");
  assert.deepEqual(page.complaints, []);
});
