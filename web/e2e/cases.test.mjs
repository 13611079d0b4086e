// The public reports: found by what people saw, opened by name, answered by the page.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { named, press, type, value } from "./fields.mjs";
import { focused, start, status } from "./support.mjs";

const FOLDER = new URL("../../docs/cases/", import.meta.url);
const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";

let site, reports, answers;
before(async () => {
  site = await start();
  answers = gallery();
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".json"));
  reports = await Promise.all(names.sort().map(async (name) => JSON.parse(await readFile(new URL(name, FOLDER), "utf8"))));
});
after(() => site?.stop());

/** What the command says of a report's question: the same core, compiled for this machine. The book's gallery has all of them. */
const answered = (name, number = 1) => answers.get(`${name}:${number}`) ?? assert.fail(`the gallery has no ${name}:${number}`);

function gallery() {
  const ran = spawnSync("cargo", ["run", "--quiet", "--package", "native-runner", "--", "book", "table", "cases"], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
  return new Map([...ran.stdout.matchAll(/umem plan --case (\S+) --why`<\/small> \| (.*) \|$/gm)].map(([, question, answer]) => [question, answer]));
}

const titles = (page) => page.$$eval("dialog li > button", (all) => all.map((button) => button.textContent));
const hash = (page) => page.evaluate(() => location.hash);
const about = (page) => page.$eval(".about", (about) => about.textContent);
/** Waits until the page shows what its address asks for. */
const shown = (page, wanted) => page.waitForFunction((wanted) => location.hash === wanted && document.querySelector(".about")?.textContent.startsWith("Public report"), {}, wanted);
const closed = (page) => page.waitForFunction(() => !document.querySelector("dialog[open]"));

/** The dialog, open. */
async function cases(page) {
  await press(page, "Cases");
  await page.waitForSelector("dialog[open]");
}

test("a report is found by its error text, and its question shown in the picture", async () => {
  const page = await site.open();
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url())));
  await cases(page);
  const files = asked.map(({ pathname }) => pathname.slice(1));
  assert.deepEqual(files.sort(), ["cases.json", "dialogs.js", "pkg/split_more.wasm"], "loaded when somebody asks, and once");
  assert.ok(asked.every(({ search }) => /^\?b=[0-9a-f]+$/.test(search)), "of this build");
  assert.deepEqual(await titles(page), reports.map(({ title }) => title));
  const field = await named(page, "searchbox", "Search reports");
  assert.ok(await field.evaluate((field) => field === document.activeElement), "one can type at once");
  // Signs, numbers of one's own and blanks do not matter.
  await field.type("ulimit -l 8192: CANNOT allocate memory?");
  assert.ok((await titles(page)).includes("Cannot allocate memory, and ulimit -l says 8192"), (await titles(page)).join("\n"));
  assert.equal(await page.$("aria/Keys[role=dialog]"), null, "a question mark is a letter here");
  await press(page, "Cannot allocate memory, and ulimit -l says 8192");
  const text = await page.$eval("dialog[open]", (dialog) => dialog.textContent);
  const report = reports.find(({ name }) => name === "memlock-8192k");
  for (const words of [report.happened, report.cause, ...report.errors, ...report.inferred, ...report.source.map(({ text }) => text)]) {
    assert.ok(text.includes(words), words);
  }
  assert.equal(await page.$eval("dialog[open] a", (link) => link.href), report.source.find(({ url }) => url).url);
  await press(page, report.asked[0].title);
  await closed(page);
  await shown(page, "#case=memlock-8192k");
  assert.equal(await status(page), answered("memlock-8192k"));
  assert.equal(await about(page), `Public report: ${report.title} (${report.asked[0].title}). umem answers: ${await status(page)}.`);
  assert.match(await page.title(), new RegExp(`^${report.title}`));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

/** What a browser does not work out while somebody waits. */
const LARGE = new Set(["lmcache-4g-cliff 1", "lmcache-4g-cliff 3"]);

test("what is too large for a browser is not answered: what was seen stays, and the message says who answers", async () => {
  const page = await site.open("#preset=scattered");
  for (const large of LARGE) {
    const [name, number] = large.split(" ");
    await page.evaluate((wanted) => { location.hash = wanted; }, `case=${name}&question=${number}`);
    await page.waitForFunction(() => location.hash === "#preset=scattered" && document.querySelector(".notice[role=alert]"));
    assert.match(await page.$eval(".notice[role=alert]", (alert) => alert.textContent), /more than a browser should work out.*`umem plan`.*What you see is something else/, large);
    await press(page, "Dismiss");
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("every question of every report is answered by the page as by the command", async () => {
  const page = await site.open();
  for (const { name, title, asked } of reports) {
    for (const number of asked.keys()) {
      if (LARGE.has(`${name} ${number + 1}`)) continue;
      const wanted = number ? `#case=${name}&question=${number + 1}` : `#case=${name}`;
      await page.evaluate((wanted) => { location.hash = wanted; }, wanted);
      const told = `Public report: ${title} (${asked[number].title}). umem answers: ${answered(name, number + 1)}.`;
      await page.waitForFunction((told) => document.querySelector(".about")?.textContent === told, { timeout: 5000 }, told).catch(() => {});
      assert.equal(await about(page), told);
      assert.equal(await hash(page), wanted);
    }
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("an address opens a question; a reload and Back lead to it; an edit makes it one's own", async () => {
  const page = await site.open("#case=memlock-8192k&question=2");
  await shown(page, "#case=memlock-8192k&question=2");
  assert.equal(await status(page), answered("memlock-8192k", 2));
  await page.reload();
  await page.waitForSelector("[role=status]");
  await shown(page, "#case=memlock-8192k&question=2");
  await cases(page);
  assert.match(await page.$eval("dialog h3", (heading) => heading.textContent), /ulimit -l says 8192/, "the dialog opens at what is seen");
  await page.keyboard.press("Escape");
  await closed(page);
  await page.evaluate(() => { location.hash = "#case=mana-2m"; });
  await shown(page, "#case=mana-2m");
  await type(page, "Length", "6M");
  await page.waitForFunction(() => location.hash.startsWith("#s="));
  assert.match(await about(page), /Your own scenario/);
  assert.equal(await value(page, "textbox", "Length"), "6M");
  await page.evaluate(() => history.back());
  await shown(page, "#case=memlock-8192k&question=2");
  assert.equal(await status(page), answered("memlock-8192k", 2));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("a report that there is not gets a message, and the mail's example", async () => {
  for (const [wrong, words] of [["#case=nothing", /there is no report "nothing"/], ["#case=mana-2m&question=9", /"mana-2m" has 1 question/], ["#case=mana-2m&question=x", /"mana-2m" has 1 question/]]) {
    const page = await site.open(wrong);
    await page.waitForSelector(".notice[role=alert]");
    const told = await page.$eval(".notice[role=alert]", (alert) => alert.textContent);
    assert.match(told, words);
    assert.match(told, /mail's example instead/);
    assert.equal(await status(page), MAIL);
    assert.equal(await hash(page), "#preset=mail");
    assert.deepEqual(page.complaints, []);
    await page.close();
  }
});

test("where the reports cannot be loaded the page says so, and later they can", async () => {
  const page = await site.open();
  await page.setRequestInterception(true);
  let broken = true;
  page.on("request", (request) => (broken && /cases\.json/.test(request.url()) ? request.respond({ status: 503 }) : request.continue()));
  await press(page, "Cases");
  await page.waitForSelector(".notice[role=alert]");
  assert.match(await page.$eval(".notice[role=alert]", (alert) => alert.textContent), /^The public reports could not be loaded \(the server answers 503\): try again/);
  broken = false;
  await cases(page);
  assert.equal((await titles(page)).length, reports.length);
  await page.close();
});

test("the keyboard alone is enough", async () => {
  const page = await site.open();
  await (await named(page, "button", "Cases")).focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.type("no such word at all");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("mana-2m");
  await page.waitForFunction(() => document.querySelectorAll("dialog .reports > li").length === 1);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog h3:focus");
  await page.keyboard.down("Shift");
  await page.keyboard.press("Tab");
  await page.keyboard.up("Shift");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("dialog input[type=search]")?.value === "mana-2m");
  // The first clears the field, as it does everywhere.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await closed(page);
  await focused(page, "Cases");
  await page.close();
});
