// Two scenarios, one above the other; and the fields that reach what the others do not.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, agreed, choose, fault, named, press, type, value } from "./fields.mjs";
import { CANVAS, focused, start, status } from "./support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

/** What stands above the two pictures. */
const sides = (page) => page.$$eval(".side", (all) => all.map((side) => side.textContent));

/** A row of the comparison. */
const row = (page, name) =>
  page.$$eval(
    ".sides tr",
    (rows, name) => [...(rows.find((row) => row.cells[0].textContent === name)?.cells ?? [])].slice(1).map((cell) => cell.textContent),
    name,
  );

test("ready-made comparisons", async () => {
  const page = await site.open("#preset=one-size");
  await press(page, "Compare");
  assert.equal((await page.$$(CANVAS)).length, 2);
  await press(page, "IOMMU off and on");
  assert.deepEqual(await sides(page), ["Upper: 2 entries: 2 × 2M", "Lower: 1023 entries: 1023 × 4K"]);
  assert.deepEqual(await row(page, "IOMMU"), ["off", "vt-d"]);
  assert.deepEqual(await row(page, "entries"), ["2", "1023"]);
  await press(page, "mlx5 and irdma");
  assert.deepEqual(await row(page, "device"), ["mlx5", "irdma"]);
  await press(page, "Linux 5.10 and 7.2");
  assert.deepEqual(await row(page, "kernel"), ["Linux 5.10", "Linux 7.2"]);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("two tables with the same counts are not called the same", async () => {
  const page = await site.open("#preset=mail");
  const verdict = () => page.$eval(".compare .verdict", (verdict) => verdict.textContent);
  await press(page, "Compare");
  await press(page, "IOMMU off and on");
  const mail = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";
  assert.deepEqual(await sides(page), [`Upper: ${mail}`, `Lower: ${mail}`]);
  assert.equal(await verdict(), "They differ in IOMMU. Both tables have as many entries of each size, in another order.");
  await press(page, "Linux 5.10 and 7.2");
  assert.match(await verdict(), /^They differ in .*kernel, and nothing comes of it here/);
  await page.close();
});

test("two pictures fit into one window, and the lanes that differ stand out", async () => {
  const page = await site.open("#preset=one-size", { width: 1440, height: 900 });
  await press(page, "Compare");
  await press(page, "IOMMU off and on");
  const feet = await page.$$eval("umem-split", (all) => all.map((one) => one.getBoundingClientRect().bottom + scrollY));
  assert.equal(feet.length, 2);
  assert.ok(Math.max(...feet) <= 900, `the pictures end at ${feet}`);
  assert.ok(Math.max(...feet) > 500);
  const { text } = await page.$eval(".transport", (transport) => ({ text: transport.getBoundingClientRect().top + scrollY }));
  assert.ok(text <= 900, `the player begins at ${text}`);
  await page.close();
});

test("the fields edit one of the two, and the address holds both", async () => {
  const page = await site.open("#preset=one-size");
  await press(page, "Compare");
  await choose(page, "IOMMU", "vt-d");
  const two = ["Upper: 2 entries: 2 × 2M", "Lower: 1023 entries: 1023 × 4K"];
  assert.deepEqual(await sides(page), two);
  assert.equal(await status(page), "1023 entries: 1023 × 4K", "the status is that of the fields");
  await (await named(page, "radio", "Upper")).click();
  assert.equal(await status(page), "2 entries: 2 × 2M");
  assert.equal(await value(page, "combobox", "IOMMU"), "off");
  const hash = await page.evaluate(() => location.hash);
  assert.match(hash, /^#preset=one-size&with=/);
  const other = await site.open(hash);
  assert.deepEqual(await sides(other), two);
  await press(other, "Stop comparing");
  assert.equal((await other.$$(CANVAS)).length, 1);
  assert.equal(await other.evaluate(() => location.hash), "#preset=one-size");
  assert.deepEqual([...page.complaints, ...other.complaints], []);
  await page.close();
  await other.close();
});

test("the NIC's address and the frames' can be set", async () => {
  const page = await site.open("#preset=one-size-iommu");
  await type(page, "NIC address", "0x0");
  assert.equal(await agreed(page), "2 entries: 2 × 2M");
  await type(page, "NIC address", "0x10");
  assert.match(await fault(page, "textbox", "NIC address"), /modulo|page/);
  await type(page, "NIC address", "nowhere");
  assert.match(await fault(page, "textbox", "NIC address"), /is not a valid address/);
  await type(page, "NIC address", "");
  assert.equal(await agreed(page), "1023 entries: 1023 × 4K");
  await choose(page, "IOMMU", "off");
  await type(page, "Frames at", "0x40001000");
  await agreed(page);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what no field reaches is written as JSON", async () => {
  const page = await site.open("#preset=mail");
  await (await page.$("aria/Edit as JSON")).click();
  const area = await page.waitForSelector("#json");
  await page.waitForFunction(() => document.querySelector("#json").value);
  const text = await area.evaluate((area) => area.value);
  assert.equal(JSON.parse(text).region.length, "4092K");
  const write = (scenario) =>
    area.evaluate((area, text) => {
      area.value = text;
      area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }, typeof scenario === "string" ? scenario : JSON.stringify(scenario));
  const scenario = JSON.parse(text);
  scenario.device.edges = "overhang";
  await write(scenario);
  assert.equal(await agreed(page), "2 entries: 2 × 2M");
  await write('{"version": 1, "colour": "red"}');
  assert.match(await page.$eval("#json-fault", (fault) => fault.textContent), /unknown field `colour`/);
  assert.equal(await status(page), "2 entries: 2 × 2M");
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("advice that is followed plays", async () => {
  const page = await site.open("#preset=one-size-iommu");
  await (await page.$('aria/Try it[role="button"]')).click();
  await named(page, "button", "Pause");
  assert.equal(await agreed(page), "2 entries: 2 × 2M");
  // What was tried is told, and the way back has the focus, since the button that led here is gone.
  await focused(page, "Undo");
  await page.keyboard.press("Enter");
  assert.equal(await agreed(page), "1023 entries: 1023 × 4K");
  assert.deepEqual(await address(page), { preset: "one-size-iommu" });
  // It is gone now, and the focus is where it can be tried again.
  await focused(page, "Try it");
  // Who changes something after it has gone on, and nothing of theirs is undone.
  await (await page.$('aria/Try it[role="button"]')).click();
  await named(page, "button", "Undo");
  await type(page, "Length", "1M");
  assert.equal(await page.$('aria/Undo[role="button"]'), null);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what is tried in a set leaves the focus in the set", async () => {
  const page = await site.open("#case=rccl-548-regions");
  // What is seen until the report has come has a button of that name, too.
  await page.waitForSelector(".set .budget");
  await (await named(page, "button", "Try it")).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.location.hash.startsWith("#case"));
  assert.ok(await page.evaluate(() => document.activeElement.closest(".totals")));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the address says which of the two the fields edit", async () => {
  const page = await site.open("#preset=one-size");
  await press(page, "Compare");
  await choose(page, "IOMMU", "vt-d");
  await page.waitForFunction(() => location.hash.endsWith("&edit=lower"));
  const seen = async () => [await status(page), await page.title(), await page.$eval("input[name=place]:checked", (radio) => radio.value)];
  const before = await seen();
  assert.deepEqual([before[0], before[2]], ["1023 entries: 1023 × 4K", "Lower"]);
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll(".side").length === 2);
  await page.waitForSelector("input[name=place]");
  assert.deepEqual(await seen(), before);
  await (await named(page, "radio", "Upper")).click();
  await page.waitForFunction(() => !location.hash.includes("edit="));
  assert.equal(await status(page), "2 entries: 2 × 2M");
  assert.deepEqual(page.complaints, []);
  await page.close();
});
