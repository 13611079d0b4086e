// The address bar, and scenarios from files of the same server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, choose, moment, named, type, value } from "./fields.mjs";
import { start, status } from "./support.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

test("the address bar holds the scenario, and restores it", async () => {
  const page = await site.open();
  assert.deepEqual(await address(page), { preset: "mail" });
  await type(page, "Length", "4000K");
  const { scenario } = await address(page);
  assert.equal(scenario.region.length, "4000K");
  assert.equal(scenario.kernel, undefined, "defaults are left out");
  const told = await status(page);
  const copied = await page.evaluate(() => location.hash);
  assert.doesNotMatch(copied, /[+/=]$|[+/]/);

  const other = await site.open(copied);
  assert.equal(await status(other), told);
  assert.equal(await value(other, "textbox", "Length"), "4000K");
  assert.equal(await value(other, "combobox", "Preset"), "custom");
  assert.deepEqual([...page.complaints, ...other.complaints], []);
  await page.close();
  await other.close();
});

test("typing does not flood the history, and the back button goes back", async () => {
  const page = await site.open("#preset=mail");
  const length = await page.evaluate(() => history.length);
  await type(page, "Length", "1M");
  assert.equal(await page.evaluate(() => history.length), length);
  await choose(page, "Preset", "scattered");
  assert.deepEqual(await address(page), { preset: "scattered" });
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("[role=status]").textContent === "256 entries: 256 × 4K");
  assert.equal(await value(page, "textbox", "Length"), "1M");
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("an address that cannot be read gets a message and the mail's example", async () => {
  for (const hash of ["#s=nonsense!", "#preset=nothing", `#preset=scattered&s=${Buffer.from("{}").toString("base64url")}`]) {
    const page = await site.open(hash);
    assert.equal(await status(page), MAIL);
    assert.match(await page.$eval("[role=alert]", (alert) => alert.textContent), /mail's example instead/);
    await (await named(page, "button", "Dismiss")).click();
    assert.equal(await page.$("[role=alert]"), null);
    assert.deepEqual(page.complaints, []);
    await page.close();
  }
});

const CAPTURE = {
  version: 1,
  region: { length: "8K" },
  memory: { extents: [["0x1000", "4K"], ["0x5000", "4K"]] },
  device: "mlx5",
  provenance: { kernel: "6.1.0", page_size: "4K", time: "2026-11-22T00:00:00Z", rebased: true },
};

/** Opens the page with `?src=`, `body` being what its server has there. */
async function sourced(src, body, contentType = "application/json") {
  const page = await site.browser.newPage();
  const asked = [];
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    asked.push(request.url());
    if (request.url().endsWith("/capture.json")) request.respond({ status: body ? 200 : 404, contentType, body: body ?? "" });
    else request.continue();
  });
  await page.goto(`${site.address}?src=${encodeURIComponent(src)}`);
  await page.waitForSelector("[role=status]");
  return { page, asked };
}

test("a capture of the same server is shown, and never reaches the address", async () => {
  const { page } = await sourced("capture.json", JSON.stringify(CAPTURE));
  await page.waitForFunction(() => document.querySelector("[role=status]").textContent === "2 entries: 2 × 4K");
  assert.equal(await page.evaluate(() => location.hash), "");
  await type(page, "Length", "4K");
  assert.equal(await status(page), "1 entry: 1 × 4K");
  assert.equal(await page.evaluate(() => location.hash), "");
  await page.close();
});

test("a source that cannot be read gets a sentence", async () => {
  const broken = [
    ["capture.json", "{", /capture\.json: .*EOF/],
    ["capture.json", '{"version": 1, "colour": "red"}', /unknown field `colour`/],
    ["capture.json", undefined, /the server answers 404/],
    ["https://example.org/capture.json", "", /is on another site/],
  ];
  for (const [src, body, words] of broken) {
    const { page, asked } = await sourced(src, body);
    await page.waitForSelector("[role=alert]");
    assert.match(await page.$eval("[role=alert]", (alert) => alert.textContent), words);
    assert.equal(await status(page), MAIL);
    assert.ok(asked.every((url) => url.startsWith(site.address) || url.startsWith("data:")), `${asked}`);
    await page.close();
  }
});

/** Nobody presses Back in the frame in which a page appears; a driver does, and then the page's own writing ends the journey. */
const aMoment = () => new Promise((done) => setTimeout(done, 300));
/** Waits until the page has written into the present entry of the history, some words too, which it does a moment after the picture. */
const written = (page, words = "") => page.waitForFunction((words) => history.state?.includes(words), {}, words);
const settled = (page, hash) => page.waitForFunction((hash) => location.hash === hash, {}, hash);

test("Back leaves a shared link as it leaves any other, and a reload keeps what it shows", async () => {
  const page = await site.browser.newPage();
  // Firefox forgets the empty page that it began with.
  const before = `${site.address}examples/index.html`;
  await page.goto(before);
  await page.goto(`${site.address}#preset=mail`);
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.trim());
  await page.evaluate(() => { location.hash = "#preset=scattered&at=3"; });
  await page.waitForFunction(() => document.querySelector("input[type=range]").value === "3");
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]"));
  assert.equal((await moment(page)).step, 3);
  assert.equal(await page.evaluate(() => location.hash), "#preset=scattered&at=3");
  await page.goBack();
  await settled(page, "#preset=mail");
  assert.equal(await status(page), MAIL);
  // A page that the browser had kept does not load, which `goBack` would wait for.
  await page.evaluate(() => history.back());
  await page.waitForFunction((before) => location.href === before, {}, before);
  await page.close();
});

test("what the address holds is what a reload shows, whatever ?src= named before", async () => {
  const { page } = await sourced("capture.json", JSON.stringify(CAPTURE));
  await page.waitForFunction(() => document.querySelector("[role=status]").textContent === "2 entries: 2 × 4K");
  await written(page, "capture source");
  // Its `s=` is no scenario's.
  await page.evaluate(() => { location.hash = "#preset=scattered&lens=4096"; });
  await page.waitForFunction(() => document.querySelector("[role=status]").textContent.startsWith("1023"));
  await written(page);
  assert.equal(new URL(page.url()).search, "");
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.startsWith("1023"));
  await aMoment();
  await page.goBack();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent === "2 entries: 2 × 4K");
  assert.equal(new URL(page.url()).search, "?src=capture.json");
  await page.close();
});

test("another preset over a source is what a reload shows", async () => {
  const { page } = await sourced("capture.json", JSON.stringify(CAPTURE));
  await page.waitForFunction(() => document.querySelector("[role=status]").textContent === "2 entries: 2 × 4K");
  await written(page, "capture source");
  await choose(page, "Preset", "one-size");
  await settled(page, "#preset=one-size");
  await page.reload();
  await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent === "2 entries: 2 × 2M");
  await page.close();
});

test("the title says what is seen", async () => {
  const page = await site.open("#preset=mail");
  const before = await page.title();
  await choose(page, "Preset", "scattered");
  assert.notEqual(await page.title(), before);
  assert.match(await page.title(), / · umem$/);
  await type(page, "Length", "1M");
  assert.equal(await page.title(), "Your own scenario · umem");
  await page.close();
});
