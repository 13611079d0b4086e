// The story: every chapter by mouse and by keyboard, and nothing given away before the reader has predicted.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { choose, moment, named, press, type, value } from "./fields.mjs";
import { focused, says, start, status } from "./support.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";

let site, story;
before(async () => {
  site = await start();
  story = JSON.parse(await readFile(new URL("../../static/story.json", import.meta.url)));
});
after(() => site?.stop());

/** Waits for a chapter, by its title. */
const chapter = (page, title) =>
  page.waitForFunction((title) => document.querySelector(".story h2")?.textContent === title, {}, title);

/** Presses the answer of that number. */
const answer = async (page, i) => (await page.$$(".choice"))[i].click();

/** All that can be read, but for the answers that are offered. */
const unanswered = (page) =>
  page.evaluate(() => {
    const offered = [...document.querySelectorAll(".choice")].map((choice) => choice.innerText);
    return offered.reduce((text, choice) => text.replace(choice, ""), document.body.innerText);
  });

const hash = (page) => page.evaluate(() => location.hash);

test("each chapter asks, plays what happens, and leads to the next", async () => {
  const page = await site.open();
  await press(page, "Start the story");
  for (const [i, { title, choices, quote }] of story.chapters.entries()) {
    await chapter(page, title);
    assert.equal(await hash(page), `#story=${i + 1}`);
    await focused(page, title); // reading begins at the title
    const told = await page.$eval(".story", (story) => story.textContent);
    if (quote) assert.ok(told.includes(quote.text) && told.includes(quote.who), title);
    assert.match(await status(page), /Predict first/);
    const seen = await unanswered(page);
    assert.equal(await page.$(".advice"), null, "nothing is given away");
    const wrong = choices.findIndex((choice) => !choice.right);
    await answer(page, wrong);
    await page.waitForFunction(() => document.querySelector(".truth").textContent.trim());
    const answered = await status(page);
    assert.match(answered, /entr(y|ies): |^refused at /);
    const [, entries] = answered.split(": ");
    assert.ok(!seen.includes(entries), `${title}: "${entries}" is given away`);
    const marks = await page.$$eval(".choice b", (marks) => marks.map((mark) => mark.textContent));
    assert.deepEqual(marks.sort(), ["your answer", "✓ right"]);
    if (i + 1 < story.chapters.length) await (await page.$(".turn .primary")).click();
  }
  await press(page, "Explore by yourself");
  assert.equal(await page.$(".story"), null);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the answer plays, as far as the chapter goes", async () => {
  const page = await site.open("#story=5");
  await chapter(page, "The mail's example");
  const before = await moment(page);
  assert.ok(before.step < before.last);
  await answer(page, 0);
  await named(page, "button", "Pause");
  await page.waitForFunction(
    () => {
      const slider = document.querySelector("input[type=range]");
      return slider.value === slider.max;
    },
    { timeout: 20_000 },
  );
  assert.equal(await status(page), MAIL);
  await page.close();

  const first = await site.open("#story=2");
  await chapter(first, "What registration is");
  await answer(first, 1);
  await first.waitForSelector('aria/Play[role="button"]', { timeout: 20_000 });
  const { step, last } = await moment(first);
  assert.ok(step < last, "pinning is all that the chapter shows");
  await first.close();
});

test("readers play within a chapter, and the address keeps it", async () => {
  const page = await site.open("#story=5");
  await chapter(page, "The mail's example");
  await answer(page, 0);
  await type(page, "Start offset", "0");
  assert.match(await hash(page), /^#story=5&s=/);
  const other = await site.open(await hash(page));
  await chapter(other, "The mail's example");
  assert.equal(await value(other, "textbox", "Start offset"), "0");
  await page.bringToFront();
  await press(page, "Begin at the huge page");
  assert.equal(await status(page), "2 entries: 2 × 2M");
  await choose(page, "Chapter", "12");
  await chapter(page, "The patch that was never merged");
  await page.goBack();
  await chapter(page, "The mail's example");
  await press(page, "Close the story");
  assert.equal(await page.$(".story"), null);
  assert.deepEqual([...page.complaints, ...other.complaints], []);
  await page.close();
  await other.close();
});

test("the story is read and answered by keyboard alone", async () => {
  const page = await site.open("#story=4");
  await chapter(page, "Greedy");
  const reach = async (words) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((words) => document.activeElement.textContent.startsWith(words), words)) return;
    }
    assert.fail(`Tab never reaches "${words}"`);
  };
  await reach("1M");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector(".truth").textContent.includes("Yes."));
  assert.equal(await page.$eval(".truth", (truth) => truth.getAttribute("aria-live")), "polite");
  await reach("Next chapter");
  await page.keyboard.press("Enter");
  await chapter(page, "The mail's example");
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("who looks before predicting is not kept in the dark", async () => {
  const page = await site.open("#story=5");
  await chapter(page, "The mail's example");
  await press(page, "Step");
  assert.equal(await status(page), MAIL);
  await page.close();
});

test("a story that cannot be loaded gets a sentence, and the page works", async () => {
  const page = await site.browser.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) => (new URL(request.url()).pathname.endsWith("story.json") ? request.abort() : request.continue()));
  await page.goto(`${site.address}#story=2`);
  await page.waitForSelector("[role=alert]");
  assert.match(await page.$eval("[role=alert]", (alert) => alert.textContent), /is not here: cannot be fetched/);
  assert.equal(await status(page), MAIL);
  await page.close();
});

test("an answer is there again after Back, and after a reload", async () => {
  const page = await site.open("#story=5");
  await chapter(page, "The mail's example");
  await answer(page, 0);
  await press(page, "Begin at the huge page");
  await page.goBack();
  const answered = () => page.waitForFunction(() => document.querySelector(".choice[aria-pressed=true]") && document.querySelector(".truth").textContent.trim());
  await answered();
  await says(page, MAIL);
  await page.reload();
  await answered();
  await page.close();
});

test("leaving the story, and stopping a comparison, puts the focus where that began", async () => {
  const page = await site.open("#story=1");
  await chapter(page, "A header of 4K");
  await press(page, "Close the story");
  await focused(page, "Start the story");
  await press(page, "Compare");
  await press(page, "Stop comparing");
  await focused(page, "Compare");
  await page.close();
});
