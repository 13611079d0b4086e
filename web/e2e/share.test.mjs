// What is sent and kept: links, commands, snippets and files.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { named, planned, press, type } from "./fields.mjs";
import { onlyChromium, start } from "./support.mjs";

let site, folder;
before(async () => {
  site = await start();
  folder = await mkdtemp(join(tmpdir(), "umem-share-"));
});
after(async () => {
  await site?.stop();
  await rm(folder, { recursive: true });
});

/** The page with sharing open. */
async function sharing(hash) {
  const page = await site.open(hash);
  const client = await page.createCDPSession();
  await client.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
  return page;
}

const text = async (page, name) => (await named(page, "textbox", name)).evaluate((area) => area.value);

/** Keeps a file, and waits until it is whole. */
async function kept(page, button, name) {
  await press(page, button);
  for (let i = 0; i < 100; i++) {
    const bytes = await readFile(join(folder, name)).catch(() => null);
    if (bytes?.length) return bytes;
    await new Promise((wait) => setTimeout(wait, 50));
  }
  throw new Error(`${name} never came`);
}

test("links, commands and snippets hold what is seen", onlyChromium("see its clipboard and its downloads"), async () => {
  const page = await sharing("#preset=mail");
  await press(page, "Share");
  await page.waitForSelector("dialog[open]");
  assert.equal(await text(page, "Link"), `${site.address}#preset=mail`);
  assert.equal(await text(page, "Command"), "umem plan --preset mail --why");
  assert.match(await text(page, "For a page of your own"), /<umem-split preset="mail">/);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  await type(page, "Length", "4000K");
  await press(page, "Share");
  assert.match(await text(page, "Link"), /#s=/);
  const command = await text(page, "Command");
  const [first, json, last] = command.split("\n");
  assert.deepEqual([first, last], ["umem plan - --why <<'SCENARIO'", "SCENARIO"]);
  assert.equal(JSON.parse(json).region.length, "4000K");
  // A shell passes it on untouched.
  const shell = spawnSync("bash", ["-c", command.replace("umem plan - --why", "cat")], { encoding: "utf8" });
  assert.equal(shell.stdout.trim(), json);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("copying says what it did", onlyChromium("see its clipboard and its downloads"), async () => {
  const page = await sharing("#preset=mail");
  await site.browser.defaultBrowserContext().overridePermissions(new URL(site.address).origin, ["clipboard-read", "clipboard-sanitized-write"]);
  await press(page, "Share");
  await (await page.waitForSelector("dialog[open] .copy button")).click();
  await page.waitForFunction(() => document.querySelector(".said").textContent);
  assert.match(await page.$eval(".said", (said) => said.textContent), /copied|copy it yourself/);
  await page.close();
});

test("files hold what is seen", onlyChromium("see its clipboard and its downloads"), async () => {
  const page = await sharing("#preset=mail");
  await press(page, "Share");
  const svg = (await kept(page, "Picture (SVG)", "mail.svg")).toString();
  assert.match(svg, /^<svg .*<title>257 entries: 255 × 4K \+ 1 × 1M \+ 1 × 2M<\/title>/s);
  assert.match(svg, />257 entries: 255 × 4K \+ 1 × 1M \+ 1 × 2M<\/text>/, "what is seen is told in the picture itself");
  assert.match(svg, /region 4092K from \+4K · memory 2M pages, contiguous from 0x40000000 · IOMMU off · device 4K 1M 2M · policy mixed/);
  const png = await kept(page, "Picture (PNG)", "mail.png");
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  assert.ok(png.readUInt32BE(16) >= 2240, "twice as fine as the screen");
  const scenario = JSON.parse(await kept(page, "Scenario (JSON)", "mail.json"));
  assert.equal(planned({ scenario }).status, "257 entries: 255 × 4K + 1 × 1M + 1 × 2M");
  const result = JSON.parse(await kept(page, "Result (JSON)", "mail.result.json"));
  assert.deepEqual(result, planned({ preset: "mail" }));
  const csv = (await kept(page, "Entries (CSV)", "mail.csv")).toString();
  assert.deepEqual(csv.trim().split("\n"), [
    "offset,address,size,count",
    "4096,0x40001000,4096,255",
    "1048576,0x40100000,1048576,1",
    "2097152,0x40200000,2097152,1",
  ]);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what is compared is one picture", onlyChromium("see its downloads"), async () => {
  const page = await sharing("#preset=one-size&with-preset=one-size-iommu");
  await press(page, "Share");
  const svg = (await kept(page, "Picture (SVG)", "one-size.svg")).toString();
  for (const told of [/>Upper: 2 entries: 2 × 2M<\/text>/, />Lower: 1023 entries: 1023 × 4K<\/text>/, /IOMMU vt-d/]) assert.match(svg, told);
  await page.close();
});
