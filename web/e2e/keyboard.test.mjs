// The page by keyboard, on small screens, and where things are missing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { moment, named } from "./fields.mjs";
import { CANVAS, CAPTION, onlyChromium, start, status, WHOLE } from "./support.mjs";

let site;
before(async () => {
  site = await start();
});
after(() => site?.stop());

test("on a phone Tab comes to the picture before it comes to the next chapter", async () => {
  const page = await site.open("#story=1", { width: 390, height: 844 });
  await page.waitForSelector("#chapter");
  const reached = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      let active = document.activeElement;
      while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active.tagName === "CANVAS" ? "the picture" : active.textContent;
    }));
  }
  const [picture, next] = ["the picture", "Next chapter"].map((what) => reached.findIndex((text) => text.startsWith(what)));
  assert.ok(picture >= 0 && picture < next, reached.join(", "));
  // There is one such button for whoever listens, here and beside a wide picture.
  for (const width of [390, 1280]) {
    await page.setViewport({ width, height: 844 });
    const seen = await page.$$eval(".turn .primary", (all) => all.filter((button) => button.checkVisibility()).length);
    assert.equal(seen, 1, `at ${width}`);
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the picture has keys of its own", async () => {
  const page = await site.open();
  const key = (name) => page.keyboard.press(name);
  await page.focus(CANVAS);
  const last = (await moment(page)).last;
  await key("Home");
  assert.equal((await moment(page)).step, 0);
  await key("ArrowRight");
  await key("ArrowRight");
  await key("ArrowLeft");
  assert.equal((await moment(page)).step, 1);
  await key(" ");
  await named(page, "button", "Pause");
  await key(" ");
  await named(page, "button", "Play");
  await key("+");
  await page.waitForSelector(WHOLE);
  await key("0");
  await page.waitForSelector(WHOLE, { hidden: true });
  await key("?");
  await page.waitForSelector("dialog[open]");
  assert.match(await page.$eval("dialog", (dialog) => dialog.textContent), /Space.*play or pause/s);
  await key("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog").open);
  assert.equal((await moment(page)).last, last);
  // Closed by Esc or by its button, the list opens again.
  await key("?");
  await page.waitForSelector("dialog[open]");
  await (await named(page, "button", "Close")).click();
  await page.waitForFunction(() => !document.querySelector("dialog").open);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("keys read every box, as a finger does", async () => {
  const page = await site.open();
  await page.focus(CANVAS);
  const read = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
    return page.$eval(CAPTION, (caption) => caption.textContent);
  };
  assert.match(await read("ArrowDown"), /^entry 255: 1M at 0x40100000/);
  await page.keyboard.down("Shift");
  assert.match(await read("ArrowLeft"), /^entry 254: 4K at 0x400ff000/);
  await page.keyboard.up("Shift");
  assert.match(await read("ArrowUp"), /^DMA segment 0: 4092K at 0x40001000/);
  assert.match(await read("ArrowUp", "ArrowUp"), /^frames 0x40000000: 2M/);
  assert.match(await read("ArrowUp"), /^the registered region: 4092K/);
  assert.match(await read("Escape"), /^Point at a box/);
  await page.close();
});

test("the overview is dragged to another part", async () => {
  const page = await site.open("#preset=scattered");
  await page.focus(CANVAS);
  for (let i = 0; i < 4; i++) await page.keyboard.press("+");
  const { x, y, width } = await (await page.$(CANVAS)).boundingBox();
  const left = () => page.$eval(CANVAS, (canvas) => canvas.toDataURL().length);
  const before = await left();
  await page.mouse.move(x + width * 0.3, y + 4);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.9, y + 4, { steps: 5 });
  await page.mouse.up();
  assert.notEqual(await left(), before);
  assert.match(await page.$eval(CAPTION, (caption) => caption.textContent), /^Point at a box/, "nothing was tapped");
  await page.close();
});

test("everything that can be pressed is reached by Tab, visibly", async () => {
  const page = await site.open();
  const wanted = await page.$$eval("button, input:enabled, select, summary, umem-split", (all) => {
    const radios = all.filter((one) => one.type === "radio" && !one.checked);
    return all.filter((one) => !one.closest("dialog") && !radios.includes(one)).length;
  });
  const reached = new Set();
  for (let i = 0; i < wanted + 5; i++) {
    await page.keyboard.press("Tab");
    const id = await page.evaluate(() => {
      const all = [...document.querySelectorAll("button, input:enabled, select, summary, umem-split")];
      const here = document.activeElement;
      if (!all.includes(here)) return -1;
      // In the element it is the canvas that has the focus; a radio button shows it on its name.
      const shown = here.shadowRoot?.activeElement ?? (here.type === "radio" ? here.nextElementSibling : here);
      const style = getComputedStyle(shown);
      return style.outlineStyle === "none" || style.outlineWidth === "0px" ? -2 : all.indexOf(here);
    });
    assert.notEqual(id, -2, "focus is not visible");
    if (id >= 0) reached.add(id);
  }
  assert.equal(reached.size, wanted);
  await page.close();
});

test("nothing sticks out at 390 pixels, and the fields stand below the picture", async () => {
  const page = await site.open("#preset=mail-iommu", { width: 390, height: 844 });
  for (const preset of ["mail-iommu", "scattered", "one-size-iommu"]) {
    await (await named(page, "combobox", "Preset")).select(preset);
    const { inner, outer } = await page.evaluate(() => ({
      inner: document.documentElement.scrollWidth,
      outer: innerWidth,
    }));
    assert.ok(inner <= outer, `${preset}: ${inner} > ${outer}`);
  }
  await (await named(page, "combobox", "Device")).select("mlx5");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "mlx5");
  const top = async (element) => (await element.boundingBox()).y;
  assert.ok((await top(await page.$(CANVAS))) < (await top(await named(page, "textbox", "Length"))));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("who wants less motion gets steps", onlyChromium("ask for less motion"), async () => {
  const page = await site.open();
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await (await named(page, "button", "Restart")).click();
  const picture = () => page.$eval(CANVAS, (canvas) => canvas.toDataURL());
  const still = await picture();
  await (await named(page, "button", "Play")).click();
  await new Promise((wait) => setTimeout(wait, 300));
  assert.equal((await moment(page)).step, 0);
  assert.equal(await picture(), still, "within a step nothing moves");
  await page.close();
});

test("1 TiB plays to its end as 4 MiB does", async () => {
  const scenario = { version: 1, region: { length: "1T" }, memory: { layout: "contiguous" }, device: "mlx5" };
  const hash = `#s=${Buffer.from(JSON.stringify(scenario)).toString("base64url")}`;
  const page = await site.open(hash);
  assert.equal(await status(page), "1024 entries: 1024 × 1G");
  await (await named(page, "combobox", "Speed")).select("4");
  await (await named(page, "button", "Play")).click();
  await page.waitForFunction(
    () => {
      const slider = document.querySelector("input[type=range]");
      return slider.value === slider.max;
    },
    { timeout: 20_000 },
  );
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("without its code the page says what to do", async () => {
  const page = await site.browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) => (new URL(request.url()).pathname.endsWith(".wasm") ? request.abort() : request.continue()));
  await page.goto(site.address);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.$eval("[role=alert]", (alert) => alert.textContent), /cargo xtask build/);
  await page.close();
});

test("without JavaScript the page says so", onlyChromium("switch JavaScript off"), async () => {
  const page = await site.browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(site.address);
  assert.match(await page.$eval("body", (body) => body.innerText), /needs JavaScript/);
  await page.close();
});
