// The page without a network, after the first visit; and never kept where it is served to its own machine.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onlyChromium, start, status } from "./support.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";

let site, elsewhere;
before(async () => {
  site = await start();
});
after(async () => {
  await elsewhere?.stop();
  await site?.stop();
});

test("what this machine serves to itself is never kept", async () => {
  const page = await site.open();
  await new Promise((wait) => setTimeout(wait, 500));
  const kept = await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
  assert.equal(kept, 0);
  await page.close();
});

test("after the first visit the page opens without a network", onlyChromium("take its network away"), async () => {
  const { port } = new URL(site.address);
  const address = `http://umem.test:${port}/`;
  elsewhere = await start([
    "--host-resolver-rules=MAP umem.test 127.0.0.1",
    `--unsafely-treat-insecure-origin-as-secure=http://umem.test:${port}`,
  ]);
  const page = await elsewhere.browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  const url = await page.evaluate(async () => (await navigator.serviceWorker.ready).active.scriptURL);
  assert.match(url, /\/sw\.js\?build=[0-9a-f]{16}$/);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await page.setOfflineMode(true);
  await page.goto(`${address}#story=1`);
  await page.reload();
  await page.waitForSelector(".story h2");
  await page.goto(`${address}?away=1#preset=mail`);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  assert.equal(await status(page), MAIL);
  assert.deepEqual(complaints, []);
});
