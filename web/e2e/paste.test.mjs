// What people have, pasted: a line of a log, smaps, what rdma prints, a scenario. What it does not say is asked for by name.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, named, press, type } from "./fields.mjs";
import { onlyChromium, start, status } from "./support.mjs";

const LINE =
  "ib_md.c:287 UCX ERROR ibv_reg_mr(address=0x15213b956010, length=65536, access=0xf) failed: Cannot allocate memory : Please set max locked memory (ulimit -l) to 'unlimited' (current: 8192 kbytes)";
const TEXT = "Paste a log line, smaps or JSON";

let site;
before(async () => { site = await start(); });
after(() => site?.stop());

/** The page with the dialog open and this text in it. */
async function pasting(text, page) {
  page ??= await site.open();
  await press(page, "Paste");
  await page.waitForSelector("dialog[open]");
  const field = await named(page, "textbox", TEXT);
  // Typing a long text takes long, and a paste comes as a whole.
  await field.evaluate((field, text) => { field.value = text; }, text);
  await press(page, "Read");
  return page;
}

const closed = (page) => page.waitForFunction(() => !document.querySelector("dialog[open]"));
const wanted = (page) => page.$$eval("dialog .asked label", (labels) => labels.slice(1).map((label) => label.textContent));
const notice = (page) => page.$eval(".notice[role=alert]", (alert) => alert.textContent);

/** The field of that label, which Chromium lists as a combobox where it has choices. */
const labelled = (page, label) => page.evaluateHandle((label) => [...document.querySelectorAll("dialog label")].find((known) => known.textContent === label).control, label);
const fill = async (page, label, text) => (await labelled(page, label)).type(text);

test("what a log line does not say is asked for by name, and what was inferred is told", async () => {
  const page = await pasting(LINE);
  await page.waitForFunction(() => document.querySelectorAll("dialog .asked").length > 1);
  assert.deepEqual((await wanted(page)).sort(), ["Device", "IOMMU", "Kernel release", "Page size"]);
  assert.ok(await page.$("dialog input:focus"), "the first of them has the focus");
  await fill(page, "Device", "mlx5_0");
  await fill(page, "IOMMU", "off");
  await fill(page, "Kernel release", "6.12.95");
  await press(page, "Read");
  // Nothing is guessed: one is missing still, and the others stay.
  assert.ok(await page.$("dialog[open]"));
  assert.deepEqual((await wanted(page)).sort(), ["Device", "IOMMU", "Kernel release", "Page size"]);
  await fill(page, "Page size", "much");
  await press(page, "Read");
  const problem = await page.$eval("dialog input[aria-invalid=true]", (input) => [input.labels[0].textContent, document.getElementById(`${input.id}-fault`).textContent]);
  assert.equal(problem[0], "Page size");
  assert.match(problem[1], /much/);
  await page.$eval("dialog input[aria-invalid=true]", (input) => { input.value = "4K"; });
  await press(page, "Read");
  await closed(page);
  await page.waitForFunction(() => document.querySelector(".about")?.textContent.includes("Your own scenario"));
  const { scenario } = await address(page);
  assert.equal(scenario.region.length, "64K");
  assert.equal(scenario.device, "mlx5");
  assert.equal(scenario.kernel.release, "6.12.95");
  assert.equal(scenario.process.memlock, "8M");
  assert.match(await page.$eval(".about", (about) => about.textContent), /From a text; the program saw ENOMEM/);
  // What was inferred stays until somebody has read it.
  assert.match(await notice(page), /limit on locked memory.*CAP_IPC_LOCK.*scattered/);
  await type(page, "Length", "128K");
  assert.match(await notice(page), /CAP_IPC_LOCK/);
  await press(page, "Dismiss");
  assert.equal(await page.$(".notice[role=alert]"), null);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what cannot change the answer is not asked for, and said", async () => {
  const page = await pasting("ibv_reg_mr(address=0x7f0000001000, length=42949672960) failed: Cannot allocate memory : Please set max locked memory (ulimit -l) to 'unlimited' (current: 65536 kbytes)");
  await page.waitForFunction(() => document.querySelectorAll("dialog .asked").length > 1);
  await fill(page, "Device", "mlx5");
  await fill(page, "Kernel release", "5.15.0-105-generic");
  await press(page, "Read");
  await closed(page);
  await page.waitForFunction(() => document.querySelector(".about")?.textContent.includes("Your own scenario"));
  assert.match(await status(page), /^refused at memlock \(ENOMEM\)/);
  assert.match(await notice(page), /does not name the pages that back it and the IOMMU, and need not: the region is refused at memlock, before that matters/);
  assert.doesNotMatch(await notice(page), /adjacent/, "it is refused either way");
  await page.close();
});

