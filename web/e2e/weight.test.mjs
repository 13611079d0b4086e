// What a reader waits for: how much is loaded before the first picture, and what Lighthouse says of the page.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import lighthouse from "lighthouse";
import { onlyChromium, start } from "./support.mjs";

/** The most that may be loaded before the first picture: wasm and JS as brotli, in bytes. */
const MOST = 120_000;

let site;
before(async () => { site = await start(); });
after(() => site?.stop());

test("the first picture is there after 120 KB of code", async () => {
  const page = await site.browser.newPage();
  await page.evaluateOnNewDocument(() => addEventListener("umem-ready", () => { globalThis.first ??= performance.getEntriesByType("resource").map(({ name }) => name); }));
  await page.goto(site.address);
  await page.waitForFunction(() => globalThis.first);
  const before = (await page.evaluate(() => globalThis.first)).filter((name) => /\.(js|wasm)$/.test(name));
  assert.ok(before.some((name) => name.endsWith(".wasm")), "the picture is drawn by wasm");
  let sum = 0;
  for (const name of before) {
    const file = new URL(`../../static/${name.slice(site.address.length)}`, import.meta.url);
    const size = brotliCompressSync(await readFile(file)).length;
    console.log(`  ${name.slice(site.address.length)}: ${(size / 1000).toFixed(1)} KB`);
    sum += size;
  }
  assert.ok(sum <= MOST, `${sum} bytes are loaded before the first picture`);
  await page.close();
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
