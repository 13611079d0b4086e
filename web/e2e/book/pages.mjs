// What the tests of the book and of the examples stand on: pages opened so that everything is noticed which goes wrong in them.

import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The folder that is served. */
export const STATIC = fileURLToPath(new URL("../../../static/", import.meta.url));

/** The pages of a folder of it, as addresses below its root. */
export async function pagesOf(folder) {
  const files = await readdir(STATIC + folder);
  return files.filter((file) => file.endsWith(".html")).sort().map((file) => `${folder}/${file}`);
}

/** The book's chapters. The table of contents is a frame of theirs, and print.html all of them at once. */
export async function chaptersOf() {
  const pages = await pagesOf("book");
  return pages.filter((page) => !["book/toc.html", "book/print.html"].includes(page));
}

/** Runs in every page before its own scripts: what only a page itself can notice. */
function watch() {
  window.seen = { shift: 0, ready: new Set(), trouble: [] };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  addEventListener("securitypolicyviolation", (event) => {
    window.seen.trouble.push(`CSP: ${event.violatedDirective} forbids ${event.blockedURI} in ${event.sourceFile}`);
  });
  // In the capture phase, which reaches the window whether an event bubbles or not.
  addEventListener("umem-ready", (event) => window.seen.ready.add(event.target), true);
  addEventListener("umem-error", (event) => window.seen.trouble.push(`umem-error: ${JSON.stringify(event.detail)}`), true);
}

/** Opens a page; `complaints` collects errors, errors on the console, requests that failed, answers that are none. */
export async function visit(browser, address, { script = true, width = 1280, media } = {}) {
  const page = await browser.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("requestfailed", (request) => page.complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (answer) => answer.status() >= 400 && page.complaints.push(`${answer.url()}: ${answer.status()}`));
  if (!script) await page.setJavaScriptEnabled(false);
  if (media) await page.emulateMediaType(media);
  await page.setViewport({ width, height: 900 });
  if (script) await page.evaluateOnNewDocument(watch);
  await page.goto(address, { waitUntil: "load" });
  return page;
}

/** Brings every element into view, one after the other, until each is ready. How many there are is the answer. */
export async function wake(page) {
  const elements = await page.$$("umem-split");
  if (elements.length) await page.waitForFunction(() => customElements.get("umem-split"), { timeout: 10_000 });
  // What is in a closed answer cannot come into view. That an answer opened by itself moves what is below is no fault.
  await page.evaluate(async () => {
    const { shift } = window.seen;
    document.querySelectorAll("details").forEach((answer) => (answer.open = true));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    window.seen.shift = shift;
  });
  for (const element of elements) {
    await element.evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
    await page.waitForFunction((element) => window.seen.ready.has(element), { timeout: 20_000 }, element);
  }
  return elements.length;
}

/** What the page has noticed by itself. */
export const seen = (page) => page.evaluate(() => ({ shift: window.seen.shift, trouble: window.seen.trouble }));

/** How many pixels of a page a phone has to be pushed sideways for. Wide tables and listings scroll by themselves. */
export async function sticksOut(page) {
  await page.setViewport({ width: 390, height: 900 });
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** The pictures inside of elements, and what is wrong with each that a reader does not see. */
export const unseenPictures = (page) =>
  page.$$eval("umem-split img", (pictures) =>
    pictures
      .filter((picture) => {
        const box = picture.getBoundingClientRect();
        const sized = picture.hasAttribute("width") && picture.hasAttribute("height") && picture.alt.trim();
        const closed = picture.closest("details:not([open])");
        return !sized || !(closed || (picture.checkVisibility() && box.width > 100 && box.height > 50 && picture.naturalWidth > 0));
      })
      .map((picture) => picture.outerHTML),
  );

const bodies = new Map();
/** The text behind an address, asked for once; or null. */
async function body(address) {
  if (!bodies.has(address)) {
    const answer = await fetch(address);
    bodies.set(address, answer.ok ? await answer.text() : null);
  }
  return bodies.get(address);
}

/** The links of a page to this server that lead nowhere. Where they lead elsewhere is not asked. */
export async function deadLinks(page) {
  const links = await page.$$eval("a[href]", (all) => [...new Set(all.map((link) => link.href))]);
  const here = new URL(page.url());
  const dead = [];
  for (const link of links) {
    const url = new URL(link);
    if (url.origin !== here.origin) continue;
    const text = await body(url.origin + url.pathname);
    const named = url.searchParams.get("src");
    // After the page's own # there is a scenario or a chapter, and no place.
    const isPage = url.pathname === "/";
    const place = decodeURIComponent(url.hash.slice(1));
    const found = !place || isPage || text?.includes(` id="${place}"`);
    if (text === null || !found || (named && (await body(new URL(named, url).href)) === null)) dead.push(link);
  }
  return dead;
}
