// What goes wrong is told, and the page goes on: a browser that translates, one that fails to draw, an error of the page itself,
// the end of memory, a browser that is too old.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { choose, named, press, type } from "./fields.mjs";
import { CANVAS, onlyChromium, start, status } from "./support.mjs";
import { documentWith, events, inside, ready } from "./somebody.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

/** Translates as browsers do: each text that may be translated moves into elements of theirs, whenever one comes. */
function translate() {
  const may = (node) => {
    for (let at = node.parentElement; at; at = at.parentElement) {
      if (at.closest("script, style, textarea, code[translate=no]")) return false;
      const says = at.getAttribute("translate");
      if (says) return says !== "no";
    }
    return true;
  };
  const done = new WeakSet();
  const all = () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts = [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (text.data.trim() && !done.has(text) && may(text)) texts.push(text);
    }
    for (const text of texts) {
      const [outer, inner] = [document.createElement("font"), document.createElement("font")];
      text.replaceWith(outer);
      outer.append(inner);
      inner.append(text.data.toUpperCase());
      done.add(inner.firstChild);
    }
    globalThis.translated = (globalThis.translated ?? 0) + texts.length;
  };
  all();
  new MutationObserver(all).observe(document.body, { subtree: true, childList: true, characterData: true });
}

test("code that cannot be loaded when it is asked for is told, and comes when it is asked for again", async () => {
  const page = await site.open("#preset=mail");
  let gone = true;
  await page.setRequestInterception(true);
  page.on("request", (request) => (gone && request.url().includes("split_more.wasm") ? request.abort() : request.continue()));
  await press(page, "Share");
  const notice = await page.waitForSelector("[role=alert]");
  const words = await notice.evaluate((notice) => notice.textContent);
  assert.match(words, /^The code for this could not be loaded: try again once the network is back\.Dismiss$/);
  assert.ok(await notice.evaluate((notice) => Boolean(notice.closest("dialog[open]"))), "it is said where one can read it");
  assert.equal(await status(page), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M", "what is there works on");
  gone = false;
  await page.keyboard.press("Escape");
  await press(page, "Share");
  await page.waitForSelector("dialog[open] .files");
  assert.equal(await page.$("[role=alert]"), null, "what was said of the first try is over");
  await page.close();
});

test("what is asked for and takes long is said to be on its way, and no longer once it is there", onlyChromium("hold its requests"), async () => {
  for (const [button, file, came] of [
    ["Compare", "split_more.wasm", ".compare .verdict"],
    ["Cases", "cases.json", "dialog input"],
    ["Paste", "umem_plan_bg.wasm", "dialog textarea"],
  ]) {
    const page = await site.open("#preset=mail");
    let release;
    const held = new Promise((done) => (release = done));
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      if (request.url().includes(file)) await held;
      await request.continue();
    });
    await press(page, button);
    const said = () => {
      const { content, visibility } = getComputedStyle(document.body, "::after");
      return visibility === "visible" && content.includes("Loading");
    };
    await page.waitForFunction(said);
    assert.equal(await page.$(came), null);
    release();
    await page.waitForSelector(came);
    assert.equal(await page.evaluate(said), false, button);
    await page.close();
  }
});

