// The page for everybody: axe finds nothing, fingers work as mice do, and nothing sticks out however large the letters are.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { moment, named, press, type } from "./fields.mjs";
import { CANVAS, CAPTION, focused, onlyChromium, start, WHOLE } from "./support.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let site, source;
before(async () => {
  site = await start();
  source = await readFile(axe, "utf8");
});
after(() => site?.stop());

/** The states that are looked at: where, how wide, and what is done there. */
const STATES = {
  "the mail's example": ["#preset=mail", 1280],
  "on a small screen": ["#preset=mail-iommu", 320],
  "a question of the story": ["#story=4", 1280],
  "an answer of the story": ["#story=8", 1280, async (page) => (await page.waitForSelector(".choice")).click()],
  "the story on a small screen": ["#story=5", 320, async (page) => (await page.waitForSelector(".choice")).click()],
  "two compared": ["#preset=one-size&with-preset=one-size-iommu", 1280],
  "two compared on a small screen": ["#preset=one-size&with-preset=one-size-iommu", 320],
  "a wrong value": ["#preset=mail", 1280, (page) => type(page, "Length", "much")],
  "an address that cannot be read": ["#s=nonsense!", 1280],
  "a refusal": ["#preset=ppc64", 1280, (page) => type(page, "Length", "4000K")],
  sharing: ["#preset=mail", 1280, (page) => press(page, "Share")],
  help: ["#preset=mail", 320, (page) => press(page, "Keys")],
  "the public reports": ["#preset=mail", 1280, (page) => opened(page, "Cases")],
  "the public reports on a small screen": ["#preset=mail", 320, (page) => opened(page, "Cases")],
  "a public report": ["#case=memlock-8192k", 1280, (page) => opened(page, "Cases")],
  "a public report on a small screen": ["#case=ionic-two-budgets", 320, (page) => opened(page, "Cases")],
  pasting: ["#preset=mail", 1280, (page) => opened(page, "Paste")],
  "what a text does not say": ["#preset=mail", 320, async (page) => {
    await opened(page, "Paste");
    await page.$eval("dialog textarea", (field) => { field.value = "ibv_reg_mr(address=0x7f0000001000, length=65536) failed: Cannot allocate memory"; });
    await press(page, "Read");
    await page.waitForSelector("dialog datalist");
  }],
  "the IOMMU's own entries": ["#preset=mail-iommu", 1280, (page) => press(page, "IOMMU entries")],
  "the table": ["#preset=mail", 1280, async (page) => (await page.$("aria/Show as table")).click()],
  "the scenario as JSON": ["#preset=mail", 1280, async (page) => (await page.$("aria/Edit as JSON")).click()],
};

/** Opens a dialog that is loaded then. */
async function opened(page, name) {
  await press(page, name);
  await page.waitForSelector("dialog[open]");
}

/** What axe finds, in a line each. */
async function found(page) {
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), TAGS);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}

for (const look of ["light", "dark"]) {
  test(`axe finds nothing in the ${look}`, onlyChromium("change its theme, and let axe in"), async (t) => {
    for (const [name, [hash, width, act]] of Object.entries(STATES)) {
      await t.test(name, async () => {
        const page = await site.open("", { width, height: 900 });
        // axe itself is what the page's policy keeps out.
        await page.setBypassCSP(true);
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look }]);
        await page.goto("about:blank");
        await page.goto(site.address + hash);
        await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
        await act?.(page);
        await page.evaluate(source);
        assert.deepEqual(await found(page), []);
        await page.close();
      });
    }
  });
}

