// The book without its script: in browsers that run none, and on paper.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chaptersOf, unseenPictures, visit } from "./pages.mjs";
import { onlyChromium, start } from "../support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

test("every chapter has its pictures without JavaScript", onlyChromium("switch JavaScript off"), async (t) => {
  for (const chapter of await chaptersOf()) {
    await t.test(chapter, async () => {
      const page = await visit(site.browser, site.address + chapter, { script: false });
      assert.deepEqual(await unseenPictures(page), []);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
  }
});

test("on paper there are all the pictures, and the answers", onlyChromium("print"), async () => {
  const page = await visit(site.browser, `${site.address}book/print.html`, { media: "print" });
  const pictures = await page.$$eval("umem-split img", (all) => all.length);
  assert.ok(pictures > 20, `${pictures} pictures`);
  assert.deepEqual(await unseenPictures(page), []);
  const hidden = await page.$$eval("details > *:not(summary)", (all) => all.filter((part) => !part.getBoundingClientRect().height).length);
  assert.equal(hidden, 0, "answers are hidden on paper");
  assert.deepEqual(page.complaints, []);
  await page.close();
});
