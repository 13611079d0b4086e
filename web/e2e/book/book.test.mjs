// Every page of the book: opened, woken, read without JavaScript, and on paper.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible } from "./accessible.mjs";
import { deadLinks, pagesOf, seen, sticksOut, unseenPictures, visit, wake } from "./pages.mjs";
import { start } from "../support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

// The table of contents is a frame of the others, and print.html all of them at once.
const NO_CHAPTER = ["book/toc.html", "book/print.html"];
const chapters = (await pagesOf("book")).filter((page) => !NO_CHAPTER.includes(page));

test("the book is there", () => assert.ok(chapters.length > 12, `${chapters}`));

test("every chapter's elements become ready, quietly and without shifting anything", async (t) => {
  for (const chapter of chapters) {
    await t.test(chapter, async () => {
      const page = await visit(site.browser, site.address + chapter);
      assert.ok((await wake(page)) > 0 || chapter.endsWith("/embed.html"), "there is no scene");
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

test("every chapter has its pictures without JavaScript", async (t) => {
  for (const chapter of chapters) {
    await t.test(chapter, async () => {
      const page = await visit(site.browser, site.address + chapter, { script: false });
      assert.deepEqual(await unseenPictures(page), []);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
  }
});

test("on paper there are all the pictures, and the answers", async () => {
  const page = await visit(site.browser, `${site.address}book/print.html`, { media: "print" });
  const pictures = await page.$$eval("umem-split img", (all) => all.length);
  assert.ok(pictures > 20, `${pictures} pictures`);
  assert.deepEqual(await unseenPictures(page), []);
  const hidden = await page.$$eval("details > *:not(summary)", (all) => all.filter((part) => !part.getBoundingClientRect().height).length);
  assert.equal(hidden, 0, "answers are hidden on paper");
  assert.deepEqual(page.complaints, []);
  await page.close();
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
