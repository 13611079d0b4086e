// The page from end to end: what people do on it, checked against umem-core's own answers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, agreed, choose, cut, fault, moment, named, press, sizes, toggle, type, value } from "./fields.mjs";
import { CANVAS, focused, start, status } from "./support.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

/** A test on a page of its own, about which the browser must not complain. */
const on = (name, hash, body) =>
  test(name, async () => {
    const page = await site.open(hash);
    await body(page);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

on("the mail's example plays to its end", "", async (page) => {
  const { step, last } = await moment(page);
  assert.equal(step, last, "the page opens with the finished picture");
  await choose(page, "Speed", "4");
  // Frame by frame, in the page: on a busy machine a driver comes by too seldom.
  await (await named(page, "slider", "Moment")).evaluate((slider) => {
    globalThis.seen = new Set();
    const look = () => {
      globalThis.seen.add(slider.value);
      requestAnimationFrame(look);
    };
    look();
  });
  await press(page, "Play");
  await named(page, "button", "Pause");
  assert.equal(await status(page), MAIL, "the status line tells the total, not the moment");
  await page.waitForFunction((last) => document.querySelector("input[type=range]").value === `${last}`, { timeout: 120_000, polling: 100 }, last);
  const seen = await page.evaluate(() => [...globalThis.seen]);
  await page.waitForSelector('aria/Play[role="button"]');
  assert.ok(seen.length > last / 2, `saw only the steps ${seen}`);
  assert.equal(await agreed(page), MAIL);
});

on("step, back, restart and the slider move by whole steps", "", async (page) => {
  await press(page, "Restart");
  assert.equal((await moment(page)).step, 0);
  await press(page, "Back");
  assert.equal((await moment(page)).step, 0);
  await press(page, "Step");
  await press(page, "Step");
  assert.equal((await moment(page)).step, 2);
  await press(page, "Back");
  assert.equal((await moment(page)).step, 1);
  // What leads no further says so, and keeps the focus.
  const ends = () => page.$$eval(".transport [aria-disabled]", (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(await ends(), []);
  await press(page, "Back");
  assert.deepEqual(await ends(), ["Back"]);
  await focused(page, "Back");
  const slider = await named(page, "slider", "Moment");
  await slider.focus();
  await page.keyboard.press("End");
  const { step, last } = await moment(page);
  assert.equal(step, last);
  assert.deepEqual(await ends(), ["Step"]);
  await page.keyboard.press("ArrowLeft");
  assert.equal((await moment(page)).step, last - 1);
  await press(page, "Restart");
  assert.equal((await moment(page)).step, 0);
  assert.equal(await status(page), MAIL);
});

on("a kernel is named as people name it", "#preset=one-size", async (page) => {
  const sure = () => page.evaluate(() => document.querySelector(".evidence").parentElement.textContent);
  await type(page, "Kernel release", "6.8.0-84-generic");
  await page.waitForFunction(() => document.body.textContent.includes("Ubuntu's kernel, based on Linux 6.8"));
  assert.equal(await value(page, "combobox", "Kernel"), "custom");
  await agreed(page);
  assert.match(await sure(), /486055f5e09d/);

  await type(page, "Kernel release", "4.19.1");
  assert.match(await fault(page, "textbox", "Kernel release"), /older than 5\.2/);

  await choose(page, "Kernel", "6.15");
  assert.equal(await value(page, "textbox", "Kernel release"), "", "a generation takes the release's place");
  assert.equal(await fault(page, "textbox", "Kernel release"), null);
  await agreed(page);
});

on("every edit yields what umem-core says", "", async (page) => {
  await type(page, "Start offset", "0");
  await agreed(page);
  await type(page, "Length", "4M");
  assert.equal(await agreed(page), "2 entries: 2 × 2M");
  assert.equal(await value(page, "combobox", "Preset"), "custom");

  await type(page, "Start offset", "4K");
  await type(page, "Length", "4092k");
  assert.equal(await value(page, "combobox", "Preset"), "mail", "edited back to the preset");
  await toggle(page, "1M");
  assert.deepEqual(await sizes(page), ["4K", "2M"]);
  assert.equal(await agreed(page), "512 entries: 511 × 4K + 1 × 2M");
  await toggle(page, "64K");
  await agreed(page);
  await cut(page, "Single");
  await agreed(page);
  await cut(page, "Unaligned");
  assert.equal(await agreed(page), "1 entry: 1 × 4092K");

  await choose(page, "IOMMU", "vt-d");
  await cut(page, "Single");
  await agreed(page);
  await type(page, "IOVA", "0x80000000");
  assert.equal(await value(page, "combobox", "IOMMU"), "custom");
  await agreed(page);

  await choose(page, "Device", "mlx5");
  assert.equal(await value(page, "combobox", "Device"), "mlx5");
  await agreed(page);
  await choose(page, "Kernel", "5.10");
  await agreed(page);
  await choose(page, "Layout", "scattered");
  await choose(page, "Pages", "4K");
  assert.equal(await agreed(page), "1023 entries: 1023 × 4K");
});

test("each preset yields what umem-core says", async () => {
  const page = await site.open();
  const presets = await (await named(page, "combobox", "Preset")).$$eval("option", (all) => all.map((one) => one.value));
  assert.ok(presets.includes("mail") && !presets.includes("custom"), `${presets}`);
  for (const preset of presets) {
    await choose(page, "Preset", preset);
    assert.deepEqual(await address(page), { preset });
    await agreed(page);
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});

on("what is wrong is told beside its field, and the picture stays", "", async (page) => {
  await type(page, "Start offset", "x4K");
  assert.match(await fault(page, "textbox", "Start offset"), /is not a valid size/);
  assert.equal(await status(page), MAIL);
  await type(page, "Start offset", "4K");
  assert.equal(await fault(page, "textbox", "Start offset"), null);
  await type(page, "Length", "0");
  assert.match(await fault(page, "textbox", "Length"), /is 0/);
  assert.deepEqual(await address(page), { preset: "mail" }, "the address keeps the last that was right");
  await type(page, "Length", "4092K");
  for (const size of ["1M", "2M", "4K"]) await toggle(page, size);
  assert.match(await fault(page, "group", "Device page sizes"), /is empty/);
  assert.equal(await status(page), "1023 entries: 1023 × 4K");
  await toggle(page, "2M");
  assert.equal(await fault(page, "group", "Device page sizes"), null);
  assert.match(await status(page), /no exact tiling: the device's smallest page is 2M, and the 2M block that holds DMA address 0x40001000 begins at 0x40000000, before the pinned pages begin at 0x40001000/, "a refusal is a result, not an error");
  await agreed(page);
});

on("the reason is told for the entry that is clicked", "", async (page) => {
  const reason = () => page.$eval("section[aria-label=Reason]", (section) => section.textContent);
  assert.match(await reason(), /Why 1M here\?.*0x40100000.*ends in 20 zero bits/s);
  const canvas = await page.$(CANVAS);
  const box = await canvas.boundingBox();
  // The last entry of the lens is the 2M.
  await canvas.click({ offset: { x: box.width - 40, y: box.height - 50 } });
  assert.match(await reason(), /Why 2M here\?.*0x40200000/s);
  await press(page, "Restart");
  assert.match(await reason(), /Pinning/);
});

on("the entries are told as a table of runs", "", async (page) => {
  await (await page.$("aria/Show as table")).click();
  await page.waitForSelector("details[open] tbody tr");
  const rows = await page.$$eval(".entries tbody tr", (all) =>
    all.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ")),
  );
  assert.deepEqual(rows, ["4K 0x40001000 4K 255", "1M 0x40100000 1M 1", "2M 0x40200000 2M 1"]);
});
