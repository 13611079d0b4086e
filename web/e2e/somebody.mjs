// A document of somebody else with <umem-split> in it, and what a test asks of it.

import { after, before } from "node:test";
import { start } from "./support.mjs";

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' data:; img-src 'self' data:; connect-src 'self'; require-trusted-types-for 'script'; trusted-types";
const PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1120 560'/%3E";
export const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";
export const FALLBACK = `<img src="${PICTURE}" width="1120" height="560" alt="the mail's example">`;

let stage;
before(async () => { stage = await start(); });
after(() => stage.stop());

/** A document of somebody else, under a strict policy, with `body` in it. */
export async function documentWith(body, { width = 1000, media = [], script = true } = {}) {
  const page = await stage.browser.newPage();
  page.complaints = [];
  page.requests = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  if (!script) await page.setJavaScriptEnabled(false);
  await page.setViewport({ width, height: 800 });
  if (media.length) await page.emulateMediaFeatures(media);
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    page.requests.push(new URL(request.url()).pathname);
    if (!request.url().endsWith("/somebody.html")) return request.continue();
    request.respond({
      contentType: "text/html; charset=utf-8",
      headers: { "Content-Security-Policy": POLICY },
      body: `<!doctype html><html lang="en"><title>somebody's</title><link rel="icon" href="icon.svg"><script type="module" src="umem-split.js"></script>${body}`,
    });
  });
  await page.evaluateOnNewDocument(() => {
    globalThis.events = [];
    for (const name of ["umem-ready", "umem-step", "umem-change", "umem-error"]) {
      addEventListener(name, (event) => events.push([name, event.detail]));
    }
  });
  await page.goto(`${stage.address}somebody.html`);
  return page;
}

/** Waits until so many elements, and no more, are ready. */
export const ready = (page, count = 1) =>
  page.waitForFunction((count) => [...document.querySelectorAll("umem-split")].filter((element) => element.ready).length === count, { timeout: 20_000 }, count);
/** What the events of this name told so far. */
export const events = (page, name) => page.evaluate((name) => globalThis.events.filter(([told]) => told === name).map(([, detail]) => detail), name);
/** Does something with the element, in the page. */
export const inside = (page, act, ...rest) => page.$eval("umem-split", act, ...rest);
