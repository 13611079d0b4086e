// Screenshots of the page's main states, for eyes: `cargo xtask shots`. The folder is the first argument, that of the README's
// pictures the second.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { start } from "./support.mjs";

const [folder, readme] = process.argv.slice(2);
const WIDTHS = [1440, 768, 390];
const LOOKS = {
  light: [{ name: "prefers-color-scheme", value: "light" }],
  dark: [{ name: "prefers-color-scheme", value: "dark" }],
  forced: [{ name: "forced-colors", value: "active" }],
};
/** What each picture shows: where in the address, and which step of how many (from the end, if negative). */
const STATES = {
  mail: ["#preset=mail", -1],
  "one-size-iommu": ["#preset=one-size-iommu", -1],
  descending: ["#preset=descending", 3],
  scattered: ["#preset=scattered", -1],
  compare: ["#preset=one-size&with-preset=one-size-iommu", -1],
};
const CHAPTERS = 16;

/** Moves the slider as a hand would. */
async function seek(page, step) {
  await page.focus("input[type=range]");
  await page.keyboard.press(step < 0 ? "End" : "Home");
  for (let i = 0; i < Math.abs(step); i++) await page.keyboard.press(step < 0 ? "ArrowLeft" : "ArrowRight");
  await page.evaluate(() => document.activeElement.blur());
  // Two frames: one that knows of the step, one that has drawn it.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Gives the page a reader's settings; puppeteer itself does not know forced colours. */
async function dress(page, look) {
  const client = await page.createCDPSession();
  await client.send("Emulation.setEmulatedMedia", { features: LOOKS[look] });
}

const site = await start();
await mkdir(folder, { recursive: true });
for (const look of Object.keys(LOOKS)) {
  for (const width of WIDTHS) {
    for (const [state, [hash, step]] of Object.entries(STATES)) {
      const page = await site.open("", { width, height: 900 });
      await dress(page, look);
      await page.goto(site.address + hash);
      await page.waitForSelector("[role=status]");
      await seek(page, step);
      await page.screenshot({ path: join(folder, `${state}-${width}-${look}.png`), fullPage: true });
      await page.close();
    }
  }
}
/** Waits until nothing plays any more. */
const ended = (page) => page.waitForSelector('aria/Play[role="button"]', { timeout: 60_000 });

/** Answers a chapter's question, and sees what happens. */
async function answer(page) {
  await (await page.waitForSelector(".choice")).click();
  await page.select("select[aria-label=Speed]", "4");
  await ended(page);
}

for (const [look, width] of [["light", 1440], ["dark", 1440], ["light", 768], ["dark", 390]]) {
  for (let chapter = 1; chapter <= CHAPTERS; chapter++) {
    const page = await site.open("", { width, height: 900 });
    await dress(page, look);
    await page.goto(`${site.address}#story=${chapter}`);
    await page.waitForSelector(".choice");
    const name = (part) => join(folder, `story-${String(chapter).padStart(2, "0")}-${part}-${width}-${look}.png`);
    await page.screenshot({ path: name("asks"), fullPage: width < 1180 });
    await answer(page);
    await page.screenshot({ path: name("tells"), fullPage: width < 1180 });
    await page.close();
  }
}
/** The README's: where in the address, in which look, how large, and what is done there first. */
const README = {
  page: ["#preset=mail", "light", [1280, 980], (page) => seek(page, 5)],
  story: ["#story=8", "dark", [1280, 900], answer],
  compare: ["#preset=one-size&with-preset=one-size-iommu", "light", [1280, 1120], () => {}],
};
for (const [name, [hash, look, [width, height], act]] of Object.entries(README)) {
  const page = await site.open("", { width, height });
  await dress(page, look);
  await page.goto(site.address + hash);
  await page.waitForSelector("[role=status]");
  await act(page);
  await page.screenshot({ path: join(readme, `${name}.png`) });
  await page.close();
}

// What stands beside a link to the page: what it is about, and its first picture.
const page = await site.browser.newPage();
await page.setViewport({ width: 1200, height: 630 });
const index = await (await fetch(site.address)).text();
const picture = index.match(/<svg class="wide light".*?<\/svg>/s)[0];
const title = index.match(/og:title" content="([^"]*)"/)[1];
await page.setContent(`<style>
  body { margin: 0; height: 630px; display: grid; grid-template-rows: auto 1fr; justify-items: center; background: #fcfbf7; color: #1a2233; font-family: sans-serif }
  h1 { margin: 36px 48px 18px; font-size: 34px; line-height: 1.15; text-align: center }
  svg { height: 500px; width: 1120px }
</style><h1>${title}</h1>${picture}`);
await page.screenshot({ path: join(readme, "preview.png") });
await site.stop();
