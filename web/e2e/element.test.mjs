// <umem-split>, as documents of others use it: attributes, properties, methods, events, and what it leaves behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { onlyChromium } from "./support.mjs";
import { documentWith, events, FALLBACK, inside, MAIL, ready } from "./somebody.mjs";

test("one line shows the mail's example", async () => {
  const page = await documentWith(`<umem-split preset="mail"></umem-split>`);
  await ready(page);
  assert.equal(await inside(page, (element) => element.status), MAIL);
  assert.equal(await inside(page, (element) => element.shadowRoot.querySelector("[role=status]").textContent), MAIL);
  const [{ status, steps }] = await events(page, "umem-ready");
  assert.equal(status, MAIL);
  assert.ok(steps > 3);
  // Something is drawn: a canvas of one colour would be none.
  const colours = await inside(page, async (element) => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const canvas = element.shadowRoot.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  assert.ok(colours > 20, `${colours} colours`);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("methods and buttons move it, and events tell", async () => {
  const page = await documentWith(`<umem-split preset="mail" at="0"></umem-split>`);
  await ready(page);
  assert.equal(await inside(page, (element) => element.moment), 0);
  await inside(page, (element) => element.step());
  assert.equal(await inside(page, (element) => element.moment), 1);
  await inside(page, (element) => element.seek(2));
  const told = await events(page, "umem-step");
  assert.deepEqual(told.slice(-2).map(({ step }) => step), [1, 2]);
  assert.deepEqual(Object.keys(told.at(-1)).sort(), ["dma", "entries", "name", "pinned", "sg", "stage", "step", "steps", "text", "total"]);
  const button = (name) => page.evaluateHandle((name) => [...document.querySelector("umem-split").shadowRoot.querySelectorAll("button")].find((found) => found.textContent === name), name);
  await (await button("Restart")).click();
  assert.equal(await inside(page, (element) => element.moment), 0);
  await (await button("Play")).click();
  assert.ok(await inside(page, (element) => element.playing));
  await page.waitForFunction(() => document.querySelector("umem-split").moment > 0);
  await (await button("Pause")).click();
  assert.ok(!(await inside(page, (element) => element.playing)));
  await inside(page, (element) => element.seek(1e9));
  assert.equal(await inside(page, (element) => element.moment === element.steps), true);
  await assert.rejects(inside(page, (element) => element.seek("soon")), /is not a step/);
  // The keys of the picture.
  await inside(page, (element) => element.shadowRoot.querySelector("canvas").focus());
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  assert.equal(await inside(page, (element) => element.moment), 1);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("attributes and properties say the same, and what is wrong stands inside", async () => {
  const page = await documentWith(`<umem-split></umem-split>`);
  await ready(page);
  assert.equal(await inside(page, (element) => element.status), MAIL);
  await inside(page, (element) => { element.preset = "scattered"; });
  await page.waitForFunction(() => document.querySelector("umem-split").status.startsWith("1023 entries"));
  assert.equal(await inside(page, (element) => element.getAttribute("preset")), "scattered");
  const [{ scenario }] = await events(page, "umem-change");
  assert.equal(scenario.memory.layout, "scattered");
  await inside(page, (element) => {
    element.scenario = { version: 1, region: { length: "2M" }, memory: { page_size: "2M", layout: "contiguous" }, device: { page_sizes: ["4K", "2M"] } };
  });
  assert.equal(await inside(page, (element) => element.status), "1 entry: 1 × 2M");
  assert.equal(await inside(page, (element) => element.scenario.region.length), "2M");
  const wrong = (element) => element.shadowRoot.querySelector("[role=alert]:not([hidden])")?.textContent ?? "";
  await inside(page, (element) => element.setAttribute("scenario", '{"version":1,"region":{"length":"4 KB"}}'));
  assert.match(await inside(page, wrong), /region\.length: "4 KB"/);
  assert.equal(await inside(page, (element) => element.status), "1 entry: 1 × 2M", "the last good picture stays");
  await inside(page, (element) => { element.scenario = null; element.preset = "nothing"; });
  assert.match(await inside(page, wrong), /there is no preset "nothing".*mail/);
  await inside(page, (element) => { element.preset = "mail"; element.lanes = "dma entrys"; });
  assert.match(await inside(page, wrong), /"dma entrys" is not a valid list of lanes/);
  assert.equal((await events(page, "umem-error")).length, 3);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what is set before it is ready is done once it is", async () => {
  const page = await documentWith(`<umem-split></umem-split>`);
  await page.evaluate(() => {
    const early = document.createElement("umem-split");
    early.preset = "one-size";
    early.seek(1);
    document.querySelector("umem-split").replaceWith(early);
  });
  await ready(page);
  assert.equal(await inside(page, (element) => element.status), "2 entries: 2 × 2M");
  assert.equal(await inside(page, (element) => element.moment), 1);
  await page.close();
});

test("a source is read, plain or packed; one that is not there is told", async () => {
  const page = await documentWith(`<umem-split src="nothing.json"></umem-split>`);
  await page.waitForFunction(() => globalThis.events.some(([name]) => name === "umem-error"));
  assert.match((await events(page, "umem-error"))[0].message, /nothing\.json could not be read \(404/);
  const packed = await page.evaluate(async () => {
    const text = JSON.stringify({ version: 1, region: { length: "64K" }, memory: { page_size: "64K", layout: "contiguous" }, device: { page_sizes: ["64K"] } });
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    return [...new Uint8Array(await new Response(stream).arrayBuffer())];
  });
  await page.evaluate((packed) => {
    const real = fetch;
    globalThis.fetch = (url, ...rest) => (String(url).endsWith("packed.json.gz") ? Promise.resolve(new Response(new Uint8Array(packed))) : real(url, ...rest));
    document.querySelector("umem-split").src = "packed.json.gz";
  }, packed);
  await page.waitForFunction(() => document.querySelector("umem-split").status === "1 entry: 1 × 64K");
  await page.close();
});

test("its place is the fallback's, and nothing shifts", async () => {
  const fits = `<link rel="stylesheet" href="data:text/css,img%7Bmax-width:100%25;height:auto%7D">`;
  for (const [width, controls, styled] of [[1200, "full", ""], [390, "full", ""], [1000, "full", fits], [390, "play", fits], [700, "none", fits]]) {
    const page = await documentWith(`${styled}<p>before</p><umem-split preset="mail" controls="${controls}">${FALLBACK}</umem-split><p id="behind">behind</p>`, { width });
    await ready(page);
    await new Promise((done) => setTimeout(done, 200));
    const [height, expected] = await inside(page, (element) => [element.getBoundingClientRect().height, element.querySelector("img").getBoundingClientRect().height]);
    assert.ok(height >= expected && height < expected + 8, `${height} of ${expected} at ${width}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `scrolls sideways at ${width}`);
    const { box, figure } = await inside(page, (element) => {
      const figure = element.shadowRoot.querySelector(".figure");
      return { figure: figure.scrollHeight, box: figure.clientHeight };
    });
    assert.ok(figure <= box + 1, `${figure} do not fit ${box} at ${width}, ${controls}`);
    const shift = await page.evaluate(() => new Promise((done) => {
      new PerformanceObserver((list) => done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done(0), 300);
    }));
    assert.ok(shift < 0.01, `shifts by ${shift}`);
    await page.close();
  }
});

test("without JavaScript the fallback is there", onlyChromium("switch JavaScript off"), async () => {
  const page = await documentWith(`<umem-split preset="mail">${FALLBACK}</umem-split>`, { script: false });
  assert.ok(await (await page.$("umem-split img")).isVisible());
  await page.close();
});

test("twelve share one download, and nothing loads before it is near", async () => {
  const page = await documentWith('<umem-split preset="mail" controls="play"></umem-split>'.repeat(12));
  const asked = () => page.requests.filter((path) => path.includes("/element/"));
  await page.evaluate(async () => {
    for (const element of document.querySelectorAll("umem-split")) {
      element.scrollIntoView();
      await new Promise((done) => setTimeout(done, 20));
    }
  });
  await ready(page, 12);
  assert.equal(new Set(asked()).size, 2, asked().join());
  await page.close();

  const lazy = await documentWith("");
  await lazy.evaluate(() => {
    const far = document.body.appendChild(document.createElement("div"));
    far.style.height = "5000px";
    document.body.append(document.createElement("umem-split"));
  });
  await new Promise((done) => setTimeout(done, 500));
  assert.deepEqual(lazy.requests.filter((path) => path.includes("/element/")), []);
  await inside(lazy, (element) => element.scrollIntoView());
  await ready(lazy);
  await lazy.close();
});

test("taken out and put back it goes on, and it leaves nothing behind", onlyChromium("measure its heap"), async () => {
  const page = await documentWith(`<umem-split preset="mail" at="2"></umem-split>`);
  await ready(page);
  await page.evaluate(async () => {
    const element = document.querySelector("umem-split");
    element.seek(3);
    document.body.append(document.createElement("p"));
    document.body.append(element);
  });
  await ready(page);
  assert.equal(await inside(page, (element) => element.moment), 3);
  const client = await page.createCDPSession();
  const used = async () => {
    await client.send("HeapProfiler.collectGarbage");
    return (await client.send("Runtime.getHeapUsage")).usedSize;
  };
  const round = () => page.evaluate(async () => {
    for (let i = 0; i < 25; i++) {
      const element = document.createElement("umem-split");
      element.preset = "scattered";
      document.body.prepend(element);
      scrollTo(0, 0);
      await new Promise((done) => element.addEventListener("umem-ready", done, { once: true }));
      element.remove();
    }
    const { memory } = await (await import("./element/umem_split.js")).default();
    return memory.buffer.byteLength;
  });
  const [wasm, heap] = [await round(), await used()];
  const [later, after] = [await round(), await used()];
  console.log(`  wasm memory ${wasm} → ${later}, JS heap ${heap} → ${after}`);
  assert.equal(later, wasm, "wasm's memory grows");
  assert.ok(after < heap * 1.1, `JS heap: ${heap} → ${after}`);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("autoplay plays, but not for who wants less motion, and not without controls", onlyChromium("ask for less motion"), async () => {
  for (const [attributes, media, plays] of [
    ["", [], true],
    [`controls="none"`, [], false],
    ["", [{ name: "prefers-reduced-motion", value: "reduce" }], false],
  ]) {
    const page = await documentWith(`<umem-split preset="mail" autoplay ${attributes}></umem-split>`, { media });
    await ready(page);
    assert.equal(await inside(page, (element) => element.playing), plays, attributes + JSON.stringify(media));
    await page.close();
  }
  const page = await documentWith(`<umem-split preset="mail" speed="40" autoplay loop></umem-split>`);
  await ready(page);
  await page.waitForFunction(() => globalThis.events.filter(([name, { step }]) => name === "umem-step" && step === 0).length >= 2, { timeout: 20_000 });
  await page.close();
});

test("themes, custom properties and parts change how it looks", async () => {
  const page = await documentWith(`<umem-split preset="mail" theme="dark"></umem-split>`);
  await ready(page);
  const ground = async () => {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    return inside(page, (element) => {
      const [r, g, b] = element.shadowRoot.querySelector("canvas").getContext("2d").getImageData(1, 1, 1, 1).data;
      return [r, g, b];
    });
  };
  assert.deepEqual(await ground(), [0x12, 0x16, 0x1d]);
  await inside(page, (element) => { element.theme = "light"; });
  assert.deepEqual(await ground(), [0xfb, 0xfa, 0xf7]);
  await inside(page, (element) => element.style.setProperty("--umem-ground", "rebeccapurple"));
  assert.deepEqual(await ground(), [0x66, 0x33, 0x99]);
  await inside(page, (element) => element.style.setProperty("--umem-ground", "oklch(1 0 0)"));
  assert.deepEqual(await ground(), [0xff, 0xff, 0xff]);
  const parts = await inside(page, (element) => [...element.shadowRoot.querySelectorAll("[part]")].map((node) => node.getAttribute("part")));
  for (const part of ["picture", "caption", "status", "controls", "play", "slider", "error"]) assert.ok(parts.includes(part), part);
  await page.close();
});

test("the core answers from JavaScript", async () => {
  const page = await documentWith("");
  const { total, refused, wrong, long } = await page.evaluate(async () => {
    const { plan } = await import("./umem-split.js");
    const scenario = { version: 1, region: { offset: "4K", length: "4092K" }, memory: { page_size: "2M", layout: "contiguous" }, device: { page_sizes: ["4K", "1M", "2M"], policy: "mixed" } };
    const { table } = await plan(scenario);
    const refused = await plan({ ...scenario, device: { page_sizes: ["4K"], max_entries: 1 } });
    const wrong = await plan({ ...scenario, region: {} }).catch((error) => error.message);
    const long = await plan({ ...scenario, region: { length: "256G" }, memory: { layout: "scattered" } }).catch((error) => error.message);
    return { total: table.total, refused: refused.table.refused?.code, wrong, long };
  });
  assert.equal(total, 257);
  assert.equal(typeof refused, "string");
  assert.match(wrong, /region: missing field `length`/);
  assert.match(long, /region\.length: these are about 67108928 segments.*umem plan/);
  await page.close();
});

test("a step tells how far it has come, and by its name another element goes there, too", async () => {
  const page = await documentWith(`<umem-split preset="mail"></umem-split><umem-split preset="scattered" id="other"></umem-split>`);
  await ready(page, 2);
  await inside(page, (element) => element.seek("cut"));
  const [start] = (await events(page, "umem-step")).slice(-1);
  assert.deepEqual([start.pinned, start.sg, start.dma, start.entries, start.total], [1023, 1, 1, 0, 257]);
  await inside(page, (element) => element.step());
  const [next] = (await events(page, "umem-step")).slice(-1);
  assert.deepEqual([next.name, next.stage, next.entries], ["cut:1048576", "Cut", 255]);
  const other = await page.$eval("#other", (element, name) => {
    element.seek(name);
    return element.moment;
  }, next.name);
  const [there] = (await events(page, "umem-step")).slice(-1);
  assert.equal(there.step, other);
  assert.equal(there.stage, "Cut");
  await inside(page, (element) => element.seek("end"));
  const [end] = (await events(page, "umem-step")).slice(-1);
  assert.deepEqual([end.name, end.stage, end.entries], ["end", null, 257]);
  // From the end on it begins anew, as playing does.
  await inside(page, (element) => element.step());
  assert.equal(await inside(page, (element) => element.moment), 0);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("a loop that rests can be paused", async () => {
  const page = await documentWith(`<umem-split preset="one-size" speed="40" autoplay loop></umem-split>`);
  await ready(page);
  await page.waitForFunction(() => {
    const element = document.querySelector("umem-split");
    return element.moment === element.steps && !element.playing;
  });
  await inside(page, (element) => element.pause());
  await new Promise((done) => setTimeout(done, 2500));
  assert.equal(await inside(page, (element) => element.playing || element.moment !== element.steps), false);
  await page.close();
});

test("in a narrow column the lens is left out, so that labels can be read", async () => {
  const page = await documentWith(`<umem-split><img src="icon.svg" width="400" height="420" alt="the mail's example"></umem-split>`, { width: 430 });
  await ready(page);
  const caption = (part) =>
    inside(page, async (element, part) => {
      const canvas = element.shadowRoot.querySelector("canvas");
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const at = { clientX: left + width * 0.6, clientY: top + height * part, bubbles: true, pointerId: 1, pointerType: "mouse" };
      canvas.dispatchEvent(new PointerEvent("pointermove", at));
      await new Promise((done) => requestAnimationFrame(done));
      return element.shadowRoot.querySelector(".caption").textContent;
    }, part);
  // With a lens, what stands so far below are its addresses.
  assert.match(await caption(0.94), /^entry \d+: /);
  assert.deepEqual(page.complaints, []);
  await page.close();
});
