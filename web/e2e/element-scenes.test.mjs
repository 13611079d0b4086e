// What <umem-split> shows and tells while its scene is wrong, on its way, or followed by another.

import assert from "node:assert/strict";
import { test } from "node:test";
import { documentWith, events, FALLBACK, inside, MAIL, ready } from "./somebody.mjs";

test("a first scene that is wrong leaves the fallback where it is; a right one takes its place", async () => {
  const page = await documentWith(`<umem-split preset="nothing">${FALLBACK}</umem-split>`);
  await page.waitForFunction(() => globalThis.events.some(([name]) => name === "umem-error"));
  assert.ok(await (await page.$("umem-split img")).isVisible());
  assert.deepEqual(await inside(page, ({ ready, status, steps, scenario }) => [ready, status, steps, scenario]), [false, "", 0, null]);
  assert.deepEqual(await events(page, "umem-ready"), []);
  await inside(page, (element) => {
    element.seek(1);
    element.preset = "mail";
  });
  assert.deepEqual(await inside(page, ({ ready, status, moment }) => [ready, status, moment]), [true, MAIL, 1]);
  assert.equal(await inside(page, (element) => element.shadowRoot.querySelector("[role=alert]").hidden), true);
  assert.deepEqual(await events(page, "umem-change"), []);
  await page.close();
});

test("what is asked of it while its source is read is done when that is there", async () => {
  const page = await documentWith("");
  await page.evaluate(() => {
    const real = fetch;
    globalThis.fetch = async (url, ...rest) => {
      if (!String(url).endsWith("slow.json")) return real(url, ...rest);
      await new Promise((done) => { globalThis.arrive = done; });
      return new Response(JSON.stringify({ version: 1, region: { length: "64K" }, memory: { page_size: "4K", layout: "scattered" }, device: "mlx5" }));
    };
    const element = document.createElement("umem-split");
    element.src = "slow.json";
    document.body.append(element);
  });
  await page.waitForFunction(() => globalThis.arrive);
  assert.equal(await inside(page, (element) => element.status), "", "no scene is taken for the one that is on its way");
  await inside(page, (element) => { element.play(); globalThis.arrive(); });
  await ready(page);
  assert.equal(await inside(page, (element) => element.playing), true);
  await page.close();
});

test("another scenario is told once, and nothing is told of the last", async () => {
  const page = await documentWith(`<umem-split preset="mail" scenario='{"version":1,"region":{"length":"64K"},"memory":{"page_size":"64K","layout":"contiguous"},"device":{"page_sizes":["64K"]}}' at="0"></umem-split>`);
  await ready(page);
  assert.equal(await inside(page, (element) => element.status), "1 entry: 1 × 64K");
  const told = () => inside(page, (element) => element.shadowRoot.querySelector("input").getAttribute("aria-valuetext"));
  const before = await told();
  await inside(page, (element) => { element.scenario = null; });
  assert.deepEqual((await events(page, "umem-change")).map(({ status }) => status), [MAIL]);
  assert.notEqual(await told(), before);
  // A text that is no JSON is told when it is shown, not when it is asked for.
  const early = () => {
    const element = document.createElement("umem-split");
    element.setAttribute("scenario", "{");
    return element.scenario;
  };
  assert.equal(await page.evaluate(early), null);
  await page.close();
});

test("who paused it finds the next scene playing, if that plays by itself", async () => {
  const page = await documentWith(`<umem-split preset="mail" autoplay></umem-split>`);
  await ready(page);
  await inside(page, (element) => { element.pause(); element.preset = "one-size"; });
  assert.equal(await inside(page, (element) => element.playing), true);
  await page.close();
});

test("the IOMMU's own entries are a lane where there is an IOMMU", async () => {
  const page = await documentWith(`<umem-split preset="mail" lanes="dma iommu entries"></umem-split>`);
  await ready(page);
  const height = () => inside(page, (element) => element.shadowRoot.querySelector("canvas").clientHeight);
  const without = await height();
  await inside(page, (element) => { element.lanes = "dma entries"; });
  assert.equal(await height(), without, "without an IOMMU the lane is not there");
  await inside(page, (element) => { element.lanes = "dma iommu entries"; element.preset = "mail-iommu"; });
  await page.waitForFunction((without) => document.querySelector("umem-split").shadowRoot.querySelector("canvas").clientHeight > without, {}, without);
  await page.close();
});
