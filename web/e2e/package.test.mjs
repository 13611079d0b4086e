// The npm package in other people's hands: in a page without a bundler, in a Vite app, on a server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { brotliCompressSync, constants } from "node:zlib";
import { folder, readme, serve, tarball, unpack } from "./packed.mjs";
import { start } from "./support.mjs";

const MAIL = "257 entries: 255 × 4K + 1 × 1M + 1 × 2M";
const run = promisify(execFile);
let stage;
before(async () => { stage = await start(); });
after(() => stage.stop());

/** A page at `address`, once its element is ready. */
async function opened(address) {
  const page = await stage.browser.newPage();
  const [complaints, wasm] = [[], []];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(message.text()));
  page.on("response", (response) => response.url().endsWith(".wasm") && wasm.push([new URL(response.url()).pathname, response.status()]));
  await page.goto(address);
  await page.waitForFunction(() => document.querySelector("umem-split").ready, { timeout: 20_000 });
  assert.equal(await page.$eval("umem-split", (element) => element.status), MAIL);
  return { page, complaints, wasm };
}

test("the README's page works from any server, under the README's policy", async () => {
  const { text, block } = await readme();
  const root = await folder();
  await unpack(join(root, "umem-split"));
  const worker = block("js", "await plan(").replace('"umem-split"', '"./umem-split/umem-split.js"').replace("console.log", "postMessage");
  const others = { "/index.html": block("html", "umem-split/umem-split.js"), "/mail.svg": "", "/favicon.ico": "", "/worker.js": worker };
  const address = await serve(root, block("text", "default-src").trim(), others);
  const there = await opened(address);
  assert.deepEqual(there.wasm, [["/umem-split/element/umem_split_bg.wasm", 200]]);
  const inside = await there.page.$eval("umem-split", (element) => [...element.shadowRoot.querySelectorAll("[part]")].map((node) => node.getAttribute("part")));
  for (const part of inside) assert.ok(text.includes(`\`${part}\``), `the README does not tell of the part ${part}`);
  const told = await there.page.evaluate(() => new Promise((done, failed) => {
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = () => failed(new Error("the worker failed"));
  }));
  assert.equal(told, 257, "the README's code answers, in a worker");
  assert.deepEqual(there.complaints, []);
});

test("a server can import it", async () => {
  const root = await folder();
  await unpack(join(root, "node_modules/umem-split"));
  const code = 'import { plan, UmemSplit } from "umem-split"; console.log(typeof plan, UmemSplit.observedAttributes.includes("preset"));';
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: root });
  assert.equal(stdout.trim(), "function true");
});

test("what is packed is what is meant to be", async () => {
  const root = await unpack(await folder());
  const files = (await readdir(root, { recursive: true })).sort();
  const expected = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "custom-elements.json", "element", "element/umem_split.js", "element/umem_split_bg.wasm", "package.json", "plan", "plan/umem_plan.js", "plan/umem_plan_bg.wasm", "umem-formats.d.ts", "umem-split.d.ts", "umem-split.js"];
  assert.deepEqual(files, expected);
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  assert.ok(tarball().endsWith(`umem-split-${version}.tgz`), version);
  assert.match(version, /^\d+\.\d+\.\d+$/);
  const { text } = await readme();
  for (const [, name, raw, packed] of text.matchAll(/^\| `(\S+)` \| (\d+) K \| (\d+) K \|$/gm)) {
    const bytes = await readFile(join(root, name));
    const near = (told, length) => assert.ok(Math.abs(told * 1000 - length) < 1000 + length / 10, `${name} has ${length} bytes, and the README says ${told} K`);
    near(raw, bytes.length);
    near(packed, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length);
  }
});

/** Why no app is built with Vite: it takes a minute, and Vite 8 does not start on Debian 12's Node.js. */
const WITHOUT_VITE = !process.env.UMEM_FULL
  ? "it takes a minute: `cargo xtask test --full` does it"
  : Number.parseInt(process.versions.node) < 20 && `Vite 8 needs Node.js 20.19, and this is ${process.version}`;

test("a Vite app takes it as it is", { skip: WITHOUT_VITE }, async () => {
  const app = join(await folder(), "app");
  const source = new URL("vite-app", import.meta.url);
  await cp(source, app, { recursive: true, filter: (path) => !/node_modules|dist/.test(path.slice(source.pathname.length)) });
  const npm = (...rest) => run("npm", rest, { cwd: app });
  await npm("ci", "--no-audit", "--no-fund");
  await npm("install", "--no-save", "--no-audit", "--no-fund", tarball());
  await npm("run", "build");
  const address = await serve(join(app, "dist"), "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", { "/favicon.ico": "" });
  const there = await opened(address);
  await there.page.waitForFunction((title) => document.title === title, {}, `${MAIL} (257)`);
  const assets = there.wasm.map(([path, code]) => `${path.replace(/-[^-]+\.wasm$/, "")} ${code}`).sort();
  assert.deepEqual(assets, ["/assets/umem_plan_bg 200", "/assets/umem_split_bg 200"]);
  assert.deepEqual(there.complaints, []);
});