test("both answers are told where they depend on how the frames lie", async () => {
  const page = await pasting("ibv_reg_mr(address=0x7f0000000000, length=85899345920)");
  await page.waitForFunction(() => document.querySelectorAll("dialog .asked").length > 1);
  for (const [label, text] of [["Device", "efa"], ["IOMMU", "off"], ["Kernel release", "6.8.0-1015-aws"], ["Page size", "2M"]]) await fill(page, label, text);
  await press(page, "Read");
  await closed(page);
  await page.waitForSelector(".notice[role=alert]");
  assert.match(await notice(page), /With scattered frames: 40960 entries: 40960 × 2M\. If all are adjacent \(Layout "contiguous"\): 20971520 entries: 20971520 × 4K\./);
  await page.close();
});

test("a scenario, a set and a capture are taken as they are", async () => {
  const scenario = { version: 1, region: { length: "8M" }, memory: { page_size: "2M", layout: "contiguous" }, device: "efa" };
  const page = await pasting(JSON.stringify(scenario));
  await closed(page);
  await page.waitForFunction(() => location.hash.startsWith("#s="));
  assert.equal((await address(page)).scenario.region.length, "8M");
  assert.equal(await page.$(".notice[role=alert]"), null, "nothing was inferred");
  const { region, memory, device } = scenario;
  await pasting(JSON.stringify({ version: 1, device, registrations: [{ region, memory, count: 3 }] }), page);
  await closed(page);
  await page.waitForSelector("section.set");
  const capture = { ...scenario, region: { length: "8K" }, memory: { extents: [["0x1000", "4K"], ["0x5000", "4K"]] }, provenance: { kernel: "6.1.0", page_size: "4K", time: "2026-11-22T00:00:00Z", rebased: true } };
  await pasting(JSON.stringify(capture), page);
  await closed(page);
  await page.waitForFunction(() => location.hash === "");
  assert.equal(await status(page), "2 entries: 2 × 4K");
  await page.evaluate(() => history.back());
  await page.waitForSelector("section.set");
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("smaps says which pages are behind a region, and asks which mapping is meant", async () => {
  const mapping = (start, end) => `${start}-${end} rw-p 00000000 00:00 0 \nKernelPageSize:        4 kB\nAnonHugePages:         0 kB\n`;
  const page = await pasting(mapping("7f0000000000", "7f0000800000") + mapping("7f1000000000", "7f1000100000"));
  await page.waitForFunction(() => document.querySelectorAll("dialog .asked").length > 1);
  assert.deepEqual(await wanted(page), ["Address"]);
  const choices = await page.$$eval("dialog datalist option", (all) => all.map(({ value }) => value));
  assert.deepEqual(choices, ["0x7f0000000000", "0x7f1000000000"]);
  await page.$eval("dialog .asked input", (input) => { input.value = "0x7f1000000000"; });
  await press(page, "Read");
  await page.waitForFunction(() => document.querySelectorAll("dialog .asked").length === 5);
  for (const [label, text] of [["Device", "rxe"], ["IOMMU", "off"], ["Kernel release", "6.12.95"]]) {
    await fill(page, label, text);
  }
  await press(page, "Read");
  await closed(page);
  await page.waitForFunction(() => location.hash.startsWith("#s="));
  assert.equal((await address(page)).scenario.region.length, "1M");
  await page.close();
});

test("what cannot be read gets a message beside the field, and nothing is lost", async () => {
  const wrong = [
    ["", /no registration is in the text/],
    ["hello", /no registration is in the text/],
    ["{", /EOF/],
    ['{"version": 1, "colour": "red"}', /unknown field `colour`/],
    ['[{"ifname":"mlx5_0"}]', /mrlen/],
    [JSON.stringify({ version: 1, region: { length: "8M" }, memory: { layout: "contiguous" }, device: "nothing" }), /nothing/],
    ['{"version":1,"region":{"length":"1T"},"memory":{"layout":"scattered"},"iommu":"vt-d","device":"mlx5"}', /more than a browser should work out/],
  ];
  const page = await site.open();
  await press(page, "Paste");
  await page.waitForSelector("dialog[open]");
  for (const [text, words] of wrong) {
    await (await named(page, "textbox", TEXT)).evaluate((field, text) => { field.value = text; }, text);
    await press(page, "Read");
    const told = await page.$eval("dialog textarea[aria-invalid=true]", (field) => document.getElementById(`${field.id}-fault`).textContent);
    assert.match(told, words);
  }
  await page.keyboard.press("Escape");
  await closed(page);
  assert.equal(await page.evaluate(() => location.hash), "#preset=mail");
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("where the rules cannot be loaded the page says so", onlyChromium("break its requests"), async () => {
  const page = await site.open();
  await page.setRequestInterception(true);
  page.on("request", (request) => (/plan\//.test(request.url()) ? request.abort() : request.continue()));
  await press(page, "Paste");
  await page.waitForSelector(".notice[role=alert]");
  assert.match(await notice(page), /^The rules could not be loaded/);
  await page.close();
});