test("an address is not lost where what it asks for cannot be loaded: a reload shows it", onlyChromium("break its requests"), async () => {
  const scenario = { version: 1, region: { length: "2M" }, memory: { page_size: "2M", layout: "contiguous" }, device: "mlx5" };
  for (const [hash, file, came] of [
    [`#s=${Buffer.from(JSON.stringify(scenario)).toString("base64url")}`, "split_more.wasm", /Your own scenario/],
    ["#case=mana-2m", "split_more.wasm", /^Public report/],
    ["#case=mana-2m", "cases.json", /^Public report/],
    ["#case=mana-2m", "dialogs.js", /^Public report/],
    ["#story=3", "story.json", null],
    ["#story=3", "split_more.wasm", null],
  ]) {
    const page = await site.browser.newPage();
    let gone = true;
    await page.setRequestInterception(true);
    page.on("request", (request) => (gone && request.url().includes(file) ? request.abort() : request.continue()));
    await page.goto(site.address + hash);
    await page.waitForFunction(() => document.querySelector("#page .notice[role=alert]"));
    assert.match(await page.$eval("#page .notice[role=alert]", (notice) => notice.textContent), /^What this page's address asks for is not here: .*reload the page once the network is back/, `${hash} ${file}`);
    await new Promise((done) => setTimeout(done, 200));
    assert.equal(await page.evaluate(() => location.hash), hash, `${file} is away, and the address stays`);
    assert.equal(await status(page), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M", "what is there works on");
    gone = false;
    await page.reload();
    if (came) await page.waitForFunction((came) => new RegExp(came).test(document.querySelector(".about")?.textContent), {}, came.source);
    else await page.waitForSelector(".story h2");
    assert.equal(await page.evaluate(() => location.hash), hash);
    // Whatever is seen next, the address tells.
    await page.close();
  }
});

test("a browser that translates the page breaks nothing in it", async () => {
  const page = await site.open("#preset=mail");
  await page.evaluate(translate);
  const about = () => page.$eval(".about", (about) => about.textContent);
  const before = await about();
  assert.equal(before, before.toUpperCase(), "what people read is translated");
  for (const preset of ["scattered", "one-size-iommu", "ppc64", "mail"]) await choose(page, "Preset", preset);
  assert.equal(await status(page), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
  await press(page, "Compare");
  await press(page, "IOMMU off and on");
  await press(page, "Stop comparing");
  await type(page, "Length", "much");
  await type(page, "Length", "2M");
  await press(page, "Restart");
  for (let i = 0; i < 8; i++) await press(page, "Step");
  await press(page, "Start the story");
  await page.waitForSelector(".choice");
  for (let chapter = 1; chapter <= 3; chapter++) {
    await (await page.$$(".choice"))[0].click();
    await page.waitForFunction(() => document.querySelector(".truth").textContent.trim());
    await page.waitForSelector(".truth .reply font");
    await (await page.$(".turn .primary")).click();
    await page.waitForFunction(() => !document.querySelector(".truth").textContent.trim());
  }
  await press(page, "Close the story");
  await press(page, "Share");
  await page.keyboard.press("Escape");
  assert.equal(await page.$("[role=alert]"), null);
  assert.ok((await page.evaluate(() => globalThis.translated)) > 20);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

/** Makes a canvas fail while `broken` says so, as browsers do that run out of it. */
const failing = () => {
  const real = CanvasRenderingContext2D.prototype.fillRect;
  CanvasRenderingContext2D.prototype.fillRect = function (...place) {
    if (globalThis.broken) throw new Error("this canvas is lost");
    return real.apply(this, place);
  };
};

test("a picture that cannot be drawn is told, and all else goes on", async () => {
  const page = await site.open("#preset=mail");
  await page.evaluate(failing);
  await page.evaluate(() => { globalThis.broken = true; });
  await press(page, "Restart");
  const error = () => page.$eval("umem-split >>> [role=alert]", (error) => (error.hidden ? "" : error.textContent));
  await page.waitForFunction(() => !document.querySelector("umem-split").shadowRoot.querySelector("[role=alert]").hidden);
  assert.match(await error(), /this canvas is lost/);
  await choose(page, "Preset", "one-size");
  assert.equal(await status(page), "2 entries: 2 × 2M");
  await press(page, "Keys");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.evaluate(() => { globalThis.broken = false; });
  await press(page, "Back");
  await page.waitForFunction(() => document.querySelector("umem-split").shadowRoot.querySelector("[role=alert]").hidden);
  await page.close();
});

test("an element that cannot be drawn tells whoever listens, and recovers", async () => {
  const page = await documentWith(`<umem-split preset="mail" at="0"></umem-split>`);
  await ready(page);
  await page.evaluate(failing);
  await page.evaluate(() => { globalThis.broken = true; });
  await inside(page, (element) => element.step());
  await page.waitForFunction(() => globalThis.events.some(([name]) => name === "umem-error"));
  assert.match((await events(page, "umem-error"))[0].message, /this canvas is lost/);
  await inside(page, (element) => { element.step(); element.preset = "one-size"; });
  assert.equal(await inside(page, (element) => element.status), "2 entries: 2 × 2M");
  await page.evaluate(() => { globalThis.broken = false; });
  await inside(page, (element) => element.step());
  await page.waitForFunction(() => document.querySelector("umem-split").shadowRoot.querySelector("[role=alert]").hidden);
  await page.close();
});

/** What the page says when this is thrown by a script of its own server: what a driver throws, Chromium keeps from the page. */
async function thrown(page, what) {
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (!request.url().endsWith("/thrower.js")) return request.continue();
    request.respond({ contentType: "text/javascript", body: `setTimeout(() => { throw new ${what}; });` });
  });
  await page.evaluate((address) => import(`${address}thrower.js`), site.address);
  await page.waitForSelector("body > [role=alert]");
  return page.$eval("body > [role=alert] p", (said) => said.textContent);
}

/** Whether a click on what matches `selector` reaches it. */
const isReached = (page, selector) =>
  page.$eval(selector, (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return element === document.elementFromPoint(x + width / 2, y + height / 2);
  });

test("what goes wrong while a dialog is open is told where one can read it, and act", async () => {
  for (const opener of ["Keys", "Cases", "Paste"]) {
    const page = await site.open("#preset=mail");
    await press(page, opener);
    await page.waitForSelector("dialog[open]");
    await page.setRequestInterception(true);
    page.on("request", (request) => (request.url().endsWith("/thrower.js") ? request.respond({ contentType: "text/javascript", body: 'setTimeout(() => { throw new Error("on purpose"); });' }) : request.continue()));
    await page.evaluate((address) => import(`${address}thrower.js`), site.address);
    await page.waitForSelector("dialog[open] > [role=alert]");
    assert.match(await page.$eval("dialog[open] > [role=alert]", (alert) => alert.textContent), /on purpose.*Reload$/);
    assert.ok(await isReached(page, "[role=alert] button"), `${opener}: a click reaches "Reload"`);
    await page.keyboard.press("Escape");
    await page.waitForSelector("body > [role=alert]");
    assert.ok(await isReached(page, "[role=alert] button"), "it stays when the dialog is closed");
    await page.close();
  }
});

test("a file that cannot be opened is not told below an open dialog", async () => {
  for (const opener of ["Share", "Cases", "Paste"]) {
    const page = await site.open("#preset=mail");
    await press(page, opener);
    await page.waitForSelector("dialog[open]");
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["nothing"], "broken.json"));
      document.querySelector("dialog[open]").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    });
    await page.waitForSelector(".notice[role=alert]");
    assert.match(await page.$eval(".notice[role=alert]", (alert) => alert.textContent), /^broken\.json/);
    await page.waitForFunction(() => !document.querySelector("dialog[open]"));
    assert.ok(await isReached(page, "[role=alert] button"), opener);
    await page.close();
  }
});