test("nothing sticks out, down to 320 pixels, which is also 400 % of 1280", async () => {
  const page = await site.open("", { width: 320, height: 720 });
  const scenes = {
    320: ["#preset=mail", "#preset=scattered", "#story=5", "#story=10", "#preset=one-size&with-preset=one-size-iommu", "#case=rccl-548-regions"],
    800: ["#case=rccl-548-regions"],
    821: ["#preset=mail&with-preset=mail-iommu"],
    1180: ["#preset=mail&with-preset=mail-iommu"],
    1181: ["#case=rccl-548-regions"],
    1440: ["#case=rccl-548-regions"],
  };
  for (const [width, hashes] of Object.entries(scenes)) {
    await page.setViewport({ width: Number(width), height: 720 });
    for (const hash of hashes) {
      await page.goto("about:blank");
      await page.goto(site.address + hash);
      await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
      if (hash.startsWith("#story")) await (await page.waitForSelector(".choice")).click();
      if (hash.startsWith("#case")) await page.waitForSelector(".set .budget");
      if (hash.includes("with-")) await page.waitForSelector(".sides");
      const { inner, outer, over } = await page.evaluate(() => {
        const { scrollWidth: inner, clientWidth: outer } = document.documentElement;
        // What reaches over what stands beside it, within a page that is as wide as it should be.
        const over = [...document.querySelectorAll(".totals > section")].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1).length;
        return { inner, outer, over };
      });
      assert.ok(inner <= outer && over === 0, `${hash} at ${width}: ${inner} > ${outer}, or ${over} sections are too wide`);
    }
  }
  await page.close();
});

test("at 200 % every field can still be reached and used", async () => {
  const page = await site.open("#preset=mail", { width: 640, height: 450, deviceScaleFactor: 2 });
  await type(page, "Length", "4M");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await press(page, "Restart");
  assert.equal((await moment(page)).step, 0);
  await page.close();
});

/** The canvas, and a way to touch it: fingers go down at their first place and up at their last. */
async function touching(page) {
  const box = await (await page.$(CANVAS)).boundingBox();
  const client = await page.createCDPSession();
  const at = (fingers) => fingers.map(([x, y], id) => ({ x: box.x + x, y: box.y + y, id }));
  return async (...places) => {
    await client.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(places[0]) });
    for (const place of places.slice(1)) await client.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(place) });
    await client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
}

test("two fingers zoom, one drags, a tap puts the lens", onlyChromium("touch it"), async () => {
  const page = await site.open("#preset=mail", { width: 800, height: 900, hasTouch: true });
  const touch = await touching(page);
  await touch([[300, 200], [400, 200]], [[250, 200], [450, 200]], [[200, 200], [500, 200]]);
  await page.waitForSelector(WHOLE);
  const picture = () => page.$eval(CANVAS, (canvas) => canvas.toDataURL());
  const before = await picture();
  await touch([[400, 200]], [[380, 200]], [[340, 200]], [[300, 200]]);
  assert.notEqual(await picture(), before, "the picture has moved");
  await (await page.$(WHOLE)).click();
  await page.waitForSelector(WHOLE, { hidden: true });
  const box = await (await page.$(CANVAS)).boundingBox();
  await page.touchscreen.tap(box.x + box.width - 40, box.y + box.height - 50);
  const reason = () => page.$eval("section[aria-label=Reason]", (section) => section.textContent);
  await page.waitForFunction(() => document.querySelector("section[aria-label=Reason] h2").textContent === "Why 2M here?");
  assert.match(await reason(), /0x40200000/);
  assert.match(await page.$eval(CAPTION, (caption) => caption.textContent), /entry 256: 2M/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the reader's own colours, and paper", onlyChromium("change its colours"), async () => {
  const page = await site.open("#preset=mail");
  const client = await page.createCDPSession();
  const plain = await page.$eval(CANVAS, (canvas) => canvas.toDataURL());
  await client.send("Emulation.setEmulatedMedia", { features: [{ name: "forced-colors", value: "active" }] });
  await page.waitForFunction((plain) => document.querySelector("umem-split").shadowRoot.querySelector("canvas").toDataURL() !== plain, {}, plain);
  await client.send("Emulation.setEmulatedMedia", { features: [] });
  await page.emulateMediaType("print");
  for (const name of [".controls", ".transport", ".tools"]) {
    assert.equal(await page.$eval(name, (element) => getComputedStyle(element).display), "none", name);
  }
  assert.ok(await page.$eval(CANVAS, (canvas) => canvas.checkVisibility()));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("closing a dialog returns to where it was opened", async () => {
  const page = await site.open();
  const button = await named(page, "button", "Share");
  await button.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  await focused(page, "Share");
  await page.close();
});
