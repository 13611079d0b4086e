// The IOMMU's own entries as a lane of the picture, which can be switched on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { choose, named, press } from "./fields.mjs";
import { CANVAS, CAPTION, start, status } from "./support.mjs";

let site;
before(async () => { site = await start(); });
after(() => site?.stop());

const height = (page) => page.$eval(CANVAS, (canvas) => canvas.clientHeight);
const isOn = async (page) => (await named(page, "button", "IOMMU entries")).evaluate((button) => button.getAttribute("aria-pressed"));
/** Waits until the picture is higher or lower than it was. */
const resized = (page, was) => page.waitForFunction((was) => document.querySelector("umem-split").shadowRoot.querySelector("canvas").clientHeight !== was, {}, was);

test("the lane is switched on near the picture, stays on, and is there only where an IOMMU is", async () => {
  const page = await site.open("#preset=mail-iommu");
  const [told, low] = [await status(page), await height(page)];
  assert.equal(await isOn(page), "false");
  await press(page, "IOMMU entries");
  await resized(page, low);
  assert.equal(await isOn(page), "true");
  const high = await height(page);
  assert.ok(high > low, `${high} > ${low}`);
  assert.equal(await status(page), told, "it changes no answer");
  // The keyboard reaches it: from the device's entries one lane up.
  await page.focus("umem-split >>> canvas");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction(() => document.querySelector("umem-split").shadowRoot.querySelector(".caption").textContent.startsWith("IOMMU entry"));
  assert.match(await page.$eval(CAPTION, (caption) => caption.textContent), /^IOMMU entry \d+: \S+ at 0x\w+, from DMA segment 0, SG entry 0, frames/);
  await page.keyboard.press("Escape");
  await choose(page, "IOMMU", "off");
  await resized(page, high);
  assert.equal(await height(page), low);
  assert.equal(await page.$("aria/IOMMU entries[role=button]"), null);
  await choose(page, "Preset", "misaligned-iova");
  await resized(page, low);
  assert.equal(await isOn(page), "true");
  await press(page, "IOMMU entries");
  await resized(page, high);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("a shared link has the lane", async () => {
  const page = await site.open("#preset=mail-iommu&lane=iommu");
  assert.equal(await isOn(page), "true");
  await press(page, "Share");
  await page.waitForSelector("dialog[open]");
  assert.match(await (await named(page, "textbox", "Link")).evaluate((area) => area.value), /#preset=mail-iommu&lane=iommu$/);
  await page.close();
});
