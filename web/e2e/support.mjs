// What every end-to-end test stands on: the served page, and a browser that tells what went wrong in it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

/** The page's address: given by `cargo xtask test`, or served for these tests alone. */
async function serve() {
  if (process.env.UMEM_PAGE) return { address: process.env.UMEM_PAGE, stop() {} };
  const server = spawn("cargo", ["xtask", "serve", "--no-build", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const address = line.match(/http:\S+/)?.[0];
    if (address) return { address, stop: () => server.kill() };
  }
  throw new Error("`cargo xtask serve` ended without telling an address");
}

/** The browser that is driven: Chromium, or Firefox where `UMEM_BROWSER` says so. */
const FIREFOX = process.env.UMEM_BROWSER === "firefox";

/** For a test's options: why it is left out where it needs what only Chromium lets a driver do. */
export const onlyChromium = (what) => ({ skip: FIREFOX && `Firefox lets nobody ${what} from outside` });

const BROWSER = FIREFOX
  ? { browser: "firefox", executablePath: process.env.FIREFOX || "/usr/bin/firefox-esr" }
  : { executablePath: process.env.CHROMIUM || "/usr/bin/chromium" };
// Chromium's own sandbox does not work for root, which CI is. The others keep it from calling home.
const ARGUMENTS = FIREFOX
  ? []
  : ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A headless browser, which is given `more` arguments. */
export const launch = (more = []) => puppeteer.launch({ ...BROWSER, headless: true, args: [...ARGUMENTS, ...more] });

/**
 * Starts the server and a headless browser, which is given `more` arguments.
 * `open(hash)` yields a new page, loaded and with its status line there; `page.complaints` collects what the browser
 * complained about: uncaught errors, console errors (a violated Content-Security-Policy is one), requests that failed.
 */
export async function start(more = []) {
  const server = await serve();
  const browser = await launch(more);
  return {
    address: server.address,
    browser,
    async open(hash = "", viewport = { width: 1280, height: 900 }) {
      const page = await browser.newPage();
      page.complaints = [];
      page.on("pageerror", (error) => page.complaints.push(String(error)));
      page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
      page.on("requestfailed", (request) => page.complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
      await page.setViewport(viewport);
      await page.goto(server.address + hash);
      await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim(), { timeout: 20_000 });
      return page;
    },
    async stop() {
      await browser.close();
      server.stop();
    },
  };
}

/** The picture's canvas, and the words under it: they stand in the element that draws it. */
export const CANVAS = "umem-split >>> canvas";
export const CAPTION = "umem-split >>> .caption";
/** What shows all of it again, while it does not. */
export const WHOLE = "umem-split >>> button.whole:not([hidden])";

/** The status line's text. There is exactly one. */
export async function status(page) {
  const all = await page.$$eval("[role=status]", (found) => found.map((element) => element.textContent.trim()));
  if (all.length !== 1) throw new Error(`the page has ${all.length} elements of role status, and must have one`);
  return all[0];
}

/** Waits for the status line to say this. */
export async function says(page, text) {
  await soon(page, (text) => document.querySelector("[role=status]")?.textContent.trim() === text, text);
  assert.equal(await status(page), text);
}

/** Waits until what has this text has the focus. */
export async function focused(page, text) {
  await soon(page, (text) => document.activeElement.textContent === text, text);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), text);
}

/** Waits until it holds, or for as long as a busy machine may need: what is asked next says what is wrong. */
const soon = (page, holds, ...rest) => page.waitForFunction(holds, { timeout: 10_000 }, ...rest).catch(() => {});
