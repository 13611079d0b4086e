// How the page feels, in numbers: the first picture, and the frames while it plays, is scrubbed and is zoomed. For eyes, not
// for gates: times depend on the machine's mood. `cargo xtask bench web` runs it.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { press } from "./fields.mjs";
import { start } from "./support.mjs";

/** How many times slower the processor is made for the first picture. */
const SLOWER = 4;
/** How many frames are looked at. */
const FRAMES = 180;

const TERABYTE = {
  version: 1,
  name: "1 TiB of contiguous 4K pages",
  region: { offset: "4K", length: "1099511623680" },
  memory: { page_size: "4K", layout: "contiguous" },
  device: { page_sizes: ["4K", "2M", "1G"], policy: "mixed" },
};

/** A capture of a million pieces: runs of one page to four, none touching the next. */
const million = () => ({
  version: 1,
  region: { length: `${2_500_000 * 4}K` },
  memory: { extents: Array.from({ length: 1_000_000 }, (_, i) => [`0x${(0x100000000 + i * 0x6000).toString(16)}`, `${((i % 4) + 1) * 4}K`]) },
  device: { page_sizes: ["4K", "2M", "1G"], policy: "mixed" },
  provenance: { kernel: "6.1.0", page_size: "4K", time: "2026-11-22T00:00:00Z", rebased: true },
});

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const median = (numbers) => sorted(numbers)[numbers.length >> 1];
const told = (milliseconds) => `${milliseconds.toFixed(1)} ms`.padStart(9);

const site = await start();
const folder = await mkdtemp(join(tmpdir(), "umem-bench-"));
try {
  await firstPicture();
  const worst = [];
  for (const [name, open] of [
    ["mail", () => site.open("#preset=mail")],
    ["1 TiB of contiguous 4K pages", () => site.open(`#s=${Buffer.from(JSON.stringify(TERABYTE)).toString("base64url")}`)],
    ["a capture of 1,000,000 extents", opened],
  ]) {
    const page = await open();
    console.log(`\n${name}: ${await page.$eval("[role=status]", (line) => line.textContent)}`);
    const medians = [];
    for (const [what, act] of Object.entries({ play, scrub, zoom })) {
      const { frames, work } = await measured(page, act);
      medians.push(median(frames));
      console.log(`  ${what.padEnd(6)} frame ${told(median(frames))} (95 % within ${told(sorted(frames)[Math.floor(frames.length * 0.95)])}), of which work ${told(work)}`);
    }
    worst.push(Math.max(...medians));
    await page.close();
  }
  console.log(`\nslowest scene to fastest: ${(Math.max(...worst) / Math.min(...worst)).toFixed(2)} ×`);
} finally {
  await site.stop();
  await rm(folder, { recursive: true });
}

/** The first picture on a processor made slower, from a warm local server, with an empty cache. */
async function firstPicture() {
  const times = [];
  let bytes = 0;
  for (let i = 0; i < 5; i++) {
    const context = await site.browser.createBrowserContext();
    const page = await context.newPage();
    const client = await page.createCDPSession();
    await client.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    await page.evaluateOnNewDocument(() => new PerformanceObserver((list) => { globalThis.first ??= list.getEntries().find(({ name }) => name === "first-contentful-paint")?.startTime; }).observe({ type: "paint", buffered: true }));
    await page.goto(site.address);
    await page.waitForFunction(() => globalThis.first);
    times.push(await page.evaluate(() => globalThis.first));
    bytes = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ name, responseEnd }) => /\.(js|wasm)$/.test(name) && responseEnd <= globalThis.first && !name.includes("/pkg/")).reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0));
    await context.close();
  }
  console.log(`first picture, processor ${SLOWER} × slower: ${told(median(times))} (${times.map((time) => time.toFixed(0)).join(", ")}); ${(bytes / 1000).toFixed(0)} KB of code before it, unpacked`);
}

async function opened() {
  const path = join(folder, "million.json");
  await writeFile(path, JSON.stringify(million()));
  const page = await site.open("#preset=mail");
  const [chooser] = await Promise.all([page.waitForFileChooser(), press(page, "Open a file")]);
  await page.evaluate(() => {
    const line = document.querySelector("[role=status]");
    const before = line.textContent;
    addEventListener("change", () => { globalThis.chosen = performance.now(); }, { capture: true, once: true });
    new MutationObserver((_, observer) => {
      if (document.querySelector("[role=status]").textContent === before) return;
      observer.disconnect();
      requestAnimationFrame(() => { globalThis.shown = performance.now(); });
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  const began = performance.now();
  await chooser.accept([path]);
  await page.waitForFunction(() => globalThis.shown, { timeout: 60_000 });
  const within = await page.evaluate(() => globalThis.chosen && globalThis.shown - globalThis.chosen);
  console.log(`\na capture of 1,000,000 extents opens in ${told(within || performance.now() - began)}`);
  return page;
}

/** What `act` does to the page frame by frame: how long frames take, and how long the main thread works in one. */
async function measured(page, act) {
  await page.evaluate(() => { document.querySelector("umem-split").scrollIntoView({ block: "center" }); });
  const before = (await page.metrics()).TaskDuration;
  const frames = await page.evaluate(
    async (act, count) => {
      const step = await new Function(`return (${act})`)()();
      const times = [];
      return new Promise((done) => {
        const frame = (now) => {
          times.push(now);
          if (times.length > count) return done(times.slice(1).map((time, i) => time - times[i]));
          step?.(times.length);
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
    },
    act.toString(),
    FRAMES,
  );
  const work = (((await page.metrics()).TaskDuration - before) * 1000) / FRAMES;
  return { frames, work };
}

function play() {
  const button = (name) => [...document.querySelectorAll("button")].find(({ textContent }) => textContent === name);
  button("Restart").click();
  button("Play").click();
}

function scrub() {
  const slider = document.querySelector("input[type=range]");
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  return (frame) => {
    set.call(slider, Math.floor(((frame % 60) / 60) * slider.max));
    slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
}

function zoom() {
  const canvas = document.querySelector("umem-split").shadowRoot.querySelector("canvas");
  const { left, top, width } = canvas.getBoundingClientRect();
  return (frame) => {
    const deltaY = frame % 60 < 30 ? -30 : 30;
    canvas.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, ctrlKey: true, deltaY, clientX: left + width * 0.7, clientY: top + 100 }));
  };
}