test("code that ends while there is memory is not said to lack it", async () => {
  const page = await site.open("#preset=scattered");
  const said = await thrown(page, 'WebAssembly.RuntimeError("unreachable")');
  assert.match(said, /its code ended: unreachable/);
  assert.doesNotMatch(said, /memory/);
  await page.close();
});

test("whatever else goes wrong, the page says so, keeps its address and offers to reload", async () => {
  const page = await site.open("#preset=scattered");
  assert.match(await thrown(page, 'Error("something unforeseen")'), /something unforeseen/);
  assert.equal(await page.evaluate(() => location.hash), "#preset=scattered");
  await Promise.all([page.waitForNavigation(), press(page, "Reload")]);
  await page.waitForSelector("[role=status]");
  assert.match(await status(page), /^1023 entries/);
  assert.equal(await page.$("[role=alert]"), null);
  await page.close();
});

/** The wasm module with a memory that ends after so many pages of 64K. */
function bounded(code, pages) {
  const leb = (n) => { const bytes = []; do { bytes.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return bytes; };
  const read = (at) => { let n = 0; for (let shift = 0; ; shift += 7) { const byte = code[at++]; n |= (byte & 127) << shift; if (byte < 128) return [n, at]; } };
  for (let at = 8; at < code.length; ) {
    const id = code[at];
    const [length, body] = read(at + 1);
    if (id === 5) {
      const [least] = read(body + 2);
      const section = [1, 1, ...leb(least), ...leb(pages)];
      return Buffer.concat([code.subarray(0, at), Buffer.from([5, ...leb(section.length), ...section]), code.subarray(body + length)]);
    }
    at = body + length;
  }
  throw new Error("no memory section");
}

test("where memory ends, the page names what has no such end", onlyChromium("change its code"), async () => {
  const code = bounded(await readFile(new URL("../../static/pkg/web_bg.wasm", import.meta.url)), 120);
  const page = await site.browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (!request.url().includes("web_bg.wasm")) return request.continue();
    request.respond({ contentType: "application/wasm", body: code });
  });
  await page.goto(`${site.address}#preset=mail`);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  const extents = Array.from({ length: 300_000 }, (_, i) => `["0x${(0x10000 + i * 0x3000).toString(16)}","4K"]`);
  const json = `{"version":1,"region":{"length":"${300_000 * 4}K"},"memory":{"extents":[${extents}]},"device":"mlx5"}`;
  await page.evaluate((json) => {
    const data = new DataTransfer();
    data.items.add(new File([json], "large.json"));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, json);
  await page.waitForSelector("body > [role=alert]", { timeout: 30_000 });
  assert.match(await page.$eval("body > [role=alert]", (alert) => alert.textContent), /no memory left.*`umem plan FILE`/s);
  assert.equal(await page.evaluate(() => location.hash), "#preset=mail");
  await page.close();
});

