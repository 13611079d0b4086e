// What a reader waits for: how much is loaded, before the first picture and in all; that nothing moves when the page takes its
// place; and what Lighthouse says of the page.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import lighthouse from "lighthouse";
import { onlyChromium, start } from "./support.mjs";

/** The most that may be loaded, as brotli, in bytes: before the first picture; by a visitor of the page; by a reader of a document with the element. */
// 260 KB and 115 KB are the aims. What few visitors of the page ask for is behind doors (`web/src/door.rs`), what the rules promise as
// JSON is loaded only for who keeps it, and the element has no sentences that only the page says (the feature `words` of umem-core).
const MOST = { first: 40_000, page: 260_000, element: 115_000 };

let site;
before(async () => { site = await start(); });
after(() => site?.stop());

/** What files below `static` weigh together. */
async function weigh(names) {
  let sum = 0;
  for (const name of names) {
    const size = brotliCompressSync(await readFile(new URL(`../../static/${name}`, import.meta.url))).length;
    console.log(`  ${name}: ${(size / 1000).toFixed(1)} KB`);
    sum += size;
  }
  console.log(`  together: ${(sum / 1000).toFixed(1)} KB`);
  return sum;
}

/** The files that a page has asked this server for. */
const asked = (page) =>
  page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => new URL(name)).filter(({ origin }) => origin === location.origin).map(({ pathname }) => pathname.slice(1)));

test("the first picture needs no code", async () => {
  assert.ok((await weigh(["index.html", "style.css", "first.js", "icon.svg"])) <= MOST.first);
  const page = await site.browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) => (/app\.js|\.wasm/.test(request.url()) ? request.abort() : request.continue()));
  await page.goto(site.address);
  const shown = () => page.$$eval(".first svg", (all) => all.filter((svg) => svg.checkVisibility()).map((svg) => svg.getAttribute("class")));
  assert.deepEqual(await shown(), ["wide light"]);
  await page.setViewport({ width: 390, height: 844 });
  assert.deepEqual(await shown(), ["narrow light"]);
  // For another scenario only the lanes are there.
  const full = () => page.$eval(".first svg.narrow.light .full", (full) => full.checkVisibility({ visibilityProperty: true }));
  assert.ok(await full());
  await page.goto("about:blank");
  await page.goto(`${site.address}#preset=scattered`);
  assert.ok(!(await full()));
  await page.close();
});

test("the first picture is painted before the page's code runs", onlyChromium("slow its processor down"), async () => {
  // How soon that is depends on the machine's mood: it is told here, and gates nothing.
  const times = [];
  for (let i = 0; i < 3; i++) {
    const context = await site.browser.createBrowserContext();
    const page = await context.newPage();
    const client = await page.createCDPSession();
    await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.evaluateOnNewDocument(() => {
      new MutationObserver((_, observer) => {
        const there = document.querySelector(".first");
        globalThis.seen ||= Boolean(there);
        if (there || !globalThis.seen) return;
        globalThis.replaced ??= performance.now();
        observer.disconnect();
      }).observe(document, { subtree: true, childList: true });
    });
    await page.goto(site.address);
    await page.waitForFunction(() => globalThis.replaced && document.querySelector("[role=status]"));
    const [painted, replaced] = await page.evaluate(() => [performance.getEntriesByName("first-contentful-paint")[0]?.startTime, globalThis.replaced]);
    assert.ok(painted < replaced, `painted at ${painted} ms, and replaced at ${replaced} ms`);
    times.push(painted);
    await context.close();
  }
  console.log(`  first paint, processor 4 × slower: ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
});

test("the page takes the first picture's place, and nothing moves", async () => {
  for (const [hash, width] of [["", 1280], ["", 390], ["", 900], ["#preset=scattered", 1280], ["#preset=scattered", 390]]) {
    const page = await site.browser.newPage();
    await page.setViewport({ width, height: 900 });
    await page.evaluateOnNewDocument(() => {
      globalThis.shifts = [];
      const where = ({ node, previousRect, currentRect }) => `${node?.nodeName}.${node?.className}: ${previousRect.y} → ${currentRect.y}`;
      new PerformanceObserver((list) => globalThis.shifts.push(...list.getEntries().map(({ value, sources }) => [value, ...sources.map(where)]))).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(site.address + hash);
    await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
    await new Promise((done) => setTimeout(done, 300));
    assert.ok(await page.$eval(".about", (about) => about.checkVisibility({ visibilityProperty: true })), "what the scene is about is seen");
    const shifts = await page.evaluate(() => globalThis.shifts);
    assert.ok(shifts.reduce((sum, [value]) => sum + value, 0) < 0.01, `${hash} at ${width}: ${JSON.stringify(shifts)}`);
    await page.close();
  }
});

test("a visitor of the page loads one wasm, and not much in all", async () => {
  const page = await site.open();
  const names = [...new Set(["index.html", ...(await asked(page))])];
  assert.deepEqual(names.filter((name) => name.endsWith(".wasm")), ["pkg/web_bg.wasm"]);
  assert.ok((await weigh(names)) <= MOST.page);
  await page.close();
});

test("the element is light", async () => {
  assert.ok((await weigh(["umem-split.js", "element/umem_split.js", "element/umem_split_bg.wasm"])) <= MOST.element);
});

test("Lighthouse finds nothing", { ...onlyChromium("audit it") }, async () => {
  const settings = { formFactor: "desktop", screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1 }, throttlingMethod: "provided" };
  const { lhr } = await lighthouse(site.address, { port: new URL(site.browser.wsEndpoint()).port, output: "json", logLevel: "error" }, { extends: "lighthouse:default", settings });
  const scores = Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, Math.round(score * 100)]));
  console.log(`  ${JSON.stringify(scores)}`);
  // How fast it is depends on the machine's mood, and gates nothing.
  for (const id of ["accessibility", "best-practices", "seo"]) {
    assert.ok(scores[id] >= 95, `${id}: ${scores[id]}`);
  }
});
