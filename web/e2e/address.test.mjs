// The address bar, and scenarios from files of the same server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, choose, moment, named, press, type, value } from "./fields.mjs";
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

// ---- What the page says of an address is true ----

const json = (scenario) => `#s=${Buffer.from(JSON.stringify(scenario)).toString("base64url")}`;
/** A scenario that is no capture, and too long for an address. */
const LONG = {
  version: 1,
  region: { length: "10000K" },
  memory: { extents: Array.from({ length: 2500 }, (_, i) => [`0x${(0x10000 + i * 0x3000).toString(16)}`, "4K"]) },
  device: "mlx5",
};
const about = (page) => page.$eval(".about", (about) => about.textContent);
const notice = async (page) => (await page.waitForSelector("main ~ [role=alert], [role=alert]")).evaluate((alert) => alert.textContent);
const hash = (page) => page.evaluate(() => location.hash);
const said = (page, text) => page.waitForFunction((text) => document.querySelector("[role=status]")?.textContent === text, {}, text);

/** Drops a file on the page. */
const drop = (page, name, text) =>
  page.evaluate((name, text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, name, text);

/** Writes into "Edit as JSON". */
async function writeJson(page, text) {
  await (await page.$("aria/Edit as JSON")).click();
  await (await page.waitForSelector("#json")).evaluate((area, text) => {
    area.value = text;
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, text);
}

/** What Share says, and whether it has a link. */
async function shares(page) {
  await press(page, "Share");
  await page.waitForSelector("dialog[open] .files");
  const found = await page.$eval("dialog[open]", (dialog) => ({ text: dialog.textContent, link: dialog.querySelector("#share-Link")?.value }));
  await page.keyboard.press("Escape");
  return found;
}

test("a scenario that is too long for an address says so, and what becomes of it", async () => {
  for (const put of [(page) => drop(page, "long.json", JSON.stringify(LONG)), (page) => writeJson(page, JSON.stringify(LONG))]) {
    const page = await site.open("#preset=mail");
    await put(page);
    await said(page, "2500 entries: 2500 × 4K");
    await settled(page, "");
    assert.match(await about(page), /Your own scenario\. It is too long for an address, and gone after a reload: keep it as a file/);
    const { text, link } = await shares(page);
    assert.equal(link, undefined);
    assert.match(text, /too long for a link/);
    assert.doesNotMatch(text, /capture/);
    await page.reload();
    assert.match(await notice(page), /too long for an address, and it is gone.*mail's example instead/);
    assert.equal(await status(page), MAIL);
    await page.close();
  }
});

test("a scenario that is too long for an address is there again after Back and Forward", async () => {
  const page = await site.open("#preset=mail");
  await drop(page, "long.json", JSON.stringify(LONG));
  await said(page, "2500 entries: 2500 × 4K");
  await written(page, "long");
  await page.goBack();
  await said(page, MAIL);
  await page.goForward();
  await said(page, "2500 entries: 2500 × 4K");
  assert.equal(await page.$("[role=alert]"), null);
  await page.close();
});

const WRONG = { version: 1, region: { length: "8K" }, memory: { page_size: "3K", layout: "contiguous" }, device: "mlx5" };
/** More segments than a page works out: pages in falling order. */
const VAST = { version: 1, region: { length: "1T" }, memory: { page_size: "4K", layout: "descending", start: "0x100000000000" }, device: "mlx5" };

test("what is wrong as a whole is not shown, and a notice says why", async () => {
  for (const [scenario, words] of [[WRONG, /page_size/], [VAST, /more than a browser should work out/]]) {
    const page = await site.open("#preset=one-size");
    const title = await page.title();
    const line = await about(page);
    await drop(page, "wrong.json", JSON.stringify(scenario));
    assert.match(await notice(page), words);
    assert.match(await notice(page), /wrong\.json/);
    assert.deepEqual([await page.title(), await about(page), await hash(page)], [title, line, "#preset=one-size"]);
    assert.equal(await page.$("[aria-invalid]"), null);
    await page.close();
    const link = await site.open(json(scenario));
    assert.match(await notice(link), words);
    assert.match(await notice(link), /mail's example instead/);
    await link.close();
  }
});

test("while a field is wrong the page speaks of what it shows", async () => {
  const wrong = [
    (page) => type(page, "Length", "abc"),
    (page) => type(page, "Length", "0K"),
    (page) => writeJson(page, JSON.stringify(WRONG)),
    (page) => writeJson(page, JSON.stringify({ version: 1, region: { length: "8K" }, memory: { layout: "contiguous" }, device: { name: "mlx5", page_sizes: [] } })),
  ];
  for (const make of wrong) {
    const page = await site.open("#preset=mail");
    const title = await page.title();
    await make(page);
    await page.waitForSelector("[aria-invalid=true], .fault");
    assert.equal(await page.title(), title);
    assert.equal(await hash(page), "#preset=mail");
    assert.match(await about(page), /A field is wrong: the picture and the address are still those of the last scenario that was right/);
    assert.doesNotMatch(await about(page), /holds it/);
    // The list of presets is one of the fields.
    assert.equal(await value(page, "combobox", "Preset"), "custom");
    const { text, link } = await shares(page);
    assert.match(text, /A field is wrong/);
    assert.match(link, /#preset=mail/);
    if (await page.$("#json")) assert.match(await page.$eval("#json-fault", (fault) => fault.textContent), /page_size/);
    await choose(page, "Preset", "mail");
    assert.equal(await page.$("[aria-invalid=true]"), null);
    assert.doesNotMatch(await about(page), /wrong/);
    await page.close();
  }
});

/** What `?src=` names, for as long as the page is open: `body` may be changed. */
async function sourcing(body, more = "") {
  const page = await site.browser.newPage();
  const file = { body, asked: 0 };
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (!new URL(request.url()).pathname.endsWith("/some.json")) return request.continue();
    file.asked += 1;
    request.respond({ status: file.body === undefined ? 404 : 200, contentType: "application/json", body: file.body ?? "" });
  });
  await page.goto(`${site.address}?src=some.json${more}`);
  await page.waitForSelector("[role=status]");
  return { page, file };
}
const search = (page) => page.evaluate(() => location.search);

test("a source that cannot be read is tried again by Back and by a reload", async () => {
  const { page, file } = await sourcing("{");
  assert.match(await notice(page), /some\.json.*mail's example instead/);
  assert.equal(await search(page), "?src=some.json");
  const { text, link } = await shares(page);
  assert.doesNotMatch(text, /capture/);
  assert.match(link, /#preset=mail$/);
  await written(page, "source");
  await choose(page, "Preset", "one-size");
  await settled(page, "#preset=one-size");
  assert.equal(await search(page), "");
  await page.goBack();
  assert.match(await notice(page), /some\.json.*mail's example instead/);
  assert.equal(await search(page), "?src=some.json");
  file.body = JSON.stringify(CAPTURE);
  await page.reload();
  await said(page, "2 entries: 2 × 4K");
  assert.equal(await page.$("[role=alert]"), null);
  await page.close();
});

test("?src= without a name says that it names no file", async () => {
  const page = await site.browser.newPage();
  await page.goto(`${site.address}?src=`);
  assert.match(await notice(page), /^\?src=: names no file\. This is the mail's example instead/);
  await page.close();
});

test("a source that was changed says so, and a reload says what is gone", async () => {
  for (const [body, before] of [[CAPTURE, /Captured on/], [LONG, /Your own scenario\. The address of this page names its file/]]) {
    const { page } = await sourcing(JSON.stringify(body));
    await page.waitForFunction(() => document.querySelector("[role=status]").textContent.includes("× 4K") && !document.querySelector(".loading"));
    assert.match(await about(page), before);
    assert.doesNotMatch(await about(page), /changed/);
    await type(page, "Length", "4K");
    await said(page, "1 entry: 1 × 4K");
    assert.match(await about(page), /You changed it, and the address opens the file as it is: keep yours as a file/);
    assert.equal(await search(page), "?src=some.json");
    await written(page, "changed");
    await page.reload();
    assert.match(await notice(page), /This is the file as it is\. What you had changed/);
    assert.notEqual(await status(page), "1 entry: 1 × 4K");
    await page.close();
  }
});

test("what stands beside ?src= is what is seen of its scenario", async () => {
  const { page } = await sourcing(JSON.stringify(CAPTURE), "#at=1");
  await said(page, "2 entries: 2 × 4K");
  assert.equal((await moment(page)).step, 1);
  await written(page, "capture source");
  assert.deepEqual([await search(page), await hash(page)], ["?src=some.json", "#at=1"]);
  await page.reload();
  await said(page, "2 entries: 2 × 4K");
  assert.equal((await moment(page)).step, 1);
  await page.close();
});

/** A public report, once it is there. */
async function report(name) {
  const page = await site.open(`#case=${name}`);
  await page.waitForFunction(() => document.querySelector(".about")?.textContent.startsWith("Public report"));
  return page;
}

test("who asks again for the report that is open has wrong fields no more", async () => {
  const page = await report("mana-2m");
  const length = await value(page, "textbox", "Length");
  await type(page, "Length", "abc");
  await page.waitForSelector("[aria-invalid=true]");
  await press(page, "Cases");
  await (await page.waitForSelector("dialog[open] .questions button")).click();
  await page.waitForFunction(() => !document.querySelector("dialog[open]") && !document.querySelector("[aria-invalid=true]"));
  assert.equal(await value(page, "textbox", "Length"), length);
  assert.equal(await hash(page), "#case=mana-2m");
  assert.match(await about(page), /^Public report/);
  await page.close();
});

test("Undo leads back to the public report", async () => {
  const page = await report("100m-in-the-card");
  const before = [await page.title(), await about(page)];
  await press(page, "Try it");
  await page.waitForFunction(() => location.hash.startsWith("#s="));
  await press(page, "Undo");
  await settled(page, "#case=100m-in-the-card");
  assert.deepEqual([await page.title(), await about(page)], before);
  await page.close();
});