test("a browser that is too old is told what it lacks", onlyChromium("take something from it"), async () => {
  const page = await site.browser.newPage();
  await page.evaluateOnNewDocument(() => { WebAssembly.validate = () => false; });
  await page.goto(site.address);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.$eval("[role=alert]", (alert) => alert.textContent), /lacks WebAssembly with SIMD.*Safari 16\.4/);
  assert.ok(await (await page.$(".first svg.wide.light")).isVisible(), "the first picture stays");
  await page.close();
});

test("copying over plain http selects the text, and says so", async () => {
  const page = await site.browser.newPage();
  await page.evaluateOnNewDocument(() => Object.defineProperty(Navigator.prototype, "clipboard", { get: () => undefined }));
  await page.goto(`${site.address}#preset=mail`);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  await press(page, "Share");
  await (await page.waitForSelector("dialog[open] .copy button")).click();
  await page.waitForFunction(() => document.querySelector(".said").textContent);
  assert.match(await page.$eval(".said", (said) => said.textContent), /The text is selected/);
  const selected = await (await named(page, "textbox", "Link")).evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.equal(selected, `${site.address}#preset=mail`);
  assert.equal(await page.$("body > [role=alert]"), null);
  await page.close();
});

test("the picture is as sharp as the screen, even when that changes", onlyChromium("change its screen"), async () => {
  const page = await site.browser.newPage();
  // A driver can change the density, but Chromium then tells nobody: here the page is told as it would be.
  await page.evaluateOnNewDocument(() => {
    const real = matchMedia;
    globalThis.densities = [];
    globalThis.matchMedia = (query) => {
      const list = real.call(globalThis, query);
      if (query.includes("resolution")) globalThis.densities.push(list);
      return list;
    };
  });
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(`${site.address}#preset=mail`);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  const dots = () => page.$eval(CANVAS, (canvas) => canvas.width / canvas.clientWidth);
  assert.ok(Math.abs((await dots()) - 1) < 0.01);
  await page.setViewport({ width: 1280, height: 900, deviceScaleFactor: 2 });
  await page.evaluate(() => globalThis.densities.forEach((list) => list.dispatchEvent(new Event("change"))));
  await page.waitForFunction(() => {
    const canvas = document.querySelector("umem-split").shadowRoot.querySelector("canvas");
    return canvas.width >= 1.9 * canvas.clientWidth;
  });
  await page.close();
});
