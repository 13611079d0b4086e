// What stops a registration: the list of gates, kinds of memory, where the picture ends, and sets of many regions.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { address, agreed, choose, fault, moment, named, planned, press, type, value } from "./fields.mjs";
import { documentWith, inside, ready } from "./somebody.mjs";
import { start, status } from "./support.mjs";

let site, folder;
before(async () => {
  site = await start();
  folder = await mkdtemp(join(tmpdir(), "umem-gates-"));
});
after(async () => {
  await site?.stop();
  await rm(folder, { recursive: true });
});

/** A test on a page of its own, about which the browser must not complain. */
const on = (name, hash, body) =>
  test(name, async () => {
    const page = await site.open(hash);
    await body(page);
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

const hash = (json) => `#s=${Buffer.from(JSON.stringify(json)).toString("base64url")}`;

const LOCKED = {
  version: 1, region: { length: "64M" }, memory: { layout: "scattered" }, device: "mlx5",
  process: { memlock: "8M", pinned: "0", privileged: false },
};
/** 16G in an IOMMU's space of 32 bits: pinned and gathered, but not mapped. */
const UNMAPPED = {
  version: 1, region: { length: "16G" }, memory: { page_size: "1G", layout: "contiguous" }, iommu: { address_bits: 32 }, device: { page_sizes: ["4K"] },
};
const SET = {
  version: 1, name: "slices", device: "ionic",
  registrations: [
    { name: "small", region: { length: "4M" }, memory: { layout: "scattered" }, count: 52 },
    { name: "large", region: { length: "4M" }, memory: { page_size: "2M", layout: "scattered" }, count: 157 },
  ],
};

/** The gates by name, each with its verdict. */
async function gates(page) {
  const list = await named(page, "list", "Gates");
  return list.$$eval("li summary", (all) => all.map((one) => one.textContent));
}

/** What the exported picture says. */
async function drawn(page) {
  await press(page, "Share");
  await page.waitForSelector("dialog[open]");
  const text = await page.evaluate(async () => {
    let blob;
    const [make, click] = [URL.createObjectURL, HTMLAnchorElement.prototype.click];
    URL.createObjectURL = (made) => make.call(URL, (blob = made));
    HTMLAnchorElement.prototype.click = () => {};
    [...document.querySelectorAll("dialog[open] button")].find((button) => button.textContent === "Picture (SVG)").click();
    [URL.createObjectURL, HTMLAnchorElement.prototype.click] = [make, click];
    return blob.text();
  });
  await page.keyboard.press("Escape");
  return text;
}

on("each gate says what it answers", "#preset=one-size", async (page) => {
  const told = await gates(page);
  const { gates: expected } = planned({ preset: "one-size" });
  assert.deepEqual(told.map((text) => text.split(" ")[0]), expected.map(({ gate }) => gate));
  for (const [i, { verdict }] of expected.entries()) {
    assert.match(told[i], { pass: /passed$/, unknown: /not known$/ }[verdict]);
  }
  assert.equal(await page.$(".gates details[open]"), null, "nothing refuses");
});

on("a region that is refused before it is pinned stops there", hash(LOCKED), async (page) => {
  assert.match(await status(page), /^refused at memlock \(ENOMEM\): /);
  const told = await gates(page);
  assert.equal(told.length, 4);
  assert.equal(told.at(-1), "memlock refused: ENOMEM");
  assert.match(await page.$eval(".gates .refused details[open]", (open) => open.textContent), /8M.*What to do: /s);
  assert.deepEqual(await moment(page), { step: 0, last: 0 });
  assert.ok(await (await named(page, "button", "Play")).evaluate((button) => button.disabled), "there is nothing to play");
  assert.match(await (await named(page, "slider", "Moment")).evaluate((slider) => slider.getAttribute("aria-valuetext")), /refused at memlock \(ENOMEM\)/);
  assert.match(await page.$eval("section[aria-label=Reason]", (section) => section.textContent), /Refused at memlock \(ENOMEM\).*What to do/s);
  const sure = await page.$$eval(".evidence li", (all) => all.map((line) => line.textContent));
  assert.equal(sure.length, 1, "rules that were never reached prove nothing");
  assert.match(sure[0], /^memlock/);
  const svg = await drawn(page);
  assert.match(svg, />refused at memlock \(ENOMEM\)</);
  assert.match(svg, />Why: /);
  assert.match(svg, />What to do: /);
  assert.equal(svg.match(/>not reached</g).length, 3, "lanes behind the gate are empty");
  await page.focus("umem-split >>> canvas");
  await page.keyboard.press(" ");
  await named(page, "button", "Play");
});

on("a region that cannot be mapped is pinned and gathered, and stops at the map", hash(UNMAPPED), async (page) => {
  const told = await gates(page);
  assert.match(told.at(-1), /^map refused: /);
  assert.match(await status(page), /^refused at map \(E[A-Z]+\): /);
  const label = () => page.$eval("umem-split >>> canvas", (canvas) => canvas.getAttribute("aria-label"));
  assert.doesNotMatch(await label(), /lens/, "there are no entries to magnify");
  await choose(page, "Preset", "mail");
  await page.waitForFunction(() => /with a lens/.test(document.querySelector("umem-split").shadowRoot.querySelector("canvas").ariaLabel));
  await page.goBack();
  await page.waitForFunction(() => !/lens/.test(document.querySelector("umem-split").shadowRoot.querySelector("canvas").ariaLabel));
  const { last } = await moment(page);
  assert.ok(last > 0);
  const svg = await drawn(page);
  assert.match(svg, />refused at map \(/);
  assert.equal(svg.match(/>not reached</g).length, 2);
  await press(page, "Restart");
  assert.doesNotMatch(await drawn(page), />refused at map \(E[A-Z]+\)</, "the gate is not reached yet");
});

test("the element stops at the same gate", async () => {
  const page = await documentWith(`<umem-split scenario='${JSON.stringify(LOCKED)}'></umem-split>`);
  await ready(page);
  const told = await inside(page, (element) => {
    element.play();
    const text = element.shadowRoot.querySelector("input[type=range]").getAttribute("aria-valuetext");
    return { status: element.status, text, playing: element.playing };
  });
  assert.match(told.status, /^refused at memlock \(ENOMEM\): /);
  assert.match(told.text, /refused at memlock \(ENOMEM\)/);
  assert.equal(told.playing, false);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

on("a refused region is compared", hash(LOCKED), async (page) => {
  await press(page, "Compare");
  const rows = async () => Object.fromEntries(await page.$$eval(".sides tbody tr", (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)).map(([name, ...rest]) => [name, rest])));
  assert.deepEqual((await rows())["SG entries"], ["none", "none"]);
  await press(page, "IOMMU off and on");
  assert.deepEqual((await rows())["DMA segments"], ["none", "none"]);
});

on("a kind of memory is chosen, and stands in the address", "#preset=one-size", async (page) => {
  /** The address, which is written a moment after the picture, comes to hold this kind. */
  const holds = async (kind) => {
    for (let patience = 40; ; patience -= 1) {
      const held = (await address(page)).scenario?.memory.kind;
      if (held === kind || patience === 0) return assert.equal(held, kind);
      await new Promise((wait) => setTimeout(wait, 50));
    }
  };
  assert.equal(await value(page, "combobox", "Memory"), "pages");
  await choose(page, "Memory", "odp");
  await holds("odp");
  await agreed(page);
  await choose(page, "Device", "mlx5");
  await choose(page, "Memory", "dma-buf");
  await holds("dma-buf");
  await agreed(page);
  const again = await site.open(await page.evaluate(() => location.hash));
  assert.equal(await value(again, "combobox", "Memory"), "dma-buf");
  await again.close();
  await choose(page, "Memory", "pages");
  await holds(undefined);
});

on("a region of nothing says where Linux refuses it", "", async (page) => {
  await type(page, "Length", "0");
  assert.match(await fault(page, "textbox", "Length"), /Linux refuses it at memlock \(EINVAL\)/);
});

const POOR = { version: 1, region: { offset: "4K", length: "4092K" }, memory: { page_size: "2M", layout: "contiguous" }, device: { page_sizes: ["4K", "1M", "2M"] }, process: { memlock: "0", privileged: false } };
on("a process in the scenario makes another question of it", hash(POOR), async (page) => {
  assert.match(await status(page), /^refused at memlock \(EPERM\)/);
  assert.equal(await value(page, "combobox", "Preset"), "custom", "it is the mail's example but for the process");
});

async function checkSet(page) {
  const plan = planned({ scenario: SET });
  assert.equal(await status(page), plan.status);
  const meter = await named(page, "meter", "Table budget");
  const { max, now } = await meter.evaluate(({ max, value }) => ({ max, now: value }));
  assert.equal(max, plan.budget.of);
  assert.equal(now, Math.min(plan.budget.entries, plan.budget.of));
  assert.match(await meter.evaluate((meter) => meter.getAttribute("aria-valuetext")), /^53,562 of /);
  return plan;
}

on("a set is opened by its address: totals, budget, one registration in the picture", hash(SET), async (page) => {
  await checkSet(page);
  assert.equal(await value(page, "combobox", "Registration"), "1");
  assert.equal(await value(page, "textbox", "Length"), "4M");
  await choose(page, "Registration", "2");
  assert.match(await page.evaluate(() => location.hash), /&region=2$/);
  assert.equal(await value(page, "combobox", "Pages"), "2M");
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]"));
  assert.equal(await value(page, "combobox", "Registration"), "2");
  await type(page, "Length", "2M");
  await page.waitForFunction(() => /^209 regions: 53405 entries/.test(document.querySelector("[role=status]").textContent));
  await press(page, "Share");
  const command = await (await named(page, "textbox", "Command")).evaluate((area) => area.value);
  assert.match(command, /"registrations":/);
  await page.keyboard.press("Escape");
  await choose(page, "Preset", "mail");
  assert.equal(await status(page), "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
  assert.equal(await page.$("meter"), null);
  await page.goBack();
  await page.waitForFunction(() => /^209 regions/.test(document.querySelector("[role=status]").textContent));
});

on("a set that is refused says which region, and how to go on", hash({ ...SET, process: { hca_objects: 60 } }), async (page) => {
  assert.match(await status(page), /^region 61 of 209 is refused at uverbs/);
  assert.match(await page.$eval(".set", (set) => set.textContent), /Refused at region 61\. What to do: /);
  assert.equal(await value(page, "combobox", "Registration"), "2", "the one that is refused is seen");
});

test("a set is opened, dropped and named by ?src=", async () => {
  const path = join(folder, "set.json");
  await writeFile(path, JSON.stringify(SET));
  const page = await site.open();
  const [chooser] = await Promise.all([page.waitForFileChooser(), press(page, "Open a file")]);
  await chooser.accept([path]);
  await page.waitForSelector("meter");
  await checkSet(page);
  await choose(page, "Preset", "mail");
  await page.evaluate((json) => {
    const data = new DataTransfer();
    data.items.add(new File([json], "dropped.json"));
    for (const type of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
  }, JSON.stringify(SET));
  await page.waitForSelector("meter");
  await checkSet(page);
  assert.deepEqual(page.complaints, []);
  await page.setRequestInterception(true);
  page.on("request", (request) => (request.url().endsWith("/many.json") ? request.respond({ contentType: "application/json", body: JSON.stringify(SET) }) : request.continue()));
  await page.goto(`${site.address}?src=many.json`);
  await page.waitForSelector("meter");
  await checkSet(page);
  assert.match(await page.evaluate(() => location.hash), /^#s=/, "no capture: the address holds it");
  await page.close();
});

on("a set whose memory is listed may be a capture, and is put into no address", "", async (page) => {
  const listed = { ...SET, registrations: [{ region: { length: "8K" }, memory: { extents: [["0x1000", "4K"], ["0x5000", "4K"]] } }, SET.registrations[0]] };
  await (await page.$("aria/Edit as JSON")).click();
  const area = await named(page, "textbox", "The scenario as JSON, applied as you type");
  await area.evaluate((area, json) => {
    area.value = json;
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, JSON.stringify(listed));
  await page.waitForSelector("select#select-Registration");
  assert.match(await status(page), /^53 regions: 53250 entries/);
  assert.equal(await page.evaluate(() => location.hash), "");
});

on("a set that is wrong says which registration", hash({ ...SET, registrations: [...SET.registrations, { region: { length: 0 }, memory: { layout: "contiguous" } }] }), async (page) => {
  assert.match(await page.$eval("[role=alert] p", (alert) => alert.textContent), /registrations\[2\]\.region\.length/);
});
