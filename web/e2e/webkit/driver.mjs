// WebKit by WebDriver: puppeteer does not know it. A small client of the few commands that the tests need.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE = 30_000;

/** Calls `act` until it gives something, or an error is all that it ever gave. */
async function until(what, act) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await act().catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE} ms`);
    await new Promise((wait) => setTimeout(wait, 100));
  }
}

/** A port that is free now. */
const port = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** A screen that nobody sees: Xvfb chooses its number, and tells it. */
async function screen() {
  const process = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const number = await new Promise((done, failed) => {
    process.stdio[3].once("data", (data) => done(String(data).trim()));
    process.once("error", failed);
    process.once("exit", (code) => failed(new Error(`Xvfb ended with ${code}`)));
  });
  return { display: `:${number}`, stop: () => process.kill() };
}

/** Starts WebKit. */
export async function launch() {
  const { display, stop } = await screen();
  const home = mkdtempSync(join(tmpdir(), "umem-webkit-"));
  const at = await port();
  const env = { ...process.env, DISPLAY: display, HOME: home, XDG_RUNTIME_DIR: home, WEBKIT_DISABLE_COMPOSITING_MODE: "1", WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
  const driver = spawn("WebKitWebDriver", [`--port=${at}`], { stdio: "ignore", env });
  const ask = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${at}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  const binary = readdirSync("/usr/lib").map((folder) => `/usr/lib/${folder}/webkit2gtk-4.1/MiniBrowser`).find(existsSync);
  const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary, args: ["--automation"] } } };
  const { sessionId, capabilities: got } = await until("WebKit", () => ask("POST", "/session", { capabilities }));
  const session = (method, path, body) => ask(method, `/session/${sessionId}${path}`, body);
  const run = (act, ...args) => session("POST", "/execute/sync", { script: `return (${act}).apply(null, arguments)`, args });
  return {
    version: `${got.browserName} ${got.browserVersion}`,
    open: (url) => session("POST", "/url", { url }),
    back: () => session("POST", "/back", {}),
    forward: () => session("POST", "/forward", {}),
    reload: () => session("POST", "/refresh", {}),
    run,
    /** Waits until `act` gives something in the page. */
    until: (act, ...args) => until(String(act), () => run(act, ...args)),
    /** Presses keys in an element. */
    async type(selector, text) {
      const element = await session("POST", "/element", { using: "css selector", value: selector });
      await session("POST", `/element/${element[ELEMENT]}/value`, { text });
    },
    async stop() {
      await session("DELETE", "").catch(() => {});
      driver.kill();
      stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
