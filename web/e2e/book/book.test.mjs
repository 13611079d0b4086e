// Every page of the book: opened, and each of its elements woken.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible } from "./accessible.mjs";
import { chaptersOf, deadLinks, seen, sticksOut, visit, wake } from "./pages.mjs";
import { onlyChromium, start } from "../support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

const chapters = await chaptersOf();

/** A table of so many rows may be cut in two on its way. */
const LONG_TABLE = 10;

/** What shows the element in code, the list of reports (each with a link to its scene), tables of measurements, and words alone. */
const SCENELESS = [
  "/cases.html",
  "/costs.html",
  "/embed.html",
  "/exercises.html",
  "/glossary.html",
  "/program.html",
  "/speed.html",
  "/teaching.html",
];

test("the book is there", () => assert.ok(chapters.length > 12, `${chapters}`));

test("every chapter's elements become ready, quietly and without shifting anything", async (t) => {
  for (const chapter of chapters) {
    await t.test(chapter, async () => {
      const page = await visit(site.browser, site.address + chapter);
      assert.ok((await wake(page)) > 0 || SCENELESS.some((name) => chapter.endsWith(name)), "there is no scene");
      const { shift, trouble } = await seen(page);
      assert.deepEqual([...page.complaints, ...trouble], []);
      assert.ok(shift < 0.01, `CLS ${shift}`);
      assert.deepEqual(await deadLinks(page), []);
      assert.deepEqual(await accessible(page, "main"), []);
      assert.equal(await sticksOut(page), 0);
      await page.close();
    });
  }
});

test("a chapter that arrives in parts does not move what is read", onlyChromium("make the network slow"), async (t) => {
  for (const chapter of chapters) {
    const text = await (await fetch(site.address + chapter)).text();
    if (text.split("<tr>").length < LONG_TABLE) continue;
    await t.test(chapter, async () => {
      // All but the chapter itself is in the cache then.
      const page = await visit(site.browser, site.address + chapter);
      await page.emulateNetworkConditions({ download: 25_000, upload: 25_000, latency: 20 });
      await page.goto(`${site.address}${chapter}?again`, { waitUntil: "load" });
      const { shift } = await seen(page);
      assert.ok(shift < 0.005, `CLS ${shift}`);
      await page.close();
    });
  }
});

test("the theme that a reader chooses is the elements' too", async () => {
  const page = await visit(site.browser, `${site.address}book/mixed.html`);
  const themes = () => page.$$eval("umem-split", (all) => [...new Set(all.map((element) => element.getAttribute("theme")))]);
  assert.deepEqual(await themes(), ["light"]);
  await page.evaluate(() => localStorage.setItem("mdbook-theme", "navy"));
  await page.reload();
  assert.deepEqual(await themes(), ["dark"]);
  await page.evaluate(() => localStorage.clear());
  await page.close();
});
