// Every example: under the strict policy, from any server, at any address.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { after, before, test } from "node:test";
import { accessible } from "./accessible.mjs";
import { STATIC, deadLinks, pagesOf, seen, sticksOut, unseenPictures, visit, wake } from "./pages.mjs";
import { onlyChromium, start } from "../support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

const examples = await pagesOf("examples");

/** Any static file server: no header of ours, and the folder somewhere below its root. */
async function elsewhere() {
  const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".json": "application/json" };
  const server = createServer(async (request, answer) => {
    const path = new URL(request.url, "http://any").pathname.replace("/some/where/", "");
    try {
      const contents = await readFile(STATIC + path);
      answer.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" }).end(contents);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { address: `http://127.0.0.1:${server.address().port}/some/where/`, stop: () => server.close() };
}

/** That a page's elements become ready, that nothing is complained of, and that nothing moves. */
async function sound(page, least) {
  assert.ok((await wake(page)) >= least, "there are too few elements");
  const { shift, trouble } = await seen(page);
  assert.deepEqual([...page.complaints, ...trouble], []);
  assert.ok(shift < 0.01, `CLS ${shift}`);
}

const ELEMENTS = { "examples/index.html": 0, "examples/twelve.html": 12, "examples/blog.html": 2, "examples/slides.html": 4 };

test("every example's elements become ready under the strict policy", async (t) => {
  for (const example of examples) {
    await t.test(example, async () => {
      const page = await visit(site.browser, site.address + example);
      await sound(page, ELEMENTS[example] ?? 1);
      assert.deepEqual(await deadLinks(page), []);
      assert.deepEqual(await accessible(page, "body"), []);
      assert.equal(await sticksOut(page), 0);
      await page.close();
    });
  }
});

test("every example has its pictures without JavaScript", onlyChromium("switch JavaScript off"), async () => {
  for (const example of examples) {
    const page = await visit(site.browser, site.address + example, { script: false });
    assert.deepEqual(await unseenPictures(page), [], example);
    assert.deepEqual(page.complaints, []);
    await page.close();
  }
});

test("every example carries the strict policy itself", async () => {
  for (const example of examples) {
    const text = await readFile(STATIC + example, "utf8");
    assert.match(text, /http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';/, example);
  }
});

test("they work from any server, at any address; so does the book", async (t) => {
  const server = await elsewhere();
  t.after(() => server.stop());
  for (const [path, least] of [["examples/plain.html", 1], ["book/mixed.html", 4]]) {
    const page = await visit(site.browser, server.address + path);
    await sound(page, least);
    await page.close();
  }
});

test("the slides turn with the keys", async () => {
  const page = await visit(site.browser, `${site.address}examples/slides.html`);
  const top = (id) => page.$eval(`#${id}`, (slide) => Math.abs(slide.getBoundingClientRect().top) < 2);
  assert.ok(await top("title"));
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => Math.abs(document.querySelector("#greedy").getBoundingClientRect().top) < 2);
  await page.keyboard.press("PageUp");
  await page.waitForFunction(() => Math.abs(document.querySelector("#title").getBoundingClientRect().top) < 2);
  assert.deepEqual(page.complaints, []);
  await page.close();
});
