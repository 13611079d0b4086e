// The main paths in WebKit: the page, its history, its fields, comparing, the story, a capture; the element in somebody's document.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./driver.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";
const address = process.env.UMEM_PAGE;

let webkit;
before(async () => {
  webkit = await launch();
  console.log(`  ${webkit.version}`);
});
after(() => webkit?.stop());

const status = (text) => webkit.until((text) => document.querySelector("[role=status]")?.textContent === text, text);
const press = (name) =>
  webkit.until((name) => {
    const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === name);
    button?.click();
    return Boolean(button);
  }, name);
const choose = (label, option) =>
  webkit.run(
    (label, option) => {
      const select = [...document.querySelectorAll("label")].find(({ textContent }) => textContent === label).control;
      select.value = option;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
    label,
    option,
  );
const hash = (text) => webkit.until((text) => location.hash === text, text);

test("the page opens, plays and draws", async () => {
  await webkit.open(address);
  await status(MAIL);
  assert.equal(await webkit.run(() => document.querySelector("[role=alert]")), null);
  await press("Restart");
  await press("Step");
  await webkit.until(() => document.querySelector("input[type=range]").value === "1");
  const colours = await webkit.run(() => {
    const canvas = document.querySelector("umem-split").shadowRoot.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  assert.ok(colours > 10, `${colours} colours`);
});

test("fields, presets and the history", async () => {
  await webkit.open(`${address}?fields#preset=mail`);
  await status(MAIL);
  await webkit.type("#text-Length", "\u{e003}".repeat(8) + "2M");
  await webkit.until(() => /^#s=/.test(location.hash));
  await choose("Preset", "scattered");
  await hash("#preset=scattered");
  await webkit.back();
  await webkit.until(() => /^#s=/.test(location.hash));
  await webkit.forward();
  await status("1023 entries: 1023 × 4K");
  await webkit.reload();
  await status("1023 entries: 1023 × 4K");
});

test("comparing, and the story", async () => {
  await webkit.open(`${address}?compare#preset=one-size`);
  await status("2 entries: 2 × 2M");
  await press("Compare");
  await press("IOMMU off and on");
  await webkit.until(() => document.querySelectorAll(".side").length === 2);
  await press("Stop comparing");
  await press("Start the story");
  await webkit.until(() => {
    document.querySelector(".choice")?.click();
    return document.querySelector(".truth")?.textContent.trim();
  });
});

test("a capture opens, packed as well", async () => {
  await webkit.open(`${address}?capture#preset=mail`);
  await status(MAIL);
  await webkit.run(() => {
    const extents = Array.from({ length: 3 }, (_, i) => [`0x${(0x10000 + i * 0x3000).toString(16)}`, "4K"]);
    const json = JSON.stringify({ version: 1, region: { length: "12K" }, memory: { extents }, device: "mlx5" });
    const packed = new Response(new Blob([json]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
    packed.then((blob) => {
      const data = new DataTransfer();
      data.items.add(new File([blob], "three.json.gz"));
      document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    });
  });
  await status("3 entries: 3 × 4K");
});

test("the element in somebody's document", async () => {
  await webkit.open(`${address}examples/plain.html`);
  await webkit.until(() => document.querySelector("umem-split")?.ready);
  assert.equal(await webkit.run(() => document.querySelector("umem-split").status), MAIL);
  const moved = await webkit.run(() => {
    const element = document.querySelector("umem-split");
    element.seek("cut");
    element.step();
    return element.shadowRoot.querySelector("[role=alert]").hidden && element.moment > 0;
  });
  assert.ok(moved);
});
